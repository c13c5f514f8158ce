//! What happened at the station, without regard to version.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use jiff::Timestamp;
use ocpp_types::v2_1::{
    BatterySwapRequest, ChargingProfileType, ChargingScheduleType, MessageInfoType, NotifyDERAlarmRequest,
    NotifyDERStartStopRequest, ReportDERControlRequest, ReportDataType,
};
use rust_decimal::Decimal;

use super::authorization::AuthorizationStatus;
use super::command::{CallError, CallOutcome};
use super::config::RegistrationStatus;
use super::flows::{CertificatePurpose, FlowEnd, MonitoringEvent, Progress, StreamValues};
use super::identity::{CommandId, Place, Token, TransactionId};
use super::metering::MeterReading;
use super::mirrors::{ChargingLimit, Mirror};
use super::reservations::Reservation;
use super::transactions::TransactionLimit;

/// Something the application may want to know. Words of the standard are given as the station wrote them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The station sent a BootNotification and was answered.
    Booted(Box<Boot>),
    /// The station sent a Heartbeat.
    Heartbeat,
    /// A connector, or in 1.6 the whole station, changed its state.
    ConnectorStatus(Box<ConnectorStatus>),
    /// A transaction began. Comes at most once for each transaction; after others of it, where messages overtook each other.
    TransactionStarted(Box<TransactionEvent>),
    /// Something changed in a transaction, or its meter was read.
    TransactionUpdated(Box<TransactionEvent>),
    /// A transaction ended. Comes at most once for each transaction. Whatever else the station tells of it later comes as an
    /// update.
    TransactionEnded(Box<TransactionEvent>),
    /// A transaction was started at a place where another had not ended: its end is lost, or late.
    TransactionSuperseded {
        /// The transaction that stays open.
        transaction: TransactionId,
        /// The transaction that began at the same place.
        by: TransactionId,
    },
    /// Something of a transaction will not come any more: the station has no more messages of it, or 1.6's connector was free for long.
    /// Told once for what it tells; what comes nevertheless is told as always.
    TransactionIncomplete(Box<TransactionGaps>),
    /// The meter was read outside of transactions. `None` is the main meter of the station.
    MeterValues {
        /// Where.
        place: Option<Place>,
        /// What it said.
        readings: Vec<MeterReading>,
    },
    /// The station has made a reservation, or replaced the one of this number.
    Reserved(Box<Reservation>),
    /// The station has cancelled a reservation, as it was asked to.
    ReservationCancelled {
        /// Which.
        reservation: i64,
    },
    /// The station has ended a reservation by itself (2.x).
    ReservationEnded {
        /// Which.
        reservation: i64,
        /// Why, in the station's words: `Expired`, `Removed` or `NoTransaction`.
        status: String,
    },
    /// Something of relevance to security (SecurityEventNotification).
    SecurityEvent {
        /// The name of the event, such as `SettingSystemTime`.
        kind: String,
        /// When, by the station's clock.
        at: Timestamp,
        /// Further words of the station.
        detail: Option<String>,
    },
    /// The state of a firmware update.
    FirmwareStatus {
        /// The state, such as `Downloading`.
        status: String,
        /// The request it belongs to; absent in 1.6's unsigned update.
        request_id: Option<i64>,
    },
    /// The state of an upload of logs or, in 1.6, of diagnostics.
    LogStatus {
        /// The state, such as `Uploading`.
        status: String,
        /// The request it belongs to; absent in 1.6's diagnostics.
        request_id: Option<i64>,
    },
    /// A part of a report on the station's variables came, asked for or not. The [`Mirrors`](super::Mirrors) have it already.
    VariablesReported {
        /// The request that it answers.
        request_id: i64,
        /// Which part it is, counted from 0.
        sequence: i64,
        /// Whether it's the last part.
        last: bool,
        /// What was reported.
        variables: Vec<ReportDataType>,
    },
    /// A part of a report on charging profiles came (2.x, K09). The [`Mirrors`](super::Mirrors) have it already.
    ChargingProfilesReported {
        /// The request that it answers.
        request_id: i64,
        /// The EVSE; 0 is the station.
        evse: i64,
        /// Who installed them: `CSO` is the CSMS.
        source: String,
        /// Whether it's the last part.
        last: bool,
        /// The profiles.
        profiles: Vec<ChargingProfileType>,
    },
    /// Somebody else, such as a grid operator, limits the station (2.x, K12).
    ChargingLimitSet(Box<ChargingLimit>),
    /// Such a limit holds no more (2.x, K13).
    ChargingLimitCleared {
        /// The EVSE; `None` is the station.
        evse: Option<i64>,
        /// Who had set it.
        source: String,
    },
    /// A driver has priority from now on, or no more (2.1, K21, K22).
    PriorityCharging {
        /// The transaction.
        transaction: TransactionId,
        /// Whether it has priority.
        activated: bool,
    },
    /// A vehicle tells what it is going to take (2.x, ISO 15118, K15 to K18).
    VehicleSchedule {
        /// The EVSE.
        evse: i64,
        /// The transaction, where it's known.
        transaction: Option<TransactionId>,
        /// What it is going to take.
        schedule: Box<ChargingScheduleType>,
        /// Whether that keeps to the charging profile of the transaction. If not, the profile was sent again, once.
        accepted: bool,
    },
    /// A part of the messages that the station shows (2.x, O03). The [`Mirrors`](super::Mirrors) have it already.
    DisplayMessagesReported {
        /// The request that it answers.
        request_id: i64,
        /// Whether it's the last part.
        last: bool,
        /// The messages.
        messages: Vec<MessageInfoType>,
    },
    /// A part of the DER controls of the station (2.1, R04).
    DERControlsReported(Box<ReportDERControlRequest>),
    /// A DER control of the station is in trouble, or no more (2.1, R).
    DERAlarm(Box<NotifyDERAlarmRequest>),
    /// A DER control has begun or ended (2.1, R).
    DERStartStop(Box<NotifyDERStartStopRequest>),
    /// Batteries were put in or taken out (2.1, S).
    BatterySwap(Box<BatterySwapRequest>),
    /// What is known of the station's own data changed: see [`Session::mirrors`](super::Session::mirrors). A reason to store
    /// it.
    MirrorChanged(Mirror),
    /// Something that a monitor, or the station by itself, found worth telling (NotifyEvent, N07, N08). It comes beside the
    /// [`Event::Notification`] with the whole message.
    Monitored(Box<MonitoringEvent>),
    /// A periodic event stream was opened (2.1, N11). It is refused as long as nothing is known of its monitor: ask for the monitors.
    StreamOpened {
        /// The stream.
        stream: i64,
        /// The id of the monitor whose values it sends.
        monitor: i64,
        /// Whether it was accepted.
        accepted: bool,
    },
    /// Values came by a periodic event stream (2.1, N15).
    StreamValues(Box<StreamValues>),
    /// A periodic event stream was closed by the station (2.1, N13).
    StreamClosed {
        /// The stream.
        stream: i64,
    },
    /// What became of the schedule that an EV was offered (K15).
    ChargingOffer {
        /// Where.
        evse: i64,
        /// How handing it over ended.
        outcome: CallOutcome,
    },
    /// A certificate that the session has the station renew by itself, because it has expired (A00.FR.429, A00.FR.807), is on its way.
    CertificateRenewing {
        /// For what.
        purpose: CertificatePurpose,
        /// How it goes.
        progress: Progress,
    },
    /// The end of that. Where the station has no new certificate, it is asked again after its next boot.
    CertificateRenewed {
        /// For what.
        purpose: CertificatePurpose,
        /// How it ended.
        end: FlowEnd,
    },
    /// A station that asked for a certificate by itself (A03) was handed it, or it came to nothing.
    CertificateDelivered {
        /// For what.
        purpose: CertificatePurpose,
        /// What the station called its request (2.1).
        request_id: Option<i64>,
        /// How that ended.
        end: FlowEnd,
    },
    /// How a [`Command::Flow`](super::Command::Flow) goes.
    FlowProgress {
        /// The command.
        command: CommandId,
        /// How it goes.
        progress: Progress,
    },
    /// A request that asks for no decision and that no concern of the session evaluates, such as NotifyEvent. It was answered.
    Notification {
        /// The action.
        action: String,
        /// The payload, JSON as received.
        payload: String,
    },
    /// A request was refused because the station is not accepted.
    NotAccepted {
        /// The action.
        action: String,
        /// How the station stands.
        registration: RegistrationStatus,
    },
    /// A message departed from the schema of its version. Each kind (action, path without list positions, code) is
    /// reported once a connection.
    Finding {
        /// The action.
        action: String,
        /// Where and what.
        finding: Finding,
    },
    /// Something that cannot be processed was received: not JSON, not a message, an action nobody knows, a payload that can't be
    /// read, an answer to nothing.
    Malformed {
        /// What is wrong with it.
        reason: String,
        /// The text, cut after 4096 bytes.
        text: String,
    },
    /// The answer to a command came after its time was over. It changes nothing.
    LateAnswer {
        /// The command; it was reported as finished before.
        command: CommandId,
        /// The answer's payload, JSON as received; `None` for a CALLERROR.
        payload: Option<String>,
    },
    /// The station says that it can't use an answer it was given (CALLRESULTERROR, 2.1).
    AnswerRejected {
        /// The action that was answered, where that is remembered.
        action: Option<String>,
        /// What the station objects to.
        error: CallError,
    },
    /// A command came to its end. Comes exactly once for each command.
    CallFinished {
        /// The command.
        command: CommandId,
        /// How it ended.
        outcome: CallOutcome,
    },
}

/// One departure of a payload from the schema of its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where, as JSON Pointer (RFC 6901) into the payload.
    pub path: String,
    /// The error code, as the version spells it.
    pub code: String,
    /// What is wrong, in words.
    pub message: String,
}

/// What a station says of itself when it boots.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Boot {
    /// Who made it.
    pub vendor: String,
    /// Which model.
    pub model: String,
    /// The serial number of the station (in 1.6 of the charge point, else of the charge box).
    pub serial_number: Option<String>,
    /// The firmware's version.
    pub firmware_version: Option<String>,
    /// Why it booted, such as `PowerUp`; 1.6 doesn't say.
    pub reason: Option<String>,
    /// The ICCID of the modem's SIM card.
    pub iccid: Option<String>,
    /// The IMSI of the modem's SIM card.
    pub imsi: Option<String>,
    /// What the station was answered.
    pub registration: RegistrationStatus,
}

/// The state of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectorStatus {
    /// Which; `None` is the whole station (connector 0 of 1.6).
    pub place: Option<Place>,
    /// The state, such as `Available`, `Occupied` (2.x), `Charging` (1.6), `Faulted`.
    pub status: String,
    /// The error of 1.6, other than `NoError`.
    pub error: Option<String>,
    /// The vendor's own error code and words (1.6).
    pub detail: Option<String>,
    /// When, by the station's clock; the CSMS's where the station doesn't say.
    pub at: Timestamp,
}

/// What is missing of a transaction for good.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionGaps {
    /// The transaction.
    pub transaction: TransactionId,
    /// Whether its start was not received.
    pub start_lost: bool,
    /// The sequence numbers that were not received, oldest first.
    pub missing: Vec<RangeInclusive<i64>>,
    /// Whether it is over although its end was not received.
    pub end_lost: bool,
}

/// What a message tells of a transaction.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TransactionEvent {
    /// The transaction.
    pub transaction: TransactionId,
    /// Where; `None` as long as the station hasn't said.
    pub place: Option<Place>,
    /// When it happened, by the station's clock.
    pub at: Timestamp,
    /// The sequence number of 2.x.
    pub sequence: Option<i64>,
    /// What made the station send it, such as `Authorized` (2.x).
    pub trigger: Option<String>,
    /// The token that was presented, if any.
    pub token: Option<Token>,
    /// What the station was told about that token.
    pub authorization: Option<AuthorizationStatus>,
    /// Why the transaction was stopped, such as `EVDisconnected`. `Local` where an end doesn't say.
    pub stopped_reason: Option<String>,
    /// The state of charging, such as `SuspendedEV` (2.x).
    pub charging_state: Option<String>,
    /// The readings of the meter, oldest first as sent.
    pub readings: Vec<MeterReading>,
    /// The energy register in Wh: 1.6 meterStart and meterStop; else the last reading of this message that is one.
    pub meter_wh: Option<Decimal>,
    /// Whether it happened while the station was not connected (2.x says so; in 1.6 never known).
    pub offline: bool,
    /// The remote start that it came from.
    pub remote_start_id: Option<i64>,
    /// The reservation that it used up.
    pub reservation_id: Option<i64>,
    /// The limits that the station says hold for the transaction (2.1, E16).
    pub limit: Option<TransactionLimit>,
    /// How long energy was given so far, in s (2.x).
    pub time_spent_charging: Option<i64>,
    /// The tariff by which the station calculates (2.1).
    pub tariff_id: Option<String>,
    /// The cost as the station has calculated it (2.1 CostDetailsType): JSON as received.
    pub cost_details: Option<String>,
    /// The cable's limit in A (2.x).
    pub cable_max_current: Option<i64>,
    /// The phases in use (2.x).
    pub phases_used: Option<i64>,
    /// The sequence numbers that have not been received so far, oldest first; what is missing may still arrive.
    pub missing: Vec<RangeInclusive<i64>>,
    /// Set as long as the start of the transaction was not received: the application may learn of it by this event. The start
    /// may still arrive.
    pub start_lost: bool,
}

impl TransactionEvent {
    /// An event of which nothing is known but what it is about, and when it happened.
    #[must_use]
    pub fn new(transaction: TransactionId, at: Timestamp) -> Self {
        Self {
            transaction,
            place: None,
            at,
            sequence: None,
            trigger: None,
            token: None,
            authorization: None,
            stopped_reason: None,
            charging_state: None,
            readings: Vec::new(),
            meter_wh: None,
            offline: false,
            remote_start_id: None,
            reservation_id: None,
            limit: None,
            time_spent_charging: None,
            tariff_id: None,
            cost_details: None,
            cable_max_current: None,
            phases_used: None,
            missing: Vec::new(),
            start_lost: false,
        }
    }
}
