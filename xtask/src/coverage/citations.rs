//! Where code and tests cite the standard.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context;

use super::document::Document;

/// What may cite a rule.
const SOURCES: [&str; 4] = ["ocpp-types", "ocpp-core", "ocpp-cp-example", "ocpp-csms-example"];

/// How a citation begins, the longer ones first. Without any of them an identifier is one of 2.x.
const MARKS: [(&str, Document); 8] = [
    ("OCPP-J 1.6 errata", Document::JErrata),
    ("errata to OCPP-J 1.6", Document::JErrata),
    ("1.6-J errata", Document::JErrata),
    ("OCPP-J 1.6", Document::J),
    ("1.6-J", Document::J),
    ("1.6 security", Document::Security),
    ("1.6 edition 2", Document::Edition2),
    ("1.6 errata", Document::Errata),
];

/// What stands between two numbers of one citation, and whether all that is between the numbers is cited too.
const SEPARATORS: [(&str, bool); 6] =
    [(" to ", true), ("/", false), (", with ", false), (", ", false), (" and ", false), (" with ", false)];

/// Where a rule is cited: files, relative to the repository.
#[derive(Default)]
pub(super) struct Places {
    pub(super) code: BTreeSet<String>,
    pub(super) tests: BTreeSet<String>,
}

/// All citations.
#[derive(Default)]
pub(super) struct Citations(BTreeMap<(Document, String), Places>);

impl Citations {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut citations = Self::default();
        for source in SOURCES {
            citations.folder(root, &root.join(source))?;
        }
        Ok(citations)
    }

    pub(super) fn of(&self, document: Document, id: &str) -> Option<&Places> {
        self.0.get(&(document, id.to_owned()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Document, &str, &Places)> {
        self.0.iter().map(|((document, id), places)| (*document, id.as_str(), places))
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
            for citation in cited(line) {
                let places = self.0.entry(citation).or_default();
                let files = if in_tests { &mut places.tests } else { &mut places.code };
                files.insert(name.to_owned());
            }
        }
    }
}

/// All citations of a line.
fn cited(line: &str) -> Vec<(Document, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let mark = MARKS.iter().find_map(|(mark, document)| Some((*document, rest.strip_prefix(mark)?)));
        let taken = if let Some((document, after)) = mark {
            let list = after.strip_prefix(',').unwrap_or(after).trim_start();
            rest.len() - numbers(list, document, &mut found).len()
        } else if line[..at].ends_with(|character: char| character.is_ascii_alphanumeric()) {
            1
        } else {
            (rest.len() - numbers(rest, Document::V2, &mut found).len()).max(1)
        };
        at += taken;
        while !line.is_char_boundary(at) {
            at += 1;
        }
    }
    found
}

/// Reads a list such as `4.7 to 4.10, errata 3.34` or `A01.FR.02/05`, and returns what follows it.
fn numbers<'a>(list: &'a str, document: Document, found: &mut Vec<(Document, String)>) -> &'a str {
    let mut document = document;
    let mut rest = list;
    let mut next = list;
    let mut last: Option<Number> = None;
    let mut is_range = false;
    loop {
        if document == Document::Edition2
            && let Some(after) = next.strip_prefix("errata ")
        {
            (document, next, last, is_range) = (Document::Errata, after, None, false);
        }
        // The next citation may begin with a number, too.
        if MARKS.iter().any(|(mark, _)| next.starts_with(mark)) {
            return rest;
        }
        let Some((number, after)) = Number::read(next, document, last.as_ref()) else { return rest };
        let first = if is_range { last.map_or(number.value, |last| last.value + 1) } else { number.value };
        found.extend((first..=number.value).map(|value| (document, number.with(value))));
        last = Some(number);
        rest = after;
        let Some((range, after)) =
            SEPARATORS.into_iter().find_map(|(separator, range)| Some((range, rest.strip_prefix(separator)?)))
        else {
            return rest;
        };
        (is_range, next) = (range, after);
    }
}

/// A section or a requirement: `4.10` is `4.` and 10, `A01.FR.02` is `A01.FR.` and 2 with two digits.
struct Number {
    stem: String,
    value: u32,
    digits: usize,
}

impl Number {
    fn with(&self, value: u32) -> String {
        format!("{}{value:0digits$}", self.stem, digits = self.digits)
    }

    /// Reads one, in which `02` alone goes on from a requirement before it.
    fn read<'a>(text: &'a str, document: Document, last: Option<&Self>) -> Option<(Self, &'a str)> {
        if matches!(document, Document::V2 | Document::Security) {
            let stem = text.get(..7).filter(|stem| is_use_case(stem)).or_else(|| {
                // A list goes on with numbers alone.
                last.map(|last| last.stem.as_str()).filter(|stem| is_use_case(stem))
            });
            let text = text.get(..7).filter(|stem| is_use_case(stem)).map_or(text, |stem| &text[stem.len()..]);
            if let Some(stem) = stem {
                let digits = text.bytes().take_while(u8::is_ascii_digit).count();
                if (2..=3).contains(&digits) {
                    let (number, after) = text.split_at(digits);
                    return Some((Self { stem: stem.to_owned(), value: number.parse().ok()?, digits }, after));
                }
            }
            if document == Document::V2 {
                return None;
            }
        }
        let length = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let section = text[..length].trim_end_matches('.');
        // What goes on a list has a point; else it is a number of something else.
        if last.is_some() && !section.contains('.') {
            return None;
        }
        let stem = section.rfind('.').map_or("", |point| &section[..=point]);
        let value = section[stem.len()..].parse().ok()?;
        Some((Self { stem: stem.to_owned(), value, digits: 0 }, &text[section.len()..]))
    }
}

/// `A01.FR.`
fn is_use_case(stem: &str) -> bool {
    let bytes = stem.as_bytes();
    stem.len() == 7
        && stem.ends_with(".FR.")
        && bytes[0].is_ascii_uppercase()
        && bytes[1].is_ascii_digit()
        && bytes[2].is_ascii_digit()
}

/// Whether this is `A01.FR.02`, without anything before or after it.
pub(super) fn is_requirement(id: &str) -> bool {
    id.get(..7).is_some_and(is_use_case)
        && (2..=3).contains(&(id.len() - 7))
        && id[7..].bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(document: Document, line: &str) -> Vec<String> {
        cited(line).into_iter().filter(|(cited, _)| *cited == document).map(|(_, id)| id).collect()
    }

    #[test]
    fn single_listed_and_ranged_requirements_are_read() {
        assert_eq!(of(Document::V2, "// E06.FR.04"), ["E06.FR.04"]);
        assert_eq!(
            of(Document::V2, "(B01.FR.02/05, C09.FR.12 and A00.FR.204)"),
            ["B01.FR.02", "B01.FR.05", "C09.FR.12", "A00.FR.204"]
        );
        assert_eq!(of(Document::V2, "E13.FR.02 to 04; more"), ["E13.FR.02", "E13.FR.03", "E13.FR.04"]);
        assert_eq!(of(Document::V2, "E06.FR.01, 03, and that"), ["E06.FR.01", "E06.FR.03"]);
        assert!(cited("no.FR.1 and X.FR.01, 2.1 part 2, é").is_empty());
    }

    #[test]
    fn sections_of_1_6_are_read_by_their_document() {
        assert_eq!(
            of(Document::Edition2, "/// 1.6 edition 2, 4.7 to 4.10, 5.2. And"),
            ["4.7", "4.8", "4.9", "4.10", "5.2"]
        );
        assert_eq!(of(Document::Errata, "1.6 edition 2, 7.12, 7.14, errata 3.34"), ["3.34"]);
        assert_eq!(of(Document::Errata, "1.6 errata 3.25, 3.26; 20"), ["3.25", "3.26"]);
        assert_eq!(of(Document::J, "OCPP-J 1.6, 4.2.3 (1.6-J, 6)"), ["4.2.3", "6"]);
        assert_eq!(of(Document::JErrata, "OCPP-J 1.6 errata, 3.4: again"), ["3.4"]);
        assert_eq!(of(Document::Edition2, "1.6 edition 2, 9.1.19, 20 seconds"), ["9.1.19"]);
        let both = "1.6 edition 2, 5.7, 1.6 errata 3.30";
        assert_eq!(
            (of(Document::Edition2, both), of(Document::Errata, both)),
            (vec!["5.7".into()], vec!["3.30".into()])
        );
    }

    #[test]
    fn requirements_of_the_whitepaper_are_not_those_of_2() {
        let line = "// 1.6 security, L01.FR.03/04 and 7.2; L01.FR.05";
        assert_eq!(of(Document::Security, line), ["L01.FR.03", "L01.FR.04", "7.2"]);
        assert_eq!(of(Document::V2, line), ["L01.FR.05"]);
    }

    #[test]
    fn what_stands_below_the_mark_of_unit_tests_proves() {
        let mut citations = Citations::default();
        citations.file("a.rs", "// A01.FR.01\n#[cfg(test)]\nmod tests {\n// A01.FR.02\n}");
        let places = |id| citations.of(Document::V2, id).unwrap();
        assert!(places("A01.FR.01").tests.is_empty() && !places("A01.FR.02").tests.is_empty());
    }
}
