//! Who is let in, and what an operator's decision does to a station that is connected.

use reqwest::StatusCode;
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::harness::{Csms, Folder, RawStation, boot_payload};
use ocpp_csms::config::UnknownStations;

/// The HTTP status with which a connection is refused.
async fn refusal(csms: &Csms, id: &str, basic: Option<(&str, &[u8])>) -> u16 {
    match RawStation::connect(csms.server.address(), id, Some("ocpp2.1"), basic).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("{id} was let in"),
    }
}

#[tokio::test]
async fn a_station_with_a_password_has_to_present_it_under_its_own_name() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let answer = csms.put("/api/v1/stations/CS", json!({"password": "correct-horse-battery"})).await;
    assert_eq!((&answer["security_profile"], &answer["has_password"]), (&json!(1), &json!(true)));
    assert!(!answer.to_string().contains("correct-horse"));
    assert_eq!(refusal(&csms, "CS", None).await, 401);
    assert_eq!(refusal(&csms, "CS", Some(("CS", b"wrong-horse-battery!"))).await, 401);
    assert_eq!(refusal(&csms, "CS", Some(("CS2", b"correct-horse-battery"))).await, 401);
    let basic = Some(("CS", b"correct-horse-battery".as_slice()));
    let mut station = RawStation::connect(csms.server.address(), "CS", Some("ocpp2.1"), basic).await.unwrap();
    station.boot("ocpp2.1").await;
}

#[tokio::test]
async fn a_new_password_counts_at_once() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.put("/api/v1/stations/CS", json!({"password": "the-first-password"})).await;
    let first = Some(("CS", b"the-first-password".as_slice()));
    let mut station = RawStation::connect(csms.server.address(), "CS", Some("ocpp2.1"), first).await.unwrap();
    csms.get_until("/api/v1/stations/CS", |view| view["connected"] == true).await;
    csms.put("/api/v1/stations/CS", json!({"password": "the-second-password"})).await;
    station.closed().await;
    assert_eq!(refusal(&csms, "CS", first).await, 401);
    let second = Some(("CS", b"the-second-password".as_slice()));
    RawStation::connect(csms.server.address(), "CS", Some("ocpp2.1"), second).await.unwrap();
}

#[tokio::test]
async fn a_profile_that_asks_for_tls_does_not_let_anybody_in_without() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.put("/api/v1/stations/CS", json!({"password": "correct-horse-battery", "security_profile": 2})).await;
    assert_eq!(refusal(&csms, "CS", Some(("CS", b"correct-horse-battery"))).await, 403);
    csms.put("/api/v1/stations/CS", json!({"security_profile": 3})).await;
    assert_eq!(refusal(&csms, "CS", None).await, 403);
}

#[tokio::test]
async fn a_station_that_nobody_decided_about_needs_a_password_where_the_configuration_says_so() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.allow_no_security = Some(false)).await;
    assert_eq!(refusal(&csms, "NEW", None).await, 401);
    assert_eq!(csms.request(reqwest::Method::GET, "/api/v1/stations/NEW", None).await.0, StatusCode::NOT_FOUND);
    csms.put("/api/v1/stations/CS", json!({})).await;
    assert_eq!(refusal(&csms, "CS", None).await, 401);
    csms.put("/api/v1/stations/CS", json!({"security_profile": 0})).await;
    csms.station("CS", "ocpp2.1").await.boot("ocpp2.1").await;
}

// 2.1 part 4, 3.3
#[tokio::test]
async fn an_unknown_station_is_not_found_where_the_configuration_says_so() {
    let folder = Folder::new();
    let csms =
        Csms::start_with(&folder.file("csms.sqlite"), |file| file.unknown_stations = Some(UnknownStations::Reject))
            .await;
    assert_eq!(refusal(&csms, "NEW", None).await, 404);
}

#[tokio::test]
async fn an_unknown_station_is_served_where_the_configuration_says_so() {
    let folder = Folder::new();
    let csms =
        Csms::start_with(&folder.file("csms.sqlite"), |file| file.unknown_stations = Some(UnknownStations::Accept))
            .await;
    csms.station("NEW", "ocpp1.6").await.boot("ocpp1.6").await;
}

// 2.1 part 2, B02; 1.6 edition 2, 4.2
#[tokio::test]
async fn an_unknown_station_waits_until_it_is_accepted_and_is_then_told_to_boot_again() {
    for subprotocol in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = csms.station("NEW", subprotocol).await;
        let answer = station.call("BootNotification", boot_payload(subprotocol)).await;
        assert_eq!(answer["status"], "Pending", "{answer}");
        let view = csms.get("/api/v1/stations/NEW").await;
        assert_eq!((&view["registration"], &view["security_profile"]), (&json!("pending"), &json!(null)));
        csms.put("/api/v1/stations/NEW", json!({"registration": "accepted"})).await;
        let (id, payload) = station.expect_call("TriggerMessage").await;
        assert_eq!(payload["requestedMessage"], "BootNotification");
        station.answer(&id, json!({"status": "Accepted"})).await;
        station.boot(subprotocol).await;
    }
}

// 2.1 part 2, B03; 1.6 edition 2, 4.2
#[tokio::test]
async fn a_station_that_is_rejected_is_disconnected_and_learns_why_at_its_next_boot() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.0.1").await;
    station.boot("ocpp2.0.1").await;
    csms.put("/api/v1/stations/CS", json!({"registration": "rejected"})).await;
    station.closed().await;
    let mut station = csms.station("CS", "ocpp2.0.1").await;
    let answer = station.call("BootNotification", boot_payload("ocpp2.0.1")).await;
    assert_eq!(answer["status"], "Rejected");
}

#[tokio::test]
async fn only_so_many_unknown_stations_are_kept() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.max_unknown_stations = Some(2)).await;
    let _first = csms.station("NEW-1", "ocpp2.1").await;
    let _second = csms.station("NEW-2", "ocpp2.1").await;
    assert_eq!(refusal(&csms, "NEW-3", None).await, 503);
    csms.station("NEW-1", "ocpp2.1").await;
    csms.put("/api/v1/stations/NEW-3", json!({})).await;
    csms.station("NEW-3", "ocpp2.1").await;
}
