//! What is known of a station right now. Of this, only the states of the connectors outlive a restart.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use ocpp_core::csms::{ConnectorStatus, Event, MeterReading, SampleValue, TransactionEvent};
use ocpp_core::transport::SecurityProfile;
use ocpp_core::types::Version;
use rust_decimal::Decimal;

use crate::store::Transaction;

/// A station cannot fill the memory with invented connectors.
const MAX_PLACES: usize = 256;

/// The live side of a station.
#[derive(Debug, Clone, Default)]
pub struct LiveStation {
    /// Its connection, while there is one.
    pub connection: Option<Connection>,
    /// How it reached this server when it last connected: scheme, host and port, such as `https://csms.example:8180`.
    pub origin: Option<Arc<str>>,
    /// When its last connection ended, since the start of the server.
    pub disconnected_at: Option<Timestamp>,
    /// When its last frame was received.
    pub last_seen_at: Option<Timestamp>,
    /// The states of its connectors, by EVSE and connector; (0, 0) is the whole station.
    pub connectors: BTreeMap<(i64, i64), ConnectorView>,
    /// The power that each EVSE gives, in W.
    pub power: BTreeMap<i64, Decimal>,
    /// The transactions that run, by their names.
    pub sessions: BTreeMap<String, LiveSession>,
}

/// A transaction that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveSession {
    /// As it was last kept.
    pub transaction: Transaction,
    /// The state of charge of the vehicle in percent, if it told.
    pub soc: Option<Decimal>,
}

/// A connection of a station.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// The version that was agreed on.
    pub version: Version,
    /// The security profile with which it came.
    pub profile: SecurityProfile,
    /// Where it comes from.
    pub remote: SocketAddr,
    /// Since when.
    pub since: Timestamp,
}

/// The state of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorView {
    /// The state in the standard's words, such as `Available`.
    pub status: String,
    /// The error of 1.6, other than `NoError`.
    pub error: Option<String>,
    /// Since when, by the station's clock.
    pub since: Timestamp,
}

impl LiveStation {
    /// The power of all EVSEs together, in W.
    #[must_use]
    pub fn total_power(&self) -> Decimal {
        self.power.values().fold(Decimal::ZERO, |sum, power| sum.saturating_add(*power))
    }

    /// Takes in what a station reported. True when something changed that people see.
    pub(super) fn observe(&mut self, event: &Event) -> bool {
        match event {
            Event::ConnectorStatus(status) => {
                let place = place(status);
                let view =
                    ConnectorView { status: status.status.clone(), error: status.error.clone(), since: status.at };
                let fits = self.connectors.len() < MAX_PLACES || self.connectors.contains_key(&place);
                if fits {
                    self.connectors.insert(place, view);
                }
                fits
            }
            Event::TransactionStarted(event) | Event::TransactionUpdated(event) => {
                let power = event.readings.iter().rev().find_map(power);
                self.set_power(event.place.map(|place| place.evse), power)
            }
            Event::TransactionEnded(event) => match event.place {
                Some(place) => self.power.remove(&place.evse).is_some(),
                None => false,
            },
            Event::MeterValues { place, readings } => {
                let power = readings.iter().rev().find_map(power);
                self.set_power(place.map(|place| place.evse), power)
            }
            _ => false,
        }
    }

    /// A transaction began, went on or ended.
    pub(super) fn session(&mut self, transaction: &Transaction, event: Option<&TransactionEvent>) {
        if transaction.stopped_at.is_some() {
            self.sessions.remove(&transaction.id);
            return;
        }
        let told = event.and_then(|event| event.readings.iter().rev().find_map(state_of_charge));
        let has_room = self.sessions.len() < MAX_PLACES;
        match self.sessions.get_mut(&transaction.id) {
            Some(session) => {
                session.soc = told.or(session.soc);
                session.transaction.clone_from(transaction);
            }
            None if has_room => {
                let session = LiveSession { transaction: transaction.clone(), soc: told };
                self.sessions.insert(transaction.id.clone(), session);
            }
            None => {}
        }
    }

    fn set_power(&mut self, evse: Option<i64>, power: Option<Decimal>) -> bool {
        let (Some(evse), Some(power)) = (evse, power) else { return false };
        if self.power.len() >= MAX_PLACES && !self.power.contains_key(&evse) {
            return false;
        }
        self.power.insert(evse, power) != Some(power)
    }
}

/// The EVSE and the connector that a status tells of; (0, 0) is the whole station.
pub(super) fn place(status: &ConnectorStatus) -> (i64, i64) {
    status.place.map_or((0, 0), |place| (place.evse, place.connector.unwrap_or(1)))
}

/// The state of charge of the vehicle, in percent.
fn state_of_charge(reading: &MeterReading) -> Option<Decimal> {
    reading.samples.iter().filter(|sample| sample.measurand == "SoC").find_map(|sample| match sample.value {
        SampleValue::Number(value) => Some(value),
        SampleValue::Text(_) => None,
    })
}

/// The active power taken by the vehicle in W: the reading over all phases, or else the sum of those of the phases.
pub(crate) fn power(reading: &MeterReading) -> Option<Decimal> {
    let samples = reading
        .samples
        .iter()
        .filter(|sample| sample.measurand == "Power.Active.Import" && sample.location == "Outlet")
        .filter_map(|sample| {
            let SampleValue::Number(value) = sample.value else { return None };
            let watts = match sample.unit.as_deref() {
                None | Some("W") => value,
                Some("kW") => value.checked_mul(Decimal::ONE_THOUSAND)?,
                Some(_) => return None,
            };
            Some((sample.phase.as_deref(), watts))
        });
    let mut of_phases = None;
    for (phase, watts) in samples {
        match phase {
            None => return Some(watts),
            Some("L1" | "L2" | "L3" | "L1-N" | "L2-N" | "L3-N") => {
                of_phases = Some(of_phases.unwrap_or(Decimal::ZERO).saturating_add(watts));
            }
            Some(_) => {}
        }
    }
    of_phases
}
