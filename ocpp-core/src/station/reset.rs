//! Restarting on request (2.1 part 2, B11 to B13; 1.6 edition 2, 5.14, errata 3.36, 3.82).

use core::time::Duration;

use super::config::BootReason;
use super::event::Event;
use super::security::SecurityEvent;
use super::settings::Key;
use super::transactions::{Happening, StoppedReason, Trigger};
use super::{Output, Station};
use crate::time::Instant;

/// How long a restart waits for the messages about the transactions that it ended (B12.FR.05).
const PATIENCE: Duration = Duration::from_secs(30);

/// How to restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reset {
    /// Now, ending what goes on for this reason.
    Now(StoppedReason),
    /// When nothing goes on any more.
    OnIdle,
    /// Now, going on with what goes on afterwards (2.1).
    Resume,
}

/// What becomes of a request to restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResetOutcome {
    Accepted,
    Scheduled,
    Rejected,
}

/// A restart that is to come.
#[derive(Debug)]
pub(super) struct Restart {
    reason: BootReason,
    /// Until when it waits for messages to be delivered; not set before everything has ended.
    deadline: Option<Instant>,
    done: bool,
    /// Attempts that have failed.
    failures: i64,
}

impl Restart {
    /// Whether no energy may flow any more.
    pub(super) fn is_under_way(&self) -> bool {
        self.deadline.is_some()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline.filter(|_| !self.done)
    }
}

impl Station {
    pub(super) fn reset(&mut self, reset: Reset, reason: BootReason) -> ResetOutcome {
        // What is half installed may not start any more.
        if self.firmware.is_installing() && reason != BootReason::LocalReset {
            return ResetOutcome::Rejected;
        }
        let is_idle = self.evses.iter().all(|evse| evse.transaction.is_none());
        match reset {
            Reset::Resume if !is_idle => {
                // B13.FR.01
                if self.settings.integer(Key::TxResumptionTimeout) == 0 {
                    return ResetOutcome::Rejected;
                }
                for at in 0..self.evses.len() {
                    if let Some(transaction) = &mut self.evses[at].transaction {
                        transaction.resumes = true;
                        // B13.FR.04
                        self.update_transaction(at, Trigger::ResetCommand, None);
                    }
                }
            }
            // B12.FR.01
            Reset::OnIdle if !is_idle => {
                self.restart =
                    Some(Restart { reason: BootReason::ScheduledReset, deadline: None, done: false, failures: 0 });
                return ResetOutcome::Scheduled;
            }
            Reset::Now(stopped) => {
                for at in 0..self.evses.len() {
                    // B12.FR.04
                    let happening = Happening::new(Trigger::ResetCommand, stopped);
                    self.end_authorization(at, happening.at_once());
                }
            }
            Reset::Resume | Reset::OnIdle => {}
        }
        let deadline = Some(self.now.instant + PATIENCE);
        self.restart = Some(Restart { reason, deadline, done: false, failures: 0 });
        ResetOutcome::Accepted
    }

    /// Somebody at the station wants it restarted.
    pub(super) fn local_reset(&mut self) {
        self.reset(Reset::Now(StoppedReason::Reboot), BootReason::LocalReset);
    }

    /// The restart did not happen: it is tried again as often as a setting says (1.6 edition 2, 9.1.22), and then given up.
    pub(super) fn restart_failed(&mut self) {
        let retries = self.settings.integer(Key::ResetRetries);
        let Some(restart) = self.restart.as_mut().filter(|restart| restart.done) else {
            self.ignore("a restart failed that nobody asked for");
            return;
        };
        restart.failures += 1;
        if restart.failures <= retries {
            self.effect(Output::Restart { evse: None });
        } else {
            self.restart = None;
            self.save_boot_record();
            self.effect(Output::Event(Event::RestartGivenUp));
            self.firmware_restart_given_up();
        }
    }

    /// Restarts into new firmware: nothing goes on any more.
    pub(super) fn restart_for_firmware(&mut self) {
        let deadline = Some(self.now.instant + PATIENCE);
        self.restart = Some(Restart { reason: BootReason::FirmwareUpdate, deadline, done: false, failures: 0 });
    }

    /// Restarts when nothing is to be waited for any more.
    pub(super) fn restart_if_ready(&mut self) {
        let is_idle = self.evses.iter().all(|evse| evse.transaction.is_none());
        let Some(restart) = self.restart.as_mut().filter(|restart| !restart.done) else { return };
        let deadline = match restart.deadline {
            Some(deadline) => deadline,
            // B12.FR.03: what went on has ended as it would have anyway.
            None if is_idle => *restart.deadline.insert(self.now.instant + PATIENCE),
            None => return,
        };
        let is_told = self.outbox.len() == 0 && self.progress.is_empty();
        let is_delivered = is_told || !self.connection.is_up();
        if is_delivered || deadline <= self.now.instant {
            restart.done = true;
            let reason = restart.reason;
            self.security_event(SecurityEvent::ResetOrReboot, None);
            self.save_boot_record_for(Some(reason));
            self.effect(Output::Restart { evse: None });
        }
    }
}
