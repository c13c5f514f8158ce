//! One form for all families of schemas, without the standard's prose.

use anyhow::bail;
use serde_json::{Map, Value, json};

/// The keywords that are kept, in the order they are written. Everything else is prose, a hint for other generators, or a
/// keyword without effect where it stands, and is dropped if it is listed here and refused if it is not.
const KEPT: [&str; 15] = [
    "$ref",
    "type",
    "format",
    "enum",
    "maxLength",
    "minimum",
    "maximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "items",
    "additionalProperties",
    "properties",
    "required",
    "default",
];
const DROPPED: [&str; 8] = ["$schema", "$id", "id", "title", "description", "comment", "javaType", "additionalItems"];

/// A message's schema: draft 6 for all, with the definitions first.
pub(super) fn schema(source: &Value, name: &str) -> anyhow::Result<Value> {
    let Value::Object(members) = source else { bail!("the schema of {name} is not an object") };
    let mut result = Map::new();
    // 1.6 is draft 4, which differs from draft 6 in nothing that these files use but the spelling of `id` and one rule,
    // that 1.0 is no integer, for which the draft is kept.
    let draft = members.get("$schema").cloned().unwrap_or(json!("http://json-schema.org/draft-06/schema#"));
    let id = if draft.as_str().is_some_and(|draft| draft.contains("draft-04")) { "id" } else { "$id" };
    result.insert("$schema".to_owned(), draft);
    result.insert(id.to_owned(), json!(name));
    if let Some(Value::Object(definitions)) = members.get("definitions") {
        let mut sorted: Vec<_> = definitions.iter().collect();
        sorted.sort_by_key(|(name, _)| *name);
        let definitions = sorted.into_iter().map(|(name, part)| Ok((name.clone(), self::part(part, name)?)));
        result.insert("definitions".to_owned(), Value::Object(definitions.collect::<anyhow::Result<_>>()?));
    }
    let mut body = members.clone();
    body.remove("definitions");
    if let Value::Object(body) = part(&Value::Object(body), name)? {
        result.extend(body);
    }
    Ok(Value::Object(result))
}

fn part(source: &Value, place: &str) -> anyhow::Result<Value> {
    let Value::Object(members) = source else { bail!("{place} is not an object") };
    if let Some(unknown) = members.keys().find(|key| !KEPT.contains(&key.as_str()) && !DROPPED.contains(&key.as_str()))
    {
        bail!("{place} has the keyword {unknown}, which this tool doesn't know");
    }
    let is_object = members.get("type").and_then(Value::as_str) == Some("object");
    let mut result = Map::new();
    for keyword in KEPT {
        let Some(value) = members.get(keyword) else { continue };
        let value = match keyword {
            // Stands on many enumerations, where it means nothing.
            "additionalProperties" if !is_object => continue,
            "items" => part(value, place)?,
            "properties" => {
                let Value::Object(properties) = value else { bail!("the properties of {place} are not an object") };
                let properties =
                    properties.iter().map(|(name, value)| Ok((name.clone(), part(value, &format!("{place}.{name}"))?)));
                Value::Object(properties.collect::<anyhow::Result<_>>()?)
            }
            "minimum" | "maximum" => whole(value, place)?,
            _ => value.clone(),
        };
        result.insert(keyword.to_owned(), value);
    }
    Ok(Value::Object(result))
}

/// Limits are whole numbers that some files write as `0.0`.
fn whole(value: &Value, place: &str) -> anyhow::Result<Value> {
    match value.as_f64() {
        #[allow(clippy::cast_possible_truncation)] // limits are small
        Some(number) if number.fract() == 0.0 => Ok(json!(number as i64)),
        _ => bail!("a limit of {place} is not a whole number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_dropped_and_properties_named_like_keywords_are_kept() {
        let source = json!({
            "$schema": "http://json-schema.org/draft-06/schema#",
            "$id": "urn:x",
            "description": "prose",
            "type": "object",
            "properties": { "description": { "description": "prose", "type": "string", "maxLength": 5 } },
            "additionalProperties": false,
        });
        let expected = json!({
            "$schema": "http://json-schema.org/draft-06/schema#",
            "$id": "XRequest",
            "type": "object",
            "additionalProperties": false,
            "properties": { "description": { "type": "string", "maxLength": 5 } },
        });
        assert_eq!(schema(&source, "XRequest").unwrap(), expected);
    }

    #[test]
    fn an_unknown_keyword_is_refused_rather_than_lost() {
        let source = json!({ "type": "object", "pattern": "x" });
        assert!(schema(&source, "XRequest").unwrap_err().to_string().contains("pattern"));
    }
}
