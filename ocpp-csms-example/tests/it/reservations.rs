//! Reservations made by calls, and what becomes of them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation};

const FUTURE: &str = "2099-01-01T00:00:00Z";

async fn reservations(csms: &Csms) -> Value {
    csms.get("/api/v1/stations/CS/reservations").await
}

/// The state of the only reservation.
async fn state(csms: &Csms) -> Value {
    let all = reservations(csms).await;
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    all[0]["state"].clone()
}

fn payload(subprotocol: &str, id: i64, expiry: &str) -> Value {
    match subprotocol {
        "ocpp1.6" => json!({"connectorId": 1, "expiryDate": expiry, "idTag": "TAG", "reservationId": id}),
        _ => {
            json!({"id": id, "expiryDateTime": expiry, "evseId": 1, "idToken": {"idToken": "TAG", "type": "ISO14443"}})
        }
    }
}

/// The operator calls, the station answers with this status.
async fn call(csms: &Csms, station: &mut RawStation, action: &str, payload: Value, status: &str) {
    let asks = csms.call("CS", json!({"action": action, "payload": payload}));
    let answers = async {
        let (id, _) = station.expect_call(action).await;
        station.answer(&id, json!({"status": status})).await;
    };
    let ((code, answer), ()) = tokio::join!(asks, answers);
    assert_eq!((code, &answer["result"]["status"]), (StatusCode::OK, &json!(status)), "{answer}");
}

async fn reserve(csms: &Csms, station: &mut RawStation, subprotocol: &str, id: i64) {
    call(csms, station, "ReserveNow", payload(subprotocol, id, FUTURE), "Accepted").await;
}

async fn booted(csms: &Csms, subprotocol: &str) -> RawStation {
    csms.enter("CS").await;
    let mut station = csms.station("CS", subprotocol).await;
    station.boot(subprotocol).await;
    station
}

const ALL: [&str; 3] = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"];

/// H01, H02; 1.6 edition 2, 5.3; 1.6 edition 2, 5.13
#[tokio::test]
async fn a_reservation_is_shown_as_it_was_made_and_is_cancelled() {
    for subprotocol in ALL {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        assert_eq!(reservations(&csms).await, json!([]));
        call(&csms, &mut station, "ReserveNow", payload(subprotocol, 6, FUTURE), "Occupied").await;
        assert_eq!(reservations(&csms).await, json!([]), "the station has not made it");
        reserve(&csms, &mut station, subprotocol, 7).await;
        let made = reservations(&csms).await[0].clone();
        assert_eq!((&made["id"], &made["token"], &made["evse"]), (&json!(7), &json!("TAG"), &json!(1)));
        assert_eq!((&made["state"], &made["expires_at"]), (&json!("active"), &json!(FUTURE)));
        call(&csms, &mut station, "CancelReservation", json!({"reservationId": 7}), "Rejected").await;
        assert_eq!(state(&csms).await, "active");
        call(&csms, &mut station, "CancelReservation", json!({"reservationId": 7}), "Accepted").await;
        assert_eq!(state(&csms).await, "cancelled");
        reserve(&csms, &mut station, subprotocol, 7).await;
        assert_eq!(state(&csms).await, "active", "the number is used again");
    }
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let (status, _) = csms.request(Method::GET, "/api/v1/stations/NOBODY/reservations", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// H01.FR.15
#[tokio::test]
async fn a_reservation_is_used_up_by_its_transaction() {
    for subprotocol in ALL {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        reserve(&csms, &mut station, subprotocol, 7).await;
        let at = "2026-06-01T10:00:00Z";
        let transaction = if subprotocol == "ocpp1.6" {
            let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": at, "reservationId": 7});
            station.call("StartTransaction", start).await["transactionId"].to_string()
        } else {
            let started = json!({"eventType": "Started", "timestamp": at, "triggerReason": "Authorized", "seqNo": 0,
                "transactionInfo": {"transactionId": "tx-1"}, "evse": {"id": 1}, "reservationId": 7});
            station.call("TransactionEvent", started).await;
            "tx-1".to_owned()
        };
        let used = reservations(&csms).await[0].clone();
        assert_eq!((&used["state"], &used["transaction"]), (&json!("used"), &json!(transaction)));
        if subprotocol != "ocpp1.6" {
            let update = json!({"reservationId": 7, "reservationUpdateStatus": "Expired"});
            station.call("ReservationStatusUpdate", update).await;
            assert_eq!(state(&csms).await, "used", "what is used up does not expire");
        }
    }
}

/// H01.FR.16, H04.FR.01, H03.FR.11
#[tokio::test]
async fn a_reservation_ends_as_the_station_tells() {
    for (word, expected) in [("Expired", "expired"), ("Removed", "removed"), ("NoTransaction", "no_transaction")] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, "ocpp2.1").await;
        reserve(&csms, &mut station, "ocpp2.1", 7).await;
        let update = json!({"reservationId": 7, "reservationUpdateStatus": word});
        station.call("ReservationStatusUpdate", update).await;
        assert_eq!(state(&csms).await, expected);
    }
}

#[tokio::test]
async fn a_reservation_whose_time_is_over_has_expired_although_a_station_of_1_6_never_says_so() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp1.6").await;
    let past = payload("ocpp1.6", 7, "2020-01-01T00:00:00Z");
    call(&csms, &mut station, "ReserveNow", past, "Accepted").await;
    assert_eq!(state(&csms).await, "expired");
}
