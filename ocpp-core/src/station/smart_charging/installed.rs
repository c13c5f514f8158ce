//! The profiles that a station has: which replaces which, and which are cleared.

use alloc::vec::Vec;

use super::profile::{Place, Profile, Purpose};

/// The profiles that a station has. Ids are unique, and so is a stack level within a purpose and a place.
#[derive(Debug, Default)]
pub(in crate::station) struct Installed {
    profiles: Vec<Profile>,
}

/// What has to fit for a profile to be cleared; what is absent always fits (1.6 errata 3.25, 3.26; K10.FR.04).
#[derive(Debug, Clone, Default)]
pub(in crate::station) struct Criteria {
    pub(in crate::station) id: Option<i64>,
    pub(in crate::station) place: Option<Place>,
    pub(in crate::station) purpose: Option<PurposeKind>,
    pub(in crate::station) stack_level: Option<i64>,
}

/// A purpose, whatever transaction it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum PurposeKind {
    StationMax,
    TransactionDefault,
    Transaction,
}

impl Purpose {
    fn kind(&self) -> PurposeKind {
        match self {
            Self::StationMax => PurposeKind::StationMax,
            Self::TransactionDefault => PurposeKind::TransactionDefault,
            Self::Transaction(_) => PurposeKind::Transaction,
        }
    }
}

impl Criteria {
    fn fit(&self, profile: &Profile) -> bool {
        self.id.is_none_or(|id| profile.id == id)
            && self.place.is_none_or(|place| profile.place == place)
            && self.purpose.is_none_or(|purpose| profile.purpose.kind() == purpose)
            && self.stack_level.is_none_or(|level| profile.stack_level == level)
    }
}

/// Whether a new profile takes the place of an older one: it has the same id, or the same stack level, purpose and place
/// (1.6 edition 2, 3.13.2 and 5.16.3; K01.FR.05). Those of a transaction go with it, not with a place (1.6 errata 3.42).
fn replaces(new: &Profile, old: &Profile) -> bool {
    let is_about_the_same = match (&new.purpose, &old.purpose) {
        (Purpose::Transaction(new), Purpose::Transaction(old)) => new == old,
        (one, other) => one == other && new.place == old.place,
    };
    new.id == old.id || (new.stack_level == old.stack_level && is_about_the_same)
}

impl Installed {
    pub(in crate::station) fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// How many profiles there would be with this one.
    pub(in crate::station) fn len_with(&self, new: &Profile) -> usize {
        self.profiles.iter().filter(|old| !replaces(new, old)).count() + 1
    }

    /// Adds a profile. Returns the ids of those that it replaces, its own excepted.
    pub(in crate::station) fn install(&mut self, new: Profile) -> Vec<i64> {
        let replaced = self.remove(|old| replaces(&new, old));
        let id = new.id;
        self.profiles.push(new);
        replaced.into_iter().filter(|old| *old != id).collect()
    }

    /// Removes the profiles that fit. Returns their ids.
    pub(in crate::station) fn clear(&mut self, criteria: &Criteria) -> Vec<i64> {
        self.remove(|profile| criteria.fit(profile))
    }

    /// Removes some profiles. Returns their ids.
    pub(in crate::station) fn remove(&mut self, goes: impl Fn(&Profile) -> bool) -> Vec<i64> {
        let removed = self.profiles.iter().filter(|profile| goes(profile)).map(|profile| profile.id).collect();
        self.profiles.retain(|profile| !goes(profile));
        removed
    }
}
