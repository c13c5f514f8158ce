//! What is told about a transaction, in words that belong to no version.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::station::facts::{FaultCode, LocalStop, Token};
use crate::station::metering::MeterValue;

/// 2.x's state of charging (2.1 part 2, `ChargingStateEnumType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::station) enum ChargingState {
    Charging,
    EvConnected,
    SuspendedEv,
    SuspendedEvse,
    Idle,
}

impl ChargingState {
    pub(in crate::station) const fn as_str(self) -> &'static str {
        match self {
            Self::Charging => "Charging",
            Self::EvConnected => "EVConnected",
            Self::SuspendedEv => "SuspendedEV",
            Self::SuspendedEvse => "SuspendedEVSE",
            Self::Idle => "Idle",
        }
    }
}

/// Where a message stands in its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::station) enum Stage {
    Started,
    Updated,
    Ended,
}

/// What made the station say something about a transaction (2.1 part 2, `TriggerReasonEnumType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::station) enum Trigger {
    AbnormalCondition,
    Authorized,
    CablePluggedIn,
    ChargingRateChanged,
    ChargingStateChanged,
    Deauthorized,
    EnergyLimitReached,
    EvCommunicationLost,
    EvConnectTimeout,
    EvDeparted,
    EvDetected,
    MeterValueClock,
    MeterValuePeriodic,
    RemoteStart,
    RemoteStop,
    ResetCommand,
    SocLimitReached,
    StopAuthorized,
    TimeLimitReached,
    Requested,
    TxResumed,
    UnlockCommand,
}

/// Why a transaction ended: `ReasonEnumType` of 2.x and `Reason` of 1.6 together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::station) enum StoppedReason {
    DeAuthorized,
    EmergencyStop,
    EnergyLimitReached,
    EvDisconnected,
    GroundFault,
    HardReset,
    Local,
    MasterPass,
    Other,
    OvercurrentFault,
    PowerLoss,
    PowerQuality,
    Reboot,
    Remote,
    SocLimitReached,
    SoftReset,
    StoppedByEv,
    TimeLimitReached,
    Timeout,
    UnlockCommand,
}

impl StoppedReason {
    /// The name in 2.x (2.1 part 2, `ReasonEnumType`).
    pub(in crate::station) const fn as_str(self) -> &'static str {
        match self {
            Self::DeAuthorized => "DeAuthorized",
            Self::EmergencyStop => "EmergencyStop",
            Self::EnergyLimitReached => "EnergyLimitReached",
            Self::EvDisconnected => "EVDisconnected",
            Self::GroundFault => "GroundFault",
            Self::HardReset | Self::SoftReset => "ImmediateReset",
            Self::Local => "Local",
            Self::MasterPass => "MasterPass",
            Self::Other | Self::UnlockCommand => "Other",
            Self::OvercurrentFault => "OvercurrentFault",
            Self::PowerLoss => "PowerLoss",
            Self::PowerQuality => "PowerQuality",
            Self::Reboot => "Reboot",
            Self::Remote => "Remote",
            Self::SocLimitReached => "SOCLimitReached",
            Self::StoppedByEv => "StoppedByEV",
            Self::TimeLimitReached => "TimeLimitReached",
            Self::Timeout => "Timeout",
        }
    }
}

/// What a stop at the station is to a CSMS.
pub(in crate::station) const fn of_local_stop(stop: LocalStop) -> (Trigger, StoppedReason) {
    match stop {
        LocalStop::Local => (Trigger::StopAuthorized, StoppedReason::Local),
        LocalStop::EmergencyStop => (Trigger::AbnormalCondition, StoppedReason::EmergencyStop),
        LocalStop::StateOfChargeReached => (Trigger::SocLimitReached, StoppedReason::SocLimitReached),
        // E15.FR.04
        LocalStop::StoppedByEv => (Trigger::StopAuthorized, StoppedReason::StoppedByEv),
        LocalStop::EnergyLimitReached => (Trigger::EnergyLimitReached, StoppedReason::EnergyLimitReached),
        LocalStop::TimeLimitReached => (Trigger::TimeLimitReached, StoppedReason::TimeLimitReached),
        LocalStop::PowerQuality => (Trigger::AbnormalCondition, StoppedReason::PowerQuality),
        LocalStop::GroundFault => (Trigger::AbnormalCondition, StoppedReason::GroundFault),
        LocalStop::OvercurrentFault => (Trigger::AbnormalCondition, StoppedReason::OvercurrentFault),
        LocalStop::Other => (Trigger::AbnormalCondition, StoppedReason::Other),
    }
}

/// What a fault that ends a transaction is to a CSMS.
pub(in crate::station) const fn of_fault(code: FaultCode) -> StoppedReason {
    match code {
        FaultCode::GroundFailure => StoppedReason::GroundFault,
        FaultCode::OverCurrentFailure => StoppedReason::OvercurrentFault,
        FaultCode::OverVoltage | FaultCode::UnderVoltage => StoppedReason::PowerQuality,
        _ => StoppedReason::Other,
    }
}

/// One message about a transaction, complete in itself: which version it is sent in is decided when it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::station) struct TransactionMessage {
    /// The station's own id of the transaction.
    pub(in crate::station) transaction: String,
    pub(in crate::station) seq_no: u32,
    pub(in crate::station) stage: Stage,
    pub(in crate::station) trigger: Trigger,
    #[serde(with = "crate::station::serial::time")]
    pub(in crate::station) at: Timestamp,
    /// It happened, or waited, without a connection (E04.FR.03, E11.FR.07).
    pub(in crate::station) offline: bool,
    pub(in crate::station) evse: u32,
    pub(in crate::station) connector: Option<u32>,
    /// Whether the CSMS needs to be told the EVSE (E01.FR.16).
    pub(in crate::station) names_evse: bool,
    /// The token that the message tells the CSMS: the one that began it, or the one that ended it.
    pub(in crate::station) token: Option<Token>,
    pub(in crate::station) remote_start_id: Option<i64>,
    /// The reservation that it uses.
    #[serde(default)]
    pub(in crate::station) reservation: Option<i64>,
    pub(in crate::station) charging_state: ChargingState,
    pub(in crate::station) reason: Option<StoppedReason>,
    pub(in crate::station) values: Vec<MeterValue>,
    /// The energy register in Wh.
    #[serde(with = "crate::station::serial::optional_decimal", default)]
    pub(in crate::station) register: Option<Decimal>,
}
