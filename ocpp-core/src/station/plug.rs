//! What happens at an EVSE: plugs, vehicles, parking bays, faults.

use super::Station;
use super::authorization::Owner;
use super::evse::is_blocking;
use super::facts::{Fault, FaultCode, Vehicle};
use super::settings::Key;
use super::transactions::{Happening, StoppedReason, Trigger};

impl Station {
    pub(super) fn plugged_in(&mut self, at: usize, connector: u32) {
        if self.evses[at].plugged.is_some() {
            self.ignore("a vehicle was plugged in where one is");
            return;
        }
        let before = self.points(at);
        let evse = &mut self.evses[at];
        evse.plugged = Some(connector);
        evse.vehicle = Vehicle::default();
        evse.connect_by = None;
        if evse.recover_by.is_some() {
            self.recover(at, false);
            return;
        }
        self.happen(at, before, Happening::new(Trigger::CablePluggedIn, StoppedReason::Other));
        self.fetch_floating_authorization(at);
    }

    pub(super) fn unplugged(&mut self, at: usize, connector: u32) {
        if self.evses[at].plugged != Some(connector) {
            self.ignore("a connector was unplugged where nothing is");
            return;
        }
        let before = self.points(at);
        let ends = self.stops_on_disconnect();
        let unlocks = self.settings.boolean(Key::UnlockOnEvSideDisconnect);
        let evse = &mut self.evses[at];
        evse.plugged = None;
        evse.vehicle = Vehicle::default();
        evse.finishing = false;
        evse.change_scheduled = false;
        if core::mem::take(&mut evse.lock_failed) {
            for connector in &mut evse.connectors {
                connector.fault.take_if(|fault| fault.code == FaultCode::ConnectorLockFailure);
            }
        }
        if evse.recover_by.is_some() {
            return;
        }
        evse.left = ends && evse.transaction.is_some();
        // E09.FR.01; 1.6 edition 2, 4.10
        let ended = if ends { evse.authorization.take() } else { None };
        if let Some(authorization) = ended {
            // E09.FR.02, E09.FR.03
            evse.locked_for = evse.locked.and((!unlocks).then(|| Owner::of(authorization)));
        } else if evse.authorization.is_some() && !evse.detachable_cable {
            // E10.FR.02
            self.await_plug(at);
        }
        self.happen(at, before, Happening::new(Trigger::EvCommunicationLost, StoppedReason::EvDisconnected));
    }

    pub(super) fn vehicle_says(&mut self, at: usize, vehicle: Vehicle) {
        self.evses[at].vehicle = vehicle;
        self.charging_state_changed(at);
    }

    pub(super) fn bay(&mut self, at: usize, occupied: bool) {
        if self.evses[at].bay_occupied == occupied {
            return;
        }
        let before = self.points(at);
        self.evses[at].bay_occupied = occupied;
        let trigger = if occupied { Trigger::EvDetected } else { Trigger::EvDeparted };
        self.happen(at, before, Happening::new(trigger, StoppedReason::Local));
    }

    /// Something is wrong with the station, an EVSE or a connector.
    pub(super) fn fault(&mut self, evse: Option<u32>, connector: Option<u32>, fault: &Fault) {
        match (evse, connector) {
            (None, _) => self.fault = Some(fault.clone()),
            (Some(evse), None) => match self.position(evse) {
                Some(at) => self.evses[at].fault = Some(fault.clone()),
                None => return self.ignore("a fault at an EVSE that doesn't exist"),
            },
            (Some(evse), Some(connector)) => {
                let known = self
                    .position(evse)
                    .and_then(|at| self.evses[at].connectors.iter_mut().find(|known| known.id == connector));
                match known {
                    Some(known) => known.fault = Some(fault.clone()),
                    None => return self.ignore("a fault at a connector that doesn't exist"),
                }
            }
        }
        if !is_blocking(fault) {
            return;
        }
        for at in 0..self.evses.len() {
            let known = &self.evses[at];
            let is_meant = evse.is_none_or(|evse| evse == known.id)
                && connector.is_none_or(|connector| known.plugged.is_none_or(|plugged| plugged == connector));
            if is_meant && (known.transaction.is_some() || known.authorization.is_some()) {
                self.stop_for_fault(at, fault);
            }
        }
    }

    pub(super) fn fault_cleared(&mut self, evse: Option<u32>, connector: Option<u32>) {
        match evse.map(|evse| self.position(evse)) {
            None => self.fault = None,
            Some(None) => self.ignore("a fault was cleared at an EVSE that doesn't exist"),
            Some(Some(at)) => {
                let evse = &mut self.evses[at];
                if connector.is_none() {
                    evse.fault = None;
                }
                let is_meant = |id: u32| connector.is_none_or(|connector| connector == id);
                for known in evse.connectors.iter_mut().filter(|known| is_meant(known.id)) {
                    if known.fault.take().is_some_and(|fault| fault.code == FaultCode::ConnectorLockFailure) {
                        evse.lock_failed = false;
                    }
                }
                self.charging_state_changed(at);
            }
        }
    }
}
