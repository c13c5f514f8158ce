//! The endpoint under arbitrary sequences of what may happen.

use std::collections::BTreeMap;
use std::time::Duration;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use ocpp_core::rpc::{
    CallError, CallId, Endpoint, EndpointConfig, ErrorCode, FailedCall, Frame, IncomingId, MessageIds, OutgoingCall,
    Received,
};
use ocpp_core::time::Instant;
use ocpp_core::types::Version;

use crate::frame::is_json;

/// Lets things happen to an endpoint until the input is used up, and then ends the connection.
pub fn check(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let mut conversation = Conversation::new();
    while !input.is_empty() && conversation.step(&mut input).is_ok() {
        conversation.transmit();
    }
    conversation.end();
}

struct Conversation {
    endpoint: Endpoint,
    now: Instant,
    /// How often each call of this side came to an end.
    calls: BTreeMap<CallId, u32>,
    to_answer: Vec<IncomingId>,
    /// The message ids of calls that were sent, for a peer that answers.
    sent: Vec<String>,
    outstanding: u32,
}

impl Conversation {
    fn new() -> Self {
        let mut config = EndpointConfig::default();
        config.queue_limit = 4;
        config.incoming_limit = 3;
        config.frame_limit = 300;
        Self {
            endpoint: Endpoint::new(config, MessageIds::new([0; 10])),
            now: Instant::ORIGIN,
            calls: BTreeMap::new(),
            to_answer: Vec::new(),
            sent: Vec::new(),
            outstanding: 0,
        }
    }

    fn step(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.int_in_range(0..=11)? {
            0 => {
                let version = *input.choose(&Version::ALL)?;
                let failed = self.endpoint.handle_connect(version);
                self.failed(failed);
            }
            1 => {
                let failed = self.endpoint.handle_disconnect();
                self.failed(failed);
            }
            2 | 3 => {
                let call = OutgoingCall::new("Heartbeat", "{}");
                let call = if input.arbitrary()? { call.ahead_of_queue() } else { call };
                if let Ok(call) = self.endpoint.call(call) {
                    assert_eq!(self.calls.insert(call, 0), None, "ids are unique");
                }
            }
            4 => {
                let nth = input.int_in_range(0..=5_usize)?;
                if let Some(call) = self.calls.keys().rev().nth(nth).copied() {
                    if self.endpoint.cancel(call) {
                        self.ended(call);
                    }
                }
            }
            5 => {
                self.now = self.now + Duration::from_secs(input.int_in_range(0..=40)?);
                let failed = self.endpoint.handle_timeout(self.now);
                self.failed(failed);
            }
            6 => match input.arbitrary()? {
                true => self.endpoint.hold(),
                false => self.endpoint.release(),
            },
            7 => {
                let _ = self.endpoint.send("NotifyPeriodicEventStream", "{}");
            }
            8 => {
                if let Some(id) = self.to_answer.pop() {
                    match input.arbitrary()? {
                        true => self.endpoint.respond(id, "{}"),
                        false => self.endpoint.refuse(id, &CallError::new(ErrorCode::InternalError, "no")),
                    };
                }
            }
            9 => {
                let id = input.choose(&self.sent)?.clone();
                let number = input.int_in_range(3..=5)?;
                let rest = *input.choose(&["{}", "{", "7", r#""GenericError","",{}"#, r#""x""#, "{},{}"])?;
                self.receive(&format!(r#"[{number},"{id}",{rest}]"#));
            }
            10 => {
                let number = input.int_in_range(1..=7)?;
                let id = input.int_in_range(0..=5)?;
                let payload = *input.choose(&["{}", "null", "[]", "{", "{},{}", r#"{"a":[1]}"#])?;
                self.receive(&format!(r#"[{number},"{id}","Reset",{payload}]"#));
            }
            _ => {
                let text = input.arbitrary::<&str>()?.to_owned();
                self.receive(&text);
            }
        }
        Ok(())
    }

    fn receive(&mut self, text: &str) {
        let received = self.endpoint.handle_text(text);
        match received {
            Received::Call(call) => self.to_answer.push(call.id),
            Received::Result(result) => {
                let call = result.call;
                self.ended(call);
                self.endpoint.reject_result(call, &CallError::new(ErrorCode::FormatViolation, ""));
                assert!(!self.endpoint.reject_result(call, &CallError::new(ErrorCode::FormatViolation, "")));
            }
            Received::Failed(failed) => self.ended(failed.call),
            Received::Malformed(malformed) => assert!(malformed.excerpt.chars().count() <= 200),
            _ => {}
        }
    }

    fn failed(&mut self, failed: impl IntoIterator<Item = FailedCall>) {
        for failed in failed {
            self.ended(failed.call);
        }
    }

    fn ended(&mut self, call: CallId) {
        let ends = self.calls.get_mut(&call).expect("a call that was made");
        *ends += 1;
        assert_eq!(*ends, 1, "a call comes to one end");
        if self.endpoint.outstanding().is_none() {
            self.outstanding = 0;
        }
    }

    fn transmit(&mut self) {
        while let Some(text) = self.endpoint.poll_transmit(self.now) {
            assert!(is_json(&text), "{text}");
            let version = self.endpoint.version().expect("nothing is sent without a connection");
            if let Ok(Frame::Call { id, .. }) = Frame::parse(&text, version) {
                self.outstanding += 1;
                assert_eq!(self.outstanding, 1, "one call waits for its answer");
                assert!(!self.sent.iter().any(|sent| **sent == *id), "message ids are unique");
                self.sent.push(id.into_owned());
            }
        }
        assert_eq!(self.endpoint.outstanding().is_some(), self.endpoint.poll_timeout().is_some());
    }

    fn end(mut self) {
        let failed = self.endpoint.handle_disconnect();
        self.failed(failed);
        assert!(self.calls.values().all(|ends| *ends == 1), "every call comes to an end");
    }
}
