//! The only place that reads a clock.

use ocpp_core::time::{Instant, Now};

/// Both clocks of a station.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(tokio::time::Instant);

impl Clock {
    /// A clock whose origin is now.
    pub(crate) fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// What both say now.
    pub(crate) fn now(&self) -> Now {
        Now::new(Instant::from_origin(self.0.elapsed()), jiff::Timestamp::now())
    }

    /// When `instant` is, for the timers of the runtime.
    pub(crate) fn at(&self, instant: Instant) -> tokio::time::Instant {
        self.0 + instant.since_origin()
    }
}
