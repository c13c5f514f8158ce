//! What became of an operation, in words for programs and people.

use jiff::Timestamp;
use ocpp_core::csms::flows::{Awaited, Completion, FlowEnd, Progress};
use ocpp_core::csms::{CallAnswer, CallError, CallOutcome, CallResult};
use serde_json::{Value, json};

use crate::store::{OperationEnd, OperationState, Step};

/// The end of an operation.
pub(super) fn end(outcome: CallOutcome) -> OperationEnd {
    let ended = |state, detail: &str| OperationEnd { state, result: None, detail: Some(detail.to_owned()) };
    match outcome {
        CallOutcome::Answered(answer) => answered(answer),
        CallOutcome::Error(CallError { code, description, details }) => OperationEnd {
            state: OperationState::Failed,
            result: Some(json!({"code": code, "description": description, "details": text_or_json(&details)})),
            detail: Some(format!("the station answered with the error {code}: {description}")),
        },
        CallOutcome::TimedOut => {
            ended(OperationState::Failed, "the station did not answer in time; it may have acted all the same")
        }
        CallOutcome::NotConnected => ended(OperationState::Failed, "the station is not connected"),
        CallOutcome::ConnectionLost => ended(
            OperationState::Failed,
            "the connection ended before the station answered; it may have acted all the same",
        ),
        CallOutcome::QueueFull => ended(OperationState::Failed, "too many calls wait for the station already"),
        CallOutcome::NotAllowed { rule } => {
            ended(OperationState::Refused, &format!("it may not be asked for as the station stands now: {rule}"))
        }
        CallOutcome::Invalid { findings } => {
            let findings: Vec<String> =
                findings.iter().map(|finding| format!("{} {}", finding.path, finding.message)).collect();
            let words = findings.join("; ");
            ended(OperationState::Refused, &format!("the station's version has no words for it: {words}"))
        }
        CallOutcome::NotSupported => ended(OperationState::Refused, "the station's version has no such call"),
        CallOutcome::Flow(end) => flow_ended(*end),
        CallOutcome::MalformedAnswer { payload, .. } => OperationEnd {
            state: OperationState::Failed,
            result: Some(text_or_json(&payload)),
            detail: Some("the station's answer cannot be read".to_owned()),
        },
        _ => ended(OperationState::Failed, "it ended in an unknown way"),
    }
}

fn answered(answer: CallAnswer) -> OperationEnd {
    let payload = text_or_json(&answer.payload);
    let succeeded = |result| OperationEnd { state: OperationState::Succeeded, result: Some(result), detail: None };
    match answer.result {
        CallResult::Refused { status, reason } => {
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            OperationEnd {
                state: OperationState::Refused,
                result: Some(payload),
                detail: Some(format!("the station answered {status}{reason}")),
            }
        }
        CallResult::Configuration { settings, unknown } => succeeded(json!({"settings": settings, "unknown": unknown})),
        CallResult::Variables(results) => succeeded(json!({"variables": results})),
        CallResult::VariablesSet(results) => {
            let refused = results
                .iter()
                .filter(|result| !matches!(result.attribute_status.as_str(), "Accepted" | "RebootRequired"));
            let refused = refused.count();
            OperationEnd {
                state: if refused == 0 { OperationState::Succeeded } else { OperationState::Refused },
                detail: (refused > 0).then(|| format!("{refused} of {} variables were not set", results.len())),
                result: Some(json!({"variables": results})),
            }
        }
        CallResult::Report(report) => {
            let missing: Vec<_> = report.missing.iter().map(|range| json!([range.start(), range.end()])).collect();
            let result = json!({"variables": report.variables, "missing": missing, "complete": report.complete});
            partly(report.complete, result)
        }
        CallResult::ChargingProfiles { profiles, complete } => {
            let profiles: Vec<_> = profiles
                .iter()
                .map(|known| json!({"evse": known.evse, "source": known.source, "profile": known.profile}))
                .collect();
            partly(complete, json!({"profiles": profiles}))
        }
        CallResult::CompositeSchedule(schedule) => succeeded(json!({"schedule": schedule})),
        CallResult::LocalListVersion(version) => succeeded(json!({"version": version})),
        CallResult::LocalListSent { version } => succeeded(json!({"version": version})),
        CallResult::DataTransfer { .. } if payload["status"] != "Accepted" => OperationEnd {
            state: OperationState::Refused,
            detail: Some(format!("the station answered {}", payload["status"].as_str().unwrap_or("nothing"))),
            result: Some(payload),
        },
        CallResult::DisplayMessages { messages, complete } => partly(complete, json!({"messages": messages})),
        CallResult::TransactionStatus { ongoing, messages_in_queue } => {
            succeeded(json!({"ongoing": ongoing, "messages_in_queue": messages_in_queue}))
        }
        _ => succeeded(payload),
    }
}

fn partly(complete: bool, result: Value) -> OperationEnd {
    OperationEnd {
        state: if complete { OperationState::Succeeded } else { OperationState::Failed },
        result: Some(result),
        detail: (!complete).then(|| "parts of the report did not come in time".to_owned()),
    }
}

fn flow_ended(end: FlowEnd) -> OperationEnd {
    let ended = |state, detail: String| OperationEnd { state, result: None, detail: Some(detail) };
    match end {
        FlowEnd::Completed(completion) => completed(completion),
        FlowEnd::Refused { status, reason } => {
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            ended(OperationState::Refused, format!("the station answered {status}{reason}"))
        }
        FlowEnd::CallFailed { action, outcome } => {
            let end = self::end(outcome);
            let detail = end.detail.map(|detail| format!("{action}: {detail}"));
            OperationEnd { state: end.state, result: end.result, detail }
        }
        FlowEnd::Failed { status } => ended(OperationState::Failed, format!("the station reports {status}")),
        FlowEnd::WentBack => ended(OperationState::Failed, "the station came back the way it was before".to_owned()),
        FlowEnd::NotSigned => ended(OperationState::Failed, "the certificate was not signed".to_owned()),
        FlowEnd::TimedOut { awaited } => {
            let awaited = match awaited {
                Awaited::Reconnection => "come back",
                Awaited::CertificateRequest => "ask for its certificate",
                Awaited::Signature => "get its certificate signed",
                Awaited::Status => "say how far it is",
                Awaited::Report => "send the rest of its report",
                _ => "go on",
            };
            ended(OperationState::Failed, format!("the station did not {awaited} in time"))
        }
        FlowEnd::Superseded => ended(OperationState::Cancelled, "a newer one of its kind took its place".to_owned()),
        FlowEnd::Cancelled => ended(
            OperationState::Cancelled,
            "it was called off; what the station had accepted by then is not taken back".to_owned(),
        ),
        FlowEnd::Interrupted => interrupted(),
        FlowEnd::NotAllowed { rule } => ended(OperationState::Refused, format!("a rule forbids it: {rule}")),
        FlowEnd::Incomplete => ended(OperationState::Failed, "parts of the report did not come".to_owned()),
        FlowEnd::OtherVersion { version } => ended(
            OperationState::Failed,
            format!("the station took the list, and says that it has version {version}: send it again"),
        ),
        other => ended(OperationState::Failed, format!("it ended in an unknown way: {other:?}")),
    }
}

/// Nobody knows whether the station acted.
pub(super) fn interrupted() -> OperationEnd {
    OperationEnd {
        state: OperationState::Interrupted,
        result: None,
        detail: Some("the server ended while the station was told; whether the station acted is not known".to_owned()),
    }
}

fn completed(completion: Completion) -> OperationEnd {
    let result = match completion {
        Completion::Done => None,
        Completion::Nothing => Some(json!({"nothing": true})),
        Completion::Certificates(certificates) => Some(json!({"certificates": certificates})),
        Completion::Published { locations } => Some(json!({"locations": locations})),
        Completion::Customer { data } => Some(json!({"data": data})),
        Completion::Monitors(monitors) => Some(json!({"monitors": monitors})),
        Completion::MonitorsSet(results) => Some(json!({"monitors": results})),
        Completion::MonitorsCleared(results) => Some(json!({"monitors": results})),
        Completion::EventStreams(streams) => Some(json!({"streams": streams})),
        other => Some(json!({"other": format!("{other:?}")})),
    };
    OperationEnd { state: OperationState::Succeeded, result, detail: None }
}

/// A step of a flow.
pub(super) fn step(progress: &Progress, at: Timestamp) -> Step {
    let (what, detail) = match progress {
        Progress::PasswordAccepted => ("password_accepted", None),
        Progress::PasswordUncertain => ("password_uncertain", None),
        Progress::PasswordSuperseded => ("password_superseded", None),
        Progress::Accepted { status } => ("accepted", Some(status.clone())),
        Progress::CertificateRequested => ("certificate_requested", None),
        Progress::CertificateSigned => ("certificate_signed", None),
        Progress::Status { status } => ("status", Some(status.clone())),
        Progress::File { name } => ("file", Some(name.clone())),
        Progress::Parts { count } => ("parts", Some(count.to_string())),
        _ => ("progress", None),
    };
    Step { at, what: what.to_owned(), detail }
}

/// The text as JSON, if it is such.
fn text_or_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
