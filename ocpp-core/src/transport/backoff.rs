//! How long a station waits before it connects again.

use core::time::Duration;

/// The configuration variables of `OCPPCommCtrlr` that rule the wait (2.1 part 4, chapter 8). 1.6 asks for an
/// appropriate back-off without naming its parameters (OCPP-J 1.6 errata, 3.4), and gets the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackoffConfig {
    /// `RetryBackOffWaitMinimum`: the first wait, without its random part. 10 seconds.
    pub wait_minimum: Duration,
    /// `RetryBackOffRandomRange`: the largest random part. 10 seconds.
    pub random_range: Duration,
    /// `RetryBackOffRepeatTimes`: how often the wait is doubled before it stays as it is. 5.
    pub repeat_times: u32,
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self { wait_minimum: Duration::from_secs(10), random_range: Duration::from_secs(10), repeat_times: 5 }
    }
}

/// The waits between attempts to connect (2.1 part 4, 5.4), with the randomness from outside.
///
/// The first wait is the minimum and a random part. Each wait after a failed attempt is twice the one before and a new
/// random part, until it was doubled `repeat_times` times; from then on the last wait is repeated. A successful
/// connection starts again at the minimum (errata 2025-09 of 2.1 part 4, 4.1).
///
/// ```
/// use core::time::Duration;
/// use ocpp_core::transport::{Backoff, BackoffConfig};
///
/// let mut config = BackoffConfig::default();
/// config.repeat_times = 2;
/// let mut backoff = Backoff::new(config);
/// // The smallest random number there is: no random part.
/// let waits = [(); 4].map(|()| backoff.next_wait(0).as_secs());
/// assert_eq!(waits, [10, 20, 40, 40]);
/// backoff.reset();
/// assert_eq!(backoff.next_wait(u32::MAX), Duration::from_secs(20));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    config: BackoffConfig,
    previous: Option<Duration>,
    doublings: u32,
}

impl Backoff {
    /// The waits of a station that has just lost its connection.
    #[must_use]
    pub const fn new(config: BackoffConfig) -> Self {
        Self { config, previous: None, doublings: 0 }
    }

    /// How long to wait before the next attempt. `random` is any number, evenly distributed over its whole range.
    pub fn next_wait(&mut self, random: u32) -> Duration {
        let wait = match self.previous {
            None => self.config.wait_minimum.saturating_add(self.random_part(random)),
            Some(previous) if self.doublings < self.config.repeat_times => {
                self.doublings += 1;
                previous.saturating_mul(2).saturating_add(self.random_part(random))
            }
            Some(previous) => previous,
        };
        self.previous = Some(wait);
        wait
    }

    /// The connection was made: the next wait is the first one again.
    pub fn reset(&mut self) {
        self.previous = None;
        self.doublings = 0;
    }

    /// The variables were changed. The waits go on from where they are.
    pub fn configure(&mut self, config: BackoffConfig) {
        self.config = config;
    }

    /// From nothing to the whole range, both included.
    fn random_part(&self, random: u32) -> Duration {
        let nanoseconds = self.config.random_range.as_nanos() * u128::from(random) / u128::from(u32::MAX);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    // 2.1 part 4, 5.4
    #[test]
    fn the_wait_doubles_the_configured_number_of_times_and_then_stays() {
        let config = BackoffConfig { wait_minimum: seconds(3), random_range: seconds(0), repeat_times: 3 };
        let mut backoff = Backoff::new(config);
        let waits = [(); 6].map(|()| backoff.next_wait(12345).as_secs());
        assert_eq!(waits, [3, 6, 12, 24, 24, 24]);
    }

    // 2.1 part 4, 5.4
    #[test]
    fn a_new_random_part_is_added_to_every_increasing_wait() {
        let config = BackoffConfig { wait_minimum: seconds(10), random_range: seconds(4), repeat_times: 2 };
        let mut backoff = Backoff::new(config);
        let half = u32::MAX / 2;
        let waits = [0, half, u32::MAX, u32::MAX].map(|random| backoff.next_wait(random).as_millis());
        assert_eq!(waits, [10_000, 21_999, 47_999, 47_999]);
    }

    // 2.1 part 4, 8.1: no doubling at all
    #[test]
    fn without_repetitions_every_wait_is_the_first() {
        let config = BackoffConfig { wait_minimum: seconds(5), random_range: seconds(0), repeat_times: 0 };
        let mut backoff = Backoff::new(config);
        assert_eq!([(); 3].map(|()| backoff.next_wait(7)), [seconds(5); 3]);
    }

    // Errata 2025-09 of 2.1 part 4, 4.1
    #[test]
    fn a_successful_connection_starts_again_at_the_minimum() {
        let mut backoff = Backoff::new(BackoffConfig::default());
        for _ in 0..4 {
            backoff.next_wait(0);
        }
        backoff.reset();
        assert_eq!([(); 2].map(|()| backoff.next_wait(0)), [seconds(10), seconds(20)]);
    }

    #[test]
    fn extreme_configurations_do_not_overflow() {
        let config = BackoffConfig { wait_minimum: Duration::MAX, random_range: Duration::MAX, repeat_times: u32::MAX };
        let mut backoff = Backoff::new(config);
        assert_eq!([(); 3].map(|()| backoff.next_wait(u32::MAX)), [Duration::MAX; 3]);
    }
}
