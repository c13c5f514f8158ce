//! What departs from the schema, where, and what a peer is told about it.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::error_code::ErrorCode;
use crate::json::Json;

/// One departure of a message from its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: a JSON Pointer (RFC 6901) into the payload, such as `/meterValue/0/timestamp`. For a missing member it is where
    /// the member would be; empty for the payload itself.
    pub path: String,
    /// What.
    pub kind: FindingKind,
    /// For people: what was found and what is right.
    pub message: String,
}

impl Finding {
    /// The error code that says so to the peer; its spelling depends on the version.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.kind.code()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the payload" } else { &self.path };
        write!(f, "{path}: {}", self.message)
    }
}

/// The kinds of departures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// The text is not JSON.
    NotJson,
    /// The payload is JSON but not an object.
    NotAnObject,
    /// A part is JSON by its grammar and still cannot be read, such as half of a surrogate pair.
    Unreadable,
    /// A member that the schema does not define (1.6-J errata 3.2).
    ExtraMember,
    /// A member that occurs more than once.
    Repeated,
    /// A required member is not there.
    Missing,
    /// A list has fewer items than required.
    TooFewItems,
    /// A list has more items than allowed.
    TooManyItems,
    /// A value of another JSON type, a fraction where an integer belongs, `null`.
    WrongType,
    /// A text with more characters than allowed.
    TooLong,
    /// A number outside of its range, or one that cannot be computed with.
    OutOfRange,
    /// A text that the enumeration does not have.
    UnlistedValue,
    /// A text that is no date and time of RFC 3339, or no URI of RFC 3986.
    BadFormat,
}

impl FindingKind {
    /// The error code for this kind (2.1 part 4, 4.3; 1.6-J, 4.2.3).
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::NotJson | Self::NotAnObject | Self::Unreadable | Self::ExtraMember | Self::Repeated => {
                ErrorCode::FormatViolation
            }
            Self::Missing | Self::TooFewItems | Self::TooManyItems => ErrorCode::OccurrenceConstraintViolation,
            Self::WrongType => ErrorCode::TypeConstraintViolation,
            Self::TooLong | Self::OutOfRange | Self::UnlistedValue | Self::BadFormat => {
                ErrorCode::PropertyConstraintViolation
            }
        }
    }
}

/// Why a message was not decoded: the peer's fault, in words that can be sent back to it.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodeError {
    /// What kind of fault.
    pub kind: DecodeErrorKind,
    /// Where and what, for [`DecodeErrorKind::NotJson`] and [`DecodeErrorKind::Violations`].
    pub findings: Vec<Finding>,
}

/// The kinds of faults that keep a message from being decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The text is not JSON.
    NotJson,
    /// The payload departs from the schema: at all, when strict; where a required member cannot be had, when lenient.
    Violations,
    /// The version has no such action.
    UnknownAction(Box<str>),
    /// The action is one that the other side sends.
    WrongDirection(Box<str>),
}

impl DecodeError {
    pub(crate) fn not_json(error: &serde_json::Error) -> Self {
        let message = format!("not JSON: {error}");
        let finding = Finding { path: String::new(), kind: FindingKind::NotJson, message };
        Self { kind: DecodeErrorKind::NotJson, findings: [finding].into() }
    }

    pub(crate) fn violations(findings: Vec<Finding>) -> Self {
        Self { kind: DecodeErrorKind::Violations, findings }
    }

    /// The version has no such action.
    #[must_use]
    pub fn unknown_action(action: &str) -> Self {
        Self { kind: DecodeErrorKind::UnknownAction(action.into()), findings: Vec::new() }
    }

    /// The action is one that the other side sends.
    #[must_use]
    pub fn wrong_direction(action: &str) -> Self {
        Self { kind: DecodeErrorKind::WrongDirection(action.into()), findings: Vec::new() }
    }

    /// The error code to answer with: that of the first finding, or of the unknown or misdirected action.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match &self.kind {
            DecodeErrorKind::NotJson => ErrorCode::FormatViolation,
            DecodeErrorKind::Violations => self.findings.first().map_or(ErrorCode::FormatViolation, Finding::code),
            DecodeErrorKind::UnknownAction(_) => ErrorCode::NotImplemented,
            DecodeErrorKind::WrongDirection(_) => ErrorCode::NotSupported,
        }
    }

    /// The description to answer with, of at most 255 characters.
    #[must_use]
    pub fn description(&self) -> String {
        let text = self.to_string();
        match text.char_indices().nth(255) {
            Some((end, _)) => text[..end].to_owned(),
            None => text,
        }
    }

    /// The details to answer with: up to ten findings by path and message, as a JSON object.
    #[must_use]
    pub fn details(&self) -> Json {
        let findings: serde_json::Map<_, _> = self
            .findings
            .iter()
            .take(10)
            .map(|finding| (finding.path.clone(), serde_json::Value::String(finding.message.clone())))
            .collect();
        Json::from_serialize(&findings).unwrap_or_else(|_| Json::null())
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            DecodeErrorKind::UnknownAction(action) => write!(f, "there is no action {action} in this version"),
            DecodeErrorKind::WrongDirection(action) => write!(f, "{action} is sent in the other direction"),
            DecodeErrorKind::NotJson | DecodeErrorKind::Violations => {
                for (index, finding) in self.findings.iter().enumerate() {
                    if index > 0 {
                        f.write_str("; ")?;
                    }
                    finding.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl core::error::Error for DecodeError {}
