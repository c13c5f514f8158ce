//! The profiles that a station has: which replaces which, and which are cleared.

use alloc::string::String;
use alloc::vec::Vec;

use super::profile::{Place, Profile, Purpose};

/// The profiles that a station has. Ids are unique, and so is a stack level within a purpose and a place.
#[derive(Debug, Default)]
pub(in crate::station) struct Installed {
    profiles: Vec<Profile>,
}

/// What has to fit for a profile to be meant; what is absent always fits (1.6 errata 3.25, 3.26; K09.FR.04 to 06, K10.FR.04).
#[derive(Debug, Clone, Default)]
pub(in crate::station) struct Criteria {
    pub(in crate::station) ids: Option<Vec<i64>>,
    pub(in crate::station) place: Option<Place>,
    pub(in crate::station) purpose: Option<PurposeKind>,
    pub(in crate::station) stack_level: Option<i64>,
    /// Who set it.
    pub(in crate::station) sources: Option<Vec<String>>,
    /// Whether those are left out that only 2.1 has words for.
    pub(in crate::station) plain: bool,
}

/// A purpose, whatever transaction it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum PurposeKind {
    StationMax,
    TransactionDefault,
    Transaction,
    Priority,
    ExternalConstraints,
    LocalGeneration,
}

/// What becomes of a profile with the stack level, purpose and place of a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum Rival {
    /// It makes way (1.6 edition 2, 3.13.2 and 5.16.3).
    Replaced,
    /// It stays, and the new one is refused (K01.FR.06, K01.FR.39, K01.FR.52, K01.FR.53).
    Preferred,
}

impl Purpose {
    pub(in crate::station) fn kind(&self) -> PurposeKind {
        match self {
            Self::StationMax => PurposeKind::StationMax,
            Self::TransactionDefault => PurposeKind::TransactionDefault,
            Self::Transaction(_) => PurposeKind::Transaction,
            Self::Priority => PurposeKind::Priority,
            Self::ExternalConstraints => PurposeKind::ExternalConstraints,
            Self::LocalGeneration => PurposeKind::LocalGeneration,
        }
    }
}

/// The source of what the operator of the CSMS sets.
pub(in crate::station) const OPERATOR: &str = "CSO";

impl Profile {
    /// Who set it.
    pub(in crate::station) fn source(&self) -> &str {
        self.source.as_deref().unwrap_or(OPERATOR)
    }
}

impl Criteria {
    pub(in crate::station) fn fit(&self, profile: &Profile) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&profile.id))
            && self.place.is_none_or(|place| profile.place.touches(place))
            && self.purpose.is_none_or(|purpose| profile.purpose.kind() == purpose)
            && self.stack_level.is_none_or(|level| profile.stack_level == level)
            && !(self.plain && matches!(profile.purpose, Purpose::Priority | Purpose::LocalGeneration))
            && self.sources.as_ref().is_none_or(|sources| sources.iter().any(|source| source == profile.source()))
    }
}

/// Whether a new profile takes the place of an older one: it has the same id, or the same stack level, purpose and place
/// (1.6 edition 2, 3.13.2 and 5.16.3; K01.FR.05). Those of a transaction go with it, not with a place (1.6 errata 3.42).
fn replaces(new: &Profile, old: &Profile, rival: Rival) -> bool {
    let is_about_the_same = match (&new.purpose, &old.purpose) {
        (Purpose::Transaction(new), Purpose::Transaction(old)) => new == old,
        (one, other) => one == other && new.place == old.place,
    };
    new.id == old.id || (rival == Rival::Replaced && new.stack_level == old.stack_level && is_about_the_same)
}

/// Whether two profiles must not be there at the same time.
fn exclude_each_other(new: &Profile, old: &Profile) -> bool {
    if new.id == old.id || new.stack_level != old.stack_level {
        return false;
    }
    match (&new.purpose, &old.purpose) {
        // K01.FR.39
        (Purpose::Transaction(new), Purpose::Transaction(old)) => new == old,
        // K01.FR.52, K01.FR.53: whenever they are valid.
        (Purpose::TransactionDefault, Purpose::TransactionDefault)
            if (new.place == Place::Station) != (old.place == Place::Station) =>
        {
            true
        }
        // K01.FR.06
        (one, other) => one == other && new.place.touches(old.place) && new.overlaps(old),
    }
}

impl Installed {
    pub(in crate::station) fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    pub(in crate::station) fn get(&self, id: i64) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.id == id)
    }

    pub(in crate::station) fn get_mut(&mut self, id: i64) -> Option<&mut Profile> {
        self.profiles.iter_mut().find(|profile| profile.id == id)
    }

    /// Whether one of the profiles keeps a new one from being installed.
    pub(in crate::station) fn has_rival(&self, new: &Profile) -> bool {
        self.profiles.iter().any(|old| exclude_each_other(new, old))
    }

    /// How many profiles there would be with this one.
    pub(in crate::station) fn len_with(&self, new: &Profile, rival: Rival) -> usize {
        self.profiles.iter().filter(|old| !replaces(new, old, rival)).count() + 1
    }

    /// Adds a profile. Returns the ids of those that it replaces, its own excepted.
    pub(in crate::station) fn install(&mut self, new: Profile, rival: Rival) -> Vec<i64> {
        let replaced = self.remove(|old| replaces(&new, old, rival));
        let id = new.id;
        self.profiles.push(new);
        replaced.into_iter().filter(|old| *old != id).collect()
    }

    /// Removes some profiles. Returns their ids.
    pub(in crate::station) fn remove(&mut self, goes: impl Fn(&Profile) -> bool) -> Vec<i64> {
        let removed = self.profiles.iter().filter(|profile| goes(profile)).map(|profile| profile.id).collect();
        self.profiles.retain(|profile| !goes(profile));
        removed
    }
}
