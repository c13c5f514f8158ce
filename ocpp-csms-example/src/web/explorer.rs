//! Any call to a station, by a form made from the schema of its version.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ocpp_core::csms::{CallOutcome, Command};
use ocpp_core::types::schema::{Kind, ObjectSchema};
use ocpp_core::types::{Version, v1_6, v2_0_1, v2_1};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Fields, Page};
use crate::access::Actor;
use crate::server::Csms;
use crate::store::StoreError;

/// Objects within objects that a form shows; deeper ones are written as JSON.
const DEPTH: u32 = 6;
/// Stations to choose from; any other is typed.
const STATIONS: u32 = 500;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    station: String,
    #[serde(default)]
    action: String,
}

#[derive(Template)]
#[template(path = "explorer.html")]
struct Explorer {
    page: Page,
    stations: Vec<String>,
    station: String,
    version: Option<Version>,
    connected: bool,
    actions: Vec<&'static str>,
    action: String,
    payload: String,
    unchecked: bool,
    answer: Option<Answer>,
}

/// What came of a call.
struct Answer {
    good: bool,
    title: String,
    text: String,
    /// Where the payload breaks the schema.
    findings: Vec<(String, String)>,
}

fn actions(version: Version) -> Vec<&'static str> {
    let mut actions = match version {
        Version::V1_6 => v1_6::CsmsRequest::ACTIONS.to_vec(),
        Version::V2_0_1 => v2_0_1::CsmsRequest::ACTIONS.to_vec(),
        Version::V2_1 => v2_1::CsmsRequest::ACTIONS.to_vec(),
    };
    actions.sort_unstable();
    actions
}

fn schema_of(version: Version, action: &str) -> Option<&'static ObjectSchema> {
    match version {
        Version::V1_6 => v1_6::CsmsRequest::schema(action),
        Version::V2_0_1 => v2_0_1::CsmsRequest::schema(action),
        Version::V2_1 => v2_1::CsmsRequest::schema(action),
    }
}

/// As JSON Schema, in the part that the form knows.
fn json_schema(object: &ObjectSchema, depth: u32) -> Value {
    let properties: Map<String, Value> = object
        .members
        .iter()
        .filter(|member| member.name != "customData")
        .map(|member| (member.name.to_owned(), of_kind(&member.kind, depth)))
        .collect();
    let required: Vec<_> = object.members.iter().filter(|member| member.required).map(|member| member.name).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

fn of_kind(kind: &Kind, depth: u32) -> Value {
    match kind {
        Kind::Text { maximum: Some(maximum) } => json!({"type": "string", "maxLength": maximum}),
        Kind::Text { maximum: None } => json!({"type": "string"}),
        Kind::Uri => json!({"type": "string", "format": "uri"}),
        Kind::DateTime => json!({"type": "string", "format": "date-time"}),
        Kind::Integer { .. } => json!({"type": "integer"}),
        Kind::Number { .. } => json!({"type": "number"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Enum(schema) => json!({"type": "string", "enum": schema.values}),
        Kind::Object(schema) if depth > 0 => json_schema(schema, depth - 1),
        Kind::List { item, .. } if depth > 0 => json!({"type": "array", "items": of_kind(item, depth - 1)}),
        _ => json!({}),
    }
}

/// The schema of a call, for the script that makes the form.
pub(super) async fn schema(Path((version, action)): Path<(String, String)>) -> Response {
    let version = Version::ALL.into_iter().find(|known| known.number() == version);
    match version.and_then(|version| schema_of(version, &action)) {
        Some(schema) => axum::Json(json_schema(schema, DEPTH)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn view(csms: &Csms, page: Page, wanted: Wanted) -> Result<Explorer, StoreError> {
    let stations = csms.store().stations(None, STATIONS).await?;
    let ids: Vec<String> = stations.into_iter().map(|station| station.id).collect();
    let station = wanted.station.trim().to_owned();
    let known = csms.store().station(&station).await?;
    let connection = csms.stations().live(&station).connection;
    let version = connection.map(|connection| connection.version).or(known.and_then(|station| station.version));
    Ok(Explorer {
        page,
        stations: ids,
        station,
        version,
        connected: connection.is_some(),
        actions: version.map(actions).unwrap_or_default(),
        action: wanted.action,
        payload: "{}".to_owned(),
        unchecked: false,
        answer: None,
    })
}

pub(super) async fn show(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    match view(&csms, page.clone(), wanted).await {
        Ok(view) => page.show(&view),
        Err(error) => page.broken(&error),
    }
}

/// Sends the call and shows what was typed together with the answer.
pub(super) async fn call(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(fields): Form<Fields>,
) -> Response {
    let wanted = Wanted { station: fields.get("station").to_owned(), action: fields.get("action").to_owned() };
    let mut view = match view(&csms, page.clone(), wanted).await {
        Ok(view) => view,
        Err(error) => return page.broken(&error),
    };
    view.payload = fields.filled("payload").unwrap_or("{}").to_owned();
    view.unchecked = fields.ticked("unchecked");
    let command =
        Command::Raw { action: view.action.clone(), payload: view.payload.clone(), validate: !view.unchecked };
    let answer = match csms.stations().call(&view.station, command).await {
        Ok(outcome) => {
            csms.audit(&actor, "station.called", &view.station, &view.action).await;
            answer(&page, outcome)
        }
        Err(refused) => Answer::bad(page.t("stations.call_refused"), refused.to_string()),
    };
    let good = answer.good;
    view.answer = Some(answer);
    if good { page.show(&view) } else { page.refuse(&view) }
}

impl Answer {
    fn bad(title: &str, text: impl Into<String>) -> Self {
        Self { good: false, title: title.to_owned(), text: text.into(), findings: Vec::new() }
    }
}

fn indented(text: &str) -> String {
    let value = serde_json::from_str::<Value>(text);
    value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| text.to_owned())
}

fn answer(page: &Page, outcome: CallOutcome) -> Answer {
    match outcome {
        CallOutcome::Answered(answer) => Answer {
            good: true,
            title: page.t("stations.call_answered").to_owned(),
            text: indented(&answer.payload),
            findings: Vec::new(),
        },
        CallOutcome::MalformedAnswer { payload, findings } => Answer {
            findings: findings.into_iter().map(|finding| (finding.path, finding.message)).collect(),
            ..Answer::bad(page.t("stations.call_malformed"), indented(&payload))
        },
        CallOutcome::Error(error) => Answer::bad(
            page.t("stations.call_error"),
            format!("{}: {}\n{}", error.code, error.description, error.details),
        ),
        CallOutcome::Invalid { findings } => Answer {
            findings: findings.into_iter().map(|finding| (finding.path, finding.message)).collect(),
            ..Answer::bad(page.t("stations.call_invalid"), "")
        },
        CallOutcome::TimedOut | CallOutcome::ConnectionLost => Answer::bad(page.t("stations.call_unanswered"), ""),
        CallOutcome::NotConnected => Answer::bad(page.t("stations.not_connected_hint"), ""),
        CallOutcome::NotAllowed { rule } => Answer::bad(page.t("stations.call_refused"), rule),
        other => Answer::bad(page.t("stations.call_refused"), format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_every_version_has_a_schema_for_its_form() {
        for version in [Version::V1_6, Version::V2_0_1, Version::V2_1] {
            for action in actions(version) {
                let schema = json_schema(schema_of(version, action).unwrap(), DEPTH);
                assert_eq!(schema["type"], "object", "{action}");
            }
        }
        let reset = json_schema(schema_of(Version::V1_6, "Reset").unwrap(), DEPTH);
        assert_eq!(reset["properties"]["type"]["enum"], json!(["Hard", "Soft"]));
        assert_eq!(reset["required"], json!(["type"]));
    }
}
