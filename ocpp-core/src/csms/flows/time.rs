//! Moments that a snapshot keeps: by the wall clock, because no other means anything on another node.

use alloc::string::String;
use core::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(Timestamp);

impl Moment {
    pub(super) const fn at(at: Timestamp) -> Self {
        Self(at)
    }

    /// The moment this long after another.
    pub(super) fn later(at: Timestamp, duration: Duration) -> Self {
        let later = SignedDuration::try_from(duration).ok().and_then(|duration| at.checked_add(duration).ok());
        Self(later.unwrap_or(Timestamp::MAX))
    }

    /// The time until this moment, zero if it is over.
    pub(super) fn since(self, now: Timestamp) -> Duration {
        Duration::try_from(self.0.duration_since(now)).unwrap_or(Duration::ZERO)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(de::Error::custom)
    }
}
