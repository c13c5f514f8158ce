//! What keeps the schema is decoded without findings and encoded to equal JSON.

use ocpp_types::Conformance;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::Value;

use crate::codec::transcode;
use crate::instances::{any_instance, maximal, minimal};
use crate::schemas::{self, SchemaFile};

/// Numbers are equal by value: a decimal that is whole is written without its fraction.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

fn check(file: &SchemaFile, validator: &jsonschema::Validator, instance: &Value) {
    let place = format!("{} {}", file.version, file.name);
    assert!(validator.is_valid(instance), "{place}: the instance is no instance: {instance}");
    let text = instance.to_string();
    let strict = transcode(file, &text, Conformance::Strict).unwrap_or_else(|error| panic!("{place}: {error}\n{text}"));
    assert!(strict.findings.is_empty());
    let encoded: Value = serde_json::from_str(&strict.text).unwrap();
    assert!(equal(&encoded, instance), "{place}: became\n{encoded}\nfrom\n{instance}");
    assert!(validator.is_valid(&encoded), "{place}: became invalid: {encoded}");
    let lenient = transcode(file, &text, Conformance::Lenient).unwrap();
    assert!(lenient.findings.is_empty(), "{place}: {:?}", lenient.findings);
    assert_eq!(lenient.text, strict.text);
}

#[test]
fn the_least_and_the_greatest_of_every_message_survive_a_round_trip() {
    for file in schemas::all() {
        let validator = file.validator();
        check(&file, &validator, &minimal(&file, &file.schema));
        check(&file, &validator, &maximal(&file, &file.schema));
    }
}

#[test]
fn any_instance_of_every_message_survives_a_round_trip() {
    // The same instances in every run; a failure is told with the instance.
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(0x0C99), ..Config::default() });
    for file in schemas::all() {
        let validator = file.validator();
        let strategy = any_instance(&file, &file.schema);
        for _ in 0..12 {
            check(&file, &validator, &strategy.new_tree(&mut runner).unwrap().current());
        }
    }
}
