//! The authorisation cache (2.1 part 2, C10 to C12; 1.6 edition 2, 3.5.1, 5.4, 9.1.2, 9.1.12, 9.1.13), and the master pass (C16).

use std::time::Duration;

use ocpp_core::station::{Event, EvseConfig, Input, Token, TokenEntry, TokenEntryError, TokenType};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Reply, Said, Script};

const V2: [Version; 2] = [Version::V2_0_1, Version::V2_1];
const HOUR: Duration = Duration::from_secs(3600);

/// What a CSMS says about a token.
pub fn info(version: Version, status: &str, group: Option<&str>, expires: Option<&str>) -> Value {
    let mut info = json!({"status": status});
    let (parent, until) = match version {
        Version::V1_6 => ("parentIdTag", "expiryDate"),
        _ => ("groupIdToken", "cacheExpiryDateTime"),
    };
    if let Some(group) = group {
        info[parent] =
            if version == Version::V1_6 { json!(group) } else { json!({"idToken": group, "type": "Central"}) };
    }
    if let Some(expires) = expires {
        info[until] = json!(expires);
    }
    info
}

fn reply(version: Version, info: &Value) -> Reply {
    let member = if version == Version::V1_6 { "idTagInfo" } else { "idTokenInfo" };
    Reply::Result(json!({ member: info }))
}

/// The word about the last token, and whether it may charge.
pub fn decision(world: &Script) -> (bool, String) {
    let decisions = world.events().filter_map(|event| match event {
        Event::Authorization { accepted, status, .. } => Some((*accepted, status.clone())),
        _ => None,
    });
    decisions.last().expect("a token was judged")
}

/// Presents a token where nobody charges; if it may charge, it changes its mind.
pub fn try_out(world: &mut Script, token: &str) -> (bool, String) {
    world.tap(token);
    let decision = decision(world);
    if decision.0 {
        world.tap(token);
    }
    decision
}

pub fn asked(world: &Script) -> usize {
    world.peer.payloads("Authorize").len()
}

fn cached(world: &Script) -> Vec<&String> {
    let records = world.storage.iter().filter(|(key, _)| key.starts_with("authorization-cache/"));
    records.map(|(_, value)| value).collect()
}

fn is_cached(world: &Script, token: &str) -> bool {
    cached(world).iter().any(|value| value.contains(&format!("\"{token}\"")))
}

/// A station with a cache.
fn caching(version: Version) -> Script {
    let mut world = Script::booted(version);
    world.set("AuthorizationCacheEnabled", "true");
    world.settle();
    world
}

/// Has the CSMS say something about a token.
fn learn(world: &mut Script, token: &str, info: &Value) {
    let version = world.version;
    world.peer.once("Authorize", reply(version, info));
    try_out(world, token);
    world.peer.forget();
}

fn accept(world: &mut Script, token: &str) {
    let info = info(world.version, "Accepted", None, None);
    learn(world, token, &info);
}

/// C12.FR.02, C12.FR.04; 1.6 edition 2, 9.1.13
#[test]
fn with_pre_authorisation_a_cached_token_charges_without_being_asked_about() {
    for version in VERSIONS {
        let mut world = caching(version);
        accept(&mut world, "TAG");
        world.plug();
        world.tap("tag");
        assert_eq!(asked(&world), 1, "{version}: without pre-authorisation the CSMS is asked");
        world.tap("tag");
        world.unplug();
        world.peer.forget();
        world.set("LocalPreAuthorize", "true");
        world.plug();
        world.tap("TAG");
        assert_eq!(asked(&world), 0, "{version}");
        assert!(world.energy_permitted(), "{version}");
        assert!(!world.transaction_messages().is_empty(), "{version}: the CSMS hears of the transaction");
    }
}

/// C12.FR.03; 1.6 edition 2, 3.5.1, 9.1.24
#[test]
fn a_cached_token_that_the_csms_no_longer_accepts_is_found_out_by_the_transaction() {
    for version in VERSIONS {
        let mut world = caching(version);
        world.set("LocalPreAuthorize", "true");
        accept(&mut world, "TAG");
        let mut answer = json!({"idTokenInfo": {"status": "Blocked"}});
        if version == Version::V1_6 {
            answer = json!({"idTagInfo": {"status": "Blocked"}, "transactionId": 7});
        }
        let action = if version == Version::V1_6 { "StartTransaction" } else { "TransactionEvent" };
        world.peer.once(action, Reply::Result(answer));
        world.plug();
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}: stopped");
        world.unplug();
        world.peer.forget();
        // C10.FR.05: the answer is what the cache knows now.
        world.cut();
        world.settle();
        assert_eq!(try_out(&mut world, "TAG"), (false, "Blocked".into()), "{version}");
    }
}

/// 1.6 edition 2, 3.5.1: what StopTransaction.conf says counts, too.
#[test]
fn the_answer_to_the_end_of_a_transaction_updates_the_cache() {
    for version in VERSIONS {
        let mut world = caching(version);
        world.plug();
        world.tap("TAG");
        let action = if version == Version::V1_6 { "StopTransaction" } else { "TransactionEvent" };
        world.peer.always(action, reply(version, &info(version, "Blocked", None, None)));
        world.tap("TAG");
        world.settle();
        world.unplug();
        world.cut();
        world.settle();
        assert_eq!(try_out(&mut world, "TAG"), (false, "Blocked".into()), "{version}");
    }
}

/// 1.6 edition 2, 9.1.2; C10.FR.11
#[test]
fn a_cache_that_is_switched_off_keeps_and_knows_nothing() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        accept(&mut world, "TAG");
        assert!(cached(&world).is_empty(), "{version}");
        world.set("AuthorizationCacheEnabled", "true");
        accept(&mut world, "TAG");
        assert!(is_cached(&world, "TAG"), "{version}");
        world.set("AuthorizationCacheEnabled", "false");
        world.settle();
        assert!(cached(&world).is_empty(), "{version}: it would grow old unnoticed");
        world.set("AuthorizationCacheEnabled", "true");
        world.cut();
        world.settle();
        assert_eq!(try_out(&mut world, "TAG"), (false, "Offline".into()), "{version}");
    }
}

/// C10.FR.01, C10.FR.03, C12.FR.05; 1.6 edition 2, 3.5.1
#[test]
fn a_token_that_was_refused_is_asked_about_again() {
    for version in VERSIONS {
        let mut world = caching(version);
        world.set("LocalPreAuthorize", "true");
        learn(&mut world, "TAG", &info(version, "Blocked", None, None));
        assert!(is_cached(&world, "TAG"), "{version}");
        assert_eq!(try_out(&mut world, "TAG"), (true, "Accepted".into()), "{version}");
        assert_eq!(asked(&world), 1, "{version}");
        // C12.FR.06: and the new word counts.
        world.peer.forget();
        assert_eq!(try_out(&mut world, "TAG"), (true, "Accepted".into()), "{version}");
        assert_eq!(asked(&world), 0, "{version}");
    }
}

/// `AuthCacheCtrlr.DisablePostAuthorize`
#[test]
fn a_token_that_was_refused_is_not_asked_about_again_where_that_is_switched_off() {
    for version in V2 {
        let mut world = caching(version);
        learn(&mut world, "TAG", &info(version, "Blocked", None, None));
        world.set("AuthCacheCtrlr.DisablePostAuthorize", "true");
        assert_eq!(try_out(&mut world, "TAG"), (false, "Blocked".into()), "{version}");
        assert_eq!(asked(&world), 0, "{version}");
    }
}

/// `AuthCtrlr.DisableRemoteAuthorization`
#[test]
fn a_station_that_is_to_ask_nobody_goes_by_what_it_knows() {
    for version in V2 {
        let mut world = caching(version);
        accept(&mut world, "GOOD");
        learn(&mut world, "BAD", &info(version, "Blocked", None, None));
        world.set("AuthCtrlr.DisableRemoteAuthorization", "true");
        assert_eq!(try_out(&mut world, "GOOD"), (true, "Accepted".into()), "{version}");
        assert_eq!(try_out(&mut world, "BAD"), (false, "Blocked".into()), "{version}");
        assert_eq!(try_out(&mut world, "STRANGER"), (false, "Unknown".into()), "{version}");
        assert_eq!(asked(&world), 0, "{version}");
    }
}

/// 1.6 edition 2, 3.5, 9.1.1, 9.1.12; C13.FR.06, C15.FR.08
#[test]
fn offline_the_cache_decides_as_far_as_the_settings_let_it() {
    for version in VERSIONS {
        for (local, unknown, good, bad, stranger) in [
            ("true", "false", true, false, false),
            ("true", "true", true, false, true),
            ("false", "false", false, false, false),
            ("false", "true", true, false, true),
        ] {
            let mut world = caching(version);
            accept(&mut world, "GOOD");
            learn(&mut world, "BAD", &info(version, "Invalid", None, None));
            world.set("LocalAuthorizeOffline", local);
            world.set("AllowOfflineTxForUnknownId", unknown);
            world.cut();
            world.settle();
            for (token, expected) in [("GOOD", good), ("BAD", bad), ("STRANGER", stranger)] {
                assert_eq!(try_out(&mut world, token).0, expected, "{version} {local} {unknown} {token}");
            }
            // C15.FR.01: letting a stranger charge says nothing about him.
            assert!(!is_cached(&world, "STRANGER"), "{version}");
        }
    }
}

/// C10.FR.13; 1.6 edition 2, 3.5.1, 3.5.4
#[test]
fn a_token_whose_time_has_passed_is_expired_offline_and_asked_about_online() {
    for version in VERSIONS {
        let mut world = caching(version);
        world.set("LocalPreAuthorize", "true");
        world.set("AllowOfflineTxForUnknownId", "true");
        learn(&mut world, "TAG", &info(version, "Accepted", None, Some("2026-11-20T09:00:00Z")));
        try_out(&mut world, "TAG");
        assert_eq!(asked(&world), 0, "{version}: not yet");
        world.run(HOUR);
        world.cut();
        world.settle();
        assert_eq!(try_out(&mut world, "TAG"), (false, "Expired".into()), "{version}");
        world.network.up = true;
        world.run(Duration::from_secs(200));
        world.peer.forget();
        assert!(try_out(&mut world, "TAG").0, "{version}");
        assert_eq!(asked(&world), 1, "{version}");
    }
}

/// C10.FR.08, C10.FR.10 `AuthCacheCtrlr.LifeTime`
#[test]
fn a_token_without_an_end_of_its_own_expires_after_the_life_time_of_the_cache() {
    for version in V2 {
        let mut world = caching(version);
        world.set("AuthCacheCtrlr.LifeTime", "3600");
        accept(&mut world, "TAG");
        world.cut();
        world.run(HOUR / 2);
        assert!(try_out(&mut world, "TAG").0, "{version}");
        world.run(HOUR / 2);
        assert_eq!(try_out(&mut world, "TAG"), (false, "Expired".into()), "{version}");
    }
}

/// C10.FR.10, C17.FR.01
#[test]
fn an_answer_that_has_expired_already_keeps_a_token_out_of_the_cache() {
    for version in V2 {
        let mut world = caching(version);
        accept(&mut world, "PREPAID");
        assert!(is_cached(&world, "PREPAID"), "{version}");
        world.peer.once("Authorize", reply(version, &info(version, "Accepted", None, Some("2026-11-20T08:00:00Z"))));
        assert!(try_out(&mut world, "PREPAID").0, "{version}: it charges all the same");
        assert!(!is_cached(&world, "PREPAID"), "{version}");
    }
}

/// C11.FR.01 to 04; 1.6 edition 2, 5.4
#[test]
fn clearing_the_cache_forgets_every_token_and_touches_no_transaction() {
    for version in VERSIONS {
        let mut world = caching(version);
        world.plug();
        world.tap("TAG");
        assert!(is_cached(&world, "TAG"), "{version}");
        assert_eq!(world.ask("ClearCache", json!({})), Said::Result(json!({"status": "Accepted"})), "{version}");
        assert!(cached(&world).is_empty(), "{version}");
        assert!(world.energy_permitted(), "{version}");
        world.set("AuthorizationCacheEnabled", "false");
        assert_eq!(world.ask("ClearCache", json!({})), Said::Result(json!({"status": "Rejected"})), "{version}");
    }
}

/// C10.FR.02; 1.6 edition 2, 3.5.1; 1.6 errata 3.4
#[test]
fn the_cache_outlives_a_power_cut() {
    for version in VERSIONS {
        let mut world = caching(version);
        accept(&mut world, "ONE");
        learn(&mut world, "TWO", &info(version, "Blocked", None, None));
        accept(&mut world, "CLEARED");
        learn(&mut world, "ONE", &info(version, "Accepted", Some("FAMILY"), None));
        world.network.up = false;
        world.power_cut(Duration::from_secs(60));
        world.settle();
        assert_eq!(try_out(&mut world, "ONE"), (true, "Accepted".into()), "{version}");
        assert_eq!(try_out(&mut world, "TWO"), (false, "Blocked".into()), "{version}");
        assert_eq!(cached(&world).len(), 3, "{version}: one record each");
        world.network.up = true;
        world.run(Duration::from_secs(200));
        world.ask("ClearCache", json!({}));
        world.power_cut(Duration::from_secs(60));
        world.settle();
        world.cut();
        world.settle();
        assert_eq!(try_out(&mut world, "ONE"), (false, "Offline".into()), "{version}: cleared for good");
    }
}

fn put(world: &mut Script, token: &str, status: &str) {
    let now = world.now;
    let entry = TokenEntry::new(Token::rfid(token), status);
    world.station().put_into_authorization_cache(now, &entry).unwrap();
}

fn number(number: usize) -> String {
    format!("T{number:08}")
}

/// How many such tokens fit.
fn room(world: &mut Script) -> usize {
    put(world, &number(0), "Accepted");
    let one: usize = world.station().setting(&"AuthCacheCtrlr.Storage".into()).unwrap().parse().unwrap();
    65_536 / one
}

/// C10.FR.07; 1.6 edition 2, 3.5.1
#[test]
fn a_full_cache_makes_room_by_what_is_not_valid() {
    for version in VERSIONS {
        let mut world = caching(version);
        let room = room(&mut world);
        for token in 1..room - 3 {
            put(&mut world, &number(token), "Accepted");
        }
        put(&mut world, "B00000001", "Blocked");
        let mut expiring = TokenEntry::new(Token::rfid("E00000001"), "Accepted");
        expiring.expires_at = Some("2026-11-20T08:30:00Z".parse().unwrap());
        let now = world.now;
        world.station().put_into_authorization_cache(now, &expiring).unwrap();
        put(&mut world, &number(room - 3), "Accepted");
        world.run(HOUR);
        assert!(is_cached(&world, "B00000001") && is_cached(&world, "E00000001"), "{version}");
        for token in room - 2..room {
            put(&mut world, &number(token), "Accepted");
        }
        world.settle();
        assert!(!is_cached(&world, "B00000001") && !is_cached(&world, "E00000001"), "{version}");
        assert_eq!(cached(&world).len(), room, "{version}: nothing that is valid had to go");
    }
}

/// C10.FR.07; `AuthCacheCtrlr.Storage`, `AuthCacheCtrlr.Policy`
#[test]
fn a_cache_full_of_valid_tokens_drops_the_one_that_the_policy_names() {
    for (policy, dropped) in [("LRU", 1), ("LFU", 2), ("FIFO", 0)] {
        let mut world = caching(Version::V2_1);
        world.set("AuthCacheCtrlr.Policy", policy);
        let room = room(&mut world);
        for token in [1, 1, 1, 2].into_iter().chain(3..room) {
            put(&mut world, &number(token), "Accepted");
        }
        put(&mut world, &number(0), "Accepted");
        world.settle();
        assert_eq!(cached(&world).len(), room, "{policy}");
        put(&mut world, "N00000000", "Accepted");
        world.settle();
        let missing: Vec<usize> = (0..room).filter(|token| !is_cached(&world, &number(*token))).collect();
        assert_eq!(missing, [dropped], "{policy}");
        assert!(is_cached(&world, "N00000000"), "{policy}");
    }
}

/// `AuthCacheCtrlr.Storage`: the size never passes its limit, whatever is said.
#[test]
fn the_cache_never_takes_more_than_it_says() {
    let mut world = caching(Version::V2_1);
    let now = world.now;
    for token in 0..2_000_usize {
        let value = format!("{token:x}").repeat(1 + token % 60);
        let mut entry = TokenEntry::new(Token::rfid(value), if token % 3 == 0 { "Invalid" } else { "Accepted" });
        entry.group = Some("G".repeat(1 + token % 250));
        world.station().put_into_authorization_cache(now, &entry).unwrap();
        let storage = world.station().setting(&"AuthCacheCtrlr.Storage".into()).unwrap();
        assert!(storage.parse::<usize>().unwrap() <= 65_536);
    }
    world.settle();
    assert!(cached(&world).len() > 50);
}

/// C02.FR.03, C05.FR.02
#[test]
fn what_nobody_presents_is_not_cached() {
    for version in V2 {
        let mut world = caching(version);
        world.peer.always("TransactionEvent", reply(version, &info(version, "Accepted", None, None)));
        world.plug();
        let button = Token::new("BUTTON", TokenType::NoAuthorization);
        world.handle(Input::TokenPresented { evse: Some(1), token: button });
        world.settle();
        assert!(world.energy_permitted(), "{version}");
        world.handle(Input::StopPressed { evse: 1, reason: ocpp_core::station::LocalStop::Local });
        world.unplug();
        world.plug();
        let start = json!({"remoteStartId": 1, "evseId": 1, "idToken": {"idToken": "APP", "type": "Central"}});
        world.ask("RequestStartTransaction", start);
        assert!(world.energy_permitted(), "{version}");
        assert!(cached(&world).is_empty(), "{version}: {:?}", cached(&world));
    }
}

/// C01.FR.25
#[test]
fn a_token_of_another_kind_is_another_token() {
    for version in V2 {
        let mut world = caching(version);
        accept(&mut world, "1234");
        world.cut();
        world.settle();
        world.handle(Input::TokenPresented { evse: Some(1), token: Token::new("1234", TokenType::KeyCode) });
        world.settle();
        assert_eq!(decision(&world), (false, "Offline".into()), "{version}");
        assert!(try_out(&mut world, "1234").0, "{version}");
    }
}

/// C01.FR.03, C09.FR.07; 1.6 edition 2, 3.10, 4.1
#[test]
fn a_cached_token_of_the_group_ends_a_transaction_without_being_asked_about() {
    for version in VERSIONS {
        for online in [true, false] {
            let mut world = caching(version);
            learn(&mut world, "YOURS", &info(version, "Accepted", Some("family"), None));
            learn(&mut world, "LOST", &info(version, "Blocked", Some("FAMILY"), None));
            learn(&mut world, "MINE", &info(version, "Accepted", Some("FAMILY"), None));
            world.set("LocalPreAuthorize", "true");
            world.plug();
            world.tap("MINE");
            assert!(world.energy_permitted(), "{version}");
            if !online {
                world.cut();
                world.settle();
                world.tap("LOST");
                // C09.FR.11
                assert!(world.energy_permitted(), "{version}");
            }
            world.tap("YOURS");
            assert!(!world.energy_permitted(), "{version} {online}");
            assert_eq!(asked(&world), 0, "{version} {online}");
        }
    }
}

/// F01.FR.01; 1.6 edition 2, 9.1.3, 9.1.13
#[test]
fn a_remote_start_is_authorised_like_a_token_that_is_presented() {
    for version in VERSIONS {
        let mut world = caching(version);
        accept(&mut world, "TAG");
        world.set("AuthorizeRemoteTxRequests", "true");
        world.set("LocalPreAuthorize", "true");
        world.plug();
        let (action, request) = match version {
            Version::V1_6 => ("RemoteStartTransaction", json!({"idTag": "TAG", "connectorId": 1})),
            _ => (
                "RequestStartTransaction",
                json!({"remoteStartId": 5, "evseId": 1, "idToken": {"idToken": "TAG", "type": "ISO14443"}}),
            ),
        };
        world.ask(action, request);
        assert_eq!(world.peer.result()["status"], "Accepted", "{version}");
        assert_eq!(asked(&world), 0, "{version}");
        assert!(world.energy_permitted(), "{version}");
        if version != Version::V1_6 {
            let told = world.peer.payloads("TransactionEvent");
            assert!(told.iter().any(|event| event["transactionInfo"]["remoteStartId"] == 5), "{version}");
        }
    }
}

/// C01.FR.21, C10.FR.14
#[test]
fn a_cached_token_for_other_evses_does_not_charge_here() {
    for version in V2 {
        let mut world = caching(version);
        let mut elsewhere = info(version, "Accepted", None, None);
        elsewhere["evseId"] = json!([2, 3]);
        learn(&mut world, "TAG", &elsewhere);
        world.set("LocalPreAuthorize", "true");
        assert_eq!(try_out(&mut world, "TAG"), (false, "NotAtThisLocation".into()), "{version}");
        assert_eq!(asked(&world), 0, "{version}");
    }
}

/// C12.FR.09, C16.FR.02 to 05, C16.FR.08
#[test]
fn a_master_pass_ends_every_transaction_and_begins_none() {
    for version in V2 {
        for is_known in [true, false] {
            let mut config = config(version);
            config.evses = vec![EvseConfig::default(), EvseConfig::default()];
            let mut world = Script::booted_with(config);
            world.set("AuthCacheCtrlr.Enabled", "true");
            world.set("AuthCtrlr.MasterPassGroupId", "POLICE");
            let police = info(version, "Accepted", Some("POLICE"), None);
            learn(&mut world, "BADGE", &police);
            assert_eq!(decision(&world), (false, "MasterPass".into()), "{version}");
            if !is_known {
                world.ask("ClearCache", json!({}));
                world.peer.forget();
            }
            for evse in 1..=2 {
                world.handle(Input::PluggedIn { evse, connector: 1 });
                world.handle(Input::TokenPresented { evse: Some(evse), token: Token::rfid(format!("DRIVER{evse}")) });
                world.settle();
            }
            world.peer.forget();
            world.peer.once("Authorize", reply(version, &police));
            world.tap("BADGE");
            assert_eq!(asked(&world), usize::from(!is_known), "{version}");
            let ended: Vec<_> = world
                .peer
                .payloads("TransactionEvent")
                .into_iter()
                .filter(|event| event["eventType"] == "Ended")
                .map(|event| (event["transactionInfo"]["stoppedReason"].clone(), event["idToken"]["idToken"].clone()))
                .collect();
            assert_eq!(ended, vec![(json!("MasterPass"), json!("BADGE")); 2], "{version} known: {is_known}");
        }
    }
}

#[test]
fn an_operator_is_told_why_a_token_was_not_kept() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        let now = world.now;
        let good = TokenEntry::new(Token::rfid("TAG"), "Accepted");
        let disabled = world.station().put_into_authorization_cache(now, &good).unwrap_err();
        assert_eq!(disabled, TokenEntryError::Disabled("AuthCacheCtrlr.Enabled"), "{version}");
        world.set("AuthCacheCtrlr.Enabled", "true");
        let mut put = |entry: &TokenEntry| world.station().put_into_authorization_cache(now, entry);
        let status = put(&TokenEntry::new(Token::rfid("TAG"), "Fine")).unwrap_err();
        assert!(status.to_string().contains("ConcurrentTx"), "{version}: {status}");
        for value in ["", &"X".repeat(256)] {
            let length = put(&TokenEntry::new(Token::rfid(value), "Accepted")).unwrap_err();
            assert!(matches!(length, TokenEntryError::Length { .. }), "{version}");
        }
        let mut grouped = good.clone();
        grouped.group = Some(String::new());
        assert!(put(&grouped).is_err(), "{version}");
        put(&good).unwrap();
        world.settle();
        assert!(is_cached(&world, "TAG") && cached(&world).len() == 1, "{version}");
    }
}
