//! Meter readings without regard to version.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use rust_decimal::Decimal;

/// Samples taken at one moment (MeterValueType; 1.6 MeterValue).
#[derive(Debug, Clone, PartialEq)]
pub struct MeterReading {
    /// When the meter was read, by the station's clock.
    pub at: Timestamp,
    /// What it said; never empty in a conforming message.
    pub samples: Vec<Sample>,
}

/// One sampled value, with the standard's defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The value.
    pub value: SampleValue,
    /// What was measured; `Energy.Active.Import.Register` where the station doesn't say.
    pub measurand: Cow<'static, str>,
    /// The unit, with the power of ten already applied to the value. `Wh` for energy where the station doesn't say; `None`
    /// where the standard names no default. 1.6's `Celcius` reads `Celsius`.
    pub unit: Option<Cow<'static, str>>,
    /// Why it was sampled; `Sample.Periodic` where the station doesn't say.
    pub context: Cow<'static, str>,
    /// The phase or pair of phases; `None` for all together.
    pub phase: Option<Cow<'static, str>>,
    /// Where it was measured; `Outlet` where the station doesn't say.
    pub location: Cow<'static, str>,
    /// The signed form of 2.x as raw JSON, to be kept for the driver's proof.
    pub signed: Option<String>,
}

/// A value as exactly as the station sent it.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleValue {
    /// A number, exact.
    Number(Decimal),
    /// What is not a number: the signed data of 1.6, or text that does not parse.
    Text(String),
}

impl Sample {
    /// The total active energy taken so far in Wh, if this sample is a register of it at the outlet and over all phases. See
    /// [`MeterReading::energy_register_wh`] for stations that have none.
    #[must_use]
    pub fn energy_register_wh(&self) -> Option<Decimal> {
        self.register_wh("Outlet", None)
    }

    fn register_wh(&self, location: &str, phase: Option<&str>) -> Option<Decimal> {
        let SampleValue::Number(value) = self.value else { return None };
        let is_register = self.measurand == "Energy.Active.Import.Register";
        if !is_register || self.location != location || self.phase.as_deref() != phase {
            return None;
        }
        match self.unit.as_deref() {
            None | Some("Wh") => Some(value),
            Some("kWh") => value.checked_mul(Decimal::ONE_THOUSAND),
            Some(_) => None,
        }
    }
}

/// A word of a station: copied only where it is none of the standard's. A charging station sends a dozen of samples at a time.
macro_rules! word {
    ($value:expr) => {{
        let value = &$value;
        value.as_listed().map_or_else(|| Cow::Owned(value.as_str().into()), Cow::Borrowed)
    }};
}
pub(super) use word;

/// Where a station may measure what it gives, what is closest to the vehicle first.
const LOCATIONS: [&str; 4] = ["Outlet", "Cable", "Body", "Inlet"];

/// The ways to tell phases apart.
const PHASES: [[&str; 3]; 2] = [["L1", "L2", "L3"], ["L1-N", "L2-N", "L3-N"]];

impl MeterReading {
    /// The total active energy taken so far in Wh, as this reading has it: the register at the outlet, or at another place of
    /// the station where there is none; over all phases, or the sum of the single ones where there is no other.
    #[must_use]
    pub fn energy_register_wh(&self) -> Option<Decimal> {
        LOCATIONS.iter().find_map(|location| {
            let total = self.samples.iter().find_map(|sample| sample.register_wh(location, None));
            total.or_else(|| PHASES.iter().find_map(|phases| self.sum_of_phases(location, phases)))
        })
    }

    fn sum_of_phases(&self, location: &str, phases: &[&str]) -> Option<Decimal> {
        let of_phase = |phase: &&str| self.samples.iter().find_map(|sample| sample.register_wh(location, Some(*phase)));
        let mut sum = None;
        for energy in phases.iter().filter_map(of_phase) {
            sum = Some(energy.checked_add(sum.unwrap_or_default())?);
        }
        sum
    }
}

/// The latest energy register among readings.
pub(super) fn energy_register_wh(readings: &[MeterReading]) -> Option<Decimal> {
    let registers = readings.iter().filter_map(|reading| Some((reading.at, reading.energy_register_wh()?)));
    registers.max_by_key(|(at, _)| *at).map(|(_, energy)| energy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(location: &'static str, phase: Option<&'static str>, unit: &'static str, value: i64) -> Sample {
        Sample {
            value: SampleValue::Number(Decimal::from(value)),
            measurand: "Energy.Active.Import.Register".into(),
            unit: Some(unit.into()),
            context: "Sample.Periodic".into(),
            phase: phase.map(Cow::from),
            location: location.into(),
            signed: None,
        }
    }

    fn energy(samples: impl Into<Vec<Sample>>) -> Option<i64> {
        let reading = MeterReading { at: Timestamp::UNIX_EPOCH, samples: samples.into() };
        reading.energy_register_wh().map(|energy| energy.try_into().unwrap())
    }

    #[test]
    fn the_register_over_all_phases_at_the_outlet_comes_first() {
        let samples = [
            register("Inlet", None, "Wh", 9),
            register("Outlet", Some("L1"), "Wh", 1),
            register("Outlet", None, "kWh", 5),
        ];
        assert_eq!(energy(samples), Some(5000));
    }

    #[test]
    fn phases_are_summed_where_there_is_no_register_over_all() {
        let phase = |phase: &'static str, value| register("Outlet", Some(phase), "Wh", value);
        assert_eq!(energy([phase("L1", 1), phase("L2", 2), phase("L3", 3)]), Some(6));
        assert_eq!(energy([phase("L1-N", 1), phase("L2-N", 2)]), Some(3));
        assert_eq!(energy([phase("L1-L2", 1)]), None);
    }

    #[test]
    fn a_register_elsewhere_at_the_station_counts_where_the_outlet_has_none() {
        assert_eq!(energy([register("Inlet", None, "Wh", 9), register("Body", None, "Wh", 8)]), Some(8));
        assert_eq!(energy([register("EV", None, "Wh", 9)]), None, "the vehicle's meter makes no bill");
    }

    #[test]
    fn what_is_no_energy_makes_no_bill() {
        assert_eq!(energy([register("Outlet", None, "varh", 9)]), None);
        let text = Sample { value: SampleValue::Text("9".into()), ..register("Outlet", None, "Wh", 0) };
        assert_eq!(energy([text]), None);
        let huge = Sample { value: SampleValue::Number(Decimal::MAX), ..register("Outlet", None, "kWh", 0) };
        assert_eq!(energy([huge]), None);
    }

    #[test]
    fn the_latest_reading_counts_in_whatever_order_they_are_sent() {
        let reading = |second, value| MeterReading {
            at: Timestamp::from_second(second).unwrap(),
            samples: [register("Outlet", None, "Wh", value)].into(),
        };
        let readings = [reading(2, 20), reading(3, 30), reading(1, 10)];
        assert_eq!(energy_register_wh(&readings), Some(Decimal::from(30)));
        assert_eq!(energy_register_wh(&[]), None);
    }
}
