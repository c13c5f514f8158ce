//! What stations are asked to do, and what comes of it.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Json, Path, Query};
use super::tokens::limit;
use crate::access::Actor;
use crate::server::Csms;
use crate::stations::operations::{self, Administer, Operate, OperationRefused, Request};
use crate::store::{Operation, OperationState, Step};

/// The longest that a request waits for the end of an operation, in s.
const MAX_WAIT: u32 = 120;

/// Something that a station was asked to do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationView {
    /// Its name.
    id: String,
    /// The station's identity.
    station: String,
    /// What.
    #[schema(example = "reset")]
    operation: String,
    /// The particulars, without secrets.
    #[schema(value_type = Object)]
    request: Value,
    /// Who asked for it.
    actor: String,
    /// How it stands.
    state: OperationState,
    /// How it went so far, the oldest first.
    progress: Vec<Step>,
    /// What came of it, in the station's words.
    #[schema(value_type = Object)]
    result: Option<Value>,
    /// Why it came to that.
    detail: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When something of it changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it came to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

impl From<Operation> for OperationView {
    fn from(known: Operation) -> Self {
        Self {
            id: known.id,
            station: known.station,
            operation: known.kind,
            request: known.request,
            actor: known.actor,
            state: known.state,
            progress: known.progress,
            result: known.result,
            detail: known.detail,
            created_at: known.created_at,
            updated_at: known.updated_at,
            ended_at: known.ended_at,
        }
    }
}

impl From<OperationRefused> for Problem {
    fn from(refused: OperationRefused) -> Self {
        match refused {
            OperationRefused::UnknownStation(id) => Self::unknown_station(&id),
            OperationRefused::UnknownOperation(_) => Self::not_found(refused.to_string()),
            OperationRefused::Over(_) | OperationRefused::UnderWay => {
                Self::new(StatusCode::CONFLICT, refused.to_string())
            }
            OperationRefused::AdministratorsOnly => Self::new(StatusCode::FORBIDDEN, refused.to_string()),
            OperationRefused::Request(error) => Self::bad_request(error.to_string()),
            OperationRefused::Call(refused) => refused.into(),
            OperationRefused::Store(error) => error.into(),
        }
    }
}

/// How long to wait.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Patience {
    /// For how many seconds the end is waited for: 0 to 120, by default 0.
    #[param(minimum = 0, maximum = 120)]
    wait: Option<u32>,
}

async fn begin(
    csms: &Csms,
    station: &str,
    request: Request,
    patience: &Patience,
    actor: &Actor,
) -> Result<(StatusCode, axum::Json<OperationView>), Problem> {
    let wait = patience.wait.unwrap_or(0);
    if wait > MAX_WAIT {
        return Err(Problem::bad_request(format!("wait is 0 to {MAX_WAIT} seconds")));
    }
    let operation = operations::begin(csms, actor, station, request).await?;
    let operation = csms.stations().operation_ends(operation, Duration::from_secs(wait.into())).await?;
    let status = match operation.state {
        OperationState::Running => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    Ok((status, axum::Json(operation.into())))
}

/// Has a station do something of day-to-day operation. With `wait` the answer comes when that has ended.
#[utoipa::path(post, path = "/api/v1/stations/{id}/operations", tag = "operations", operation_id = "operate_station",
    request_body = Operate, params(("id", description = "The station's identity"), Patience), security(("bearer" = ["operate"])),
    responses(
        (status = 200, description = "It has ended; its state says how", body = OperationView),
        (status = 202, description = "It goes on", body = OperationView),
        (status = 400, description = "The request is not understood", body = Problem),
        (status = 404, description = "There is no such station", body = Problem),
        (status = 409, description = "The station is not connected", body = Problem),
        (status = 503, description = "Too many calls wait for the station", body = Problem)))]
pub(super) async fn operate(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Query(patience): Query<Patience>,
    Json(request): Json<Operate>,
) -> Result<(StatusCode, axum::Json<OperationView>), Problem> {
    begin(&csms, &id, request.into(), &patience, &actor).await
}

/// Changes how a station is set up or secured, or asks for data of its customers. With `wait` the answer comes when that has ended.
#[utoipa::path(post, path = "/api/v1/stations/{id}/administration", tag = "operations", operation_id = "administer_station",
    request_body = Administer, params(("id", description = "The station's identity"), Patience),
    security(("bearer" = ["administer"])),
    responses(
        (status = 200, description = "It has ended; its state says how", body = OperationView),
        (status = 202, description = "It goes on", body = OperationView),
        (status = 400, description = "The request is not understood", body = Problem),
        (status = 404, description = "There is no such station", body = Problem),
        (status = 409, description = "The station is not connected", body = Problem),
        (status = 503, description = "Too many calls wait for the station", body = Problem)))]
pub(super) async fn administer(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Query(patience): Query<Patience>,
    Json(request): Json<Administer>,
) -> Result<(StatusCode, axum::Json<OperationView>), Problem> {
    begin(&csms, &id, request.into(), &patience, &actor).await
}

/// Which operations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those of this station.
    station: Option<String>,
    /// Only those that stand like this.
    state: Option<OperationState>,
    /// Only those that were asked for before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Operations, the latest first. Those that ended more than 90 days ago are forgotten.
#[utoipa::path(get, path = "/api/v1/operations", tag = "operations", operation_id = "list_operations", params(Which),
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<OperationView>)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(which): Query<Which>,
) -> Result<axum::Json<Vec<OperationView>>, Problem> {
    let limit = limit(which.limit)?;
    let known = csms.store().operations(which.station.as_deref(), which.state, which.before, limit).await?;
    Ok(axum::Json(known.into_iter().map(OperationView::from).collect()))
}

/// One operation. With `wait` the answer comes when it has ended.
#[utoipa::path(get, path = "/api/v1/operations/{operation}", tag = "operations", operation_id = "get_operation",
    params(("operation", description = "The operation's name"), Patience), security(("bearer" = ["view"])),
    responses((status = 200, body = OperationView), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Query(patience): Query<Patience>,
) -> Result<axum::Json<OperationView>, Problem> {
    let operation = csms.store().operation(&id).await?;
    let operation = operation.ok_or_else(|| Problem::not_found(format!("there is no operation {id:?}")))?;
    let wait = Duration::from_secs(patience.wait.unwrap_or(0).min(MAX_WAIT).into());
    Ok(axum::Json(csms.stations().operation_ends(operation, wait).await?.into()))
}

/// Calls an operation off. One that waits for its station, such as an update of its firmware or a log that is on its way, ends at once,
/// also while the station is away; what the station had accepted by then is not taken back.
#[utoipa::path(delete, path = "/api/v1/operations/{operation}", tag = "operations", operation_id = "cancel_operation",
    params(("operation", description = "The operation's name")), security(("bearer" = ["operate"])),
    responses(
        (status = 200, description = "It was called off", body = OperationView),
        (status = 403, description = "Only administrators may call it off", body = Problem),
        (status = 404, description = "There is no such operation", body = Problem),
        (status = 409, description = "It is over, or the station is being told", body = Problem)))]
pub(super) async fn cancel(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<axum::Json<OperationView>, Problem> {
    Ok(axum::Json(operations::cancel(&csms, &actor, &id).await?.into()))
}
