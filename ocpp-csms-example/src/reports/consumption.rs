//! What somebody charged: by the token, or by the tokens of a driver.

use std::collections::BTreeMap;

use super::range::{Range, ReportError};
use crate::server::Csms;
use crate::store::SessionRow;

/// Sessions of a statement at most.
const MAX_SESSIONS: u32 = 5_000;

/// Whose consumption it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Of a token.
    Token(String),
    /// Of all tokens of a driver.
    Driver(String),
}

/// What was charged in a range of days of the calendar of the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumption {
    /// Whose, for people.
    pub name: String,
    /// The days.
    pub range: Range,
    /// The sessions that ended, in the order of their ends.
    pub sessions: Vec<SessionRow>,
    /// What was charged, in mWh.
    pub energy_mwh: i64,
    /// What it cost, in minor units of each currency.
    pub fees: BTreeMap<&'static str, i64>,
}

/// The consumption of somebody.
///
/// # Errors
/// When there is no such token or driver, or there are more sessions than anybody reads.
pub async fn consumption(csms: &Csms, who: &Who, range: Range) -> Result<Consumption, ReportError> {
    let store = csms.store();
    let (name, tokens) = match who {
        Who::Token(token) => {
            let known = store.token(token).await?;
            let known = known.ok_or_else(|| ReportError::Unknown { what: "token", id: token.clone() })?;
            (known.token.clone(), vec![known.token])
        }
        Who::Driver(id) => {
            let driver = store.driver(id).await?;
            let driver = driver.ok_or_else(|| ReportError::Unknown { what: "driver", id: id.clone() })?;
            (driver.name, store.tokens_of_driver(id).await?)
        }
    };
    let (from, until) = range.moments(&csms.config().time_zone);
    let sessions = store.sessions_of_tokens(&tokens, from, until, MAX_SESSIONS + 1).await?;
    if sessions.len() > MAX_SESSIONS as usize {
        return Err(ReportError::Invalid(format!(
            "there are more than {MAX_SESSIONS} sessions in this range: choose a shorter one"
        )));
    }
    let (mut energy_mwh, mut fees) = (0_i64, BTreeMap::new());
    for session in &sessions {
        energy_mwh = energy_mwh.saturating_add(super::spread::milli(session.energy_wh));
        *fees.entry(session.currency.code()).or_default() += session.fees;
    }
    Ok(Consumption { name, range, sessions, energy_mwh, fees })
}
