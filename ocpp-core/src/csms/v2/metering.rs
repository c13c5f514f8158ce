//! Meter values of 2.x: numbers with a power of ten (2.1 part 2, SampledValueType, UnitOfMeasureType).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use ocpp_types::Json;
use ocpp_types::v2_1::{MeterValueType, SampledValueType};
use rust_decimal::Decimal;

use crate::csms::metering::{MeterReading, Sample, SampleValue, word};

pub(super) fn readings(values: Vec<MeterValueType>) -> Vec<MeterReading> {
    let reading = |value: MeterValueType| MeterReading {
        at: value.timestamp.timestamp(),
        samples: value.sampled_value.into_iter().map(sample).collect(),
    };
    values.into_iter().map(reading).collect()
}

fn sample(sampled: SampledValueType) -> Sample {
    let measurand =
        sampled.measurand.map_or(Cow::Borrowed("Energy.Active.Import.Register"), |measurand| word!(measurand));
    let multiplier = sampled.unit_of_measure.as_ref().and_then(|unit| unit.multiplier).unwrap_or(0);
    let value = match scaled(sampled.value, multiplier) {
        Some(value) => SampleValue::Number(value),
        None => SampleValue::Text(format!("{}e{multiplier}", sampled.value)),
    };
    let unit = sampled.unit_of_measure.and_then(|unit| unit.unit).map(|unit| match unit.as_str() {
        // Free text, which mostly is this.
        "Wh" => Cow::Borrowed("Wh"),
        unit => Cow::Owned(unit.to_string()),
    });
    let signed = sampled.signed_meter_value.as_deref();
    Sample {
        value,
        // UnitOfMeasureType: Wh where an energy has no unit.
        unit: unit.or(measurand.starts_with("Energy.Active").then_some(Cow::Borrowed("Wh"))),
        measurand,
        context: sampled.context.map_or(Cow::Borrowed("Sample.Periodic"), |context| word!(context)),
        phase: sampled.phase.map(|phase| word!(phase)),
        location: sampled.location.map_or(Cow::Borrowed("Outlet"), |location| word!(location)),
        signed: signed.and_then(|signed| Json::from_serialize(signed).ok()).map(|json| json.get().to_string()),
    }
}

/// The value times a power of ten, exact or not at all.
fn scaled(value: Decimal, multiplier: i64) -> Option<Decimal> {
    if multiplier == 0 {
        return Some(value);
    }
    let steps = u32::try_from(multiplier.unsigned_abs()).ok().filter(|steps| *steps <= Decimal::MAX_SCALE)?;
    if multiplier >= 0 {
        value.checked_mul(Decimal::try_from_i128_with_scale(10_i128.checked_pow(steps)?, 0).ok()?)
    } else {
        let mut value = value;
        value.set_scale(value.scale().checked_add(steps)?).ok()?;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_ten_is_applied_exactly() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(scaled(number("1.234"), 3), Some(number("1234")));
        assert_eq!(scaled(number("1234567"), -6), Some(number("1.234567")));
        assert_eq!(scaled(number("5"), 0), Some(number("5")));
        assert_eq!(scaled(number("5"), 28), Some(number("50000000000000000000000000000")));
        assert_eq!(scaled(number("1"), 29), None);
        assert_eq!(scaled(number("0.0000000000000000000000000001"), -1), None);
        assert_eq!(scaled(number("1"), i64::MIN), None);
    }
}
