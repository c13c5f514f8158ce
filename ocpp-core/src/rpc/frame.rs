//! The codec of one frame.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use ocpp_types::Version;
use serde::de::IgnoredAny;

use super::error::{FrameError, Problem};
use super::scan::{Scanner, is_plain};

/// Characters that a message id may have (2.1 part 4, table 4; 1.6-J, 4.1.4).
pub const MAX_MESSAGE_ID: usize = 36;

/// Characters that an error description may have (2.1 part 4, table 7); 1.6 has no limit and gets the same.
pub const MAX_DESCRIPTION: usize = 255;

/// What the standard wants where there are no details (2.1 part 4, table 7).
pub(super) const NO_DETAILS: &str = "{}";

/// Characters in which the header of a frame is looked for that is too long to be read.
const LONGEST_HEADER: usize = 1024;

/// The kind of a frame, its first element (2.1 part 4, table 3; 1.6-J, 4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageType {
    /// 2: a request that is answered.
    Call,
    /// 3: the answer to a request.
    CallResult,
    /// 4: the refusal of a request.
    CallError,
    /// 5: the refusal of an answer, since 2.1.
    CallResultError,
    /// 6: a message that is not answered, since 2.1.
    Send,
}

impl MessageType {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Call => 2,
            Self::CallResult => 3,
            Self::CallError => 4,
            Self::CallResultError => 5,
            Self::Send => 6,
        }
    }

    /// The kind that a number stands for in a version; 5 and 6 stand for something in 2.1 only.
    #[must_use]
    pub const fn from_number(number: i64, version: Version) -> Option<Self> {
        match (number, version) {
            (2, _) => Some(Self::Call),
            (3, _) => Some(Self::CallResult),
            (4, _) => Some(Self::CallError),
            (5, Version::V2_1) => Some(Self::CallResultError),
            (6, Version::V2_1) => Some(Self::Send),
            _ => None,
        }
    }

    /// How many elements such a frame has.
    #[must_use]
    pub const fn elements(self) -> usize {
        match self {
            Self::Call | Self::Send => 4,
            Self::CallResult => 3,
            Self::CallError | Self::CallResultError => 5,
        }
    }

    /// Whether it answers something that this side has sent, and so is not answered with a CALLERROR itself.
    #[must_use]
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::CallResult | Self::CallError | Self::CallResultError)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "CALL",
            Self::CallResult => "CALLRESULT",
            Self::CallError => "CALLERROR",
            Self::CallResultError => "CALLRESULTERROR",
            Self::Send => "SEND",
        })
    }
}

/// One frame, borrowed from its text.
///
/// `payload` is the JSON text between the header and the closing bracket, **not yet read**: it starts with `{` and ends
/// with `}`, and that is all that [`parse`](Self::parse) has looked at. The typed decode that follows is the one pass
/// over it, and finds broken JSON and surplus elements; [`FrameError::of_payload`] then tells the two apart.
/// `null`, the other notation for "no payload" (2.1 part 4, 4.1.5), is handed on as `{}`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame<'a> {
    /// A request.
    Call {
        /// The message id.
        id: Cow<'a, str>,
        /// The name of the message without `Request`.
        action: Cow<'a, str>,
        /// The payload, unread.
        payload: &'a str,
    },
    /// An answer.
    CallResult {
        /// The message id of the request.
        id: Cow<'a, str>,
        /// The payload, unread.
        payload: &'a str,
    },
    /// The refusal of a request.
    CallError {
        /// The message id of the request.
        id: Cow<'a, str>,
        /// The error code as it was written.
        code: Cow<'a, str>,
        /// The description; empty where the peer left it out.
        description: Cow<'a, str>,
        /// A JSON object, checked; `{}` where the peer left it out or wrote something else.
        details: &'a str,
    },
    /// The refusal of an answer (2.1).
    CallResultError {
        /// The message id of the answer.
        id: Cow<'a, str>,
        /// The error code as it was written.
        code: Cow<'a, str>,
        /// The description; empty where the peer left it out.
        description: Cow<'a, str>,
        /// A JSON object, checked; `{}` where the peer left it out or wrote something else.
        details: &'a str,
    },
    /// A message that is not answered (2.1).
    Send {
        /// The message id.
        id: Cow<'a, str>,
        /// The name of the message.
        action: Cow<'a, str>,
        /// The payload, unread.
        payload: &'a str,
    },
}

impl<'a> Frame<'a> {
    /// Reads the header of a frame; never recurses, whatever the nesting of the payload.
    ///
    /// # Errors
    /// What is wrong with the frame, and what of it could be read.
    pub fn parse(text: &'a str, version: Version) -> Result<Self, FrameError<'a>> {
        let mut known = FrameError::new(Problem::NotJson);
        Self::scan(text, version, &mut known).map_err(|suspected| {
            known.problem = suspected;
            known.diagnose(text, version)
        })
    }

    /// What the beginning of a frame that is too long says about who it is from and for; the rest is not looked at.
    pub(super) fn header_of_too_large(text: &'a str, version: Version, limit: usize) -> FrameError<'a> {
        let problem = Problem::TooLarge { bytes: text.len(), limit };
        let mut known = FrameError::new(problem.clone());
        let header = truncated(text, LONGEST_HEADER);
        // Cut off as it is, it is no frame; what was seen up to there is left in `known`.
        let _ = Self::scan(header, version, &mut known);
        known.problem = problem;
        known
    }

    /// Reads the header, and leaves in `known` what it has seen where that fails.
    fn scan(text: &'a str, version: Version, known: &mut FrameError<'a>) -> Result<Self, Problem> {
        let mut scanner = Scanner::new(text);
        scanner.punctuation(b'[').ok_or(Problem::NotAnArray)?;
        let number = scanner.integer().ok_or(Problem::MessageTypeUnreadable)?;
        let message_type = MessageType::from_number(number, version);
        known.message_type = message_type;
        scanner.punctuation(b',').ok_or(Problem::MessageIdUnreadable)?;
        let id = scanner.string().ok_or(Problem::MessageIdUnreadable)?;
        known.message_id = Some(id.clone());
        let message_type = message_type.ok_or(Problem::UnknownMessageType(number))?;
        let characters = if id.len() > MAX_MESSAGE_ID { id.chars().count() } else { 0 };
        if characters > MAX_MESSAGE_ID {
            return Err(Problem::MessageIdTooLong(characters));
        }
        let missing = |found| Problem::ElementCount { expected: message_type.elements(), found };
        scanner.punctuation(b',').ok_or(missing(2))?;
        match message_type {
            MessageType::CallResult => Ok(Self::CallResult { id, payload: payload(&mut scanner)? }),
            MessageType::Call | MessageType::Send => {
                let action = scanner.string().ok_or(Problem::ActionUnreadable)?;
                known.action = Some(action.clone());
                scanner.punctuation(b',').ok_or(missing(3))?;
                let payload = payload(&mut scanner)?;
                Ok(match message_type {
                    MessageType::Call => Self::Call { id, action, payload },
                    _ => Self::Send { id, action, payload },
                })
            }
            MessageType::CallError | MessageType::CallResultError => {
                // What is refused is clear without the rest, and some peers leave it out.
                let code = scanner.string().ok_or(Problem::ErrorCodeUnreadable)?;
                if serde_json::from_str::<IgnoredAny>(text).is_err() {
                    return Err(Problem::PayloadNotJson);
                }
                let description = scanner.punctuation(b',').and_then(|()| scanner.string()).unwrap_or_default();
                let details = scanner.punctuation(b',').and_then(|()| scanner.rest_of_array()).unwrap_or(NO_DETAILS);
                let details = if is_object(details) { details } else { NO_DETAILS };
                Ok(match message_type {
                    MessageType::CallError => Self::CallError { id, code, description, details },
                    _ => Self::CallResultError { id, code, description, details },
                })
            }
        }
    }

    /// The kind of the frame.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::Call { .. } => MessageType::Call,
            Self::CallResult { .. } => MessageType::CallResult,
            Self::CallError { .. } => MessageType::CallError,
            Self::CallResultError { .. } => MessageType::CallResultError,
            Self::Send { .. } => MessageType::Send,
        }
    }

    /// The message id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Call { id, .. }
            | Self::CallResult { id, .. }
            | Self::CallError { id, .. }
            | Self::CallResultError { id, .. }
            | Self::Send { id, .. } => id,
        }
    }

    /// Writes the frame, compact (2.1 part 4, 4.2; 1.6-J, 4.2.1 to 4.2.3). `payload` and `details` are written as they are: they have to be JSON objects.
    /// The description is cut to [`MAX_DESCRIPTION`] characters.
    #[must_use]
    pub fn encode(&self) -> String {
        let (payload, strings) = match self {
            Self::Call { action, payload, .. } | Self::Send { action, payload, .. } => {
                (*payload, [Some(&**action), None])
            }
            Self::CallResult { payload, .. } => (*payload, [None, None]),
            Self::CallError { code, description, details, .. }
            | Self::CallResultError { code, description, details, .. } => {
                (*details, [Some(&**code), Some(truncated(description, MAX_DESCRIPTION))])
            }
        };
        let strings_length: usize = strings.iter().flatten().map(|text| text.len() + 3).sum();
        let mut text = String::with_capacity(payload.len() + self.id().len() + strings_length + 8);
        text.push('[');
        text.push(match self.message_type() {
            MessageType::Call => '2',
            MessageType::CallResult => '3',
            MessageType::CallError => '4',
            MessageType::CallResultError => '5',
            MessageType::Send => '6',
        });
        for string in core::iter::once(self.id()).chain(strings.into_iter().flatten()) {
            text.push(',');
            push_string(&mut text, string);
        }
        text.push(',');
        text.push_str(payload);
        text.push(']');
        text
    }
}

fn payload<'a>(scanner: &mut Scanner<'a>) -> Result<&'a str, Problem> {
    // Without the closing bracket the frame was cut short or has something behind it.
    let payload = scanner.rest_of_array().ok_or(Problem::PayloadNotJson)?;
    match payload {
        "null" => Ok("{}"),
        _ if payload.starts_with('{') && payload.ends_with('}') => Ok(payload),
        _ => Err(Problem::PayloadNotAnObject),
    }
}

/// Whether a text is exactly one JSON object. Scans without recursion.
pub(super) fn is_object(text: &str) -> bool {
    text.starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The first characters of a text.
pub(super) fn truncated(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

fn push_string(text: &mut String, string: &str) {
    if is_plain(string) {
        text.push('"');
        text.push_str(string);
        text.push('"');
    } else {
        // Serialising a string fails only where the writer does, and this one is memory.
        text.push_str(&serde_json::to_string(string).unwrap_or_default());
    }
}
