//! Meter values of 1.6: text with defaults (edition 2, 7.43).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::v1_6::{Measurand, MeterValue, SampledValue, UnitOfMeasure, ValueFormat};
use rust_decimal::Decimal;

use crate::csms::metering::{MeterReading, Sample, SampleValue};

pub(super) fn readings(values: Vec<MeterValue>) -> Vec<MeterReading> {
    let reading = |value: MeterValue| MeterReading {
        at: value.timestamp.timestamp(),
        samples: value.sampled_value.into_iter().map(sample).collect(),
    };
    values.into_iter().map(reading).collect()
}

fn sample(sampled: SampledValue) -> Sample {
    let measurand = sampled.measurand.unwrap_or(Measurand::EnergyActiveImportRegister);
    let value = match sampled.format {
        Some(ValueFormat::SignedData) => SampleValue::Text(sampled.value),
        _ => number(&sampled.value).map_or(SampleValue::Text(sampled.value), SampleValue::Number),
    };
    let unit = sampled.unit.map(|unit| match unit {
        // Both spellings are on the list of 1.6; the versions after it know one.
        UnitOfMeasure::Celcius => "Celsius".into(),
        unit => unit.to_string(),
    });
    let is_energy = measurand.as_str().starts_with("Energy.Active");
    Sample {
        value,
        unit: unit.or_else(|| is_energy.then(|| "Wh".into())),
        measurand: measurand.to_string(),
        context: word(sampled.context.as_ref().map(|context| context.as_str()), "Sample.Periodic"),
        phase: sampled.phase.map(|phase| phase.to_string()),
        location: word(sampled.location.as_ref().map(|location| location.as_str()), "Outlet"),
        signed: None,
    }
}

fn word(given: Option<&str>, default: &str) -> String {
    given.unwrap_or(default).to_string()
}

fn number(text: &str) -> Option<Decimal> {
    let text = text.trim();
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}
