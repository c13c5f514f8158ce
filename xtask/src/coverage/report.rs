//! The tables of `docs/coverage.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::citations::{Citations, Places};
use super::document::Document;
use super::facts::{Reasons, Requirement, Section};

/// How many of the requirements that bind a CSMS have to be proven, or assigned to the application with a reason.
const CSMS_SHARE: usize = 95;

/// What was found.
pub(super) struct Report {
    /// The whole file.
    pub(super) text: String,
    /// A line for each table.
    pub(super) summary: String,
    /// Where less is proven than has to be.
    pub(super) shortfalls: Vec<String>,
}

const INTRODUCTION: &str = "# Requirements, code and tests

Written by `cargo xtask coverage`. A rule of the standard is listed with the files that cite it: \"implemented\" counts those cited
in code, \"proven\" those cited in code and in a test. What needs no code of its own has a reason instead, from
`xtask/requirements/reasons.csv`: it is the application's to decide, binds people rather than programs, or is shown elsewhere.
2.0.1 and 2.1 number alike, so that a citation counts for each of them that has the number.
";

pub(super) fn write(
    versions: &[(&str, Vec<Requirement>)],
    sections: &[Section],
    citations: &Citations,
    reasons: &Reasons,
) -> Report {
    let mut report = Report { text: INTRODUCTION.to_owned(), summary: String::new(), shortfalls: Vec::new() };
    write_csms(&mut report, versions, citations, reasons);
    write_sections(&mut report, sections, citations, reasons);
    for (name, requirements) in versions {
        write_version(&mut report, name, requirements, citations, reasons);
    }
    report
}

/// What a CSMS is bound to: as long as the standard's own names for who acts go.
fn write_csms(report: &mut Report, versions: &[(&str, Vec<Requirement>)], citations: &Citations, reasons: &Reasons) {
    report.text.push_str(
        "\n## What binds a CSMS\n\n\
         Requirements of 2.x whose actor is the CSMS, or both sides. Code counts where it is the CSMS's: `csms`, `rpc`, `transport`, \
         `pki` and the reference CSMS.\n\n\
         | version | requirements | proven | with a reason | open |\n|---|---|---|---|---|\n",
    );
    let mut open_ids = BTreeSet::new();
    for (name, requirements) in versions {
        let binding: Vec<&Requirement> =
            requirements.iter().filter(|requirement| matches!(&*requirement.actor, "csms" | "both")).collect();
        let is_proven = |requirement: &&&Requirement| {
            citations
                .of(Document::V2, &requirement.id)
                .is_some_and(|places| !places.tests.is_empty() && places.code.iter().any(|file| is_of_csms(file)))
        };
        let proven = binding.iter().filter(is_proven).count();
        let reasoned = binding
            .iter()
            .filter(|requirement| !is_proven(requirement) && reasons.of(Document::V2, &requirement.id).is_some())
            .count();
        let open = binding.len() - proven - reasoned;
        open_ids.extend(
            binding
                .iter()
                .filter(|requirement| !is_proven(requirement) && reasons.of(Document::V2, &requirement.id).is_none())
                .map(|requirement| requirement.id.clone()),
        );
        let row = format!("| {name} | {} | {proven} | {reasoned} | {open} |", binding.len());
        let _ = writeln!(report.text, "{row}");
        let _ = writeln!(report.summary, "CSMS {row}");
        if (proven + reasoned) * 100 < binding.len() * CSMS_SHARE {
            report
                .shortfalls
                .push(format!("{name}: less than {CSMS_SHARE} % of what binds a CSMS is proven or has a reason"));
        }
    }
    if !open_ids.is_empty() {
        let _ = writeln!(report.text, "\nOpen: {}", Vec::from_iter(open_ids).join(" "));
    }
}

fn is_of_csms(file: &str) -> bool {
    ["/csms", "/rpc/", "/transport/", "/pki/", "ocpp-csms-example/"].iter().any(|part| file.contains(part))
}

fn write_sections(report: &mut Report, sections: &[Section], citations: &Citations, reasons: &Reasons) {
    report.text.push_str(
        "\n## OCPP 1.6\n\n| document | parts | implemented | proven | with a reason | open |\n|---|---|---|---|---|---|\n",
    );
    let mut tables = String::new();
    let mut documents: BTreeMap<Document, Vec<&Section>> = BTreeMap::new();
    for section in sections {
        documents.entry(section.document).or_default().push(section);
    }
    for (document, sections) in &documents {
        let name = document.name();
        let _ = writeln!(tables, "\n### {name}\n\n| part | name | code | tests |\n|---|---|---|---|");
        let (mut implemented, mut proven, mut reasoned) = (0, 0, 0);
        let mut open = Vec::new();
        for section in sections {
            let places = citations.of(*document, &section.id);
            let has_code = places.is_some_and(|places| !places.code.is_empty());
            let has_test = places.is_some_and(|places| !places.tests.is_empty());
            // Where a part is wholly told by its own parts, those carry the citations.
            let parts = format!("{}.", section.id);
            let has_parts = sections.iter().any(|other| other.id.starts_with(&parts));
            let reason = reasons.of(*document, &section.id).or(has_parts.then_some("see its parts"));
            implemented += usize::from(has_code);
            let row = if has_code && has_test {
                proven += 1;
                places.map_or_else(String::new, columns)
            } else if let Some(reason) = reason {
                reasoned += 1;
                let cited = places.map_or_else(String::new, |places| format!(" {}", all(places)));
                format!("{reason}{cited} | ")
            } else {
                open.push(section.id.as_str());
                places.map_or_else(|| " | ".to_owned(), columns)
            };
            let _ = writeln!(tables, "| {} | {} | {row} |", section.id, section.name);
        }
        let counts = format!("{} | {implemented} | {proven} | {reasoned} | {}", sections.len(), open.len());
        let _ = writeln!(report.text, "| {name} | {counts} |");
        let _ = writeln!(report.summary, "| {name} | {counts} |");
        if !open.is_empty() {
            let _ = writeln!(tables, "\nOpen: {}", open.join(" "));
            report.shortfalls.push(format!("{name}: neither code with a test nor a reason: {}", open.join(" ")));
        }
    }
    report.text.push_str(&tables);
}

fn write_version(
    report: &mut Report,
    name: &str,
    requirements: &[Requirement],
    citations: &Citations,
    reasons: &Reasons,
) {
    let text = &mut report.text;
    let _ = writeln!(
        text,
        "\n## OCPP {name}\n\n| block | requirements | implemented | proven | with a reason |\n|---|---|---|---|---|"
    );
    let mut blocks: BTreeMap<&str, Vec<&Requirement>> = BTreeMap::new();
    for requirement in requirements {
        blocks.entry(&requirement.id[..1]).or_default().push(requirement);
    }
    let everything: Vec<&Requirement> = requirements.iter().collect();
    let mut row = |block: &str, requirements: &[&Requirement]| {
        let (mut code, mut proven, mut reasoned) = (0, 0, 0);
        for requirement in requirements {
            let places = citations.of(Document::V2, &requirement.id);
            let has_code = places.is_some_and(|places| !places.code.is_empty());
            let is_proven = has_code && places.is_some_and(|places| !places.tests.is_empty());
            code += usize::from(has_code);
            proven += usize::from(is_proven);
            reasoned += usize::from(!is_proven && reasons.of(Document::V2, &requirement.id).is_some());
        }
        let row = format!("| {block} | {} | {code} | {proven} | {reasoned} |", requirements.len());
        let _ = writeln!(text, "{row}");
        row
    };
    for (block, requirements) in &blocks {
        row(block, requirements);
    }
    let total = row("**all**", &everything);
    let _ = writeln!(report.summary, "{name} {total}");
    let _ = writeln!(text, "\n| requirement | actor | code | tests |\n|---|---|---|---|");
    for requirement in requirements {
        let places = citations.of(Document::V2, &requirement.id);
        let reason = reasons.of(Document::V2, &requirement.id);
        let columns = match (places, reason) {
            (Some(places), Some(reason)) if places.code.is_empty() || places.tests.is_empty() => {
                format!("{reason} {} | ", all(places))
            }
            (Some(places), _) => columns(places),
            (None, Some(reason)) => format!("{reason} | "),
            (None, None) => continue,
        };
        let _ = writeln!(text, "| {} | {} | {columns} |", requirement.id, requirement.actor);
    }
    let _ = writeln!(text, "\nNot cited yet:\n");
    for (block, requirements) in &blocks {
        let is_open = |id: &str| citations.of(Document::V2, id).is_none() && reasons.of(Document::V2, id).is_none();
        let open: Vec<&str> =
            requirements.iter().map(|requirement| requirement.id.as_str()).filter(|id| is_open(id)).collect();
        if !open.is_empty() {
            let _ = writeln!(text, "- {block} ({}): {}", open.len(), open.join(" "));
        }
    }
}

fn columns(places: &Places) -> String {
    format!("{} | {}", join(places.code.iter()), join(places.tests.iter()))
}

/// All files that cite something.
pub(super) fn all(places: &Places) -> String {
    join(places.code.union(&places.tests))
}

fn join<'a>(files: impl Iterator<Item = &'a String>) -> String {
    files.map(|file| format!("`{file}`")).collect::<Vec<_>>().join(" ")
}
