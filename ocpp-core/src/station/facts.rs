//! The facts that hardware, driver and network report, in words that belong to no version.

use alloc::string::String;
use alloc::vec::Vec;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Which kind of token somebody presented (2.x `IdTokenType.type`; 1.6 does not tell kinds apart).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TokenType {
    /// Made up by the CSMS, for a remote start.
    Central,
    /// Payment terminal at the station (2.1).
    DirectPayment,
    /// Contract of a vehicle (`eMAID`).
    EMaid,
    /// Address of a vehicle's communication controller (2.1).
    EvccId,
    /// RFID card, ISO 14443.
    Iso14443,
    /// RFID card, ISO 15693.
    Iso15693,
    /// Typed in at the station.
    KeyCode,
    /// Made up by the station itself.
    Local,
    /// Address of a vehicle's network interface.
    MacAddress,
    /// No authorisation was asked for.
    NoAuthorization,
    /// Vehicle identification number (2.1).
    Vin,
    /// Any other, by the standard's name.
    Other(String),
}

/// What identifies a driver. A token of more characters than its version has room for is turned away, because a part of it may
/// be somebody else's: 20 in 1.6, 36 in 2.0.1, 255 in 2.1.
///
/// Two tokens are the same if their values are equal without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Token {
    /// The identifier, such as the UID of a card in hexadecimal digits.
    pub value: String,
    /// What it is.
    pub kind: TokenType,
}

impl Token {
    /// A token of this kind.
    #[must_use]
    pub fn new(value: impl Into<String>, kind: TokenType) -> Self {
        Self { value: value.into(), kind }
    }

    /// An RFID card (ISO 14443).
    #[must_use]
    pub fn rfid(value: impl Into<String>) -> Self {
        Self::new(value, TokenType::Iso14443)
    }

    /// Whether both identify the same driver: the value decides, without regard to case.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.value.eq_ignore_ascii_case(&other.value)
    }
}

/// What the vehicle at an EVSE says through the control pilot or a higher protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Vehicle {
    /// It asks for energy (control pilot state C or D). While it doesn't, charging is suspended by the vehicle.
    pub ready: bool,
    /// Most power it takes, in W, if it told.
    #[serde(with = "super::serial::optional_decimal", default)]
    pub max_power: Option<Decimal>,
}

impl Vehicle {
    /// A vehicle that asks for energy.
    #[must_use]
    pub const fn ready() -> Self {
        Self { ready: true, max_power: None }
    }

    /// A vehicle that is connected and doesn't ask for energy.
    #[must_use]
    pub const fn suspended() -> Self {
        Self { ready: false, max_power: None }
    }

    /// The same with the most power it takes, in W.
    #[must_use]
    pub const fn with_max_power(self, watts: Decimal) -> Self {
        Self { max_power: Some(watts), ..self }
    }
}

/// Why somebody or something at the station ends a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LocalStop {
    /// The driver pressed the stop button.
    Local,
    /// The emergency stop button.
    EmergencyStop,
    /// The vehicle reached the state of charge it wanted.
    StateOfChargeReached,
    /// The vehicle ended it.
    StoppedByEv,
    /// A limit of energy was reached.
    EnergyLimitReached,
    /// A limit of time was reached.
    TimeLimitReached,
    /// The mains can't be used.
    PowerQuality,
    /// A fault current device tripped.
    GroundFault,
    /// An overcurrent device tripped.
    OvercurrentFault,
    /// Nothing of the above.
    Other,
}

/// What is wrong, in the words of 1.6's `ChargePointErrorCode`, which 2.x reports as events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FaultCode {
    /// The lock failed.
    ConnectorLockFailure,
    /// Communication with the vehicle failed.
    EvCommunicationError,
    /// A fault current was found.
    GroundFailure,
    /// It is too hot inside.
    HighTemperature,
    /// Hardware or software of the station failed.
    InternalError,
    /// The meter can't be read.
    PowerMeterFailure,
    /// The contactor failed.
    PowerSwitchFailure,
    /// The token reader failed.
    ReaderFailure,
    /// A reset failed.
    ResetFailure,
    /// Too much current.
    OverCurrentFailure,
    /// Too much voltage.
    OverVoltage,
    /// Too little voltage.
    UnderVoltage,
    /// The wireless link is weak. Nothing stops working.
    WeakSignal,
    /// Anything else.
    OtherError,
}

impl FaultCode {
    /// Every code, in the order of the standard.
    pub const ALL: &[Self] = &[
        Self::ConnectorLockFailure,
        Self::EvCommunicationError,
        Self::GroundFailure,
        Self::HighTemperature,
        Self::InternalError,
        Self::OtherError,
        Self::OverCurrentFailure,
        Self::OverVoltage,
        Self::PowerMeterFailure,
        Self::PowerSwitchFailure,
        Self::ReaderFailure,
        Self::ResetFailure,
        Self::UnderVoltage,
        Self::WeakSignal,
    ];

    /// The standard's name (1.6 edition 2, 7.6).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectorLockFailure => "ConnectorLockFailure",
            Self::EvCommunicationError => "EVCommunicationError",
            Self::GroundFailure => "GroundFailure",
            Self::HighTemperature => "HighTemperature",
            Self::InternalError => "InternalError",
            Self::OtherError => "OtherError",
            Self::OverCurrentFailure => "OverCurrentFailure",
            Self::OverVoltage => "OverVoltage",
            Self::PowerMeterFailure => "PowerMeterFailure",
            Self::PowerSwitchFailure => "PowerSwitchFailure",
            Self::ReaderFailure => "ReaderFailure",
            Self::ResetFailure => "ResetFailure",
            Self::UnderVoltage => "UnderVoltage",
            Self::WeakSignal => "WeakSignal",
        }
    }

    /// The code of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

/// A fault with what is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fault {
    /// What is wrong.
    pub code: FaultCode,
    /// More about it, at most 50 characters in 1.6 and 500 in 2.x.
    pub info: Option<String>,
    /// The maker's own code, at most 50 characters.
    pub vendor_error_code: Option<String>,
}

impl Fault {
    /// A fault of which only the code is known.
    #[must_use]
    pub const fn new(code: FaultCode) -> Self {
        Self { code, info: None, vendor_error_code: None }
    }
}

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
    /// Temperature, in degrees Celsius.
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
    #[must_use]
    pub fn unit(self) -> &'static str {
        Self::TABLE.iter().find(|(measurand, ..)| *measurand == self).map_or("", |(.., unit)| unit)
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

/// One measured value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// What was measured; the unit follows from it.
    pub measurand: Measurand,
    /// Where, if not over all conductors.
    pub phase: Option<Phase>,
    /// The exact value, in the unit of the measurand.
    #[serde(with = "super::serial::decimal")]
    pub value: Decimal,
}

/// What the meter of an EVSE said at one moment.
///
/// A reading replaces what earlier readings said about the measurands it has. Report a reading whenever the meter has
/// news and before each fact that may begin or end a transaction: the station takes the last one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// The values, one for each measurand and phase.
    pub samples: Vec<Sample>,
}

impl Reading {
    /// A reading of the register of energy given to vehicles, in Wh.
    #[must_use]
    pub fn energy(watt_hours: Decimal) -> Self {
        Self::default().with(Measurand::EnergyActiveImportRegister, watt_hours)
    }

    /// The same with a value more.
    #[must_use]
    pub fn with(self, measurand: Measurand, value: Decimal) -> Self {
        self.with_sample(Sample { measurand, phase: None, value })
    }

    /// The same with a value of one phase more.
    #[must_use]
    pub fn with_phase(self, measurand: Measurand, phase: Phase, value: Decimal) -> Self {
        self.with_sample(Sample { measurand, phase: Some(phase), value })
    }

    fn with_sample(mut self, sample: Sample) -> Self {
        self.put(sample);
        self
    }

    fn put(&mut self, sample: Sample) {
        match self.samples.iter_mut().find(|known| (known.measurand, known.phase) == (sample.measurand, sample.phase)) {
            Some(known) => *known = sample,
            None => self.samples.push(sample),
        }
    }

    /// Takes over what a newer reading says.
    pub(crate) fn merge(&mut self, newer: &Self) {
        for sample in &newer.samples {
            self.put(*sample);
        }
    }

    /// The value over all conductors.
    #[must_use]
    pub fn value(&self, measurand: Measurand) -> Option<Decimal> {
        self.samples.iter().find(|sample| sample.measurand == measurand && sample.phase.is_none()).map(|s| s.value)
    }
}
