//! Whether two JSON texts say the same.

use std::fmt;

use ocpp_core::types::number::decimal_from_json;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The same values in the same places: members in any order, repeated ones included, numbers by value, everything else as
/// it is written.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    if one == other {
        // What was kept raw ends here, however deeply nested.
        return true;
    }
    match (one.as_bytes().first(), other.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => match (members(one), members(other)) {
            (Some(one), Some(other)) => is_same_members(&one, other),
            _ => false,
        },
        (Some(b'['), Some(b'[')) => match (items(one), items(other)) {
            (Some(one), Some(other)) => {
                one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| is_same(one.get(), other.get()))
            }
            _ => false,
        },
        (Some(b'"'), Some(b'"')) => match (text(one), text(other)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        },
        _ => match (decimal_from_json(one), decimal_from_json(other)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        },
    }
}

fn is_same_members(one: &[(String, &str)], mut other: Vec<(String, &str)>) -> bool {
    one.len() == other.len()
        && one.iter().all(|(name, value)| {
            let place = other.iter().position(|other| *name == other.0 && is_same(value, other.1));
            place.map(|place| other.swap_remove(place)).is_some()
        })
}

fn text(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

fn items(json: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json).ok()
}

fn members(json: &str) -> Option<Vec<(String, &str)>> {
    let Members(members) = serde_json::from_str(json).ok()?;
    Some(members)
}

struct Members<'a>(Vec<(String, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            members.push((name, map.next_value::<&RawValue>()?.get()));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_notation_do_not_matter_and_everything_else_does() {
        for (one, other) in [
            (r#"{"a":1,"b":"\u0041"}"#, r#"{ "b" : "A" , "a" : 1.0 }"#),
            ("[1e2]", "[100]"),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1.0}"#),
        ] {
            assert!(is_same(one, other), "{one} {other}");
        }
        for (one, other) in [
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":2}"#),
            ("[1,2]", "[2,1]"),
            ("\"1\"", "1"),
            ("1.01", "1.010000001"),
            ("true", "false"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }
}
