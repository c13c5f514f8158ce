//! Asking after transactions of which something is missing, and giving up what will not come (2.1 part 2, E14).

use std::time::Duration;

use ocpp_core::csms::{Event, Input, Session, TransactionGaps};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::csms_support::*;

const ASKS: Duration = Duration::from_secs(30);
const LOST: Duration = Duration::from_secs(600);

/// The station is asked after a transaction, and answers.
fn answers(csms: &mut Csms, transaction: &str, ongoing: bool, messages_in_queue: bool) {
    let (id, action, payload) = csms.received_call();
    assert_eq!((&*action, payload), ("GetTransactionStatus", json!({"transactionId": transaction})));
    let answer = json!({"ongoingIndicator": ongoing, "messagesInQueue": messages_in_queue});
    csms.frame(json!([3, id, answer]).to_string());
}

/// A transaction, whether its start is lost, which numbers are, and whether its end is.
type Lost = (String, bool, Vec<(i64, i64)>, bool);

/// What was given up, in short.
fn given_up(events: Vec<Event>) -> Vec<Lost> {
    let short = |gaps: Box<TransactionGaps>| {
        let missing = gaps.missing.iter().map(|gap| (*gap.start(), *gap.end())).collect();
        (gaps.transaction.to_string(), gaps.start_lost, missing, gaps.end_lost)
    };
    events
        .into_iter()
        .filter_map(|event| if let Event::TransactionIncomplete(gaps) = event { Some(short(gaps)) } else { None })
        .collect()
}

fn available(version: Version) -> Value {
    match version {
        Version::V1_6 => json!({"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
        _ => json!({"timestamp": at(0), "connectorStatus": "Available", "evseId": 1, "connectorId": 1}),
    }
}

fn running(version: Version) -> Csms {
    let mut csms = Csms::new(version).obliging();
    match version {
        Version::V1_6 => csms.exchange("StartTransaction", start(1, "TAG", 0, 0)).result(),
        _ => csms.exchange("TransactionEvent", event("Started", "a", 0, 0, 0)).result(),
    };
    csms.events();
    csms
}

/// E14.FR.01, E14.FR.03, E14.FR.05
#[test]
fn a_transaction_that_ended_while_nobody_was_told_is_lost_for_good() {
    for version in V2 {
        let mut csms = running(version);
        csms.input(Input::Disconnected);
        csms.connect();
        csms.pass(ASKS);
        answers(&mut csms, "a", false, false);
        assert_eq!(given_up(csms.events()), [("a".into(), false, vec![], true)]);
        assert_eq!(csms.session.open_transactions().count(), 0);
        // It is known for good, and not asked about again.
        let snapshot = csms.session.snapshot();
        csms.session = Session::restore(accepting(), [9; 32], csms.now, snapshot);
        csms.connect();
        csms.pass(ASKS * 10);
        csms.assert_nothing_sent();
        // What comes nevertheless is told.
        csms.exchange("TransactionEvent", event("Ended", "a", 1, 60, 5)).result();
        assert!(matches!(&*csms.events(), [Event::TransactionEnded(_)]));
    }
}

/// E14.FR.02, E14.FR.04
#[test]
fn a_transaction_that_goes_on_or_has_messages_waiting_is_given_its_time() {
    for version in V2 {
        let mut csms = running(version);
        csms.input(Input::Disconnected);
        csms.connect();
        csms.pass(ASKS);
        answers(&mut csms, "a", false, true);
        csms.pass(ASKS);
        answers(&mut csms, "a", true, false);
        csms.pass(ASKS * 10);
        csms.assert_nothing_sent();
        assert_eq!(given_up(csms.events()), []);
        assert_eq!(csms.session.open_transactions().count(), 1);
    }
}

#[test]
fn messages_that_are_missing_are_asked_after_and_stated_as_lost_once() {
    for version in V2 {
        let mut csms = running(version);
        csms.exchange("TransactionEvent", event("Updated", "a", 4, 40, 4)).result();
        csms.pass(ASKS);
        answers(&mut csms, "a", true, false);
        assert_eq!(given_up(csms.events()), [("a".into(), false, vec![(1, 3)], false)]);
        csms.exchange("TransactionEvent", event("Updated", "a", 5, 50, 5)).result();
        csms.pass(ASKS);
        answers(&mut csms, "a", true, false);
        assert_eq!(given_up(csms.events()), []);
    }
}

#[test]
fn what_was_only_late_is_not_asked_after() {
    for version in V2 {
        let mut csms = running(version);
        csms.exchange("TransactionEvent", event("Updated", "a", 2, 20, 2)).result();
        csms.exchange("TransactionEvent", event("Updated", "a", 1, 10, 1)).result();
        csms.pass(ASKS * 10);
        csms.assert_nothing_sent();
    }
}

#[test]
fn a_free_connector_gives_reason_to_ask() {
    for version in V2 {
        let mut csms = running(version);
        csms.exchange("StatusNotification", available(version)).result();
        csms.pass(ASKS);
        answers(&mut csms, "a", false, false);
        assert_eq!(given_up(csms.events()), [("a".into(), false, vec![], true)]);
    }
}

#[test]
fn a_transaction_of_1_6_whose_connector_stays_free_is_lost() {
    let mut csms = running(Version::V1_6);
    csms.exchange("StatusNotification", available(Version::V1_6)).result();
    csms.pass(LOST - ASKS);
    csms.exchange("Heartbeat", json!({})).result();
    assert_eq!(given_up(csms.events()), []);
    csms.pass(ASKS);
    assert_eq!(given_up(csms.events()), [("1".into(), false, vec![], true)]);
    csms.assert_nothing_sent();
    csms.exchange("StopTransaction", stop(1, 10, 5)).result();
    assert!(matches!(&*csms.events(), [Event::TransactionEnded(_)]), "it was only very late");
}

#[test]
fn a_transaction_of_1_6_that_goes_on_is_not_lost() {
    let mut csms = running(Version::V1_6);
    csms.exchange("StatusNotification", available(Version::V1_6)).result();
    let charging = json!({"connectorId": 1, "errorCode": "NoError", "status": "Charging"});
    csms.exchange("StatusNotification", charging).result();
    csms.pass(LOST * 2);
    assert_eq!(given_up(csms.events()), []);
}

#[test]
fn a_transaction_of_1_6_in_whose_place_another_goes_on_is_lost() {
    let mut csms = running(Version::V1_6);
    csms.exchange("StartTransaction", start(1, "OTHER", 50, 100)).result();
    csms.pass(LOST - ASKS);
    csms.exchange("Heartbeat", json!({})).result();
    csms.pass(ASKS);
    assert_eq!(given_up(csms.events()), [("1".into(), false, vec![], true)]);
    assert_eq!(csms.session.open_transactions().count(), 1);
}

/// Its connection may be dead, and the station waiting to connect again with all that it has to tell.
#[test]
fn nothing_of_a_station_of_1_6_is_lost_as_long_as_it_is_silent() {
    let mut csms = running(Version::V1_6);
    csms.exchange("StatusNotification", available(Version::V1_6)).result();
    csms.pass(LOST * 3);
    assert_eq!(given_up(csms.events()), []);
    csms.exchange("Heartbeat", json!({})).result();
    csms.pass(LOST / 2);
    assert_eq!(given_up(csms.events()), [("1".into(), false, vec![], true)]);
}
