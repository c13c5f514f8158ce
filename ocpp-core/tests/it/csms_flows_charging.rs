//! What an EV needs, answered by a schedule (K15, K16, K17, K18, K19).

use ocpp_core::csms::flows::ChargingOffer;
use ocpp_core::csms::{Answer, CallOutcome, CallResult, Event, Question, TransactionId};
use ocpp_core::types::Version;
use ocpp_core::types::v2_1::{
    ChargingProfileKindEnumType, ChargingProfilePurposeEnumType, ChargingProfileType, ChargingRateUnitEnumType,
    ChargingSchedulePeriodType, ChargingScheduleType,
};
use serde_json::{Value, json};

use crate::csms_flows_support::*;
use crate::csms_support::*;

fn needs() -> Value {
    json!({
        "evseId": 1,
        "maxScheduleTuples": 2,
        "chargingNeeds": {
            "requestedEnergyTransfer": "AC_three_phase",
            "acChargingParameters": {"energyAmount": 20000, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 400},
        },
    })
}

fn schedule(id: i64, limits: &[(i64, i64)]) -> ChargingScheduleType {
    let periods = limits.iter().map(|(start, limit)| {
        let mut period = ChargingSchedulePeriodType::new(*start);
        period.limit = Some((*limit).into());
        period
    });
    ChargingScheduleType::new(id, ChargingRateUnitEnumType::W, periods.collect())
}

fn profile(schedules: Vec<ChargingScheduleType>) -> ChargingProfileType {
    let (purpose, kind) = (ChargingProfilePurposeEnumType::TxProfile, ChargingProfileKindEnumType::Relative);
    ChargingProfileType::new(7, 0, purpose, kind, schedules)
}

/// A transaction is under way.
fn charging(version: Version) -> Csms {
    let mut csms = Csms::new(version);
    csms.call("TransactionEvent", event("Started", "tx", 0, 0, 0));
    csms.store();
    csms.drain_sent();
    csms.events();
    csms
}

fn offer(csms: &mut Csms, request: Value, offer: ChargingOffer) -> (Question, Value) {
    let id = csms.call("NotifyEVChargingNeeds", request);
    let about = csms.decide(Answer::ChargingNeeds(offer));
    (about, csms.reply(&id).result())
}

fn offered(csms: &mut Csms) -> CallOutcome {
    let mut told = csms.take_events(|event| match event {
        Event::ChargingOffer { evse: 1, outcome } => Some(outcome.clone()),
        _ => None,
    });
    assert_eq!(told.len(), 1);
    told.remove(0)
}

/// K15.FR.02, K15.FR.03, K15.FR.07, K15.FR.08, K15.FR.18, K17.FR.03, K17.FR.07
#[test]
fn an_ev_is_offered_a_schedule_for_its_transaction() {
    for version in V2 {
        let mut csms = charging(version);
        let profile = profile(vec![schedule(1, &[(0, 11000), (3600, 6000)])]);
        let (about, reply) = offer(&mut csms, needs(), ChargingOffer::Profile(profile.into()));
        let Question::ChargingNeeds(about) = about else { panic!() };
        assert_eq!((about.evse, about.max_schedule_tuples), (1, Some(2)));
        assert_eq!(about.transaction, Some(TransactionId::new("tx")));
        assert_eq!(reply, json!({"status": "Accepted"}));
        let (action, payload) = csms.answer_status("Accepted");
        assert_eq!((&*action, &payload["evseId"]), ("SetChargingProfile", &json!(1)));
        assert_eq!(payload["chargingProfile"]["transactionId"], "tx");
        assert_eq!(payload["chargingProfile"]["chargingProfilePurpose"], "TxProfile");
        assert_eq!(payload["chargingProfile"]["chargingSchedule"].as_array().unwrap().len(), 1);
        let CallOutcome::Answered(answer) = offered(&mut csms) else { panic!() };
        assert_eq!(answer.result, CallResult::Accepted { status: "Accepted".into(), transaction: None });
    }
}

/// K15.FR.04, K15.FR.05, K17.FR.04, K17.FR.05
#[test]
fn an_ev_that_gets_no_schedule_now_is_told_so() {
    for version in V2 {
        for (answer, status) in [(ChargingOffer::None, "Rejected"), (ChargingOffer::Processing, "Processing")] {
            let mut csms = charging(version);
            let (_, reply) = offer(&mut csms, needs(), answer);
            assert_eq!(reply, json!({"status": status}));
            csms.assert_nothing_sent();
        }
        let mut csms = charging(version);
        let id = csms.call("NotifyEVChargingNeeds", needs());
        csms.pass(MINUTE);
        assert_eq!(csms.reply(&id).result(), json!({"status": "Rejected"}), "nobody answered");
    }
}

/// K18.FR.02, K18.FR.03, K18.FR.04, K18.FR.05, K18.FR.22, K19.FR.04, K19.FR.15
#[test]
fn an_ev_of_iso_15118_20_is_refused_only_where_its_energy_transfer_is() {
    let request = json!({
        "evseId": 1,
        "chargingNeeds": {
            "requestedEnergyTransfer": "AC_BPT", "controlMode": "ScheduledControl",
            "v2xChargingParameters": {"maxChargePower": 11000},
        },
    });
    for (answer, status) in [
        (ChargingOffer::None, "NoChargingProfile"),
        (ChargingOffer::Processing, "Processing"),
        (ChargingOffer::Refused, "Rejected"),
    ] {
        let mut csms = charging(Version::V2_1);
        assert_eq!(offer(&mut csms, request.clone(), answer).1, json!({"status": status}));
    }
    let mut csms = charging(Version::V2_1);
    let profile = profile(vec![schedule(1, &[(0, 11000)])]);
    assert_eq!(offer(&mut csms, request, ChargingOffer::Profile(profile.into())).1, json!({"status": "Accepted"}));
}

/// K15.FR.07, K17.FR.07, K17.FR.19, K18.FR.07, K19.FR.07
#[test]
fn an_offer_that_the_ev_cannot_take_is_not_made() {
    let check = |request: Value, profile: ChargingProfileType| {
        let mut csms = charging(Version::V2_1);
        let (_, reply) = offer(&mut csms, request, ChargingOffer::Profile(profile.into()));
        assert_eq!(reply, json!({"status": "Rejected"}));
        csms.assert_nothing_sent();
        assert!(matches!(offered(&mut csms), CallOutcome::Invalid { .. }));
    };
    check(needs(), profile(vec![schedule(1, &[(0, 1), (1, 2), (2, 3)])]));
    check(needs(), profile(vec![schedule(1, &[(0, 1)]); 4]));
    check(needs(), profile(vec![]));
    let mut default = profile(vec![schedule(1, &[(0, 1)])]);
    default.charging_profile_purpose = ChargingProfilePurposeEnumType::TxDefaultProfile;
    check(needs(), default);
    let mut dynamic = needs();
    dynamic["chargingNeeds"]["controlMode"] = json!("DynamicControl");
    check(dynamic, profile(vec![schedule(1, &[(0, 1)]); 2]));
    let mut csms = Csms::new(Version::V2_1);
    let nobody = ChargingOffer::Profile(profile(vec![schedule(1, &[(0, 1)])]).into());
    assert_eq!(offer(&mut csms, needs(), nobody).1, json!({"status": "Rejected"}), "no transaction is known there");
}

#[test]
fn an_offer_that_the_station_refuses_is_told() {
    let mut csms = charging(Version::V2_1);
    let profile = profile(vec![schedule(1, &[(0, 11000)])]);
    offer(&mut csms, needs(), ChargingOffer::Profile(profile.into()));
    csms.answer(json!({"status": "Rejected", "statusInfo": {"reasonCode": "TxNotFound"}}));
    let CallOutcome::Answered(answer) = offered(&mut csms) else { panic!() };
    assert_eq!(answer.result, CallResult::Refused { status: "Rejected".into(), reason: Some("TxNotFound".into()) });
}
