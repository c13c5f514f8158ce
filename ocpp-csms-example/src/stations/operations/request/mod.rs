//! What operators and programs can have a station do, in words that do not depend on its version.
//!
//! Where the standard has an object of its own, such as a charging profile, it is taken in the form of 2.1; the engine writes it for
//! the station's version.

mod administer;
mod operate;

use std::time::Duration;

use ocpp_core::csms::flows::Flow;
use ocpp_core::csms::{self, Command, Place};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use administer::{Administer, Network, Purpose};
pub use operate::{Operate, Restart};

/// Anything of the two.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Request {
    /// Day-to-day operation.
    Operate(Operate),
    /// Set-up and security.
    Administer(Administer),
}

impl From<Operate> for Request {
    fn from(request: Operate) -> Self {
        Self::Operate(request)
    }
}

impl From<Administer> for Request {
    fn from(request: Administer) -> Self {
        Self::Administer(request)
    }
}

/// What a request has to say that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRequest(pub String);

/// What is known of tokens, so that a request need not say it.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The kind of the token that the request names.
    pub(super) token_type: Option<String>,
    /// Its group.
    pub(super) group: Option<String>,
    /// A number that no other operation has.
    pub(super) number: i64,
}

impl Request {
    /// Its name, such as `reset`, and its particulars without secrets.
    #[must_use]
    pub fn describe(&self) -> (String, Value) {
        let Ok(Value::Object(mut request)) = serde_json::to_value(self) else { return (String::new(), Value::Null) };
        let kind = match request.remove("operation") {
            Some(Value::String(kind)) => kind,
            _ => String::new(),
        };
        request.retain(|name, value| name != "password" && !value.is_null());
        (kind, Value::Object(request))
    }

    /// The token that it names, and the kind if that is said.
    pub(super) fn token(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Operate(
                Operate::RemoteStart { token, token_type, .. } | Operate::Reserve { token, token_type, .. },
            )
            | Self::Administer(Administer::CustomerInformation { token: Some(token), token_type, .. }) => {
                Some((token, token_type.as_deref()))
            }
            _ => None,
        }
    }

    /// As the engine knows it.
    pub(super) fn command(self, known: Known) -> Result<Command, BadRequest> {
        match self {
            Self::Operate(request) => operate::command(request, known),
            Self::Administer(request) => administer::command(request, known),
        }
    }
}

fn flow(flow: Flow) -> Command {
    Command::Flow(Box::new(flow))
}

fn seconds(seconds: Option<u32>) -> Option<Duration> {
    seconds.map(|seconds| Duration::from_secs(seconds.into()))
}

fn token_of(token: String, kind: Option<String>) -> csms::Token {
    match kind {
        Some(kind) => csms::Token::with_kind(token, kind),
        None => csms::Token::new(token),
    }
}

fn place(evse: Option<i64>, connector: Option<i64>) -> Result<Option<Place>, BadRequest> {
    match (evse, connector) {
        (None, None) => Ok(None),
        (Some(evse), connector) => Ok(Some(Place { evse, connector })),
        (None, Some(_)) => Err(BadRequest("a connector is named together with its evse".to_owned())),
    }
}

/// An object of the standard.
fn typed<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, BadRequest> {
    serde_json::from_value(value).map_err(|error| BadRequest(format!("{name} is not as 2.1 has it: {error}")))
}

fn typed_list<T: DeserializeOwned>(name: &str, values: Vec<Value>) -> Result<Vec<T>, BadRequest> {
    values.into_iter().map(|value| typed(name, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A01.FR.09; 1.6 security, A01.FR.09
    #[test]
    fn a_password_is_not_part_of_what_is_kept() {
        let request = Request::from(Administer::ChangePassword { password: "0123456789abcdef".to_owned() });
        let (kind, kept) = request.describe();
        assert_eq!((kind.as_str(), kept.to_string()), ("change_password", "{}".to_owned()));
    }

    #[test]
    fn a_password_is_not_written_as_any_setting() {
        for name in ["AuthorizationKey", "SecurityCtrlr.BasicAuthPassword", "securityctrlr.basicauthpassword"] {
            let request = Administer::SetConfiguration { name: name.to_owned(), value: "x".to_owned() };
            assert!(Request::from(request).command(Known::default()).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_known_of_a_token_need_not_be_said() {
        let request: Operate =
            serde_json::from_str(r#"{"operation": "remote_start", "evse": 1, "token": "TAG"}"#).unwrap();
        let known = Known { token_type: Some("ISO14443".to_owned()), group: Some("FLEET".to_owned()), number: 7 };
        let command = Request::from(request).command(known).unwrap();
        let Command::RemoteStart { token, group, remote_start_id, .. } = command else { panic!("{command:?}") };
        assert_eq!((token.kind.as_deref(), remote_start_id), (Some("ISO14443"), 7));
        assert_eq!(group.unwrap().id, "FLEET");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for text in [
            r#"{"operation": "reset", "kind": "gently"}"#,
            r#"{"operation": "dance"}"#,
            r#"{"operation": "unlock", "evse": 1, "knob": 2}"#,
        ] {
            assert!(serde_json::from_str::<Operate>(text).is_err(), "{text}");
        }
        let request: Operate =
            serde_json::from_str(r#"{"operation": "set_charging_profile", "evse": 1, "profile": {"id": 1}}"#).unwrap();
        let error = Request::from(request).command(Known::default()).unwrap_err();
        assert!(error.0.contains("profile"), "{error}");
    }
}
