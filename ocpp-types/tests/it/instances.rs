//! Instances of a schema: the least, the greatest, and any.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::schemas::SchemaFile;

fn text<'a>(schema: &'a Value, keyword: &str) -> Option<&'a str> {
    schema.get(keyword).and_then(Value::as_str)
}

fn count(schema: &Value, keyword: &str) -> Option<usize> {
    schema.get(keyword).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok())
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value, bool)> {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(move |(name, part)| (name, part, required.contains(&name.as_str())))
}

/// Only what is required, each as small as it may be.
pub(crate) fn minimal(file: &SchemaFile, part: &Value) -> Value {
    let schema = file.resolve(part);
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values[0].clone();
    }
    match text(schema, "type") {
        Some("object") => Value::Object(
            properties(schema)
                .filter(|(_, _, required)| *required)
                .map(|(name, part, _)| (name.clone(), minimal(file, part)))
                .collect(),
        ),
        Some("array") => {
            Value::Array((0..count(schema, "minItems").unwrap_or(0)).map(|_| minimal(file, &schema["items"])).collect())
        }
        Some("string") => match text(schema, "format") {
            Some("date-time") => json!("2025-01-31T08:15:30Z"),
            Some("uri") => json!("a:"),
            _ => json!(""),
        },
        Some("integer" | "number") => schema.get("minimum").or(schema.get("maximum")).cloned().unwrap_or(json!(0)),
        Some("boolean") => json!(false),
        _ => json!(null),
    }
}

/// Everything, each as large as it may be; lists within lists are kept short.
pub(crate) fn maximal(file: &SchemaFile, part: &Value) -> Value {
    complete(file, part, &Size { text: 100_000, items: 100, inner_items: 2 })
}

/// Every member at every depth, with short texts and one item a list.
pub(crate) fn full(file: &SchemaFile, part: &Value) -> Value {
    complete(file, part, &Size { text: 3, items: 1, inner_items: 1 })
}

/// The most that an instance holds, where the schema allows as much.
struct Size {
    text: usize,
    items: usize,
    inner_items: usize,
}

fn complete(file: &SchemaFile, part: &Value, size: &Size) -> Value {
    let schema = file.resolve(part);
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values[values.len() - 1].clone();
    }
    match text(schema, "type") {
        Some("object") => {
            let mut object: Map<_, _> =
                properties(schema).map(|(name, part, _)| (name.clone(), complete(file, part, size))).collect();
            if schema.get("additionalProperties") != Some(&json!(false)) {
                object.insert("anything".to_owned(), json!({ "goes": [1, 2.5, null, "here"] }));
            }
            Value::Object(object)
        }
        Some("array") => {
            let length = count(schema, "maxItems").unwrap_or(3).min(size.items);
            let inner = Size { items: size.inner_items, ..*size };
            Value::Array((0..length).map(|_| complete(file, &schema["items"], &inner)).collect())
        }
        Some("string") => match text(schema, "format") {
            Some("date-time") => json!("2025-01-31T08:15:30.123456789+01:00"),
            Some("uri") => json!("ftp://user:secret@[2001:db8::1]:2121/a%20b?c=d#e"),
            // Two bytes a character, so that a limit counted in bytes shows.
            _ => json!("é".repeat(count(schema, "maxLength").unwrap_or(300).min(size.text))),
        },
        Some("integer") => schema.get("maximum").cloned().unwrap_or(json!(i64::MAX)),
        Some("number") => schema.get("maximum").cloned().unwrap_or(json!(123456789.1)),
        Some("boolean") => json!(true),
        _ => json!({ "any": ["JSON", { "at": "all" }, 1, true, null] }),
    }
}

fn any_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,5}", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
    .boxed()
}

fn any_time() -> impl Strategy<Value = Value> {
    let zone = prop_oneof![
        Just("Z".to_owned()),
        Just("z".to_owned()),
        Just("-00:00".to_owned()),
        (0..24, 0..60, prop_oneof![Just('+'), Just('-')])
            .prop_map(|(hour, minute, sign)| format!("{sign}{hour:02}:{minute:02}")),
    ];
    let fraction = prop_oneof![Just(String::new()), "\\.[0-9]{1,9}"];
    ((1..9999, 1..13, 1..29), (0..24, 0..60, 0..60), fraction, zone).prop_map(
        |((year, month, day), (hour, minute, second), fraction, zone)| {
            json!(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
        },
    )
}

/// Anything that the schema allows.
pub(crate) fn any_instance(file: &SchemaFile, part: &Value) -> BoxedStrategy<Value> {
    let schema = file.resolve(part);
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return prop::sample::select(values.clone()).boxed();
    }
    let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_i64);
    match text(schema, "type") {
        Some("object") => {
            let members: Vec<BoxedStrategy<Option<(String, Value)>>> = properties(schema)
                .map(|(name, part, required)| {
                    let name = name.clone();
                    let value = any_instance(file, part);
                    let value = value.prop_map(move |value| (name.clone(), value));
                    if required { value.prop_map(Some).boxed() } else { prop::option::of(value).boxed() }
                })
                .collect();
            let open = schema.get("additionalProperties") != Some(&json!(false));
            let more = prop::collection::btree_map("x-[a-z]{1,5}", any_json(), 0..=if open { 2 } else { 0 });
            (members, more)
                .prop_map(|(members, more)| Value::Object(members.into_iter().flatten().chain(more).collect()))
                .boxed()
        }
        Some("array") => {
            let least = count(schema, "minItems").unwrap_or(0);
            let most = count(schema, "maxItems").unwrap_or(3).min(least.max(3));
            prop::collection::vec(any_instance(file, &schema["items"]), least..=most).prop_map(Value::from).boxed()
        }
        Some("string") => match text(schema, "format") {
            Some("date-time") => any_time().boxed(),
            Some("uri") => "[a-z]{1,5}://[a-z0-9]{1,9}(\\.[a-z]{2,3})?/[a-z/]{0,9}".prop_map(Value::from).boxed(),
            _ => {
                let most = count(schema, "maxLength").unwrap_or(60).min(60);
                prop::collection::vec(any::<char>(), 0..=most)
                    .prop_map(|characters| Value::from(String::from_iter(characters)))
                    .boxed()
            }
        },
        Some("integer") => {
            let (least, most) = (limit("minimum").unwrap_or(i64::MIN), limit("maximum").unwrap_or(i64::MAX));
            prop_oneof![Just(least), Just(most), least..=most].prop_map(Value::from).boxed()
        }
        Some("number") => {
            let (least, most) = (limit("minimum").unwrap_or(-1_000_000), limit("maximum").unwrap_or(1_000_000));
            let places: u32 = if schema.get("multipleOf").is_some() { 1 } else { 6 };
            let unit = 10_i64.pow(places);
            // Through text, as a sender would write it; with one place, the float that is nearest to it.
            (least * unit..=most * unit)
                .prop_map(move |mantissa| {
                    let sign = if mantissa < 0 { "-" } else { "" };
                    let (whole, rest) = (mantissa.abs() / unit, mantissa.abs() % unit);
                    serde_json::from_str(&format!("{sign}{whole}.{rest:0width$}", width = places as usize)).unwrap()
                })
                .boxed()
        }
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        _ => any_json().prop_filter("null is no value", |value| !value.is_null()).boxed(),
    }
}
