//! What a station asks of a CSMS and hears from it, in words that belong to no version.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::config::BootReason;
use super::event::{ConnectorStatus, Registration};
use super::facts::{Fault, Token};
use super::inventory::PhysicalVariable;
use super::metering::MeterValue;
use super::progress::ProgressReport;
use super::reservations::ReservationUpdate;
use super::security::SecurityEvent;
use super::settings::Definition;
use super::smart_charging::{LimitNotice, Profile, VehicleNeeds, VehiclePlan};
use super::transactions::TransactionMessage;
use super::vendor_messages::{VendorAnswer, VendorMessage};

/// A request to the CSMS.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Boot(BootReason),
    Heartbeat,
    Status(StatusReport),
    Authorize {
        evse: u32,
        token: Token,
    },
    Transaction {
        entry: u64,
        message: TransactionMessage,
        csms_id: Option<i64>,
    },
    MeterValues {
        evse: u32,
        connector: u32,
        csms_id: Option<i64>,
        value: MeterValue,
        /// Its place in the outbox, where it waits in one.
        entry: Option<u64>,
    },
    /// A message that the standard has no words for.
    VendorMessage {
        id: u64,
        message: VendorMessage,
    },
    /// Part of the device model (2.x).
    Report(Report),
    /// The local list and the CSMS disagree about a token (1.6 edition 2, 3.5.2).
    LocalListConflict(StatusReport),
    /// The plug can't be locked (2.x, G05.FR.02).
    LockProblem {
        evse: u32,
        connector: u32,
        at: Timestamp,
    },
    /// A reservation is over that nobody used (2.x).
    ReservationUpdate {
        id: i64,
        update: ReservationUpdate,
    },
    /// A certificate for the station is to be signed.
    SignCertificate {
        csr: String,
        request_id: i64,
    },
    /// Something happened to the security of the station.
    SecurityEvent {
        number: u64,
        event: SecurityEvent,
        at: Timestamp,
        info: Option<Box<str>>,
    },
    /// Profiles that are installed (2.x).
    ChargingProfiles(ProfilesReport),
    /// Somebody else has limited the station, or no longer does (2.x).
    ChargingLimit(LimitNotice),
    /// A transaction has got priority, or lost it (2.1).
    PriorityCharging {
        transaction: String,
        activated: bool,
    },
    /// What a vehicle asks for (2.x).
    VehicleNeeds {
        evse: u32,
        needs: VehicleNeeds,
        /// When it said so.
        since: Timestamp,
    },
    /// What a vehicle is going to take (2.x).
    VehiclePlan {
        evse: u32,
        plan: VehiclePlan,
        at: Timestamp,
    },
    /// The CSMS is asked for the values of a dynamic profile (2.1).
    PullValues {
        profile: i64,
    },
    /// How far a firmware update or an upload is; the number of one that is kept until it is answered.
    Progress {
        number: Option<u64>,
        report: ProgressReport,
    },
}

/// A connector's status, or with connector 0 of EVSE 0 the station's.
#[derive(Debug, Clone)]
pub(super) struct StatusReport {
    pub(super) evse: u32,
    pub(super) connector: u32,
    pub(super) status: ConnectorStatus,
    /// Whether a vehicle is connected with this connector.
    pub(super) plugged: bool,
    pub(super) fault: Option<Fault>,
    pub(super) info: Option<&'static str>,
    pub(super) at: Timestamp,
}

/// A part of the device model, in reply to a request with this id.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) request_id: i64,
    pub(super) seq_no: u32,
    pub(super) more_follows: bool,
    pub(super) at: Timestamp,
    pub(super) items: Vec<ReportItem>,
}

/// Some of the profiles that the CSMS asked for, of one source at one place.
#[derive(Debug, Clone)]
pub(super) struct ProfilesReport {
    pub(super) request_id: i64,
    /// Where they are; 0 for the station.
    pub(super) evse: u32,
    pub(super) source: String,
    pub(super) profiles: Vec<Profile>,
    pub(super) more_follows: bool,
}

/// A variable of the device model with its value, if that can be read.
#[derive(Debug, Clone)]
pub(super) enum ReportItem {
    Setting(&'static Definition, Option<String>),
    /// Of a part of the station.
    Physical(PhysicalVariable),
}

/// What has a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Component {
    Station,
    Evse(u32),
    Connector(u32, u32),
}

/// The answer of the CSMS.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Boot {
        status: Registration,
        interval: i64,
        current_time: Option<Timestamp>,
    },
    Heartbeat {
        current_time: Option<Timestamp>,
    },
    Authorize(TokenInfo),
    Transaction {
        info: Option<TokenInfo>,
        csms_id: Option<i64>,
    },
    VendorMessage(VendorAnswer),
    /// Whether the CSMS will have a certificate signed.
    SignCertificate {
        accepted: bool,
    },
    /// The new limit of a dynamic profile, which may be the old one; `None` where the CSMS has none.
    Values(Option<Option<Decimal>>),
    /// Whether a schedule for the vehicle is going to come in time.
    VehicleNeeds {
        sends_schedule: bool,
    },
    Done,
}

/// What the CSMS says about a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TokenInfo {
    /// Its word, such as `Blocked`.
    pub(super) status: String,
    /// Whether that word lets the driver charge.
    pub(super) accepted: bool,
    /// Tokens of the same group may end each other's transactions.
    pub(super) group: Option<String>,
    /// EVSEs that the token may use (C01.FR.21); empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) evses: Vec<u32>,
    /// Until when this may be relied on without asking again.
    #[serde(with = "super::serial::optional_time", default, skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Timestamp>,
}
