//! What an EV needs, answered by a schedule (K15, K16, K17, K18).

use alloc::boxed::Box;

use ocpp_types::v2_1::{
    ChargingProfilePurposeEnumType, ChargingProfileType, ControlModeEnumType, NotifyEVChargingNeedsRequest,
    NotifyEVChargingNeedsResponse, NotifyEVChargingNeedsStatusEnumType, SetChargingProfileRequest,
};
use ocpp_types::{Text, Version};

use super::call::{self, FlowAnswer};
use super::question::{ChargingNeeds, ChargingOffer};
use crate::csms::command::{CallAnswer, CallOutcome, CallResult};
use crate::csms::event::Event;
use crate::csms::identity::TransactionId;
use crate::csms::message::{CallMessage, ReplyMessage};
use crate::csms::operations::{Happened, Next, Operation, Scene};
use crate::csms::request::Reply;
use crate::csms::session::Session;
use crate::csms::smart_charging;
use crate::csms::wire::invalid;
use crate::rpc::IncomingId;
use crate::time::Now;

/// What is needed to answer.
#[derive(Debug)]
pub(in crate::csms) struct Needs {
    evse: i64,
    /// As the station knows the transaction.
    wire: Option<TransactionId>,
    max_schedule_tuples: Option<i64>,
    dynamic: bool,
    /// Whether a refusal means that the transaction stops (K18.FR.22), so that no schedule is told in another way (K18.FR.04).
    refusal_stops: bool,
}

/// What the application is asked, and what is needed to answer.
pub(super) fn read(
    request: NotifyEVChargingNeedsRequest,
    transaction: Option<TransactionId>,
    wire: Option<TransactionId>,
) -> (ChargingNeeds, Needs) {
    let needs = Needs {
        evse: request.evse_id,
        wire,
        max_schedule_tuples: request.max_schedule_tuples,
        dynamic: request.charging_needs.control_mode == Some(ControlModeEnumType::DynamicControl),
        refusal_stops: request.charging_needs.v2x_charging_parameters.is_some(),
    };
    let about = ChargingNeeds {
        evse: request.evse_id,
        transaction,
        needs: Box::new(request.charging_needs),
        max_schedule_tuples: request.max_schedule_tuples,
    };
    (about, needs)
}

/// What is wrong with an offer, if anything.
fn check(needs: &Needs, profile: &ChargingProfileType) -> Option<CallOutcome> {
    let schedules = &profile.charging_schedule;
    // K15.FR.07, K17.FR.07, K18.FR.07
    if profile.charging_profile_purpose != ChargingProfilePurposeEnumType::TxProfile {
        return Some(invalid("/chargingProfile/chargingProfilePurpose", "an EV's needs are answered by a TxProfile"));
    }
    if profile.transaction_id.is_none() {
        return Some(invalid("/chargingProfile/transactionId", "the transaction is not known: name it"));
    }
    let most = if needs.dynamic { 1 } else { 3 };
    // K17.FR.19, K19.FR.07 for the dynamic mode
    if schedules.is_empty() || schedules.len() > most {
        return Some(invalid(
            "/chargingProfile/chargingSchedule",
            "one to three schedules, one in dynamic control mode",
        ));
    }
    let limit = needs.max_schedule_tuples.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    if schedules.iter().any(|schedule| schedule.charging_schedule_period.len() > limit) {
        let rule = "more periods than the EV can take (maxScheduleTuples)";
        return Some(invalid("/chargingProfile/chargingSchedule/chargingSchedulePeriod", rule));
    }
    None
}

impl Session {
    /// The station is told whether a schedule comes, and then handed it.
    pub(super) fn answer_needs(&mut self, now: Now, id: IncomingId, needs: Needs, offer: Option<ChargingOffer>) {
        let none = match needs.refusal_stops {
            // K18.FR.04, K19.FR.04
            true => NotifyEVChargingNeedsStatusEnumType::NoChargingProfile,
            // K15.FR.04, K17.FR.04
            false => NotifyEVChargingNeedsStatusEnumType::Rejected,
        };
        let evse = needs.evse;
        let (status, profile) = match offer {
            Some(ChargingOffer::Profile(mut profile)) => {
                if let (None, Some(wire)) = (&profile.transaction_id, &needs.wire) {
                    profile.transaction_id = Text::new(wire.as_str()).ok();
                }
                let version = self.connected().unwrap_or(Version::V2_1);
                let kept_back = check(&needs, &profile).or_else(|| {
                    let rule = smart_charging::check_profile(version, &self.mirrors, evse, &profile).err()?;
                    Some(CallOutcome::NotAllowed { rule })
                });
                match kept_back {
                    Some(outcome) => {
                        self.event(Event::ChargingOffer { evse, outcome });
                        (none, None)
                    }
                    // K15.FR.03, K17.FR.03, K18.FR.03, K19.FR.03, Q01.FR.07
                    None => (NotifyEVChargingNeedsStatusEnumType::Accepted, Some(profile)),
                }
            }
            // K15.FR.05, K17.FR.05, K18.FR.05, K19.FR.05
            Some(ChargingOffer::Processing) => (NotifyEVChargingNeedsStatusEnumType::Processing, None),
            // K18.FR.22, K19.FR.15, Q01.FR.04
            Some(ChargingOffer::Refused) => (NotifyEVChargingNeedsStatusEnumType::Rejected, None),
            Some(ChargingOffer::None) | None => (none, None),
        };
        // K15.FR.02, K17.FR.02, K18.FR.02, K19.FR.02
        let response = NotifyEVChargingNeedsResponse::new(status);
        self.reply(id, &Reply::Message(ReplyMessage::v2(response)));
        if let Some(profile) = profile {
            // K15.FR.08, K16.FR.12, K17.FR.08, K18.FR.08, K19.FR.08, K20.FR.02, K20.FR.03: at once.
            let started = self.start(now, None, Box::new(Offer { evse, profile: Some(profile) }));
            if let Err(outcome) = started {
                self.event(Event::ChargingOffer { evse, outcome });
            }
        }
    }
}

/// A schedule on its way to the EV.
#[derive(Debug)]
struct Offer {
    evse: i64,
    profile: Option<Box<ChargingProfileType>>,
}

impl Operation for Offer {
    fn advance(&mut self, scene: &mut Scene<'_>, happened: Happened<'_>) -> Next {
        let outcome = match happened {
            Happened::Begun => {
                let Some(profile) = self.profile.take() else { return Next::Stay };
                return Next::Call(CallMessage::v2(SetChargingProfileRequest::new(self.evse, *profile)));
            }
            Happened::Answered { message, payload } => {
                let result = match call::read(*message) {
                    FlowAnswer::Status { status, .. } if status == "Accepted" => {
                        CallResult::Accepted { status, transaction: None }
                    }
                    FlowAnswer::Status { status, reason, .. } => CallResult::Refused { status, reason },
                    _ => CallResult::Raw,
                };
                CallOutcome::Answered(CallAnswer { payload, result })
            }
            Happened::Failed(outcome) => outcome,
            _ => return Next::Stay,
        };
        scene.event(Event::ChargingOffer { evse: self.evse, outcome: outcome.clone() });
        Next::End(outcome)
    }
}
