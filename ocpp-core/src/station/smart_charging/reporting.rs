//! Telling the CSMS which profiles there are (K09).

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::installed::Criteria;
use super::profile::{Place, Profile};
use crate::station::Station;
use crate::station::calls::{Call, ProfilesReport};

/// Profiles in one message: each may have as many periods as the station takes.
const PAGE: usize = 5;

fn evse_of(profile: &Profile) -> u32 {
    match profile.place {
        Place::Station => 0,
        Place::Evse { evse, .. } => evse,
    }
}

impl Station {
    /// Whether there are profiles that fit (K09.FR.04 to 06).
    pub(in crate::station) fn has_profiles(&self, criteria: &Criteria) -> bool {
        self.matching_profiles(criteria).next().is_some()
    }

    /// Sends the profiles that fit, in as many messages as it takes: each is about one place and one source.
    pub(in crate::station) fn report_profiles(&mut self, criteria: &Criteria, request_id: i64) {
        let mut profiles: Vec<Profile> = self.matching_profiles(criteria).cloned().collect();
        let key = |profile: &Profile| (evse_of(profile), profile.source().to_owned());
        profiles.sort_by_cached_key(|profile| (key(profile), profile.id));
        let pages: Vec<&[Profile]> =
            profiles.chunk_by(|one, next| key(one) == key(next)).flat_map(|same| same.chunks(PAGE)).collect();
        let count = pages.len();
        for (number, page) in pages.into_iter().enumerate() {
            let Some(first) = page.first() else { continue };
            let report = ProfilesReport {
                request_id,
                evse: evse_of(first),
                source: first.source().to_owned(),
                profiles: page.to_vec(),
                // K09.FR.02
                more_follows: number + 1 < count,
            };
            self.call(Call::ChargingProfiles(report));
        }
    }
}
