//! Messages: what they have in common, and how they are decoded and judged.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Debug;

use crate::decode::{Decode, Encode, Wire, read_all};
use crate::finding::{DecodeError, Finding, FindingKind};
use crate::reader::{Reader, Unreadable, without_escapes_in_names};
use crate::schema::{ObjectSchema, Walk};
use crate::version::Version;

/// A message of one version: the payload of a CALL, CALLRESULT or SEND.
pub trait Message: Decode + Encode + Clone + Debug + PartialEq {
    /// The standard's name, such as `BootNotificationRequest`.
    const NAME: &'static str;
    /// The action that it belongs to, such as `BootNotification`.
    const ACTION: &'static str;
    /// The version that it belongs to.
    const VERSION: Version;
    /// Its schema.
    const SCHEMA: &'static ObjectSchema;
}

/// The payload of a CALL.
pub trait Request: Message {
    /// What answers it.
    type Response: Response;
    /// Who sends it.
    const DIRECTION: Direction;
}

/// The payload of a CALLRESULT.
pub trait Response: Message {}

/// The payload of a SEND, which nothing answers (2.1 part 4, 4.2.4).
pub trait OneWay: Message {
    /// Who sends it.
    const DIRECTION: Direction;
}

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The charging station.
    FromStation,
    /// The CSMS.
    FromCsms,
    /// Either side.
    Both,
}

/// What becomes of a message that departs from its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Conformance {
    /// It is refused, as part 4 allows.
    #[default]
    Strict,
    /// It is passed on together with the findings. Nothing is lost: unknown values of enumerations, over-long texts and extra
    /// members are part of the message, and optional members that cannot be used are kept raw. A message is still refused
    /// where a required member is missing or cannot be used.
    Lenient,
}

/// A decoded message and what departs from the schema in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded<M> {
    /// The message.
    pub message: M,
    /// Empty for a message that keeps its schema, and always empty in strict decoding.
    pub findings: Vec<Finding>,
}

impl<M> Decoded<M> {
    /// The same findings with something else made of the message.
    pub fn map<N>(self, make: impl FnOnce(M) -> N) -> Decoded<N> {
        Decoded { message: make(self.message), findings: self.findings }
    }
}

/// Reads a message from the JSON text of its payload.
///
/// A message that keeps its schema is read in one pass. Where something is off, a second pass finds out what and where.
///
/// ```
/// # #[cfg(feature = "v1_6")] {
/// use ocpp_types::{Conformance, decode, v1_6::AuthorizeRequest};
///
/// let request = decode::<AuthorizeRequest>(r#"{"idTag":"04A2B3C4"}"#, Conformance::Strict)?.message;
/// assert_eq!(&*request.id_tag, "04A2B3C4");
///
/// let error = decode::<AuthorizeRequest>(r#"{"idTag":7}"#, Conformance::Strict).unwrap_err();
/// assert_eq!(error.findings[0].path, "/idTag");
/// assert_eq!(error.code().as_str(ocpp_types::Version::V1_6), "TypeConstraintViolation");
/// # }
/// # Ok::<(), ocpp_types::DecodeError>(())
/// ```
///
/// # Errors
/// The text is not JSON, or departs from the schema in a way that the conformance does not accept.
pub fn decode<M: Message>(text: &str, conformance: Conformance) -> Result<Decoded<M>, DecodeError> {
    let mut reader = Reader::new(text);
    match read_all(&mut reader) {
        Ok(message) if !reader.is_noted() => Ok(Decoded { message, findings: Vec::new() }),
        outcome => judge(text, outcome, conformance),
    }
}

#[cold]
fn judge<M: Message>(
    text: &str,
    outcome: Result<M, Unreadable>,
    conformance: Conformance,
) -> Result<Decoded<M>, DecodeError> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| DecodeError::not_json(&error))?;
    let findings = Walk::findings(text, M::SCHEMA, M::VERSION);
    if conformance == Conformance::Strict && !findings.is_empty() {
        return Err(DecodeError::violations(findings));
    }
    match outcome.or_else(|_| read_all(&mut Reader::careful(&without_escapes_in_names(text)))) {
        Ok(message) => Ok(Decoded { message, findings }),
        Err(_) if !findings.is_empty() => Err(DecodeError::violations(findings)),
        // Not reached while decoder and schema agree, which the tests hold them to.
        Err(error) => Err(DecodeError::violations(
            [Finding { path: String::new(), kind: FindingKind::Unreadable, message: error.to_string() }].into(),
        )),
    }
}

/// All departures of a JSON text from a message's schema, without decoding it.
///
/// # Errors
/// The text is not JSON.
pub fn findings(text: &str, schema: &ObjectSchema, version: Version) -> Result<Vec<Finding>, DecodeError> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| DecodeError::not_json(&error))?;
    Ok(Walk::findings(text, schema, version))
}

/// Writes the payload of a message as compact JSON.
#[must_use]
pub fn encode<M: Message>(message: &M) -> String {
    // No map key is anything but a string, and no generated type refuses to be written.
    serde_json::to_string(&Wire(message)).unwrap_or_default()
}

/// Appends the payload of a message to a text, as compact JSON.
#[cfg(feature = "std")]
pub fn encode_into<M: Message>(message: &M, buffer: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _ = serde_json::to_writer(buffer, &Wire(message));
}
