//! Any OCPP call to a station.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use ocpp_core::csms::{CallError, CallOutcome, Command};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Problem;
use super::body::{Json, Path};
use super::problem::Finding;
use super::raw::json_or_text;
use crate::access::{Actor, Scope};
use crate::server::Csms;

/// A call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    /// The action, in the words of the station's version.
    #[schema(example = "Reset")]
    action: String,
    /// The payload. Default: an empty object.
    #[schema(value_type = Object, example = json!({"type": "Immediate"}))]
    payload: Option<Box<RawValue>>,
    /// Whether a payload that breaks the schema is kept back. Default: true.
    #[serde(default = "yes")]
    validate: bool,
}

fn yes() -> bool {
    true
}

/// What the station answered: either `result` or `error`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum CallAnswer {
    /// A CALLRESULT.
    Result {
        /// The payload, as received.
        #[schema(value_type = Object)]
        result: Box<RawValue>,
        /// Where it departs from the schema so far that it cannot be read.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Finding>,
    },
    /// A CALLERROR.
    Error {
        /// What it said.
        error: ErrorAnswer,
    },
}

/// A CALLERROR.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorAnswer {
    /// The code, as received.
    code: String,
    /// The station's words.
    description: String,
    /// The details, as received.
    #[schema(value_type = Object)]
    details: Box<RawValue>,
}

/// The calls by which a station is set up or secured, or asked for data of its customers: what `…/administration` has a name for needs
/// its scope here, too. Otherwise an operator could put another password or root into a station by the call itself.
const ADMINISTRATIVE: &[&str] = &[
    "CertificateSigned",
    "ChangeConfiguration",
    "ClearVariableMonitoring",
    "CustomerInformation",
    "DeleteCertificate",
    "GetInstalledCertificateIds",
    "InstallCertificate",
    "PublishFirmware",
    "SetMonitoringBase",
    "SetMonitoringLevel",
    "SetNetworkProfile",
    "SetVariableMonitoring",
    "SetVariables",
    "SignedUpdateFirmware",
    "UnpublishFirmware",
    "UpdateFirmware",
];

/// Sends a call to a station and waits for its answer. What sets a station up or secures it needs the scope `administer`.
#[utoipa::path(post, path = "/api/v1/stations/{id}/calls", tag = "calls",
    security(("bearer" = ["operate"])), operation_id = "call_station", request_body = Call,
    params(("id", description = "The station's identity")),
    responses(
        (status = 200, description = "As the station answered", body = CallAnswer),
        (status = 400, description = "The request is not understood", body = Problem),
        (status = 403, description = "This call needs the scope `administer`", body = Problem),
        (status = 404, description = "There is no such station", body = Problem),
        (status = 409, description = "It is not connected, or the standard forbids the call as long as it is not accepted", body = Problem),
        (status = 422, description = "The payload breaks the schema of the station's version", body = Problem),
        (status = 503, description = "Too many calls wait for the station", body = Problem),
        (status = 504, description = "No answer came in time; the station may have acted all the same", body = Problem)))]
pub(super) async fn call(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(call): Json<Call>,
) -> Result<axum::Json<CallAnswer>, Problem> {
    if ADMINISTRATIVE.contains(&call.action.as_str()) && !actor.may(Scope::Administer) {
        let detail = format!("{} needs the scope administer: ask an admin for it", call.action);
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    csms.store().station(&id).await?.ok_or_else(|| Problem::unknown_station(&id))?;
    let payload = call.payload.map_or_else(|| "{}".to_owned(), |payload| payload.get().to_owned());
    let command = Command::Raw { action: call.action.clone(), payload, validate: call.validate };
    let outcome = csms.stations().call(&id, command).await?;
    // The payload may hold a secret, such as a password.
    csms.audit(&actor, "station.called", &id, &call.action).await;
    answer(&call.action, outcome).map(axum::Json)
}

fn answer(action: &str, outcome: CallOutcome) -> Result<CallAnswer, Problem> {
    match outcome {
        CallOutcome::Answered(answer) => {
            Ok(CallAnswer::Result { result: json_or_text(&answer.payload), findings: Vec::new() })
        }
        CallOutcome::MalformedAnswer { payload, findings } => Ok(CallAnswer::Result {
            result: json_or_text(&payload),
            findings: findings.into_iter().map(Finding::from).collect(),
        }),
        CallOutcome::Error(CallError { code, description, details }) => {
            Ok(CallAnswer::Error { error: ErrorAnswer { code, description, details: json_or_text(&details) } })
        }
        CallOutcome::TimedOut => Err(Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "the station did not answer in time; it may have acted all the same",
        )),
        CallOutcome::ConnectionLost => Err(Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "the connection ended before the station answered; it may have acted all the same",
        )),
        CallOutcome::NotConnected => Err(Problem::new(StatusCode::CONFLICT, "the station is not connected")),
        CallOutcome::NotAllowed { rule } => Err(Problem::new(
            StatusCode::CONFLICT,
            format!("{action} may not be sent to the station as it stands now ({rule})"),
        )),
        CallOutcome::QueueFull => {
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many calls wait for the station already"))
        }
        CallOutcome::Invalid { findings } => Err(Problem::findings(
            format!("the payload breaks the schema of {action}; \"validate\": false sends it all the same"),
            findings.into_iter().map(Finding::from).collect(),
        )),
        CallOutcome::NotSupported => {
            let detail = format!("the station's version has no call {action:?} that a CSMS sends");
            Err(Problem::findings(detail.clone(), vec![Finding::new("NotImplemented", detail)]))
        }
        other => {
            tracing::error!(%action, outcome = ?other, "a call ended in a way that the interface does not know");
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the call ended in an unknown way"))
        }
    }
}
