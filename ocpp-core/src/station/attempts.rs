//! How often a file transfer is tried.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::seconds;

/// How often to try again where the CSMS leaves it to the station.
const OWN_RETRIES: u32 = 3;
/// How long to wait in between where the CSMS leaves it to the station.
const OWN_INTERVAL: Duration = Duration::from_secs(60);
/// No CSMS makes a station try for ever, or without a pause.
const MOST_RETRIES: u32 = 1_000;
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// Attempts at a transfer: the first one, and so many more after an interval each.
///
/// 1.6's texts waver between "try" and "retry"; the erratum for diagnostics settles it (1.6 errata 3.50), and 2.x says "retry"
/// throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempts {
    retries: u32,
    interval: Duration,
    failed: u32,
}

impl Attempts {
    /// As the CSMS wants it; what it leaves out the station decides.
    pub(super) fn new(retries: Option<i64>, interval: Option<i64>) -> Self {
        let retries = retries.map_or(OWN_RETRIES, |retries| u32::try_from(retries.max(0)).unwrap_or(MOST_RETRIES));
        Self {
            retries: retries.min(MOST_RETRIES),
            interval: interval.map_or(OWN_INTERVAL, seconds).max(SHORTEST_INTERVAL),
            failed: 0,
        }
    }

    /// Which attempt is being made, from 1.
    pub(super) fn number(&self) -> u32 {
        self.failed + 1
    }

    /// One has failed. How long to wait for the next one, if there is one.
    pub(super) fn fail(&mut self) -> Option<Duration> {
        self.failed = self.failed.saturating_add(1);
        (self.failed <= self.retries).then_some(self.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_attempt_is_followed_by_as_many_retries_as_wanted() {
        let mut attempts = Attempts::new(Some(2), Some(10));
        assert_eq!(attempts.number(), 1);
        assert_eq!(attempts.fail(), Some(Duration::from_secs(10)));
        assert_eq!(attempts.fail(), Some(Duration::from_secs(10)));
        assert_eq!(attempts.number(), 3);
        assert_eq!(attempts.fail(), None);
        assert_eq!(Attempts::new(Some(0), None).fail(), None);
    }

    #[test]
    fn what_makes_no_sense_is_bounded() {
        let mut attempts = Attempts::new(Some(i64::MAX), Some(i64::MIN));
        assert_eq!(attempts.fail(), Some(SHORTEST_INTERVAL));
        assert_eq!((0..MOST_RETRIES).filter_map(|_| attempts.fail()).count(), MOST_RETRIES as usize - 1);
        assert_eq!(Attempts::new(Some(-1), None).fail(), None);
    }
}
