//! One side of a conversation.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use ocpp_types::{DecodeError, Version};

use super::error::{CallError, FrameError, Problem};
use super::frame::{Frame, MessageType, truncated};
use super::message_id::MessageIds;
use super::outgoing::{CallId, CallNotAccepted, NotAccepted, OutgoingCall, SendNotAccepted};
use super::received::{
    CallFailure, CallResult, FailedCall, IncomingCall, IncomingId, IncomingSend, Malformed, Received, RejectedResult,
    Unmatched,
};
use crate::time::Instant;

/// Characters of a malformed frame that are reported.
const EXCERPT: usize = 200;
/// Timed-out calls that a late answer is still recognised for.
const REMEMBERED_TIMEOUTS: usize = 8;
/// Answered calls of the peer that a repetition or a CALLRESULTERROR is still recognised for.
const REMEMBERED_ANSWERS: usize = 16;

/// What an [`Endpoint`] allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointConfig {
    /// How long a call waits for its answer, counted from when it is given out for transmission (2.1 part 4, 4.1.1
    /// leaves the choice open). 30 seconds.
    pub call_timeout: Duration,
    /// How many calls may wait in the queue. 1,000.
    pub queue_limit: usize,
    /// How many calls of the peer may wait for their answers at once. A peer that keeps to 4.1.1 has one, and again one
    /// after each of its timeouts. 32.
    pub incoming_limit: usize,
    /// The longest frame that is read, in bytes. 1 MiB.
    pub frame_limit: usize,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self { call_timeout: Duration::from_secs(30), queue_limit: 1000, incoming_limit: 32, frame_limit: 1 << 20 }
    }
}

#[derive(Debug)]
struct Queued {
    id: CallId,
    call: OutgoingCall,
}

#[derive(Debug)]
struct Outstanding {
    id: CallId,
    action: Cow<'static, str>,
    message_id: String,
    deadline: Instant,
}

#[derive(Debug)]
struct Handled {
    message_id: Box<str>,
    action: Box<str>,
}

/// One side of an OCPP-J conversation, for all connections of one station.
///
/// The driver's contract: tell it what happened with `handle_…`, then take what is to be sent with
/// [`poll_transmit`](Self::poll_transmit) until there is nothing more, then come back by
/// [`poll_timeout`](Self::poll_timeout) at the latest. A call is given an answer, a failure or a
/// [cancellation](Self::cancel), exactly one of them.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    message_ids: MessageIds,
    version: Option<Version>,
    connection: u64,
    next_call: u64,
    held: bool,
    ahead: VecDeque<Queued>,
    queue: VecDeque<Queued>,
    outstanding: Option<Outstanding>,
    timed_out: VecDeque<(String, CallId)>,
    last_result: Option<(CallId, String)>,
    handling: Vec<Handled>,
    answered: VecDeque<Handled>,
    transmit: VecDeque<String>,
}

impl Endpoint {
    /// An endpoint without a connection.
    #[must_use]
    pub fn new(config: EndpointConfig, message_ids: MessageIds) -> Self {
        Self {
            config,
            message_ids,
            version: None,
            connection: 0,
            next_call: 0,
            held: false,
            ahead: VecDeque::new(),
            queue: VecDeque::new(),
            outstanding: None,
            timed_out: VecDeque::new(),
            last_result: None,
            handling: Vec::new(),
            answered: VecDeque::new(),
            transmit: VecDeque::new(),
        }
    }

    /// A connection was made with this version. One that was there before ends: its calls are given back, as by
    /// [`handle_disconnect`](Self::handle_disconnect).
    pub fn handle_connect(&mut self, version: Version) -> Vec<FailedCall> {
        let failed = self.handle_disconnect();
        self.version = Some(version);
        failed
    }

    /// The connection ended. The outstanding call and the queued ones are given back in the order in which they were,
    /// or would have been, sent; whoever still wants them makes new calls. Whatever was left to be sent is dropped, the
    /// rights to answer calls of the peer become void, and a held queue is released.
    pub fn handle_disconnect(&mut self) -> Vec<FailedCall> {
        self.version = None;
        self.connection += 1;
        self.held = false;
        self.transmit.clear();
        self.handling.clear();
        self.answered.clear();
        self.timed_out.clear();
        self.last_result = None;
        let sent = self.outstanding.take().map(|call| (call.id, call.action, true));
        let queued = self.ahead.drain(..).chain(self.queue.drain(..));
        sent.into_iter()
            .chain(queued.map(|queued| (queued.id, queued.call.action, false)))
            .map(|(call, action, sent)| FailedCall { call, action, failure: CallFailure::Disconnected { sent } })
            .collect()
    }

    /// The version of the connection, `None` without one.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// What generates the message ids, so that its counter can be stored.
    #[must_use]
    pub fn message_ids(&self) -> &MessageIds {
        &self.message_ids
    }

    /// The call that waits for its answer.
    #[must_use]
    pub fn outstanding(&self) -> Option<CallId> {
        self.outstanding.as_ref().map(|call| call.id)
    }

    /// How many calls wait to be sent.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.ahead.len() + self.queue.len()
    }

    /// Keeps queued calls back until [`release`](Self::release), except those that go
    /// [ahead of the queue](OutgoingCall::ahead_of_queue). A call that was sent already is not affected.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// Ends [`hold`](Self::hold).
    pub fn release(&mut self) {
        self.held = false;
    }

    /// Queues a call. It is sent when it is its turn: one call at a time waits for its answer (2.1 part 4, 4.1.1; 1.6-J, 4.1.1).
    ///
    /// # Errors
    /// The call is given back where there is no connection, or where the queue is full.
    pub fn call(&mut self, call: OutgoingCall) -> Result<CallId, CallNotAccepted> {
        let reason = if self.version.is_none() {
            Some(NotAccepted::NotConnected)
        } else if self.queued() >= self.config.queue_limit {
            Some(NotAccepted::QueueFull)
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(CallNotAccepted { reason, call });
        }
        let id = CallId(self.next_call);
        self.next_call += 1;
        let queue = if call.ahead { &mut self.ahead } else { &mut self.queue };
        queue.push_back(Queued { id, call });
        Ok(id)
    }

    /// Takes a call back that was not sent yet. `false` where it was; its answer or failure will still be reported.
    pub fn cancel(&mut self, call: CallId) -> bool {
        for queue in [&mut self.ahead, &mut self.queue] {
            if let Some(place) = queue.iter().position(|queued| queued.id == call) {
                queue.remove(place);
                return true;
            }
        }
        false
    }

    /// Sends a message that is not answered, without waiting for anything (2.1 part 4, 4.2.4).
    ///
    /// # Errors
    /// Without a connection, and in versions other than 2.1.
    pub fn send(&mut self, action: &str, payload: &str) -> Result<(), SendNotAccepted> {
        match self.version {
            None => Err(SendNotAccepted::NotConnected),
            Some(Version::V2_1) => {
                let id = Cow::Owned(self.message_ids.generate());
                let frame = Frame::Send { id, action: Cow::Borrowed(action), payload };
                self.transmit.push_back(frame.encode());
                Ok(())
            }
            Some(version) => Err(SendNotAccepted::NotInThisVersion(version)),
        }
    }

    /// Answers a call of the peer with the text of a JSON object. `false` where the connection it came on has ended:
    /// there is nobody left to answer.
    pub fn respond(&mut self, id: IncomingId, payload: &str) -> bool {
        self.answer(&id, &Frame::CallResult { id: Cow::Borrowed(&id.message_id), payload })
    }

    /// Answers a call of the peer with an error. `false` where the connection it came on has ended.
    pub fn refuse(&mut self, id: IncomingId, error: &CallError) -> bool {
        let Some(version) = self.version else { return false };
        let frame = Frame::CallError {
            id: Cow::Borrowed(&id.message_id),
            code: Cow::Borrowed(error.code.as_str(version)),
            description: Cow::Borrowed(&error.description),
            details: error.details(),
        };
        self.answer(&id, &frame)
    }

    /// Answers a call of the peer whose payload could not be decoded. `false` where the connection it came on has ended.
    pub fn refuse_payload(&mut self, id: IncomingId, payload: &str, error: &DecodeError) -> bool {
        let Some(version) = self.version else { return false };
        self.refuse(id, &CallError::of_payload(MessageType::Call, payload, error, version))
    }

    fn answer(&mut self, id: &IncomingId, frame: &Frame<'_>) -> bool {
        if id.connection != self.connection {
            return false;
        }
        let Some(place) = self.handling.iter().position(|handled| handled.message_id == id.message_id) else {
            return false;
        };
        let handled = self.handling.swap_remove(place);
        remember(&mut self.answered, handled, REMEMBERED_ANSWERS);
        self.transmit.push_back(frame.encode());
        true
    }

    /// Tells the peer that its answer could not be used (CALLRESULTERROR, 2.1 part 4, 4.2.3). `false` where that cannot
    /// be said: in other versions, or where the answer was not the latest one of this connection.
    pub fn reject_result(&mut self, call: CallId, error: &CallError) -> bool {
        let Some(Version::V2_1) = self.version else { return false };
        let Some((_, message_id)) = self.last_result.take_if(|(latest, _)| *latest == call) else { return false };
        let frame = Frame::CallResultError {
            id: Cow::Borrowed(&message_id),
            code: Cow::Borrowed(error.code.as_str(Version::V2_1)),
            description: Cow::Borrowed(&error.description),
            details: error.details(),
        };
        self.transmit.push_back(frame.encode());
        true
    }

    /// The next frame to send. Answers and SENDs go first, then the next call if none is outstanding; the deadline of
    /// that call counts from `now`.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<String> {
        if let Some(text) = self.transmit.pop_front() {
            return Some(text);
        }
        if self.outstanding.is_some() {
            return None;
        }
        let next = match self.ahead.pop_front() {
            Some(next) => next,
            None if self.held => return None,
            None => self.queue.pop_front()?,
        };
        let message_id = self.message_ids.generate();
        let OutgoingCall { action, payload, timeout, .. } = next.call;
        let frame = Frame::Call { id: Cow::Borrowed(&message_id), action: Cow::Borrowed(&action), payload: &payload };
        let text = frame.encode();
        let deadline = now + timeout.unwrap_or(self.config.call_timeout);
        self.outstanding = Some(Outstanding { id: next.id, action, message_id, deadline });
        Some(text)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, `None` while nothing waits.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.outstanding.as_ref().map(|call| call.deadline)
    }

    /// Time has passed: the outstanding call, if its deadline has come (2.1 part 4, 4.1.1).
    pub fn handle_timeout(&mut self, now: Instant) -> Option<FailedCall> {
        let call = self.outstanding.take_if(|call| call.deadline <= now)?;
        remember(&mut self.timed_out, (call.message_id, call.id), REMEMBERED_TIMEOUTS);
        Some(FailedCall { call: call.id, action: call.action, failure: CallFailure::TimedOut })
    }

    /// A text message came. What is wrong with it is answered as the version has it; everything else is for the caller.
    ///
    /// An answer that comes after the deadline of its call, but before [`handle_timeout`](Self::handle_timeout) has said
    /// so, is an answer.
    pub fn handle_text<'a>(&mut self, text: &'a str) -> Received<'a> {
        let Some(version) = self.version else {
            // Sent before the connection ended, read after: nobody is there to answer.
            return malformed(FrameError::new(Problem::NotConnected), text, false);
        };
        let frame = if text.len() > self.config.frame_limit {
            Err(Frame::header_of_too_large(text, version, self.config.frame_limit))
        } else {
            Frame::parse(text, version).and_then(|frame| self.check(frame))
        };
        match frame {
            Ok(Frame::Call { id, action, payload }) => Received::Call(self.begin(&id, action, payload)),
            Ok(Frame::Send { id, action, payload }) => Received::Send(IncomingSend { message_id: id, action, payload }),
            Ok(Frame::CallResult { id, payload }) => self.handle_result(id, payload),
            Ok(Frame::CallError { id, code, description, details }) => {
                self.handle_error(id, CallError::from_wire(&code, &description, details))
            }
            Ok(Frame::CallResultError { id, code, description, details }) => {
                let answered = self.answered.iter().rev().find(|handled| *handled.message_id == *id);
                Received::ResultRejected(RejectedResult {
                    message_id: id.into(),
                    action: answered.map(|handled| handled.action.clone()),
                    error: CallError::from_wire(&code, &description, details),
                })
            }
            Err(error) => self.handle_malformed(error, text, version),
        }
    }

    /// The rules that a frame by itself knows nothing of.
    fn check<'a>(&self, frame: Frame<'a>) -> Result<Frame<'a>, FrameError<'a>> {
        let Frame::Call { id, action, payload } = frame else { return Ok(frame) };
        let problem = if self.handling.iter().any(|handled| *handled.message_id == *id) {
            // 2.1 part 4, 4.2.3
            Problem::DuplicateMessageId
        } else if self.handling.len() >= self.config.incoming_limit {
            Problem::TooManyCalls
        } else {
            return Ok(Frame::Call { id, action, payload });
        };
        Err(FrameError { problem, message_type: Some(MessageType::Call), message_id: Some(id), action: Some(action) })
    }

    fn begin<'a>(&mut self, id: &str, action: Cow<'a, str>, payload: &'a str) -> IncomingCall<'a> {
        self.handling.push(Handled { message_id: id.into(), action: (*action).into() });
        IncomingCall {
            id: IncomingId { connection: self.connection, message_id: id.into() },
            action,
            payload,
            repeated: self.answered.iter().any(|handled| *handled.message_id == *id),
        }
    }

    fn handle_result<'a>(&mut self, id: Cow<'a, str>, payload: &'a str) -> Received<'a> {
        let Some(call) = self.outstanding.take_if(|call| *call.message_id == *id) else {
            let late_for = self.late_for(&id);
            let message_type = MessageType::CallResult;
            return Received::Unmatched(Unmatched {
                message_type,
                message_id: id,
                late_for,
                payload: Some(payload),
                error: None,
            });
        };
        self.last_result = Some((call.id, call.message_id));
        Received::Result(CallResult { call: call.id, action: call.action, payload })
    }

    fn handle_error<'a>(&mut self, id: Cow<'a, str>, error: CallError) -> Received<'a> {
        let Some(call) = self.outstanding.take_if(|call| *call.message_id == *id) else {
            let late_for = self.late_for(&id);
            let message_type = MessageType::CallError;
            return Received::Unmatched(Unmatched {
                message_type,
                message_id: id,
                late_for,
                payload: None,
                error: Some(error),
            });
        };
        let failure = CallFailure::Refused(error);
        Received::Failed(FailedCall { call: call.id, action: call.action, failure })
    }

    fn handle_malformed<'a>(&mut self, error: FrameError<'a>, text: &'a str, version: Version) -> Received<'a> {
        let answers_call = matches!(error.message_type, Some(MessageType::CallResult | MessageType::CallError));
        let is_answer = error.message_type.is_some_and(MessageType::is_answer);
        let call = self
            .outstanding
            .take_if(|call| answers_call && error.message_id.as_deref().is_some_and(|id| *id == *call.message_id));
        // An answer to nothing gets no answer, however broken.
        let answer = if is_answer && call.is_none() { None } else { error.answer(version) };
        let answered = answer.is_some();
        self.transmit.extend(answer);
        match call {
            // The peer has answered; waiting for the deadline would gain nothing.
            Some(call) => {
                let failure = CallFailure::Unreadable(error.problem);
                Received::Failed(FailedCall { call: call.id, action: call.action, failure })
            }
            None => malformed(error, text, answered),
        }
    }

    fn late_for(&mut self, message_id: &str) -> Option<CallId> {
        let place = self.timed_out.iter().position(|(id, _)| id == message_id)?;
        self.timed_out.remove(place).map(|(_, call)| call)
    }

    /// A binary message came. OCPP-J is text (2.1 part 4, 4.1.2; 1.6-J, 4.1.2), so that nothing is read; the driver closes the
    /// connection with status 1003 (RFC 6455, 7.4.1).
    pub fn handle_binary(&mut self) -> Received<'static> {
        Received::Malformed(Malformed { problem: Problem::Binary, message_id: None, excerpt: "", answered: false })
    }
}

fn malformed<'a>(error: FrameError<'a>, text: &'a str, answered: bool) -> Received<'a> {
    let FrameError { problem, message_id, .. } = error;
    Received::Malformed(Malformed { problem, message_id, excerpt: truncated(text, EXCERPT), answered })
}

fn remember<T>(memory: &mut VecDeque<T>, item: T, limit: usize) {
    if memory.len() == limit {
        memory.pop_front();
    }
    memory.push_back(item);
}
