//! What happens, told as it happens: for the page, for people who watch a terminal, and for whoever subscribes.

use std::fmt;
use std::sync::Arc;

use ocpp_core::types::Version;
use rust_decimal::Decimal;

use crate::access::mask;
use crate::store::{Registration, Transaction};
use crate::tariffs::amount;

/// Something that happened at a station. Displayed, it is one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
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
                write!(
                    f,
                    ": {} at {} {} a kWh makes {}",
                    energy(transaction),
                    transaction.price.per_kwh,
                    transaction.price.currency.code(),
                    cost(transaction)
                )
            }
        }
    }
}

fn energy(transaction: &Transaction) -> String {
    format!("{} kWh", kilo(transaction.energy_wh(), 3))
}

fn cost(transaction: &Transaction) -> String {
    let currency = transaction.price.currency;
    format!("{} {}", amount(transaction.cost, currency), currency.code())
}

fn kilo(value: Decimal, decimals: u32) -> Decimal {
    let mut value = (value / Decimal::ONE_THOUSAND).round_dp(decimals);
    value.rescale(decimals);
    value
}
