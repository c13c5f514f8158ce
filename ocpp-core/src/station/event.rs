//! Events: what happened, for logs, pages and tests.

use alloc::string::String;

use ocpp_types::Version;
use serde::Serialize;

use super::firmware::FirmwareStatus;
use super::logs::LogStatus;
use super::vendor_messages::VendorAnswer;

use super::security::SecurityEvent;

/// Something that happened. Nothing has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The station can talk to a CSMS.
    Online {
        /// In this version.
        version: Version,
    },
    /// The station can't talk to a CSMS any more.
    Offline {
        /// Why, as far as known.
        reason: String,
    },
    /// The CSMS answered a `BootNotification`.
    Registration {
        /// What it said.
        status: Registration,
        /// In how many seconds the heartbeat or the next attempt follows.
        interval: i64,
    },
    /// A connector has a new status.
    ConnectorStatus {
        /// Which EVSE.
        evse: u32,
        /// Which of its connectors.
        connector: u32,
        /// The status, in the finer words of 1.6.
        status: ConnectorStatus,
    },
    /// It is decided whether a token may charge.
    Authorization {
        /// At which EVSE, if known.
        evse: Option<u32>,
        /// The token's value.
        token: String,
        /// Whether it may.
        accepted: bool,
        /// The word of the CSMS, such as `Blocked`; or why the station itself decided.
        status: String,
    },
    /// A transaction began.
    TransactionStarted {
        /// Where.
        evse: u32,
        /// The station's own id of it: the id in 2.x, never seen by a 1.6 CSMS.
        transaction: String,
    },
    /// A transaction ended.
    TransactionEnded {
        /// Where.
        evse: u32,
        /// The station's own id of it.
        transaction: String,
        /// Why, in the standard's words of 2.x.
        reason: String,
    },
    /// A message about a transaction was given up after all its attempts.
    MessageLost {
        /// The station's own id of the transaction.
        transaction: String,
        /// Which of its messages.
        seq_no: u32,
        /// What the CSMS said last.
        reason: String,
    },
    /// A vehicle has said what it is going to take (ISO 15118).
    VehiclePlanJudged {
        /// Where.
        evse: u32,
        /// Whether it stays within what it was offered. Otherwise the plan has to be refused, and was not told the CSMS.
        accepted: bool,
    },
    /// A firmware update has taken a step.
    FirmwareStatus {
        /// Which one.
        status: FirmwareStatus,
        /// The number that the CSMS gave to the update, if it gave one.
        request_id: Option<i64>,
    },
    /// The upload of a log has begun or ended.
    LogStatus {
        /// Which of it.
        status: LogStatus,
        /// The number that the CSMS gave to the upload, if it gave one.
        request_id: Option<i64>,
    },
    /// The CSMS changed a setting.
    SettingChanged {
        /// `Component.Variable[.Instance]`.
        name: String,
        /// The new value; empty for one that can't be read.
        value: String,
    },
    /// A vendor's message was answered.
    VendorMessageAnswered {
        /// The number that the integrator gave it.
        id: u64,
        /// The answer; `None` where the message could not be delivered, or was refused.
        answer: Option<VendorAnswer>,
    },
    /// A restart was tried as often as `ResetRetries` says, and failed; the station runs on.
    RestartGivenUp,
    /// The CSMS did something the standard doesn't allow; it was answered as the standard says.
    PeerFault {
        /// What was wrong.
        description: String,
    },
    /// The CSMS refused a message of the station.
    Refused {
        /// Which message.
        action: String,
        /// The error code.
        code: String,
        /// What it said about it.
        description: String,
    },
    /// Something happened to the security of the station.
    Security {
        /// What.
        event: SecurityEvent,
        /// What is known about it.
        info: Option<String>,
        /// Whether the CSMS is told.
        is_critical: bool,
    },
    /// An input made no sense, such as an EVSE that doesn't exist. It changed nothing.
    InputIgnored {
        /// Why.
        reason: &'static str,
    },
}

/// Whether the CSMS takes the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Registration {
    /// Yes.
    Accepted,
    /// Not yet; it may be configured meanwhile.
    Pending,
    /// No.
    Rejected,
}

/// Status of a connector, in the words of 1.6 (edition 2, 4.9), of which 2.x's are a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub enum ConnectorStatus {
    /// Free for a new driver.
    Available,
    /// Somebody has begun: a plug or a token is there, the other is awaited.
    Preparing,
    /// Energy may flow and the vehicle asks for it.
    Charging,
    /// The station doesn't offer energy.
    SuspendedEvse,
    /// The vehicle doesn't ask for energy.
    SuspendedEv,
    /// The transaction is over and the vehicle is still there.
    Finishing,
    /// Kept for somebody.
    Reserved,
    /// Taken out of service.
    Unavailable,
    /// Out of order.
    Faulted,
}
