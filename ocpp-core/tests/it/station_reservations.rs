//! Reservations (2.1 part 2, block H; 1.6 edition 2, 3.11, 5.1, 5.13 and 9.3).

use std::time::Duration;

use ocpp_core::station::{EvseConfig, Fault, FaultCode, Input, Token};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Reply, Script};

const LATER: &str = "2026-11-20T09:00:00Z";

/// A station with two EVSEs of one connector each.
fn two_evses(version: Version) -> Script {
    let mut config = config(version);
    config.evses = vec![EvseConfig::default(), EvseConfig::default()];
    let mut world = Script::booted_with(config);
    world.run(Duration::from_secs(1));
    world.peer.forget();
    world
}

fn request(version: Version, id: i64, evse: Option<i64>, token: &str, group: Option<&str>, expires: &str) -> Value {
    let mut request = match version {
        Version::V1_6 => {
            json!({"connectorId": evse.unwrap_or(0), "expiryDate": expires, "idTag": token, "reservationId": id})
        }
        _ => json!({"id": id, "expiryDateTime": expires, "idToken": {"idToken": token, "type": "ISO14443"}}),
    };
    match (version, evse, group) {
        (Version::V1_6, _, Some(group)) => request["parentIdTag"] = json!(group),
        (Version::V1_6, ..) => {}
        (_, evse, group) => {
            if let Some(evse) = evse {
                request["evseId"] = json!(evse);
            }
            if let Some(group) = group {
                request["groupIdToken"] = json!({"idToken": group, "type": "Central"});
            }
        }
    }
    request
}

fn ask(world: &mut Script, request: Value) -> String {
    world.ask("ReserveNow", request);
    world.peer.result()["status"].as_str().unwrap().to_owned()
}

/// Reserves an EVSE, or any, for a token.
fn reserve(world: &mut Script, id: i64, evse: Option<i64>, token: &str) -> String {
    let request = request(world.version, id, evse, token, None, LATER);
    ask(world, request)
}

fn cancel(world: &mut Script, id: i64) -> String {
    world.ask("CancelReservation", json!({"reservationId": id}));
    world.peer.result()["status"].as_str().unwrap().to_owned()
}

/// The status that the CSMS heard last of an EVSE.
fn status(world: &Script, evse: i64) -> String {
    let is_meant = |payload: &&&Value| match world.version {
        Version::V1_6 => payload["connectorId"] == evse,
        _ => payload["evseId"] == evse,
    };
    let heard = world.peer.payloads("StatusNotification");
    let last = heard.iter().rev().find(is_meant).unwrap_or_else(|| panic!("nothing was heard of {evse}"));
    last.get("status").or(last.get("connectorStatus")).unwrap().as_str().unwrap().to_owned()
}

/// Why reservations were over, as a 2.x CSMS heard it.
fn updates(world: &Script) -> Vec<(i64, String)> {
    let update = |payload: &&Value| {
        let status = payload["reservationUpdateStatus"].as_str().unwrap().to_owned();
        (payload["reservationId"].as_i64().unwrap(), status)
    };
    world.peer.payloads("ReservationStatusUpdate").iter().map(update).collect()
}

fn present(world: &mut Script, evse: u32, token: &str) {
    world.handle(Input::TokenPresented { evse: Some(evse), token: Token::rfid(token) });
    world.settle();
}

fn is_authorized(world: &mut Script, evse: usize) -> bool {
    let now = world.now;
    world.station().state(now).evses[evse - 1].authorized
}

/// The id of the reservation that a message about a transaction told.
fn told(world: &Script) -> Vec<Value> {
    let actions = ["StartTransaction", "TransactionEvent"];
    let messages = world.peer.heard.iter().filter(|heard| actions.contains(&heard.action.as_str()));
    messages.filter_map(|heard| heard.payload.get("reservationId").cloned()).collect()
}

fn is_stored(world: &Script, id: i64) -> bool {
    world.storage.contains_key(&format!("reservation/{id}"))
}

/// 1.6 edition 2, 5.13, 3.11; H01.FR.03, H01.FR.15, H01.FR.23, H03.FR.01, H03.FR.09
#[test]
fn a_reserved_evse_is_kept_for_its_token_until_that_uses_it() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        assert_eq!(reserve(&mut world, 7, Some(1), "MINE"), "Accepted", "{version}");
        assert_eq!(status(&world, 1), "Reserved", "{version}");
        assert!(is_stored(&world, 7));
        present(&mut world, 1, "OTHER");
        assert!(!is_authorized(&mut world, 1), "{version}");
        assert!(world.peer.payloads("Authorize").is_empty(), "{version}: no answer could help");
        present(&mut world, 2, "OTHER");
        assert!(is_authorized(&mut world, 2), "{version}: the others are free");
        present(&mut world, 1, "mine");
        assert!(is_authorized(&mut world, 1), "{version}");
        assert_eq!(status(&world, 1), if version == Version::V1_6 { "Preparing" } else { "Available" });
        world.plug();
        assert_eq!(told(&world), [json!(7)], "{version}");
        assert!(!is_stored(&world, 7), "{version}: it is over");
        assert_eq!(cancel(&mut world, 7), "Rejected", "{version}");
        assert_eq!(updates(&world), [], "{version}: it was used");
    }
}

/// 1.6 edition 2, 4.9 (G2); H03.FR.10: a plug alone uses no reservation.
#[test]
fn the_plug_may_come_before_the_token_that_it_is_kept_for() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        reserve(&mut world, 7, Some(1), "MINE");
        world.plug();
        assert_eq!(status(&world, 1), if version == Version::V1_6 { "Reserved" } else { "Occupied" }, "{version}");
        present(&mut world, 1, "OTHER");
        assert!(!world.energy_permitted(), "{version}");
        present(&mut world, 1, "MINE");
        assert!(world.energy_permitted(), "{version}");
        assert_eq!(told(&world), [json!(7)], "{version}");
    }
}

/// 1.6 edition 2, 5.13 (parentIdTag); H03.FR.04, H03.FR.08
#[test]
fn a_token_of_the_same_group_may_use_it_and_the_csms_is_asked_for_the_group() {
    for version in VERSIONS {
        let verdict = |group: &str| {
            Reply::Result(match version {
                Version::V1_6 => json!({"idTagInfo": {"status": "Accepted", "parentIdTag": group}}),
                _ => json!({"idTokenInfo": {"status": "Accepted",
                    "groupIdToken": {"idToken": group, "type": "Central"}}}),
            })
        };
        let mut world = two_evses(version);
        let wanted = request(version, 7, Some(1), "MINE", Some("FAMILY"), LATER);
        assert_eq!(ask(&mut world, wanted), "Accepted");
        world.peer.once("Authorize", verdict("STRANGERS"));
        present(&mut world, 1, "OTHER");
        assert!(!is_authorized(&mut world, 1), "{version}");
        assert!(is_stored(&world, 7), "{version}");
        world.peer.once("Authorize", verdict("FAMILY"));
        present(&mut world, 1, "SISTER");
        assert!(is_authorized(&mut world, 1), "{version}");
        world.plug();
        assert_eq!(told(&world), [json!(7)], "{version}");
    }
}

/// 1.6 edition 2, 5.13; H04.FR.01 to 03
#[test]
fn a_reservation_ends_with_its_time() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        world.set("HeartbeatInterval", "86400");
        let wanted = request(version, 7, Some(1), "MINE", None, "2026-11-20T08:30:00Z");
        ask(&mut world, wanted);
        world.run(Duration::from_secs(1_780));
        assert_eq!(status(&world, 1), "Reserved", "{version}");
        world.run(Duration::from_secs(20));
        assert_eq!(status(&world, 1), "Available", "{version}");
        assert!(!is_stored(&world, 7), "{version}");
        let expected = if version == Version::V1_6 { vec![] } else { vec![(7, "Expired".to_owned())] };
        assert_eq!(updates(&world), expected, "{version}");
        present(&mut world, 1, "OTHER");
        assert!(is_authorized(&mut world, 1), "{version}");
    }
}

/// H04.FR.01: what ends without a connection is told with the next one.
#[test]
fn the_end_of_a_reservation_is_told_after_an_outage() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut world = two_evses(version);
        let wanted = request(version, 7, Some(1), "MINE", None, "2026-11-20T08:30:00Z");
        ask(&mut world, wanted);
        world.cut();
        world.run(Duration::from_secs(2_000));
        world.network.up = true;
        world.run(Duration::from_secs(600));
        assert_eq!(updates(&world), [(7, "Expired".to_owned())], "{version}");
    }
}

/// 1.6 edition 2, 5.1; H02.FR.01, H02.FR.02
#[test]
fn a_reservation_can_be_cancelled_once() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        assert_eq!(cancel(&mut world, 7), "Rejected", "{version}: there is none");
        reserve(&mut world, 7, Some(1), "MINE");
        assert_eq!(cancel(&mut world, 8), "Rejected", "{version}: there is no such one");
        assert_eq!(cancel(&mut world, 7), "Accepted", "{version}");
        assert_eq!(status(&world, 1), "Available", "{version}");
        assert!(!is_stored(&world, 7), "{version}");
        assert_eq!(cancel(&mut world, 7), "Rejected", "{version}");
        present(&mut world, 1, "OTHER");
        assert!(is_authorized(&mut world, 1), "{version}");
    }
}

/// 1.6 edition 2, 5.13; H01.FR.11
#[test]
fn what_is_in_use_or_reserved_cannot_be_reserved() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        assert_eq!(reserve(&mut world, 1, Some(1), "MINE"), "Accepted", "{version}");
        assert_eq!(reserve(&mut world, 2, Some(1), "MINE"), "Occupied", "{version}: even for the same token");
        present(&mut world, 2, "OTHER");
        assert_eq!(reserve(&mut world, 3, Some(2), "MINE"), "Occupied", "{version}");
        assert_eq!(reserve(&mut world, 4, None, "MINE"), "Occupied", "{version}");
    }
}

/// 1.6 edition 2, 5.13; H01.FR.12, H01.FR.14
#[test]
fn what_is_faulted_or_unavailable_cannot_be_reserved() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        let fault = |evse| Input::Fault { evse, connector: None, fault: Fault::new(FaultCode::GroundFailure) };
        world.handle(fault(Some(1)));
        assert_eq!(reserve(&mut world, 1, Some(1), "MINE"), "Faulted", "{version}");
        assert_eq!(reserve(&mut world, 2, None, "MINE"), "Accepted", "{version}: there is another EVSE");
        cancel(&mut world, 2);
        world.handle(fault(None));
        assert_eq!(reserve(&mut world, 3, None, "MINE"), "Faulted", "{version}");

        let mut world = two_evses(version);
        let inoperative = |evse: i64| match version {
            Version::V1_6 => json!({"connectorId": evse, "type": "Inoperative"}),
            _ => json!({"evse": {"id": evse}, "operationalStatus": "Inoperative"}),
        };
        world.ask("ChangeAvailability", inoperative(1));
        assert_eq!(reserve(&mut world, 1, Some(1), "MINE"), "Unavailable", "{version}");
        world.ask("ChangeAvailability", inoperative(0));
        assert_eq!(reserve(&mut world, 2, None, "MINE"), "Unavailable", "{version}");
    }
}

/// 1.6 edition 2, 5.13; H01.FR.01
#[test]
fn what_makes_no_sense_or_is_switched_off_is_rejected() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        assert_eq!(reserve(&mut world, 1, Some(9), "MINE"), "Rejected", "{version}: no such EVSE");
        let past = request(version, 1, Some(1), "MINE", None, "2026-11-20T07:00:00Z");
        assert_eq!(ask(&mut world, past), "Rejected", "{version}: it is over already");
        world.set("ReservationCtrlr.Enabled", "false");
        assert_eq!(reserve(&mut world, 1, Some(1), "MINE"), "Rejected", "{version}");
    }
}

/// 1.6 edition 2, 5.13; H01.FR.02
#[test]
fn a_reservation_with_the_same_id_replaces_the_other_if_it_can_be_made() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        reserve(&mut world, 7, Some(1), "MINE");
        assert_eq!(reserve(&mut world, 7, Some(2), "YOURS"), "Accepted", "{version}");
        assert_eq!((status(&world, 1), status(&world, 2)), ("Available".into(), "Reserved".into()), "{version}");
        present(&mut world, 1, "OTHER");
        assert!(is_authorized(&mut world, 1), "{version}");
        assert_eq!(reserve(&mut world, 7, Some(1), "MINE"), "Occupied", "{version}");
        assert_eq!(status(&world, 2), "Reserved", "{version}: the other one stays");
        assert_eq!(reserve(&mut world, 7, Some(2), "MINE"), "Accepted", "{version}: for somebody else in its place");
        present(&mut world, 2, "YOURS");
        assert!(!is_authorized(&mut world, 2), "{version}");
        present(&mut world, 2, "MINE");
        assert!(is_authorized(&mut world, 2), "{version}");
    }
}

/// 1.6 edition 2, 5.13 (connector 0); H01.FR.04, H01.FR.07, H01.FR.20, H03.FR.03
#[test]
fn a_reservation_of_any_evse_keeps_the_last_one_free() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        assert_eq!(reserve(&mut world, 7, None, "MINE"), "Accepted", "{version}");
        assert!(world.peer.payloads("StatusNotification").is_empty(), "{version}: no specific one is reserved");
        present(&mut world, 1, "OTHER");
        assert!(is_authorized(&mut world, 1), "{version}");
        if version != Version::V1_6 {
            assert_eq!(status(&world, 2), "Reserved", "{version}");
        }
        assert_eq!(reserve(&mut world, 8, Some(2), "YOURS"), "Occupied", "{version}");
        present(&mut world, 2, "YOURS");
        assert!(!is_authorized(&mut world, 2), "{version}");
        present(&mut world, 2, "MINE");
        assert!(is_authorized(&mut world, 2), "{version}");
        world.handle(Input::PluggedIn { evse: 2, connector: 1 });
        world.settle();
        assert_eq!(told(&world), [json!(7)], "{version}");
        assert!(!is_stored(&world, 7), "{version}");
    }
}

/// 1.6 edition 2, 9.3.1; H01.FR.18, H01.FR.19
#[test]
fn reservations_of_any_evse_can_be_switched_off_by_the_operator_of_the_station_alone() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        world.set("ReserveConnectorZeroSupported", "false");
        assert_eq!(reserve(&mut world, 7, None, "MINE"), "Rejected", "{version}");
        assert_eq!(reserve(&mut world, 7, Some(1), "MINE"), "Accepted", "{version}");
    }
    let mut world = two_evses(Version::V1_6);
    world.ask("GetConfiguration", json!({"key": ["ReserveConnectorZeroSupported", "SupportedFeatureProfiles"]}));
    let keys = world.peer.result()["configurationKey"].clone();
    assert_eq!(keys[0], json!({"key": "ReserveConnectorZeroSupported", "readonly": true, "value": "true"}));
    assert!(keys[1]["value"].as_str().unwrap().split(',').any(|profile| profile == "Reservation"));
}

/// 1.6 edition 2, 5.13; H01.FR.16, H01.FR.17
#[test]
fn a_fault_or_a_change_of_availability_ends_a_reservation() {
    for version in VERSIONS {
        for is_fault in [true, false] {
            let mut world = two_evses(version);
            reserve(&mut world, 7, Some(1), "MINE");
            if is_fault {
                let fault = Fault::new(FaultCode::GroundFailure);
                world.handle(Input::Fault { evse: Some(1), connector: None, fault });
                world.settle();
                assert_eq!(status(&world, 1), "Faulted", "{version}");
                world.handle(Input::FaultCleared { evse: Some(1), connector: None });
                world.settle();
                assert_eq!(status(&world, 1), "Available", "{version}");
            } else {
                world.ask(
                    "ChangeAvailability",
                    match version {
                        Version::V1_6 => json!({"connectorId": 1, "type": "Inoperative"}),
                        _ => json!({"evse": {"id": 1}, "operationalStatus": "Inoperative"}),
                    },
                );
                assert_eq!(status(&world, 1), "Unavailable", "{version}");
            }
            assert!(!is_stored(&world, 7), "{version}");
            let expected = if version == Version::V1_6 { vec![] } else { vec![(7, "Removed".to_owned())] };
            assert_eq!(updates(&world), expected, "{version}");
        }
    }
}

/// 1.6 edition 2, 5.13: what was accepted holds.
#[test]
fn a_reservation_is_stored_before_it_is_accepted_and_outlives_a_power_cut() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        world.store_latency = Duration::from_secs(1);
        world.peer.call("ReserveNow", request(version, 7, Some(1), "MINE", Some("FAMILY"), LATER));
        world.run(Duration::from_millis(900));
        assert!(world.peer.said.is_empty(), "{version}: nothing is promised yet");
        world.settle();
        assert_eq!(world.peer.result()["status"], "Accepted", "{version}");
        world.power_cut(Duration::from_secs(60));
        world.peer.forget();
        world.run(Duration::from_secs(20));
        assert_eq!(status(&world, 1), "Reserved", "{version}");
        present(&mut world, 1, "OTHER");
        assert!(!is_authorized(&mut world, 1), "{version}");
        present(&mut world, 1, "MINE");
        assert!(is_authorized(&mut world, 1), "{version}");
        world.plug();
        assert_eq!(told(&world), [json!(7)], "{version}");
    }
}

/// 1.6 edition 2, 5.13, 5.11; F01, H03.FR.09
#[test]
fn a_remote_start_needs_the_reservation_too() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        world.set("AuthorizeRemoteTxRequests", "false");
        reserve(&mut world, 7, Some(1), "MINE");
        let start = |evse: Option<i64>, token: &str| {
            let mut start = match version {
                Version::V1_6 => json!({"idTag": token}),
                _ => json!({"remoteStartId": 1, "idToken": {"idToken": token, "type": "ISO14443"}}),
            };
            if let Some(evse) = evse {
                start[if version == Version::V1_6 { "connectorId" } else { "evseId" }] = json!(evse);
            }
            start
        };
        let action = if version == Version::V1_6 { "RemoteStartTransaction" } else { "RequestStartTransaction" };
        world.ask(action, start(Some(1), "OTHER"));
        assert_eq!(world.peer.result()["status"], "Rejected", "{version}");
        world.ask(action, start(None, "OTHER"));
        assert_eq!(world.peer.result()["status"], "Accepted", "{version}");
        assert!(is_authorized(&mut world, 2), "{version}: not at the one that is kept");
        world.ask(action, start(Some(1), "MINE"));
        assert_eq!(world.peer.result()["status"], "Accepted", "{version}");
        world.plug();
        assert_eq!(told(&world), [json!(7)], "{version}");
    }
}

/// 1.6 edition 2, 5.13 (a transaction ends it, not a token); H03.FR.09, H03.FR.11
#[test]
fn a_token_without_a_plug_uses_a_reservation_up_in_2_x_alone() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        world.set("ConnectionTimeOut", "30");
        reserve(&mut world, 7, Some(1), "MINE");
        present(&mut world, 1, "MINE");
        world.run(Duration::from_secs(40));
        assert_eq!(status(&world, 1), if version == Version::V1_6 { "Reserved" } else { "Available" }, "{version}");
        let expected = if version == Version::V2_1 { vec![(7, "NoTransaction".to_owned())] } else { vec![] };
        assert_eq!(updates(&world), expected, "{version}");
        assert_eq!(cancel(&mut world, 7), if version == Version::V1_6 { "Accepted" } else { "Rejected" }, "{version}");
    }
}

/// H01.FR.06, H01.FR.09, H01.FR.24, H03.FR.02
#[test]
fn a_reservation_of_a_type_of_connector_keeps_one_of_that_type_free() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut config = config(version);
        let of_type = |name: &str| {
            let mut evse = EvseConfig::default();
            evse.connector_type = Some(name.into());
            evse
        };
        config.evses = vec![of_type("cType2"), of_type("cCCS2"), of_type("cCCS2")];
        let mut world = Script::booted_with(config);
        let wanted = |id: i64, kind: &str, token: &str| {
            let mut wanted = request(version, id, None, token, None, LATER);
            wanted["connectorType"] = json!(kind);
            wanted
        };
        assert_eq!(ask(&mut world, wanted(1, "cTesla", "MINE")), "Rejected", "{version}: there is no such one");
        assert_eq!(ask(&mut world, wanted(1, "cType2", "MINE")), "Accepted", "{version}");
        assert_eq!(status(&world, 1), "Reserved", "{version}: there is no other of its type");
        assert_eq!(ask(&mut world, wanted(2, "cCCS2", "YOURS")), "Accepted", "{version}");
        present(&mut world, 1, "OTHER");
        assert!(!is_authorized(&mut world, 1), "{version}");
        present(&mut world, 2, "OTHER");
        assert!(is_authorized(&mut world, 2), "{version}");
        assert_eq!(status(&world, 3), "Reserved", "{version}: it is the last one now");
        present(&mut world, 3, "MINE");
        assert!(!is_authorized(&mut world, 3), "{version}: his reservation is of another type");
        present(&mut world, 3, "YOURS");
        assert!(is_authorized(&mut world, 3), "{version}");
    }
}

/// 1.6 edition 2, 5.13; H03.FR.03: a reader for the whole station takes whoever has a reservation to what is kept for him.
#[test]
fn a_token_presented_to_the_whole_station_passes_by_what_is_kept_for_others() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        reserve(&mut world, 7, Some(1), "MINE");
        world.handle(Input::TokenPresented { evse: None, token: Token::rfid("OTHER") });
        world.settle();
        assert!(is_authorized(&mut world, 2), "{version}");
        world.handle(Input::TokenPresented { evse: None, token: Token::rfid("MINE") });
        world.settle();
        assert!(is_authorized(&mut world, 1), "{version}");
    }
}

/// 1.6 edition 2, 5.13: a power cut between any two effects leaves a reservation whole or none, and one that was accepted stays.
#[test]
fn a_power_cut_at_any_moment_keeps_what_was_accepted() {
    for version in VERSIONS {
        let first = two_evses(version).outputs.len();
        let mut uncut = two_evses(version);
        reserve(&mut uncut, 7, Some(1), "MINE");
        for at in first..=uncut.outputs.len() {
            for survives in [false, true] {
                let mut world = two_evses(version);
                world.power_off_at = Some(at);
                world.last_batch_survives = survives;
                world.peer.call("ReserveNow", request(version, 7, Some(1), "MINE", None, LATER));
                world.settle();
                let accepted = !world.peer.said.is_empty();
                world.power_off_at = None;
                if world.station.is_none() {
                    world.now = world.now + Duration::from_secs(10);
                    world.power_on();
                }
                world.run(Duration::from_secs(60));
                let what = format!("{version}: cut before output {at}, last batch survives: {survives}");
                assert!(!accepted || is_stored(&world, 7), "{what}");
                let expected = if is_stored(&world, 7) { "Reserved" } else { "Available" };
                let state = world.status();
                assert_eq!(format!("{state:?}"), expected, "{what}");
            }
        }
    }
}

/// 1.6 edition 2, 5.13; H01.FR.11: whatever a CSMS sends, there are never more reservations than EVSEs.
#[test]
fn there_are_never_more_reservations_than_evses() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        for id in 0..60 {
            let place = [None, Some(1), Some(2)][id % 3];
            reserve(&mut world, id as i64, place, &format!("T{id}"));
            let kept = world.storage.keys().filter(|key| key.starts_with("reservation/")).count();
            assert!(kept <= 2, "{version}: {kept}");
        }
    }
}

/// 1.6 edition 2, 5.13, 4.6; H04.FR.01: it is the station's clock that counts, whoever sets it.
#[test]
fn a_clock_that_is_set_past_its_end_ends_a_reservation() {
    for version in VERSIONS {
        let mut world = two_evses(version);
        reserve(&mut world, 7, Some(1), "MINE");
        let time = json!({"currentTime": "2026-11-20T09:00:01.000Z"});
        world.peer.once("Heartbeat", Reply::Result(time));
        world.ask("TriggerMessage", json!({"requestedMessage": "Heartbeat"}));
        assert_eq!(status(&world, 1), "Available", "{version}");
        assert!(!is_stored(&world, 7), "{version}");
    }
}

/// 1.6 edition 2, 4.8, 5.13: only a transaction that ends a reservation tells it.
#[test]
fn a_reservation_that_ended_before_its_transaction_began_is_not_told() {
    let mut world = two_evses(Version::V1_6);
    reserve(&mut world, 7, Some(1), "MINE");
    present(&mut world, 1, "MINE");
    assert_eq!(cancel(&mut world, 7), "Accepted");
    world.plug();
    assert_eq!(world.transaction_messages(), ["StartTransaction"]);
    assert!(told(&world).is_empty());
}
