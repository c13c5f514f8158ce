//! The ledger by itself; over the wire it is tried in `tests/it/csms_transactions.rs`.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use jiff::Timestamp;

use super::*;
use crate::csms::event::TransactionEvent;
use crate::csms::transactions::{Kind, Message, StartKey};

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn message(kind: Kind, wire: &str, sequence: Option<i64>, second: i64) -> Message {
    let mut event = TransactionEvent::new(TransactionId::new(wire), moment(second));
    event.sequence = sequence;
    event.place = Some(Place::connector(1, 1));
    Message {
        kind,
        fingerprint: fingerprint([kind_name(kind), &second.to_string()]),
        named: sequence.is_some(),
        start: None,
        event,
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Started => "Started",
        Kind::Updated => "Updated",
        Kind::Ended => "Ended",
    }
}

/// Takes a message in as a session does, and says in short what was reported.
fn receive(ledger: &mut Ledger, message: Message) -> Vec<String> {
    if ledger.repeated(&message).is_some() {
        return vec!["repeated".into()];
    }
    let events = ledger.apply(message, None);
    ledger.commit();
    events.iter().map(short).collect()
}

fn short(event: &Event) -> String {
    match event {
        Event::TransactionStarted(event) => format!("started {}", event.transaction),
        Event::TransactionUpdated(event) => format!("updated {}", event.transaction),
        Event::TransactionEnded(event) => format!("ended {}", event.transaction),
        Event::TransactionSuperseded { transaction, by } => format!("superseded {transaction} by {by}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_message_is_reported_once_however_often_it_is_repeated() {
    let mut ledger = Ledger::new(1);
    for (kind, sequence) in [(Kind::Started, 0), (Kind::Updated, 1), (Kind::Ended, 2)] {
        let message = message(kind, "a", Some(sequence), sequence);
        assert_ne!(receive(&mut ledger, message.clone()), ["repeated"]);
        assert_eq!(receive(&mut ledger, message), ["repeated"]);
    }
}

#[test]
fn messages_of_a_counter_that_stands_still_are_not_taken_for_repetitions() {
    let mut ledger = Ledger::new(1);
    assert_eq!(receive(&mut ledger, message(Kind::Started, "a", Some(0), 0)), ["started a"]);
    assert_eq!(receive(&mut ledger, message(Kind::Updated, "a", Some(0), 10)), ["updated a"]);
    assert_eq!(receive(&mut ledger, message(Kind::Updated, "a", Some(0), 20)), ["updated a"]);
    assert_eq!(receive(&mut ledger, message(Kind::Updated, "a", Some(0), 20)), ["repeated"]);
    assert_eq!(receive(&mut ledger, message(Kind::Ended, "a", Some(0), 30)), ["ended a"]);
}

#[test]
fn a_counter_that_begins_again_after_a_power_cut_loses_nothing() {
    let mut ledger = Ledger::new(1);
    receive(&mut ledger, message(Kind::Started, "a", Some(0), 0));
    for number in 1..100 {
        receive(&mut ledger, message(Kind::Updated, "a", Some(number), number));
    }
    assert_eq!(receive(&mut ledger, message(Kind::Updated, "a", Some(1), 1)), ["repeated"], "forgotten, but old");
    assert_eq!(receive(&mut ledger, message(Kind::Updated, "a", Some(1), 200)), ["updated a"]);
    assert_eq!(receive(&mut ledger, message(Kind::Ended, "a", Some(2), 201)), ["ended a"]);
}

#[test]
fn an_end_before_its_start_is_reported_with_the_start_outstanding() {
    let mut ledger = Ledger::new(1);
    let events = ledger.apply(message(Kind::Ended, "a", Some(2), 20), None);
    let [Event::TransactionEnded(event)] = &*events else { panic!("{events:?}") };
    assert!(event.start_lost);
    assert_eq!(receive(&mut ledger, message(Kind::Started, "a", Some(0), 0)), ["started a"]);
    assert_eq!(receive(&mut ledger, message(Kind::Started, "a", Some(0), 0)), ["repeated"]);
    let events = ledger.apply(message(Kind::Updated, "a", Some(1), 10), None);
    let [Event::TransactionUpdated(event)] = &*events else { panic!("{events:?}") };
    assert!(!event.start_lost && event.missing.is_empty());
}

#[test]
fn a_second_end_is_an_update() {
    let mut ledger = Ledger::new(1);
    receive(&mut ledger, message(Kind::Started, "a", Some(0), 0));
    assert_eq!(receive(&mut ledger, message(Kind::Ended, "a", Some(1), 10)), ["ended a"]);
    assert_eq!(receive(&mut ledger, message(Kind::Ended, "a", Some(2), 20)), ["updated a"]);
}

#[test]
fn what_was_lost_on_the_way_is_stated_until_it_arrives() {
    let mut ledger = Ledger::new(1);
    receive(&mut ledger, message(Kind::Started, "a", Some(3), 0));
    let missing = |events: Vec<Event>| match &*events {
        [Event::TransactionUpdated(event)] => event.missing.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(ledger.apply(message(Kind::Updated, "a", Some(6), 6), None)), [4..=5]);
    assert_eq!(missing(ledger.apply(message(Kind::Updated, "a", Some(4), 4), None)), [5..=5]);
    assert!(missing(ledger.apply(message(Kind::Updated, "a", Some(5), 5), None)).is_empty());
}

#[test]
fn a_start_where_another_goes_on_supersedes_it_once() {
    let mut ledger = Ledger::new(1);
    receive(&mut ledger, message(Kind::Started, "a", Some(0), 0));
    assert_eq!(receive(&mut ledger, message(Kind::Started, "b", Some(0), 10)), ["superseded a by b", "started b"]);
    assert_eq!(receive(&mut ledger, message(Kind::Started, "c", Some(0), 20)), ["superseded b by c", "started c"]);
    assert_eq!(receive(&mut ledger, message(Kind::Ended, "a", Some(1), 5)), ["ended a"], "its end was only late");
}

#[test]
fn a_start_that_comes_late_supersedes_nothing_that_began_after_it() {
    let mut ledger = Ledger::new(1);
    receive(&mut ledger, message(Kind::Started, "b", Some(0), 100));
    assert_eq!(receive(&mut ledger, message(Kind::Started, "a", Some(0), 0)), ["started a"]);
}

#[test]
fn a_place_that_is_told_later_counts_from_then_on() {
    let mut ledger = Ledger::new(1);
    receive(&mut ledger, message(Kind::Started, "a", Some(0), 0));
    let mut start = message(Kind::Started, "b", Some(0), 10);
    start.event.place = None;
    assert_eq!(receive(&mut ledger, start), ["started b"]);
    assert_eq!(receive(&mut ledger, message(Kind::Updated, "b", Some(1), 20)), ["superseded a by b", "updated b"]);
}

#[test]
fn a_refused_start_leaves_alone_what_goes_on_at_its_place() {
    let mut ledger = Ledger::new(1);
    receive(&mut ledger, message(Kind::Started, "a", Some(0), 0));
    let refusal = Authorization::new(AuthorizationStatus::Blocked);
    let events = ledger.apply(message(Kind::Started, "b", Some(0), 10), Some(&refusal));
    assert_eq!(events.iter().map(short).collect::<Vec<_>>(), ["started b"]);
}

#[test]
fn a_name_that_is_used_again_after_its_end_names_another_transaction() {
    let mut ledger = Ledger::new(1);
    receive(&mut ledger, message(Kind::Started, "1", Some(0), 0));
    receive(&mut ledger, message(Kind::Ended, "1", Some(1), 10));
    let events = receive(&mut ledger, message(Kind::Started, "1", Some(0), 100));
    let second = ledger.name(&TransactionId::new("1")).clone();
    assert_ne!(second.as_str(), "1");
    assert_eq!(events, [format!("started {second}")]);
    assert_eq!(ledger.wire_name(&second).as_str(), "1");
    assert_eq!(receive(&mut ledger, message(Kind::Started, "1", Some(0), 0)), ["repeated"], "the first start again");
    assert_eq!(receive(&mut ledger, message(Kind::Ended, "1", Some(1), 110)), [format!("ended {second}")]);
}

#[test]
fn what_could_not_be_stored_never_happened() {
    let mut ledger = Ledger::new(7);
    receive(&mut ledger, message(Kind::Started, "a", Some(0), 0));
    let before = ledger.clone();
    ledger.allocate(None);
    ledger.apply(message(Kind::Started, "b", Some(0), 10), None);
    assert_ne!(ledger, before);
    ledger.roll_back();
    assert_eq!(ledger, before);
    assert_eq!(
        receive(&mut ledger, message(Kind::Started, "b", Some(0), 10)),
        ["superseded a by b", "started b"],
        "reported anew when it is sent again"
    );
}

fn start_key(token: &str) -> StartKey {
    StartKey { connector: 1, token: fingerprint([token]), meter_start: 100, at: 5 }
}

#[test]
fn a_repeated_start_of_1_6_is_known_by_its_content() {
    let mut ledger = Ledger::new(1);
    let id = ledger.allocate(None);
    let accepted = Authorization::accepted();
    let mut start = message(Kind::Started, &id.to_string(), None, 0);
    start.start = Some(start_key("TAG"));
    ledger.apply(start, Some(&accepted));
    let repeated = ledger.repeated_start(&start_key("TAG")).unwrap();
    assert_eq!(repeated.wire, TransactionId::from(id));
    assert_eq!(repeated.authorization, Some(accepted));
    assert_eq!(ledger.repeated_start(&start_key("OTHER")), None);
    assert_eq!(ledger.repeated_start(&StartKey { at: 6, ..start_key("TAG") }), None);
}

/// 1.6 errata 3.54
#[test]
fn ids_are_given_away_once_also_after_a_snapshot() {
    let mut ledger = Ledger::new(1);
    assert_eq!(ledger.allocate(None), 1);
    assert_eq!(ledger.allocate(Some(500)), 500);
    ledger.apply(message(Kind::Started, "500", None, 0), None);
    assert_eq!(ledger.allocate(Some(500)), 501, "a proposal that is taken is replaced");
    assert_eq!(ledger.allocate(Some(-3)), 502, "errata to 1.6, 3.54: positive numbers");
    ledger.commit();
    let text = serde_json::to_string(&ledger).unwrap();
    let mut restored: Ledger = serde_json::from_str(&text).unwrap();
    assert_eq!(restored, ledger);
    assert_eq!(restored.allocate(None), 503);
}

#[test]
fn a_made_up_id_does_not_push_the_counter_out_of_range() {
    let mut ledger = Ledger::new(1);
    for number in [i64::MAX, 3_000_000] {
        let stop = message(Kind::Ended, "", None, 0);
        assert_eq!(ledger.resolve(number, &stop), Some(TransactionId::from(number)));
    }
    assert_eq!(ledger.allocate(None), 1);
}

#[test]
fn a_stop_without_an_id_is_given_to_the_one_transaction_it_fits() {
    // Errata to 1.6, 3.18: the station was never told the id and says -1.
    let mut ledger = Ledger::new(1);
    let id = ledger.allocate(None);
    let mut start = message(Kind::Started, &id.to_string(), None, 0);
    start.start = Some(start_key("TAG"));
    ledger.apply(start, None);
    ledger.commit();
    let mut stop = message(Kind::Ended, "-1", None, 50);
    stop.event.place = None;
    stop.event.meter_wh = Some(rust_decimal::Decimal::from(150));
    let wire = ledger.resolve(-1, &stop).unwrap();
    assert_eq!(wire, TransactionId::from(id));
    stop.event.transaction = wire.clone();
    assert_eq!(receive(&mut ledger, stop.clone()), ["ended 1"]);
    assert_eq!(ledger.resolve(-1, &stop).as_ref(), Some(&wire), "also when it is repeated");
    assert_eq!(receive(&mut ledger, stop), ["repeated"]);
}

#[test]
fn a_stop_without_an_id_that_fits_nothing_is_a_transaction_of_its_own() {
    let mut ledger = Ledger::new(1);
    let id = ledger.allocate(None);
    let mut start = message(Kind::Started, &id.to_string(), None, 100);
    start.start = Some(start_key("TAG"));
    ledger.apply(start, None);
    ledger.commit();
    let stop = message(Kind::Ended, "-1", None, 50);
    assert_eq!(ledger.resolve(-1, &stop), Some(TransactionId::from(2)), "it ended before the other began");
}

#[test]
fn a_stop_without_an_id_belongs_to_no_transaction_whose_id_the_station_has_used() {
    let mut ledger = Ledger::new(1);
    let id = ledger.allocate(None);
    let mut start = message(Kind::Started, &id.to_string(), None, 0);
    start.start = Some(start_key("TAG"));
    ledger.apply(start, None);
    let mut update = message(Kind::Updated, &id.to_string(), None, 10);
    update.named = true;
    ledger.apply(update, None);
    ledger.commit();
    let stop = message(Kind::Ended, "-1", None, 50);
    assert_eq!(ledger.resolve(-1, &stop), Some(TransactionId::from(2)));
}

#[test]
fn a_station_that_never_ends_anything_fills_no_memory() {
    let mut ledger = Ledger::new(1);
    for number in 0..1000 {
        receive(&mut ledger, message(Kind::Started, &format!("t{number}"), Some(0), number));
    }
    assert_eq!(ledger.open().count(), MAX_OPEN);
    for number in 0..1000 {
        receive(&mut ledger, message(Kind::Ended, &format!("e{number}"), Some(0), number));
    }
    assert_eq!(ledger.entries.len(), MAX_OPEN + MAX_ENDED);
}
