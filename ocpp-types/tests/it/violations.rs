//! Every kind of departure, at every member of every message, is found where it is, with the version's code.

use ocpp_types::{Conformance, FindingKind, Version};
use serde_json::{Value, json};

use crate::codec::transcode;
use crate::instances::full;
use crate::round_trips::equal;
use crate::schemas::{self, SchemaFile};

/// One departure: where, what the value becomes (`None`: it is taken out), and what is to be found.
struct Departure {
    path: String,
    change: Change,
    kind: FindingKind,
}

enum Change {
    Replace(Value),
    Remove,
    Add,
}

fn departures(file: &SchemaFile, part: &Value, path: &str, found: &mut Vec<Departure>) {
    let schema = file.resolve(part);
    let mut replace = |value: Value, kind: FindingKind| {
        found.push(Departure { path: path.to_owned(), change: Change::Replace(value), kind });
    };
    let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_i64);
    if schema.get("type").is_none() {
        return;
    }
    if path.is_empty() {
        replace(json!([]), FindingKind::NotAnObject);
        replace(json!(null), FindingKind::NotAnObject);
    } else {
        replace(json!(null), FindingKind::WrongType);
    }
    match schema["type"].as_str() {
        Some("string") => {
            replace(json!(12), FindingKind::WrongType);
            if schema.get("enum").is_some() {
                replace(json!("no such value"), FindingKind::UnlistedValue);
            } else if schema.get("format").is_some() {
                replace(json!("no such form"), FindingKind::BadFormat);
            } else if let Some(most) = limit("maxLength") {
                replace(json!("x".repeat(usize::try_from(most).unwrap() + 1)), FindingKind::TooLong);
            }
        }
        Some(kind @ ("integer" | "number")) => {
            replace(json!("12"), FindingKind::WrongType);
            if kind == "integer" {
                replace(json!(1.5), FindingKind::WrongType);
            }
            if schema.get("multipleOf").is_some() {
                replace(json!(1.25), FindingKind::OutOfRange);
            }
            if let Some(least) = limit("minimum") {
                replace(json!(least - 1), FindingKind::OutOfRange);
            }
            if let Some(most) = limit("maximum") {
                replace(json!(most + 1), FindingKind::OutOfRange);
            }
        }
        Some("boolean") => replace(json!("true"), FindingKind::WrongType),
        Some("array") => {
            replace(json!({}), FindingKind::WrongType);
            let item = full(file, &schema["items"]);
            if limit("minItems").is_some_and(|least| least > 0) {
                replace(json!([]), FindingKind::TooFewItems);
            }
            if let Some(most) = limit("maxItems").and_then(|most| usize::try_from(most).ok()).filter(|most| *most <= 50)
            {
                replace(Value::Array(vec![item; most + 1]), FindingKind::TooManyItems);
            }
            departures(file, &schema["items"], &format!("{path}/0"), found);
        }
        Some("object") => {
            if !path.is_empty() {
                replace(json!("text"), FindingKind::WrongType);
            }
            if schema.get("additionalProperties") == Some(&json!(false)) {
                let path = format!("{path}/noSuchMember");
                found.push(Departure { path, change: Change::Add, kind: FindingKind::ExtraMember });
            }
            for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
                let path = format!("{path}/{}", name.as_str().unwrap());
                found.push(Departure { path, change: Change::Remove, kind: FindingKind::Missing });
            }
            for (name, part) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                departures(file, part, &format!("{path}/{name}"), found);
            }
        }
        other => panic!("{other:?}"),
    }
}

fn apply(instance: &Value, departure: &Departure) -> Value {
    let mut changed = instance.clone();
    let (parent, name) = departure.path.rsplit_once('/').unwrap_or(("", ""));
    match &departure.change {
        Change::Replace(value) => {
            *changed.pointer_mut(&departure.path).unwrap_or_else(|| panic!("{}: not in {instance}", departure.path)) =
                value.clone();
        }
        Change::Remove => drop(changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name)),
        Change::Add => {
            drop(changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), json!(1)))
        }
    }
    changed
}

fn code(kind: FindingKind, version: Version) -> &'static str {
    use FindingKind::{
        BadFormat, ExtraMember, Missing, NotAnObject, OutOfRange, TooFewItems, TooLong, TooManyItems, UnlistedValue,
        WrongType,
    };
    match (kind, version) {
        (ExtraMember | NotAnObject, Version::V1_6) => "FormationViolation",
        (ExtraMember | NotAnObject, _) => "FormatViolation",
        (Missing | TooFewItems | TooManyItems, Version::V1_6) => "OccurenceConstraintViolation",
        (Missing | TooFewItems | TooManyItems, _) => "OccurrenceConstraintViolation",
        (WrongType, _) => "TypeConstraintViolation",
        (TooLong | OutOfRange | UnlistedValue | BadFormat, _) => "PropertyConstraintViolation",
        _ => panic!("{kind:?} is not made here"),
    }
}

// 1.6-J errata 3.2
#[test]
fn every_departure_is_found_where_it_is_with_the_code_of_the_version_and_nothing_is_lost() {
    let (mut made, mut kept) = (0, 0);
    for file in schemas::all() {
        let validator = file.validator();
        let instance = full(&file, &file.schema);
        let mut found = Vec::new();
        departures(&file, &file.schema, "", &mut found);
        for departure in found {
            made += 1;
            let place = format!("{} {}{} {:?}", file.version, file.name, departure.path, departure.kind);
            let changed = apply(&instance, &departure);
            assert!(!validator.is_valid(&changed), "{place}: the schema has nothing against it");
            let text = changed.to_string();
            let error =
                transcode(&file, &text, Conformance::Strict).err().unwrap_or_else(|| panic!("{place}: not found"));
            let [finding] = error.findings.as_slice() else { panic!("{place}: found {:?}", error.findings) };
            assert_eq!((finding.path.as_str(), finding.kind), (departure.path.as_str(), departure.kind), "{place}");
            assert_eq!(finding.code().as_str(file.version), code(departure.kind, file.version), "{place}");
            match transcode(&file, &text, Conformance::Lenient) {
                Ok(lenient) => {
                    kept += 1;
                    assert_eq!(lenient.findings, error.findings, "{place}");
                    let encoded: Value = serde_json::from_str(&lenient.text).unwrap();
                    assert!(equal(&encoded, &changed), "{place}: became {encoded}\nfrom {changed}");
                }
                Err(error) => {
                    let unusable = matches!(
                        departure.kind,
                        FindingKind::WrongType
                            | FindingKind::Missing
                            | FindingKind::BadFormat
                            | FindingKind::NotAnObject
                    );
                    assert!(unusable, "{place}: refused even by a lenient decoder: {error}");
                    assert!(is_required(&file, &departure.path), "{place}: an optional part took the message with it");
                }
            }
        }
    }
    // A walk that goes nowhere would pass as well.
    assert!(made > 20_000 && kept > made / 2, "{made} departures, {kept} kept by a lenient decoder");
}

/// Whether every step on the way to a place is required, so that without it there is no message.
fn is_required(file: &SchemaFile, path: &str) -> bool {
    let mut schema = file.resolve(&file.schema);
    for segment in path.split('/').skip(1) {
        if segment.bytes().all(|byte| byte.is_ascii_digit()) {
            schema = file.resolve(&schema["items"]);
            continue;
        }
        let required =
            schema.get("required").and_then(Value::as_array).is_some_and(|required| required.contains(&json!(segment)));
        if !required {
            return false;
        }
        schema = file.resolve(&schema["properties"][segment]);
    }
    true
}
