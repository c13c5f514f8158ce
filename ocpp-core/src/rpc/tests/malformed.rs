//! What each malformed frame is answered with, version by version.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::{DecodeError, ErrorCode, Version};

use super::{endpoint, endpoint_with, incoming, sent};
use crate::rpc::{CallError, Endpoint, EndpointConfig, MAX_MESSAGE_ID, Malformed, MessageType, Problem, Received};

/// The message id and the error code of the one answer, if there is one.
fn answer(endpoint: &mut Endpoint) -> Option<(String, String)> {
    let mut answers = sent(endpoint);
    assert!(answers.len() <= 1, "{answers:?}");
    let (message_type, id, code, description, details): (u8, String, String, String, serde_json::Value) =
        serde_json::from_str(&answers.pop()?).unwrap();
    assert_eq!((message_type, details), (4, serde_json::json!({})));
    assert!(!description.is_empty());
    Some((id, code))
}

/// What a frame is answered with in 1.6, 2.0.1 and 2.1; that it is reported is checked here.
fn answers(text: &str) -> [Option<(String, String)>; 3] {
    [Version::V1_6, Version::V2_0_1, Version::V2_1].map(|version| {
        let mut endpoint = endpoint(version);
        let Received::Malformed(malformed) = endpoint.handle_text(text) else { panic!("{text} in {version}") };
        let answer = answer(&mut endpoint);
        assert_eq!(malformed.answered, answer.is_some(), "{text} in {version}");
        answer
    })
}

fn code(id: &str, code: &str) -> Option<(String, String)> {
    Some((id.to_owned(), code.to_owned()))
}

/// In 2.x the same, in 1.6 something else.
fn by_generation(in_1_6: Option<(String, String)>, in_2: Option<(String, String)>) -> [Option<(String, String)>; 3] {
    [in_1_6, in_2.clone(), in_2]
}

// 2.1 part 4, 4.2.3 and table 9; 1.6 has neither the id nor the code.
#[test]
fn without_a_readable_message_id_the_answer_has_the_id_minus_one() {
    for text in [
        "",
        "hello",
        "{}",
        "5",
        "null",
        "[]",
        "[2]",
        "[2,",
        "[2,7,\"Heartbeat\",{}]",
        "[2,null,\"Heartbeat\",{}]",
        r#"[2,"\ud800","Heartbeat",{}]"#,
        r#"[2,{"a":1},"Heartbeat",{}]"#,
        "[[2]]",
    ] {
        assert_eq!(answers(text), by_generation(None, code("-1", "RpcFrameworkError")), "{text}");
    }
}

// 2.1 part 4, 4.2.3; 1.6-J, 4.2.3; 1.6-J errata 3.3
#[test]
fn a_message_id_that_is_too_long_is_refused_and_repeated_exactly() {
    let id = "x".repeat(MAX_MESSAGE_ID + 1);
    let text = format!(r#"[2,"{id}","Heartbeat",{{}}]"#);
    assert_eq!(answers(&text), by_generation(code(&id, "GenericError"), code(&id, "RpcFrameworkError")));
}

// 2.0.1 part 4, 4.4; 2.1 part 4, 4.1.3 and table 9; OCPP-J 1.6, 4.1.3
#[test]
fn an_unknown_message_type_is_not_supported_in_2_and_ignored_in_1_6() {
    for number in [-1, 0, 1, 7, 42] {
        let text = format!(r#"[{number},"19223201","Heartbeat",{{}}]"#);
        assert_eq!(answers(&text), by_generation(None, code("19223201", "MessageTypeNotSupported")), "{text}");
    }
    // The payload is not looked at.
    assert_eq!(answers(r#"[7,"19223201",{]"#)[2], code("19223201", "MessageTypeNotSupported"));
    assert_eq!(answers("[7]"), by_generation(None, code("-1", "MessageTypeNotSupported")));
}

// 2.1 part 4, table 3
#[test]
fn message_types_5_and_6_are_unknown_before_2_1() {
    for text in [r#"[5,"1","GenericError","",{}]"#, r#"[6,"1","NotifyPeriodicEventStream",{}]"#] {
        for (version, expected) in [(Version::V1_6, None), (Version::V2_0_1, code("1", "MessageTypeNotSupported"))] {
            let mut endpoint = endpoint(version);
            let received = endpoint.handle_text(text);
            assert!(matches!(received, Received::Malformed(Malformed { problem: Problem::UnknownMessageType(_), .. })));
            assert_eq!(answer(&mut endpoint), expected, "{text} in {version}");
        }
    }
}

// 2.1 part 4, 4.2.1
#[test]
fn a_call_with_too_few_or_too_many_elements_is_refused() {
    for text in
        [r#"[2,"1"]"#, r#"[2,"1","Heartbeat"]"#, r#"[2,"1","Heartbeat",{},7]"#, r#"[2,"1","Heartbeat",{},[],1]"#]
    {
        assert_eq!(
            answers(text),
            by_generation(code("1", "FormationViolation"), code("1", "RpcFrameworkError")),
            "{text}"
        );
    }
}

#[test]
fn a_call_whose_action_is_no_string_is_refused() {
    for text in [r#"[2,"1",5,{}]"#, r#"[2,"1",null,{}]"#, r#"[2,"1","\udfff",{}]"#] {
        assert_eq!(
            answers(text),
            by_generation(code("1", "FormationViolation"), code("1", "RpcFrameworkError")),
            "{text}"
        );
    }
}

// 2.1 part 4, table 9: FormatViolation is for a payload that is syntactically incorrect
#[test]
fn a_broken_payload_is_refused_with_the_id_that_could_be_read() {
    for text in [
        r#"[2,"1","Heartbeat","#,
        r#"[2,"1","Heartbeat",{"a":"#,
        r#"[2,"1","Heartbeat",{}"#,
        r#"[2,"1","Heartbeat",{},"#,
        r#"[2,"1","Heartbeat",[]]"#,
        r#"[2,"1","Heartbeat",7]"#,
        r#"[2,"1","Heartbeat","{}"]"#,
    ] {
        assert_eq!(
            answers(text),
            by_generation(code("1", "FormationViolation"), code("1", "FormatViolation")),
            "{text}"
        );
    }
}

#[cfg(feature = "v2_1")]
#[test]
fn a_payload_that_cannot_be_decoded_is_refused_with_what_is_wrong_with_it() {
    use ocpp_types::{Conformance, v2_1::HeartbeatRequest};

    for (payload, version, expected) in [
        ("{},{}", Version::V2_1, "RpcFrameworkError"),
        ("{},{}", Version::V1_6, "FormationViolation"),
        ("{} {}", Version::V2_1, "FormatViolation"),
        (r#"{"a":NaN}"#, Version::V2_0_1, "FormatViolation"),
        (r#"{"a":NaN}"#, Version::V1_6, "FormationViolation"),
        (r#"{"customData":{}}"#, Version::V2_1, "OccurrenceConstraintViolation"),
        (r#"{"customData":{}}"#, Version::V1_6, "OccurenceConstraintViolation"),
    ] {
        let mut endpoint = endpoint(version);
        let text = format!(r#"[2,"1","Heartbeat",{payload}]"#);
        let call = incoming(&mut endpoint, &text);
        assert_eq!(call.payload, payload);
        let error = ocpp_types::decode::<HeartbeatRequest>(call.payload, Conformance::Strict).unwrap_err();
        assert!(endpoint.refuse_payload(call.id, call.payload, &error));
        let sent = sent(&mut endpoint);
        let (_, _, code, _, _): (u8, String, String, String, serde_json::Value) =
            serde_json::from_str(&sent[0]).unwrap();
        assert_eq!(code, expected, "{payload} in {version}");
    }
}

// 2.1 part 4, table 9
#[test]
fn unknown_actions_and_wrong_directions_have_their_own_codes() {
    for (error, expected) in [
        (DecodeError::unknown_action("Foo"), ErrorCode::NotImplemented),
        (DecodeError::wrong_direction("Reset"), ErrorCode::NotSupported),
    ] {
        assert_eq!(CallError::of_payload(MessageType::Call, "{}", &error, Version::V2_1).code, expected);
    }
}

// 2.1 part 4, 4.2.3
#[test]
fn a_call_with_the_id_of_one_that_is_being_handled_is_refused() {
    for (version, expected) in
        [(Version::V1_6, "GenericError"), (Version::V2_0_1, "RpcFrameworkError"), (Version::V2_1, "RpcFrameworkError")]
    {
        let mut endpoint = endpoint(version);
        let first = incoming(&mut endpoint, r#"[2,"1","Heartbeat",{}]"#);
        let received = endpoint.handle_text(r#"[2,"1","Heartbeat",{}]"#);
        assert!(matches!(received, Received::Malformed(Malformed { problem: Problem::DuplicateMessageId, .. })));
        assert_eq!(answer(&mut endpoint), code("1", expected));
        assert!(endpoint.respond(first.id, "{}"), "the first one is not affected");
        assert_eq!(sent(&mut endpoint), [r#"[3,"1",{}]"#]);
    }
}

// 2.1 part 4, 4.1.4
#[test]
fn a_call_with_the_id_of_one_that_was_answered_is_an_ordinary_call_and_marked() {
    let mut endpoint = endpoint(Version::V2_1);
    let first = incoming(&mut endpoint, r#"[2,"1","Heartbeat",{}]"#);
    assert!(!first.repeated);
    assert!(endpoint.respond(first.id, "{}"));
    let second = incoming(&mut endpoint, r#"[2,"1","Heartbeat",{}]"#);
    assert!(second.repeated);
    assert!(endpoint.respond(second.id, "{}"));
    assert_eq!(sent(&mut endpoint).len(), 2);
}

#[test]
fn a_peer_that_floods_is_refused_what_exceeds_the_limit() {
    let config = EndpointConfig { incoming_limit: 2, ..EndpointConfig::default() };
    let mut endpoint = endpoint_with(Version::V2_1, config);
    let texts: Vec<String> = (0..3).map(|id| format!(r#"[2,"{id}","Heartbeat",{{}}]"#)).collect();
    let first = incoming(&mut endpoint, &texts[0]);
    let _second = incoming(&mut endpoint, &texts[1]);
    let received = endpoint.handle_text(&texts[2]);
    assert!(matches!(received, Received::Malformed(Malformed { problem: Problem::TooManyCalls, .. })));
    assert_eq!(answer(&mut endpoint), code("2", "InternalError"));
    assert!(endpoint.respond(first.id, "{}"));
    let _third = incoming(&mut endpoint, &texts[2]);
}

#[test]
fn a_frame_that_is_too_long_is_refused_by_its_header_alone() {
    let config = EndpointConfig { frame_limit: 100, ..EndpointConfig::default() };
    let fitting = format!(r#"[2,"1","Heartbeat",{{{}}}]"#, " ".repeat(100 - 22));
    let too_long = format!(r#"[2,"2","Heartbeat",{{{}}}]"#, " ".repeat(100 - 21));
    for (version, expected) in [(Version::V1_6, "GenericError"), (Version::V2_1, "RpcFrameworkError")] {
        let mut endpoint = endpoint_with(version, config.clone());
        let _call = incoming(&mut endpoint, &fitting);
        let Received::Malformed(malformed) = endpoint.handle_text(&too_long) else { panic!() };
        assert_eq!(malformed.problem, Problem::TooLarge { bytes: 101, limit: 100 });
        assert_eq!(answer(&mut endpoint), code("2", expected));
        let rubbish = "x".repeat(101);
        assert!(matches!(endpoint.handle_text(&rubbish), Received::Malformed(_)));
        assert_eq!(answer(&mut endpoint), if version == Version::V1_6 { None } else { code("-1", expected) });
    }
}

// 2.1 part 4, 4.2.4
#[test]
fn a_malformed_send_is_not_answered() {
    for text in [r#"[6,"1"]"#, r#"[6,7,"X",{}]"#, r#"[6,"1","X",7]"#, r#"[6,"1","X",{"#, r#"[6,"1",5,{}]"#] {
        let mut endpoint = endpoint(Version::V2_1);
        assert!(matches!(endpoint.handle_text(text), Received::Malformed(Malformed { answered: false, .. })), "{text}");
        assert_eq!(answer(&mut endpoint), None);
    }
}

// Two sides that answered each other's errors would never stop.
#[test]
fn a_malformed_answer_that_nothing_waits_for_is_not_answered() {
    for text in [r#"[3]"#, r#"[3,"1"]"#, r#"[3,"1",7]"#, r#"[4,"1",7]"#, r#"[4]"#, r#"[3,7,{}]"#, r#"[3,"1",{"#] {
        assert_eq!(answers(text), [None, None, None], "{text}");
    }
    for text in [r#"[5]"#, r#"[5,"1",7,7,7]"#] {
        let mut endpoint = endpoint(Version::V2_1);
        assert!(matches!(endpoint.handle_text(text), Received::Malformed(_)), "{text}");
        assert_eq!(answer(&mut endpoint), None);
    }
}

// RFC 6455, 7.4.1
#[test]
fn a_binary_message_is_reported_and_not_answered() {
    let mut endpoint = endpoint(Version::V2_1);
    assert!(matches!(endpoint.handle_binary(), Received::Malformed(Malformed { problem: Problem::Binary, .. })));
    assert_eq!(answer(&mut endpoint), None);
}

#[test]
fn at_most_200_characters_of_a_malformed_frame_are_reported() {
    let text = "é".repeat(1000);
    let mut endpoint = endpoint(Version::V1_6);
    let Received::Malformed(malformed) = endpoint.handle_text(&text) else { panic!() };
    assert_eq!(malformed.excerpt.chars().count(), 200);
}

#[test]
fn a_frame_without_a_connection_is_reported_and_not_answered() {
    let mut endpoint = endpoint(Version::V2_1);
    endpoint.handle_disconnect();
    let received = endpoint.handle_text(r#"[2,"1","Heartbeat",{}]"#);
    assert!(matches!(received, Received::Malformed(Malformed { problem: Problem::NotConnected, answered: false, .. })));
    assert_eq!(sent(&mut endpoint), [""; 0]);
}
