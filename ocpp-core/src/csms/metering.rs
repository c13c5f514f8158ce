//! Meter readings without regard to version.

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
    pub measurand: String,
    /// The unit, with the power of ten already applied to the value. `Wh` for energy where the station doesn't say; `None`
    /// where the standard names no default. 1.6's `Celcius` reads `Celsius`.
    pub unit: Option<String>,
    /// Why it was sampled; `Sample.Periodic` where the station doesn't say.
    pub context: String,
    /// The phase or pair of phases; `None` for all together.
    pub phase: Option<String>,
    /// Where it was measured; `Outlet` where the station doesn't say.
    pub location: String,
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
    /// The total active energy taken so far in Wh, if this sample is a register of it over all phases: the reading bills are
    /// made of.
    #[must_use]
    pub fn energy_register_wh(&self) -> Option<Decimal> {
        let SampleValue::Number(value) = self.value else { return None };
        if self.measurand != "Energy.Active.Import.Register" || self.phase.is_some() || self.location != "Outlet" {
            return None;
        }
        match self.unit.as_deref() {
            None | Some("Wh") => Some(value),
            Some("kWh") => value.checked_mul(Decimal::ONE_THOUSAND),
            Some(_) => None,
        }
    }
}

impl MeterReading {
    /// The total active energy taken so far in Wh, as this reading has it: the register over all phases, or the sum of the
    /// registers of single phases where there is no other.
    #[must_use]
    pub fn energy_register_wh(&self) -> Option<Decimal> {
        self.samples.iter().find_map(Sample::energy_register_wh).or_else(|| {
            [["L1", "L2", "L3"], ["L1-N", "L2-N", "L3-N"]].iter().find_map(|phases| self.sum_of_phases(phases))
        })
    }

    fn sum_of_phases(&self, phases: &[&str]) -> Option<Decimal> {
        let of_phase = |phase: &&str| {
            let sample = self.samples.iter().find(|sample| sample.phase.as_deref() == Some(*phase))?;
            Sample { phase: None, ..sample.clone() }.energy_register_wh()
        };
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
