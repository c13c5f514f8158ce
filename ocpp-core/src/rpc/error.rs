//! What can be wrong with a frame, and what each of it is answered with.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use core::fmt;

use ocpp_types::{DecodeError, DecodeErrorKind, ErrorCode, Json, Version};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::frame::{Frame, MAX_MESSAGE_ID, MessageType, NO_DETAILS, is_object};

/// The content of a CALLERROR or CALLRESULTERROR.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallError {
    /// The code.
    pub code: ErrorCode,
    /// For a person to read; at most 255 characters are sent. May be empty.
    pub description: String,
    details: Box<str>,
}

impl CallError {
    /// An error without details.
    #[must_use]
    pub fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), details: NO_DETAILS.into() }
    }

    /// The same error with details. They have to be a JSON object; anything else is left out.
    #[must_use]
    pub fn with_details(mut self, details: &Json) -> Self {
        if is_object(details.get()) {
            self.details = details.get().into();
        }
        self
    }

    /// What to tell a peer whose payload could not be decoded: the code of the first finding, or that of a frame with
    /// too many elements, which only shows when the payload is read.
    #[must_use]
    pub fn of_payload(message_type: MessageType, payload: &str, error: &DecodeError, version: Version) -> Self {
        if error.kind == DecodeErrorKind::NotJson {
            let problem = FrameError::of_payload(message_type, payload);
            if let (Problem::ElementCount { .. }, Some(code)) = (&problem, problem.code(version)) {
                return Self::new(code, problem.to_string());
            }
        }
        Self::new(error.code(), error.description()).with_details(&error.details())
    }

    /// The text of a JSON object; `{}` where there is nothing to say.
    #[must_use]
    pub fn details(&self) -> &str {
        &self.details
    }

    /// `details` have been checked by [`Frame::parse`].
    pub(super) fn from_wire(code: &str, description: &str, details: &str) -> Self {
        Self { code: ErrorCode::from_wire(code), description: description.into(), details: details.into() }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if self.description.is_empty() { Ok(()) } else { write!(f, ": {}", self.description) }
    }
}

impl core::error::Error for CallError {}

/// What is wrong with a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It is longer than this side reads.
    #[error("the frame has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// The length of the frame.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// There is no connection that it could have come on.
    #[error("there is no connection")]
    NotConnected,
    /// It came in a binary WebSocket message.
    #[error("the frame is binary, OCPP-J is text")]
    Binary,
    /// It is not JSON, and the header could not be read either.
    #[error("the frame is not JSON")]
    NotJson,
    /// It is JSON, but no array.
    #[error("the frame is not a JSON array")]
    NotAnArray,
    /// The first element is missing or no integer.
    #[error("the message type is not an integer")]
    MessageTypeUnreadable,
    /// The first element is a number that the version does not know.
    #[error("the message type {0} is not known in this version")]
    UnknownMessageType(i64),
    /// The second element is missing or no string.
    #[error("the message id is not a string")]
    MessageIdUnreadable,
    /// The message id has this many characters.
    #[error("the message id has {0} characters, the limit is {MAX_MESSAGE_ID}")]
    MessageIdTooLong(usize),
    /// There are too many or too few elements.
    #[error("the frame has {found} elements instead of {expected}")]
    ElementCount {
        /// How many the message type has.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The action is no string.
    #[error("the action is not a string")]
    ActionUnreadable,
    /// The error code is no string.
    #[error("the error code is not a string")]
    ErrorCodeUnreadable,
    /// The header was read, but the payload is not JSON or the frame ends too early.
    #[error("the payload is not JSON")]
    PayloadNotJson,
    /// The payload is JSON, but no object.
    #[error("the payload is not a JSON object")]
    PayloadNotAnObject,
    /// A call with this message id is being handled already.
    #[error("a call with this message id is being handled already")]
    DuplicateMessageId,
    /// As many calls are being handled as this side allows at once.
    #[error("too many calls at once")]
    TooManyCalls,
}

/// A frame that cannot be used, with what of it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameError<'a> {
    /// What is wrong.
    pub problem: Problem,
    /// The message type, where it could be read and is known.
    pub message_type: Option<MessageType>,
    /// The message id, where it could be read.
    pub message_id: Option<Cow<'a, str>>,
    /// The action, where it could be read.
    pub action: Option<Cow<'a, str>>,
}

impl<'a> FrameError<'a> {
    pub(super) fn new(problem: Problem) -> Self {
        Self { problem, message_type: None, message_id: None, action: None }
    }

    /// What is wrong with a payload that a frame was read with and that turned out not to be JSON: either that, or the
    /// text holds more than one element, which the fast reading of the header cannot see.
    #[must_use]
    pub fn of_payload(message_type: MessageType, payload: &str) -> Problem {
        let array = alloc::format!("[{payload}]");
        match Elements::read(&array) {
            Ok(elements) if elements.count != 1 => Problem::ElementCount {
                expected: message_type.elements(),
                found: message_type.elements() - 1 + elements.count,
            },
            _ => Problem::PayloadNotJson,
        }
    }

    /// Replaces the first suspicion by the facts, now that time no longer matters.
    pub(super) fn diagnose(mut self, text: &'a str, version: Version) -> Self {
        match Elements::read(text) {
            Ok(elements) => self.diagnose_array(&elements, version),
            Err(_) if serde_json::from_str::<IgnoredAny>(text).is_ok() => self.problem = Problem::NotAnArray,
            Err(_) => {
                // Not JSON as a whole. With a readable header it is the payload that is broken or cut off.
                let header_is_known = match self.message_type {
                    Some(MessageType::Call | MessageType::Send) => self.action.is_some(),
                    Some(_) => self.message_id.is_some(),
                    None => false,
                };
                match self.problem {
                    Problem::UnknownMessageType(_) | Problem::MessageIdTooLong(_) => {}
                    _ if header_is_known => self.problem = Problem::PayloadNotJson,
                    _ => self.problem = Problem::NotJson,
                }
            }
        }
        self
    }

    fn diagnose_array(&mut self, elements: &Elements<'a>, version: Version) {
        let string = |place: usize| {
            let raw = elements.first.get(place).copied().flatten()?;
            serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned)
        };
        if self.message_id.is_none() {
            self.message_id = string(1);
        }
        let number = elements.first[0].and_then(|raw| serde_json::from_str::<i64>(raw.get()).ok());
        let Some(number) = number else {
            self.problem = Problem::MessageTypeUnreadable;
            return;
        };
        let Some(message_type) = MessageType::from_number(number, version) else {
            self.problem = Problem::UnknownMessageType(number);
            return;
        };
        self.message_type = Some(message_type);
        if self.message_id.is_none() {
            self.problem = Problem::MessageIdUnreadable;
            return;
        }
        if matches!(self.problem, Problem::MessageIdTooLong(_)) {
            return;
        }
        if elements.count != message_type.elements() {
            self.problem = Problem::ElementCount { expected: message_type.elements(), found: elements.count };
        }
    }

    /// The text of the frame that this one is answered with, if it is answered at all.
    #[must_use]
    pub fn answer(&self, version: Version) -> Option<String> {
        let code = self.code(version)?;
        let id = match (&self.message_id, version) {
            (Some(id), _) => Cow::Borrowed(&**id),
            // 2.1 part 4, 4.2.3: "-1" where the message id cannot be read.
            (None, Version::V2_0_1 | Version::V2_1) => Cow::Borrowed("-1"),
            (None, Version::V1_6) => return None,
        };
        let code = Cow::Borrowed(code.as_str(version));
        let description = Cow::Owned(self.problem.to_string());
        let answer = match self.message_type {
            Some(MessageType::CallResult) => Frame::CallResultError { id, code, description, details: NO_DETAILS },
            _ => Frame::CallError { id, code, description, details: NO_DETAILS },
        };
        Some(answer.encode())
    }

    /// The error code of the answer, `None` where the version has the frame ignored.
    #[must_use]
    pub fn code(&self, version: Version) -> Option<ErrorCode> {
        match (self.message_type, version) {
            // What can't be processed is answered by a CALLERROR (1.6-J errata 3.3); but neither a SEND (2.1 part 4, 4.2.4) nor an error is answered, and a CALLRESULT in 2.1 only (4.2.3).
            (Some(MessageType::Send | MessageType::CallError | MessageType::CallResultError), _)
            | (Some(MessageType::CallResult), Version::V1_6 | Version::V2_0_1) => None,
            _ => self.problem.code(version),
        }
    }
}

impl Problem {
    fn code(&self, version: Version) -> Option<ErrorCode> {
        match (self, version) {
            // The driver closes the connection instead (RFC 6455, 7.4.1: 1003).
            (Self::Binary | Self::NotConnected, _) => None,
            // 2.0.1 part 4, 4.4 asks for this answer. 2.1 no longer does, but keeps the code in its table 9, where it has
            // no other use; that the payload is ignored holds as well. 1.6 has that rule alone.
            (Self::UnknownMessageType(_), Version::V1_6) => None,
            (Self::UnknownMessageType(_), _) => Some(ErrorCode::MessageTypeNotSupported),
            (Self::PayloadNotJson | Self::PayloadNotAnObject, _) => Some(ErrorCode::FormatViolation),
            (Self::TooManyCalls, _) => Some(ErrorCode::InternalError),
            // Nothing says that it was a call; in 1.6 only calls are answered.
            (Self::MessageTypeUnreadable, Version::V1_6) => None,
            // OCPP-J 1.6, table 7: FormationViolation covers the structure of the message …
            (Self::NotJson | Self::ElementCount { .. } | Self::ActionUnreadable, Version::V1_6) => {
                Some(ErrorCode::FormatViolation)
            }
            // … and GenericError is for what no other code covers.
            (_, Version::V1_6) => Some(ErrorCode::GenericError),
            (_, Version::V2_0_1 | Version::V2_1) => Some(ErrorCode::RpcFrameworkError),
        }
    }
}

/// The elements of an array: how many, and the text of the first ones.
struct Elements<'a> {
    first: [Option<&'a RawValue>; 3],
    count: usize,
}

impl<'a> Elements<'a> {
    fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let elements = serde::Deserializer::deserialize_seq(&mut deserializer, ElementsVisitor)?;
        deserializer.end()?;
        Ok(elements)
    }
}

struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Elements<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut elements = Elements { first: [None; 3], count: 0 };
        for place in &mut elements.first {
            let Some(raw) = sequence.next_element()? else { return Ok(elements) };
            *place = Some(raw);
            elements.count += 1;
        }
        while sequence.next_element::<IgnoredAny>()?.is_some() {
            elements.count += 1;
        }
        Ok(elements)
    }
}
