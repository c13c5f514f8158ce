//! The texts of the pages, from `locales/{language}/{area}.toml`.
//!
//! A text is asked for as `area.key`. What a text has in braces, such as `{count}`, is filled in.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::Language;

type Texts = HashMap<String, String>;

macro_rules! areas {
    ($($area:literal),*) => {
        const SOURCES: &[(&str, [&str; 5])] = &[$(($area, [
            include_str!(concat!("../../locales/en/", $area, ".toml")),
            include_str!(concat!("../../locales/ha/", $area, ".toml")),
            include_str!(concat!("../../locales/rw/", $area, ".toml")),
            include_str!(concat!("../../locales/pa/", $area, ".toml")),
            include_str!(concat!("../../locales/eu/", $area, ".toml")),
        ])),*];
    };
}

areas!(
    "frame",
    "stations",
    "people",
    "access",
    "money",
    "operation",
    "maintenance",
    "reports",
    "sites",
    "pay",
    "errors"
);

static CATALOGUE: LazyLock<[Texts; 5]> = LazyLock::new(|| {
    let mut catalogue: [Texts; 5] = Default::default();
    for (area, sources) in SOURCES {
        for (texts, source) in catalogue.iter_mut().zip(sources) {
            match toml::from_str::<Texts>(source) {
                Ok(part) => texts.extend(part.into_iter().map(|(key, text)| (format!("{area}.{key}"), text))),
                // The tests read every file; a program that was built without them still has its other pages.
                Err(error) => tracing::error!(area, %error, "texts of the pages are not understood"),
            }
        }
    }
    catalogue
});

/// A text in a language; in English where it is missing; the key itself where it does not exist.
#[must_use]
pub fn text(language: Language, key: &str) -> &str {
    let find = |language: Language| CATALOGUE.get(language.index()).and_then(|texts| texts.get(key));
    find(language).or_else(|| find(Language::English)).map_or(key, String::as_str)
}

/// Whether there is such a text.
#[must_use]
pub fn exists(key: &str) -> bool {
    CATALOGUE.first().is_some_and(|texts| texts.contains_key(key))
}

/// A text in which `{name}` is replaced by each value.
#[must_use]
pub fn filled<'a>(
    language: Language,
    key: &str,
    values: impl IntoIterator<Item = impl Borrow<(&'a str, String)>>,
) -> String {
    let mut result = text(language, key).to_owned();
    for value in values {
        let (name, value) = value.borrow();
        result = result.replace(&format!("{{{name}}}"), value);
    }
    result
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn keys(language: Language) -> BTreeSet<&'static str> {
        CATALOGUE[language.index()].keys().map(String::as_str).collect()
    }

    fn blanks(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    /// Every file whose texts may be asked for.
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "html") {
                found.push(path);
            }
        }
    }

    const KINDS_OF_EVENTS: [&str; 2] = ["operation.ended", "operation.progressed"];

    /// What is asked for: whole keys, and beginnings of keys whose end is decided at run time.
    fn asked() -> (BTreeSet<String>, BTreeSet<String>) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        sources(&root.join("src"), &mut files);
        sources(&root.join("templates"), &mut files);
        let (mut whole, mut beginnings) = (BTreeSet::new(), BTreeSet::new());
        for file in files {
            if file.ends_with("web/texts.rs") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            for (area, _) in SOURCES {
                for rest in text.split(&format!("\"{area}.")).skip(1) {
                    let end = rest.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_').unwrap();
                    let key = format!("{area}.{}", &rest[..end]);
                    // Names of templates and kinds of events look the same.
                    if key.ends_with(".html") || KINDS_OF_EVENTS.contains(&key.as_str()) {
                        continue;
                    }
                    match rest.as_bytes()[end] {
                        b'"' if key.ends_with('_') => drop(beginnings.insert(key)),
                        b'"' => drop(whole.insert(key)),
                        b'{' => drop(beginnings.insert(key)),
                        // A file name, or a table and its column.
                        _ => {}
                    }
                }
            }
        }
        (whole, beginnings)
    }

    #[test]
    fn every_file_is_understood() {
        for (area, sources) in SOURCES {
            for (source, language) in sources.iter().zip(Language::ALL) {
                let texts: Texts = toml::from_str(source)
                    .unwrap_or_else(|error| panic!("locales/{}/{area}.toml: {error}", language.code()));
                for (key, text) in texts {
                    assert!(!text.trim().is_empty(), "locales/{}/{area}.toml: {key} is empty", language.code());
                }
            }
        }
    }

    #[test]
    fn every_language_has_the_same_keys_with_the_same_blanks() {
        let english = keys(Language::English);
        for language in Language::ALL {
            let missing: Vec<_> = english.difference(&keys(language)).copied().collect();
            let too_many: Vec<_> = keys(language).difference(&english).copied().collect();
            assert!(missing.is_empty() && too_many.is_empty(), "{}: -{missing:?} +{too_many:?}", language.code());
            for key in &english {
                let (here, there) = (blanks(text(Language::English, key)), blanks(text(language, key)));
                assert_eq!(here, there, "{} {key}", language.code());
            }
        }
    }

    #[test]
    fn every_text_that_is_asked_for_exists_and_none_is_unused() {
        let (whole, beginnings) = asked();
        let english = keys(Language::English);
        let unknown: Vec<_> = whole.iter().filter(|key| !english.contains(key.as_str())).collect();
        assert!(unknown.is_empty(), "asked for, and not in locales: {unknown:?}");
        let unused: Vec<_> = english
            .iter()
            .filter(|key| !whole.contains(**key) && !beginnings.iter().any(|start| key.starts_with(start.as_str())))
            .collect();
        assert!(unused.is_empty(), "in locales, and asked for by no page: {unused:?}");
    }

    #[test]
    fn a_text_that_does_not_exist_shows_its_key() {
        assert_eq!(text(Language::Hausa, "frame.nothing_of_the_kind"), "frame.nothing_of_the_kind");
    }

    #[test]
    fn values_are_filled_in() {
        let values = [("page", "2".to_owned()), ("pages", "7".to_owned())];
        assert_eq!(filled(Language::English, "frame.page_of", values), "Page 2 of 7");
    }
}
