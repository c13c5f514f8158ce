//! What stations tell and ask about smart charging.

use alloc::boxed::Box;
use alloc::string::ToString;

use ocpp_types::Text;
use ocpp_types::v2_1::{
    ChargingProfileStatusEnumType, ChargingProfileType, ChargingScheduleUpdateType, ClearedChargingLimitRequest,
    GenericStatusEnumType, NotifyChargingLimitRequest, NotifyEVChargingScheduleRequest,
    NotifyEVChargingScheduleResponse, NotifyPriorityChargingRequest, PullDynamicScheduleUpdateResponse,
    ReportChargingProfilesRequest, SetChargingProfileRequest, StatusInfoType,
};

use super::is_within;
use crate::csms::calls::Owner;
use crate::csms::dialect::{self, AnswerForm};
use crate::csms::event::Event;
use crate::csms::identity::TransactionId;
use crate::csms::message::{CallMessage, ReplyMessage};
use crate::csms::mirrors::Mirror;
use crate::csms::output::Question;
use crate::csms::request::Reply;
use crate::csms::session::Session;
use crate::csms::work::Asked;
use crate::rpc::IncomingId;
use crate::time::Now;

impl Session {
    pub(in crate::csms) fn receive_charging_profiles(
        &mut self,
        id: IncomingId,
        request: ReportChargingProfilesRequest,
    ) {
        self.mirrors.charging_profiles.report(&request);
        let profiles = request.charging_profile;
        let event = Event::ChargingProfilesReported {
            request_id: request.request_id,
            evse: request.evse_id,
            source: request.charging_limit_source.to_string(),
            last: !request.tbc.unwrap_or(false),
            profiles,
        };
        self.take_note(id, event);
        self.event(Event::MirrorChanged(Mirror::ChargingProfiles));
    }

    /// K12, K13: somebody else limits the station.
    pub(in crate::csms) fn receive_charging_limit(&mut self, id: IncomingId, request: NotifyChargingLimitRequest) {
        let limit = self.mirrors.charging_profiles.set_limit(request);
        self.take_note(id, Event::ChargingLimitSet(Box::new(limit)));
        self.event(Event::MirrorChanged(Mirror::ChargingProfiles));
    }

    pub(in crate::csms) fn receive_cleared_limit(&mut self, id: IncomingId, request: &ClearedChargingLimitRequest) {
        let source = request.charging_limit_source.to_string();
        self.mirrors.charging_profiles.clear_limit(request.evse_id, &source);
        self.take_note(id, Event::ChargingLimitCleared { evse: request.evse_id.filter(|evse| *evse > 0), source });
        self.event(Event::MirrorChanged(Mirror::ChargingProfiles));
    }

    /// K21.FR.09, K22.FR.06
    pub(in crate::csms) fn receive_priority_charging(
        &mut self,
        id: IncomingId,
        request: &NotifyPriorityChargingRequest,
    ) {
        let transaction = self.ledger.name(&TransactionId::new(request.transaction_id.as_str())).clone();
        self.take_note(id, Event::PriorityCharging { transaction, activated: request.activated });
    }

    /// A station asks for the values of a dynamic profile.
    pub(in crate::csms) fn receive_pull(&mut self, now: Now, id: IncomingId, profile: i64) {
        if self.mirrors.charging_profiles.dynamic_values(profile).is_none() {
            // K28.FR.12
            let mut response = PullDynamicScheduleUpdateResponse::new(ChargingProfileStatusEnumType::Rejected);
            response.status_info = Some(StatusInfoType::new(Text::truncated("InvalidProfile")));
            return self.reply(id, &Reply::Message(ReplyMessage::v2(response)));
        }
        self.ask(now, id, Question::DynamicSchedule { profile }, Asked::DynamicSchedule { profile });
    }

    /// K28.FR.07: what the application says, or else what was true last.
    pub(in crate::csms) fn answer_pull(
        &mut self,
        id: IncomingId,
        profile: i64,
        update: Option<ChargingScheduleUpdateType>,
    ) {
        if let Some(update) = &update
            && self.mirrors.charging_profiles.update(profile, update)
        {
            self.event(Event::MirrorChanged(Mirror::ChargingProfiles));
        }
        let mut response = PullDynamicScheduleUpdateResponse::new(ChargingProfileStatusEnumType::Accepted);
        response.schedule_update = self.mirrors.charging_profiles.dynamic_values(profile).map(Box::new);
        self.reply(id, &Reply::Message(ReplyMessage::v2(response)));
    }

    /// The vehicle tells what it is going to take.
    pub(in crate::csms) fn receive_ev_schedule(&mut self, id: IncomingId, request: NotifyEVChargingScheduleRequest) {
        let transaction =
            self.ledger.open().find(|(_, place)| place.is_some_and(|place| place.evse == request.evse_id));
        let transaction = transaction.map(|(transaction, _)| transaction.clone());
        let wire = transaction.as_ref().map(|transaction| self.ledger.wire_name(transaction).to_string());
        let chosen = wire.and_then(|wire| {
            let profiles = self.mirrors.charging_profiles.of_transaction(&wire);
            profiles.max_by_key(|installed| installed.profile.stack_level).cloned()
        });
        let fits = chosen.as_ref().is_none_or(|installed| {
            let schedules = &installed.profile.charging_schedule;
            let selected = request.selected_charging_schedule_id;
            let selected = schedules.iter().find(|schedule| selected == Some(schedule.id)).or(schedules.first());
            selected.is_none_or(|given| is_within(&request.charging_schedule, given))
        });
        // K15.FR.11, K15.FR.12, K16.FR.06, K16.FR.07, K17.FR.11, K17.FR.12, K18.FR.11, K18.FR.12
        let status = if fits { GenericStatusEnumType::Accepted } else { GenericStatusEnumType::Rejected };
        let response = NotifyEVChargingScheduleResponse::new(status);
        self.reply(id, &Reply::Message(ReplyMessage::v2(response)));
        self.event(Event::VehicleSchedule {
            evse: request.evse_id,
            transaction,
            schedule: Box::new(request.charging_schedule),
            accepted: fits,
        });
        if let Some(installed) = chosen.filter(|_| !fits) {
            // K15.FR.13, K16.FR.08, K17.FR.13, K18.FR.13: once for a profile; a vehicle that goes on like that would for ever.
            let renegotiated = (installed.evse, installed.profile.id);
            if self.renegotiated.replace(renegotiated) != Some(renegotiated) {
                self.send_profile(installed.evse, installed.profile);
            }
        }
    }

    /// The profiles of a transaction that goes on after a restart are sent again, where the station forgets them
    /// (B13.FR.31).
    pub(in crate::csms) fn resume_profiles(&mut self, transaction: &TransactionId) {
        use crate::csms::mirrors::VariableKey;
        let key = VariableKey::new("SmartChargingCtrlr", "ChargingProfilePersistence").instance("TxProfile");
        let persistent = self.mirrors.device_model().value(&key);
        if persistent.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return;
        }
        let profiles: alloc::vec::Vec<_> =
            self.mirrors.charging_profiles.of_transaction(transaction.as_str()).cloned().collect();
        for installed in profiles {
            self.send_profile(installed.evse, installed.profile);
        }
    }

    /// Sends a profile by the session's own will.
    fn send_profile(&mut self, evse: i64, profile: ChargingProfileType) {
        let Some(version) = self.endpoint.version() else { return };
        let message = CallMessage::v2(SetChargingProfileRequest::new(evse, profile));
        // Where it can't be sent now, the station keeps to what it has.
        if let Ok(call) = dialect::encode_call(version, message, AnswerForm::Status(&["Accepted"])) {
            let _ = self.send(Owner::Session, version, call);
        }
    }
}
