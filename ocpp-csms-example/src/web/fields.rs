//! The fields of a form: what was typed is kept, and each error stands next to its field.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// What was typed into a form, and what is wrong with it. A name that comes several times has its values in lines.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    values: BTreeMap<String, String>,
    errors: BTreeMap<&'static str, String>,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Vec::<(String, String)>::deserialize(deserializer)?;
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in pairs {
            values
                .entry(name)
                .and_modify(|known| {
                    known.push('\n');
                    known.push_str(&value);
                })
                .or_insert(value);
        }
        Ok(Self { values, errors: BTreeMap::new() })
    }
}

impl Fields {
    /// Presets a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }

    /// What is in a field, without blanks around it; empty when the field is missing.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", |value| value.trim())
    }

    /// What is in a field, if anything.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Whether a box is ticked.
    #[must_use]
    pub fn ticked(&self, name: &str) -> bool {
        matches!(self.get(name), "on" | "true" | "1")
    }

    /// Whether a choice is the one that was made.
    #[must_use]
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    /// What is in a field, in its type; `None`, with the error noted, where it is something else or nothing.
    pub fn parsed<T: FromStr>(&mut self, name: &'static str, error: &str) -> Option<T> {
        let value = self.get(name).parse().ok();
        if value.is_none() {
            self.fail(name, error);
        }
        value
    }

    /// The same for a field that may be empty.
    pub fn optional<T: FromStr>(&mut self, name: &'static str, error: &str) -> Option<T> {
        self.filled(name)?;
        self.parsed(name, error)
    }

    /// A text that has to be there, of at most `longest` characters.
    pub fn text(&mut self, name: &'static str, longest: usize, error: &str) -> String {
        let value = self.get(name).to_owned();
        if value.is_empty() || value.chars().count() > longest {
            self.fail(name, error);
        }
        value
    }

    /// Notes what is wrong with a field.
    pub fn fail(&mut self, name: &'static str, error: impl Into<String>) {
        self.errors.entry(name).or_insert_with(|| error.into());
    }

    /// What is wrong with a field.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.get(name).map(String::as_str)
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn fine(&self) -> bool {
        self.errors.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_stands_beside_what_was_typed() {
        let mut fields = Fields::default().with("limit", " many ").with("name", "Depot");
        assert_eq!(fields.parsed::<u32>("limit", "a whole number"), None);
        assert_eq!(fields.text("name", 10, "a name"), "Depot");
        assert_eq!(fields.optional::<u32>("other", "a number"), None);
        assert_eq!((fields.get("limit"), fields.error("limit")), ("many", Some("a whole number")));
        assert_eq!((fields.error("name"), fields.error("other"), fields.fine()), (None, None, false));
    }
}
