//! The charging profiles that are installed at the station, and the limits that others have set there (2.1 part 2, K).

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::v2_1::{
    ChargingProfileCriterionType, ChargingProfileKindEnumType, ChargingProfilePurposeEnumType,
    ChargingProfileStatusEnumType, ChargingProfileType, ChargingScheduleType, ChargingScheduleUpdateType,
    ClearChargingProfileStatusEnumType, ClearChargingProfileType, ControlModeEnumType, CsmsRequest,
    NotifyChargingLimitRequest, NotifyEVChargingNeedsRequest, ReportChargingProfilesRequest, StationResponse,
};
use serde::{Deserialize, Serialize};

use super::serial::is_too_large;

/// The most profiles that are kept.
const MAX_PROFILES: usize = 200;

/// The most limits of others that are kept.
const MAX_LIMITS: usize = 20;

/// The most EVSEs of which the needs of the vehicle are kept.
const MAX_NEEDS: usize = 100;

/// Who installs the profiles of this CSMS.
const CSMS: &str = "CSO";

/// A charging profile at the station.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstalledProfile {
    /// The EVSE (the connector of 1.6); 0 is the whole station.
    pub evse: i64,
    /// Who installed it: `CSO` is the CSMS.
    pub source: String,
    /// The profile, in the types of 2.1.
    #[serde(with = "super::serial::json")]
    pub profile: ChargingProfileType,
}

impl InstalledProfile {
    pub(in crate::csms) fn new(evse: i64, source: &str, profile: ChargingProfileType) -> Self {
        Self { evse, source: source.to_string(), profile }
    }
}

/// A limit that somebody else has set (K11 to K14).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChargingLimit {
    /// The EVSE; `None` is the whole station.
    pub evse: Option<i64>,
    /// Who set it, such as `EMS` or `SO`.
    pub source: String,
    /// Whether it's critical to the grid.
    pub grid_critical: bool,
    /// Whether it's about power that is generated at the place.
    pub local_generation: bool,
    /// The schedules, where the station tells them.
    #[serde(with = "super::serial::json")]
    pub schedules: Vec<ChargingScheduleType>,
}

/// What a vehicle has told of itself by ISO 15118.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::csms) struct VehicleNeeds {
    /// How many periods a schedule may have.
    pub(in crate::csms) max_schedule_tuples: Option<i64>,
    /// Whether the station controls the power and the vehicle follows.
    pub(in crate::csms) dynamic_control: bool,
    /// Whether it was asked for power in both directions.
    pub(in crate::csms) bidirectional: bool,
}

/// The charging profiles of a station, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChargingProfiles {
    installed: Vec<InstalledProfile>,
    limits: Vec<ChargingLimit>,
    needs: BTreeMap<i64, VehicleNeeds>,
    overflowed: bool,
}

impl ChargingProfiles {
    /// The profiles that are installed.
    pub fn iter(&self) -> impl Iterator<Item = &InstalledProfile> {
        self.installed.iter()
    }

    /// The profile with this id.
    #[must_use]
    pub fn get(&self, id: i64) -> Option<&InstalledProfile> {
        self.installed.iter().find(|installed| installed.profile.id == id)
    }

    /// The limits that others have set, as long as they hold.
    pub fn limits(&self) -> impl Iterator<Item = &ChargingLimit> {
        self.limits.iter()
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    pub(in crate::csms) fn needs(&self, evse: i64) -> Option<VehicleNeeds> {
        self.needs.get(&evse).copied()
    }

    /// The profiles of a transaction.
    pub(in crate::csms) fn of_transaction(&self, transaction: &str) -> impl Iterator<Item = &InstalledProfile> {
        self.installed.iter().filter(move |installed| {
            installed.profile.transaction_id.as_ref().is_some_and(|id| id.as_str() == transaction)
        })
    }

    /// A profile is at the station.
    pub(in crate::csms) fn install(&mut self, evse: i64, source: &str, profile: ChargingProfileType) {
        // K01.FR.05: the id decides.
        self.installed.retain(|installed| installed.profile.id != profile.id);
        if self.installed.len() >= MAX_PROFILES || is_too_large(&profile) {
            self.overflowed = true;
            return;
        }
        self.installed.push(InstalledProfile::new(evse, source, profile));
    }

    /// Profiles are gone from the station (K10.FR.03, K10.FR.04).
    pub(in crate::csms) fn clear(&mut self, id: Option<i64>, criteria: Option<&ClearChargingProfileType>) -> bool {
        let before = self.installed.len();
        self.installed.retain(|installed| match (id, criteria) {
            (Some(id), _) => installed.profile.id != id,
            (None, Some(criteria)) => {
                let profile = &installed.profile;
                let purpose = criteria.charging_profile_purpose.as_ref();
                let fits = criteria.evse_id.is_none_or(|evse| evse == installed.evse)
                    && purpose.is_none_or(|purpose| *purpose == profile.charging_profile_purpose)
                    && criteria.stack_level.is_none_or(|level| level == profile.stack_level)
                    // K10.FR.05
                    && installed.profile.charging_profile_purpose
                        != ChargingProfilePurposeEnumType::ChargingStationExternalConstraints;
                !fits
            }
            (None, None) => false,
        });
        self.overflowed &= self.installed.len() == before;
        self.installed.len() != before
    }

    /// A transaction is over, and its profiles with it (K02.FR.05).
    pub(in crate::csms) fn transaction_ended(&mut self, transaction: &str) -> bool {
        let before = self.installed.len();
        self.installed
            .retain(|installed| installed.profile.transaction_id.as_ref().is_none_or(|id| id.as_str() != transaction));
        self.installed.len() != before
    }

    /// What was said of the vehicle before holds for it no more.
    pub(in crate::csms) fn transaction_started(&mut self, evse: i64) {
        self.needs.remove(&evse);
    }

    /// The station tells what the vehicle needs (K15, K17 to K19).
    pub(in crate::csms) fn note_needs(&mut self, request: &NotifyEVChargingNeedsRequest) {
        if self.needs.len() >= MAX_NEEDS && !self.needs.contains_key(&request.evse_id) {
            return;
        }
        let needs = &request.charging_needs;
        let bidirectional = needs.requested_energy_transfer.as_str().to_ascii_uppercase().contains("BPT");
        let dynamic_control = needs.control_mode == Some(ControlModeEnumType::DynamicControl);
        let max_schedule_tuples = request.max_schedule_tuples;
        self.needs.insert(request.evse_id, VehicleNeeds { max_schedule_tuples, dynamic_control, bidirectional });
    }

    /// The station reports profiles (K09).
    pub(in crate::csms) fn report(&mut self, request: &ReportChargingProfilesRequest) {
        for profile in &request.charging_profile {
            self.install(request.evse_id, &request.charging_limit_source, profile.clone());
        }
    }

    /// A whole report was received: what fits the question and is not in it does not exist.
    pub(in crate::csms) fn reported(
        &mut self,
        evse: Option<i64>,
        criterion: &ChargingProfileCriterionType,
        reported: &[InstalledProfile],
    ) {
        self.installed.retain(|installed| {
            let profile = &installed.profile;
            let purpose = criterion.charging_profile_purpose.as_ref();
            let ids = criterion.charging_profile_id.as_ref();
            let sources = criterion.charging_limit_source.as_ref();
            let asked_for = evse.is_none_or(|evse| evse == installed.evse)
                && purpose.is_none_or(|purpose| *purpose == profile.charging_profile_purpose)
                && criterion.stack_level.is_none_or(|level| level == profile.stack_level)
                && ids.is_none_or(|ids| ids.contains(&profile.id))
                && sources.is_none_or(|sources| sources.iter().any(|source| *source.as_str() == installed.source));
            !asked_for || reported.iter().any(|reported| reported.profile.id == profile.id)
        });
    }

    /// Somebody else has set a limit (K11.FR.02, K12.FR.02).
    pub(in crate::csms) fn set_limit(&mut self, request: NotifyChargingLimitRequest) -> ChargingLimit {
        let limit = ChargingLimit {
            evse: request.evse_id.filter(|evse| *evse > 0),
            source: request.charging_limit.charging_limit_source.to_string(),
            grid_critical: request.charging_limit.is_grid_critical.unwrap_or(false),
            local_generation: request.charging_limit.is_local_generation.unwrap_or(false),
            schedules: request.charging_schedule.unwrap_or_default(),
        };
        self.clear_limit(limit.evse, &limit.source);
        if self.limits.len() >= MAX_LIMITS {
            self.limits.remove(0);
        }
        let mut kept = limit.clone();
        if is_too_large(&kept) {
            // That there is a limit matters more than its schedules.
            kept.schedules.clear();
            self.overflowed = true;
        }
        self.limits.push(kept);
        limit
    }

    /// Somebody else's limit is gone (K13.FR.02).
    pub(in crate::csms) fn clear_limit(&mut self, evse: Option<i64>, source: &str) {
        let evse = evse.filter(|evse| *evse > 0);
        // Without an EVSE all limits of the source are gone.
        self.limits.retain(|limit| limit.source != source || evse.is_some() && limit.evse != evse);
    }

    /// New values for a profile that is dynamic (K28, K29).
    pub(in crate::csms) fn update(&mut self, id: i64, update: &ChargingScheduleUpdateType) -> bool {
        let profile = self.installed.iter_mut().find(|installed| installed.profile.id == id);
        let schedule = profile.and_then(|installed| installed.profile.charging_schedule.first_mut());
        let Some(period) = schedule.and_then(|schedule| schedule.charging_schedule_period.first_mut()) else {
            return false;
        };
        let values = [
            (&mut period.limit, update.limit),
            (&mut period.limit_l2, update.limit_l2),
            (&mut period.limit_l3, update.limit_l3),
            (&mut period.discharge_limit, update.discharge_limit),
            (&mut period.discharge_limit_l2, update.discharge_limit_l2),
            (&mut period.discharge_limit_l3, update.discharge_limit_l3),
            (&mut period.setpoint, update.setpoint),
            (&mut period.setpoint_l2, update.setpoint_l2),
            (&mut period.setpoint_l3, update.setpoint_l3),
            (&mut period.setpoint_reactive, update.setpoint_reactive),
            (&mut period.setpoint_reactive_l2, update.setpoint_reactive_l2),
            (&mut period.setpoint_reactive_l3, update.setpoint_reactive_l3),
        ];
        for (value, update) in values {
            if update.is_some() {
                *value = update;
            }
        }
        true
    }

    /// The present values of a profile that is dynamic; `None` where there is no such profile.
    pub(in crate::csms) fn dynamic_values(&self, id: i64) -> Option<ChargingScheduleUpdateType> {
        let profile = &self.get(id)?.profile;
        if profile.charging_profile_kind != ChargingProfileKindEnumType::Dynamic {
            return None;
        }
        let period = profile.charging_schedule.first()?.charging_schedule_period.first()?;
        let mut values = ChargingScheduleUpdateType::new();
        values.limit = period.limit;
        values.limit_l2 = period.limit_l2;
        values.limit_l3 = period.limit_l3;
        values.discharge_limit = period.discharge_limit;
        values.discharge_limit_l2 = period.discharge_limit_l2;
        values.discharge_limit_l3 = period.discharge_limit_l3;
        values.setpoint = period.setpoint;
        values.setpoint_l2 = period.setpoint_l2;
        values.setpoint_l3 = period.setpoint_l3;
        values.setpoint_reactive = period.setpoint_reactive;
        values.setpoint_reactive_l2 = period.setpoint_reactive_l2;
        values.setpoint_reactive_l3 = period.setpoint_reactive_l3;
        Some(values)
    }

    /// Reads an answer; true if something changed.
    pub(super) fn observe(&mut self, call: &CsmsRequest, answer: &StationResponse) -> bool {
        match (call, answer) {
            (CsmsRequest::SetChargingProfile(call), StationResponse::SetChargingProfile(answer))
                if answer.status == ChargingProfileStatusEnumType::Accepted =>
            {
                self.install(call.evse_id, CSMS, call.charging_profile.clone());
                true
            }
            (CsmsRequest::ClearChargingProfile(call), StationResponse::ClearChargingProfile(answer))
                if answer.status == ClearChargingProfileStatusEnumType::Accepted =>
            {
                self.clear(call.charging_profile_id, call.charging_profile_criteria.as_ref())
            }
            (CsmsRequest::UpdateDynamicSchedule(call), StationResponse::UpdateDynamicSchedule(answer))
                if answer.status == ChargingProfileStatusEnumType::Accepted =>
            {
                self.update(call.charging_profile_id, &call.schedule_update)
            }
            _ => false,
        }
    }

    /// Reads an answer of a 1.6 station (1.6 edition 2, 5.5 and 5.16).
    #[cfg(feature = "v1_6")]
    pub(super) fn observe_v1_6(
        &mut self,
        call: &ocpp_types::v1_6::CsmsRequest,
        answer: &ocpp_types::v1_6::StationResponse,
    ) -> bool {
        use ocpp_types::v1_6::{
            ChargingProfileStatus, ClearChargingProfileStatus, CsmsRequest as Call, StationResponse as Answer,
        };

        use crate::csms::v1_6::{from_profile, from_purpose};
        match (call, answer) {
            (Call::SetChargingProfile(call), Answer::SetChargingProfile(answer))
                if answer.status == ChargingProfileStatus::Accepted =>
            {
                let profile = from_profile(&call.cs_charging_profiles);
                // 1.6 edition 2, 5.16: it takes the place of one with the same level and purpose.
                self.installed.retain(|installed| {
                    installed.evse != call.connector_id
                        || installed.profile.stack_level != profile.stack_level
                        || installed.profile.charging_profile_purpose != profile.charging_profile_purpose
                });
                self.install(call.connector_id, CSMS, profile);
                true
            }
            (Call::ClearChargingProfile(call), Answer::ClearChargingProfile(answer))
                if answer.status == ClearChargingProfileStatus::Accepted =>
            {
                let mut criteria = ClearChargingProfileType::new();
                criteria.evse_id = call.connector_id;
                criteria.charging_profile_purpose = call.charging_profile_purpose.as_ref().map(from_purpose);
                criteria.stack_level = call.stack_level;
                self.clear(call.id, Some(&criteria))
            }
            _ => false,
        }
    }
}
