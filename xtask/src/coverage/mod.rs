//! `cargo xtask coverage`: every rule of the standard with the code and the tests that cite it.
//!
//! 2.0.1 and 2.1 number their requirements; of 1.6 it is the sections, of its security whitepaper the requirements.

mod citations;
mod document;
mod facts;
mod report;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::ensure;

use citations::Citations;
use document::Document;
use facts::Reasons;
pub(crate) use facts::import;

/// Writes `docs/coverage.md`; with `check`, fails when it is not current. Fails too when something is cited that the standard
/// doesn't have, or when less is proven than was.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let citations = Citations::read(root)?;
    let reasons = Reasons::read(root)?;
    let sections = facts::sections(root)?;
    let mut known: BTreeSet<(Document, String)> =
        sections.iter().map(|section| (section.document, section.id.clone())).collect();
    let mut versions = Vec::new();
    for (version, name) in facts::NUMBERED {
        let requirements = facts::requirements(root, version)?;
        known.extend(requirements.iter().map(|requirement| (Document::V2, requirement.id.clone())));
        versions.push((name, requirements));
    }
    let unknown: Vec<String> = citations
        .iter()
        .filter(|(document, id, _)| !known.contains(&(*document, (*id).to_owned())))
        .map(|(document, id, places)| format!("{} {id} in {}", document.name(), report::all(places)))
        .collect();
    ensure!(unknown.is_empty(), "cited, but not in the standard:\n{}", unknown.join("\n"));
    let strays = reasons.strays(&known);
    ensure!(strays.is_empty(), "reasons for what the standard doesn't have: {}", strays.join(" "));

    let report = report::write(&versions, &sections, &citations, &reasons);
    let path = root.join("docs/coverage.md");
    if check {
        let current = fs::read_to_string(&path).unwrap_or_default();
        ensure!(
            current == report.text,
            "docs/coverage.md is not current; run `cargo xtask coverage` and commit what it writes"
        );
    } else {
        fs::create_dir_all(root.join("docs"))?;
        fs::write(&path, &report.text)?;
    }
    println!("{}", report.summary);
    ensure!(report.shortfalls.is_empty(), "{}", report.shortfalls.join("\n"));
    Ok(())
}
