//! The local authorisation list (2.1 part 2, C13, C14, block D; 1.6 edition 2, 3.5.2 to 3.5.4, 5.10, 5.15, 9.2).

use std::time::Duration;

use ocpp_core::station::{Input, Token, TokenEntry, TokenEntryError, TokenType};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::VERSIONS;
use crate::scripted::{Reply, Said, Script};
use crate::station_authorization_cache::{asked, decision, info, try_out};

const V2: [Version; 2] = [Version::V2_0_1, Version::V2_1];

/// A token of the list, with what the list says about it.
fn entry(version: Version, token: &str, info: Option<Value>) -> Value {
    let mut entry = match version {
        Version::V1_6 => json!({"idTag": token}),
        _ => json!({"idToken": {"idToken": token, "type": "ISO14443"}}),
    };
    if let Some(info) = info {
        entry[if version == Version::V1_6 { "idTagInfo" } else { "idTokenInfo" }] = info;
    }
    entry
}

fn with_status(version: Version, token: &str, status: &str) -> Value {
    entry(version, token, Some(info(version, status, None, None)))
}

fn update(version: Version, kind: &str, number: i64, tokens: &[Value]) -> Value {
    let mut request = json!({"updateType": kind});
    request[if version == Version::V1_6 { "listVersion" } else { "versionNumber" }] = json!(number);
    if !tokens.is_empty() {
        request["localAuthorizationList"] = json!(tokens);
    }
    request
}

fn send(world: &mut Script, kind: &str, number: i64, tokens: &[Value]) -> String {
    let request = update(world.version, kind, number, tokens);
    match world.ask("SendLocalList", request) {
        Said::Result(result) => result["status"].as_str().unwrap().to_owned(),
        Said::Error(code) => panic!("{code}"),
    }
}

fn number(world: &mut Script) -> i64 {
    world.ask("GetLocalListVersion", json!({}));
    let result = world.peer.result();
    result.get("listVersion").or(result.get("versionNumber")).unwrap().as_i64().unwrap()
}

/// The records of the list, as the disk has them.
fn records(world: &Script) -> Vec<(&String, &String)> {
    world.storage.iter().filter(|(key, _)| key.starts_with("local-list/")).collect()
}

fn is_listed(world: &Script, token: &str) -> bool {
    records(world).iter().any(|(_, value)| value.contains(&format!("\"{token}\"")))
}

/// A station with this list, of version 1.
fn listing(version: Version, tokens: &[Value]) -> Script {
    let mut world = Script::booted(version);
    assert_eq!(send(&mut world, "Full", 1, tokens), "Accepted");
    world
}

/// D01.FR.01, D01.FR.02, D01.FR.04, D01.FR.15, D02.FR.01, D02.FR.02; 1.6 edition 2, 5.10, 5.15, 6.41
#[test]
fn a_full_update_replaces_the_list_and_its_version() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        assert_eq!(number(&mut world), 0, "{version}: there is no list");
        let (a, b, c) = (
            with_status(version, "A", "Accepted"),
            with_status(version, "B", "Accepted"),
            with_status(version, "C", "Accepted"),
        );
        assert_eq!(send(&mut world, "Full", 7, &[a, b.clone()]), "Accepted", "{version}");
        assert_eq!(number(&mut world), 7, "{version}");
        // A full update may go back.
        assert_eq!(send(&mut world, "Full", 3, &[b, c]), "Accepted", "{version}");
        assert_eq!(number(&mut world), 3, "{version}");
        assert!(!is_listed(&world, "A") && is_listed(&world, "B") && is_listed(&world, "C"), "{version}");
        assert_eq!(send(&mut world, "Full", 9, &[]), "Accepted", "{version}");
        assert!(!is_listed(&world, "B") && !is_listed(&world, "C"), "{version}");
        // 1.6 calls an empty list 0.
        assert_eq!(number(&mut world), if version == Version::V1_6 { 0 } else { 9 }, "{version}");
    }
}

/// D01.FR.05, D01.FR.16, D01.FR.17; 1.6 edition 2, 5.15, 6.41, 7.1
#[test]
fn a_differential_update_adds_changes_and_removes() {
    for version in VERSIONS {
        let tokens = ["KEPT", "CHANGED", "REMOVED"].map(|token| with_status(version, token, "Accepted"));
        let mut world = listing(version, &tokens);
        let changes = [
            with_status(version, "changed", "Blocked"),
            entry(version, "REMOVED", None),
            entry(version, "NEVER THERE", None),
            with_status(version, "ADDED", "Accepted"),
        ];
        assert_eq!(send(&mut world, "Differential", 2, &changes), "Accepted", "{version}");
        assert_eq!(number(&mut world), 2, "{version}");
        assert_eq!(send(&mut world, "Differential", 5, &[]), "Accepted", "{version}: nothing changes but the version");
        assert_eq!(number(&mut world), 5, "{version}");
        world.cut();
        world.settle();
        for (token, expected) in [
            ("KEPT", (true, "Accepted")),
            ("CHANGED", (false, "Blocked")),
            ("REMOVED", (false, "Offline")),
            ("ADDED", (true, "Accepted")),
        ] {
            assert_eq!(try_out(&mut world, token), (expected.0, expected.1.to_owned()), "{version} {token}");
        }
    }
}

/// D01.FR.19; 1.6 edition 2, 7.47
#[test]
fn a_differential_update_that_is_not_newer_is_a_version_mismatch() {
    for version in VERSIONS {
        let mut world = listing(version, &[with_status(version, "A", "Accepted")]);
        assert_eq!(send(&mut world, "Differential", 4, &[]), "Accepted", "{version}");
        for old in [4, 3, 1] {
            let status = send(&mut world, "Differential", old, &[with_status(version, "B", "Accepted")]);
            assert_eq!(status, "VersionMismatch", "{version} {old}");
        }
        assert!(!is_listed(&world, "B"), "{version}");
        assert_eq!(number(&mut world), 4, "{version}");
    }
}

/// D01.FR.06, D01.FR.11, D01.FR.12, D01.FR.18; 1.6 edition 2, 6.41, 7.1, 9.2.2, 9.2.3, errata 3.52
#[test]
fn an_update_that_cannot_be_taken_is_refused_whole() {
    for version in VERSIONS {
        let good = with_status(version, "NEW", "Accepted");
        let many = |count: usize| -> Vec<Value> {
            (0..count).map(|token| with_status(version, &format!("M{token}"), "Accepted")).collect()
        };
        let mut world =
            listing(version, &[with_status(version, "A", "Accepted"), with_status(version, "B", "Blocked")]);
        world.set("SendLocalListMaxLength", "5");
        world.set("LocalAuthListMaxLength", "6");
        world.settle();
        let before: Vec<(String, String)> =
            records(&world).into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let twice = [good.clone(), with_status(version, "X", "Accepted"), with_status(version, "x", "Blocked")];
        let without_info = [good.clone(), entry(version, "A", None)];
        for (what, kind, number, tokens) in [
            ("a token twice", "Full", 2, twice.to_vec()),
            ("a token twice", "Differential", 2, twice.to_vec()),
            ("nothing about a token", "Full", 2, without_info.to_vec()),
            ("no version", "Full", 0, vec![good.clone()]),
            ("no version", "Full", -1, vec![good.clone()]),
            ("too many for a message", "Full", 2, many(6)),
            ("too many for the list", "Differential", 2, many(5)),
        ] {
            assert_eq!(send(&mut world, kind, number, &tokens), "Failed", "{version} {kind}: {what}");
        }
        let after: Vec<_> = records(&world).into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        assert_eq!(before, after, "{version}");
        assert_eq!(self::number(&mut world), 1, "{version}");
        // What goes makes room for what comes.
        let mut swap = many(4);
        swap.push(with_status(version, "A", "Accepted"));
        assert_eq!(send(&mut world, "Differential", 2, &swap), "Accepted", "{version}");
        let swap = [with_status(version, "Z", "Accepted"), entry(version, "A", None)];
        assert_eq!(send(&mut world, "Differential", 3, &swap), "Accepted", "{version}");
    }
}

/// D01.FR.11 `LocalAuthListCtrlr.BytesPerMessage`
#[test]
fn an_update_of_too_many_bytes_is_refused() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("LocalAuthListCtrlr.BytesPerMessage", "200");
        let tokens = ["A", "B", "C"].map(|token| with_status(version, token, "Accepted"));
        assert_eq!(send(&mut world, "Full", 1, &tokens), "Failed", "{version}");
        assert_eq!(send(&mut world, "Full", 1, &tokens[..1]), "Accepted", "{version}");
    }
}

/// 1.6 edition 2, 3.5.2, 5.15; D01.FR.10
#[test]
fn a_power_cut_finds_the_list_of_before_or_after_an_update_and_never_one_between() {
    for version in VERSIONS {
        let old = ["A", "B", "C"].map(|token| with_status(version, token, "Accepted"));
        let new = ["C", "D", "E"].map(|token| with_status(version, token, "Accepted"));
        let first = listing(version, &old).outputs.len();
        let mut whole = listing(version, &old);
        send(&mut whole, "Full", 2, &new);
        for at in first..whole.outputs.len() {
            for survives in [false, true] {
                let mut world = listing(version, &old);
                world.power_off_at = Some(at);
                world.last_batch_survives = survives;
                world.peer.forget();
                world.peer.call("SendLocalList", update(version, "Full", 2, &new));
                world.settle();
                assert!(world.station.is_none(), "{version} {at}");
                let was_told = !world.peer.said.is_empty();
                world.power_on();
                world.settle();
                let number = number(&mut world);
                assert!(number == 2 || (number == 1 && !was_told), "{version} {at} {survives}: {number}");
                let tokens: Vec<_> = ["A", "B", "C", "D", "E"].map(|token| is_listed(&world, token)).into();
                let expected =
                    if number == 1 { [true, true, true, false, false] } else { [false, false, true, true, true] };
                assert_eq!(tokens, expected, "{version} {at} {survives}");
            }
        }
    }
}

/// 1.6 edition 2, 3.5.2; D01.FR.10
#[test]
fn the_list_outlives_a_power_cut() {
    for version in VERSIONS {
        let mut world = listing(version, &["A", "B"].map(|token| with_status(version, token, "Accepted")));
        world.network.up = false;
        world.power_cut(Duration::from_secs(60));
        world.settle();
        assert!(try_out(&mut world, "A").0, "{version}");
        world.network.up = true;
        world.run(Duration::from_secs(200));
        assert_eq!(number(&mut world), 1, "{version}");
        // New records don't get into the way of old ones.
        assert_eq!(send(&mut world, "Differential", 2, &[with_status(version, "C", "Accepted")]), "Accepted");
        assert_eq!(records(&world).len(), 4, "{version}: three tokens and the version");
    }
}

/// 1.6 edition 2, 9.2.1, 5.10, 7.47; D01.FR.13, D02.FR.03
#[test]
fn a_list_that_is_switched_off_is_not_there_and_comes_back() {
    for version in VERSIONS {
        let mut world = listing(version, &[with_status(version, "A", "Accepted")]);
        world.set("LocalPreAuthorize", "true");
        world.set("LocalAuthListEnabled", "false");
        let (none, refusal) = if version == Version::V1_6 { (-1, "NotSupported") } else { (0, "Failed") };
        assert_eq!(number(&mut world), none, "{version}");
        assert_eq!(send(&mut world, "Full", 2, &[with_status(version, "B", "Accepted")]), refusal, "{version}");
        world.peer.forget();
        try_out(&mut world, "A");
        assert_eq!(asked(&world), 1, "{version}");
        world.set("LocalAuthListEnabled", "true");
        assert_eq!(number(&mut world), 1, "{version}");
        world.peer.forget();
        assert!(try_out(&mut world, "A").0, "{version}");
        assert_eq!(asked(&world), 0, "{version}");
    }
}

/// C14.FR.02 to 05; 1.6 edition 2, 3.5, 9.1.13
#[test]
fn online_a_valid_token_of_the_list_charges_at_once_and_any_other_is_asked_about() {
    for version in VERSIONS {
        let expiring = |time| Some(info(version, "Accepted", None, Some(time)));
        let tokens = [
            with_status(version, "GOOD", "Accepted"),
            with_status(version, "BAD", "Blocked"),
            with_status(version, "BUSY", "ConcurrentTx"),
            entry(version, "EARLY", expiring("2026-11-20T09:00:00Z")),
            entry(version, "LATE", expiring("2026-11-20T07:00:00Z")),
        ];
        let mut world = listing(version, &tokens);
        try_out(&mut world, "GOOD");
        assert_eq!(asked(&world), 1, "{version}: without pre-authorisation the CSMS is asked");
        world.set("LocalPreAuthorize", "true");
        // 1.6 edition 2, 3.5.2: in a list that word is valid.
        let busy = usize::from(version != Version::V1_6);
        for (token, questions) in [("GOOD", 0), ("BAD", 1), ("BUSY", busy), ("EARLY", 0), ("LATE", 1), ("STRANGER", 1)]
        {
            world.peer.forget();
            assert!(try_out(&mut world, token).0, "{version} {token}");
            assert_eq!(asked(&world), questions, "{version} {token}");
        }
    }
}

/// `LocalAuthListCtrlr.DisablePostAuthorize`
#[test]
fn a_token_that_the_list_refuses_is_not_asked_about_where_that_is_switched_off() {
    for version in V2 {
        let mut world = listing(version, &[with_status(version, "BAD", "Blocked")]);
        world.set("LocalAuthListCtrlr.DisablePostAuthorize", "true");
        assert_eq!(try_out(&mut world, "BAD"), (false, "Blocked".into()), "{version}");
        assert_eq!(asked(&world), 0, "{version}");
    }
}

/// C13.FR.02 to 06; 1.6 edition 2, 3.5.4, 9.1.1, 9.1.12
#[test]
fn offline_the_list_decides_and_what_it_refuses_is_not_unknown() {
    for version in VERSIONS {
        for (local, unknown, good, stranger) in
            [("true", "false", true, false), ("true", "true", true, true), ("false", "false", false, false)]
        {
            let late = info(version, "Accepted", None, Some("2026-11-20T07:00:00Z"));
            let tokens = [
                with_status(version, "GOOD", "Accepted"),
                with_status(version, "BAD", "Blocked"),
                entry(version, "LATE", Some(late)),
            ];
            let mut world = listing(version, &tokens);
            world.set("LocalAuthorizeOffline", local);
            world.set("AllowOfflineTxForUnknownId", unknown);
            world.cut();
            world.settle();
            for (token, expected) in [("GOOD", good), ("BAD", false), ("LATE", false), ("STRANGER", stranger)] {
                assert_eq!(try_out(&mut world, token).0, expected, "{version} {local} {unknown} {token}");
            }
        }
    }
}

/// C13.FR.01, C14.FR.01; 1.6 edition 2, 3.5.3
#[test]
fn the_list_stands_above_the_cache_and_keeps_its_tokens_out_of_it() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("AuthorizationCacheEnabled", "true");
        let is_cached = |world: &Script| world.storage.keys().any(|key| key.starts_with("authorization-cache/"));
        try_out(&mut world, "TAG");
        assert!(is_cached(&world), "{version}");
        assert_eq!(send(&mut world, "Full", 1, &[with_status(version, "TAG", "Blocked")]), "Accepted", "{version}");
        assert!(!is_cached(&world), "{version}: it is in one of them");
        // The CSMS says something else, and the list stays what it is (D01.FR.09).
        assert!(try_out(&mut world, "TAG").0, "{version}");
        assert!(!is_cached(&world), "{version}");
        world.cut();
        world.settle();
        assert_eq!(try_out(&mut world, "TAG"), (false, "Blocked".into()), "{version}");
    }
}

/// 1.6 edition 2, 3.5.2, 7.6
#[test]
fn a_1_6_csms_is_told_where_it_contradicts_its_list() {
    let version = Version::V1_6;
    let mut world = listing(version, &["A", "B"].map(|token| with_status(version, token, "Accepted")));
    let conflicts = |world: &Script| -> Vec<Value> {
        let statuses = world.peer.payloads("StatusNotification");
        statuses.into_iter().filter(|status| status["errorCode"] == "LocalListConflict").cloned().collect()
    };
    try_out(&mut world, "A");
    world.peer.once("Authorize", Reply::Result(json!({"idTagInfo": {"status": "ConcurrentTx"}})));
    try_out(&mut world, "A");
    assert!(conflicts(&world).is_empty(), "they agree");
    world.set("LocalPreAuthorize", "true");
    let start = json!({"idTagInfo": {"status": "Invalid"}, "transactionId": 1});
    world.peer.once("StartTransaction", Reply::Result(start));
    world.plug();
    world.tap("A");
    let found = conflicts(&world);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["connectorId"], &found[0]["status"]), (&json!(0), &json!("Available")));
}

/// C01.FR.03, C09.FR.07; 1.6 edition 2, 3.10, 4.1
#[test]
fn a_listed_token_of_the_group_ends_a_transaction_without_being_asked_about() {
    for version in VERSIONS {
        let family = || Some(info(version, "Accepted", Some("FAMILY"), None));
        let tokens = [
            entry(version, "MINE", family()),
            entry(version, "YOURS", family()),
            with_status(version, "STRANGER", "Accepted"),
        ];
        let mut world = listing(version, &tokens);
        world.cut();
        world.settle();
        world.plug();
        world.tap("MINE");
        world.tap("STRANGER");
        assert!(world.energy_permitted(), "{version}");
        world.tap("YOURS");
        assert!(!world.energy_permitted(), "{version}");
    }
}

/// C01.FR.25, D01.FR.06
#[test]
fn tokens_of_two_kinds_are_two_tokens_of_the_list() {
    for version in V2 {
        let code = json!({"idToken": {"idToken": "1234", "type": "KeyCode"}, "idTokenInfo": {"status": "Blocked"}});
        let mut world = listing(version, &[with_status(version, "1234", "Accepted"), code]);
        world.cut();
        world.settle();
        assert!(try_out(&mut world, "1234").0, "{version}");
        world.handle(Input::TokenPresented { evse: Some(1), token: Token::new("1234", TokenType::KeyCode) });
        world.settle();
        assert_eq!(decision(&world), (false, "Blocked".into()), "{version}");
    }
}

/// 1.6 edition 2, 3.5.2, 9.1.29, 9.2.2, 9.2.3
#[test]
fn a_1_6_csms_is_told_of_the_list_and_its_limits() {
    let mut world = Script::booted(Version::V1_6);
    let keys = ["LocalAuthListMaxLength", "SendLocalListMaxLength", "SupportedFeatureProfiles"];
    world.ask("GetConfiguration", json!({"key": keys}));
    let pairs = world.peer.result()["configurationKey"].as_array().unwrap().clone();
    let value = |key: &str| {
        let pair = pairs.iter().find(|pair| pair["key"] == key).unwrap();
        assert_eq!(pair["readonly"], true, "{key}");
        pair["value"].as_str().unwrap().to_owned()
    };
    assert!(value("SupportedFeatureProfiles").split(',').any(|profile| profile == "LocalAuthListManagement"));
    let most: usize = value("SendLocalListMaxLength").parse().unwrap();
    assert!(value("LocalAuthListMaxLength").parse::<usize>().unwrap() >= most);
    for key in keys {
        let said = world.ask("ChangeConfiguration", json!({"key": key, "value": "1"}));
        assert_eq!(said, Said::Result(json!({"status": "Rejected"})), "{key}");
    }
    // And a message of that length is taken.
    let tokens: Vec<_> = (0..most).map(|token| with_status(Version::V1_6, &format!("T{token}"), "Accepted")).collect();
    assert_eq!(send(&mut world, "Full", 1, &tokens), "Accepted");
}

/// D01.FR.12 `LocalAuthListCtrlr.Entries`; `Available`, `ItemsPerMessage`, `BytesPerMessage`, `SupportsExpiryDateTime`
#[test]
fn a_2_x_csms_is_told_of_the_list_and_its_limits() {
    for version in V2 {
        let tokens: Vec<_> = (0..3).map(|token| with_status(version, &format!("T{token}"), "Accepted")).collect();
        let mut world = listing(version, &tokens);
        let mut value = |component: &str, name: &str| -> String {
            let data = json!([{"component": {"name": component}, "variable": {"name": name}}]);
            world.ask("GetVariables", json!({"getVariableData": data}));
            world.peer.result()["getVariableResult"][0]["attributeValue"].as_str().unwrap().to_owned()
        };
        assert_eq!(value("LocalAuthListCtrlr", "Entries"), "3", "{version}");
        for (component, name) in [
            ("LocalAuthListCtrlr", "Available"),
            ("LocalAuthListCtrlr", "SupportsExpiryDateTime"),
            ("AuthCacheCtrlr", "Available"),
        ] {
            assert_eq!(value(component, name), "true", "{version} {component}.{name}");
        }
        assert!(value("LocalAuthListCtrlr", "ItemsPerMessage").parse::<u32>().unwrap() > 0, "{version}");
        assert!(value("LocalAuthListCtrlr", "BytesPerMessage").parse::<u32>().unwrap() > 0, "{version}");
        assert_eq!(value("AuthCacheCtrlr", "Policy"), "LRU", "{version}");
        let policy = |value: &str| json!([{"attributeValue": value, "component": {"name": "AuthCacheCtrlr"}, "variable": {"name": "Policy"}}]);
        for (wanted, status) in [("FIFO", "Accepted"), ("CUSTOM", "Rejected")] {
            world.ask("SetVariables", json!({"setVariableData": policy(wanted)}));
            let result = &world.peer.result()["setVariableResult"][0];
            assert_eq!(result["attributeStatus"], status, "{version} {wanted}");
        }
    }
}

#[test]
fn an_operator_can_put_tokens_into_the_list_until_it_is_full() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("LocalAuthListMaxLength", "2");
        let now = world.now;
        let mut put = |token: &str, status: &str| {
            let mut entry = TokenEntry::new(Token::rfid(token), status);
            entry.group = Some("FAMILY".into());
            world.station().put_into_local_list(now, &entry)
        };
        assert_eq!(put("A", "Accepted"), Ok(()), "{version}");
        assert_eq!(put("B", "Invalid"), Ok(()), "{version}");
        assert_eq!(put("C", "Accepted"), Err(TokenEntryError::Full(2)), "{version}");
        assert_eq!(put("b", "Accepted"), Ok(()), "{version}: it is there already");
        world.set("LocalAuthListEnabled", "false");
        let entry = TokenEntry::new(Token::rfid("A"), "Accepted");
        let disabled = world.station().put_into_local_list(now, &entry).unwrap_err();
        assert_eq!(disabled, TokenEntryError::Disabled("LocalAuthListCtrlr.Enabled"), "{version}");
        world.set("LocalAuthListEnabled", "true");
        assert_eq!(number(&mut world), 0, "{version}: the CSMS has sent none");
        world.cut();
        world.settle();
        assert!(try_out(&mut world, "B").0, "{version}");
    }
}
