//! Documentation of the generated types: what the schema says, and what it means in words of our own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::model::{Api, Member, Shape, TypeDefinition};
use crate::standard::Version;

/// Meanings and units, by type and member. `_` is the type itself.
pub(super) struct Overlay {
    v1_6: Texts,
    v2: Texts,
}

type Texts = BTreeMap<String, BTreeMap<String, String>>;

/// How wide a line of documentation may be, without its indentation.
const WIDTH: usize = 112;

impl Overlay {
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let texts = |name: &str| -> anyhow::Result<Texts> {
            let path = folder.join(name);
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            toml::from_str(&text).with_context(|| format!("{} is not what is expected", path.display()))
        };
        let mut v2 = texts("v2_types.toml")?;
        for (name, members) in texts("v2_messages.toml")? {
            if v2.insert(name.clone(), members).is_some() {
                bail!("{name} is documented in v2_types.toml and in v2_messages.toml");
            }
        }
        Ok(Self { v1_6: texts("v1_6.toml")?, v2 })
    }

    fn texts(&self, version: Version) -> &Texts {
        match version {
            Version::V1_6 => &self.v1_6,
            Version::V2_0_1 | Version::V2_1 => &self.v2,
        }
    }

    fn text(&self, version: Version, name: &str, member: &str) -> Option<&str> {
        self.texts(version).get(name)?.get(member).map(String::as_str)
    }

    /// Refuses texts about what no version has.
    pub(super) fn check(&self, apis: &[Api]) -> anyhow::Result<()> {
        for (texts, versions) in [(&self.v1_6, &[Version::V1_6][..]), (&self.v2, &[Version::V2_0_1, Version::V2_1][..])]
        {
            let mut known = BTreeMap::new();
            for api in apis.iter().filter(|api| versions.contains(&api.version)) {
                collect(api, &mut known);
            }
            for (name, members) in texts {
                let Some(known) = known.get(name.as_str()) else {
                    bail!("the overlay documents {name}, which is no type")
                };
                if let Some(member) = members.keys().find(|member| *member != "_" && !known.contains(member.as_str())) {
                    bail!("the overlay documents {name}.{member}, which does not exist");
                }
            }
        }
        Ok(())
    }

    /// The documentation of a type or message.
    pub(super) fn of_type(&self, api: &Api, name: &str, source: &str) -> String {
        let mut text = match self.text(api.version, name, "_") {
            Some(meaning) => format!("{meaning}\n\n"),
            None => format!("`{name}`.\n\n"),
        };
        let _ = write!(text, "Source: {}, {source}.", api.version.edition());
        comment(&text, "")
    }

    /// The documentation of a member.
    pub(super) fn of_member(&self, version: Version, name: &str, member: &Member) -> String {
        let mut text = String::new();
        if let Some(meaning) = self.text(version, name, &member.name) {
            let _ = write!(text, "{meaning}\n\n");
        } else if member.name == "customData" {
            text.push_str("Members of the vendor's own.\n\n");
        }
        let _ = write!(text, "`{}`: {}", member.name, constraint(&member.shape));
        if let Some(default) = &member.default {
            let _ = write!(text, "; `{default}` where it is absent");
        }
        text.push('.');
        comment(&text, "    ")
    }

    /// The documentation of a value.
    pub(super) fn of_value(&self, version: Version, name: &str, value: &str) -> String {
        let text = match self.text(version, name, value) {
            Some(meaning) => format!("`{value}`: {meaning}"),
            None => format!("`{value}`"),
        };
        comment(&text, "        ")
    }
}

fn collect<'a>(api: &'a Api, known: &mut BTreeMap<&'a str, BTreeSet<&'a str>>) {
    for action in &api.actions {
        for object in [Some(&action.request), action.response.as_ref()].into_iter().flatten() {
            known.entry(&object.name).or_default().extend(object.members.iter().map(|member| member.name.as_str()));
        }
    }
    for (name, definition) in &api.types {
        let parts = known.entry(name).or_default();
        match definition {
            TypeDefinition::Object(object) => parts.extend(object.members.iter().map(|member| member.name.as_str())),
            TypeDefinition::Enumeration(enumeration) => parts.extend(enumeration.values.iter().map(String::as_str)),
        }
    }
}

/// What a shape allows, in words.
fn constraint(shape: &Shape) -> String {
    match shape {
        Shape::Text { maximum: Some(maximum) } => format!("text of at most {maximum} characters"),
        Shape::Text { maximum: None } => "text".to_owned(),
        Shape::Uri => "a URI".to_owned(),
        Shape::DateTime => "a date and time".to_owned(),
        Shape::Integer { minimum, maximum } => format!("an integer{}", range(*minimum, *maximum)),
        Shape::Number { minimum, maximum, decimal_places } => {
            let places = match decimal_places {
                Some(1) => " with at most one decimal place",
                _ => "",
            };
            format!("a number{}{places}", range(*minimum, *maximum))
        }
        Shape::Boolean => "a boolean".to_owned(),
        Shape::Enumeration(name) | Shape::Object(name) => format!("[`{name}`]"),
        Shape::List { item, minimum, maximum } => {
            let items = match (minimum, maximum) {
                (0, None) => "a list".to_owned(),
                (minimum, None) => format!("a list of {minimum} or more items"),
                (minimum, Some(maximum)) if minimum == maximum => format!("a list of {minimum} items"),
                (minimum, Some(maximum)) => format!("a list of {minimum} to {maximum} items"),
            };
            format!("{items}, each {}", constraint(item))
        }
        Shape::Any => "any JSON".to_owned(),
    }
}

fn range(minimum: Option<i64>, maximum: Option<i64>) -> String {
    match (minimum, maximum) {
        (Some(minimum), Some(maximum)) => format!(" from {minimum} to {maximum}"),
        (Some(minimum), None) => format!(" of at least {minimum}"),
        (None, Some(maximum)) => format!(" of at most {maximum}"),
        (None, None) => String::new(),
    }
}

/// Documentation lines, wrapped.
fn comment(text: &str, indent: &str) -> String {
    let mut result = String::new();
    for (index, paragraph) in text.split("\n\n").enumerate() {
        if index > 0 {
            let _ = writeln!(result, "{indent}///");
        }
        let mut line = String::new();
        for word in escape(paragraph).split_whitespace() {
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH - indent.len() {
                let _ = writeln!(result, "{indent}/// {line}");
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        let _ = writeln!(result, "{indent}/// {line}");
    }
    result
}

/// Keeps what rustdoc would take for markup from being taken for it. Links that this file writes are code in brackets.
fn escape(text: &str) -> String {
    let mut result = String::new();
    let mut code = false;
    let mut characters = text.chars().peekable();
    let mut previous = ' ';
    while let Some(character) = characters.next() {
        match character {
            '`' => code = !code,
            '[' if !code && characters.peek() != Some(&'`') => result.push('\\'),
            ']' if !code && previous != '`' => result.push('\\'),
            '<' | '>' | '*' | '_' if !code => result.push('\\'),
            _ => {}
        }
        result.push(character);
        previous = character;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_outside_of_code() {
        assert_eq!(escape("a [b] <c> `[d] <e>`"), "a \\[b\\] \\<c\\> `[d] <e>`");
        assert_eq!(escape("[`Type`]"), "[`Type`]");
    }
}
