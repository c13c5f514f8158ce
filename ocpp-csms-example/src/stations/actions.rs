//! The calls of a version with the JSON Schema of their payloads, so that forms can be made of them.

use ocpp_core::types::schema::{Kind, ObjectSchema};
use ocpp_core::types::{Version, v1_6, v2_0_1, v2_1};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Objects are this deep at most; the standard's are half as deep.
const DEPTH: usize = 16;

/// A call that a CSMS may make.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Action {
    /// Its name.
    #[schema(example = "Reset")]
    pub action: &'static str,
    /// The JSON Schema (2020-12) of its payload.
    #[schema(value_type = Object)]
    pub schema: Value,
}

/// Finds the schema of an action.
type SchemaOf = fn(&str) -> Option<&'static ObjectSchema>;

/// The calls of a version, in alphabetical order.
#[must_use]
pub fn actions(version: Version) -> Vec<Action> {
    let (actions, schema): (&[&'static str], SchemaOf) = match version {
        Version::V1_6 => (v1_6::CsmsRequest::ACTIONS, v1_6::CsmsRequest::schema),
        Version::V2_0_1 => (v2_0_1::CsmsRequest::ACTIONS, v2_0_1::CsmsRequest::schema),
        _ => (v2_1::CsmsRequest::ACTIONS, v2_1::CsmsRequest::schema),
    };
    let described = actions.iter().filter_map(|action| Some((*action, schema(action)?)));
    described.map(|(action, schema)| Action { action, schema: object(schema, DEPTH) }).collect()
}

fn object(schema: &ObjectSchema, depth: usize) -> Value {
    let mut properties = Map::new();
    for member in schema.members.iter().filter(|_| depth > 0) {
        properties.insert(member.name.to_owned(), kind(&member.kind, depth - 1));
    }
    let required: Vec<&str> =
        schema.members.iter().filter(|member| member.required).map(|member| member.name).collect();
    json!({"title": schema.name, "type": "object", "properties": properties, "required": required,
        "additionalProperties": schema.open})
}

fn kind(kind: &Kind, depth: usize) -> Value {
    // Bounds that there are not are left out.
    let bounded = |mut schema: Value, bounds: &[(&str, Option<Value>)]| {
        if let Value::Object(schema) = &mut schema {
            let bounds = bounds.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
            schema.extend(bounds);
        }
        schema
    };
    match kind {
        Kind::Text { maximum } => bounded(json!({"type": "string"}), &[("maxLength", maximum.map(Value::from))]),
        Kind::Uri => json!({"type": "string", "format": "uri"}),
        Kind::DateTime => json!({"type": "string", "format": "date-time"}),
        Kind::Integer { minimum, maximum } => bounded(
            json!({"type": "integer"}),
            &[("minimum", minimum.map(Value::from)), ("maximum", maximum.map(Value::from))],
        ),
        Kind::Number { minimum, maximum, .. } => bounded(
            json!({"type": "number"}),
            &[("minimum", minimum.map(Value::from)), ("maximum", maximum.map(Value::from))],
        ),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Enum(schema) => json!({"type": "string", "title": schema.name, "enum": schema.values}),
        Kind::Object(schema) => object(schema, depth),
        Kind::List { item, minimum, maximum } => bounded(
            json!({"type": "array", "items": self::kind(item, depth), "minItems": minimum}),
            &[("maxItems", maximum.map(Value::from))],
        ),
        // Anything.
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_every_version_has_a_schema() {
        for (version, count) in [
            (Version::V1_6, v1_6::CsmsRequest::ACTIONS.len()),
            (Version::V2_0_1, v2_0_1::CsmsRequest::ACTIONS.len()),
            (Version::V2_1, v2_1::CsmsRequest::ACTIONS.len()),
        ] {
            let actions = actions(version);
            assert_eq!(actions.len(), count);
            assert!(actions.iter().all(|action| action.schema["type"] == "object"), "{version}");
            let text = serde_json::to_string(&actions).unwrap();
            assert!(text.len() < 4_000_000, "{version}: {} bytes", text.len());
        }
    }

    #[test]
    fn a_schema_says_what_a_form_needs() {
        let actions = actions(Version::V2_1);
        let reset = &actions.iter().find(|known| known.action == "Reset").unwrap().schema;
        assert_eq!(reset["required"], json!(["type"]));
        assert_eq!(reset["properties"]["type"]["enum"], json!(["Immediate", "OnIdle", "ImmediateAndResume"]));
        assert_eq!(reset["properties"]["evseId"], json!({"type": "integer", "minimum": 0}));
    }
}
