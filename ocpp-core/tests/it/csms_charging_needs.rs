//! What an EV needs in both directions and again and again (2.1 part 2, K16 to K19, Q01).

use ocpp_core::csms::flows::ChargingOffer;
use ocpp_core::csms::{Answer, CallOutcome, Command, Event};
use ocpp_core::types::Version;
use ocpp_core::types::v2_1::ChargingProfileType;
use serde_json::{Value, json};

use crate::csms_support::*;

fn charging(version: Version) -> Csms {
    let mut csms = Csms::new(version);
    csms.call("TransactionEvent", event("Started", "tx", 0, 0, 0));
    csms.store();
    csms.drain_sent();
    csms.events();
    csms
}

fn profile(limit: i64) -> Box<ChargingProfileType> {
    let schedule = json!({"id": 1, "chargingRateUnit": "W", "startSchedule": at(0),
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]});
    let profile = json!({"id": 7, "stackLevel": 0, "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute", "transactionId": "tx", "chargingSchedule": [schedule]});
    Box::new(serde_json::from_value(profile).unwrap())
}

fn needs(version: Version, transfer: &str, mode: &str) -> Value {
    let mut needs = json!({"requestedEnergyTransfer": transfer});
    if version == Version::V2_1 {
        needs["controlMode"] = json!(mode);
        needs["v2xChargingParameters"] = json!({"maxChargePower": 11000});
    }
    json!({"evseId": 1, "chargingNeeds": needs})
}

/// Asks, and answers for the application; what the station is told.
fn status(csms: &mut Csms, request: Value, offer: ChargingOffer) -> Value {
    let call = csms.call("NotifyEVChargingNeeds", request);
    csms.decide(Answer::ChargingNeeds(offer));
    csms.reply(&call).result()["status"].clone()
}

/// The station is sent a profile with this limit, now.
fn assert_profile_sent(csms: &mut Csms, limit: i64) {
    let (id, action, payload) = csms.received_call();
    assert_eq!((&*action, &payload["evseId"]), ("SetChargingProfile", &json!(1)));
    let sent = &payload["chargingProfile"];
    assert_eq!((&sent["chargingProfilePurpose"], &sent["transactionId"]), (&json!("TxProfile"), &json!("tx")));
    assert_eq!(sent["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"], json!(limit));
    csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
}

/// K17.FR.02, K17.FR.08, K18.FR.08, K18.FR.18, K19.FR.02, K19.FR.03, K19.FR.08, K20.FR.02, K20.FR.03
#[test]
fn an_ev_that_asks_again_is_answered_again_and_gets_its_profile_at_once() {
    for version in V2 {
        for mode in ["ScheduledControl", "DynamicControl"] {
            let mut csms = charging(version);
            for limit in [11000, 7000] {
                let transfer = if version == Version::V2_1 { "DC_BPT" } else { "DC" };
                let offer = ChargingOffer::Profile(profile(limit));
                assert_eq!(status(&mut csms, needs(version, transfer, mode), offer), "Accepted");
                assert_profile_sent(&mut csms, limit);
            }
            let known = csms.session.mirrors().charging_profiles();
            assert_eq!(known.iter().count(), 1, "the second has taken the place of the first");
        }
    }
}

/// K16.FR.12
#[test]
fn an_ev_that_asks_after_a_renegotiation_gets_its_profile_once_more() {
    for version in V2 {
        let mut csms = charging(version);
        csms.command(1, Command::SetChargingProfile { evse: 1, profile: profile(7000) });
        assert_profile_sent(&mut csms, 7000);
        assert!(matches!(csms.outcome(1), CallOutcome::Answered(_)));
        let offer = ChargingOffer::Profile(profile(7000));
        assert_eq!(status(&mut csms, needs(version, "DC", "ScheduledControl"), offer), "Accepted");
        assert_profile_sent(&mut csms, 7000);
    }
}

/// Q01.FR.04, Q01.FR.07
#[test]
fn power_in_both_directions_is_accepted_or_refused() {
    let request = || needs(Version::V2_1, "DC_BPT", "ScheduledControl");
    let mut csms = charging(Version::V2_1);
    assert_eq!(status(&mut csms, request(), ChargingOffer::Refused), "Rejected");
    csms.assert_nothing_sent();
    assert_eq!(status(&mut csms, request(), ChargingOffer::Processing), "Processing");
    csms.assert_nothing_sent();
    assert_eq!(status(&mut csms, request(), ChargingOffer::Profile(profile(11000))), "Accepted");
    assert_profile_sent(&mut csms, 11000);
}

/// K01.FR.31: what may not be sent is not offered either.
#[test]
fn an_offer_that_breaks_a_rule_is_kept_back() {
    let mut csms = charging(Version::V2_1);
    let mut late = profile(11000);
    late.charging_schedule[0].charging_schedule_period[0].start_period = 5;
    let request = needs(Version::V2_1, "DC_BPT", "ScheduledControl");
    assert_eq!(status(&mut csms, request, ChargingOffer::Profile(late)), "NoChargingProfile");
    csms.assert_nothing_sent();
    let told = csms.events();
    let rule = told.iter().find_map(|event| match event {
        Event::ChargingOffer { outcome: CallOutcome::NotAllowed { rule }, .. } => Some(*rule),
        _ => None,
    });
    assert!(rule.is_some_and(|rule| rule.contains("K01.FR.31")), "{told:?}");
}
