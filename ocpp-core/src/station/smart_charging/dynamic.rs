//! Profiles whose limit is changed from time to time (2.1, K28).

use core::time::Duration;

use rust_decimal::Decimal;

use super::admission::{Refusal, record};
use crate::station::Station;
use crate::station::calls::Call;
use crate::station::outbox::Called;
use crate::time::Instant;

impl Station {
    /// The CSMS has new values for a profile; `None` leaves the limit as it is.
    pub(in crate::station) fn update_dynamic_profile(
        &mut self,
        id: i64,
        limit: Option<Decimal>,
    ) -> Result<(), Refusal> {
        let now = self.utc();
        // K28.FR.11; what others have set is not the CSMS's to change.
        let profile = self.charging.installed.get_mut(id).filter(|profile| !profile.is_external());
        let profile = profile.ok_or(Refusal::Profile)?;
        let dynamic = profile.dynamic.as_mut().ok_or(Refusal::Profile)?;
        let schedule = match limit {
            Some(limit) => profile.schedule.clone().with_limit(limit).map_err(|_| Refusal::Schedule)?,
            None => profile.schedule.clone(),
        };
        // K28.FR.09
        dynamic.updated = now;
        // K28.FR.06, K28.FR.08
        profile.schedule = schedule;
        let profile = profile.clone();
        self.journal.put(record(id), &profile);
        self.await_values(id);
        Ok(())
    }

    /// From now on, the CSMS is asked for values after the interval of the profile.
    pub(super) fn await_values(&mut self, id: i64) {
        let dynamic = self.charging.installed.get(id).and_then(|profile| profile.dynamic);
        match dynamic.and_then(|dynamic| dynamic.interval) {
            Some(interval) => {
                let at = self.now.instant + Duration::from_secs(interval.into());
                self.charging.pulls.insert(id, at);
            }
            None => _ = self.charging.pulls.remove(&id),
        }
    }

    /// When the CSMS is to be asked next.
    pub(in crate::station) fn pull_deadline(&self) -> Option<Instant> {
        self.charging.pulls.values().min().copied()
    }

    /// Asks for the values that are due (K28.FR.10).
    pub(super) fn pull_values(&mut self) {
        if !self.may_send() {
            return;
        }
        self.charging.pulls.retain(|id, _| self.charging.installed.get(*id).is_some());
        let is_due = |(id, at): (&i64, &Instant)| (*at <= self.now.instant).then_some(*id);
        let due: alloc::vec::Vec<i64> = self.charging.pulls.iter().filter_map(is_due).collect();
        for profile in due {
            self.await_values(profile);
            if self.request(Call::PullValues { profile }) == Called::NotInThisVersion {
                self.charging.pulls.remove(&profile);
            }
        }
    }

    /// The CSMS answered with values, or had none.
    pub(in crate::station) fn values_pulled(&mut self, profile: i64, limit: Option<Option<Decimal>>) {
        if let Some(limit) = limit {
            // A profile that has gone meanwhile needs no values.
            let _ = self.update_dynamic_profile(profile, limit);
        }
    }
}
