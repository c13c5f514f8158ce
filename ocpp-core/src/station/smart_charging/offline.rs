//! Profiles that count only for a while without a connection (2.1, K01.FR.101 to 103).

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::time::Duration;

use super::profile::Profile;
use crate::station::Station;
use crate::time::Instant;

impl Station {
    /// The profiles that count now: all but those that have been followed too long without a connection (2.1, K01.FR.101).
    pub(super) fn counting_profiles(&self) -> Cow<'_, [Profile]> {
        let profiles = self.charging.installed.profiles();
        let is_over = |profile: &Profile| self.offline_deadline(profile).is_some_and(|at| at <= self.now.instant);
        if profiles.iter().any(is_over) {
            profiles.iter().filter(|profile| !is_over(profile)).cloned().collect::<Vec<_>>().into()
        } else {
            profiles.into()
        }
    }

    /// When a profile stops to count if the connection doesn't come back.
    pub(super) fn offline_deadline(&self, profile: &Profile) -> Option<Instant> {
        let (since, rule) = self.charging.offline_since.zip(profile.offline)?;
        Some(since + Duration::from_secs(rule.seconds.into()))
    }

    /// Notes how long there has been no connection. With it back, what was over for good is forgotten (2.1, K01.FR.102).
    pub(super) fn mind_connection(&mut self) {
        if !self.is_connected() {
            let now = self.now.instant;
            self.charging.offline_since.get_or_insert(now);
            return;
        }
        if self.charging.offline_since.is_none() {
            return;
        }
        let is_over = |profile: &Profile| {
            profile.offline.is_some_and(|rule| rule.ends)
                && self.offline_deadline(profile).is_some_and(|at| at < self.now.instant)
        };
        let over: Vec<i64> = self
            .charging
            .installed
            .profiles()
            .iter()
            .filter(|profile| is_over(profile))
            .map(|known| known.id)
            .collect();
        self.charging.offline_since = None;
        self.charging.installed.remove(|profile| over.contains(&profile.id));
        self.forget_profiles(over);
    }
}
