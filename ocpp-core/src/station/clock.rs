//! The station's time: what the CSMS said last, carried on by the clock that never goes back.

use alloc::format;
use core::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::security::SecurityEvent;
use super::settings::Key;
use super::{Output, Station};
use crate::time::{Instant, Now};

/// A difference that is not worth setting the machine's clock for.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// Where the station's time comes from.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// What the CSMS said, and when. Without it the machine's clock has to do.
    anchor: Option<(Instant, Timestamp)>,
}

impl Clock {
    /// The station's time, in whole milliseconds, so that it looks the same in memory, in a record and on the wire.
    pub(super) fn utc(&self, now: Now) -> Timestamp {
        let utc = match self.anchor {
            Some((instant, utc)) => SignedDuration::try_from(now.instant.saturating_since(instant))
                .ok()
                .and_then(|elapsed| utc.checked_add(elapsed).ok())
                .unwrap_or(Timestamp::MAX),
            None => now.utc,
        };
        Timestamp::from_millisecond(utc.as_millisecond()).unwrap_or(utc)
    }

    /// Takes over what the CSMS says. Returns whether the station's time was noticeably different before.
    fn synchronize(&mut self, now: Now, utc: Timestamp) -> bool {
        let difference = self.utc(now).duration_since(utc).abs();
        self.anchor = Some((now.instant, utc));
        difference >= TOLERANCE
    }
}

impl Station {
    /// The station's time.
    pub(super) fn utc(&self) -> Timestamp {
        self.clock.utc(self.now)
    }

    /// The CSMS said what time it is (B01.FR.06, G02.FR.06; 1.6 edition 2, 4.2 and 4.6).
    pub(super) fn synchronize_clock(&mut self, utc: Timestamp) {
        let before = self.utc();
        if self.clock.synchronize(self.now, utc) {
            let threshold = self.settings.integer(Key::TimeAdjustmentReportingThreshold);
            if utc.duration_since(before).abs() > SignedDuration::from_secs(threshold) {
                self.security_event(SecurityEvent::SettingSystemTime, Some(&format!("{before:.3}")));
            }
            self.effect(Output::SetClock(utc));
        }
        self.schedule_aligned();
    }
}

/// Seconds of a setting as a duration.
pub(super) fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
