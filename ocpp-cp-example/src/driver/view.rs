//! What can be seen of a station, put together from its engine and its hardware.

use ocpp_core::station::{ConnectorStatus, EvseState as Engine, Registration, Station};
use ocpp_core::time::Now;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Driver;
use crate::config::Config;
use crate::hardware::{Evse, Hardware};
use crate::state::{ConnectorState, EvState, EvseState, State, TransactionState};

impl Driver {
    /// Everything that can be seen, now.
    pub(super) fn view(&mut self) -> State {
        let now = self.clock.now();
        self.hardware.advance(now.instant);
        let mut state = of(&self.config, &self.station, &self.hardware, now);
        state.network = self.network;
        state.connection_error.clone_from(&self.connection_error);
        for (evse, transactions) in state.evses.iter_mut().zip(&mut self.transactions) {
            if let (Some(running), Some(known)) = (&evse.transaction, &mut transactions.running)
                && running.id == known.id
            {
                known.csms_id = running.csms_id;
                known.charging_state.clone_from(&running.charging_state);
                known.token = running.token.clone().or(known.token.take());
                known.meter_stop_wh = evse.meter_wh;
                known.energy_wh = evse.meter_wh.saturating_sub(known.meter_start_wh);
                evse.transaction = Some(known.clone());
            } else {
                // One that ran before the station started.
                transactions.running.clone_from(&evse.transaction);
            }
            evse.last_transaction.clone_from(&transactions.last);
        }
        state
    }

    /// Notes what the meter reads at the start of a transaction.
    pub(super) fn transaction_started(&mut self, evse: u32, id: &str) {
        let time = self.station.state(self.clock.now()).utc;
        let Some((hardware, transactions)) = self.parts(evse) else { return };
        let meter = hardware.register().whole_watt_hours();
        transactions.running = Some(TransactionState {
            id: id.to_owned(),
            csms_id: None,
            charging_state: None,
            token: None,
            started_at: format!("{time:.3}"),
            ended_at: None,
            stop_reason: None,
            meter_start_wh: meter,
            meter_stop_wh: meter,
            energy_wh: 0,
        });
    }

    /// Notes what the meter reads at the end of a transaction.
    pub(super) fn transaction_ended(&mut self, evse: u32, id: &str, reason: &str) {
        let time = self.station.state(self.clock.now()).utc;
        let Some((hardware, transactions)) = self.parts(evse) else { return };
        let meter = hardware.register().whole_watt_hours();
        if let Some(mut ended) = transactions.running.take_if(|running| running.id == id) {
            ended.ended_at = Some(format!("{time:.3}"));
            ended.stop_reason = Some(reason.to_owned());
            ended.meter_stop_wh = meter;
            ended.energy_wh = meter.saturating_sub(ended.meter_start_wh);
            transactions.last = Some(ended);
        }
    }

    fn parts(&mut self, evse: u32) -> Option<(&Evse, &mut super::Transactions)> {
        let index = usize::try_from(evse.checked_sub(1)?).ok()?;
        Some((self.hardware.evse(evse)?, self.transactions.get_mut(index)?))
    }
}

/// What engine and hardware tell.
pub(super) fn of(config: &Config, station: &Station, hardware: &Hardware, now: Now) -> State {
    let engine = station.state(now);
    State {
        id: config.id.clone(),
        version: Some(engine.version).filter(|version| !version.is_empty()),
        network: true,
        connected: engine.connected,
        registration: engine.registration.map(|registration| registration_name(registration).to_owned()),
        connection_error: None,
        outbox: engine.outbox,
        time: format!("{:.3}", engine.utc),
        evses: hardware
            .iter()
            .map(|(id, evse)| of_evse(id, evse, engine.evses.iter().find(|state| state.id == id)))
            .collect(),
    }
}

fn of_evse(id: u32, evse: &Evse, engine: Option<&Engine>) -> EvseState {
    let reading = evse.reading();
    let statuses = engine.map(|engine| engine.connectors.as_slice()).unwrap_or_default();
    let connectors = (1..=evse.connectors())
        .map(|connector| ConnectorState {
            id: connector,
            locked: evse.locked(connector).unwrap_or(false),
            status: statuses.get(connector as usize - 1).copied().map_or("Unavailable", status_name).to_owned(),
        })
        .collect();
    let ev = evse.ev();
    let token = engine.and_then(|engine| engine.token.as_ref()).map(|token| token.value.clone());
    EvseState {
        id,
        connectors,
        plugged: evse.plugged(),
        flow: evse.flow(),
        permitted: evse.permitted(),
        limit_w: evse.limit_w(),
        meter_wh: reading.energy_wh,
        power_w: reading.power_w,
        ev: EvState { soc: ev.soc(), max_power_w: ev.max_power_w, ready: ev.ready, suspended: ev.suspended },
        fault: evse.fault().map(str::to_owned),
        lock_fails: evse.lock_fails(),
        bay_occupied: evse.bay_occupied(),
        authorized: engine.is_some_and(|engine| engine.authorized),
        transaction: engine.and_then(|engine| engine.transaction.as_ref()).map(|transaction| {
            let wh = |value: Decimal| value.trunc().to_u64().unwrap_or(0);
            // Engine and meter may be apart for a moment after a start; the register at the beginning is the engine's.
            let register = engine.and_then(|engine| engine.meter_wh).map_or(reading.energy_wh, wh);
            let meter_start_wh = register.saturating_sub(wh(transaction.energy_wh));
            TransactionState {
                id: transaction.id.clone(),
                csms_id: transaction.csms_id,
                charging_state: Some(transaction.charging_state.to_owned()),
                token: token.clone(),
                started_at: format!("{:.3}", transaction.started_at),
                ended_at: None,
                stop_reason: None,
                meter_start_wh,
                meter_stop_wh: reading.energy_wh,
                energy_wh: reading.energy_wh.saturating_sub(meter_start_wh),
            }
        }),
        token,
        last_transaction: None,
    }
}

fn registration_name(registration: Registration) -> &'static str {
    match registration {
        Registration::Accepted => "Accepted",
        Registration::Pending => "Pending",
        Registration::Rejected => "Rejected",
        _ => "Unknown",
    }
}

fn status_name(status: ConnectorStatus) -> &'static str {
    match status {
        ConnectorStatus::Available => "Available",
        ConnectorStatus::Preparing => "Preparing",
        ConnectorStatus::Charging => "Charging",
        ConnectorStatus::SuspendedEvse => "SuspendedEVSE",
        ConnectorStatus::SuspendedEv => "SuspendedEV",
        ConnectorStatus::Finishing => "Finishing",
        ConnectorStatus::Reserved => "Reserved",
        ConnectorStatus::Unavailable => "Unavailable",
        ConnectorStatus::Faulted => "Faulted",
        _ => "Unknown",
    }
}
