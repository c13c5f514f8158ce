//! Transactions that are allowed more than others for a while (2.1, K21, K22).

use super::profile::{Place, Purpose};
use crate::station::calls::Call;
use crate::station::outbox::Called;
use crate::station::{Notice, Output, Station};

/// Why a transaction gets no priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum NoPriority {
    /// There is no such transaction.
    Transaction,
    /// No profile says what priority would be.
    Profile,
}

impl Station {
    /// The CSMS wants a transaction to have priority, or to have it no longer.
    pub(in crate::station) fn prioritize(&mut self, transaction: &str, wanted: bool) -> Result<(), NoPriority> {
        let is_meant = |evse: &crate::station::evse::Evse| {
            evse.transaction.as_ref().is_some_and(|running| running.id == transaction)
        };
        // K21.FR.02
        let at = self.evses.iter().position(is_meant).ok_or(NoPriority::Transaction)?;
        self.set_priority(at, wanted)
    }

    /// A driver wants his transaction to have priority, or to have it no longer.
    pub(in crate::station) fn priority_wanted(&mut self, at: usize, wanted: bool) {
        let evse = self.evses[at].id;
        match self.set_priority(at, wanted) {
            Ok(()) => {}
            Err(NoPriority::Transaction) => self.ignore("no transaction runs there"),
            // K22.FR.01
            Err(NoPriority::Profile) => {
                self.effect(Output::Display { evse: Some(evse), notice: Notice::NoPriorityCharging });
            }
        }
    }

    fn set_priority(&mut self, at: usize, wanted: bool) -> Result<(), NoPriority> {
        let id = self.evses[at].id;
        // K21.FR.01: one of the station is for all EVSEs.
        let is_there = self.charging.installed.profiles().iter().any(|profile| {
            profile.purpose == Purpose::Priority
                && match profile.place {
                    Place::Station => true,
                    Place::Evse { evse, .. } => evse == id,
                }
        });
        let transaction = self.evses[at].transaction.as_mut().ok_or(NoPriority::Transaction)?;
        if wanted && !is_there {
            return Err(NoPriority::Profile);
        }
        // K21.FR.04, K21.FR.06, K21.FR.07, K22.FR.02, K22.FR.04
        if core::mem::replace(&mut transaction.has_priority, wanted) != wanted {
            self.save_transaction(at);
        }
        Ok(())
    }

    /// Tells the CSMS which transactions have got priority, or lost it (K21.FR.05, K21.FR.08, K22.FR.03, K22.FR.05).
    pub(super) fn tell_priorities(&mut self) {
        for at in 0..self.evses.len() {
            let Some(transaction) = &self.evses[at].transaction else { continue };
            if transaction.has_priority == transaction.told_priority || !self.may_send() {
                continue;
            }
            let (id, activated) = (transaction.id.clone(), transaction.has_priority);
            let called = self.request(Call::PriorityCharging { transaction: id, activated });
            if let (Called::Yes | Called::NotInThisVersion, Some(transaction)) =
                (called, &mut self.evses[at].transaction)
            {
                transaction.told_priority = activated;
                self.save_transaction(at);
            }
        }
    }

    /// The connection was lost before the CSMS heard of it.
    pub(in crate::station) fn priority_not_told(&mut self, id: &str, activated: bool) {
        let running = self.evses.iter_mut().filter_map(|evse| evse.transaction.as_mut());
        for transaction in running.filter(|transaction| transaction.id == id) {
            transaction.told_priority = !activated;
        }
    }
}
