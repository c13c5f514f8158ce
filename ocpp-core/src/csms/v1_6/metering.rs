//! Meter values of 1.6: text with defaults (edition 2, 7.43).

use alloc::borrow::Cow;
use alloc::vec::Vec;

use ocpp_types::number::decimal_from_json;
use ocpp_types::v1_6::{Measurand, MeterValue, SampledValue, UnitOfMeasure, ValueFormat};
use rust_decimal::Decimal;

use crate::csms::metering::{MeterReading, Sample, SampleValue, word};

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
        UnitOfMeasure::Celcius => Cow::Borrowed("Celsius"),
        unit => word!(unit),
    });
    let is_energy = measurand.as_str().starts_with("Energy.Active");
    Sample {
        value,
        unit: unit.or(is_energy.then_some(Cow::Borrowed("Wh"))),
        measurand: word!(measurand),
        context: sampled.context.map_or(Cow::Borrowed("Sample.Periodic"), |context| word!(context)),
        phase: sampled.phase.map(|phase| word!(phase)),
        location: sampled.location.map_or(Cow::Borrowed("Outlet"), |location| word!(location)),
        signed: None,
    }
}

fn number(text: &str) -> Option<Decimal> {
    let text = text.trim();
    // Mostly it is written as in JSON.
    let is_plain = text.bytes().next_back().is_some_and(|last| last.is_ascii_digit());
    if let Some(number) = is_plain.then(|| decimal_from_json(text)).flatten() {
        return Some(number);
    }
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_as_chargers_write_them() {
        let number = |text| number(text).map(|number| number.to_string());
        assert_eq!(number("230.40").as_deref(), Some("230.40"));
        assert_eq!(number(" 5 ").as_deref(), Some("5"));
        assert_eq!(number("-1.5").as_deref(), Some("-1.5"));
        assert_eq!(number("+1.5").as_deref(), Some("1.5"));
        assert_eq!(number("1.5e3").as_deref(), Some("1500"));
        assert_eq!(number("1.5E-3").as_deref(), Some("0.0015"));
        for text in ["", "-", ".", "-.", "NaN", "inf", "1e400", "0x10", "1,5", "--1"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9.eE+\\-_ ]{0,40}|\\PC{0,20}") {
            let _ = number(&text);
        }
    }
}
