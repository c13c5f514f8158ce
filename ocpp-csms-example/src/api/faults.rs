//! The board of faults.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Json, Path, Query};
use super::tokens::limit;
use crate::access::Actor;
use crate::faults::{self, FaultError};
use crate::server::Csms;
use crate::store::{Fault, FaultChange, FaultFilter, FaultKind, FaultState};

/// A fault.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FaultView {
    /// Its name.
    id: String,
    /// The station's identity.
    station: String,
    /// What kind it is.
    kind: FaultKind,
    /// What exactly, in the standard's words.
    #[schema(example = "GroundFailure")]
    code: String,
    /// How severe it is: 0 (danger) to 9 (debug).
    #[schema(minimum = 0, maximum = 9)]
    severity: i64,
    /// The EVSE.
    evse: Option<i64>,
    /// The connector.
    connector: Option<i64>,
    /// What else is known.
    detail: Option<String>,
    /// How it stands.
    state: FaultState,
    /// How often it was told.
    occurrences: i64,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// When it was told last.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    /// When somebody acknowledged it.
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged_at: Option<Timestamp>,
    /// Who.
    acknowledged_by: Option<String>,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// By whom: the station's identity, where it told so.
    closed_by: Option<String>,
    /// What became of it, the oldest first; only where one fault is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<ChangeView>>,
}

/// What became of a fault.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What: `opened`, `changed`, `acknowledged`, `closed`.
    change: String,
    /// By whom.
    actor: String,
    /// In what words.
    detail: Option<String>,
}

impl FaultView {
    fn new(fault: Fault, history: Option<Vec<FaultChange>>) -> Self {
        let change = |FaultChange { at, change, actor, detail }| ChangeView { at, change, actor, detail };
        Self {
            id: fault.id,
            station: fault.station,
            kind: fault.kind,
            code: fault.code,
            severity: fault.severity,
            evse: fault.evse,
            connector: fault.connector,
            detail: fault.detail,
            state: fault.state,
            occurrences: fault.occurrences,
            opened_at: fault.opened_at,
            last_seen_at: fault.last_seen_at,
            acknowledged_at: fault.acknowledged_at,
            acknowledged_by: fault.acknowledged_by,
            closed_at: fault.closed_at,
            closed_by: fault.closed_by,
            history: history.map(|history| history.into_iter().map(change).collect()),
        }
    }
}

impl From<FaultError> for Problem {
    fn from(error: FaultError) -> Self {
        match error {
            FaultError::Unknown(_) => Self::not_found(error.to_string()),
            FaultError::Already(_) => Self::new(StatusCode::CONFLICT, error.to_string()),
            FaultError::Store(error) => error.into(),
        }
    }
}

/// Which faults.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those of this station.
    station: Option<String>,
    /// Only those that stand like this.
    state: Option<FaultState>,
    /// Only those of this kind.
    kind: Option<FaultKind>,
    /// Only those that are that severe or more: 0 (danger) to 9 (debug).
    severity: Option<i64>,
    /// Only those that began before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Faults, the latest first.
#[utoipa::path(get, path = "/api/v1/faults", tag = "faults", operation_id = "list_faults", params(Which),
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<FaultView>)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(which): Query<Which>,
) -> Result<axum::Json<Vec<FaultView>>, Problem> {
    let Which { station, state, kind, severity, before, limit: wanted } = which;
    let filter = FaultFilter { station, state, kind, severity, before };
    let faults = csms.stations().faults().list(&filter, limit(wanted)?).await?;
    Ok(axum::Json(faults.into_iter().map(|fault| FaultView::new(fault, None)).collect()))
}

/// One fault, with what became of it.
#[utoipa::path(get, path = "/api/v1/faults/{fault}", tag = "faults", operation_id = "get_fault",
    params(("fault", description = "The fault's name")), security(("bearer" = ["view"])),
    responses((status = 200, body = FaultView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<FaultView>, Problem> {
    let (fault, history) = csms.stations().faults().get(&id).await?;
    Ok(axum::Json(FaultView::new(fault, Some(history))))
}

/// What somebody says about a fault.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    /// For whoever reads its history.
    note: Option<String>,
}

/// Says that somebody knows of a fault.
#[utoipa::path(post, path = "/api/v1/faults/{fault}/acknowledge", tag = "faults", operation_id = "acknowledge_fault",
    request_body = Note, params(("fault", description = "The fault's name")), security(("bearer" = ["operate"])),
    responses((status = 200, body = FaultView), (status = 404, body = Problem),
        (status = 409, description = "It is acknowledged or closed already", body = Problem)))]
pub(super) async fn acknowledge(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(Note { note }): Json<Note>,
) -> Result<axum::Json<FaultView>, Problem> {
    let fault = faults::acknowledge(&csms, &actor, &id, note.as_deref()).await?;
    Ok(axum::Json(FaultView::new(fault, None)))
}

/// Says that a fault is over. Should it be told again, it is another one.
#[utoipa::path(post, path = "/api/v1/faults/{fault}/close", tag = "faults", operation_id = "close_fault",
    request_body = Note, params(("fault", description = "The fault's name")), security(("bearer" = ["operate"])),
    responses((status = 200, body = FaultView), (status = 404, body = Problem),
        (status = 409, description = "It is closed already", body = Problem)))]
pub(super) async fn close(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(Note { note }): Json<Note>,
) -> Result<axum::Json<FaultView>, Problem> {
    let fault = faults::close(&csms, &actor, &id, note.as_deref()).await?;
    Ok(axum::Json(FaultView::new(fault, None)))
}
