//! Smart charging as the CSMS does it: one plan for all versions, checked before it is sent, and mirrored (2.1 part 2, K and Q; 1.6
//! edition 2, 3.13, 5.5, 5.7, 5.16).

use std::time::Duration;

use ocpp_core::csms::flows::ChargingOffer;
use ocpp_core::csms::{
    Answer, CallOutcome, CallResult, Command, Event, Input, Question, Session, Token, TransactionId,
};
use ocpp_core::types::v2_1::{
    ChargingProfileCriterionType, ChargingProfileType, ChargingScheduleUpdateType, ClearChargingProfileType,
    GetVariableDataType,
};
use ocpp_core::types::{Text, Version};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::csms_support::*;

const TX: &str = "tx";

/// A profile for a transaction.
fn tx_profile(id: i64) -> Value {
    json!({
        "id": id, "stackLevel": 1, "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Absolute",
        "transactionId": TX,
        "chargingSchedule": [{
            "id": 1, "chargingRateUnit": "A", "startSchedule": at(0),
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}, {"startPeriod": 600, "limit": 8, "numberPhases": 3}],
        }],
    })
}

fn default_profile(id: i64, level: i64) -> Value {
    let mut profile = tx_profile(id);
    profile["chargingProfilePurpose"] = json!("TxDefaultProfile");
    profile["stackLevel"] = json!(level);
    profile.as_object_mut().unwrap().remove("transactionId");
    profile
}

fn set(evse: i64, profile: &Value) -> Command {
    let profile: ChargingProfileType = serde_json::from_value(profile.clone()).unwrap();
    Command::SetChargingProfile { evse, profile: Box::new(profile) }
}

/// Sends a profile and has it accepted; what was sent.
fn install(csms: &mut Csms, evse: i64, profile: &Value) -> Value {
    csms.command(1, set(evse, profile));
    let (id, action, payload) = csms.received_call();
    assert_eq!(action, "SetChargingProfile");
    csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
    assert!(matches!(csms.outcome(1), CallOutcome::Answered(_)));
    payload
}

/// The rule that keeps a command back.
fn rule(csms: &mut Csms, command: Command) -> &'static str {
    csms.command(9, command);
    csms.assert_nothing_sent();
    let outcome = csms.outcome(9);
    let CallOutcome::NotAllowed { rule } = outcome else { panic!("{outcome:?}") };
    rule
}

fn assert_kept_back(csms: &mut Csms, evse: i64, profile: &Value, id: &str) {
    let rule = rule(csms, set(evse, profile));
    assert!(rule.contains(id), "{id} expected, not {rule}");
}

/// The station tells the value of a variable.
fn tell(csms: &mut Csms, component: &Value, variable: &str, value: &str) {
    let data = json!({"component": component, "variable": {"name": variable}});
    let variables: Vec<GetVariableDataType> = vec![serde_json::from_value(data.clone()).unwrap()];
    csms.command(8, Command::GetVariables { variables });
    let (id, ..) = csms.received_call();
    let mut result = data;
    result["attributeStatus"] = json!("Accepted");
    result["attributeValue"] = json!(value);
    csms.frame(json!([3, id, {"getVariableResult": [result]}]).to_string());
    csms.outcome(8);
}

fn tell_smart_charging(csms: &mut Csms, variable: &str, value: &str) {
    tell(csms, &json!({"name": "SmartChargingCtrlr"}), variable, value);
}

fn installed(session: &Session) -> Vec<(i64, i64)> {
    let mirror = session.mirrors().charging_profiles();
    mirror.iter().map(|installed| (installed.evse, installed.profile.id)).collect()
}

/// The vehicle says what it needs, by ISO 15118.
fn needs(csms: &mut Csms, transfer: &str, mode: &str, tuples: i64) {
    let mut needs = json!({"requestedEnergyTransfer": transfer});
    if csms.version == Version::V2_1 {
        needs["controlMode"] = json!(mode);
    }
    csms.call("NotifyEVChargingNeeds", json!({"evseId": 1, "chargingNeeds": needs, "maxScheduleTuples": tuples}));
    if csms.has_question() {
        csms.decide(Answer::ChargingNeeds(ChargingOffer::None));
    }
    csms.drain_sent();
}

/// K01.FR.01, K01.FR.02, K01.FR.03, K01.FR.08, K02.FR.03; 1.6 edition 2, 5.16
#[test]
fn one_plan_reaches_stations_of_all_versions_and_is_mirrored() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let sent = install(&mut csms, 1, &tx_profile(5));
        assert_eq!(sent, json!({"evseId": 1, "chargingProfile": tx_profile(5)}));
        install(&mut csms, 0, &default_profile(6, 0));
        assert_eq!(installed(&csms.session), [(1, 5), (0, 6)]);
    }
    let mut csms = Csms::new(Version::V1_6);
    let mut profile = tx_profile(5);
    profile["transactionId"] = json!("12");
    let sent = install(&mut csms, 1, &profile);
    let expected = json!({"connectorId": 1, "csChargingProfiles": {
        "chargingProfileId": 5, "stackLevel": 1, "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Absolute",
        "transactionId": 12,
        "chargingSchedule": {
            "chargingRateUnit": "A", "startSchedule": at(0),
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}, {"startPeriod": 600, "limit": 8, "numberPhases": 3}],
        },
    }});
    assert_eq!(sent, expected);
    let mut profile = default_profile(6, 0);
    profile["chargingProfilePurpose"] = json!("ChargingStationMaxProfile");
    let sent = install(&mut csms, 0, &profile);
    assert_eq!(sent["csChargingProfiles"]["chargingProfilePurpose"], "ChargePointMaxProfile");
    // 1.6 edition 2, 5.16: the same level and purpose at the same connector.
    profile["id"] = json!(7);
    install(&mut csms, 0, &profile);
    assert_eq!(installed(&csms.session), [(1, 5), (0, 7)]);
}

#[test]
fn what_a_version_has_no_words_for_is_refused_and_not_left_out() {
    let mut setpoint = tx_profile(5);
    setpoint["chargingSchedule"][0]["chargingSchedulePeriod"] =
        json!([{"startPeriod": 0, "setpoint": -5, "operationMode": "CentralSetpoint"}]);
    let mut dynamic = default_profile(5, 1);
    dynamic["chargingProfileKind"] = json!("Dynamic");
    dynamic["chargingSchedule"][0]["chargingSchedulePeriod"] = json!([{"startPeriod": 0, "limit": 5}]);
    let mut priority = default_profile(5, 1);
    priority["chargingProfilePurpose"] = json!("PriorityCharging");
    let mut per_phase = tx_profile(5);
    per_phase["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit_L2"] = json!(10);
    for (version, transaction) in [(Version::V1_6, "12"), (Version::V2_0_1, TX)] {
        for profile in [&setpoint, &dynamic, &priority, &per_phase] {
            let mut profile = profile.clone();
            if profile["transactionId"].is_string() {
                profile["transactionId"] = json!(transaction);
            }
            let mut csms = Csms::new(version);
            csms.command(1, set(1, &profile));
            csms.assert_nothing_sent();
            let outcome = csms.outcome(1);
            assert!(matches!(outcome, CallOutcome::Invalid { .. }), "{version} {profile} {outcome:?}");
        }
    }
    let mut csms = Csms::new(Version::V1_6);
    csms.command(1, set(1, &tx_profile(5)));
    assert!(matches!(csms.outcome(1), CallOutcome::Invalid { .. }), "its transactions are numbers");
}

/// K01.FR.03, K01.FR.16, K01.FR.22, K01.FR.38, K02.FR.03, K02.FR.07, K04.FR.03
#[test]
fn a_profile_is_only_sent_for_what_it_may_be_for() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let mut profile = tx_profile(1);
        profile.as_object_mut().unwrap().remove("transactionId");
        assert_kept_back(&mut csms, 1, &profile, "K01.FR.03");
        assert_kept_back(&mut csms, 0, &tx_profile(1), "K01.FR.16");
        let mut profile = default_profile(1, 0);
        profile["transactionId"] = json!(TX);
        assert_kept_back(&mut csms, 1, &profile, "K02.FR.03");
        let mut profile = default_profile(1, 0);
        profile["chargingProfilePurpose"] = json!("ChargingStationExternalConstraints");
        assert_kept_back(&mut csms, 1, &profile, "K01.FR.22");
        assert_kept_back(&mut csms, 1, &profile, "K02.FR.07");
        profile["chargingProfilePurpose"] = json!("ChargingStationMaxProfile");
        assert_kept_back(&mut csms, 1, &profile, "K04.FR.03");
        profile["chargingProfileKind"] = json!("Relative");
        assert_kept_back(&mut csms, 0, &profile, "K01.FR.38");
    }
}

/// K01.FR.06, K01.FR.39
#[test]
fn no_two_profiles_of_a_purpose_hold_at_one_level_at_one_time() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let mut first = default_profile(1, 2);
        first["validTo"] = json!(at(1000));
        install(&mut csms, 1, &first);
        assert_kept_back(&mut csms, 1, &default_profile(2, 2), "K01.FR.06");
        // The same id takes its place; another level, EVSE or time is another profile.
        install(&mut csms, 1, &first);
        install(&mut csms, 2, &default_profile(3, 2));
        install(&mut csms, 1, &default_profile(4, 3));
        let mut later = default_profile(5, 2);
        later["validFrom"] = json!(at(1000));
        install(&mut csms, 1, &later);
        install(&mut csms, 1, &tx_profile(10));
        assert_kept_back(&mut csms, 1, &tx_profile(11), "K01.FR.39");
        let mut other = tx_profile(12);
        other["transactionId"] = json!("other");
        install(&mut csms, 1, &other);
    }
}

/// K01.FR.31, K01.FR.34, K01.FR.35, K01.FR.40, K01.FR.41
#[test]
fn a_schedule_has_the_form_that_stations_expect() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let broken = |path: &str, value: Value| {
            let mut profile = tx_profile(1);
            *profile.pointer_mut(path).unwrap() = value;
            profile
        };
        let periods = "/chargingSchedule/0/chargingSchedulePeriod";
        let late = broken(periods, json!([{"startPeriod": 1, "limit": 16}]));
        assert_kept_back(&mut csms, 1, &late, "K01.FR.31");
        let mixed =
            json!([{"startPeriod": 0, "limit": 1}, {"startPeriod": 9, "limit": 1}, {"startPeriod": 5, "limit": 1}]);
        assert_kept_back(&mut csms, 1, &broken(periods, mixed), "K01.FR.35");
        let schedule = tx_profile(1)["chargingSchedule"][0].clone();
        let two = broken("/chargingSchedule", json!([schedule, schedule]));
        assert_kept_back(&mut csms, 1, &two, "K01.FR.34");
        let relative = broken("/chargingProfileKind", json!("Relative"));
        assert_kept_back(&mut csms, 1, &relative, "K01.FR.41");
        let mut absolute = tx_profile(1);
        absolute["chargingSchedule"][0].as_object_mut().unwrap().remove("startSchedule");
        assert_kept_back(&mut csms, 1, &absolute, "K01.FR.40");
        // K01.FR.34: ISO 15118 has a choice.
        needs(&mut csms, "DC", "ScheduledControl", 10);
        install(&mut csms, 1, &two);
    }
}

/// K01.FR.19, K01.FR.20
#[test]
fn a_phase_is_chosen_only_where_the_evse_can() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let mut profile = tx_profile(1);
        let period = &mut profile["chargingSchedule"][0]["chargingSchedulePeriod"][1];
        period["phaseToUse"] = json!(2);
        assert_kept_back(&mut csms, 1, &profile, "K01.FR.19");
        profile["chargingSchedule"][0]["chargingSchedulePeriod"][1]["numberPhases"] = json!(1);
        assert_kept_back(&mut csms, 1, &profile, "K01.FR.20");
        tell_smart_charging(&mut csms, "ACPhaseSwitchingSupported", "true");
        let evse = json!({"name": "SmartChargingCtrlr", "evse": {"id": 1}});
        tell(&mut csms, &evse, "ACPhaseSwitchingSupported", "false");
        assert_kept_back(&mut csms, 1, &profile, "K01.FR.20");
        install(&mut csms, 2, &profile);
    }
}

/// K01.FR.80, K15.FR.07
#[test]
fn a_profile_is_kept_back_that_is_more_than_the_station_can() {
    for version in V2 {
        let mut csms = Csms::new(version);
        tell_smart_charging(&mut csms, "MaxExternalConstraintsId", "10");
        assert_kept_back(&mut csms, 1, &tx_profile(10), "K01.FR.80");
        tell_smart_charging(&mut csms, "ProfileStackLevel", "0");
        assert_kept_back(&mut csms, 1, &tx_profile(11), "ProfileStackLevel");
        tell_smart_charging(&mut csms, "ProfileStackLevel", "1");
        tell_smart_charging(&mut csms, "RateUnit", "W");
        assert_kept_back(&mut csms, 1, &tx_profile(11), "RateUnit");
        tell_smart_charging(&mut csms, "RateUnit", "W,A");
        tell_smart_charging(&mut csms, "PeriodsPerSchedule", "1");
        assert_kept_back(&mut csms, 1, &tx_profile(11), "K15.FR.07");
        tell_smart_charging(&mut csms, "PeriodsPerSchedule", "2");
        install(&mut csms, 1, &tx_profile(11));
    }
}

/// 1.6 edition 2, 9.4
#[test]
fn a_profile_is_kept_back_that_is_more_than_a_1_6_station_can() {
    let mut csms = Csms::new(Version::V1_6);
    for (key, value, enough) in [
        ("ChargeProfileMaxStackLevel", "0", "1"),
        ("ChargingScheduleMaxPeriods", "1", "2"),
        ("ChargingScheduleAllowedChargingRateUnit", "Power", "Current,Power"),
    ] {
        for value in [value, enough] {
            csms.command(1, Command::GetConfiguration { names: vec![key.into()] });
            let (id, ..) = csms.received_call();
            let setting = json!({"key": key, "readonly": true, "value": value});
            csms.frame(json!([3, id, {"configurationKey": [setting]}]).to_string());
            csms.outcome(1);
            let mut profile = tx_profile(1);
            profile["transactionId"] = json!("1");
            if value == enough {
                install(&mut csms, 1, &profile);
            } else {
                assert_kept_back(&mut csms, 1, &profile, key);
            }
        }
    }
}

/// K01.FR.70, K01.FR.71
#[test]
fn a_profile_for_priority_charging_has_no_end_and_only_charges() {
    let mut csms = Csms::new(Version::V2_1);
    let mut profile = default_profile(1, 0);
    profile["chargingProfilePurpose"] = json!("PriorityCharging");
    profile["chargingSchedule"][0]["duration"] = json!(60);
    assert_kept_back(&mut csms, 1, &profile, "K01.FR.70");
    profile["chargingSchedule"][0].as_object_mut().unwrap().remove("duration");
    profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]["operationMode"] = json!("ExternalLimits");
    assert_kept_back(&mut csms, 1, &profile, "K01.FR.71");
    profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]["operationMode"] = json!("ChargingOnly");
    install(&mut csms, 1, &profile);
}

/// K15.FR.07, K17.FR.07, K17.FR.19, K18.FR.07, K19.FR.07
#[test]
fn a_schedule_has_no_more_periods_than_the_vehicle_takes() {
    for version in V2 {
        let mut csms = Csms::new(version);
        needs(&mut csms, "DC", "ScheduledControl", 1);
        for id in ["K15.FR.07", "K17.FR.07", "K18.FR.07", "K19.FR.07"] {
            assert_kept_back(&mut csms, 1, &tx_profile(1), id);
        }
        install(&mut csms, 2, &tx_profile(2));
        needs(&mut csms, "DC", "ScheduledControl", 2);
        let mut priced = tx_profile(1);
        let entry = json!({"relativeTimeInterval": {"start": 0}});
        priced["chargingSchedule"][0]["salesTariff"] = json!({"id": 1, "salesTariffEntry": [entry, entry, entry]});
        priced["stackLevel"] = json!(2);
        assert_kept_back(&mut csms, 1, &priced, "K15.FR.07");
        let mut profile = tx_profile(1);
        profile["stackLevel"] = json!(2);
        install(&mut csms, 1, &profile);
    }
    let mut csms = Csms::new(Version::V2_1);
    needs(&mut csms, "DC", "DynamicControl", 9);
    let mut two = tx_profile(1);
    let schedule = two["chargingSchedule"][0].clone();
    two["chargingSchedule"] = json!([schedule, schedule]);
    for id in ["K17.FR.19", "K19.FR.07"] {
        assert_kept_back(&mut csms, 1, &two, id);
    }
}

/// Q02.FR.01, Q02.FR.02
#[test]
fn a_vehicle_that_only_charges_is_not_told_to_discharge() {
    let mut csms = Csms::new(Version::V2_1);
    needs(&mut csms, "DC", "ScheduledControl", 9);
    let with = |period: Value| {
        let mut profile = tx_profile(1);
        profile["chargingSchedule"][0]["chargingSchedulePeriod"] = json!([period]);
        profile
    };
    let external = with(json!({"startPeriod": 0, "limit": 5, "operationMode": "ExternalLimits"}));
    assert_kept_back(&mut csms, 1, &external, "Q02.FR.01");
    let discharging = with(json!({"startPeriod": 0, "limit": 5, "dischargeLimit": -5}));
    assert_kept_back(&mut csms, 1, &discharging, "Q02.FR.02");
    install(&mut csms, 1, &with(json!({"startPeriod": 0, "limit": 5, "operationMode": "ChargingOnly"})));
    needs(&mut csms, "DC_BPT", "ScheduledControl", 9);
    install(&mut csms, 1, &external);
}

/// Q03.FR.01, Q03.FR.02, Q08.FR.01, Q08.FR.02, Q08.FR.05, Q10.FR.01
#[test]
fn a_period_has_what_its_mode_of_operation_asks_for() {
    let mut csms = Csms::new(Version::V2_1);
    let with = |mode: &str, members: Value| {
        let mut profile = tx_profile(1);
        let mut period = members;
        period["startPeriod"] = json!(0);
        period["operationMode"] = json!(mode);
        profile["chargingSchedule"][0]["chargingSchedulePeriod"] = json!([period]);
        profile["chargingSchedule"][0]["chargingRateUnit"] = json!("W");
        profile
    };
    assert_kept_back(&mut csms, 1, &with("ChargingOnly", json!({"setpoint": 5})), "Q03.FR.01");
    assert_kept_back(&mut csms, 1, &with("CentralSetpoint", json!({"setpoint": 5, "limit": 9})), "Q03.FR.02");
    assert_kept_back(&mut csms, 1, &with("CentralSetpoint", json!({"dischargeLimit_L2": -9})), "Q03.FR.02");
    assert_kept_back(&mut csms, 1, &with("Idle", json!({"limit": 9})), "Q10.FR.01");
    let curve = json!([{"frequency": 49.9, "power": 0}, {"frequency": 50.1, "power": 100}]);
    let frequency = json!({"v2xFreqWattCurve": curve, "v2xBaseline": 0});
    let mut limited = frequency.clone();
    limited["limit"] = json!(5);
    assert_kept_back(&mut csms, 1, &with("LocalFrequency", limited), "Q08.FR.01");
    assert_kept_back(&mut csms, 1, &with("LocalFrequency", json!({"v2xBaseline": 0})), "Q08.FR.02");
    let mut amperes = with("LocalFrequency", frequency.clone());
    amperes["chargingSchedule"][0]["chargingRateUnit"] = json!("A");
    assert_kept_back(&mut csms, 1, &amperes, "Q08.FR.05");
    install(&mut csms, 1, &with("LocalFrequency", frequency));
    install(&mut csms, 1, &with("CentralSetpoint", json!({"setpoint": -500})));
    install(&mut csms, 1, &with("Idle", json!({})));
}

/// K05.FR.01, K05.FR.02
#[test]
fn only_a_profile_for_the_transaction_goes_with_its_start() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let start = |profile: &Value| Command::RemoteStart {
            evse: Some(1),
            token: Token::new("TAG"),
            remote_start_id: 1,
            group: None,
            charging_profile: Some(profile.to_string()),
        };
        assert!(rule(&mut csms, start(&default_profile(1, 0))).contains("K05.FR.02"));
        let mut profile = tx_profile(1);
        profile.as_object_mut().unwrap().remove("transactionId");
        csms.command(1, start(&profile));
        assert_eq!(csms.received_call().2["chargingProfile"], profile);
    }
}

/// K08.FR.01; 1.6 edition 2, 5.7
#[test]
fn a_composite_schedule_is_read_in_all_versions() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.command(1, Command::GetCompositeSchedule { evse: 1, duration: 900, unit: Some("W".into()) });
        let (id, action, payload) = csms.received_call();
        assert_eq!(action, "GetCompositeSchedule");
        let place = if version == Version::V1_6 { "connectorId" } else { "evseId" };
        assert_eq!(payload, json!({place: 1, "duration": 900, "chargingRateUnit": "W"}));
        let periods = json!([{"startPeriod": 0, "limit": 7000}]);
        let answer = match version {
            Version::V1_6 => json!({
                "status": "Accepted", "connectorId": 1, "scheduleStart": at(0),
                "chargingSchedule": {"duration": 900, "chargingRateUnit": "W", "chargingSchedulePeriod": periods},
            }),
            _ => json!({"status": "Accepted", "schedule": {
                "evseId": 1, "duration": 900, "scheduleStart": at(0), "chargingRateUnit": "W",
                "chargingSchedulePeriod": periods,
            }}),
        };
        csms.frame(json!([3, id, answer]).to_string());
        let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
        let CallResult::CompositeSchedule(schedule) = answer.result else { panic!("{:?}", answer.result) };
        assert_eq!((schedule.evse_id, schedule.duration), (1, 900));
        assert_eq!(schedule.charging_schedule_period[0].limit, Some(Decimal::from(7000)));
    }
}

fn criterion(value: Value) -> ChargingProfileCriterionType {
    serde_json::from_value(value).unwrap()
}

/// K09.FR.03
#[test]
fn profiles_are_asked_for_by_id_or_by_what_they_are() {
    for version in V2 {
        let mut csms = Csms::new(version);
        for broken in [json!({}), json!({"chargingProfileId": [1], "stackLevel": 1})] {
            let command = Command::GetChargingProfiles { evse: None, criterion: criterion(broken) };
            assert!(rule(&mut csms, command).contains("K09.FR.03"));
        }
        install(&mut csms, 1, &default_profile(1, 1));
        install(&mut csms, 1, &default_profile(2, 2));
        install(&mut csms, 1, &tx_profile(3));
        let criterion = criterion(json!({"chargingProfilePurpose": "TxDefaultProfile"}));
        csms.command(1, Command::GetChargingProfiles { evse: Some(1), criterion });
        let (id, action, payload) = csms.received_call();
        assert_eq!((&*action, &payload["evseId"]), ("GetChargingProfiles", &json!(1)));
        csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
        let part = |profile: Value, more: bool| {
            json!({"requestId": payload["requestId"], "chargingLimitSource": "CSO", "evseId": 1, "tbc": more,
                   "chargingProfile": [profile]})
        };
        csms.exchange("ReportChargingProfiles", part(default_profile(2, 2), true)).result();
        csms.exchange("ReportChargingProfiles", part(default_profile(4, 4), false)).result();
        let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
        let CallResult::ChargingProfiles { profiles, complete } = answer.result else { panic!() };
        assert_eq!((profiles.len(), complete), (2, true));
        assert_eq!(installed(&csms.session), [(1, 3), (1, 2), (1, 4)], "1 is gone, 3 was not asked for");
    }
}

#[test]
fn a_report_on_profiles_that_does_not_end_is_given_up() {
    let mut csms = Csms::new(Version::V2_1);
    let criterion = criterion(json!({"stackLevel": 1}));
    csms.command(1, Command::GetChargingProfiles { evse: None, criterion });
    let (id, ..) = csms.received_call();
    csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
    csms.pass(Duration::from_secs(60));
    let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
    assert_eq!(answer.result, CallResult::ChargingProfiles { profiles: vec![], complete: false });
}

/// K10.FR.02, K10.FR.06; 1.6 edition 2, 5.5
#[test]
fn profiles_are_cleared_by_id_or_by_what_they_are() {
    for version in V2 {
        let mut csms = Csms::new(version);
        for id in 1..=3 {
            install(&mut csms, 1, &default_profile(id, id));
        }
        let clear = |profile, criteria: Option<Value>| Command::ClearChargingProfile {
            profile,
            criteria: criteria.map(|value| serde_json::from_value::<ClearChargingProfileType>(value).unwrap()),
        };
        assert!(rule(&mut csms, clear(None, None)).contains("K10.FR.02"));
        assert!(rule(&mut csms, clear(None, Some(json!({})))).contains("K10.FR.02"));
        for purpose in ["ChargingStationExternalConstraints", "LocalGeneration"] {
            let criteria = json!({"chargingProfilePurpose": purpose});
            assert!(rule(&mut csms, clear(None, Some(criteria))).contains("K10.FR.06"));
        }
        for (command, left) in [
            (clear(Some(2), None), vec![(1, 1), (1, 3)]),
            (clear(None, Some(json!({"evseId": 2}))), vec![(1, 1), (1, 3)]),
            (clear(None, Some(json!({"stackLevel": 3, "evseId": 1}))), vec![(1, 1)]),
        ] {
            csms.command(1, command);
            let (id, ..) = csms.received_call();
            csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
            assert_eq!(installed(&csms.session), left);
            csms.outcome(1);
        }
    }
    let mut csms = Csms::new(Version::V1_6);
    csms.command(1, Command::ClearChargingProfile { profile: None, criteria: None });
    assert_eq!(csms.received_call().2, json!({}), "all of them");
}

/// K02.FR.05
#[test]
fn the_profiles_of_a_transaction_end_with_it() {
    for version in V2 {
        let mut csms = Csms::new(version).obliging();
        csms.exchange("TransactionEvent", event("Started", TX, 0, 0, 0)).result();
        install(&mut csms, 1, &tx_profile(1));
        install(&mut csms, 1, &default_profile(2, 1));
        csms.exchange("TransactionEvent", event("Ended", TX, 1, 10, 0)).result();
        assert_eq!(installed(&csms.session), [(1, 2)]);
    }
}

/// B13.FR.31, E17.FR.15
#[test]
fn a_transaction_that_goes_on_after_a_restart_gets_its_profile_again() {
    let mut csms = Csms::new(Version::V2_1).obliging();
    csms.exchange("TransactionEvent", event("Started", TX, 0, 0, 0)).result();
    install(&mut csms, 1, &tx_profile(1));
    install(&mut csms, 1, &default_profile(2, 1));
    let mut resumed = event("Updated", TX, 1, 10, 0);
    resumed["triggerReason"] = json!("TxResumed");
    csms.exchange("TransactionEvent", resumed.clone()).result();
    let (id, action, payload) = csms.received_call();
    assert_eq!((&*action, &payload["chargingProfile"]), ("SetChargingProfile", &tx_profile(1)));
    csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
    csms.assert_nothing_sent();
    let persistence = json!([{"component": {"name": "SmartChargingCtrlr"}, "variable":
        {"name": "ChargingProfilePersistence", "instance": "TxProfile"}, "variableAttribute": [{"value": "true"}]}]);
    let report = json!({"requestId": 1, "generatedAt": at(0), "seqNo": 0, "reportData": persistence});
    csms.exchange("NotifyReport", report).result();
    resumed["seqNo"] = json!(2);
    csms.exchange("TransactionEvent", resumed).result();
    csms.assert_nothing_sent();
}

/// K12, K13
#[test]
fn limits_of_others_are_known_as_long_as_they_hold() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let limit = json!({"chargingLimitSource": "SO", "isGridCritical": true});
        let schedule = tx_profile(1)["chargingSchedule"][0].clone();
        let set = json!({"evseId": 1, "chargingLimit": limit, "chargingSchedule": [schedule]});
        assert_eq!(csms.exchange("NotifyChargingLimit", set).result(), json!({}));
        let events = csms.events();
        let Event::ChargingLimitSet(limit) = &events[0] else { panic!("{events:?}") };
        assert_eq!((limit.evse, &*limit.source, limit.grid_critical), (Some(1), "SO", true));
        assert_eq!(csms.session.mirrors().charging_profiles().limits().count(), 1);
        let cleared = json!({"evseId": 1, "chargingLimitSource": "SO"});
        assert_eq!(csms.exchange("ClearedChargingLimit", cleared).result(), json!({}));
        assert_eq!(csms.session.mirrors().charging_profiles().limits().count(), 0);
    }
}

/// K21.FR.09, K22.FR.06
#[test]
fn a_driver_gets_priority_and_loses_it() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, Command::UsePriorityCharging { transaction: TransactionId::new(TX), activate: true });
    let (id, action, payload) = csms.received_call();
    assert_eq!((&*action, payload), ("UsePriorityCharging", json!({"transactionId": TX, "activate": true})));
    csms.frame(json!([3, id, {"status": "NoProfile"}]).to_string());
    let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
    assert_eq!(answer.result, CallResult::Refused { status: "NoProfile".into(), reason: None });
    for activated in [true, false] {
        let notice = json!({"transactionId": TX, "activated": activated});
        assert_eq!(csms.exchange("NotifyPriorityCharging", notice).result(), json!({}));
        assert_eq!(csms.events(), [Event::PriorityCharging { transaction: TransactionId::new(TX), activated }]);
    }
}

fn dynamic_profile() -> Value {
    let mut profile = tx_profile(1);
    profile["chargingProfileKind"] = json!("Dynamic");
    profile["chargingSchedule"][0]["chargingSchedulePeriod"] = json!([{"startPeriod": 0, "limit": 16}]);
    profile
}

/// K28.FR.01, K28.FR.02, K29.FR.01, K29.FR.02
#[test]
fn a_dynamic_profile_has_one_period_that_starts_at_once() {
    let mut csms = Csms::new(Version::V2_1);
    let mut profile = dynamic_profile();
    profile["chargingSchedule"][0]["chargingSchedulePeriod"] =
        json!([{"startPeriod": 0, "limit": 16}, {"startPeriod": 5, "limit": 1}]);
    for id in ["K28.FR.01", "K29.FR.01"] {
        assert_kept_back(&mut csms, 1, &profile, id);
    }
    profile["chargingSchedule"][0]["chargingSchedulePeriod"] = json!([{"startPeriod": 5, "limit": 16}]);
    for id in ["K28.FR.02", "K29.FR.02"] {
        assert_kept_back(&mut csms, 1, &profile, id);
    }
    install(&mut csms, 1, &dynamic_profile());
}

/// K28.FR.07, K28.FR.12
#[test]
fn a_station_that_asks_for_the_values_of_a_dynamic_profile_gets_them() {
    let mut csms = Csms::new(Version::V2_1);
    install(&mut csms, 1, &dynamic_profile());
    let mut other = default_profile(2, 2);
    other["id"] = json!(2);
    install(&mut csms, 1, &other);
    for unknown in [2, 77] {
        let reply = csms.exchange("PullDynamicScheduleUpdate", json!({"chargingProfileId": unknown})).result();
        assert_eq!(reply, json!({"status": "Rejected", "statusInfo": {"reasonCode": "InvalidProfile"}}));
    }
    let call = csms.call("PullDynamicScheduleUpdate", json!({"chargingProfileId": 1}));
    let (question, about) = csms.question();
    assert_eq!(about, Question::DynamicSchedule { profile: 1 });
    let mut update = ChargingScheduleUpdateType::new();
    update.limit = Some(Decimal::from(9));
    let answer = Answer::DynamicSchedule(Some(Box::new(update)));
    csms.input(Input::Answer { question, answer });
    let values = json!({"status": "Accepted", "scheduleUpdate": {"limit": 9}});
    assert_eq!(csms.reply(&call).result(), values);
    // Nobody answers: the values hold that the station has.
    let call = csms.call("PullDynamicScheduleUpdate", json!({"chargingProfileId": 1}));
    csms.pass(Duration::from_secs(10));
    assert_eq!(csms.reply(&call).result(), values);
}

#[test]
fn the_values_of_a_dynamic_profile_are_changed_and_mirrored() {
    let mut csms = Csms::new(Version::V2_1);
    install(&mut csms, 1, &dynamic_profile());
    let mut update = ChargingScheduleUpdateType::new();
    update.limit = Some(Decimal::from(9));
    csms.command(1, Command::UpdateDynamicSchedule { profile: 1, update: Box::new(update) });
    let (id, action, payload) = csms.received_call();
    assert_eq!(
        (&*action, payload),
        ("UpdateDynamicSchedule", json!({"chargingProfileId": 1, "scheduleUpdate": {"limit": 9}}))
    );
    csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
    let profile = &csms.session.mirrors().charging_profiles().get(1).unwrap().profile;
    assert_eq!(profile.charging_schedule[0].charging_schedule_period[0].limit, Some(Decimal::from(9)));
}

/// K15.FR.11, K15.FR.12, K15.FR.13, K16.FR.06, K16.FR.07, K16.FR.08, K17.FR.11, K17.FR.12, K17.FR.13, K18.FR.11, K18.FR.12, K18.FR.13
#[test]
fn a_vehicle_that_takes_more_than_its_profile_is_refused_and_told_again_once() {
    for version in V2 {
        let mut csms = Csms::new(version).obliging();
        csms.exchange("TransactionEvent", event("Started", TX, 0, 0, 0)).result();
        install(&mut csms, 1, &tx_profile(1));
        let schedule = |first: i64, second: i64| {
            json!({"timeBase": at(0), "evseId": 1, "chargingSchedule": {"id": 1, "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": first}, {"startPeriod": 700, "limit": second}]}})
        };
        let reply = csms.exchange("NotifyEVChargingSchedule", schedule(8, 8)).result();
        assert_eq!(reply, json!({"status": "Accepted"}));
        // 16 A are allowed for ten minutes, then 8 A.
        let reply = csms.exchange("NotifyEVChargingSchedule", schedule(16, 8)).result();
        assert_eq!(reply, json!({"status": "Rejected"}));
        let (id, action, payload) = csms.received_call();
        assert_eq!((&*action, &payload["chargingProfile"]), ("SetChargingProfile", &tx_profile(1)));
        csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
        csms.exchange("NotifyEVChargingSchedule", schedule(8, 9)).result();
        csms.assert_nothing_sent();
        let told =
            csms.events().into_iter().filter(|event| matches!(event, Event::VehicleSchedule { accepted: false, .. }));
        assert_eq!(told.count(), 2);
    }
}

/// Q02.FR.05
#[test]
fn ways_of_charging_that_become_known_later_are_told() {
    let mut csms = Csms::new(Version::V2_1);
    let allowed = vec!["DC".into(), "DC_BPT".into()];
    csms.command(1, Command::NotifyAllowedEnergyTransfer { transaction: TransactionId::new(TX), allowed });
    let (_, action, payload) = csms.received_call();
    assert_eq!(action, "NotifyAllowedEnergyTransfer");
    assert_eq!(payload, json!({"transactionId": TX, "allowedEnergyTransfer": ["DC", "DC_BPT"]}));
    let mut csms = Csms::new(Version::V2_0_1);
    csms.command(1, Command::NotifyAllowedEnergyTransfer { transaction: TransactionId::new(TX), allowed: vec![] });
    assert_eq!(csms.outcome(1), CallOutcome::NotSupported);
}

#[test]
fn profiles_are_known_after_a_restart_of_the_csms() {
    let mut csms = Csms::new(Version::V2_1);
    install(&mut csms, 1, &tx_profile(1));
    let state = serde_json::to_string(&csms.session.snapshot()).unwrap();
    let restored = Session::restore(accepting(), [8; 32], csms.now, serde_json::from_str(&state).unwrap());
    assert_eq!(restored.mirrors(), csms.session.mirrors());
    assert_eq!(installed(&restored), [(1, 1)]);
    let _: Text<36> = restored.mirrors().charging_profiles().get(1).unwrap().profile.transaction_id.clone().unwrap();
}
