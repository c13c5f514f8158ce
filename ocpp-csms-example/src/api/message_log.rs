//! The OCPP log of a station: searched, and exported.

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Path, Query};
use super::logs::attach;
use super::raw::json_or_text;
use super::tokens::limit;
use crate::maintenance::{self, FoundMessage, FrameKind, MessageFilter};
use crate::server::Csms;
use crate::store::{Direction, StoreError};

/// A frame.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FrameView {
    /// Its place in the log; later frames have greater numbers.
    number: i64,
    /// When it was received or sent.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Which way it went, seen from the CSMS.
    direction: Direction,
    /// What it is.
    kind: FrameKind,
    /// The id of the message.
    message_id: Option<String>,
    /// The action; of an answer, that of its call.
    action: Option<String>,
    /// The frame as JSON; what is no readable JSON, or was longer than 64 KiB and is cut, as text.
    #[schema(value_type = Value)]
    message: Box<RawValue>,
}

impl From<FoundMessage> for FrameView {
    fn from(found: FoundMessage) -> Self {
        let FoundMessage { message, kind, id, action } = found;
        Self {
            number: message.number,
            at: message.at,
            direction: message.direction,
            kind,
            message_id: id,
            action,
            message: json_or_text(&message.text),
        }
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// A list.
    Json,
    /// A line of JSON for each frame, of the whole log.
    Jsonl,
    /// A line for each frame, of the whole log.
    Csv,
}

/// Which frames.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// Not before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Which way they went: `received` or `sent`.
    direction: Option<String>,
    /// The action, of calls and their answers.
    action: Option<String>,
    /// The id of the message.
    message_id: Option<String>,
    /// What the frame has in it.
    text: Option<String>,
    /// Only those with a smaller number.
    before: Option<i64>,
    /// How many at most: 1 to 1000, by default 100. Not for exports.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// How it is written. `jsonl` and `csv` are the whole log, as far as it is kept. Default: `json`.
    format: Option<LogFormat>,
}

/// Searches the OCPP log of a station, or exports it.
#[utoipa::path(get, path = "/api/v1/stations/{id}/message-log", tag = "maintenance", operation_id = "search_messages",
    params(("id", description = "The station's identity"), Search), security(("bearer" = ["view"])),
    responses((status = 200, description = "The latest frames that match, the oldest of them first", body = Vec<FrameView>),
        (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn search(
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Query(search): Query<Search>,
) -> Result<Response, Problem> {
    let direction = search.direction.as_deref().map(str::parse).transpose();
    let direction = direction.map_err(|()| Problem::bad_request("direction is received or sent"))?;
    let Search { from, until, action, message_id, text, before, format, .. } = search;
    let filter = MessageFilter { from, until, direction, action, message_id, text };
    let format = format.unwrap_or(LogFormat::Json);
    if format == LogFormat::Json {
        let limit = usize::try_from(limit(search.limit)?).unwrap_or(1);
        let found = maintenance::search(&csms, &id, filter, before, limit).await?;
        return Ok(axum::Json(found.into_iter().map(FrameView::from).collect::<Vec<_>>()).into_response());
    }
    if before.is_some() || search.limit.is_some() {
        return Err(Problem::bad_request(
            "an export is the whole log: narrow it by from and until, not by before and limit",
        ));
    }
    filter.check()?;
    csms.store().station(&id).await?.ok_or_else(|| Problem::unknown_station(&id))?;
    csms.message_log().flush().await;
    let pages = maintenance::matching(&csms, id.clone(), filter);
    let name = |ending| format!("{}-ocpp.{ending}", maintenance::file_name(&id, "station"));
    let (body, kind, name) = match format {
        LogFormat::Csv => {
            let head = futures_util::stream::once(async { Ok(csv_head()) });
            let lines = pages.and_then(|page| async move { csv_lines(&page) });
            let all = futures_util::StreamExt::chain(head, lines);
            (Body::from_stream(all), "text/csv; charset=utf-8", name("csv"))
        }
        _ => (
            Body::from_stream(pages.and_then(|page| async move { json_lines(page) })),
            "application/jsonl",
            name("jsonl"),
        ),
    };
    let mut response = (StatusCode::OK, body).into_response();
    attach(&mut response, kind, &name);
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    Ok(response)
}

fn json_lines(page: Vec<FoundMessage>) -> Result<Vec<u8>, StoreError> {
    let mut lines = Vec::new();
    for found in page {
        serde_json::to_writer(&mut lines, &FrameView::from(found)).map_err(unwritten)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn csv_head() -> Vec<u8> {
    b"number,at,direction,kind,message_id,action,message\r\n".to_vec()
}

fn csv_lines(page: &[FoundMessage]) -> Result<Vec<u8>, StoreError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for found in page {
        let kind = match found.kind {
            FrameKind::Call => "call",
            FrameKind::Result => "result",
            FrameKind::Error => "error",
            FrameKind::Send => "send",
            FrameKind::Unknown => "unknown",
        };
        let fields = [
            found.message.number.to_string(),
            found.message.at.to_string(),
            found.message.direction.as_str().to_owned(),
            kind.to_owned(),
            crate::reports::harmless(found.id.as_deref().unwrap_or_default()),
            crate::reports::harmless(found.action.as_deref().unwrap_or_default()),
            crate::reports::harmless(&found.message.text),
        ];
        writer.write_record(&fields).map_err(unwritten)?;
    }
    writer.into_inner().map_err(unwritten)
}

fn unwritten(error: impl std::fmt::Display) -> StoreError {
    StoreError::Content { what: "a frame that cannot be exported", value: error.to_string() }
}
