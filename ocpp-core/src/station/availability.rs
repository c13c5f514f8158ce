//! What the CSMS lets be used (2.1 part 2, G03 and G04; 1.6 edition 2, 5.2). It outlives a restart (G03.FR.08).

use alloc::format;
use alloc::string::String;

use super::Station;

/// What a change of availability is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Station,
    Evse(u32),
    Connector(u32, u32),
}

/// What became of a change of availability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AvailabilityChange {
    Accepted,
    /// After the transaction.
    Scheduled,
    /// There is no such EVSE or connector.
    Rejected,
}

impl Place {
    fn record(self) -> String {
        match self {
            Self::Station => "availability/station".into(),
            Self::Evse(evse) => format!("availability/{evse}"),
            Self::Connector(evse, connector) => format!("availability/{evse}/{connector}"),
        }
    }

    fn from_record(name: &str) -> Option<Self> {
        if name == "station" {
            return Some(Self::Station);
        }
        Some(match name.split_once('/') {
            Some((evse, connector)) => Self::Connector(evse.parse().ok()?, connector.parse().ok()?),
            None => Self::Evse(name.parse().ok()?),
        })
    }
}

impl Station {
    pub(super) fn change_availability(&mut self, place: Place, operative: bool) -> AvailabilityChange {
        let Some(was_operative) = self.set_availability(place, operative) else { return AvailabilityChange::Rejected };
        if operative {
            self.journal.delete(place.record());
        } else {
            self.journal.put(place.record(), &operative);
        }
        // G03.FR.03: the state that it is in already is accepted.
        if was_operative == operative {
            return AvailabilityChange::Accepted;
        }
        let mut scheduled = false;
        for evse in self.evses.iter_mut().filter(|evse| match place {
            Place::Station => true,
            Place::Evse(id) | Place::Connector(id, _) => evse.id == id,
        }) {
            // G03.FR.05, G04.FR.06: nothing is torn out of a transaction.
            evse.change_scheduled = !operative && evse.transaction.is_some();
            scheduled |= evse.change_scheduled;
        }
        if scheduled { AvailabilityChange::Scheduled } else { AvailabilityChange::Accepted }
    }

    /// Sets the availability of a place and says what it was; `None` where there is no such place.
    fn set_availability(&mut self, place: Place, operative: bool) -> Option<bool> {
        let slot = match place {
            Place::Station => &mut self.operative,
            Place::Evse(id) => &mut self.evses.iter_mut().find(|evse| evse.id == id)?.operative,
            Place::Connector(id, connector) => {
                let evse = self.evses.iter_mut().find(|evse| evse.id == id)?;
                &mut evse.connectors.iter_mut().find(|known| known.id == connector)?.operative
            }
        };
        Some(core::mem::replace(slot, operative))
    }

    /// Takes over what a predecessor stored. An EVSE that is gone is forgotten.
    pub(super) fn restore_availability(&mut self, name: &str) {
        if let Some(place) = Place::from_record(name) {
            self.set_availability(place, false);
        }
    }
}
