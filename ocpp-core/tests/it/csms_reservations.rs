//! Reservations as a CSMS sees them (2.1 part 2, H; 1.6 edition 2, 5.3, 5.13).

use ocpp_core::csms::{CallOutcome, CallResult, Command, Event, Reservation, Token};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::csms_support::*;

fn reservation(version: Version) -> Reservation {
    let kind = |id: &str| if version == Version::V1_6 { Token::new(id) } else { Token::with_kind(id, "ISO14443") };
    Reservation {
        id: 7,
        evse: Some(2),
        connector_type: None,
        token: kind("TAG"),
        group: Some(kind("FLEET")),
        expires_at: "2026-11-20T11:00:00Z".parse().unwrap(),
    }
}

fn reserve_now(version: Version) -> Value {
    let at = "2026-11-20T11:00:00.000Z";
    match version {
        Version::V1_6 => {
            json!({"connectorId": 2, "expiryDate": at, "idTag": "TAG", "reservationId": 7, "parentIdTag": "FLEET"})
        }
        _ => json!({"id": 7, "expiryDateTime": at, "evseId": 2, "idToken": {"idToken": "TAG", "type": "ISO14443"},
            "groupIdToken": {"idToken": "FLEET", "type": "ISO14443"}}),
    }
}

fn cancel(version: Version) -> (Command, Value) {
    let _ = version;
    (Command::CancelReservation { reservation: 7 }, json!({"reservationId": 7}))
}

/// The reservations that were told of.
fn told(csms: &mut Csms) -> Vec<Event> {
    let of_reservations = |event: &Event| {
        matches!(event, Event::Reserved(_) | Event::ReservationCancelled { .. } | Event::ReservationEnded { .. })
    };
    csms.events().into_iter().filter(of_reservations).collect()
}

/// H01.FR.03, H02.FR.02; 1.6 edition 2, 5.3; 1.6 edition 2, 5.13
#[test]
fn a_reservation_is_made_and_cancelled() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.command(1, Command::Reserve(Box::new(reservation(version))));
        let (id, action, payload) = csms.received_call();
        assert_eq!((&*action, payload), ("ReserveNow", reserve_now(version)));
        csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
        let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
        assert!(matches!(answer.result, CallResult::Accepted { .. }));
        assert_eq!(told(&mut csms), [Event::Reserved(Box::new(reservation(version)))]);
        let (command, expected) = cancel(version);
        csms.command(2, command);
        let (id, action, payload) = csms.received_call();
        assert_eq!((&*action, payload), ("CancelReservation", expected));
        csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
        assert_eq!(told(&mut csms), [Event::ReservationCancelled { reservation: 7 }]);
    }
}

/// H02.FR.01
#[test]
fn what_the_station_refuses_changes_nothing() {
    for version in Version::ALL {
        for status in ["Rejected", "Occupied", "Faulted", "Unavailable"] {
            let mut csms = Csms::new(version);
            csms.command(1, Command::Reserve(Box::new(reservation(version))));
            let (id, ..) = csms.received_call();
            csms.frame(json!([3, id, {"status": status}]).to_string());
            let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
            assert!(matches!(answer.result, CallResult::Refused { .. }), "{answer:?}");
            csms.command(2, cancel(version).0);
            let (id, ..) = csms.received_call();
            csms.frame(json!([3, id, {"status": "Rejected"}]).to_string());
            assert_eq!(told(&mut csms), []);
        }
    }
}

#[test]
fn a_reservation_that_the_application_words_itself_is_told_as_well() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let payload = reserve_now(version).to_string();
        csms.command(1, Command::Raw { action: "ReserveNow".into(), payload, validate: true });
        let (id, ..) = csms.received_call();
        csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
        assert_eq!(told(&mut csms), [Event::Reserved(Box::new(reservation(version)))]);
    }
}

/// H01.FR.16, H01.FR.17, H03.FR.11, H04.FR.01
#[test]
fn a_reservation_that_the_station_ends_is_told_with_the_reason() {
    for version in V2 {
        for status in ["Expired", "Removed"] {
            let mut csms = Csms::new(version);
            let update = json!({"reservationId": 7, "reservationUpdateStatus": status});
            assert_eq!(csms.exchange("ReservationStatusUpdate", update).result(), json!({}));
            assert_eq!(told(&mut csms), [Event::ReservationEnded { reservation: 7, status: status.into() }]);
        }
    }
}

/// H01.FR.15
#[test]
fn a_transaction_says_which_reservation_it_uses_up() {
    for version in Version::ALL {
        let mut csms = Csms::new(version).obliging();
        match version {
            Version::V1_6 => {
                let mut payload = start(1, "TAG", 0, 0);
                payload["reservationId"] = json!(7);
                csms.exchange("StartTransaction", payload).result();
            }
            _ => {
                let mut payload = with_token(event("Started", "a", 0, 0, 0), "TAG");
                payload["reservationId"] = json!(7);
                csms.exchange("TransactionEvent", payload).result();
            }
        }
        let events = csms.events();
        let [Event::TransactionStarted(started)] = &*events else { panic!("{events:?}") };
        assert_eq!(started.reservation_id, Some(7));
    }
}
