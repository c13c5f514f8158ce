//! What the dialects of all versions share in writing calls.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use ocpp_types::{Conformance, DecodeError, DecodeErrorKind, Message, Text, Version, decode, encode};
use serde::de::IgnoredAny;

use super::command::CallOutcome;
use super::dialect::{AnswerForm, Call};
use super::event::Finding;
use super::findings::to_finding;

/// Text of a command as the schema bounds it, or what is wrong with it.
pub(super) fn bounded<const MAX: usize>(path: &str, text: &str) -> Result<Text<MAX>, CallOutcome> {
    Text::new(text).map_err(|error| invalid(path, error.to_string()))
}

/// A request with a member that the application has written as JSON, or what is wrong with it.
pub(super) fn with_member<M: Message>(request: &M, name: &str, json: Option<&str>) -> Result<M, CallOutcome> {
    let Some(json) = json else { return Ok(request.clone()) };
    if let Err(error) = serde_json::from_str::<IgnoredAny>(json) {
        return Err(invalid(&format!("/{name}"), format!("not JSON: {error}")));
    }
    let mut text = encode(request);
    // An object ends with a brace, and those of commands are never empty.
    text.truncate(text.len().saturating_sub(1));
    text.push_str(&format!(",\"{name}\":{json}}}"));
    match decode::<M>(&text, Conformance::Strict) {
        Ok(decoded) => Ok(decoded.message),
        Err(error) => Err(refusal(&error, M::VERSION)),
    }
}

/// A command whose value at this path can't be sent.
pub(super) fn invalid(path: &str, message: impl Into<String>) -> CallOutcome {
    let code = "PropertyConstraintViolation".into();
    CallOutcome::Invalid { findings: [Finding { path: path.into(), code, message: message.into() }].into() }
}

/// A call as the application wrote it. `check` decodes it as strictly as the version has it.
pub(super) fn raw(
    version: Version,
    action: &str,
    payload: &str,
    check: Option<impl FnOnce(&str, &str) -> Result<(), DecodeError>>,
) -> Result<Call, CallOutcome> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(payload) {
        let code = ocpp_types::ErrorCode::FormatViolation.as_str(version).to_string();
        let finding = Finding { path: String::new(), code, message: error.to_string() };
        return Err(CallOutcome::Invalid { findings: [finding].into() });
    }
    if let Some(check) = check {
        check(action, payload).map_err(|error| refusal(&error, version))?;
    }
    Ok(Call {
        action: Cow::Owned(action.to_string()),
        payload: compact(payload),
        answer: AnswerForm::Raw,
        message: None,
    })
}

fn refusal(error: &DecodeError, version: Version) -> CallOutcome {
    match error.kind {
        DecodeErrorKind::UnknownAction(_) | DecodeErrorKind::WrongDirection(_) => CallOutcome::NotSupported,
        _ => {
            let findings = error.findings.iter().map(|finding| to_finding(finding, version)).collect();
            CallOutcome::Invalid { findings }
        }
    }
}

/// Valid JSON without the space between its tokens.
fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for character in json.chars() {
        if quoted {
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            quoted = character == '"';
        }
        text.push(character);
    }
    text
}

/// Text as a JSON string.
pub(super) fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_kept_where_it_means_something() {
        assert_eq!(compact(" { \"a b\" : [ 1.0 , \"\\\" \\\\\" , true ] }\n"), r#"{"a b":[1.0,"\" \\",true]}"#);
    }
}
