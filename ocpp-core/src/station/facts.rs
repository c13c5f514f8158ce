//! The facts that hardware, driver and network report, in words that belong to no version.

use alloc::string::String;

use ocpp_types::Version;
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
/// Two tokens are the same if their values, without regard to case, and their kinds are (C01.FR.25). 1.6 knows no kinds: there the
/// value decides.
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

    /// Whether both are the same token to this version.
    /// 1.6 edition 2, 3.9
    #[must_use]
    pub fn is_same(&self, other: &Self, version: Version) -> bool {
        let same_kind = version == Version::V1_6 || self.kind == other.kind;
        same_kind && self.value.eq_ignore_ascii_case(&other.value)
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
