use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use ocpp_types::Version;

use crate::rpc::{Frame, FrameError, MAX_DESCRIPTION, MAX_MESSAGE_ID, MessageType, Problem};

fn parse(text: &str) -> Result<Frame<'_>, FrameError<'_>> {
    Frame::parse(text, Version::V2_1)
}

fn problem(text: &str) -> Problem {
    parse(text).unwrap_err().problem
}

fn call<'a>(id: &'a str, action: &'a str, payload: &'a str) -> Frame<'a> {
    Frame::Call { id: id.into(), action: action.into(), payload }
}

// 2.1 part 4, 4.2.1 to 4.2.4; 1.6-J, 4.2.1 to 4.2.3
#[test]
fn each_kind_of_frame_is_read_and_written_as_the_examples_of_the_standard() {
    let frames = [
        (call("19223201", "BootNotification", r#"{"reason":"PowerUp"}"#), {
            r#"[2,"19223201","BootNotification",{"reason":"PowerUp"}]"#
        }),
        (Frame::CallResult { id: "19223201".into(), payload: r#"{"interval":300}"# }, {
            r#"[3,"19223201",{"interval":300}]"#
        }),
        (
            Frame::CallError {
                id: "162376037".into(),
                code: "NotSupported".into(),
                description: "SetDisplayMessageRequest not supported".into(),
                details: "{}",
            },
            r#"[4,"162376037","NotSupported","SetDisplayMessageRequest not supported",{}]"#,
        ),
        (
            Frame::CallResultError {
                id: "162376037".into(),
                code: "FormatViolation".into(),
                description: "".into(),
                details: r#"{"a":1}"#,
            },
            r#"[5,"162376037","FormatViolation","",{"a":1}]"#,
        ),
        (
            Frame::Send { id: "19223201".into(), action: "NotifyPeriodicEventStream".into(), payload: r#"{"id":123}"# },
            r#"[6,"19223201","NotifyPeriodicEventStream",{"id":123}]"#,
        ),
    ];
    for (frame, text) in frames {
        assert_eq!(parse(text).unwrap(), frame);
        assert_eq!(frame.encode(), text);
    }
}

#[test]
fn the_usual_header_is_borrowed() {
    let Frame::Call { id, action, .. } = parse(r#"[2,"1","Heartbeat",{}]"#).unwrap() else { panic!() };
    assert!(matches!((id, action), (Cow::Borrowed("1"), Cow::Borrowed("Heartbeat"))));
}

#[test]
fn whitespace_is_allowed_wherever_json_allows_it() {
    let text = "\r\n [\t2 ,\n\"1\" , \"Heartbeat\"\t, { } \n] \r\n";
    assert_eq!(parse(text).unwrap(), call("1", "Heartbeat", "{ }"));
}

#[test]
fn escapes_in_the_header_are_resolved_and_written_again() {
    let frame = parse(r#"[2,"a\"\\\u0031","Heart\u0062eat",{}]"#).unwrap();
    assert_eq!(frame, call("a\"\\1", "Heartbeat", "{}"));
    assert_eq!(frame.encode(), r#"[2,"a\"\\1","Heartbeat",{}]"#);
    let frame = call("tab\there", "é\u{1}", "{}");
    assert_eq!(parse(&frame.encode()).unwrap(), frame);
}

// 2.1 part 4, 4.1.5
#[test]
fn null_is_read_as_no_payload() {
    assert_eq!(parse(r#"[2,"1","Heartbeat",null]"#).unwrap(), call("1", "Heartbeat", "{}"));
    assert_eq!(parse(r#"[3,"1", null ]"#).unwrap(), Frame::CallResult { id: "1".into(), payload: "{}" });
}

// 2.1 part 4, table 4
#[test]
fn a_message_id_has_at_most_36_characters() {
    let id = "é".repeat(MAX_MESSAGE_ID);
    assert_eq!(parse(&format!(r#"[2,"{id}","Heartbeat",{{}}]"#)).unwrap().id(), id);
    let id = "é".repeat(MAX_MESSAGE_ID + 1);
    let text = format!(r#"[2,"{id}","Heartbeat",{{}}]"#);
    let error = parse(&text).unwrap_err();
    assert_eq!((error.problem, error.message_id), (Problem::MessageIdTooLong(37), Some(id.into())));
}

// 2.1 part 4, table 7
#[test]
fn a_description_is_cut_to_255_characters() {
    let description: String = "é".repeat(MAX_DESCRIPTION + 1);
    let frame = |description: &'static str| Frame::CallError {
        id: "1".into(),
        code: "GenericError".into(),
        description: description.into(),
        details: "{}",
    };
    let Frame::CallError { id, code, details, .. } = frame("") else { panic!() };
    let text = Frame::CallError { id, code, description: description.into(), details }.encode();
    let Frame::CallError { description, .. } = parse(&text).unwrap() else { panic!() };
    assert_eq!(description.chars().count(), 255);
}

// 2.1 part 4, 4.1.3: 5 and 6 are new in 2.1
#[test]
fn message_types_5_and_6_exist_in_2_1_only() {
    for version in Version::ALL {
        for number in -1..=9 {
            let known = match number {
                2..=4 => true,
                5 | 6 => version == Version::V2_1,
                _ => false,
            };
            let found = MessageType::from_number(number, version);
            assert_eq!(found.map(MessageType::number), known.then_some(number), "{number} in {version}");
        }
    }
}

#[test]
fn surplus_elements_are_found_when_the_payload_is_read() {
    // The header says nothing about what is hidden here.
    let Frame::Call { payload, .. } = parse(r#"[2,"1","Heartbeat",{},{}]"#).unwrap() else { panic!() };
    let problem = FrameError::of_payload(MessageType::Call, payload);
    assert_eq!(problem, Problem::ElementCount { expected: 4, found: 5 });
    assert_eq!(FrameError::of_payload(MessageType::CallResult, "{},[],{}").to_owned(), {
        Problem::ElementCount { expected: 3, found: 5 }
    });
    for broken in ["{", "{}}", "{} x", r#"{"a":NaN}"#, "{}]}"] {
        assert_eq!(FrameError::of_payload(MessageType::Call, broken), Problem::PayloadNotJson, "{broken}");
    }
}

#[test]
fn each_fault_of_a_frame_is_told_apart() {
    let elements = |expected, found| Problem::ElementCount { expected, found };
    for (text, expected) in [
        ("", Problem::NotJson),
        ("hello", Problem::NotJson),
        ("[", Problem::NotJson),
        ("[2", Problem::NotJson),
        (r#"[2,"1""#, Problem::NotJson),
        ("\u{FEFF}[2]", Problem::NotJson),
        (r#"[2,"1","Heartbeat","#, Problem::PayloadNotJson),
        (r#"[2,"1","Heartbeat",{"#, Problem::PayloadNotJson),
        (r#"[2,"1","Heartbeat",{]"#, Problem::PayloadNotJson),
        (r#"[2,"1","Heartbeat",{}"#, Problem::PayloadNotJson),
        (r#"[2,"1","Heartbeat",{}]]x"#, Problem::PayloadNotJson),
        (r#"[2,"1","Heartbeat",]"#, Problem::PayloadNotJson),
        (r#"[3,"1""#, Problem::PayloadNotJson),
        ("{}", Problem::NotAnArray),
        ("\"[2]\"", Problem::NotAnArray),
        ("null", Problem::NotAnArray),
        ("12", Problem::NotAnArray),
        ("[]", Problem::MessageTypeUnreadable),
        (r#"["2","1","Heartbeat",{}]"#, Problem::MessageTypeUnreadable),
        (r#"[2.5,"1","Heartbeat",{}]"#, Problem::MessageTypeUnreadable),
        (r#"[null,"1","Heartbeat",{}]"#, Problem::MessageTypeUnreadable),
        ("[[[2]]]", Problem::MessageTypeUnreadable),
        (r#"[7,"1","Heartbeat",{}]"#, Problem::UnknownMessageType(7)),
        ("[7]", Problem::UnknownMessageType(7)),
        (r#"[1,"1",]"#, Problem::UnknownMessageType(1)),
        ("[2]", Problem::MessageIdUnreadable),
        (r#"[2,1,"Heartbeat",{}]"#, Problem::MessageIdUnreadable),
        (r#"[2,null,"Heartbeat",{}]"#, Problem::MessageIdUnreadable),
        (r#"[2,"\ud800","Heartbeat",{}]"#, Problem::MessageIdUnreadable),
        (r#"[2,"1"]"#, elements(4, 2)),
        (r#"[2,"1","Heartbeat"]"#, elements(4, 3)),
        (r#"[2,"1","Heartbeat",5,{}]"#, elements(4, 5)),
        (r#"[2,"1","Heartbeat",{},5]"#, elements(4, 5)),
        (r#"[2,"1",{}]"#, elements(4, 3)),
        (r#"[3,"1"]"#, elements(3, 2)),
        (r#"[3,"1",{},1]"#, elements(3, 4)),
        (r#"[2,"1",5,{}]"#, Problem::ActionUnreadable),
        (r#"[6,"1",null,{}]"#, Problem::ActionUnreadable),
        (r#"[2,"1","Heartbeat",[]]"#, Problem::PayloadNotAnObject),
        (r#"[2,"1","Heartbeat","{}"]"#, Problem::PayloadNotAnObject),
        (r#"[3,"1",true]"#, Problem::PayloadNotAnObject),
        (r#"[4,"1",5,"",{}]"#, Problem::ErrorCodeUnreadable),
        (r#"[4,"1"]"#, elements(5, 2)),
        (r#"[4,"1","GenericError","",{]"#, Problem::PayloadNotJson),
    ] {
        assert_eq!(problem(text), expected, "{text}");
    }
}

// Some peers leave out what they have nothing to say about; what they refuse is clear all the same.
#[test]
fn an_error_without_description_or_details_is_read() {
    let expected = |description: &'static str, details: &'static str| Frame::CallError {
        id: "1".into(),
        code: "GenericError".into(),
        description: description.into(),
        details,
    };
    for (text, frame) in [
        (r#"[4,"1","GenericError"]"#, expected("", "{}")),
        (r#"[4,"1","GenericError","no"]"#, expected("no", "{}")),
        (r#"[4,"1","GenericError","no",null]"#, expected("no", "{}")),
        (r#"[4,"1","GenericError","no","text"]"#, expected("no", "{}")),
        (r#"[4,"1","GenericError",null,{}]"#, expected("", "{}")),
        (r#"[4,"1","GenericError","no", {"a": 1} ]"#, expected("no", r#"{"a": 1}"#)),
    ] {
        assert_eq!(parse(text).unwrap(), frame, "{text}");
    }
}

#[test]
fn a_million_levels_of_nesting_do_not_overflow_the_stack() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(1_000_000), close.repeat(1_000_000));
    assert_eq!(problem(&deep("[", "]")), Problem::MessageTypeUnreadable);
    let nested = deep(r#"{"a":"#, "}").replace(":}", ":1}");
    assert!(parse(&format!(r#"[2,"1","Heartbeat",{nested}]"#)).is_ok());
    assert_eq!(FrameError::of_payload(MessageType::Call, &format!("{nested},{nested}")), {
        Problem::ElementCount { expected: 4, found: 5 }
    });
    assert_eq!(problem(&format!(r#"[4,"1","GenericError","",{}"#, "[".repeat(1_000_000))), Problem::PayloadNotJson);
    let error = format!(r#"[4,"1","GenericError","",{nested}]"#);
    assert!(matches!(parse(&error).unwrap(), Frame::CallError { details, .. } if details.len() == nested.len()));
}
