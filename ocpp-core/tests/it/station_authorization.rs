//! Who may charge (2.1 part 2, block C; 1.6 edition 2, 4.1).

use ocpp_core::station::{Event, EvseConfig, Input, Token, TokenType};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Reply, Script};

fn verdict(version: Version, status: &str, group: Option<&str>) -> Reply {
    let mut info = json!({"status": status});
    Reply::Result(match version {
        Version::V1_6 => {
            if let Some(group) = group {
                info["parentIdTag"] = json!(group);
            }
            json!({"idTagInfo": info})
        }
        _ => {
            if let Some(group) = group {
                info["groupIdToken"] = json!({"idToken": group, "type": "Central"});
            }
            json!({"idTokenInfo": info})
        }
    })
}

fn accepted(world: &Script) -> Vec<bool> {
    let decisions = world.events().filter_map(|event| match event {
        Event::Authorization { accepted, .. } => Some(*accepted),
        _ => None,
    });
    decisions.collect()
}

/// C01.FR.01, C01.FR.02; 1.6 edition 2, 4.1
#[test]
fn energy_waits_for_the_word_of_the_csms() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.peer.once("Authorize", Reply::Silence);
        world.plug();
        world.tap("TAG");
        let expected: Value = match version {
            Version::V1_6 => json!({"idTag": "TAG"}),
            _ => json!({"idToken": {"idToken": "TAG", "type": "ISO14443"}}),
        };
        assert_eq!(*world.peer.payloads("Authorize")[0], expected, "{version}");
        assert!(!world.energy_permitted(), "{version}");
        world.run(std::time::Duration::from_secs(60));
        assert!(!world.energy_permitted(), "{version}");
        assert_eq!(accepted(&world), [false], "{version}");
        world.tap("TAG");
        assert!(world.energy_permitted(), "{version}: no answer is not for ever");
    }
}

/// C01.FR.07; 1.6 edition 2, 7.2
#[test]
fn only_an_accepted_token_charges() {
    for version in VERSIONS {
        let words: &[&str] = match version {
            Version::V1_6 => &["Blocked", "Expired", "Invalid", "ConcurrentTx"],
            _ => &[
                "Blocked",
                "ConcurrentTx",
                "Expired",
                "Invalid",
                "NoCredit",
                "NotAllowedTypeEVSE",
                "NotAtThisTime",
                "Unknown",
            ],
        };
        for word in words {
            let mut world = Script::booted(version);
            world.peer.once("Authorize", verdict(version, word, None));
            world.plug();
            world.tap("TAG");
            assert!(!world.energy_permitted(), "{version} {word}");
            assert!(world.transaction_messages().is_empty(), "{version} {word}");
            let told = world
                .events()
                .any(|event| matches!(event, Event::Authorization { accepted: false, status, .. } if status == word));
            assert!(told, "{version} {word}");
        }
    }
}

/// C01.FR.03, E07.FR.01; 1.6 edition 2, 3.9
#[test]
fn the_same_token_ends_it_without_being_asked_for_whatever_its_case() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("abc");
        world.tap("ABC");
        assert_eq!(world.peer.payloads("Authorize").len(), 1, "{version}");
        assert!(!world.energy_permitted(), "{version}");
    }
}

/// C09.FR.03, C09.FR.05, C09.FR.11; 1.6 edition 2, 3.10
#[test]
fn another_token_of_the_group_ends_it_once_the_csms_says_so() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.peer.once("Authorize", verdict(version, "Accepted", Some("FAMILY")));
        world.plug();
        world.tap("MINE");
        world.peer.once("Authorize", verdict(version, "Accepted", Some("STRANGERS")));
        world.tap("OTHER");
        assert!(world.energy_permitted(), "{version}: another group");
        world.peer.once("Authorize", verdict(version, "Blocked", Some("FAMILY")));
        world.tap("LOST");
        assert!(world.energy_permitted(), "{version}: the group, but blocked");
        world.peer.once("Authorize", verdict(version, "Accepted", Some("FAMILY")));
        world.tap("YOURS");
        assert!(!world.energy_permitted(), "{version}");
        let (action, pointer) = match version {
            Version::V1_6 => ("StopTransaction", "/idTag"),
            _ => ("TransactionEvent", "/idToken/idToken"),
        };
        let last = world.peer.payloads(action).last().copied().unwrap();
        assert_eq!(last.pointer(pointer), Some(&json!("YOURS")), "{version}");
    }
}

/// C09.FR.03: a token without a group is nobody's.
#[test]
fn a_stranger_ends_nothing_and_is_not_asked_for() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("MINE");
        world.tap("OTHER");
        assert!(world.energy_permitted(), "{version}");
        assert_eq!(world.peer.payloads("Authorize").len(), 1, "{version}");
    }
}

/// C01.FR.23
#[test]
fn a_transaction_that_waits_for_the_unplugging_takes_no_other_token() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut world = Script::booted(version);
        world.set("TxCtrlr.TxStopPoint", "EVConnected");
        world.plug();
        world.tap("MINE");
        world.tap("MINE");
        world.tap("OTHER");
        assert!(!world.energy_permitted(), "{version}");
        world.tap("MINE");
        assert!(world.energy_permitted(), "{version}: its own token may charge again");
    }
}

/// C01.FR.21
#[test]
fn a_token_for_other_evses_does_not_charge_here() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut world = Script::booted(version);
        let info = json!({"idTokenInfo": {"status": "Accepted", "evseId": [2]}});
        world.peer.once("Authorize", Reply::Result(info));
        world.plug();
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}");
    }
}

#[test]
fn a_reader_for_the_whole_station_lets_the_plug_decide() {
    for version in VERSIONS {
        let mut config = config(version);
        config.evses = vec![EvseConfig::default(), EvseConfig::default()];
        let mut world = Script::booted_with(config);
        world.handle(Input::TokenPresented { evse: None, token: Token::rfid("TAG") });
        world.settle();
        world.handle(Input::PluggedIn { evse: 2, connector: 1 });
        world.settle();
        let now = world.now;
        let state = world.station().state(now);
        assert!(!state.evses[0].authorized && state.evses[1].energy_permitted, "{version}");
        // A second driver, plugged in first.
        world.handle(Input::PluggedIn { evse: 1, connector: 1 });
        world.handle(Input::TokenPresented { evse: None, token: Token::rfid("TWO") });
        world.settle();
        let state = world.station().state(now);
        assert!(state.evses[0].energy_permitted && state.evses[1].energy_permitted, "{version}");
        // Each ends his own.
        world.handle(Input::TokenPresented { evse: None, token: Token::rfid("TAG") });
        world.settle();
        let state = world.station().state(now);
        assert!(state.evses[0].energy_permitted && !state.evses[1].energy_permitted, "{version}");
    }
}

/// C04.FR.04
#[test]
fn a_key_code_that_is_refused_appears_in_no_event() {
    let mut world = Script::booted(Version::V2_1);
    world.peer.once("Authorize", verdict(Version::V2_1, "Invalid", None));
    let token = Token::new("1234", TokenType::KeyCode);
    world.handle(Input::TokenPresented { evse: Some(1), token });
    world.settle();
    assert!(world.events().all(|event| !format!("{event:?}").contains("1234")));
}

/// A part of a token may be somebody else's.
#[test]
fn a_token_that_is_too_long_for_the_version_is_not_cut() {
    for (version, limit) in [(Version::V1_6, 20), (Version::V2_0_1, 36), (Version::V2_1, 255)] {
        let mut world = Script::booted(version);
        world.plug();
        world.tap(&"A".repeat(limit + 1));
        assert!(!world.peer.actions().contains(&"Authorize"), "{version}");
        assert!(!world.energy_permitted(), "{version}");
        world.tap(&"A".repeat(limit));
        assert!(world.energy_permitted(), "{version}");
    }
}

/// An impatient driver starts, and doesn't stop what he has just started.
#[test]
fn a_token_that_is_presented_again_while_it_is_checked_is_asked_about_once() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.peer.always("Authorize", verdict(version, "Accepted", Some("FAMILY")));
        world.plug();
        for token in ["TAG", "TAG", "OTHER"] {
            world.handle(Input::TokenPresented { evse: Some(1), token: Token::rfid(token) });
        }
        world.settle();
        assert_eq!(world.peer.payloads("Authorize").len(), 1, "{version}");
        assert!(world.energy_permitted(), "{version}");
    }
}

/// C15.FR.08: a connection that is lost under the question leaves the decision to the station.
#[test]
fn a_connection_that_is_lost_under_the_question_leaves_the_station_to_decide() {
    for version in VERSIONS {
        for trusting in [true, false] {
            let mut world = Script::booted(version);
            world.set("AllowOfflineTxForUnknownId", if trusting { "true" } else { "false" });
            world.peer.once("Authorize", Reply::Silence);
            world.plug();
            world.tap("TAG");
            world.cut();
            world.settle();
            assert_eq!(world.energy_permitted(), trusting, "{version}");
        }
    }
}

/// C01.FR.25
#[test]
fn a_token_of_another_kind_is_another_token_where_the_version_knows_kinds() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        let token = Token::new("TAG", TokenType::Iso15693);
        world.handle(Input::TokenPresented { evse: Some(1), token });
        world.settle();
        assert_eq!(world.energy_permitted(), version != Version::V1_6, "{version}");
    }
}
