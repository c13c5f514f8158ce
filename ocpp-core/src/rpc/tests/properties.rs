//! What holds for any input.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

use ocpp_types::{ErrorCode, Version};
use proptest::prelude::*;

use super::{endpoint, sent};
use crate::rpc::{CallError, CallId, Endpoint, EndpointConfig, Frame, IncomingId, MessageIds, OutgoingCall, Received};
use crate::time::Instant;

fn version() -> impl Strategy<Value = Version> {
    prop::sample::select(Version::ALL.to_vec())
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_string()),
        Just("{}".to_string()),
        any::<i8>().prop_map(|number| number.to_string()),
        "[a-z\\\\\"é]{0,40}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("\"\\ud800\"".to_string()),
        Just("1e400".to_string()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            inner.prop_map(|value| format!("{{\"a\":{value}}}")),
        ]
    })
}

/// Text that is a frame, nearly one, or nothing of the kind.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(json(), 0..7).prop_map(|items| format!("[{}]", items.join(","))),
        (2..8_u8, json(), prop::collection::vec(json(), 0..4))
            .prop_map(|(number, id, items)| { format!("[{number},{id},{}]", items.join(",")) }),
        (2..8_u8, "[a-c]", json(), any::<prop::sample::Index>()).prop_map(|(number, id, payload, end)| {
            let text = format!(r#"[{number},"{id}","Heartbeat",{payload}]"#);
            let end = end.index(text.len() + 1);
            let end = (0..=end).rev().find(|end| text.is_char_boundary(*end));
            text[..end.unwrap_or(0)].into()
        }),
    ]
}

/// Whether a text is JSON and meant as a call.
fn is_call(text: &str) -> bool {
    serde_json::from_str::<Vec<serde_json::Value>>(text)
        .is_ok_and(|items| items.first().is_some_and(|first| *first == 2))
}

proptest! {
    #[test]
    fn any_text_is_one_event_and_at_most_one_answer(text in text(), version in version()) {
        let mut endpoint = endpoint(version);
        let received = endpoint.handle_text(&text);
        let answered = match received {
            Received::Call(call) => {
                let sent = endpoint.respond(call.id, "{}");
                prop_assert!(sent);
                true
            }
            Received::Malformed(malformed) => {
                prop_assert!(malformed.excerpt.chars().count() <= 200);
                malformed.answered
            }
            Received::Send(_) | Received::ResultRejected(_) | Received::Unmatched(_) => false,
            other @ (Received::Result(_) | Received::Failed(_)) => {
                return Err(TestCaseError::fail(format!("nothing waits: {other:?}")));
            }
        };
        let frames = sent(&mut endpoint);
        prop_assert_eq!(frames.len(), usize::from(answered));
        if is_call(&text) && version != Version::V1_6 {
            prop_assert!(answered, "2.x answers every call");
        }
        for frame in frames {
            prop_assert!(serde_json::from_str::<Vec<serde_json::Value>>(&frame).is_ok(), "{}", frame);
        }
    }

    #[test]
    fn what_is_read_is_written_again(text in text(), version in version()) {
        if let Ok(frame) = Frame::parse(&text, version) {
            let again = frame.encode();
            prop_assert_eq!(Frame::parse(&again, version), Ok(frame));
        }
    }
}

/// What the other side does with a call, and what the link does with a frame.
#[derive(Debug, Clone, Copy)]
enum Step {
    Call { by: usize },
    Cancel { by: usize, nth: usize },
    Answer { by: usize, well: bool },
    Deliver { to: usize },
    Lose { to: usize },
    Wait,
    Reconnect,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..2_usize).prop_map(|by| Step::Call { by }),
        1 => (0..2_usize, 0..8_usize).prop_map(|(by, nth)| Step::Cancel { by, nth }),
        4 => (0..2_usize, any::<bool>()).prop_map(|(by, well)| Step::Answer { by, well }),
        6 => (0..2_usize).prop_map(|to| Step::Deliver { to }),
        1 => (0..2_usize).prop_map(|to| Step::Lose { to }),
        1 => Just(Step::Wait),
        1 => Just(Step::Reconnect),
    ]
}

/// Two endpoints, and a link that keeps the order but may lose frames.
struct Conversation {
    now: Instant,
    version: Version,
    sides: [Endpoint; 2],
    /// Frames on their way to a side.
    link: [VecDeque<String>; 2],
    /// Calls that a side has yet to answer.
    pending: [VecDeque<IncomingId>; 2],
    /// The outcomes of the calls of a side: exactly one each, in the end.
    outcomes: [BTreeMap<CallId, u32>; 2],
}

impl Conversation {
    fn new(version: Version) -> Self {
        let side = |seed| {
            let mut endpoint = Endpoint::new(EndpointConfig::default(), MessageIds::new([seed; 10]));
            endpoint.handle_connect(version);
            endpoint
        };
        Self {
            now: Instant::ORIGIN,
            version,
            sides: [side(1), side(2)],
            link: Default::default(),
            pending: Default::default(),
            outcomes: Default::default(),
        }
    }

    fn finish(&mut self, side: usize, call: CallId) {
        *self.outcomes[side].get_mut(&call).unwrap() += 1;
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Call { by } => {
                let call = self.sides[by].call(OutgoingCall::new("Heartbeat", "{}")).unwrap();
                self.outcomes[by].insert(call, 0);
            }
            Step::Cancel { by, nth } => {
                let call = self.outcomes[by].keys().rev().nth(nth).copied();
                if let Some(call) = call.filter(|call| self.sides[by].cancel(*call)) {
                    self.finish(by, call);
                }
            }
            Step::Answer { by, well } => {
                if let Some(id) = self.pending[by].pop_front() {
                    let refusal = CallError::new(ErrorCode::InternalError, "no");
                    if well {
                        self.sides[by].respond(id, "{}")
                    } else {
                        self.sides[by].refuse(id, &refusal)
                    };
                }
            }
            Step::Deliver { to } => {
                if let Some(text) = self.link[to].pop_front() {
                    match self.sides[to].handle_text(&text) {
                        Received::Call(call) => self.pending[to].push_back(call.id),
                        Received::Result(result) => self.finish(to, result.call),
                        Received::Failed(failed) => self.finish(to, failed.call),
                        Received::Unmatched(_) => {}
                        other => panic!("not among well-behaved peers: {other:?}"),
                    }
                }
            }
            Step::Lose { to } => {
                self.link[to].pop_front();
            }
            Step::Wait => {
                self.now = self.now + Duration::from_secs(31);
                for side in 0..2 {
                    if let Some(failed) = self.sides[side].handle_timeout(self.now) {
                        self.finish(side, failed.call);
                    }
                }
            }
            Step::Reconnect => {
                self.link = Default::default();
                for side in 0..2 {
                    for failed in self.sides[side].handle_connect(self.version) {
                        self.finish(side, failed.call);
                    }
                }
            }
        }
        for side in 0..2 {
            while let Some(text) = self.sides[side].poll_transmit(self.now) {
                self.link[1 - side].push_back(text);
            }
        }
    }
}

proptest! {
    #[test]
    fn every_call_over_a_lossy_link_comes_to_exactly_one_end(
        steps in prop::collection::vec(step(), 0..200),
        version in version(),
    ) {
        let mut conversation = Conversation::new(version);
        for step in steps {
            conversation.take(step);
            for outcome in conversation.outcomes.iter().flat_map(BTreeMap::values) {
                prop_assert!(*outcome <= 1);
            }
        }
        conversation.take(Step::Reconnect);
        for outcome in conversation.outcomes.iter().flat_map(BTreeMap::values) {
            prop_assert_eq!(*outcome, 1);
        }
    }
}
