//! What meters say.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What a meter measures. The names are the standard's; each has one unit here, given with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Measurand {
    /// Register of the energy given to the vehicle, in Wh.
    EnergyActiveImportRegister,
    /// Register of the energy taken from the vehicle, in Wh.
    EnergyActiveExportRegister,
    /// Register of reactive energy imported, in varh.
    EnergyReactiveImportRegister,
    /// Register of reactive energy exported, in varh.
    EnergyReactiveExportRegister,
    /// Energy given to the vehicle since the last value of the same kind, in Wh.
    EnergyActiveImportInterval,
    /// Energy taken from the vehicle since the last value of the same kind, in Wh.
    EnergyActiveExportInterval,
    /// Reactive energy imported since the last value of the same kind, in varh.
    EnergyReactiveImportInterval,
    /// Reactive energy exported since the last value of the same kind, in varh.
    EnergyReactiveExportInterval,
    /// Power to the vehicle, in W.
    PowerActiveImport,
    /// Power from the vehicle, in W.
    PowerActiveExport,
    /// Most power offered to the vehicle, in W.
    PowerOffered,
    /// Reactive power to the vehicle, in var.
    PowerReactiveImport,
    /// Reactive power from the vehicle, in var.
    PowerReactiveExport,
    /// Power factor, without a unit.
    PowerFactor,
    /// Current to the vehicle, in A.
    CurrentImport,
    /// Current from the vehicle, in A.
    CurrentExport,
    /// Most current offered to the vehicle, in A.
    CurrentOffered,
    /// Voltage, in V.
    Voltage,
    /// Frequency of the mains, in Hz.
    Frequency,
    /// Temperature, in degrees Celsius. 1.6 only.
    Temperature,
    /// State of charge of the vehicle, in percent.
    StateOfCharge,
    /// Speed of a fan, in revolutions a minute. 1.6 only.
    Rpm,
}

impl Measurand {
    /// Every measurand with the standard's name and its unit.
    const TABLE: &[(Self, &'static str, &'static str)] = &[
        (Self::EnergyActiveImportRegister, "Energy.Active.Import.Register", "Wh"),
        (Self::EnergyActiveExportRegister, "Energy.Active.Export.Register", "Wh"),
        (Self::EnergyReactiveImportRegister, "Energy.Reactive.Import.Register", "varh"),
        (Self::EnergyReactiveExportRegister, "Energy.Reactive.Export.Register", "varh"),
        (Self::EnergyActiveImportInterval, "Energy.Active.Import.Interval", "Wh"),
        (Self::EnergyActiveExportInterval, "Energy.Active.Export.Interval", "Wh"),
        (Self::EnergyReactiveImportInterval, "Energy.Reactive.Import.Interval", "varh"),
        (Self::EnergyReactiveExportInterval, "Energy.Reactive.Export.Interval", "varh"),
        (Self::PowerActiveImport, "Power.Active.Import", "W"),
        (Self::PowerActiveExport, "Power.Active.Export", "W"),
        (Self::PowerOffered, "Power.Offered", "W"),
        (Self::PowerReactiveImport, "Power.Reactive.Import", "var"),
        (Self::PowerReactiveExport, "Power.Reactive.Export", "var"),
        (Self::PowerFactor, "Power.Factor", ""),
        (Self::CurrentImport, "Current.Import", "A"),
        (Self::CurrentExport, "Current.Export", "A"),
        (Self::CurrentOffered, "Current.Offered", "A"),
        (Self::Voltage, "Voltage", "V"),
        (Self::Frequency, "Frequency", "Hertz"),
        (Self::Temperature, "Temperature", "Celsius"),
        (Self::StateOfCharge, "SoC", "Percent"),
        (Self::Rpm, "RPM", "RPM"),
    ];

    /// The standard's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::TABLE.iter().find(|(measurand, ..)| *measurand == self).map_or("", |(_, name, _)| name)
    }

    /// Its unit, empty for a plain number.
    /// 1.6 errata 3.86: Hertz
    #[must_use]
    pub fn unit(self) -> &'static str {
        Self::TABLE.iter().find(|(measurand, ..)| *measurand == self).map_or("", |(.., unit)| unit)
    }

    /// Every measurand.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::TABLE.iter().map(|(measurand, ..)| *measurand)
    }

    /// Every name of the standard that is known.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Self::TABLE.iter().map(|(_, name, _)| *name)
    }

    /// The measurand of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(_, known, _)| *known == name).map(|(measurand, ..)| *measurand)
    }
}

/// Which conductor a value was measured at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Phase {
    /// Phase 1.
    L1,
    /// Phase 2.
    L2,
    /// Phase 3.
    L3,
    /// Neutral.
    N,
    /// Phase 1 against neutral.
    L1N,
    /// Phase 2 against neutral.
    L2N,
    /// Phase 3 against neutral.
    L3N,
    /// Phase 1 against phase 2.
    L1L2,
    /// Phase 2 against phase 3.
    L2L3,
    /// Phase 3 against phase 1.
    L3L1,
}

impl Phase {
    const TABLE: &[(Self, &'static str)] = &[
        (Self::L1, "L1"),
        (Self::L2, "L2"),
        (Self::L3, "L3"),
        (Self::N, "N"),
        (Self::L1N, "L1-N"),
        (Self::L2N, "L2-N"),
        (Self::L3N, "L3-N"),
        (Self::L1L2, "L1-L2"),
        (Self::L2L3, "L2-L3"),
        (Self::L3L1, "L3-L1"),
    ];

    /// The standard's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::TABLE.iter().find(|(phase, _)| *phase == self).map_or("", |(_, name)| name)
    }

    /// The phase of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(_, known)| *known == name).map(|(phase, _)| *phase)
    }
}

/// Where a value was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Location {
    /// Inside the station, as a temperature is.
    Body,
    /// At the cable between station and vehicle.
    Cable,
    /// In the vehicle.
    Ev,
    /// Where the station is fed.
    Inlet,
    /// Where the station feeds the vehicle.
    Outlet,
}

impl Location {
    /// The standard's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "Body",
            Self::Cable => "Cable",
            Self::Ev => "EV",
            Self::Inlet => "Inlet",
            Self::Outlet => "Outlet",
        }
    }
}

/// A value as a meter signed it (2.1 part 2, `SignedMeterValueType`; "Signed meter values in OCPP", 3.2.1 for 1.6).
/// Lengths are in characters; longer texts are cut where a version has no room for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedValue {
    /// What the meter signed, in base 64. At most 32,768 characters in 2.1, 2,500 before.
    pub data: String,
    /// How it signed, such as `ECDSA-secp256r1-SHA256`; empty where `data` tells it. At most 50.
    pub signing_method: String,
    /// How `data` is encoded, such as `OCMF`. At most 50.
    pub encoding_method: String,
    /// The public key of the meter in base 64, as the standard composes it. At most 2,500.
    pub public_key: String,
}

/// One measured value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sample {
    /// What was measured; the unit follows from it.
    pub measurand: Measurand,
    /// At which conductor, if not over all of them.
    pub phase: Option<Phase>,
    /// Where. Without it: the state of charge in the vehicle, everything else of an EVSE at its outlet, and of the main
    /// meter at the inlet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The exact value, in the unit of the measurand.
    #[serde(with = "super::serial::decimal")]
    pub value: Decimal,
    /// The same as the meter signed it, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Box<SignedValue>>,
}

impl Sample {
    /// A value over all conductors.
    #[must_use]
    pub const fn new(measurand: Measurand, value: Decimal) -> Self {
        Self { measurand, phase: None, location: None, value, signed: None }
    }

    /// The same, measured at this conductor.
    #[must_use]
    pub fn at_phase(self, phase: Phase) -> Self {
        Self { phase: Some(phase), ..self }
    }

    /// The same, measured here.
    #[must_use]
    pub fn at_location(self, location: Location) -> Self {
        Self { location: Some(location), ..self }
    }

    /// The same, signed by the meter.
    #[must_use]
    pub fn signed(self, signed: SignedValue) -> Self {
        Self { signed: Some(Box::new(signed)), ..self }
    }

    fn is_of_same_kind(&self, other: &Self) -> bool {
        (self.measurand, self.phase, self.location) == (other.measurand, other.phase, other.location)
    }
}

/// What a meter said at one moment.
///
/// A reading replaces what earlier readings said about the measurands it has. Report a reading whenever the meter has
/// news and before each fact that may begin or end a transaction: the station takes the last one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// The values, one for each measurand, phase and location.
    pub samples: Vec<Sample>,
}

impl Reading {
    /// A reading of the register of energy given to vehicles, in Wh.
    /// 1.6 errata 3.9: of a register that goes on, not one that begins at 0
    #[must_use]
    pub fn energy(watt_hours: Decimal) -> Self {
        Self::default().with(Measurand::EnergyActiveImportRegister, watt_hours)
    }

    /// The same with a value more.
    #[must_use]
    pub fn with(self, measurand: Measurand, value: Decimal) -> Self {
        self.with_sample(Sample::new(measurand, value))
    }

    /// The same with a value of one phase more.
    #[must_use]
    pub fn with_phase(self, measurand: Measurand, phase: Phase, value: Decimal) -> Self {
        self.with_sample(Sample::new(measurand, value).at_phase(phase))
    }

    /// The same with a value more, of which everything is known.
    #[must_use]
    pub fn with_sample(mut self, sample: Sample) -> Self {
        self.put(sample);
        self
    }

    fn put(&mut self, sample: Sample) {
        match self.samples.iter_mut().find(|known| known.is_of_same_kind(&sample)) {
            Some(known) => *known = sample,
            None => self.samples.push(sample),
        }
    }

    /// Takes over what a newer reading says.
    pub(crate) fn merge(&mut self, newer: &Self) {
        for sample in &newer.samples {
            self.put(sample.clone());
        }
    }

    /// The value over all conductors.
    #[must_use]
    pub fn value(&self, measurand: Measurand) -> Option<Decimal> {
        self.samples.iter().find(|sample| sample.measurand == measurand && sample.phase.is_none()).map(|s| s.value)
    }
}
