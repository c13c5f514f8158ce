//! Values that are taken at fixed times of the day (2.1 part 2, J01; 1.6 edition 2, 3.16.2).

use core::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ocpp_types::Version;

use super::{Context, MeterValue};
use crate::station::Station;
use crate::station::settings::Key;
use crate::station::transactions::Trigger;
use crate::time::Instant;

/// How late a moment is still the moment.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// When values are taken next.
#[derive(Debug, Default)]
pub(in crate::station) struct Aligned {
    updated: Rhythm,
    /// For the last message of a transaction.
    ended: Rhythm,
}

#[derive(Debug, Default)]
struct Rhythm {
    next: Option<Moment>,
    last: Option<Timestamp>,
}

/// A time of the day and when it comes.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: Instant,
    utc: Timestamp,
}

impl Aligned {
    pub(in crate::station) fn deadline(&self) -> Option<Instant> {
        [&self.updated, &self.ended].into_iter().filter_map(|rhythm| rhythm.next).map(|moment| moment.at).min()
    }
}

impl Rhythm {
    fn schedule(&mut self, now: (Instant, Timestamp), interval: Duration) {
        let (instant, utc) = now;
        let Some(mut next) = boundary_after(utc, interval) else {
            self.next = None;
            return;
        };
        // A clock that is set back by a moment doesn't bring back what was taken already.
        if self.last == Some(next) && next.duration_since(utc) < TOLERANCE {
            next = boundary_after(next, interval).unwrap_or(next);
        }
        let wait = Duration::try_from(next.duration_since(utc)).unwrap_or_default();
        self.next = Some(Moment { at: instant + wait, utc: next });
    }

    /// The time of day that has come, if one has.
    fn take_due(&mut self, now: (Instant, Timestamp)) -> Option<Timestamp> {
        let (instant, utc) = now;
        let moment = self.next.take_if(|moment| moment.at <= instant)?;
        // The machine's clock may have been set meanwhile.
        let late = utc.duration_since(moment.utc);
        if late.is_negative() {
            return None;
        }
        self.last = Some(moment.utc);
        Some(if late < TOLERANCE { moment.utc } else { utc })
    }
}

/// The next time that is a whole number of intervals after midnight, or midnight. Each day is divided anew (1.6 edition 2,
/// 9.1.5; 2.1 part 2, `AlignedDataCtrlr.Interval`).
fn boundary_after(utc: Timestamp, interval: Duration) -> Option<Timestamp> {
    let interval = i64::try_from(interval.as_secs()).ok().filter(|interval| *interval > 0)?;
    let midnight = utc.to_zoned(TimeZone::UTC).start_of_day().ok()?.timestamp();
    let of_day = utc.duration_since(midnight).as_secs();
    let next = ((of_day / interval + 1) * interval).min(86_400);
    midnight.checked_add(SignedDuration::from_secs(next)).ok()
}

impl Station {
    fn aligned_interval(&self, for_end: bool) -> Duration {
        if !self.settings.boolean(Key::AlignedEnabled) {
            return Duration::ZERO;
        }
        let has_own = for_end && self.version() != Version::V1_6;
        self.settings.duration(if has_own { Key::AlignedTxEndedInterval } else { Key::AlignedInterval })
    }

    /// Finds the next moments: the station started, its clock was set, or a setting was changed.
    pub(in crate::station) fn schedule_aligned(&mut self) {
        let now = (self.now.instant, self.utc());
        let [updated, ended] = [false, true].map(|for_end| self.aligned_interval(for_end));
        self.aligned.updated.schedule(now, updated);
        self.aligned.ended.schedule(now, ended);
    }

    /// A time of the day may have come.
    pub(in crate::station) fn take_aligned(&mut self) {
        let now = (self.now.instant, self.utc());
        if self.aligned.deadline().is_none_or(|deadline| deadline > now.0) {
            return;
        }
        let updated = self.aligned.updated.take_due(now);
        let ended = self.aligned.ended.take_due(now);
        self.schedule_aligned();
        self.align(updated, ended);
    }

    /// Takes clock-aligned values now, as far as they are switched on.
    pub(in crate::station) fn align_now(&mut self) {
        let now = self.utc();
        let [updated, ended] = [false, true].map(|for_end| (!self.aligned_interval(for_end).is_zero()).then_some(now));
        if updated.is_none() && ended.is_none() {
            self.ignore("clock-aligned meter values are switched off");
        }
        self.align(updated, ended);
    }

    fn align(&mut self, updated: Option<Timestamp>, ended: Option<Timestamp>) {
        // J01.FR.20
        let is_busy = self.evses.iter().any(|evse| evse.transaction.is_some());
        let is_silent = is_busy && self.settings.boolean(Key::AlignedSendDuringIdle);
        if let Some(time) = updated.filter(|_| !is_silent) {
            // J01.FR.03, J01.FR.04
            if let Some(value) = self.main_meter_value(Key::AlignedMeasurands, Context::Clock, time) {
                self.tell_in_rhythm(0, 0, value);
            }
            for (at, value) in self.aligned_values(Key::AlignedMeasurands, time) {
                if self.evses[at].transaction.is_some() {
                    // J01.FR.22
                    self.update_transaction(at, Trigger::MeterValueClock, Some(value));
                } else {
                    // J01.FR.14
                    let connector = self.evses[at].plugged.unwrap_or(1);
                    self.tell_in_rhythm(self.evses[at].id, connector, value);
                }
            }
        }
        if let Some(time) = ended {
            for (at, value) in self.aligned_values(Key::AlignedTxEndedMeasurands, time) {
                self.collect(at, value);
            }
        }
    }

    /// What the meters of the EVSEs say; not of those whose meter has to speak first.
    /// 1.6 errata 3.16
    fn aligned_values(&self, key: Key, time: Timestamp) -> alloc::vec::Vec<(usize, MeterValue)> {
        (0..self.evses.len())
            .filter(|at| self.evses[*at].recover_by.is_none())
            .filter_map(|at| Some((at, self.value_at(at, &[key], Context::Clock, time)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_divided_anew_from_midnight() {
        for (now, interval, next) in [
            ("2026-11-20T08:00:00Z", 900, "2026-11-20T08:15:00Z"),
            ("2026-11-20T08:14:59.999Z", 900, "2026-11-20T08:15:00Z"),
            ("2026-11-20T23:59:00Z", 7_000, "2026-11-21T00:00:00Z"),
            ("2026-11-21T00:00:00Z", 7_000, "2026-11-21T01:56:40Z"),
            ("2026-11-20T12:00:00Z", 86_400, "2026-11-21T00:00:00Z"),
            ("2026-11-20T12:00:00.5Z", 1, "2026-11-20T12:00:01Z"),
        ] {
            let next: Timestamp = next.parse().unwrap();
            assert_eq!(boundary_after(now.parse().unwrap(), Duration::from_secs(interval)), Some(next), "{now}");
        }
        assert_eq!(boundary_after("2026-11-20T12:00:00Z".parse().unwrap(), Duration::ZERO), None);
    }

    fn utc(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    /// A rhythm of a quarter of an hour, that waits for 08:15 since 08:00, and what the machine's clock says then.
    fn due_at(clock: &str) -> Option<Timestamp> {
        let mut rhythm = Rhythm::default();
        rhythm.schedule((Instant::ORIGIN, utc("2026-11-20T08:00:00Z")), Duration::from_secs(900));
        let instant = Instant::ORIGIN + Duration::from_secs(900);
        assert_eq!(rhythm.next.map(|moment| moment.at), Some(instant));
        rhythm.take_due((instant, utc(clock)))
    }

    #[test]
    fn a_value_bears_its_moment_unless_it_is_taken_late() {
        assert_eq!(due_at("2026-11-20T08:15:00.007Z"), Some(utc("2026-11-20T08:15:00Z")));
        assert_eq!(due_at("2026-11-20T08:16:40Z"), Some(utc("2026-11-20T08:16:40Z")));
    }

    #[test]
    fn a_moment_that_has_not_come_by_the_clock_is_waited_for_again() {
        assert_eq!(due_at("2026-11-20T07:15:00Z"), None);
    }
}
