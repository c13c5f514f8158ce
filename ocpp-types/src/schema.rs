//! What the schemas say, as data: for findings, forms and tests.
//!
//! Every generated type has its schema as a constant; the decoder makes the same checks from the same source, so that this
//! table is only walked when something is off.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::finding::{Finding, FindingKind};
use crate::number::decimal_from_json;
use crate::text::is_uri;
use crate::time::DateTime;
use crate::version::Version;

/// An object: its members, in the order of the schema.
#[derive(Debug, PartialEq)]
pub struct ObjectSchema {
    /// The standard's name of the type or message.
    pub name: &'static str,
    /// The members.
    pub members: &'static [Member],
    /// Whether members that are not listed are allowed, as in `CustomDataType`.
    pub open: bool,
}

/// A member of an object.
#[derive(Debug, PartialEq)]
pub struct Member {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it may hold.
    pub kind: Kind,
}

/// An enumeration.
#[derive(Debug, PartialEq)]
pub struct EnumSchema {
    /// The standard's name of the type.
    pub name: &'static str,
    /// Its values on the wire.
    pub values: &'static [&'static str],
}

/// What a member may hold.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A string.
    Text {
        /// The greatest number of characters.
        maximum: Option<usize>,
    },
    /// A string that is a URI of RFC 3986.
    Uri,
    /// A string that is a date and time of RFC 3339.
    DateTime,
    /// A number without a fraction.
    Integer {
        /// The least value.
        minimum: Option<i64>,
        /// The greatest value.
        maximum: Option<i64>,
    },
    /// A number.
    Number {
        /// The least value.
        minimum: Option<i64>,
        /// The greatest value.
        maximum: Option<i64>,
        /// The greatest number of decimal places.
        decimal_places: Option<u32>,
    },
    /// `true` or `false`.
    Boolean,
    /// A value of an enumeration.
    Enum(&'static EnumSchema),
    /// An object.
    Object(&'static ObjectSchema),
    /// A list.
    List {
        /// What its items may hold.
        item: &'static Kind,
        /// The least number of items.
        minimum: usize,
        /// The greatest number of items.
        maximum: Option<usize>,
    },
    /// Any JSON value.
    Any,
}

impl Kind {
    /// What the value should have been, for people.
    fn expected(&self) -> &'static str {
        match self {
            Self::Text { .. } => "a string",
            Self::Uri => "a string with a URI",
            Self::DateTime => "a string with a date and time",
            Self::Integer { .. } => "an integer",
            Self::Number { .. } => "a number",
            Self::Boolean => "true or false",
            Self::Enum(_) => "a string of an enumeration",
            Self::Object(_) => "an object",
            Self::List { .. } => "a list",
            Self::Any => "a value",
        }
    }
}

/// The entries of an object as raw text.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key()? {
            entries.push((name, map.next_value()?));
        }
        Ok(entries)
    }
}

/// The items of a list as raw text.
struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(list)
    }
}

/// Walks a JSON text along a schema and says where it departs from it.
pub(crate) struct Walk {
    version: Version,
    path: String,
    findings: Vec<Finding>,
}

impl Walk {
    /// All departures of a text from an object's schema.
    pub(crate) fn findings(text: &str, schema: &ObjectSchema, version: Version) -> Vec<Finding> {
        let mut walk = Self { version, path: String::new(), findings: Vec::new() };
        if text.trim_start().starts_with('{') {
            walk.object(text, schema);
        } else {
            walk.find(FindingKind::NotAnObject, "a payload is an object, if an empty one".to_string());
        }
        walk.findings
    }

    fn find(&mut self, kind: FindingKind, message: String) {
        self.findings.push(Finding { path: self.path.clone(), kind, message });
    }

    /// Visits a part, with its name or index at the end of the path.
    fn within(&mut self, segment: &str, visit: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('/');
        // RFC 6901
        self.path.push_str(&segment.replace('~', "~0").replace('/', "~1"));
        visit(self);
        self.path.truncate(length);
    }

    fn object(&mut self, text: &str, schema: &ObjectSchema) {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let entries = match deserializer.deserialize_map(Entries) {
            Ok(entries) => entries,
            Err(error) => return self.find(FindingKind::Unreadable, format!("the object cannot be read: {error}")),
        };
        for (index, (name, value)) in entries.iter().enumerate() {
            let repeated = entries.iter().take(index).any(|(earlier, _)| earlier == name);
            let member = schema.members.iter().find(|member| member.name == name);
            self.within(name, |walk| match member {
                _ if repeated => walk.find(FindingKind::Repeated, "the member occurs more than once".to_string()),
                Some(member) => walk.value(value.get(), &member.kind),
                None if schema.open => {}
                None => walk.find(FindingKind::ExtraMember, format!("{} has no such member", schema.name)),
            });
        }
        for member in schema.members.iter().filter(|member| member.required) {
            if !entries.iter().any(|(name, _)| name == member.name) {
                self.within(member.name, |walk| {
                    walk.find(FindingKind::Missing, format!("{} requires this member", schema.name));
                });
            }
        }
    }

    fn value(&mut self, text: &str, kind: &Kind) {
        let first = text.bytes().next().unwrap_or_default();
        let fits = match kind {
            Kind::Text { .. } | Kind::Uri | Kind::DateTime | Kind::Enum(_) => first == b'"',
            Kind::Integer { .. } | Kind::Number { .. } => first == b'-' || first.is_ascii_digit(),
            Kind::Boolean => first == b't' || first == b'f',
            Kind::Object(_) => first == b'{',
            Kind::List { .. } => first == b'[',
            Kind::Any => true,
        };
        if !fits {
            let found = match first {
                b'"' => "a string",
                b't' | b'f' => "a boolean",
                b'n' => "null; an empty member is left out",
                b'{' => "an object",
                b'[' => "a list",
                _ => "a number",
            };
            return self.find(FindingKind::WrongType, format!("expected {}, found {found}", kind.expected()));
        }
        match kind {
            Kind::Text { .. } | Kind::Uri | Kind::DateTime | Kind::Enum(_) => self.string(text, kind),
            Kind::Integer { minimum, maximum } => self.integer(text, *minimum, *maximum),
            Kind::Number { minimum, maximum, decimal_places } => {
                self.number(text, *minimum, *maximum, *decimal_places);
            }
            Kind::Object(schema) => self.object(text, schema),
            Kind::List { item, minimum, maximum } => self.list(text, item, *minimum, *maximum),
            Kind::Boolean | Kind::Any => {}
        }
    }

    fn string(&mut self, text: &str, kind: &Kind) {
        let text: String = match serde_json::from_str(text) {
            Ok(text) => text,
            // For example half of a surrogate pair, which is JSON by its grammar but no text.
            Err(error) => return self.find(FindingKind::Unreadable, format!("the string cannot be read: {error}")),
        };
        match kind {
            Kind::Text { maximum: Some(maximum) } if text.chars().count() > *maximum => self.find(
                FindingKind::TooLong,
                format!("{} characters, where {maximum} are allowed", text.chars().count()),
            ),
            Kind::Uri if !is_uri(&text) => self.find(FindingKind::BadFormat, "not a URI of RFC 3986".to_string()),
            Kind::DateTime => match DateTime::parse(&text) {
                Err(error) => self.find(FindingKind::BadFormat, error.to_string()),
                Ok(time) if !time.is_exact() => {
                    self.find(
                        FindingKind::BadFormat,
                        format!("understood as {:?}, but not RFC 3339", time.timestamp()),
                    );
                }
                Ok(_) => {}
            },
            Kind::Enum(schema) if !schema.values.contains(&&*text) => {
                self.find(FindingKind::UnlistedValue, format!("{} has no such value", schema.name));
            }
            _ => {}
        }
    }

    fn integer(&mut self, text: &str, minimum: Option<i64>, maximum: Option<i64>) {
        let written_with_fraction = text.contains(['.', 'e', 'E']);
        let Some(value) = decimal_from_json(text) else {
            return self.find(FindingKind::OutOfRange, "greater than any number that can be computed with".to_string());
        };
        // JSON Schema draft 4 takes 1.0 for no integer; draft 6, which 2.x uses, takes it for one.
        if !value.fract().is_zero() || (written_with_fraction && self.version == Version::V1_6) {
            return self.find(FindingKind::WrongType, "expected an integer, found a fraction".to_string());
        }
        let Ok(value) = i64::try_from(value.trunc().normalize()) else {
            return self.find(FindingKind::OutOfRange, "greater than an integer of 64 bits".to_string());
        };
        self.range(value < minimum.unwrap_or(value), value > maximum.unwrap_or(value), minimum, maximum);
    }

    fn number(&mut self, text: &str, minimum: Option<i64>, maximum: Option<i64>, decimal_places: Option<u32>) {
        let Some(value) = decimal_from_json(text) else {
            return self.find(FindingKind::OutOfRange, "more than the 28 digits that can be computed with".to_string());
        };
        let below = minimum.is_some_and(|minimum| value < minimum.into());
        let above = maximum.is_some_and(|maximum| value > maximum.into());
        self.range(below, above, minimum, maximum);
        if let Some(places) = decimal_places
            && value.normalize().scale() > places
        {
            self.find(FindingKind::OutOfRange, format!("more than {places} decimal places"));
        }
    }

    fn range(&mut self, below: bool, above: bool, minimum: Option<i64>, maximum: Option<i64>) {
        if let (true, Some(minimum)) = (below, minimum) {
            self.find(FindingKind::OutOfRange, format!("less than {minimum}"));
        }
        if let (true, Some(maximum)) = (above, maximum) {
            self.find(FindingKind::OutOfRange, format!("greater than {maximum}"));
        }
    }

    fn list(&mut self, text: &str, item: &Kind, minimum: usize, maximum: Option<usize>) {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let items = match deserializer.deserialize_seq(Items) {
            Ok(items) => items,
            Err(error) => return self.find(FindingKind::Unreadable, format!("the list cannot be read: {error}")),
        };
        if items.len() < minimum {
            self.find(
                FindingKind::TooFewItems,
                format!("{} items, where at least {minimum} are required", items.len()),
            );
        }
        if let Some(maximum) = maximum
            && items.len() > maximum
        {
            self.find(FindingKind::TooManyItems, format!("{} items, where {maximum} are allowed", items.len()));
        }
        for (index, value) in items.iter().enumerate() {
            self.within(&index.to_string(), |walk| walk.value(value.get(), item));
        }
    }
}
