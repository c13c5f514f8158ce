//! What the application can ask of a station, without regard to version.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use ocpp_types::v2_1::{
    AuthorizationData, ChargingProfileCriterionType, ChargingProfileType, ChargingRateUnitEnumType,
    ChargingScheduleUpdateType, ClearChargingProfileType, ClearDERControlRequest, ClearTariffsResultType,
    ComponentCriterionEnumType, ComponentVariableType, CompositeScheduleType, EnergyTransferModeEnumType,
    GetDERControlRequest, GetVariableDataType, GetVariableResultType, MessageInfoType, MessagePriorityEnumType,
    MessageStateEnumType, ReportBaseEnumType, ReportDERControlRequest, ReportDataType, SetDERControlRequest,
    SetVariableDataType, SetVariableResultType, TariffAssignmentType, TariffType, UpdateEnumType,
};
use serde::{Deserialize, Serialize};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::authorization::AuthorizationStatus;
use super::event::Finding;
use super::flows::{Flow, FlowEnd};
use super::identity::{Place, Token, TransactionId};
use super::mirrors::InstalledProfile;
use super::reservations::Reservation;

/// A call to the station. Its end is reported by [`Event::CallFinished`](super::Event::CallFinished), exactly once.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Start a transaction (1.6 RemoteStartTransaction, 2.x RequestStartTransaction).
    RemoteStart {
        /// Where; `None` lets the station choose.
        evse: Option<i64>,
        /// For whom.
        token: Token,
        /// Returned by the station with the transaction's first event (2.x). 1.6 has none; there it is dropped.
        remote_start_id: i64,
        /// The group of the token: its members may stop the transaction (2.x).
        group: Option<Token>,
        /// A charging profile for the transaction (F01.FR.08): JSON of the version's ChargingProfile.
        charging_profile: Option<String>,
    },
    /// Stop a transaction (1.6 RemoteStopTransaction, 2.x RequestStopTransaction).
    RemoteStop {
        /// Which.
        transaction: TransactionId,
    },
    /// Ask whether a transaction goes on, and whether messages about it wait to be sent (2.x, E14). [`CallResult::TransactionStatus`].
    GetTransactionStatus {
        /// Which; `None` asks whether messages of any wait.
        transaction: Option<TransactionId>,
    },
    /// Show to the driver what a transaction costs so far (2.x, I02.FR.01).
    CostUpdated {
        /// Which.
        transaction: TransactionId,
        /// The cost in the currency of the station, taxes included.
        total_cost: Decimal,
    },
    /// A driver has begun to pay on a web page: hold the EVSE for that driver (2.1, C25.FR.21).
    WebPaymentStarted {
        /// Which EVSE.
        evse: i64,
        /// How long, in s.
        timeout: i64,
    },
    /// Keep a place for a token. [`Event::Reserved`](super::Event::Reserved) tells that it is kept.
    Reserve(Box<Reservation>),
    /// Give a reservation up.
    CancelReservation {
        /// Which.
        reservation: i64,
    },
    /// Restart the station, or in 2.x one EVSE.
    Reset {
        /// How.
        kind: ResetKind,
        /// Which EVSE; `None` is the station. 1.6 knows only the station.
        evse: Option<i64>,
    },
    /// Unlock a connector.
    Unlock {
        /// The EVSE (the connector of 1.6).
        evse: i64,
        /// The connector of the EVSE; 1 in 1.6.
        connector: i64,
    },
    /// Take the station, an EVSE or a connector into or out of service.
    ChangeAvailability {
        /// Which; `None` is the station.
        place: Option<Place>,
        /// Whether it is to be in service.
        operative: bool,
    },
    /// Let the station send a message now.
    TriggerMessage {
        /// The message in the words of the station's version, such as `BootNotification`, `MeterValues`, `StatusNotification`.
        message: String,
        /// For which place. In 2.x a `StatusNotification` needs a connector (F06.FR.13).
        place: Option<Place>,
    },
    /// Read settings.
    GetConfiguration {
        /// Which. In 1.6 keys, none for all; in 2.x at least one `Component.Variable` or `Component.Variable.Instance`.
        names: Vec<String>,
    },
    /// Read attributes of variables (2.x, B06). As many messages as the station needs.
    GetVariables {
        /// Which; at least one.
        variables: Vec<GetVariableDataType>,
    },
    /// Write attributes of variables (2.x, B05). As many messages as the station needs, in this order. Where one of them fails
    /// the command ends with that; what was written before stays written.
    SetVariables {
        /// Which, and what; at least one.
        variables: Vec<SetVariableDataType>,
    },
    /// Have the station report its variables (B07). In 1.6 all configuration keys are read instead.
    GetBaseReport {
        /// Which of them. `FullInventory` brings [`Mirrors::device_model`](super::Mirrors::device_model) up to date as a whole.
        base: ReportBaseEnumType,
    },
    /// Have the station report some variables (2.x, B08). As many messages as the station needs.
    GetReport {
        /// What applies to their components; empty for no such limit.
        criteria: Vec<ComponentCriterionEnumType>,
        /// Which components and variables; empty for all.
        variables: Vec<ComponentVariableType>,
    },
    /// Install a charging profile (K01; 1.6 edition 2, 5.16). Kept back with [`CallOutcome::NotAllowed`] where it breaks a rule of
    /// the standard or is more than the station can do by its own account, and with [`CallOutcome::Invalid`] where the
    /// station's version has no words for it.
    SetChargingProfile {
        /// The EVSE (the connector of 1.6); 0 is the station.
        evse: i64,
        /// The profile; one plan for all versions.
        profile: Box<ChargingProfileType>,
    },
    /// Remove charging profiles (K10; 1.6 edition 2, 5.5).
    ClearChargingProfile {
        /// The one with this id.
        profile: Option<i64>,
        /// Or those that fit all of this.
        criteria: Option<ClearChargingProfileType>,
    },
    /// Have the station report charging profiles (2.x, K09).
    GetChargingProfiles {
        /// Of this EVSE, 0 for the station; `None` for all.
        evse: Option<i64>,
        /// Which: either ids, or one or more of the others.
        criterion: ChargingProfileCriterionType,
    },
    /// What an EVSE may take over the next time, by all profiles (K08; 1.6 edition 2, 5.7).
    GetCompositeSchedule {
        /// The EVSE (the connector of 1.6); 0 is the station.
        evse: i64,
        /// For how long, in s.
        duration: i64,
        /// In A or W; `None` lets the station choose.
        unit: Option<ChargingRateUnitEnumType>,
    },
    /// Give a transaction priority over others, or take it away (2.1, K21, K22).
    UsePriorityCharging {
        /// Which.
        transaction: TransactionId,
        /// Whether it's to have priority.
        activate: bool,
    },
    /// Change the values of a dynamic charging profile (2.1, K28).
    UpdateDynamicSchedule {
        /// Its id.
        profile: i64,
        /// The values that change.
        update: Box<ChargingScheduleUpdateType>,
    },
    /// Tell the station which ways of charging a transaction may use, where that was not said when it was authorised (2.1,
    /// Q02.FR.05).
    NotifyAllowedEnergyTransfer {
        /// Which.
        transaction: TransactionId,
        /// The ways.
        allowed: Vec<EnergyTransferModeEnumType>,
    },
    /// The signal by which a grid operator steers power (2.1, Q07).
    AfrrSignal {
        /// When it holds.
        at: Timestamp,
        /// The signal; what it means is in the profile's `v2xSignalWattCurve`.
        signal: i64,
    },
    /// Set a control of distributed energy resources (2.1, R04).
    SetDERControl(Box<SetDERControlRequest>),
    /// Have the station report such controls (2.1, R04). The request id is chosen by the session.
    GetDERControl(Box<GetDERControlRequest>),
    /// Remove such controls (2.1, R04).
    ClearDERControl(Box<ClearDERControlRequest>),
    /// Which local authorization list does the station have? (D02; 1.6 edition 2, 5.10)
    GetLocalListVersion,
    /// Send the local authorization list, or changes to it (D01; 1.6 edition 2, 5.15). As many messages as the station needs; the
    /// first has the given version, each further one the next.
    SendLocalList {
        /// The version; greater than 0.
        version: i64,
        /// Whether it's the whole list, or changes.
        update: UpdateEnumType,
        /// The tokens, none twice; of changes, one without information removes the token.
        entries: Vec<AuthorizationData>,
        /// The whole list, to be sent where the station can't take the changes (D01.FR.03).
        whole: Option<Vec<AuthorizationData>>,
    },
    /// Show a message (2.x, O01, O02, O06).
    SetDisplayMessage {
        /// The message. One with a transaction is shown as long as that goes on.
        message: Box<MessageInfoType>,
    },
    /// Have the station report the messages that it shows (2.x, O03, O04).
    GetDisplayMessages {
        /// Those with these ids; empty for all.
        ids: Vec<i64>,
        /// Those of this priority.
        priority: Option<MessagePriorityEnumType>,
        /// Those for this state.
        state: Option<MessageStateEnumType>,
    },
    /// Show a message no more (2.x, O05).
    ClearDisplayMessage {
        /// Its id.
        id: i64,
    },
    /// Set the tariff of drivers who have none of their own (2.1, I07).
    SetDefaultTariff {
        /// The EVSE; 0 for all.
        evse: i64,
        /// The tariff. Another content needs another id (I08.FR.08).
        tariff: Box<TariffType>,
    },
    /// Which tariffs does the station have? (2.1, I09)
    GetTariffs {
        /// The EVSE; 0 for all.
        evse: i64,
    },
    /// Remove tariffs (2.1, I10).
    ClearTariffs {
        /// Of this EVSE; `None` for all.
        evse: Option<i64>,
        /// Those with these ids; empty for all.
        tariffs: Vec<String>,
    },
    /// Change the tariff of a transaction (2.1, I11).
    ChangeTransactionTariff {
        /// Which.
        transaction: TransactionId,
        /// The new tariff; in the same currency.
        tariff: Box<TariffType>,
    },
    /// Let a driver swap batteries (2.1, S02).
    RequestBatterySwap {
        /// The driver's token.
        token: Token,
        /// What the application thinks of the token; only an accepted one may swap (S02.FR.03).
        authorization: AuthorizationStatus,
        /// Returned by the station with what happens.
        request_id: i64,
    },
    /// Write a setting.
    SetConfiguration {
        /// A key of 1.6; `Component.Variable` or `Component.Variable.Instance` in 2.x.
        name: String,
        /// The new value.
        value: String,
    },
    /// Let the station forget all tokens in its cache.
    ClearCache,
    /// A vendor's own message.
    DataTransfer {
        /// The vendor (255 characters at most), best by its domain name reversed (P01.FR.02, P02.FR.03).
        vendor_id: String,
        /// The vendor's name for the message (50 characters at most; P01.FR.03, P02.FR.04).
        message_id: Option<String>,
        /// The data: JSON text of any length (P01.FR.04, P02.FR.05). 1.6 carries only text: a JSON string is sent as it is, anything else as its JSON text.
        data: Option<String>,
    },
    /// What takes the station several messages, or a while.
    Flow(Box<Flow>),
    /// Any call of the station's version.
    Raw {
        /// The action.
        action: String,
        /// The payload, JSON text.
        payload: String,
        /// Whether a payload that breaks the schema is kept back ([`CallOutcome::Invalid`]). Without it only what isn't JSON is.
        validate: bool,
    },
}

/// How a station restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResetKind {
    /// Stop transactions, then restart (1.6 `Soft`; 2.x `Immediate`).
    Immediate,
    /// Restart when no transaction is running (2.x `OnIdle`). 1.6 has no such thing: `Soft`, which stops them.
    OnIdle,
    /// Restart whatever the state (1.6 `Hard`; 2.x `Immediate`).
    Hard,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CallOutcome {
    /// The station answered.
    Answered(CallAnswer),
    /// The station answered with a CALLERROR.
    Error(CallError),
    /// No answer came in time. The station may have acted all the same.
    TimedOut,
    /// The station is not connected, or was lost before the call was sent: it did not act.
    NotConnected,
    /// The connection ended after the call was sent and before an answer came. The station may have acted all the same.
    ConnectionLost,
    /// Too many commands are waiting; it was not sent.
    QueueFull,
    /// The standard forbids to send it in the station's present state, such as before it is accepted; it was not sent.
    NotAllowed {
        /// The rule.
        rule: &'static str,
    },
    /// The command cannot be expressed in the station's version, or breaks its schema; it was not sent.
    Invalid {
        /// What is wrong with the payload; not empty.
        findings: Vec<Finding>,
    },
    /// The station's version has no such call; it was not sent.
    NotSupported,
    /// A [`Command::Flow`] ended like this.
    Flow(Box<FlowEnd>),
    /// The station answered with what cannot be read.
    MalformedAnswer {
        /// The payload, JSON as received.
        payload: String,
        /// What is wrong with it.
        findings: Vec<Finding>,
    },
}

/// A CALLERROR of the station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// The code, as received.
    pub code: String,
    /// The station's words.
    pub description: String,
    /// The details, JSON as received.
    pub details: String,
}

/// What the station answered.
#[derive(Debug, Clone, PartialEq)]
pub struct CallAnswer {
    /// The payload, JSON as received.
    pub payload: String,
    /// What it means.
    pub result: CallResult,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CallResult {
    /// The station does as it was asked, or did it.
    Accepted {
        /// The status in the station's words, such as `Accepted`, `Scheduled`, `RebootRequired`, `Unlocked`.
        status: String,
        /// The transaction that a remote start led to, where the station says so (2.x, where one was under way already).
        transaction: Option<TransactionId>,
    },
    /// The station does not do it.
    Refused {
        /// The status in the station's words, such as `Rejected`, `UnlockFailed`, `NotSupported`.
        status: String,
        /// The reason in the station's words (2.x statusInfo: the code, and words after a colon).
        reason: Option<String>,
    },
    /// How a transaction stands (E14).
    TransactionStatus {
        /// Whether it goes on; `None` where no transaction was asked after.
        ongoing: Option<bool>,
        /// Whether messages about it, or any transaction, wait to be sent.
        messages_in_queue: bool,
    },
    /// Settings were read.
    Configuration {
        /// What the station knows.
        settings: Vec<Setting>,
        /// The names that it doesn't know.
        unknown: Vec<String>,
    },
    /// Attributes were read, in the station's words: one result each.
    Variables(Vec<GetVariableResultType>),
    /// Attributes were written, or not: one result each.
    VariablesSet(Vec<SetVariableResultType>),
    /// A report was sent.
    Report(Box<Report>),
    /// Charging profiles were reported.
    ChargingProfiles {
        /// The profiles; none where nothing fits.
        profiles: Vec<InstalledProfile>,
        /// Whether the last part came.
        complete: bool,
    },
    /// What an EVSE may take.
    CompositeSchedule(Box<CompositeScheduleType>),
    /// Which local authorization list there is: 0 for none, -1 in 1.6 where there can be none.
    LocalListVersion(i64),
    /// The local authorization list was sent, and has this version now.
    LocalListSent {
        /// The version of the last message.
        version: i64,
    },
    /// Messages that the station shows were reported.
    DisplayMessages {
        /// The messages; none where nothing fits.
        messages: Vec<MessageInfoType>,
        /// Whether the last part came.
        complete: bool,
    },
    /// DER controls were reported.
    DERControls {
        /// What was reported, part by part.
        reports: Vec<ReportDERControlRequest>,
        /// Whether the last part came.
        complete: bool,
    },
    /// Which tariffs there are.
    Tariffs(Vec<TariffAssignmentType>),
    /// What became of each tariff that was to be removed.
    TariffsCleared(Vec<ClearTariffsResultType>),
    /// A vendor's message was answered.
    DataTransfer {
        /// `Accepted`, `Rejected`, `UnknownMessageId`, `UnknownVendorId`.
        status: String,
        /// The data, JSON text.
        data: Option<String>,
    },
    /// The answer to [`Command::Raw`]: see the payload.
    Raw,
}

/// A report on variables, its parts joined.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Report {
    /// What was reported; empty where nothing fits what was asked for.
    pub variables: Vec<ReportDataType>,
    /// The numbers of the parts that did not come in time. With none missing and `complete` unset, the last part did not.
    pub missing: Vec<RangeInclusive<i64>>,
    /// Whether all parts came.
    pub complete: bool,
}

/// A setting as read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The key of 1.6; `Component.Variable` or `Component.Variable.Instance` in 2.x.
    pub name: String,
    /// The value; `None` where it's not set or may not be read.
    pub value: Option<String>,
    /// Whether it can only be read; `None` where the station doesn't say (2.x).
    pub readonly: Option<bool>,
}
