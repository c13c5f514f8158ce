//! Transactions that a power cut or restart interrupted (2.1 part 2, E17; 1.6 edition 2, 5.14).

use core::time::Duration;

use super::{ChargingState, Happening, StoppedReason, StoredTransaction, Transaction, Trigger};
use crate::station::Station;
use crate::station::config::BootReason;
use crate::station::settings::Key;

/// How long the meter has to say where it stands, before what was stored has to do.
const PATIENCE: Duration = Duration::from_secs(10);

impl Station {
    /// Takes over a transaction of a predecessor. What becomes of it is decided when the meter has spoken: energy that
    /// flowed after the last record counts.
    pub(in crate::station) fn restore_transaction(&mut self, evse: u32, stored: StoredTransaction) {
        let Some(at) = self.position(evse) else { return };
        let deadline = self.now.instant + PATIENCE;
        let evse = &mut self.evses[at];
        evse.reading = stored.transaction.reading.clone();
        evse.authorization = stored.authorization;
        evse.transaction = Some(stored.transaction);
        evse.recover_by = Some(deadline);
    }

    /// The meter didn't speak in time.
    pub(in crate::station) fn recover_overdue(&mut self) {
        for at in 0..self.evses.len() {
            if self.evses[at].recover_by.is_some_and(|deadline| deadline <= self.now.instant) {
                self.recover(at, true);
            }
        }
    }

    /// Ends an interrupted transaction or goes on with it, once what that takes is known. `overdue` says that there is no
    /// more time to wait for it.
    pub(in crate::station) fn recover(&mut self, at: usize, overdue: bool) {
        let evse = &self.evses[at];
        let Some(transaction) = evse.transaction.as_ref().filter(|_| evse.recover_by.is_some()) else { return };
        let timeout = self.settings.integer(Key::TxResumptionTimeout);
        let interruption = self.utc().duration_since(transaction.seen_at).as_secs();
        let resumes = transaction.resumes || (timeout > 0 && interruption <= timeout);
        let is_known = evse.meter_spoke && (!resumes || evse.plugged.is_some());
        if !is_known && !overdue {
            return;
        }
        self.evses[at].recover_by = None;
        if resumes {
            self.resume(at);
        } else {
            // E17.FR.20 to 22
            let reason = match self.provisioning.reason {
                BootReason::PowerUp | BootReason::Unknown => StoppedReason::PowerLoss,
                _ => StoppedReason::Reboot,
            };
            let happening = Happening::new(Trigger::AbnormalCondition, reason);
            self.end_transaction(at, happening.at_once());
        }
    }

    /// E17.FR.10 to 18
    fn resume(&mut self, at: usize) {
        let resumes_energy = self.settings.boolean(Key::TxAllowEnergyTransferResumption);
        let is_charging = |transaction: &Transaction| transaction.told_state == ChargingState::Charging;
        if let Some(transaction) = &mut self.evses[at].transaction {
            // E17.FR.12
            transaction.barred |= !resumes_energy && is_charging(transaction);
            transaction.resumes = false;
        }
        self.schedule_sample(at);
        // E17.FR.14
        self.update_transaction(at, Trigger::TxResumed, None);
        // E17.FR.17: a cable that is gone may have ended it.
        let points = self.points(at);
        if let Some(transaction) = &self.evses[at].transaction
            && self.stop_point_passed(transaction.reached, points)
        {
            self.end_transaction(at, Happening::new(Trigger::EvCommunicationLost, StoppedReason::EvDisconnected));
        }
    }
}
