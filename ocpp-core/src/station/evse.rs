//! EVSEs and their connectors: what is plugged, what is wrong, what may flow, and the status that follows from it.

use alloc::vec::Vec;

use ocpp_types::Version;

use super::authorization::{Authorization, Owner};
use super::config::EvseConfig;
use super::event::{ConnectorStatus, Event};
use super::facts::{Fault, FaultCode, Token, Vehicle};
use super::metering::Collected;
use super::reading::Reading;
use super::settings::Key;
use super::smart_charging::{Limit, Negotiation};
use super::status::Told;
use super::transactions::{ChargingState, Transaction};
use super::{Output, Station};
use crate::time::Instant;

/// One EVSE with everything that is going on at it.
#[derive(Debug)]
pub(super) struct Evse {
    pub(super) id: u32,
    pub(super) connectors: Vec<Connector>,
    pub(super) detachable_cable: bool,
    pub(super) plugged: Option<u32>,
    pub(super) vehicle: Vehicle,
    pub(super) reading: Reading,
    pub(super) bay_occupied: bool,
    pub(super) fault: Option<Fault>,
    /// Whether the CSMS lets it be used.
    pub(super) operative: bool,
    /// A change to inoperative came during a transaction: it waits for the cable to be unplugged (G01.FR.05).
    pub(super) change_scheduled: bool,
    /// Whose token is being checked.
    pub(super) authorizing: Option<Token>,
    pub(super) authorization: Option<Authorization>,
    pub(super) transaction: Option<Transaction>,
    /// Whether it is shown as kept for somebody.
    pub(super) reserved: bool,
    /// A transaction ended and its cable is still there.
    pub(super) finishing: bool,
    /// The vehicle has just left its cable behind.
    pub(super) left: bool,
    pub(super) lock_failed: bool,
    /// Connector whose plug is locked.
    pub(super) locked: Option<u32>,
    /// Whoever has to come back before the plug is released (E05.FR.11, E09.FR.03).
    pub(super) locked_for: Option<Owner>,
    /// Whether energy may flow, as last told.
    pub(super) permitted: bool,
    /// What may flow, as last told; `None` for as much as the hardware gives.
    pub(super) limit: Option<Limit>,
    /// What the vehicle negotiates with the station (ISO 15118).
    pub(super) negotiation: Negotiation,
    /// Until when the plug has to come.
    pub(super) connect_by: Option<Instant>,
    /// Until when the token has to come that a plug waits for.
    pub(super) token_by: Option<Instant>,
    /// When the next sample is to be taken.
    pub(super) sample_at: Option<Instant>,
    /// When the next sample for the last message of the transaction is to be taken.
    pub(super) end_sample_at: Option<Instant>,
    /// Values for the last message of the transaction.
    pub(super) collected: Collected,
    /// After a power cut: until when the meter may say where it stands.
    pub(super) recover_by: Option<Instant>,
    /// Whether the meter has said anything since the start.
    pub(super) meter_spoke: bool,
}

/// One connector.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) id: u32,
    pub(super) fault: Option<Fault>,
    /// Whether the CSMS lets it be used.
    pub(super) operative: bool,
    /// The status that was last told to the integrator.
    pub(super) shown: Option<ConnectorStatus>,
    /// What the CSMS was last told.
    pub(super) told: Told,
}

impl Evse {
    pub(super) fn new(id: u32, config: &EvseConfig) -> Self {
        let connector = |id| Connector { id, fault: None, operative: true, shown: None, told: Told::default() };
        Self {
            id,
            connectors: (1..=config.connectors.max(1)).map(connector).collect(),
            detachable_cable: config.detachable_cable,
            plugged: None,
            vehicle: Vehicle::default(),
            reading: Reading::default(),
            bay_occupied: false,
            fault: None,
            operative: true,
            change_scheduled: false,
            authorizing: None,
            authorization: None,
            transaction: None,
            reserved: false,
            finishing: false,
            left: false,
            lock_failed: false,
            locked: None,
            locked_for: None,
            permitted: false,
            limit: None,
            negotiation: Negotiation::default(),
            connect_by: None,
            token_by: None,
            sample_at: None,
            end_sample_at: None,
            collected: Collected::default(),
            recover_by: None,
            meter_spoke: false,
        }
    }

    pub(super) fn connector(&self, id: u32) -> Option<&Connector> {
        self.connectors.iter().find(|connector| connector.id == id)
    }

    /// Whether something keeps the EVSE, or this connector of it, from charging.
    pub(super) fn blocking_fault(&self, connector: Option<u32>) -> Option<&Fault> {
        let connectors = self.connectors.iter().filter(|known| connector.is_none_or(|connector| known.id == connector));
        // An EVSE as a whole is out of order when all its connectors are.
        let of_connectors = || {
            let mut faults = connectors.map(|known| known.fault.as_ref().filter(|fault| is_blocking(fault)));
            faults.clone().all(|fault| fault.is_some()).then(|| faults.next().flatten()).flatten()
        };
        self.fault.as_ref().filter(|fault| is_blocking(fault)).or_else(of_connectors)
    }

    /// Whether energy may flow as far as this EVSE is concerned (C01.FR.01, G05.FR.01).
    pub(super) fn may_charge(&self) -> bool {
        self.authorization.is_some()
            && self.plugged.is_some()
            && !self.lock_failed
            && self.recover_by.is_none()
            && !self.limit.is_some_and(|limit| limit.is_zero())
            && self.blocking_fault(self.plugged).is_none()
            && self.transaction.as_ref().is_none_or(|transaction| !transaction.barred)
    }

    /// Whether somebody uses the EVSE, charging or not.
    fn is_in_use(&self) -> bool {
        self.transaction.is_some()
            || self.authorization.is_some()
            || self.authorizing.is_some()
            || self.plugged.is_some()
            || self.locked.is_some()
    }

    /// Whether a cable without a vehicle is locked in this connector.
    pub(super) fn holds_cable(&self, connector: u32) -> bool {
        self.plugged.is_none() && self.locked == Some(connector)
    }

    /// 2.x's state of charging (2.1 part 2, `ChargingStateEnumType`).
    pub(super) fn charging_state(&self) -> ChargingState {
        match () {
            () if self.plugged.is_none() => ChargingState::Idle,
            () if self.authorization.is_none() => ChargingState::EvConnected,
            () if !self.may_charge() => ChargingState::SuspendedEvse,
            () if self.vehicle.ready => ChargingState::Charging,
            () => ChargingState::SuspendedEv,
        }
    }

    /// Status of a connector in 1.6's words (edition 2, 4.9), from which 2.x's follow.
    pub(super) fn status(&self, connector: &Connector, station: StationCondition) -> ConnectorStatus {
        if station.faulted || self.blocking_fault(Some(connector.id)).is_some() {
            return ConnectorStatus::Faulted;
        }
        let operative = station.operative && self.operative && connector.operative;
        let waits_for_plug = self.change_scheduled && self.plugged.is_some();
        if !operative && self.transaction.is_none() && !waits_for_plug {
            return ConnectorStatus::Unavailable;
        }
        if station.held_for_firmware && !self.is_in_use() {
            return ConnectorStatus::Unavailable;
        }
        let meant = self.authorization.as_ref().and_then(|authorization| authorization.connector);
        if self.plugged.or(meant).is_some_and(|used| used != connector.id) {
            // Another connector of the EVSE is in use. 2.x wants no report about that (G01.FR.08); 1.6, which knows no
            // EVSE, has no other word for a connector that can't be used.
            return match station.version {
                Version::V1_6 => ConnectorStatus::Unavailable,
                Version::V2_0_1 | Version::V2_1 => ConnectorStatus::Available,
            };
        }
        match (&self.transaction, &self.authorization) {
            // The EV is disconnected on its side (1.6 edition 2, 4.9).
            (Some(_), Some(_)) if self.plugged.is_none() => ConnectorStatus::SuspendedEv,
            (Some(_), Some(_)) => match self.charging_state() {
                ChargingState::Charging => ConnectorStatus::Charging,
                ChargingState::SuspendedEvse => ConnectorStatus::SuspendedEvse,
                _ => ConnectorStatus::SuspendedEv,
            },
            (Some(transaction), None) if transaction.was_authorized() => ConnectorStatus::Finishing,
            (Some(_), None) => ConnectorStatus::Preparing,
            (None, _) if self.finishing && self.plugged.is_some() => ConnectorStatus::Finishing,
            // The cable waits for its owner (E09.FR.03; 1.6 edition 2, 4.9: EV side disconnected).
            (None, None) if self.holds_cable(connector.id) => ConnectorStatus::Finishing,
            // Until whoever it is kept for is there; in 2.x a plug occupies it all the same (1.6 edition 2, 4.9: G2).
            (None, None) if self.reserved && (self.plugged.is_none() || station.version == Version::V1_6) => {
                ConnectorStatus::Reserved
            }
            (None, None) if self.plugged.is_none() && self.authorizing.is_none() => ConnectorStatus::Available,
            (None, _) => ConnectorStatus::Preparing,
        }
    }
}

/// What the status of each connector depends on besides its EVSE.
#[derive(Debug, Clone, Copy)]
pub(super) struct StationCondition {
    pub(super) operative: bool,
    pub(super) faulted: bool,
    /// Whether nobody new may charge because of new firmware.
    pub(super) held_for_firmware: bool,
    pub(super) version: Version,
}

/// Whether a fault keeps from charging. A lock has its own rule, and the others are warnings (1.6 edition 2, 4.9).
pub(super) fn is_blocking(fault: &Fault) -> bool {
    !matches!(
        fault.code,
        FaultCode::WeakSignal
            | FaultCode::EvCommunicationError
            | FaultCode::ConnectorLockFailure
            | FaultCode::ReaderFailure
    )
}

impl Station {
    /// Where an EVSE of this number is.
    pub(super) fn position(&self, evse: u32) -> Option<usize> {
        self.evses.iter().position(|known| known.id == evse)
    }

    /// Where the EVSE of this number is, if it has this connector.
    pub(super) fn position_of(&self, evse: u32, connector: u32) -> Option<usize> {
        self.position(evse).filter(|at| self.evses[*at].connector(connector).is_some())
    }

    /// Number of a connector in 1.6, which numbers the connectors of all EVSEs through (1.6 edition 2, 3.8).
    pub(super) fn through_number(&self, evse: u32, connector: u32) -> u32 {
        let before = self.evses.iter().take_while(|known| known.id != evse);
        before.map(|known| u32::try_from(known.connectors.len()).unwrap_or(u32::MAX)).sum::<u32>() + connector
    }

    /// EVSE and connector behind a number of 1.6.
    pub(super) fn by_through_number(&self, number: i64) -> Option<(u32, u32)> {
        let mut rest = u32::try_from(number).ok().filter(|number| *number > 0)?;
        for evse in &self.evses {
            let connectors = u32::try_from(evse.connectors.len()).unwrap_or(u32::MAX);
            if rest <= connectors {
                return Some((evse.id, rest));
            }
            rest -= connectors;
        }
        None
    }

    pub(super) fn condition(&self) -> StationCondition {
        StationCondition {
            operative: self.operative,
            faulted: self.fault.as_ref().is_some_and(is_blocking),
            held_for_firmware: self.is_held_for_firmware(),
            version: self.version(),
        }
    }

    /// Whether somebody new may use the EVSE, or this connector of it.
    pub(super) fn is_usable(&self, at: usize, connector: Option<u32>) -> bool {
        let evse = &self.evses[at];
        let is_operative = |wanted: u32| evse.connector(wanted).is_some_and(|known| known.operative);
        self.operative
            && evse.operative
            && connector
                .or(evse.plugged)
                .map_or_else(|| evse.connectors.iter().any(|known| known.operative), is_operative)
            && !self.fault.as_ref().is_some_and(is_blocking)
            && evse.blocking_fault(connector.or(evse.plugged)).is_none()
            && evse.recover_by.is_none()
            && !(evse.plugged.is_none() && evse.locked.is_some())
            && self.restart.is_none()
            && !self.outbox.is_full()
            && !self.is_held_for_firmware()
    }

    /// Tells the hardware and the integrator what follows from what has changed.
    pub(super) fn settle_hardware(&mut self) {
        let condition = self.condition();
        let withheld = self.restart.as_ref().is_some_and(|restart| restart.is_under_way());
        for at in 0..self.evses.len() {
            self.settle_lock(at);
            self.await_token(at);
            let evse = &mut self.evses[at];
            let permitted = evse.may_charge() && !condition.faulted && !withheld;
            if core::mem::replace(&mut evse.permitted, permitted) != permitted {
                let evse = evse.id;
                self.journal.effect(Output::PermitEnergy { evse, permitted });
            }
            let evse = &self.evses[at];
            let statuses: Vec<_> = evse.connectors.iter().map(|connector| evse.status(connector, condition)).collect();
            let evse = &mut self.evses[at];
            for (connector, status) in evse.connectors.iter_mut().zip(statuses) {
                if connector.shown.replace(status) != Some(status) {
                    let event = Event::ConnectorStatus { evse: evse.id, connector: connector.id, status };
                    self.journal.effect(Output::Event(event));
                }
            }
        }
    }

    /// The plug is locked while its driver may charge, and released afterwards (E06.FR.10; 1.6 edition 2, 4.10).
    fn settle_lock(&mut self, at: usize) {
        let evse = &mut self.evses[at];
        if !evse.detachable_cable {
            return;
        }
        let wanted = evse.plugged.filter(|_| evse.authorization.is_some() && !evse.lock_failed);
        match (evse.locked, wanted) {
            (None, Some(connector)) => {
                evse.locked = Some(connector);
                let evse = evse.id;
                self.effect(Output::Lock { evse, connector });
            }
            (Some(connector), None) if evse.authorization.is_none() && evse.locked_for.is_none() => {
                evse.locked = None;
                let evse = evse.id;
                self.effect(Output::Unlock { evse, connector });
            }
            _ => {}
        }
    }

    /// A lock did not close (G05.FR.01 to 03).
    pub(super) fn lock_failed(&mut self, at: usize, connector: u32) {
        let evse = &mut self.evses[at];
        evse.lock_failed = true;
        evse.locked = None;
        let id = evse.id;
        if let Some(known) = evse.connectors.iter_mut().find(|known| known.id == connector) {
            known.fault = Some(Fault::new(FaultCode::ConnectorLockFailure));
        }
        let at_time = self.utc();
        self.request(super::calls::Call::LockProblem { evse: id, connector, at: at_time });
        self.charging_state_changed(at);
    }

    /// Whether 2.x or 1.6 wants the authorisation to end with the vehicle's plug (E09.FR.01; 1.6 edition 2, 9.1.23).
    pub(super) fn stops_on_disconnect(&self) -> bool {
        self.settings.boolean(Key::StopTxOnEvSideDisconnect)
    }
}
