//! The judgement on one message.

use ocpp_core::types::{Conformance, DecodeError, DecodeErrorKind, Version};
use serde::Serialize;

/// Whether a payload belongs to a request or to a response. A message without an answer, such as 2.1's
/// `NotifyPeriodicEventStream`, is a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A request.
    Request,
    /// A response.
    Response,
}

/// What was found in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it passes.
    pub valid: bool,
    /// Every departure from the schema.
    pub findings: Vec<Finding>,
    /// The payload, encoded again from the typed message; `None` where there is none.
    pub payload: Option<String>,
}

/// One departure from the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// JSON Pointer into the payload; empty for the payload itself, and for what isn't about the payload.
    pub path: String,
    /// The error code in the spelling of the version.
    pub code: String,
    /// For a person.
    pub message: String,
}

/// Reads a payload as the message of an action.
///
/// It is read leniently in any case, so that all findings are seen and as much as possible is encoded again. Strict means
/// that a finding makes the message invalid.
#[must_use]
pub fn judge(version: Version, kind: MessageKind, action: &str, payload: &str, conformance: Conformance) -> Judgement {
    let decoded = match version {
        Version::V1_6 => v1_6(kind, action, payload),
        Version::V2_0_1 => v2_0_1(kind, action, payload),
        Version::V2_1 => v2_1(kind, action, payload),
    };
    let spelled = |finding: &ocpp_core::types::Finding| Finding {
        path: finding.path.clone(),
        code: finding.code().as_str(version).to_owned(),
        message: finding.message.clone(),
    };
    match decoded {
        Ok((payload, findings)) => Judgement {
            valid: findings.is_empty() || conformance == Conformance::Lenient,
            findings: findings.iter().map(spelled).collect(),
            payload: Some(payload),
        },
        Err(error) if error.findings.is_empty() => {
            let code = error.code().as_str(version).to_owned();
            let message = match (&error.kind, kind) {
                (DecodeErrorKind::WrongDirection(action), MessageKind::Response) => format!("{action} has no response"),
                _ => error.to_string(),
            };
            Judgement { valid: false, findings: vec![Finding { path: String::new(), code, message }], payload: None }
        }
        Err(error) => Judgement { valid: false, findings: error.findings.iter().map(spelled).collect(), payload: None },
    }
}

type Read = Result<(String, Vec<ocpp_core::types::Finding>), DecodeError>;

/// The same for each version: what one side doesn't send, the other does.
macro_rules! read {
    ($version:ident) => {
        fn $version(kind: MessageKind, action: &str, payload: &str) -> Read {
            use ocpp_core::types::$version::{CsmsRequest, CsmsResponse, StationRequest, StationResponse};

            macro_rules! read {
                ($sum:ident) => {
                    $sum::decode(action, payload, Conformance::Lenient)
                        .map(|decoded| (decoded.message.encode(), decoded.findings))
                };
            }
            let misdirected =
                |read: &Read| matches!(read, Err(error) if matches!(error.kind, DecodeErrorKind::WrongDirection(_)));
            let read = match kind {
                MessageKind::Request => read!(StationRequest),
                MessageKind::Response => read!(CsmsResponse),
            };
            match kind {
                _ if !misdirected(&read) => read,
                MessageKind::Request => read!(CsmsRequest),
                MessageKind::Response => read!(StationResponse),
            }
        }
    };
}

read!(v1_6);
read!(v2_0_1);
read!(v2_1);

#[cfg(test)]
mod tests {
    use super::*;

    fn strict(version: Version, kind: MessageKind, action: &str, payload: &str) -> Judgement {
        judge(version, kind, action, payload, Conformance::Strict)
    }

    #[test]
    fn both_directions_are_known_in_all_versions() {
        for (version, kind, action, payload) in [
            (Version::V1_6, MessageKind::Request, "Heartbeat", "{}"),
            (Version::V1_6, MessageKind::Request, "Reset", r#"{"type":"Soft"}"#),
            (Version::V1_6, MessageKind::Response, "Reset", r#"{"status":"Accepted"}"#),
            (Version::V1_6, MessageKind::Response, "Heartbeat", r#"{"currentTime":"2026-11-20T10:00:00.000Z"}"#),
            (Version::V2_0_1, MessageKind::Request, "Reset", r#"{"type":"Immediate"}"#),
            (Version::V2_0_1, MessageKind::Response, "StatusNotification", "{}"),
            (Version::V2_1, MessageKind::Response, "ClearCache", r#"{"status":"Accepted"}"#),
            (Version::V2_1, MessageKind::Request, "DataTransfer", r#"{"vendorId":"x"}"#),
        ] {
            let judgement = strict(version, kind, action, payload);
            assert_eq!(judgement.payload.as_deref(), Some(payload), "{version} {action}: {judgement:?}");
            assert!(judgement.valid && judgement.findings.is_empty());
        }
    }

    #[test]
    fn a_code_is_spelled_as_its_version_does() {
        let code = |version| strict(version, MessageKind::Request, "BootNotification", "{}").findings[0].code.clone();
        assert_eq!(code(Version::V1_6), "OccurenceConstraintViolation");
        assert_eq!(code(Version::V2_0_1), "OccurrenceConstraintViolation");
        let code = |version| strict(version, MessageKind::Request, "Heartbeat", r#"{"x":1}"#).findings[0].code.clone();
        assert_eq!(code(Version::V1_6), "FormationViolation");
        assert_eq!(code(Version::V2_1), "FormatViolation");
    }

    #[test]
    fn an_unknown_action_is_not_implemented_and_a_message_without_answer_has_none() {
        let judgement = strict(Version::V1_6, MessageKind::Request, "TransactionEvent", "{}");
        assert_eq!((judgement.valid, judgement.findings[0].code.as_str()), (false, "NotImplemented"));
        let payload = r#"{"id":1,"pending":0,"basetime":"2026-11-20T10:00:00.000Z","data":[{"t":0,"v":"1"}]}"#;
        let send = strict(Version::V2_1, MessageKind::Request, "NotifyPeriodicEventStream", payload);
        assert!(send.valid, "{send:?}");
        assert!(!strict(Version::V2_1, MessageKind::Response, "NotifyPeriodicEventStream", "{}").valid);
    }

    #[test]
    fn lenient_passes_what_can_be_read_with_its_findings_and_loses_nothing() {
        let payload = r#"{"type":"Sometimes","extra":[1,{"a":null}]}"#;
        let lenient = judge(Version::V2_0_1, MessageKind::Request, "Reset", payload, Conformance::Lenient);
        assert!(lenient.valid);
        assert_eq!(lenient.findings.len(), 2);
        assert_eq!(lenient.payload.as_deref(), Some(payload));
        let strict = strict(Version::V2_0_1, MessageKind::Request, "Reset", payload);
        assert_eq!((strict.valid, strict.findings), (false, lenient.findings));
        let hopeless = judge(Version::V2_0_1, MessageKind::Request, "Reset", r#"{"type":1}"#, Conformance::Lenient);
        assert_eq!((hopeless.valid, hopeless.payload), (false, None));
    }
}
