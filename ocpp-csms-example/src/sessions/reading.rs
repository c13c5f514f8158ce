//! Meter readings as they are kept: JSON, with every value as exactly as the station sent it.

use ocpp_core::csms::{MeterReading, Sample, SampleValue};
use serde_json::{Map, Value, json};

/// A reading as JSON: `at`, and `samples` with the members that the station gave.
pub(super) fn to_json(reading: &MeterReading) -> String {
    let samples: Vec<Value> = reading.samples.iter().map(sample).collect();
    json!({"at": reading.at.to_string(), "samples": samples}).to_string()
}

fn sample(sample: &Sample) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            object.insert(name.to_owned(), Value::from(value));
        }
    };
    // As text: a JSON number would pass through a binary fraction.
    let value = match &sample.value {
        SampleValue::Number(number) => number.to_string(),
        SampleValue::Text(text) => text.clone(),
    };
    put("value", Some(&value));
    put("measurand", Some(&sample.measurand));
    put("unit", sample.unit.as_deref());
    put("context", Some(&sample.context));
    put("phase", sample.phase.as_deref());
    put("location", Some(&sample.location));
    put("signed", sample.signed.as_deref());
    Value::Object(object)
}
