//! A snapshot of a station, for pages, tests and operators.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use super::Station;
use super::event::{ConnectorStatus, Registration};
use super::evse::{Evse, StationCondition};
use super::facts::Token;
use super::metering::register;
use super::smart_charging::Limit;
use crate::time::Now;

/// What a station is like at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StationState {
    /// Its identity.
    pub identity: String,
    /// Version in use, as `1.6`, `2.0.1` or `2.1`; the last one while offline.
    pub version: String,
    /// Whether there is a connection.
    pub connected: bool,
    /// What the CSMS last said to a `BootNotification` since the start.
    pub registration: Option<Registration>,
    /// Messages about transactions that the CSMS has not taken yet. From 2,000 on samples are left out, and from 4,000 on no
    /// transaction begins.
    pub outbox: usize,
    /// The station's time, corrected by the CSMS.
    #[serde(with = "super::serial::time")]
    pub utc: Timestamp,
    /// The EVSEs, the first one being EVSE 1.
    pub evses: Vec<EvseState>,
}

/// What an EVSE is like at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EvseState {
    /// Its number, from 1.
    pub id: u32,
    /// Status of each of its connectors.
    pub connectors: Vec<ConnectorStatus>,
    /// Connector with a vehicle, from 1.
    pub plugged: Option<u32>,
    /// Whether the vehicle asks for energy.
    pub vehicle_ready: bool,
    /// Whether energy may flow.
    pub energy_permitted: bool,
    /// Whether a parking bay's sensor sees a vehicle.
    pub bay_occupied: bool,
    /// Whether somebody is authorised to charge now.
    pub authorized: bool,
    /// Whose token that is, or of the running transaction.
    pub token: Option<Token>,
    /// The running transaction.
    pub transaction: Option<TransactionState>,
    /// Register of the energy given to vehicles, in Wh.
    #[serde(with = "super::serial::optional_decimal")]
    pub meter_wh: Option<Decimal>,
    /// What may flow at most while a transaction runs; `None` for as much as the hardware gives.
    pub limit: Option<Limit>,
}

/// What a running transaction is like at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TransactionState {
    /// The station's own id of it, which is the id in 2.x.
    pub id: String,
    /// The id that a 1.6 CSMS gave it, once it has.
    pub csms_id: Option<i64>,
    /// When it began.
    #[serde(with = "super::serial::time")]
    pub started_at: Timestamp,
    /// Energy so far, in Wh.
    #[serde(with = "super::serial::decimal")]
    pub energy_wh: Decimal,
    /// 2.x charging state, as `Charging`, `SuspendedEV`, ….
    pub charging_state: &'static str,
}

impl Station {
    /// What the station is like now.
    #[must_use]
    pub fn state(&self, now: Now) -> StationState {
        let condition = self.condition();
        StationState {
            identity: self.config.identity.clone(),
            version: self.version().number().into(),
            connected: self.is_connected(),
            registration: self.provisioning.registration,
            outbox: self.outbox.len(),
            utc: self.clock.utc(now),
            evses: self.evses.iter().map(|evse| self.evse_state(evse, condition)).collect(),
        }
    }

    fn evse_state(&self, evse: &Evse, condition: StationCondition) -> EvseState {
        let authorized = evse.authorization.as_ref().map(|authorization| &authorization.token);
        let began = evse.transaction.as_ref().and_then(|transaction| transaction.token.as_ref());
        EvseState {
            id: evse.id,
            connectors: evse.connectors.iter().map(|connector| evse.status(connector, condition)).collect(),
            plugged: evse.plugged,
            vehicle_ready: evse.vehicle.ready,
            energy_permitted: evse.permitted,
            bay_occupied: evse.bay_occupied,
            authorized: authorized.is_some(),
            token: authorized.or(began).cloned(),
            transaction: evse.transaction.as_ref().map(|transaction| {
                let register = register(&evse.reading);
                let energy = register.zip(transaction.meter_start).map(|(now, start)| now - start);
                TransactionState {
                    id: transaction.id.clone(),
                    csms_id: self.outbox.csms_id(&transaction.id),
                    started_at: transaction.started_at,
                    energy_wh: energy.unwrap_or_default(),
                    charging_state: evse.charging_state().as_str(),
                }
            }),
            meter_wh: register(&evse.reading),
            limit: evse.limit,
        }
    }
}
