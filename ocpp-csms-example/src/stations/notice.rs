//! What happens, told as it happens: for the page, for people who watch a terminal, and for whoever subscribes.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use ocpp_core::csms::Event;
use ocpp_core::types::Version;
use rust_decimal::Decimal;

use crate::access::mask;
use crate::store::{Operation, OperationState, Registration, Transaction};
use crate::tariffs::written;

/// Something that happened at a station. Displayed, it is one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its number; later ones have greater numbers, also after a restart.
    pub number: u64,
    /// When it was told.
    pub at: Timestamp,
    /// The station's identity.
    pub station: Arc<str>,
    /// What happened.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// It connected.
    Connected {
        /// The version that was agreed on.
        version: Version,
    },
    /// Its connection ended.
    Disconnected {
        /// Why.
        reason: String,
        /// Whether the station did what it must not.
        fault: bool,
    },
    /// It booted and was answered.
    Booted {
        /// What it said it is: maker and model.
        product: String,
        /// What it was answered.
        registration: Registration,
    },
    /// A connector changed its state.
    Connector {
        /// The EVSE; `None` is the whole station.
        evse: Option<i64>,
        /// The state in the standard's words.
        status: String,
    },
    /// A transaction began.
    Started(Box<Transaction>),
    /// A transaction went on.
    Metered(Box<Transaction>),
    /// A transaction ended, and this is its bill.
    Billed(Box<Transaction>),
    /// Something of a transaction is lost for good.
    Incomplete {
        /// The transaction.
        transaction: String,
        /// Whether its start is lost.
        start_lost: bool,
        /// Whether its end is lost: it was ended here.
        end_lost: bool,
    },
    /// The station keeps a place for a token.
    Reserved {
        /// The reservation's number.
        reservation: i64,
        /// Where.
        evse: Option<i64>,
    },
    /// A reservation is over.
    ReservationEnded {
        /// Its number.
        reservation: i64,
        /// How it ended, such as `cancelled`.
        state: String,
    },
    /// The station reports a security event.
    SecurityEvent {
        /// Its name in the standard.
        kind: String,
        /// Further words of the station.
        detail: Option<String>,
    },
    /// How a firmware update goes.
    Firmware {
        /// The state in the standard's words.
        status: String,
    },
    /// How an upload of a log goes.
    Log {
        /// The state in the standard's words.
        status: String,
    },
    /// A monitor of the station found something worth telling (2.x).
    Alert(Box<Alert>),
    /// An operation began, went on or ended.
    Operation(Box<Operation>),
    /// A fault was opened, acknowledged or closed.
    Fault(Box<FaultNotice>),
}

/// Something that a monitor of a station found worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The component and the variable, such as `Connector[1.1].Problem`.
    pub variable: String,
    /// The value.
    pub value: String,
    /// How severe it is: 0 (danger) to 9 (debug).
    pub severity: Option<i64>,
    /// Whether the condition is over.
    pub cleared: bool,
    /// The maker's code and words.
    pub detail: Option<String>,
}

/// What became of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultNotice {
    /// Its name.
    pub id: String,
    /// What kind of fault it is, such as `connector`.
    pub kind: String,
    /// What exactly, in the standard's words.
    pub code: String,
    /// How severe it is: 0 (danger) to 9 (debug).
    pub severity: i64,
    /// Where.
    pub evse: Option<i64>,
    /// `opened`, `acknowledged` or `closed`.
    pub change: &'static str,
    /// What else is known.
    pub detail: Option<String>,
}

impl What {
    /// What is told of a fact that is kept with the state of the conversation, other than those of transactions.
    pub(crate) fn of_record(event: &Event) -> Option<Self> {
        match event {
            Event::SecurityEvent { kind, detail, .. } => {
                Some(Self::SecurityEvent { kind: kind.clone(), detail: detail.clone() })
            }
            Event::TransactionIncomplete(gaps) => Some(Self::Incomplete {
                transaction: gaps.transaction.to_string(),
                start_lost: gaps.start_lost,
                end_lost: gaps.end_lost,
            }),
            _ => None,
        }
    }

    /// The kind of event, as streams and webhooks name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Connected { .. } => "station.connected",
            Self::Disconnected { .. } => "station.disconnected",
            Self::Booted { .. } => "station.booted",
            Self::Connector { .. } => "connector.status",
            Self::Started(_) => "transaction.started",
            Self::Metered(_) => "transaction.updated",
            Self::Billed(_) => "transaction.ended",
            Self::Incomplete { .. } => "transaction.incomplete",
            Self::Reserved { .. } => "reservation.made",
            Self::ReservationEnded { .. } => "reservation.ended",
            Self::SecurityEvent { .. } => "security.event",
            Self::Firmware { .. } => "firmware.status",
            Self::Log { .. } => "log.status",
            Self::Alert(_) => "variable.alert",
            Self::Operation(operation) if operation.state == OperationState::Running => "operation.progressed",
            Self::Operation(_) => "operation.ended",
            Self::Fault(fault) => match fault.change {
                "opened" => "fault.opened",
                "acknowledged" => "fault.acknowledged",
                _ => "fault.closed",
            },
        }
    }

    /// All kinds of events.
    pub const KINDS: [&'static str; 19] = [
        "station.connected",
        "station.disconnected",
        "station.booted",
        "connector.status",
        "transaction.started",
        "transaction.updated",
        "transaction.ended",
        "transaction.incomplete",
        "reservation.made",
        "reservation.ended",
        "security.event",
        "firmware.status",
        "log.status",
        "variable.alert",
        "operation.progressed",
        "operation.ended",
        "fault.opened",
        "fault.acknowledged",
        "fault.closed",
    ];
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12} {}", self.station, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { version } => write!(f, "connected with OCPP {version}"),
            Self::Disconnected { reason, .. } => write!(f, "disconnected: {reason}"),
            Self::Booted { product, registration } => write!(f, "booted: {product}; {registration}"),
            Self::Connector { evse: Some(evse), status } => write!(f, "EVSE {evse} is {status}"),
            Self::Connector { evse: None, status } => write!(f, "is {status}"),
            Self::Started(transaction) => {
                write!(f, "session {} started", transaction.id)?;
                if let Some(evse) = transaction.evse {
                    write!(f, " at EVSE {evse}")?;
                }
                match &transaction.token {
                    Some(token) => write!(f, " with token {}", mask(token)),
                    None => Ok(()),
                }
            }
            Self::Metered(transaction) => {
                write!(f, "session {}: {}, {} so far", transaction.id, energy(transaction), cost(transaction))?;
                match transaction.power {
                    Some(power) => write!(f, ", {} kW", kilo(power, 1)),
                    None => Ok(()),
                }
            }
            Self::Billed(transaction) => {
                write!(f, "session {} ended", transaction.id)?;
                if let Some(reason) = &transaction.stop_reason {
                    write!(f, " ({reason})")?;
                }
                write!(f, ": {} make {}", energy(transaction), cost(transaction))
            }
            Self::Incomplete { transaction, end_lost: true, .. } => {
                write!(f, "session {transaction} was ended here: its end is lost")
            }
            Self::Incomplete { transaction, .. } => write!(f, "session {transaction}: messages are lost"),
            Self::Reserved { reservation, evse: Some(evse) } => write!(f, "EVSE {evse} is reserved ({reservation})"),
            Self::Reserved { reservation, evse: None } => write!(f, "a place is reserved ({reservation})"),
            Self::ReservationEnded { reservation, state } => write!(f, "reservation {reservation} is {state}"),
            Self::SecurityEvent { kind, .. } => write!(f, "security event: {kind}"),
            Self::Firmware { status } => write!(f, "firmware: {status}"),
            Self::Log { status } => write!(f, "log upload: {status}"),
            Self::Alert(alert) if alert.cleared => {
                write!(f, "{} = {} is no alert any more", alert.variable, alert.value)
            }
            Self::Alert(alert) => write!(f, "alert: {} = {}", alert.variable, alert.value),
            Self::Operation(operation) => {
                write!(f, "{} is {}", operation.kind, operation.state)?;
                operation.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
            }
            Self::Fault(fault) => write!(f, "fault {} ({}) {}", fault.code, fault.kind, fault.change),
        }
    }
}

fn energy(transaction: &Transaction) -> String {
    format!("{} kWh", kilo(transaction.energy_wh(), 3))
}

fn cost(transaction: &Transaction) -> String {
    written(transaction.cost, transaction.currency)
}

fn kilo(value: Decimal, decimals: u32) -> Decimal {
    let mut value = (value / Decimal::ONE_THOUSAND).round_dp(decimals);
    value.rescale(decimals);
    value
}
