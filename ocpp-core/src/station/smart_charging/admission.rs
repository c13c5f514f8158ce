//! Which profiles are taken, kept, replaced and forgotten.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::installed::{Criteria, PurposeKind, Rival};
use super::profile::{Place, Profile, Purpose, RateUnit};
use crate::station::Station;
use crate::station::settings::Key;

/// Why a profile is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum Refusal {
    /// There is no such EVSE.
    Evse,
    /// A profile of this purpose can't be installed there.
    Place,
    /// It doesn't make sense.
    Profile,
    /// Its schedule doesn't make sense, or the station can't follow it.
    Schedule,
    /// It asks for something that the station doesn't do.
    Parameter,
    /// Something is missing.
    Missing,
    /// There is no such transaction.
    Transaction,
    /// The station takes no profiles of this purpose.
    Purpose,
    /// The station takes no profiles of this kind.
    Kind,
    /// It never is valid.
    Validity,
    /// Its stack level is above the highest one.
    StackLevel,
    /// The station takes no limits in this unit.
    RateUnit,
    /// It has more periods than the station takes.
    TooManyPeriods,
    /// There are as many profiles as the station takes.
    TooManyProfiles,
    /// It can't be there together with one that is there.
    Duplicate,
    /// Its id is one that profiles of others have.
    Id,
}

/// What the record of a profile is called.
pub(super) fn record(id: i64) -> String {
    format!("charging-profile/{id}")
}

impl Station {
    /// Whether profiles count at all.
    pub(in crate::station) fn charges_smartly(&self) -> bool {
        self.settings.boolean(Key::SmartChargingEnabled)
    }

    /// Takes over a profile that a predecessor stored.
    pub(in crate::station) fn restore_profile(&mut self, profile: Profile) {
        let id = profile.id;
        self.charging.installed.install(profile, Rival::Preferred);
        self.await_values(id);
    }

    /// Whether this unit may be used.
    pub(in crate::station) fn takes_unit(&self, unit: RateUnit) -> bool {
        let name = match unit {
            RateUnit::Amperes => "Current",
            RateUnit::Watts => "Power",
        };
        self.settings.has(Key::ChargingRateUnits, name)
    }

    /// The units that may be used, in the words of 2.x.
    pub(in crate::station) fn rate_unit_symbols(&self) -> String {
        let taken = [(RateUnit::Amperes, "A"), (RateUnit::Watts, "W")].into_iter();
        let symbols: Vec<&str> = taken.filter(|(unit, _)| self.takes_unit(*unit)).map(|(_, symbol)| symbol).collect();
        symbols.join(",")
    }

    /// How many profiles there are.
    pub(in crate::station) fn count_profiles(&self) -> usize {
        self.charging.installed.profiles().len()
    }

    /// Whether a profile can be installed. What becomes of its rivals depends on the version.
    pub(in crate::station) fn check_profile(&self, profile: &Profile, rival: Rival) -> Result<(), Refusal> {
        let fits_place = match profile.purpose {
            // 1.6 edition 2, 3.13.1; K04.FR.03
            Purpose::StationMax => profile.place == Place::Station,
            // K01.FR.16
            Purpose::Transaction(_) => profile.place != Place::Station,
            Purpose::TransactionDefault
            | Purpose::Priority
            | Purpose::ExternalConstraints
            | Purpose::LocalGeneration => true,
        };
        let at_most =
            |key: Key, number: usize| i64::try_from(number).is_ok_and(|number| number <= self.settings.integer(key));
        let waiting = self.charging.awaiting_transaction.len();
        let installed = &self.charging.installed;
        match () {
            () if !fits_place => Err(Refusal::Place),
            // K01.FR.05: what somebody else has set is not the CSMS's to replace.
            () if installed.get(profile.id).is_some_and(Profile::is_external) => Err(Refusal::Id),
            () if profile.valid_from.zip(profile.valid_to).is_some_and(|(from, to)| to <= from) => {
                Err(Refusal::Validity)
            }
            () if !(0..=self.settings.integer(Key::ChargingProfileMaxStackLevel)).contains(&profile.stack_level) => {
                Err(Refusal::StackLevel)
            }
            // K01.FR.26
            () if !self.takes_unit(profile.schedule.unit()) => Err(Refusal::RateUnit),
            () if !at_most(Key::PeriodsPerSchedule, profile.schedule.periods().len()) => Err(Refusal::TooManyPeriods),
            () if rival == Rival::Preferred && installed.has_rival(profile) => Err(Refusal::Duplicate),
            () if !at_most(Key::ChargingProfiles, installed.len_with(profile, rival) + waiting) => {
                Err(Refusal::TooManyProfiles)
            }
            () => Ok(()),
        }
    }

    /// Installs a profile, in place of those that it replaces. It counts at once: limits are told when the input is over.
    pub(in crate::station) fn install_profile(&mut self, profile: Profile, rival: Rival) -> Result<(), Refusal> {
        self.check_profile(&profile, rival)?;
        self.keep_profile(profile.clone(), rival);
        self.hand_on_profile(&profile);
        Ok(())
    }

    pub(super) fn keep_profile(&mut self, profile: Profile, rival: Rival) {
        // K01.FR.27; what others have set, they say again.
        if !profile.is_external() {
            self.journal.put(record(profile.id), &profile);
        }
        let id = profile.id;
        let replaced = self.charging.installed.install(profile, rival);
        self.forget_profiles(replaced);
        self.await_values(id);
    }

    pub(super) fn forget_profiles(&mut self, ids: Vec<i64>) {
        for id in ids {
            self.journal.delete(record(id));
        }
    }

    /// Clears the profiles that fit. Whether there were any.
    ///
    /// Limits from outside and local generation are not the CSMS's to clear (K10.FR.04, K10.FR.08, K10.FR.09).
    pub(in crate::station) fn clear_profiles(&mut self, criteria: &Criteria) -> bool {
        let is_cleared = |profile: &Profile| {
            let is_apart =
                matches!(profile.purpose.kind(), PurposeKind::ExternalConstraints | PurposeKind::LocalGeneration);
            criteria.fit(profile) && !is_apart
        };
        let cleared = self.charging.installed.remove(is_cleared);
        let any = !cleared.is_empty();
        self.forget_profiles(cleared);
        any
    }

    /// The profiles that fit (K09).
    pub(in crate::station) fn matching_profiles(&self, criteria: &Criteria) -> impl Iterator<Item = &Profile> {
        self.charging.installed.profiles().iter().filter(move |profile| criteria.fit(profile))
    }

    /// The station's own id of the transaction that runs at a place.
    pub(in crate::station) fn running_transaction(&self, evse: u32, connector: Option<u32>) -> Option<&str> {
        let evse = self.evses.get(self.position(evse)?)?;
        let is_there = connector.is_none() || evse.plugged.is_none() || evse.plugged == connector;
        evse.transaction.as_ref().filter(|_| is_there).map(|transaction| transaction.id.as_str())
    }
}
