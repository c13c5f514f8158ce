//! What a station waits for, in one place.

use super::Station;
use super::output::{Deadline, Timer};
use crate::time::Instant;

impl Station {
    /// When to report [`Input::Timeout`](super::Input::Timeout), and why; `None` while the station waits for nothing but facts.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        self.deadlines().min()
    }

    fn deadlines(&self) -> impl Iterator<Item = Deadline> {
        let one = |timer: Timer, at: Option<Instant>| at.map(|at| Deadline { at, timer });
        let redelivery = self.outbox.retry_at.filter(|_| self.may_send());
        let boot_retry = self.provisioning.retry_at.filter(|_| self.is_connected());
        let question = self.questions.iter().map(|pending| pending.deadline).min();
        let restart = self.restart.as_ref().and_then(super::Restart::deadline);
        let of_station = [
            one(Timer::Reconnect, self.connection.retry_at()),
            one(Timer::BootRetry, boot_retry),
            one(Timer::Heartbeat, self.provisioning.heartbeat_at.filter(|_| self.may_send())),
            one(Timer::Call, self.endpoint.poll_timeout()),
            one(Timer::Redelivery, redelivery),
            one(Timer::Certificate, self.certificate_deadline()),
            one(Timer::SecurityEvent, self.security_log.retry_at.filter(|_| self.may_send())),
            one(Timer::Question, question),
            one(Timer::ChargingLimit, self.charging.next_change),
            one(Timer::VehicleSchedule, self.offer_deadline()),
            one(Timer::ChargingValues, self.pull_deadline().filter(|_| self.may_send())),
            one(Timer::Restart, restart),
            one(Timer::ClockAligned, self.aligned.deadline()),
            one(Timer::Reservation, self.reservation_deadline()),
            one(Timer::Status, self.status_deadline().filter(|_| self.may_send())),
            one(Timer::Firmware, self.firmware_deadline()),
            one(Timer::Log, self.logs.deadline()),
        ];
        let of_evses = self.evses.iter().flat_map(move |evse| {
            [
                one(Timer::EvConnection { evse: evse.id }, evse.connect_by),
                one(Timer::Token { evse: evse.id }, evse.token_by.filter(|_| evse.authorizing.is_none())),
                one(Timer::Sample { evse: evse.id }, evse.sample_at),
                one(Timer::Sample { evse: evse.id }, evse.end_sample_at),
                one(Timer::Recovery { evse: evse.id }, evse.recover_by),
            ]
        });
        of_station.into_iter().chain(of_evses).flatten()
    }

    /// Does everything that is due.
    pub(super) fn time_passed(&mut self) {
        while let Some(failed) = self.endpoint.handle_timeout(self.now.instant) {
            self.call_failed(failed);
        }
        self.reconnect_if_due();
        if self.is_connected() {
            self.boot_if_due();
        }
        self.heartbeat_if_due();
        self.outbox.retry_at.take_if(|at| *at <= self.now.instant);
        self.security_log.retry_at.take_if(|at| *at <= self.now.instant);
        self.give_up_questions();
        self.give_up_waiting_for_plugs();
        self.give_up_waiting_for_tokens();
        self.recover_overdue();
        self.take_samples();
        self.take_aligned();
        self.offer_overdue();
    }
}
