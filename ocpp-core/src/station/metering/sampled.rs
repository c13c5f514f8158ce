//! Values that are taken again and again while a transaction lasts (2.1 part 2, J02; 1.6 edition 2, 3.16.1).

use core::time::Duration;

use ocpp_types::Version;

use super::Context;
use crate::station::Station;
use crate::station::settings::Key;
use crate::station::transactions::Trigger;
use crate::time::Instant;

/// The next moment of a rhythm after this one. The rhythm is kept even if the timer comes late; moments that have passed
/// altogether are left out.
fn next(due: Instant, interval: Duration, now: Instant) -> Instant {
    let next = due + interval;
    if next > now { next } else { now + interval }
}

impl Station {
    /// The time between two samples, for the messages in the course of a transaction or for its last one; 1.6 has one setting
    /// for both.
    fn sample_interval(&self, for_end: bool) -> Duration {
        if !self.settings.boolean(Key::SampledEnabled) {
            return Duration::ZERO;
        }
        let has_own = for_end && self.version() != Version::V1_6;
        self.settings.duration(if has_own { Key::TxEndedInterval } else { Key::TxUpdatedInterval })
    }

    /// Begins to take samples, or ends it: a transaction began or ended, or the interval was changed.
    pub(in crate::station) fn schedule_sample(&mut self, at: usize) {
        let intervals = [self.sample_interval(false), self.sample_interval(true)];
        let evse = &mut self.evses[at];
        let is_sampled = evse.transaction.is_some() && evse.recover_by.is_none();
        // An interval of 0 switches sampling off (J02.FR.11; 1.6 edition 2, 9.1.19).
        let [updated, ended] =
            intervals.map(|interval| (is_sampled && !interval.is_zero()).then(|| self.now.instant + interval));
        evse.sample_at = updated;
        evse.end_sample_at = ended;
    }

    pub(in crate::station) fn reschedule_samples(&mut self) {
        for at in 0..self.evses.len() {
            self.schedule_sample(at);
        }
    }

    /// The moment of a sample has come.
    pub(in crate::station) fn take_samples(&mut self) {
        let now = self.now.instant;
        let interval = self.sample_interval(false);
        let mut sampled = false;
        for at in 0..self.evses.len() {
            let Some(due) = self.evses[at].sample_at.filter(|due| *due <= now) else { continue };
            self.evses[at].sample_at = Some(next(due, interval, now));
            sampled = true;
            if let Some(value) = self.meter_value(at, Key::TxUpdatedMeasurands, Context::Periodic) {
                self.update_transaction(at, Trigger::MeterValuePeriodic, Some(value));
            }
        }
        if sampled {
            self.sample_main_meter(interval);
        }
        let interval = self.sample_interval(true);
        for at in 0..self.evses.len() {
            let Some(due) = self.evses[at].end_sample_at.filter(|due| *due <= now) else { continue };
            self.evses[at].end_sample_at = Some(next(due, interval, now));
            if let Some(value) = self.meter_value(at, Key::TxEndedMeasurands, Context::Periodic) {
                self.collect(at, value);
            }
        }
    }

    /// In 1.6 the main meter is sampled together with the connectors (edition 2, 3.16.3). In 2.x samples belong to the EVSE of
    /// the transaction (J02.FR.22).
    fn sample_main_meter(&mut self, interval: Duration) {
        let is_early = self.main_meter.next_sample.is_some_and(|next| next > self.now.instant);
        if self.version() == Version::V1_6 && !is_early {
            self.main_meter.next_sample = Some(self.now.instant + interval);
            if let Some(value) = self.main_meter_value(Key::TxUpdatedMeasurands, Context::Periodic, self.utc()) {
                self.tell_in_rhythm(0, 0, value);
            }
        }
    }
}
