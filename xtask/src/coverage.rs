//! `cargo xtask coverage`: every functional requirement of 2.0.1 and 2.1 with the code and the tests that cite it.
//!
//! The identifiers and actors are facts of the standard and checked in under `xtask/requirements`; the sentences are not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::standard::Version;

/// The versions that number their requirements.
const VERSIONS: [(Version, &str); 2] = [(Version::V2_0_1, "2.0.1"), (Version::V2_1, "2.1")];
/// What may cite a requirement.
const SOURCES: [&str; 3] = ["ocpp-core", "ocpp-cp-example", "ocpp-csms-example"];

/// Takes identifiers and actors over from tables of the standard's requirements, `DIR/2.1/requirements.tsv` and so on.
pub(crate) fn import(root: &Path, folder: &Path) -> anyhow::Result<()> {
    for (version, name) in VERSIONS {
        let path = folder.join(name).join("requirements.tsv");
        let table = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut facts = BTreeSet::new();
        for line in table.lines().skip(1) {
            let mut columns = line.split('\t');
            let (Some(id), Some(actor)) = (columns.next(), columns.next()) else { continue };
            // A few rows of the tables have lost the use case that they belong to, and cannot be cited.
            if number(id).is_none() {
                println!("{}: {id} is no identifier, left out", path.display());
                continue;
            }
            facts.insert(format!("{id},{actor}"));
        }
        let target = facts_file(root, version);
        fs::create_dir_all(target.parent().context("a file stands in a folder")?)?;
        fs::write(&target, format!("id,actor\n{}\n", Vec::from_iter(facts).join("\n")))?;
        println!("{} written", target.display());
    }
    Ok(())
}

fn facts_file(root: &Path, version: Version) -> PathBuf {
    root.join("xtask/requirements").join(format!("{}.csv", version.module()))
}

/// Writes `docs/coverage.md`; with `check`, fails when it is not current.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let citations = Citations::read(root)?;
    let mut text = String::from(
        "# Requirements, code and tests\n\n\
         Written by `cargo xtask coverage`. A requirement is listed with the files that cite it; \"implemented\" counts those cited in\n\
         code, \"proven\" those cited in tests. Both versions number alike, so a citation counts for each version that has it.\n",
    );
    let mut known = BTreeSet::new();
    for (version, name) in VERSIONS {
        let path = facts_file(root, version);
        let table = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let facts: Vec<(&str, &str)> = table.lines().skip(1).filter_map(|line| line.split_once(',')).collect();
        known.extend(facts.iter().map(|(id, _)| (*id).to_owned()));
        write_version(&mut text, name, &facts, &citations);
    }
    if let Some(unknown) = citations.0.keys().find(|id| !known.contains(*id)) {
        let places = citations.0.get(unknown).map(Places::all).unwrap_or_default();
        anyhow::bail!("{unknown} is cited in {places} but no version has it");
    }
    let path = root.join("docs/coverage.md");
    if check {
        let current = fs::read_to_string(&path).unwrap_or_default();
        ensure!(
            current == text,
            "docs/coverage.md is not current; run `cargo xtask coverage` and commit what it writes"
        );
    } else {
        fs::create_dir_all(root.join("docs"))?;
        fs::write(&path, &text)?;
    }
    for line in text.lines().filter(|line| line.starts_with("| **all**") || line.starts_with("## ")) {
        println!("{line}");
    }
    Ok(())
}

fn write_version(text: &mut String, name: &str, facts: &[(&str, &str)], citations: &Citations) {
    let _ = writeln!(text, "\n## OCPP {name}\n\n| block | requirements | implemented | proven |\n|---|---|---|---|");
    let mut blocks: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (id, actor) in facts {
        blocks.entry(&id[..1]).or_default().push((id, actor));
    }
    let count = |facts: &[(&str, &str)], has: fn(&Places) -> bool| {
        facts.iter().filter(|(id, _)| citations.0.get(*id).is_some_and(has)).count()
    };
    let mut row = |block: &str, facts: &[(&str, &str)]| {
        let code = count(facts, |places| !places.code.is_empty());
        let tests = count(facts, |places| !places.tests.is_empty());
        let _ = writeln!(text, "| {block} | {} | {code} | {tests} |", facts.len());
    };
    for (block, facts) in &blocks {
        row(block, facts);
    }
    row("**all**", facts);
    let _ = writeln!(text, "\n| requirement | actor | code | tests |\n|---|---|---|---|");
    for (id, actor) in facts {
        if let Some(places) = citations.0.get(*id) {
            let _ = writeln!(text, "| {id} | {actor} | {} | {} |", join(&places.code), join(&places.tests));
        }
    }
    let _ = writeln!(text, "\nNot cited yet:\n");
    for (block, facts) in &blocks {
        let open: Vec<&str> = facts.iter().map(|(id, _)| *id).filter(|id| !citations.0.contains_key(*id)).collect();
        if !open.is_empty() {
            let _ = writeln!(text, "- {block} ({}): {}", open.len(), open.join(" "));
        }
    }
}

fn join(places: &BTreeSet<String>) -> String {
    places.iter().map(|place| format!("`{place}`")).collect::<Vec<_>>().join(" ")
}

/// Where a requirement is cited.
#[derive(Default)]
struct Places {
    code: BTreeSet<String>,
    tests: BTreeSet<String>,
}

impl Places {
    fn all(&self) -> String {
        join(&self.code.union(&self.tests).cloned().collect())
    }
}

/// All citations, by identifier.
struct Citations(BTreeMap<String, Places>);

impl Citations {
    fn read(root: &Path) -> anyhow::Result<Self> {
        let mut citations = Self(BTreeMap::new());
        for source in SOURCES {
            citations.folder(root, &root.join(source))?;
        }
        Ok(citations)
    }

    fn folder(&mut self, root: &Path, folder: &Path) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    self.folder(root, &path)?;
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
                self.file(&name, &fs::read_to_string(&path)?);
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &str, text: &str) {
        // Unit tests stand at the end of their file.
        let mut in_tests = name.contains("/tests/") || name.ends_with("tests.rs");
        for line in text.lines() {
            in_tests |= line.trim() == "#[cfg(test)]";
            for id in cited(line) {
                let places = self.0.entry(id).or_default();
                let kind = if in_tests { &mut places.tests } else { &mut places.code };
                kind.insert(name.to_owned());
            }
        }
    }
}

/// `A00.FR.001`: the use case and the number.
fn number(id: &str) -> Option<(&str, &str)> {
    let (case, number) = id.split_once(".FR.")?;
    let mut characters = case.chars();
    let is_case = characters.next().is_some_and(|block| block.is_ascii_uppercase())
        && case.len() == 3
        && characters.all(|character| character.is_ascii_digit());
    let is_number = (2..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_case && is_number).then_some((case, number))
}

/// The identifiers that a line cites, `E06.FR.01`, `E06.FR.01/03`, `E06.FR.01, 03 and 05` and `E06.FR.01 to 05` alike.
fn cited(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, _) in line.match_indices(".FR.") {
        let Some(case) = index.checked_sub(3).and_then(|start| line.get(start..index)) else { continue };
        let mut rest = &line[index + 4..];
        let mut last: Option<u32> = None;
        let mut is_range = false;
        loop {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let text = &rest[..digits];
            if number(&format!("{case}.FR.{text}")).is_none() {
                break;
            }
            let value: u32 = text.parse().unwrap_or_default();
            let first = if is_range { last.map_or(value, |last| last + 1) } else { value };
            found.extend((first..=value).map(|value| format!("{case}.FR.{value:0digits$}")));
            last = Some(value);
            rest = &rest[digits..];
            let Some((range, after)) = [(true, " to "), (false, "/"), (false, ", "), (false, " and ")]
                .into_iter()
                .find_map(|(range, separator)| Some((range, rest.strip_prefix(separator)?)))
            else {
                break;
            };
            (is_range, rest) = (range, after);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_listed_and_ranged_citations_are_read() {
        assert_eq!(cited("// E06.FR.04"), ["E06.FR.04"]);
        assert_eq!(
            cited("(B01.FR.02/05, C09.FR.12 and A00.FR.204)"),
            ["B01.FR.02", "B01.FR.05", "C09.FR.12", "A00.FR.204"]
        );
        assert_eq!(cited("E13.FR.02 to 04; more"), ["E13.FR.02", "E13.FR.03", "E13.FR.04"]);
        assert_eq!(cited("E06.FR.01, 03, and that"), ["E06.FR.01", "E06.FR.03"]);
        assert!(cited("no.FR.1 and X.FR.01").is_empty());
    }

    #[test]
    fn what_stands_below_the_mark_of_unit_tests_proves() {
        let mut citations = Citations(BTreeMap::new());
        citations.file("a.rs", "// A01.FR.01\n#[cfg(test)]\nmod tests {\n// A01.FR.02\n}");
        assert!(citations.0["A01.FR.01"].tests.is_empty() && !citations.0["A01.FR.02"].tests.is_empty());
    }
}
