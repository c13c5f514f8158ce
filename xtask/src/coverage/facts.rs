//! The identifiers of the standard's rules: facts, checked in under `xtask/requirements`. The sentences are not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::citations::is_requirement;
use super::document::Document;
use crate::standard::Version;

/// The versions that number their requirements.
pub(super) const NUMBERED: [(Version, &str); 2] = [(Version::V2_0_1, "2.0.1"), (Version::V2_1, "2.1")];

/// A requirement of 2.x.
pub(super) struct Requirement {
    pub(super) id: String,
    /// `station`, `csms`, `both` or `other`.
    pub(super) actor: String,
}

/// A section of 1.6, or a requirement of its whitepaper.
pub(super) struct Section {
    pub(super) document: Document,
    pub(super) id: String,
    /// What it is called; for errata, the section that they change.
    pub(super) name: String,
}

/// The requirements of a version of 2.x.
pub(super) fn requirements(root: &Path, version: Version) -> anyhow::Result<Vec<Requirement>> {
    let table = table(&file(root, version))?;
    let row = |line: &str| line.split_once(',').map(|(id, actor)| Requirement { id: id.into(), actor: actor.into() });
    Ok(table.lines().skip(1).filter_map(row).collect())
}

/// The sections of 1.6.
pub(super) fn sections(root: &Path) -> anyhow::Result<Vec<Section>> {
    let path = file(root, Version::V1_6);
    table(&path)?
        .lines()
        .skip(1)
        .map(|line| {
            let mut columns = line.splitn(3, ',');
            let document = columns.next().and_then(Document::named);
            let document = document.with_context(|| format!("{}: no document is named in: {line}", path.display()))?;
            let id = columns.next().with_context(|| format!("{}: no section in: {line}", path.display()))?;
            Ok(Section { document, id: id.into(), name: columns.next().unwrap_or_default().into() })
        })
        .collect()
}

/// Why rules have no code or test of their own: `document,id,reason`, where an id ending in `*` stands for all that begin so.
pub(super) struct Reasons(Vec<(Document, String, String)>);

impl Reasons {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let path = root.join("xtask/requirements/reasons.csv");
        let mut reasons = Vec::new();
        for line in table(&path)?.lines().skip(1) {
            let mut columns = line.splitn(3, ',');
            let (Some(document), Some(id), Some(reason)) =
                (columns.next().and_then(Document::named), columns.next(), columns.next())
            else {
                anyhow::bail!("{}: expected document,id,reason: {line}", path.display());
            };
            ensure!(!reason.is_empty(), "{}: {id} has no reason", path.display());
            reasons.push((document, id.to_owned(), reason.to_owned()));
        }
        Ok(Self(reasons))
    }

    pub(super) fn of(&self, document: Document, id: &str) -> Option<&str> {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(stem) => id.starts_with(stem),
            None => id == pattern,
        };
        self.0.iter().find(|(of, pattern, _)| *of == document && fits(pattern)).map(|(_, _, reason)| reason.as_str())
    }

    /// Those that are about nothing the standard has.
    pub(super) fn strays<'a>(&'a self, known: &BTreeSet<(Document, String)>) -> Vec<&'a str> {
        let is_known = |document: Document, pattern: &str| match pattern.strip_suffix('*') {
            Some(stem) => known.iter().any(|(of, id)| *of == document && id.starts_with(stem)),
            None => known.contains(&(document, pattern.to_owned())),
        };
        let strays = self.0.iter().filter(|(document, pattern, _)| !is_known(*document, pattern));
        strays.map(|(_, pattern, _)| pattern.as_str()).collect()
    }
}

fn file(root: &Path, version: Version) -> PathBuf {
    root.join("xtask/requirements").join(format!("{}.csv", version.module()))
}

fn table(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Takes identifiers over from the standard's documents, `DIR/2.1/requirements.tsv`, `DIR/1.6/*.md` and so on.
pub(crate) fn import(root: &Path, folder: &Path) -> anyhow::Result<()> {
    for (version, name) in NUMBERED {
        let path = folder.join(name).join("requirements.tsv");
        let mut facts = BTreeSet::new();
        for line in table(&path)?.lines().skip(1) {
            let mut columns = line.split('\t');
            let (Some(id), Some(actor)) = (columns.next(), columns.next()) else { continue };
            // A few rows of the tables have lost the use case that they belong to, and cannot be cited.
            if is_requirement(id) {
                facts.insert(format!("{id},{actor}"));
            } else {
                println!("{}: {id} is no identifier, left out", path.display());
            }
        }
        write(&file(root, version), "id,actor", facts)?;
    }
    let folder = folder.join("1.6");
    let mut rows = Vec::new();
    for (document, name, chapters) in [
        (Document::Edition2, "ocpp-1.6-edition-2.md", 3..=9),
        (Document::Errata, "ocpp-1.6-errata-sheet.md", 3..=3),
        (Document::J, "ocpp-j-1.6-specification.md", 3..=7),
        (Document::JErrata, "ocpp-j-1.6-errata-sheet.md", 3..=3),
        (Document::Security, "security-whitepaper-edition-3.md", 2..=8),
    ] {
        let text = table(&folder.join(name))?;
        rows.extend(headings(&text, chapters, document));
        if document == Document::Security {
            // The first cell of a row names the requirement; others refer to it.
            let cells = text.split("<tr><td>").filter_map(|row| row.split("</td>").next());
            rows.extend(cells.filter(|cell| is_requirement(cell)).map(|id| format!("{},{id},", document.name())));
        }
    }
    write(&file(root, Version::V1_6), "document,section,name", rows)
}

/// Numbered headings of these chapters, behind the table of contents. Those of errata are sentences, of which only the section
/// that they change is taken over.
fn headings(text: &str, chapters: core::ops::RangeInclusive<u32>, document: Document) -> Vec<String> {
    let mut found: Vec<(Vec<u32>, String)> = Vec::new();
    // A table's heading may stand inside it.
    let inside = text.split("<td colspan=\"2\">").skip(1).filter_map(|cell| cell.split("</td>").next());
    for line in text.lines().chain(inside) {
        let heading = line.strip_prefix("# ");
        let line = heading.unwrap_or(line).trim();
        let length = line.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let number = line[..length].trim_end_matches('.');
        let name = line[length..].trim_start_matches(':').trim();
        let parts: Vec<u32> = number.split('.').filter_map(|part| part.parse().ok()).collect();
        // With the number of its page.
        let is_listed =
            heading.is_none() && name.ends_with(|character: char| character.is_ascii_digit()) && name.contains(' ');
        if !name.starts_with(|character: char| character.is_ascii_alphabetic() || character == '(')
            || !parts.first().is_some_and(|chapter| chapters.contains(chapter))
            || (matches!(document, Document::Errata | Document::JErrata) && parts.len() != 2)
            || (parts.len() < 2 && heading.is_none())
            || is_listed
            || found.iter().any(|(known, _)| *known == parts)
        {
            continue;
        }
        let name = match document {
            Document::Errata | Document::JErrata => changed_section(name),
            _ => name.replace(',', ""),
        };
        found.push((parts, name));
    }
    found.sort();
    let number = |parts: &[u32]| parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    found.into_iter().map(|(parts, name)| format!("{},{},{name}", document.name(), number(&parts))).collect()
}

/// `4.9` of `Page 41, section: 4.9: …`.
fn changed_section(name: &str) -> String {
    let lower = name.to_lowercase();
    let start = ["section", "par "].into_iter().find_map(|word| Some(lower.find(word)? + word.len()));
    let rest = start.map_or("", |start| lower[start..].trim_start_matches([':', ' ']));
    let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let section = rest[..length].trim_end_matches('.');
    if section.is_empty() { String::new() } else { format!("changes {section}") }
}

fn write(path: &Path, header: &str, rows: impl IntoIterator<Item = String>) -> anyhow::Result<()> {
    let rows: Vec<String> = rows.into_iter().collect();
    fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
    fs::write(path, format!("{header}\n{}\n", rows.join("\n")))?;
    println!("{} written, {} rows", path.display(), rows.len());
    Ok(())
}
