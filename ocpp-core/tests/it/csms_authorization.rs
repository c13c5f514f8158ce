//! Tokens: the application judges, the session asks and passes on (2.1 part 2, C01, C02, C09; 1.6 edition 2, 4.1).

use std::time::Duration;

use ocpp_core::csms::{Answer, Authorization, AuthorizationStatus, DataTransferStatus, Event, Input, Question, Token};
use ocpp_core::types::Version;
use serde_json::json;

use crate::csms_support::*;

#[test]
fn a_token_is_judged_by_the_application() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let id = csms.call("Authorize", authorize(version, "TAG"));
        assert_eq!(csms.try_reply(&id), None, "not before the application has answered");
        let token = if version == Version::V1_6 { Token::new("TAG") } else { Token::with_kind("TAG", "ISO14443") };
        assert_eq!(csms.judge(Authorization::accepted()), Question::Authorize { token });
        assert_eq!(verdict(version, &csms.reply(&id).result()), "Accepted");
    }
}

/// C01.FR.06, C09.FR.09; 1.6 edition 2, 3.10
#[test]
fn group_expiry_and_message_are_passed_on() {
    let mut authorization = Authorization::accepted();
    authorization.group = Some(Token::with_kind("FLEET", "Central"));
    authorization.cache_expires_at = Some("2026-12-01T00:00:00Z".parse().unwrap());
    authorization.message = Some("Willkommen".into());
    authorization.language = Some("de".into());
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let id = csms.call("Authorize", authorize(version, "TAG"));
        csms.judge(authorization.clone());
        let expected = match version {
            Version::V1_6 => json!({"idTagInfo": {
                "status": "Accepted", "expiryDate": "2026-12-01T00:00:00.000Z", "parentIdTag": "FLEET",
            }}),
            _ => json!({"idTokenInfo": {
                "status": "Accepted", "cacheExpiryDateTime": "2026-12-01T00:00:00.000Z", "language1": "de",
                "groupIdToken": {"idToken": "FLEET", "type": "Central"},
                "personalMessage": {"format": "UTF8", "content": "Willkommen", "language": "de"},
            }}),
        };
        assert_eq!(csms.reply(&id).result(), expected, "{version}");
    }
}

/// C09.FR.12, E02.FR.04, E05.FR.01; 1.6 edition 2, 4.8: asked again although the station may have judged by itself.
#[test]
fn a_token_in_a_transaction_is_judged_and_its_group_passed_on() {
    let mut authorization = Authorization::new(AuthorizationStatus::Blocked);
    authorization.group = Some(Token::with_kind("FLEET", "Central"));
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let id = match version {
            Version::V1_6 => csms.call("StartTransaction", start(1, "TAG", 0, 0)),
            _ => {
                let mut started = with_token(event("Started", "a", 0, 0, 0), "TAG");
                started["offline"] = json!(true);
                csms.call("TransactionEvent", started)
            }
        };
        csms.judge(authorization.clone());
        csms.store();
        let expected = match version {
            Version::V1_6 => json!({"idTagInfo": {"status": "Blocked", "parentIdTag": "FLEET"}, "transactionId": 1}),
            _ => json!({"idTokenInfo": {
                "status": "Blocked", "groupIdToken": {"idToken": "FLEET", "type": "Central"},
            }}),
        };
        assert_eq!(csms.reply(&id).result(), expected);
    }
}

#[test]
fn each_verdict_reads_as_the_version_can_say_it() {
    use AuthorizationStatus::*;
    let verdicts = [
        (Accepted, "Accepted", "Accepted"),
        (Blocked, "Blocked", "Blocked"),
        (Expired, "Expired", "Expired"),
        (Invalid, "Invalid", "Invalid"),
        (ConcurrentTx, "ConcurrentTx", "ConcurrentTx"),
        (NoCredit, "Blocked", "NoCredit"),
        (NotAllowedTypeEVSE, "Blocked", "NotAllowedTypeEVSE"),
        (NotAtThisLocation, "Blocked", "NotAtThisLocation"),
        (NotAtThisTime, "Blocked", "NotAtThisTime"),
        (Unknown, "Invalid", "Unknown"),
    ];
    for version in Version::ALL {
        for (status, in_1_6, in_2) in verdicts {
            let mut csms = Csms::new(version);
            let id = csms.call("Authorize", authorize(version, "TAG"));
            csms.judge(Authorization::new(status));
            let expected = if version == Version::V1_6 { in_1_6 } else { in_2 };
            assert_eq!(verdict(version, &csms.reply(&id).result()), expected);
        }
    }
}

#[test]
fn what_the_version_has_no_room_for_is_left_out_or_cut() {
    let mut authorization = Authorization::accepted();
    authorization.group = Some(Token::with_kind("a group with a name that 1.6 has no room for", "VendorKind"));
    authorization.message = Some("é".repeat(2000));
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let id = csms.call("Authorize", authorize(version, "TAG"));
        csms.judge(authorization.clone());
        let reply = csms.reply(&id).result();
        let info = &reply["idTokenInfo"];
        let length = info["personalMessage"]["content"].as_str().map(|text| text.chars().count());
        match version {
            Version::V1_6 => assert_eq!(reply, json!({"idTagInfo": {"status": "Accepted"}})),
            Version::V2_0_1 => assert_eq!((&info["groupIdToken"]["type"], length), (&json!("Central"), Some(512))),
            Version::V2_1 => assert_eq!((&info["groupIdToken"]["type"], length), (&json!("VendorKind"), Some(1024))),
        }
    }
}

/// C01.FR.19, C01.FR.20
#[test]
fn a_token_may_be_confined_to_some_evses() {
    for version in V2 {
        for (evses, expected) in [(vec![], json!(null)), (vec![2, 3], json!([2, 3]))] {
            let mut csms = Csms::new(version);
            let id = csms.call("Authorize", authorize(version, "TAG"));
            let mut authorization = Authorization::accepted();
            authorization.evses = evses;
            csms.judge(authorization);
            assert_eq!(csms.reply(&id).result()["idTokenInfo"]["evseId"], expected);
        }
    }
}

#[test]
fn an_application_that_does_not_answer_in_time_gives_no_energy_away() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let id = csms.call("Authorize", authorize(version, "TAG"));
        csms.pass(Duration::from_secs(9));
        assert_eq!(csms.try_reply(&id), None);
        csms.pass(Duration::from_secs(1));
        assert_eq!(verdict(version, &csms.reply(&id).result()), "Invalid");
        csms.judge(Authorization::accepted());
        csms.assert_nothing_sent();
    }
}

#[test]
fn what_a_station_is_told_meanwhile_can_be_configured() {
    let mut config = accepting();
    config.unanswered = AuthorizationStatus::Accepted;
    config.answer_deadline = Duration::from_secs(3);
    let mut csms = Csms::with(Version::V1_6, config);
    let id = csms.call("Authorize", authorize(Version::V1_6, "TAG"));
    csms.pass(Duration::from_secs(3));
    assert_eq!(verdict(Version::V1_6, &csms.reply(&id).result()), "Accepted");
}

#[test]
fn calls_wait_for_their_turn_and_are_answered_in_order() {
    let mut csms = Csms::new(Version::V2_1);
    let first = csms.call("Authorize", authorize(Version::V2_1, "FIRST"));
    let second = csms.call("Authorize", authorize(Version::V2_1, "SECOND"));
    let third = csms.call("Heartbeat", json!({}));
    let Question::Authorize { token } = csms.judge(Authorization::accepted()) else { panic!() };
    assert_eq!(token.id, "FIRST");
    csms.reply(&first).result();
    assert_eq!(csms.try_reply(&third), None);
    let Question::Authorize { token } = csms.judge(Authorization::accepted()) else { panic!() };
    assert_eq!(token.id, "SECOND");
    csms.reply(&second).result();
    csms.reply(&third).result();
}

#[test]
fn a_question_ends_with_the_connection_that_it_came_on() {
    let mut csms = Csms::new(Version::V2_1);
    csms.call("Authorize", authorize(Version::V2_1, "FIRST"));
    csms.call("Authorize", authorize(Version::V2_1, "SECOND"));
    csms.input(Input::Disconnected);
    csms.connect();
    assert_eq!(csms.exchange("Heartbeat", json!({})).result()["currentTime"], "2026-11-20T10:00:00.000Z");
    csms.judge(Authorization::accepted());
    csms.assert_nothing_sent();
    csms.pass(Duration::from_secs(60));
    csms.assert_nothing_sent();
}

#[test]
fn a_vendors_message_is_answered_by_the_application() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let data = if version == Version::V1_6 { json!("ping") } else { json!({"ping": 1}) };
        let id = csms.call("DataTransfer", json!({"vendorId": "com.vendor", "messageId": "Ping", "data": data}));
        let (question, about) = csms.question();
        let expected = Question::DataTransfer {
            vendor_id: "com.vendor".into(),
            message_id: Some("Ping".into()),
            data: Some(data.to_string()),
        };
        assert_eq!(about, expected);
        let answer = Answer::DataTransfer { status: DataTransferStatus::Accepted, data: Some(data.to_string()) };
        csms.input(Input::Answer { question, answer });
        assert_eq!(csms.reply(&id).result(), json!({"status": "Accepted", "data": data}));
    }
}

#[test]
fn a_vendors_object_reaches_the_application_in_1_6_too() {
    let mut csms = Csms::new(Version::V1_6);
    let id = csms.call("DataTransfer", json!({"vendorId": "com.vendor", "data": {"a": 1}}));
    let (question, Question::DataTransfer { data, .. }) = csms.question() else { panic!() };
    assert_eq!(data.as_deref(), Some(r#"{"a":1}"#));
    let answer = Answer::DataTransfer { status: DataTransferStatus::Accepted, data: Some(r#"{"b":2}"#.into()) };
    csms.input(Input::Answer { question, answer });
    assert_eq!(csms.reply(&id).result(), json!({"status": "Accepted", "data": r#"{"b":2}"#}));
    assert!(csms.events().iter().any(|event| matches!(event, Event::Finding { .. })));
}

#[test]
fn a_vendors_message_that_nobody_answers_is_rejected() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let id = csms.call("DataTransfer", json!({"vendorId": "com.vendor"}));
        csms.pass(Duration::from_secs(10));
        assert_eq!(csms.reply(&id).result(), json!({"status": "Rejected"}));
    }
}
