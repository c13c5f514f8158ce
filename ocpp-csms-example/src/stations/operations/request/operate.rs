//! Day-to-day operation: driving sessions, availability, reservations, profiles, messages, lists and logs.

use jiff::Timestamp;
use ocpp_core::csms::flows::{Flow, LogRetrieval};
use ocpp_core::csms::{self, Command, ResetKind, TransactionId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{BadRequest, Known, flow, place, seconds, token_of, typed, typed_list};

/// How a station restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Its transactions are stopped first.
    #[default]
    Immediate,
    /// As soon as no transaction is running (2.x; 1.6 stops them).
    OnIdle,
    /// Whatever the state (1.6 `Hard`).
    Hard,
}

/// What day-to-day operation asks of a station. Those without members are written with braces: only so are further members refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operate {
    /// Start a transaction.
    RemoteStart {
        /// Where; the station chooses without it.
        evse: Option<i64>,
        /// For whom.
        token: String,
        /// The kind of token in the standard's words. Default: what is known of the token.
        token_type: Option<String>,
        /// A number by which the transaction can be told apart (2.x). Default: one is made.
        remote_start_id: Option<i64>,
        /// A charging profile for it, in the form of the station's version.
        #[schema(value_type = Option<Object>)]
        charging_profile: Option<Map<String, Value>>,
    },
    /// Stop a transaction.
    RemoteStop {
        /// Which.
        transaction: String,
    },
    /// Ask whether a transaction goes on (2.x).
    TransactionStatus {
        /// Which; without it, whether messages of any wait.
        transaction: Option<String>,
    },
    /// Show to the driver what a transaction costs so far (2.x).
    CostUpdated {
        /// Which.
        transaction: String,
        /// The cost, in whole units of the currency.
        #[schema(value_type = String)]
        total_cost: Decimal,
    },
    /// Restart.
    Reset {
        /// How. Default: `immediate`.
        #[serde(default)]
        kind: Restart,
        /// Only this EVSE (2.x).
        evse: Option<i64>,
    },
    /// Unlock a connector.
    Unlock {
        /// The EVSE (the connector of 1.6).
        evse: i64,
        /// The connector of the EVSE. Default: 1.
        connector: Option<i64>,
    },
    /// Take into or out of service.
    ChangeAvailability {
        /// Which EVSE; without it the station.
        evse: Option<i64>,
        /// Which connector of it.
        connector: Option<i64>,
        /// Whether it is to be in service.
        operative: bool,
    },
    /// Keep a place for a token.
    Reserve {
        /// The number of the reservation. Default: one is made.
        reservation: Option<i64>,
        /// Where; the station chooses without it.
        evse: Option<i64>,
        /// The kind of connector (2.x).
        connector_type: Option<String>,
        /// For whom.
        token: String,
        /// The kind of token in the standard's words. Default: what is known of the token.
        token_type: Option<String>,
        /// When it is over.
        #[schema(value_type = String, format = DateTime)]
        expires_at: Timestamp,
    },
    /// Give a reservation up.
    CancelReservation {
        /// Which.
        reservation: i64,
    },
    /// Let the station forget the tokens in its cache.
    ClearCache {},
    /// Let the station send a message now.
    Trigger {
        /// The message in the words of its version, such as `StatusNotification`.
        message: String,
        /// For which EVSE.
        evse: Option<i64>,
        /// For which connector of it.
        connector: Option<i64>,
    },
    /// Read settings: keys of 1.6 (none for all), `Component.Variable` of 2.x.
    GetConfiguration {
        /// Which.
        #[serde(default)]
        names: Vec<String>,
    },
    /// Read attributes of variables (2.x).
    GetVariables {
        /// Which: GetVariableDataType of 2.1.
        #[schema(value_type = Vec<Object>)]
        variables: Vec<Value>,
    },
    /// Have the station report its variables (2.x), or read all keys (1.6).
    BaseReport {
        /// `FullInventory`, `ConfigurationInventory` or `SummaryInventory`. Default: `FullInventory`.
        base: Option<String>,
    },
    /// Install a charging profile.
    SetChargingProfile {
        /// The EVSE (the connector of 1.6); 0 is the station.
        evse: i64,
        /// The profile: ChargingProfileType of 2.1.
        #[schema(value_type = Object)]
        profile: Value,
    },
    /// Remove charging profiles.
    ClearChargingProfile {
        /// The one with this id.
        profile: Option<i64>,
        /// Or those that fit all of this: ClearChargingProfileType of 2.1.
        #[schema(value_type = Option<Object>)]
        criteria: Option<Value>,
    },
    /// Have the station report charging profiles (2.x).
    GetChargingProfiles {
        /// Of this EVSE; all without it.
        evse: Option<i64>,
        /// Which: ChargingProfileCriterionType of 2.1. Default: all.
        #[schema(value_type = Option<Object>)]
        criterion: Option<Value>,
    },
    /// What an EVSE may take over the next time.
    GetCompositeSchedule {
        /// The EVSE (the connector of 1.6); 0 is the station.
        evse: i64,
        /// For how long, in s.
        duration: i64,
        /// `A` or `W`; the station chooses without it.
        unit: Option<String>,
    },
    /// Give a transaction priority over others, or take it away (2.1).
    PriorityCharging {
        /// Which.
        transaction: String,
        /// Whether it is to have priority.
        activate: bool,
    },
    /// Show a message (2.x).
    SetDisplayMessage {
        /// The message: MessageInfoType of 2.1.
        #[schema(value_type = Object)]
        message: Value,
    },
    /// Have the station report the messages that it shows (2.x).
    GetDisplayMessages {
        /// Those with these ids; all without.
        #[serde(default)]
        ids: Vec<i64>,
        /// Those of this priority.
        priority: Option<String>,
        /// Those for this state.
        state: Option<String>,
    },
    /// Show a message no more (2.x).
    ClearDisplayMessage {
        /// Its id.
        id: i64,
    },
    /// Which local list does the station have?
    GetLocalListVersion {},
    /// Send the tokens that are known here as the station's local list.
    SynchroniseLocalList {},
    /// A vendor's own message.
    DataTransfer {
        /// The vendor.
        vendor_id: String,
        /// The vendor's name for the message.
        message_id: Option<String>,
        /// The data.
        #[schema(value_type = Option<Object>)]
        data: Option<Value>,
    },
    /// Have a log uploaded.
    GetLog {
        /// `DiagnosticsLog`, `SecurityLog` or (2.1) `DataCollectorLog`; without it the diagnostics, in 1.6 by GetDiagnostics.
        log: Option<String>,
        /// Where to.
        location: String,
        /// From when on.
        #[schema(value_type = Option<String>, format = DateTime)]
        oldest: Option<Timestamp>,
        /// Until when.
        #[schema(value_type = Option<String>, format = DateTime)]
        latest: Option<Timestamp>,
        /// How often to try again.
        retries: Option<i64>,
        /// Seconds between tries.
        retry_interval: Option<u32>,
    },
}

impl Operate {
    /// Whether a request of day-to-day operation has this name and these particulars.
    pub(in crate::stations::operations) fn describes(kind: &str, particulars: &Value) -> bool {
        let mut request = particulars.clone();
        if let Value::Object(members) = &mut request {
            members.insert("operation".to_owned(), Value::from(kind));
        }
        serde_json::from_value::<Self>(request).is_ok()
    }
}

/// The command of the engine. The local list is no single one: it is told apart before.
pub(super) fn command(request: Operate, known: Known) -> Result<Command, BadRequest> {
    let group = known.group.map(|group| csms::Token::with_kind(group, "Central"));
    Ok(match request {
        Operate::RemoteStart { evse, token, token_type, remote_start_id, charging_profile } => Command::RemoteStart {
            evse,
            token: token_of(token, token_type.or(known.token_type)),
            remote_start_id: remote_start_id.unwrap_or(known.number),
            group,
            charging_profile: charging_profile.map(|profile| Value::Object(profile).to_string()),
        },
        Operate::RemoteStop { transaction } => Command::RemoteStop { transaction: TransactionId::new(transaction) },
        Operate::TransactionStatus { transaction } => {
            Command::GetTransactionStatus { transaction: transaction.map(TransactionId::new) }
        }
        Operate::CostUpdated { transaction, total_cost } => {
            Command::CostUpdated { transaction: TransactionId::new(transaction), total_cost }
        }
        Operate::Reset { kind, evse } => {
            let kind = match kind {
                Restart::Immediate => ResetKind::Immediate,
                Restart::OnIdle => ResetKind::OnIdle,
                Restart::Hard => ResetKind::Hard,
            };
            Command::Reset { kind, evse }
        }
        Operate::Unlock { evse, connector } => Command::Unlock { evse, connector: connector.unwrap_or(1) },
        Operate::ChangeAvailability { evse, connector, operative } => {
            Command::ChangeAvailability { place: place(evse, connector)?, operative }
        }
        Operate::Reserve { reservation, evse, connector_type, token, token_type, expires_at } => {
            Command::Reserve(Box::new(csms::Reservation {
                id: reservation.unwrap_or(known.number),
                evse,
                connector_type,
                token: token_of(token, token_type.or(known.token_type)),
                group,
                expires_at,
            }))
        }
        Operate::CancelReservation { reservation } => Command::CancelReservation { reservation },
        Operate::ClearCache {} => Command::ClearCache,
        Operate::Trigger { message, evse, connector } => {
            Command::TriggerMessage { message, place: place(evse, connector)? }
        }
        Operate::GetConfiguration { names } => Command::GetConfiguration { names },
        Operate::GetVariables { variables } => Command::GetVariables { variables: typed_list("variables", variables)? },
        Operate::BaseReport { base } => {
            Command::GetBaseReport { base: base.as_deref().unwrap_or("FullInventory").into() }
        }
        Operate::SetChargingProfile { evse, profile } => {
            Command::SetChargingProfile { evse, profile: Box::new(typed("profile", profile)?) }
        }
        Operate::ClearChargingProfile { profile, criteria } => Command::ClearChargingProfile {
            profile,
            criteria: criteria.map(|criteria| typed("criteria", criteria)).transpose()?,
        },
        Operate::GetChargingProfiles { evse, criterion } => Command::GetChargingProfiles {
            evse,
            // Whoever installed it.
            criterion: typed(
                "criterion",
                criterion.unwrap_or_else(|| serde_json::json!({"chargingLimitSource": ["CSO", "EMS", "SO", "Other"]})),
            )?,
        },
        Operate::GetCompositeSchedule { evse, duration, unit } => {
            Command::GetCompositeSchedule { evse, duration, unit: unit.as_deref().map(Into::into) }
        }
        Operate::PriorityCharging { transaction, activate } => {
            Command::UsePriorityCharging { transaction: TransactionId::new(transaction), activate }
        }
        Operate::SetDisplayMessage { message } => {
            Command::SetDisplayMessage { message: Box::new(typed("message", message)?) }
        }
        Operate::GetDisplayMessages { ids, priority, state } => Command::GetDisplayMessages {
            ids,
            priority: priority.as_deref().map(Into::into),
            state: state.as_deref().map(Into::into),
        },
        Operate::ClearDisplayMessage { id } => Command::ClearDisplayMessage { id },
        Operate::GetLocalListVersion {} => Command::GetLocalListVersion,
        Operate::SynchroniseLocalList {} => return Err(BadRequest("the list is made of the tokens".to_owned())),
        Operate::DataTransfer { vendor_id, message_id, data } => {
            Command::DataTransfer { vendor_id, message_id, data: data.map(|data| data.to_string()) }
        }
        Operate::GetLog { log, location, oldest, latest, retries, retry_interval } => {
            let mut retrieval = LogRetrieval::new(log.as_deref(), location);
            (retrieval.oldest, retrieval.latest, retrieval.retries) = (oldest, latest, retries);
            retrieval.retry_interval = seconds(retry_interval);
            flow(Flow::GetLog(retrieval))
        }
    })
}
