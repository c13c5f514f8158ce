//! Nothing is promised before it is stored, and nothing is told twice, whatever fails in between.

use std::time::Duration;

use ocpp_core::csms::{Authorization, Event, Input, Session, Snapshot};
use ocpp_core::types::Version;
use serde_json::json;

use crate::csms_support::*;

fn is_start(events: &[Event]) -> bool {
    matches!(events, [Event::TransactionStarted(_)])
}

#[test]
fn a_station_is_not_answered_before_the_fact_is_stored() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let id = match version {
            Version::V1_6 => csms.call("StopTransaction", stop(1, 0, 0)),
            _ => csms.call("TransactionEvent", event("Started", "a", 0, 0, 0)),
        };
        let (token, _) = csms.record();
        csms.pass(Duration::from_secs(19));
        assert_eq!(csms.try_reply(&id), None);
        csms.input(Input::Stored(token));
        assert_eq!(csms.reply(&id).result(), json!({}));
    }
}

/// A04.FR.02, A04.FR.03; 1.6 security, A04.FR.03: stations keep a security event until it is answered.
#[test]
fn a_security_event_is_stored_before_it_is_answered() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let payload = json!({"type": "SettingSystemTime", "timestamp": at(0), "techInfo": "ntp"});
        let id = csms.call("SecurityEventNotification", payload);
        assert_eq!(csms.try_reply(&id), None);
        let events = csms.store();
        let [Event::SecurityEvent { kind, detail, .. }] = &*events else { panic!("{events:?}") };
        assert_eq!((&**kind, detail.as_deref()), ("SettingSystemTime", Some("ntp")));
        assert_eq!(csms.reply(&id).result(), json!({}));
    }
}

#[test]
fn what_was_not_stored_is_told_again_when_it_is_sent_again() {
    let mut csms = Csms::new(Version::V1_6);
    let id = csms.call("StartTransaction", start(1, "TAG", 0, 0));
    csms.judge(Authorization::accepted());
    let (token, _) = csms.record();
    csms.input(Input::NotStored(token));
    assert_eq!(csms.reply(&id).code(), "InternalError");
    let id = csms.call("StartTransaction", start(1, "TAG", 0, 0));
    csms.judge(Authorization::accepted());
    assert!(is_start(&csms.store()));
    assert_eq!(csms.reply(&id).result()["transactionId"], 1, "the number was not used");
}

#[test]
fn what_is_stored_late_is_told_once() {
    let mut csms = Csms::new(Version::V2_1);
    let payload = event("Started", "a", 0, 0, 0);
    let first = csms.call("TransactionEvent", payload.clone());
    let (token, _) = csms.record();
    csms.pass(Duration::from_secs(20));
    assert_eq!(csms.reply(&first).code(), "InternalError", "so that the station repeats it");
    let second = csms.call("TransactionEvent", payload);
    assert_eq!(csms.try_reply(&second), None, "not settled yet");
    csms.assert_no_record();
    csms.input(Input::Stored(token));
    assert_eq!(csms.reply(&second).result(), json!({}));
    csms.assert_no_record();
}

#[test]
fn what_turns_out_not_to_be_stored_is_told_with_the_repetition_that_waits() {
    let mut csms = Csms::new(Version::V2_1);
    let payload = event("Started", "a", 0, 0, 0);
    csms.call("TransactionEvent", payload.clone());
    let (token, _) = csms.record();
    csms.pass(Duration::from_secs(20));
    let id = csms.call("TransactionEvent", payload);
    csms.drain_sent();
    csms.input(Input::NotStored(token));
    assert!(is_start(&csms.store()));
    assert_eq!(csms.reply(&id).result(), json!({}));
}

#[test]
fn storage_that_hangs_does_not_keep_the_station_from_other_things() {
    let mut csms = Csms::new(Version::V2_1);
    csms.call("TransactionEvent", event("Started", "a", 0, 0, 0));
    csms.pass(Duration::from_secs(20));
    csms.drain_sent();
    csms.exchange("Heartbeat", json!({})).result();
    let id = csms.call("TransactionEvent", event("Updated", "a", 1, 10, 1));
    csms.pass(Duration::from_secs(20));
    assert_eq!(csms.reply(&id).code(), "InternalError");
    csms.exchange("Heartbeat", json!({})).result();
}

#[test]
fn one_batch_at_a_time_is_to_be_stored() {
    let mut csms = Csms::new(Version::V2_1);
    csms.call("TransactionEvent", event("Started", "a", 0, 0, 0));
    let (token, _) = csms.record();
    csms.pass(Duration::from_secs(20));
    csms.drain_sent();
    let id = csms.call("SecurityEventNotification", json!({"type": "StartupOfTheDevice", "timestamp": at(0)}));
    csms.assert_no_record();
    csms.input(Input::Stored(token));
    csms.store();
    assert_eq!(csms.reply(&id).result(), json!({}));
}

#[test]
fn a_station_that_connects_again_and_again_fills_no_memory_while_storage_hangs() {
    let mut csms = Csms::new(Version::V2_1);
    for connection in 0..20 {
        for number in 0..20 {
            csms.call("TransactionEvent", event("Started", &format!("{connection}-{number}"), 0, number, 0));
        }
        csms.input(Input::Disconnected);
        csms.connect();
    }
    let mut stored = 0;
    while csms.has_record() {
        csms.store();
        stored += 1;
    }
    assert_eq!(stored, 33, "the first, and those that waited");
}

#[test]
fn an_acknowledgement_of_something_else_changes_nothing() {
    let mut csms = Csms::new(Version::V2_1);
    let id = csms.call("TransactionEvent", event("Started", "a", 0, 0, 0));
    let (token, _) = csms.record();
    csms.input(Input::Stored(ocpp_core::csms::StoreToken(token.0 + 1)));
    csms.input(Input::NotStored(ocpp_core::csms::StoreToken(token.0 + 1)));
    assert_eq!(csms.try_reply(&id), None);
    csms.input(Input::Stored(token));
    csms.input(Input::Stored(token));
    csms.reply(&id).result();
    csms.assert_nothing_sent();
}

#[test]
fn a_fact_is_told_even_when_the_connection_is_lost_meanwhile() {
    let mut csms = Csms::new(Version::V1_6);
    csms.call("StartTransaction", start(1, "TAG", 0, 0));
    csms.input(Input::Disconnected);
    csms.connect();
    let id = csms.call("StartTransaction", start(1, "TAG", 0, 0));
    csms.judge(Authorization::accepted());
    assert!(is_start(&csms.store()));
    assert_eq!(csms.reply(&id).result()["transactionId"], 1);
    csms.assert_no_record();
    csms.assert_nothing_sent();
}

/// A node stores, and dies before the station has its answer; another takes over.
#[test]
fn another_node_takes_a_station_over_and_tells_nothing_twice() {
    for version in Version::ALL {
        let (action, started, ended) = match version {
            Version::V1_6 => ("StartTransaction", start(1, "TAG", 0, 0), ("StopTransaction", stop(1, 9, 60))),
            _ => (
                "TransactionEvent",
                with_token(event("Started", "a", 0, 0, 0), "TAG"),
                ("TransactionEvent", event("Ended", "a", 1, 60, 9)),
            ),
        };
        let mut csms = Csms::new(version);
        csms.call(action, started.clone());
        csms.judge(Authorization::accepted());
        let (_, events) = csms.record();
        assert!(is_start(&events));
        let stored = serde_json::to_string(&csms.session.snapshot()).unwrap();

        let snapshot: Snapshot = serde_json::from_str(&stored).unwrap();
        let session = Session::restore(accepting(), [9; 32], csms.now, snapshot);
        let mut csms = Csms::of(session, csms.now, version);
        csms.connect();
        let reply = csms.exchange(action, started).result();
        assert_eq!(verdict(version, &reply), "Accepted");
        csms.assert_no_record();
        csms.call(ended.0, ended.1);
        assert!(matches!(&*csms.store(), [Event::TransactionEnded(event)] if !event.start_lost));
        if version == Version::V1_6 {
            let mut csms = csms.obliging();
            let reply = csms.exchange("StartTransaction", start(1, "TAG", 0, 100)).result();
            assert_eq!(reply["transactionId"], 2, "numbers are not given away twice");
        }
    }
}

/// What an earlier release stored has neither flows nor mirrors, and less of each transaction.
#[test]
fn a_snapshot_of_an_earlier_release_is_understood() {
    let mut csms = Csms::new(Version::V1_6).obliging();
    csms.exchange("StartTransaction", start(1, "TAG", 0, 0)).result();
    let mut stored = serde_json::to_value(csms.session.snapshot()).unwrap();
    let members = stored.as_object_mut().unwrap();
    members.remove("flows").unwrap();
    members.remove("mirrors").unwrap();
    let entry = stored["ledger"]["entries"][0].as_object_mut().unwrap();
    for name in ["lost", "given_up", "token_answer", "answer", "limits"] {
        entry.remove(name).unwrap();
    }
    entry.insert("judgement".into(), json!({"to": null, "status": "Accepted"}));
    let snapshot: Snapshot = serde_json::from_value(stored).unwrap();
    let session = Session::restore(accepting(), [9; 32], csms.now, snapshot);
    let mut csms = Csms::of(session, csms.now, Version::V1_6).obliging();
    csms.connect();
    csms.exchange("StopTransaction", stop(1, 9, 60)).result();
    assert!(csms.events().iter().any(|event| matches!(event, Event::TransactionEnded(_))));
}

#[test]
fn the_application_can_say_where_numbers_begin() {
    let mut config = accepting();
    config.first_transaction_id = 1000;
    let mut csms = Csms::with(Version::V1_6, config).obliging();
    assert_eq!(csms.exchange("StartTransaction", start(1, "TAG", 0, 0)).result()["transactionId"], 1000);
}

#[test]
fn equal_inputs_give_equal_outputs() {
    let run = || {
        let mut csms = Csms::new(Version::V2_1).obliging();
        csms.exchange("BootNotification", boot(Version::V2_1));
        csms.command(1, ocpp_core::csms::Command::ClearCache);
        csms.call("TransactionEvent", event("Started", "a", 0, 0, 0));
        (csms.drain_sent(), csms.events())
    };
    assert_eq!(run(), run());
}
