//! Logs of stations: asked for, listed, read.

use askama::Template;
use axum::Form;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use super::live::Failed;
use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::Actor;
use crate::maintenance::{LogDemand, LogPage};
use crate::server::Csms;
use crate::store::{LogKind, LogRequest};

/// Logs on a page.
const SIZE: usize = 50;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    station: String,
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "maintenance.html")]
struct Logs {
    page: Page,
    station: String,
    stations: Vec<String>,
    logs: Vec<LogRequest>,
    next: Option<String>,
    fields: Fields,
}

async fn view(csms: &Csms, page: Page, wanted: Wanted, fields: Fields) -> Result<Logs, Failed> {
    let station = Some(wanted.station.trim()).filter(|station| !station.is_empty());
    let limit = u32::try_from(SIZE + 1).unwrap_or(u32::MAX);
    let mut logs = csms.store().log_requests(station, wanted.before.as_deref(), limit).await?;
    let more = logs.len() > SIZE;
    logs.truncate(SIZE);
    let encoded = utf8_percent_encode(&wanted.station, NON_ALPHANUMERIC);
    let next = logs.last().filter(|_| more).map(|last| format!("/maintenance?station={encoded}&before={}", last.id));
    let stations = csms.store().stations(None, 500).await?.into_iter().map(|station| station.id).collect();
    Ok(Logs { page, station: wanted.station, stations, logs, next, fields })
}

pub(super) async fn list(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    let fields = Fields::default().with("station", &wanted.station).with("kind", "diagnostics");
    match view(&csms, page.clone(), wanted, fields).await {
        Ok(view) => page.show(&view),
        Err(error) => page.broken(&error),
    }
}

/// Asks a station for a log.
pub(super) async fn request(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let station = fields.text("station", 48, page.t("maintenance.error_station"));
    let kind = fields.get("kind").parse::<LogKind>().ok();
    let Some(kind) = kind else { return Flash::bad(page.t("stations.error_choice")).at("/maintenance") };
    if fields.fine() {
        let demand = LogDemand { station: station.clone(), kind, oldest: None, latest: None, by_get_log: false };
        match crate::maintenance::request(&csms, &actor, demand).await {
            Ok(_) => {
                return Flash::good(page.with("maintenance.log_asked", "station", &station)).at("/maintenance");
            }
            Err(error) => fields.fail("station", error.told(&page)),
        }
    }
    match view(&csms, page.clone(), Wanted::default(), fields).await {
        Ok(view) => page.refuse(&view),
        Err(error) => page.broken(&error),
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Place {
    #[serde(default)]
    offset: u64,
}

#[derive(Template)]
#[template(path = "log.html")]
struct Log {
    page: Page,
    request: LogRequest,
    text: Option<LogPage>,
    /// Why it cannot be read here.
    reason: String,
}

pub(super) async fn read(
    page: Page,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Query(place): Query<Place>,
) -> Response {
    let request = match csms.store().log_request(&id).await {
        Ok(Some(request)) => request,
        Ok(None) => return page.notice(StatusCode::NOT_FOUND, page.t("maintenance.unknown_log"), ""),
        Err(error) => return page.broken(&error),
    };
    let (text, reason) = match &request.file {
        None => (None, page.t("maintenance.not_here_yet").to_owned()),
        Some(_) => match crate::maintenance::page(&csms, &id, place.offset).await {
            Ok(text) => (Some(text), String::new()),
            Err(error) => (None, error.told(&page)),
        },
    };
    page.show(&Log { page: page.clone(), request, text, reason })
}

/// The file as it was uploaded.
pub(super) async fn download(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    match crate::maintenance::open(&csms, &id).await {
        Ok((_, log, file)) => {
            let name = utf8_percent_encode(&log.name, NON_ALPHANUMERIC);
            let disposition = format!("attachment; filename*=UTF-8''{name}");
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ];
            (headers, Body::from_stream(ReaderStream::new(file))).into_response()
        }
        Err(error) => page.notice(StatusCode::NOT_FOUND, page.t("maintenance.unknown_log"), error.told(&page)),
    }
}
