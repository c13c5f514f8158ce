//! Transactions stay whole: repeated, lost, late and contradictory messages (2.1 part 2, E and J; 1.6 edition 2, 4.7 to 4.10).

use std::time::Duration;

use ocpp_core::csms::{
    Authorization, AuthorizationStatus, Event, Input, Place, Question, SampleValue, Token, TransactionEvent,
};
use ocpp_core::types::{Decimal, Version};
use serde_json::{Value, json};

use crate::csms_support::*;

/// What was told of transactions, in short, and all of it.
fn told(events: Vec<Event>) -> Vec<(&'static str, Box<TransactionEvent>)> {
    let short = |event| match event {
        Event::TransactionStarted(event) => Some(("started", event)),
        Event::TransactionUpdated(event) => Some(("updated", event)),
        Event::TransactionEnded(event) => Some(("ended", event)),
        _ => None,
    };
    events.into_iter().filter_map(short).collect()
}

fn words(events: Vec<Event>) -> Vec<String> {
    let short = |event| match event {
        Event::TransactionStarted(event) => Some(format!("started {}", event.transaction)),
        Event::TransactionUpdated(event) => Some(format!("updated {}", event.transaction)),
        Event::TransactionEnded(event) => Some(format!("ended {}", event.transaction)),
        Event::TransactionSuperseded { transaction, by } => Some(format!("superseded {transaction} by {by}")),
        _ => None,
    };
    events.into_iter().filter_map(short).collect()
}

/// 1.6 edition 2, 4.7, 4.8, 4.10
#[test]
fn a_transaction_of_1_6_is_told_from_its_start_to_its_end() {
    let mut csms = Csms::new(Version::V1_6);
    let id = csms.call("StartTransaction", start(2, "TAG", 1000, 5));
    let question = csms.judge(Authorization::accepted());
    let place = Some(Place::connector(2, 1));
    let expected = Question::Transaction {
        token: Token::new("TAG"),
        transaction: None,
        place,
        starts: true,
        ended: false,
        offline: false,
    };
    assert_eq!(question, expected);
    let facts = told(csms.store());
    let reply = csms.reply(&id).result();
    assert_eq!(reply, json!({"idTagInfo": {"status": "Accepted"}, "transactionId": 1}));
    let [("started", event)] = &*facts else { panic!("{facts:?}") };
    assert_eq!((event.transaction.as_str(), event.place, event.at.to_string()), ("1", place, at(5)));
    assert_eq!(event.token, Some(Token::new("TAG")));
    assert_eq!(event.authorization, Some(AuthorizationStatus::Accepted));
    assert_eq!(event.meter_wh, Some(Decimal::from(1000)));
    assert!(!event.start_lost);

    let id = csms.call(
        "MeterValues",
        json!({"connectorId": 2, "transactionId": 1, "meterValue": [{"timestamp": at(65), "sampledValue": [
            {"value": "1.2345", "unit": "kWh"},
            {"value": "21.5", "measurand": "Temperature", "unit": "Celcius", "location": "EV", "context": "Sample.Clock"},
            {"value": "7400", "measurand": "Power.Active.Import", "unit": "W", "phase": "L1"},
        ]}]}),
    );
    let facts = told(csms.store());
    assert_eq!(csms.reply(&id).result(), json!({}));
    let [("updated", event)] = &*facts else { panic!("{facts:?}") };
    assert_eq!((event.transaction.as_str(), event.place, event.at.to_string()), ("1", place, at(65)));
    assert_eq!(event.meter_wh, Some(Decimal::new(12345, 1)));
    let [energy, temperature, power] = &*event.readings[0].samples else { panic!("{event:?}") };
    assert_eq!((&energy.value, energy.unit.as_deref()), (&SampleValue::Number(Decimal::new(12345, 4)), Some("kWh")));
    assert_eq!((&*energy.measurand, &*energy.context), ("Energy.Active.Import.Register", "Sample.Periodic"));
    assert_eq!((temperature.unit.as_deref(), &*temperature.location), (Some("Celsius"), "EV"));
    assert_eq!((&*temperature.context, power.phase.as_deref()), ("Sample.Clock", Some("L1")));

    let mut payload = stop(1, 1500, 3600);
    payload["idTag"] = json!("TAG");
    payload["reason"] = json!("EVDisconnected");
    let id = csms.call("StopTransaction", payload);
    let Question::Transaction { transaction, ended, .. } = csms.judge(Authorization::accepted()) else { panic!() };
    assert_eq!((transaction, ended), (Some(1.into()), true));
    let facts = told(csms.store());
    assert_eq!(csms.reply(&id).result(), json!({"idTagInfo": {"status": "Accepted"}}));
    let [("ended", event)] = &*facts else { panic!("{facts:?}") };
    assert_eq!((event.place, event.meter_wh), (place, Some(Decimal::from(1500))));
    assert_eq!(event.stopped_reason.as_deref(), Some("EVDisconnected"));
    assert_eq!(csms.session.open_transactions().count(), 0);
}

/// E01.FR.11, E01.FR.12, E02.FR.02, J02.FR.19
#[test]
fn a_transaction_of_2_x_is_told_from_its_start_to_its_end() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let mut started = with_token(event("Started", "tx-1", 0, 5, 1000), "TAG");
        started["transactionInfo"]["chargingState"] = json!("EVConnected");
        started["transactionInfo"]["remoteStartId"] = json!(42);
        started["reservationId"] = json!(7);
        started["offline"] = json!(true);
        let id = csms.call("TransactionEvent", started);
        let Question::Transaction { token, transaction, starts, offline, .. } = csms.judge(Authorization::accepted())
        else {
            panic!()
        };
        assert_eq!(token, Token::with_kind("TAG", "ISO14443"));
        assert_eq!((transaction.unwrap().as_str(), starts, offline), ("tx-1", true, true));
        let facts = told(csms.store());
        assert_eq!(csms.reply(&id).result(), json!({"idTokenInfo": {"status": "Accepted"}}));
        let [("started", fact)] = &*facts else { panic!("{facts:?}") };
        assert_eq!((fact.transaction.as_str(), fact.place), ("tx-1", Some(Place::connector(1, 1))));
        assert_eq!((fact.at.to_string(), fact.sequence, fact.offline), (at(5), Some(0), true));
        assert_eq!((fact.remote_start_id, fact.reservation_id), (Some(42), Some(7)));
        assert_eq!(fact.charging_state.as_deref(), Some("EVConnected"));
        assert_eq!(fact.meter_wh, Some(Decimal::from(1000)));

        let mut updated = event("Updated", "tx-1", 1, 65, 0);
        updated.as_object_mut().unwrap().remove("evse");
        updated["meterValue"] = json!([{"timestamp": at(65), "sampledValue": [
            {"value": 1.23456, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}},
            {"value": 7.4, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W", "multiplier": 3}},
        ]}]);
        let id = csms.call("TransactionEvent", updated);
        let facts = told(csms.store());
        assert_eq!(csms.reply(&id).result(), json!({}));
        let [("updated", fact)] = &*facts else { panic!("{facts:?}") };
        assert_eq!(fact.place, Some(Place::connector(1, 1)), "known from before");
        assert_eq!(fact.meter_wh, Some(Decimal::new(123456, 2)));
        assert_eq!(fact.readings[0].samples[1].value, SampleValue::Number(Decimal::from(7400)));
        assert_eq!(fact.readings[0].samples[1].unit.as_deref(), Some("W"));

        let mut ended = event("Ended", "tx-1", 2, 3600, 1500);
        ended["transactionInfo"]["stoppedReason"] = json!("EVDisconnected");
        let id = csms.call("TransactionEvent", ended);
        let facts = told(csms.store());
        assert_eq!(csms.reply(&id).result(), json!({}));
        let [("ended", fact)] = &*facts else { panic!("{facts:?}") };
        assert_eq!(
            (fact.stopped_reason.as_deref(), fact.meter_wh),
            (Some("EVDisconnected"), Some(Decimal::from(1500)))
        );
        assert!(fact.missing.is_empty());
    }
}

/// 1.6 edition 2, 4.10
#[test]
fn an_end_without_a_reason_is_a_local_one() {
    let mut csms = Csms::new(Version::V1_6).obliging();
    csms.exchange("StartTransaction", start(1, "TAG", 0, 0)).result();
    csms.exchange("StopTransaction", stop(1, 10, 60)).result();
    let facts = told(csms.events());
    assert_eq!(facts[1].1.stopped_reason.as_deref(), Some("Local"));
}

/// C02.FR.02
#[test]
fn a_transaction_for_nobody_is_accepted_without_a_question() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let mut started = event("Started", "tx-1", 0, 0, 0);
        started["idToken"] = json!({"idToken": "", "type": "NoAuthorization"});
        let id = csms.call("TransactionEvent", started);
        csms.assert_no_question();
        csms.store();
        assert_eq!(csms.reply(&id).result(), json!({"idTokenInfo": {"status": "Accepted"}}));
    }
}

/// 1.6 edition 2, 3.7.1: a station sends again what was not answered.
#[test]
fn a_repeated_start_of_1_6_gets_the_same_transaction_and_is_told_once() {
    let mut csms = Csms::new(Version::V1_6);
    let id = csms.call("StartTransaction", start(1, "TAG", 1000, 0));
    let mut authorization = Authorization::new(AuthorizationStatus::ConcurrentTx);
    authorization.transaction_id = Some(4711);
    csms.judge(authorization);
    csms.store();
    let first = csms.reply(&id).result();
    assert_eq!(first["transactionId"], 4711);
    csms.input(Input::Disconnected);
    csms.connect();
    let again = csms.exchange("StartTransaction", start(1, "tag", 1000, 0)).result();
    assert_eq!(again, first);
    csms.assert_no_question();
    csms.assert_no_record();
}

#[test]
fn a_start_that_differs_is_another_transaction() {
    let mut csms = Csms::new(Version::V1_6).obliging();
    let ids = [start(1, "A", 0, 0), start(2, "A", 0, 0), start(1, "B", 0, 0), start(1, "A", 1, 0), start(1, "A", 0, 1)]
        .map(|payload| csms.exchange("StartTransaction", payload).result()["transactionId"].clone());
    assert_eq!(ids, [json!(1), json!(2), json!(3), json!(4), json!(5)]);
}

#[test]
fn a_repeated_end_is_answered_again_and_told_once() {
    let mut csms = Csms::new(Version::V1_6).obliging();
    csms.exchange("StartTransaction", start(1, "TAG", 0, 0)).result();
    for _ in 0..3 {
        assert_eq!(csms.exchange("StopTransaction", stop(1, 10, 60)).result(), json!({}));
    }
    assert_eq!(words(csms.events()), ["started 1", "ended 1"]);
}

#[test]
fn a_repeated_token_at_the_end_is_answered_as_before() {
    let mut csms = Csms::new(Version::V1_6);
    csms.call("StartTransaction", start(1, "TAG", 0, 0));
    csms.judge(Authorization::accepted());
    csms.store();
    let mut payload = stop(1, 10, 60);
    payload["idTag"] = json!("OTHER");
    csms.call("StopTransaction", payload.clone());
    csms.judge(Authorization::new(AuthorizationStatus::Blocked));
    csms.store();
    let reply = csms.exchange("StopTransaction", payload).result();
    assert_eq!(reply, json!({"idTagInfo": {"status": "Blocked"}}));
    csms.assert_no_question();
}

#[test]
fn a_repeated_event_of_2_x_is_answered_again_and_told_once() {
    for version in V2 {
        let mut csms = Csms::new(version).obliging();
        for payload in [event("Started", "a", 0, 0, 0), event("Updated", "a", 1, 60, 5), event("Ended", "a", 2, 90, 9)]
        {
            assert_eq!(csms.exchange("TransactionEvent", payload.clone()).result(), json!({}));
            let mut again = payload;
            again["offline"] = json!(true);
            assert_eq!(csms.exchange("TransactionEvent", again).result(), json!({}));
        }
        assert_eq!(words(csms.events()), ["started a", "updated a", "ended a"]);
    }
}

#[test]
fn a_repeated_event_with_a_token_is_answered_as_before() {
    let mut csms = Csms::new(Version::V2_1);
    let started = with_token(event("Started", "a", 0, 0, 0), "TAG");
    csms.call("TransactionEvent", started.clone());
    csms.judge(Authorization::new(AuthorizationStatus::NoCredit));
    csms.store();
    assert_eq!(verdict(Version::V2_1, &csms.exchange("TransactionEvent", started).result()), "NoCredit");
    csms.assert_no_question();
}

#[test]
fn a_repeated_event_whose_answer_is_forgotten_is_judged_again() {
    let mut csms = Csms::new(Version::V2_1);
    let first = with_token(event("Started", "a", 0, 0, 0), "TAG");
    csms.call("TransactionEvent", first.clone());
    csms.judge(Authorization::accepted());
    csms.store();
    csms.call("TransactionEvent", with_token(event("Updated", "a", 1, 10, 5), "TAG"));
    csms.judge(Authorization::accepted());
    csms.store();
    csms.drain_sent();
    let id = csms.call("TransactionEvent", first);
    let Question::Transaction { transaction, .. } = csms.judge(Authorization::accepted()) else { panic!() };
    assert_eq!(transaction.unwrap().as_str(), "a");
    assert_eq!(verdict(Version::V2_1, &csms.reply(&id).result()), "Accepted");
    csms.assert_no_record();
}

#[test]
fn a_name_that_is_used_again_is_asked_about_by_the_name_it_gets() {
    let mut csms = Csms::new(Version::V2_1);
    for payload in [event("Started", "1", 0, 0, 0), event("Ended", "1", 1, 60, 9)] {
        csms.call("TransactionEvent", payload);
        csms.store();
    }
    csms.call("TransactionEvent", with_token(event("Started", "1", 0, 100, 9), "TAG"));
    let Question::Transaction { transaction, .. } = csms.judge(Authorization::accepted()) else { panic!() };
    let facts = told(csms.store());
    assert_ne!(facts[0].1.transaction.as_str(), "1");
    assert_eq!(Some(&facts[0].1.transaction), transaction.as_ref());
}

/// 2.1 part 2, E, 1.3.2
#[test]
fn what_is_missing_of_a_transaction_is_stated_until_it_arrives() {
    for version in V2 {
        let mut csms = Csms::new(version).obliging();
        for payload in [
            event("Started", "a", 0, 0, 0),
            event("Updated", "a", 3, 30, 3),
            event("Ended", "a", 4, 40, 4),
            event("Updated", "a", 1, 10, 1),
            event("Updated", "a", 2, 20, 2),
        ] {
            csms.exchange("TransactionEvent", payload).result();
        }
        let facts = told(csms.events());
        let missing: Vec<_> = facts.iter().map(|(word, event)| (*word, event.missing.clone())).collect();
        assert_eq!(
            missing,
            [
                ("started", vec![]),
                ("updated", vec![1..=2]),
                ("ended", vec![1..=2]),
                ("updated", vec![2..=2]),
                ("updated", vec![])
            ]
        );
    }
}

#[test]
fn an_end_before_its_start_is_told_as_it_comes() {
    let mut csms = Csms::new(Version::V2_1).obliging();
    csms.exchange("TransactionEvent", event("Ended", "a", 1, 60, 9)).result();
    csms.exchange("TransactionEvent", event("Started", "a", 0, 0, 0)).result();
    let facts = told(csms.events());
    let facts: Vec<_> = facts.iter().map(|(word, event)| (*word, event.start_lost)).collect();
    assert_eq!(facts, [("ended", true), ("started", false)]);
}

#[test]
fn of_two_ends_the_first_counts_and_the_other_is_not_lost() {
    let mut csms = Csms::new(Version::V2_1).obliging();
    csms.exchange("TransactionEvent", event("Started", "a", 0, 0, 0)).result();
    csms.exchange("TransactionEvent", event("Ended", "a", 1, 60, 9)).result();
    csms.exchange("TransactionEvent", event("Ended", "a", 2, 61, 9)).result();
    assert_eq!(words(csms.events()), ["started a", "ended a", "updated a"]);
}

#[test]
fn a_start_where_a_transaction_never_ended_says_so() {
    let mut csms = Csms::new(Version::V1_6).obliging();
    csms.exchange("StartTransaction", start(1, "A", 0, 0)).result();
    csms.exchange("StartTransaction", start(2, "B", 0, 5)).result();
    csms.exchange("StartTransaction", start(1, "C", 50, 100)).result();
    csms.exchange("StopTransaction", stop(1, 50, 90)).result();
    assert_eq!(words(csms.events()), ["started 1", "started 2", "superseded 1 by 3", "started 3", "ended 1"]);
}

#[test]
fn a_refused_start_does_not_touch_the_live_transaction() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let begin = |csms: &mut Csms, token: &str, second: i64| match version {
            Version::V1_6 => csms.call("StartTransaction", start(1, token, 0, second)),
            _ => csms.call("TransactionEvent", with_token(event("Started", token, 0, second, 0), token)),
        };
        begin(&mut csms, "A", 0);
        csms.judge(Authorization::accepted());
        csms.store();
        let id = begin(&mut csms, "B", 100);
        csms.judge(Authorization::new(AuthorizationStatus::Blocked));
        let facts = csms.store();
        assert!(matches!(&*facts, [Event::TransactionStarted(_)]), "{facts:?}");
        assert_eq!(verdict(version, &csms.reply(&id).result()), "Blocked");
        assert_eq!(csms.session.open_transactions().count(), 2);
    }
}

#[test]
fn the_end_of_a_transaction_that_nobody_knows_is_answered_and_told() {
    let mut csms = Csms::new(Version::V1_6).obliging();
    assert_eq!(csms.exchange("StopTransaction", stop(77, 10, 60)).result(), json!({}));
    assert_eq!(csms.exchange("StopTransaction", stop(77, 10, 60)).result(), json!({}));
    let facts = told(csms.events());
    let [("ended", event)] = &*facts else { panic!("{facts:?}") };
    assert_eq!((event.transaction.as_str(), event.start_lost), ("77", true));
    let id = csms.exchange("StartTransaction", start(1, "TAG", 0, 100)).result()["transactionId"].clone();
    assert_eq!(id, 78, "a number that was in use is not given away");
}

/// Errata to 1.6, 3.18
#[test]
fn a_station_that_was_never_told_the_id_says_minus_one_and_is_understood() {
    let mut csms = Csms::new(Version::V1_6).obliging();
    csms.exchange("StartTransaction", start(1, "TAG", 100, 0)).result();
    // The answer is lost with the connection.
    csms.input(Input::Disconnected);
    csms.connect();
    let meter_values = json!({"connectorId": 1, "transactionId": -1, "meterValue": [
        {"timestamp": at(30), "sampledValue": [{"value": "150"}]},
    ]});
    assert_eq!(csms.exchange("MeterValues", meter_values).result(), json!({}));
    assert_eq!(csms.exchange("StopTransaction", stop(-1, 200, 60)).result(), json!({}));
    assert_eq!(csms.exchange("StopTransaction", stop(-1, 200, 60)).result(), json!({}));
    assert_eq!(words(csms.events()), ["started 1", "updated 1", "ended 1"]);
    assert_eq!(csms.exchange("StopTransaction", stop(-1, 900, 600)).result(), json!({}));
    assert_eq!(words(csms.events()), ["ended 2"], "one whose start is lost");
}

/// J01.FR.18; 1.6 edition 2, 4.7
#[test]
fn readings_outside_of_transactions_are_told_by_themselves() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let value = if version == Version::V1_6 { json!("5") } else { json!(5) };
        let key = if version == Version::V1_6 { "connectorId" } else { "evseId" };
        for (place, expected) in [(0, None), (1, Some(1))] {
            let payload = json!({key: place, "meterValue": [{"timestamp": at(0), "sampledValue": [{"value": value}]}]});
            assert_eq!(csms.exchange("MeterValues", payload).result(), json!({}));
            let events = csms.events();
            let [Event::MeterValues { place, readings }] = &*events else { panic!("{events:?}") };
            assert_eq!(place.map(|place| place.evse), expected);
            assert_eq!(readings[0].energy_register_wh(), Some(Decimal::from(5)));
        }
    }
}

/// Errata to 1.6, 3.18
#[test]
fn a_stop_without_an_id_does_not_end_a_transaction_whose_id_has_arrived() {
    let mut csms = Csms::new(Version::V1_6).obliging();
    csms.exchange("StartTransaction", start(1, "TAG", 100, 0)).result();
    csms.exchange("StartTransaction", start(1, "TAG", 100, 0)).result();
    csms.exchange("Heartbeat", json!({})).result();
    csms.exchange("StopTransaction", stop(-1, 200, 60)).result();
    csms.exchange("StopTransaction", stop(1, 300, 90)).result();
    assert_eq!(words(csms.events()), ["started 1", "ended 2", "ended 1"]);
}

#[test]
fn readings_of_an_idle_station_make_no_transaction_whatever_number_they_carry() {
    let mut csms = Csms::new(Version::V1_6);
    for number in [0, -1] {
        let payload = json!({"connectorId": 1, "transactionId": number, "meterValue": [
            {"timestamp": at(30), "sampledValue": [{"value": "5"}]},
        ]});
        assert_eq!(csms.exchange("MeterValues", payload).result(), json!({}));
        assert!(matches!(&*csms.events(), [Event::MeterValues { place: Some(_), .. }]));
    }
    assert_eq!(csms.session.open_transactions().count(), 0);
}

/// Errata to 1.6, 3.16
#[test]
fn the_main_meter_belongs_to_no_transaction() {
    let mut csms = Csms::new(Version::V1_6).obliging();
    csms.exchange("StartTransaction", start(1, "TAG", 0, 0)).result();
    let payload = json!({"connectorId": 0, "transactionId": 1, "meterValue": [
        {"timestamp": at(30), "sampledValue": [{"value": "999999"}]},
    ]});
    csms.exchange("MeterValues", payload).result();
    assert_eq!(words(csms.events()), ["started 1"]);
}

#[test]
fn an_application_that_does_not_judge_in_time_refuses_and_loses_nothing() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let id = match version {
            Version::V1_6 => csms.call("StartTransaction", start(1, "TAG", 0, 0)),
            _ => csms.call("TransactionEvent", with_token(event("Started", "a", 0, 0, 0), "TAG")),
        };
        csms.pass(Duration::from_secs(10));
        let facts = told(csms.store());
        assert_eq!((facts[0].0, facts[0].1.authorization), ("started", Some(AuthorizationStatus::Invalid)));
        assert_eq!(verdict(version, &csms.reply(&id).result()), "Invalid");
    }
}

#[test]
fn the_sum_of_the_phases_is_the_energy_where_no_other_register_is_sent() {
    let mut csms = Csms::new(Version::V2_1).obliging();
    let mut started = event("Started", "a", 0, 0, 0);
    let phase = |phase: &str, value: Value| json!({"value": value, "phase": phase});
    started["meterValue"][0]["sampledValue"] =
        json!([phase("L1", json!(1.5)), phase("L2", json!(2)), phase("L3", json!(3))]);
    csms.exchange("TransactionEvent", started).result();
    assert_eq!(told(csms.events())[0].1.meter_wh, Some(Decimal::new(65, 1)));
}
