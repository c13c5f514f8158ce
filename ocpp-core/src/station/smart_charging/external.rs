//! Limits that somebody else than the CSMS sets, and what is generated on the spot (K11 to K13; 2.1, K23, K27, K29).

use alloc::borrow::ToOwned;
use alloc::string::String;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::installed::Rival;
use super::limit::Limit;
use super::profile::{Dynamic, Period, Place, Profile, Purpose, RateUnit, Schedule, ScheduleError, Start};
use crate::station::Station;
use crate::station::calls::Call;
use crate::station::outbox::Called;
use crate::station::settings::Key;

/// Somebody who limits a station, the CSMS apart (2.1 part 2 appendices, `ChargingLimitSourceEnumStringType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LimitSource {
    /// An energy management system.
    EnergyManagement,
    /// The operator of a grid.
    SystemOperator,
    /// Somebody else.
    Other,
}

impl LimitSource {
    /// The word of the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EnergyManagement => "EMS",
            Self::SystemOperator => "SO",
            Self::Other => "Other",
        }
    }
}

/// What somebody else than the CSMS allows. It stands in for what the same source has said before about the same place.
///
/// It is not stored: after a restart it has to be said again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExternalLimit {
    /// Who says so.
    pub source: LimitSource,
    /// At which EVSE; `None` for all of them together.
    pub evse: Option<u32>,
    /// Whether it is what is generated on the spot, and so comes on top of what the others allow (2.1, K27), instead of a limit
    /// that nothing may exceed (K11.FR.01, K12.FR.01).
    pub is_local_generation: bool,
    /// How much; `None` when it is over.
    pub limit: Option<LimitOverTime>,
}

/// How much somebody allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LimitOverTime {
    /// The same until something else is said.
    Constant {
        /// How much, not negative.
        #[serde(with = "crate::station::serial::decimal")]
        limit: Decimal,
        /// In which unit.
        unit: RateUnit,
    },
    /// What a schedule says.
    Schedule(Schedule),
}

/// What the CSMS is to be told about a limit from outside.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::station) struct LimitNotice {
    pub(in crate::station) source: String,
    pub(in crate::station) place: Place,
    pub(in crate::station) is_local_generation: bool,
    /// The profile that stands for it; `None` when it is over.
    pub(in crate::station) profile: Option<i64>,
}

impl LimitNotice {
    fn is_about_the_same(&self, other: &Self) -> bool {
        self.source == other.source
            && self.place == other.place
            && self.is_local_generation == other.is_local_generation
    }
}

impl Station {
    /// Somebody else than the CSMS has set or released a limit.
    pub(in crate::station) fn limited_from_outside(&mut self, fact: &ExternalLimit) {
        let place = match fact.evse {
            None => Place::Station,
            Some(evse) if self.position(evse).is_some() => Place::Evse { evse, connector: None },
            Some(_) => return self.ignore("there is no such EVSE or connector"),
        };
        if !self.settings.boolean(Key::ExternalControlSignals) {
            return self.ignore("signals from outside are switched off");
        }
        // K11.FR.07
        if !fact.is_local_generation && self.settings.boolean(Key::ExternalConstraintsDisallowed) {
            return self.ignore("limits from outside are not allowed");
        }
        let purpose = if fact.is_local_generation { Purpose::LocalGeneration } else { Purpose::ExternalConstraints };
        let is_meant = |profile: &Profile| {
            profile.source.as_deref() == Some(fact.source.as_str())
                && profile.place == place
                && profile.purpose == purpose
        };
        let before = self.charging.installed.profiles().iter().find(|profile| is_meant(profile)).cloned();
        let notice = |profile: Option<i64>| LimitNotice {
            source: fact.source.as_str().to_owned(),
            place,
            is_local_generation: fact.is_local_generation,
            profile,
        };
        let Some(limit) = &fact.limit else {
            if before.is_none() {
                return self.ignore("there is no such limit");
            }
            // K13.FR.01, K13.FR.02
            self.charging.installed.remove(is_meant);
            self.charging.changed_from_outside = true;
            return self.notice_limit(notice(None));
        };
        let id = before.as_ref().map_or_else(|| self.free_external_id(), |profile| profile.id);
        let Ok(profile) = self.external_profile(id, purpose, place, limit) else {
            return self.ignore("the limit makes no sense");
        };
        let profile = Profile { source: Some(fact.source.as_str().to_owned()), ..profile };
        let now = |profile: &Profile| self.bound_of(profile);
        // K11.FR.02, K12.FR.02, K27.FR.03; SC.03
        let is_worth_telling = match &before {
            Some(before) => self.is_significant(now(before), now(&profile)),
            None => true,
        };
        self.keep_profile(profile, Rival::Preferred);
        self.charging.changed_from_outside = true;
        if is_worth_telling {
            self.notice_limit(notice(Some(id)));
        }
    }

    fn external_profile(
        &self,
        id: i64,
        purpose: Purpose,
        place: Place,
        limit: &LimitOverTime,
    ) -> Result<Profile, ScheduleError> {
        Ok(match limit {
            // K29.FR.04, K29.FR.05, K29.FR.06
            LimitOverTime::Constant { limit, unit } => {
                let now = self.utc();
                let schedule = Schedule::new(Start::At(now), *unit, alloc::vec![Period::new(0, *limit)])?;
                let profile = Profile::new(id, 0, purpose, place, schedule);
                Profile { dynamic: Some(Dynamic { interval: None, updated: now }), ..profile }
            }
            LimitOverTime::Schedule(schedule) => Profile::new(id, 0, purpose, place, schedule.clone()),
        })
    }

    /// The highest id that a profile of somebody else may have, if that is settled (2.1, K01.FR.80).
    pub(in crate::station) fn highest_external_id(&self) -> Option<i64> {
        let is_there = self.settings.configured(Key::MaxExternalConstraintsId);
        is_there.then(|| self.settings.integer(Key::MaxExternalConstraintsId))
    }

    /// An id that no profile has: a negative one, which is less likely to be one of the CSMS's (K11.FR.06, K01.FR.82).
    fn free_external_id(&self) -> i64 {
        let mut id = self.highest_external_id().unwrap_or(-1).min(-1);
        while self.charging.installed.get(id).is_some() {
            id = id.saturating_sub(1);
        }
        id
    }

    /// What a profile alone says now.
    fn bound_of(&self, profile: &Profile) -> Option<Limit> {
        let alone = [profile.clone()];
        let zone = self.time_zone();
        super::Solver::new(&alone, &zone).alone_at(self.station_supply(), self.utc())
    }

    /// Whether a change is worth telling (`LimitChangeSignificance`, SC.03).
    pub(super) fn is_significant(&self, before: Option<Limit>, after: Option<Limit>) -> bool {
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => (before, after),
            (None, None) => return false,
            _ => return true,
        };
        let threshold = self.settings.decimal(Key::LimitChangeSignificance);
        let changes = |before: Decimal, after: Decimal| {
            let change = (after - before).abs();
            change > Decimal::ZERO && change * Decimal::ONE_HUNDRED > threshold * before
        };
        changes(before.power, after.power) || changes(before.current, after.current)
    }

    fn notice_limit(&mut self, notice: LimitNotice) {
        let waiting = self.charging.notices.iter().position(|known| known.is_about_the_same(&notice));
        let replaced = waiting.map(|at| self.charging.notices.remove(at));
        // What the CSMS has never heard of doesn't have to be taken back.
        let is_unheard = replaced.is_some_and(|known| known.profile.is_some()) && !self.has_told(&notice);
        if notice.profile.is_some() || !is_unheard {
            self.charging.notices.push(notice);
        }
    }

    fn has_told(&self, notice: &LimitNotice) -> bool {
        self.charging.told.iter().any(|known| known.is_about_the_same(notice))
    }

    /// A notice was on its way when the connection was lost.
    pub(in crate::station) fn limit_not_told(&mut self, notice: LimitNotice) {
        if !self.charging.notices.iter().any(|known| known.is_about_the_same(&notice)) {
            self.charging.notices.insert(0, notice);
        }
    }

    /// Tells the CSMS about limits from outside, as soon as it can be told.
    pub(super) fn tell_limits(&mut self) {
        if self.charging.notices.is_empty() || !self.may_send() {
            return;
        }
        for notice in core::mem::take(&mut self.charging.notices) {
            self.charging.told.retain(|known| !known.is_about_the_same(&notice));
            if notice.profile.is_some() {
                self.charging.told.push(notice.clone());
            }
            if self.request(Call::ChargingLimit(notice.clone())) == Called::NotNow {
                self.limit_not_told(notice);
            }
        }
    }

    /// The schedule of a limit from outside, where the CSMS wants it (K11.FR.03, K12.FR.03, K27.FR.04).
    pub(in crate::station) fn schedule_to_tell(&self, notice: &LimitNotice) -> Option<&Profile> {
        let is_wanted = self.settings.boolean(Key::NotifyLimitWithSchedules);
        notice.profile.filter(|_| is_wanted).and_then(|id| self.charging.installed.get(id))
    }
}
