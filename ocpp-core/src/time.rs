//! Both clocks, injected: the engines never read one.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

use jiff::Timestamp;

/// A reading of a clock that never goes back: the time since an origin that the integrator chooses, such as its start.
///
/// Deadlines are computed with it, so that setting the wall clock moves none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(Duration);

impl Instant {
    /// The origin itself.
    pub const ORIGIN: Self = Self(Duration::ZERO);

    /// The instant at this distance from the origin.
    #[must_use]
    pub const fn from_origin(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// The distance from the origin.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// The time from `earlier` to this instant, zero if `earlier` is later.
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}.{:03} s", self.0.as_secs(), self.0.subsec_millis())
    }
}

/// What both clocks say at one moment. Every input of an engine comes with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The clock that never goes back.
    pub instant: Instant,
    /// The wall clock, as the machine has it; a station corrects it by what the CSMS says.
    pub utc: Timestamp,
}

impl Now {
    /// Joins two readings.
    #[must_use]
    pub const fn new(instant: Instant, utc: Timestamp) -> Self {
        Self { instant, utc }
    }
}

impl Add<Duration> for Now {
    type Output = Self;

    /// Both clocks, this much later.
    fn add(self, duration: Duration) -> Self {
        let utc = jiff::SignedDuration::try_from(duration)
            .ok()
            .and_then(|duration| self.utc.checked_add(duration).ok())
            .unwrap_or(Timestamp::MAX);
        Self { instant: self.instant + duration, utc }
    }
}
