//! Logs of stations: asked for, uploaded here, read, downloaded, deleted.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Json, Path, Query};
use super::tokens::limit;
use crate::access::Actor;
use crate::maintenance::{self, LogDemand, LogPage};
use crate::server::Csms;
use crate::store::{LogFile, LogKind, LogRequest, LogState};

/// A request for a log, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogView {
    /// Its id.
    id: String,
    /// The station.
    station: String,
    /// Which log.
    kind: LogKind,
    /// From when on; null: from its beginning.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest: Option<Timestamp>,
    /// Until when; null: until its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    latest: Option<Timestamp>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    requested_at: Timestamp,
    /// By whom.
    requested_by: String,
    /// Until when the station may upload it.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// How far it is.
    state: LogState,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// The last word of the station, such as `Uploading`.
    status: Option<String>,
    /// What went wrong, and what to do.
    detail: Option<String>,
    /// What the station calls the file, once it is here.
    file_name: Option<String>,
    /// Its bytes.
    size: Option<u64>,
    /// Its SHA-256 in hexadecimal digits.
    sha256: Option<String>,
    /// When it came.
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<Timestamp>,
}

impl From<LogRequest> for LogView {
    fn from(request: LogRequest) -> Self {
        let LogRequest { id, station, kind, oldest, latest, requested_at, requested_by, .. } = request;
        let LogRequest { expires_at, state, changed_at, status, detail, file, .. } = request;
        let (file_name, size, sha256, received_at) = match file {
            Some(LogFile { name, size, sha256, received_at }) => {
                (Some(name), Some(size), Some(sha256), Some(received_at))
            }
            None => (None, None, None, None),
        };
        Self {
            id,
            station,
            kind,
            oldest,
            latest,
            requested_at,
            requested_by,
            expires_at,
            state,
            changed_at,
            status,
            detail,
            file_name,
            size,
            sha256,
            received_at,
        }
    }
}

/// Which log is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogWanted {
    /// Which log. Default: `diagnostics`.
    kind: Option<LogKind>,
    /// From when on. Default: from its beginning.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest: Option<Timestamp>,
    /// Until when. Default: until its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    latest: Option<Timestamp>,
    /// Whether a station of OCPP 1.6 is asked for its diagnostics by the GetLog of the security whitepaper instead of GetDiagnostics.
    #[serde(default)]
    by_get_log: bool,
}

/// Asks a station to upload a log here, by a URL that is good once, for this station, for six hours.
#[utoipa::path(post, path = "/api/v1/stations/{id}/logs", tag = "maintenance", operation_id = "request_log",
    request_body = LogWanted, security(("bearer" = ["operate"])), params(("id", description = "The station's identity")),
    responses((status = 202, description = "The station is asked; see how it goes at the location", body = LogView),
        (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "The station is not connected", body = Problem)))]
pub(super) async fn request(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(wanted): Json<LogWanted>,
) -> Result<Response, Problem> {
    let LogWanted { kind, oldest, latest, by_get_log } = wanted;
    let kind = kind.unwrap_or(LogKind::Diagnostics);
    let demand = LogDemand { station: id, kind, oldest, latest, by_get_log };
    let request = maintenance::request(&csms, &actor, demand).await?;
    let location = format!("/api/v1/logs/{}", request.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], axum::Json(LogView::from(request))).into_response())
}

/// Which logs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those of this station.
    station: Option<String>,
    /// Only those asked for before the one with this id.
    before: Option<String>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Logs that were asked for, the latest first.
#[utoipa::path(get, path = "/api/v1/logs", tag = "maintenance", operation_id = "list_logs", params(Which),
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<LogView>)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(which): Query<Which>,
) -> Result<axum::Json<Vec<LogView>>, Problem> {
    let limit = limit(which.limit)?;
    let requests = csms.store().log_requests(which.station.as_deref(), which.before.as_deref(), limit).await?;
    Ok(axum::Json(requests.into_iter().map(LogView::from).collect()))
}

/// One log.
#[utoipa::path(get, path = "/api/v1/logs/{id}", tag = "maintenance", operation_id = "get_log", security(("bearer" = ["view"])),
    params(("id", description = "The id of the request")), responses((status = 200, body = LogView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<LogView>, Problem> {
    let request = csms.store().log_request(&id).await?;
    let request = request.ok_or_else(|| Problem::not_found(format!("there is no log {id:?}")))?;
    Ok(axum::Json(request.into()))
}

/// A page of a log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogPageView {
    /// Whole lines, about 64 KiB.
    text: String,
    /// Where the page begins, in bytes.
    offset: u64,
    /// Where the next page begins; null: this is the last one.
    next: Option<u64>,
    /// Where a page before it begins; null: this is the first one.
    previous: Option<u64>,
    /// How long the log is, in bytes.
    size: u64,
}

/// Where to read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Place {
    /// The byte around which to begin; the page begins with its line. Default: 0.
    offset: Option<u64>,
}

/// The text of a log, a page at a time.
#[utoipa::path(get, path = "/api/v1/logs/{id}/text", tag = "maintenance", operation_id = "read_log", security(("bearer" = ["view"])),
    params(("id", description = "The id of the request"), Place),
    responses((status = 200, body = LogPageView), (status = 404, body = Problem),
        (status = 409, description = "It is not here, or is no text", body = Problem)))]
pub(super) async fn text(
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Query(place): Query<Place>,
) -> Result<axum::Json<LogPageView>, Problem> {
    let LogPage { text, offset, next, previous, size } =
        maintenance::page(&csms, &id, place.offset.unwrap_or(0)).await?;
    Ok(axum::Json(LogPageView { text, offset, next, previous, size }))
}

/// The file of a log, as the station uploaded it.
#[utoipa::path(get, path = "/api/v1/logs/{id}/file", tag = "maintenance", operation_id = "download_log", security(("bearer" = ["view"])),
    params(("id", description = "The id of the request")),
    responses((status = 200, description = "The file", content_type = "application/octet-stream"), (status = 404, body = Problem),
        (status = 409, description = "It is not here", body = Problem)))]
pub(super) async fn file(State(csms): State<Csms>, Path(id): Path<String>) -> Result<Response, Problem> {
    let (_, log, file) = maintenance::open(&csms, &id).await?;
    let mut response = Body::from_stream(ReaderStream::new(file)).into_response();
    attach(&mut response, "application/octet-stream", &log.name);
    response.headers_mut().insert(header::CONTENT_LENGTH, log.size.into());
    Ok(response)
}

/// Lets a browser save what it is given rather than show it: it came from outside.
pub(super) fn attach(response: &mut Response, kind: &'static str, name: &str) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(disposition) = format!("attachment; filename=\"{name}\"").parse() {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
}

/// Removes a log. The URL of one that has not come yet is good no more.
#[utoipa::path(delete, path = "/api/v1/logs/{id}", tag = "maintenance", operation_id = "delete_log", security(("bearer" = ["operate"])),
    params(("id", description = "The id of the request")),
    responses((status = 204, description = "Removed"), (status = 404, body = Problem)))]
pub(super) async fn delete(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    maintenance::delete(&csms, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
