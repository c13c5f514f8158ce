//! Security events: what stations reported, and what was seen at the door.

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::Query;
use super::tokens::limit;
use crate::server::Csms;
use crate::store::{SecurityEvent, Source};

/// A security event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecurityEventView {
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who saw it.
    source: Source,
    /// The station, as far as one was named. It need not have been that station.
    station: Option<String>,
    /// What happened, by its name in the standard.
    #[schema(example = "FailedToAuthenticateAtCsms")]
    kind: String,
    /// The address of the peer.
    remote: Option<String>,
    /// What else is known.
    detail: Option<String>,
}

impl From<SecurityEvent> for SecurityEventView {
    fn from(event: SecurityEvent) -> Self {
        let SecurityEvent { at, source, station, kind, remote, detail } = event;
        Self { at, source, station, kind, remote, detail }
    }
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those about this station.
    station: Option<String>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Security events, the latest first. The newest 10,000 are kept; what is provoked at the door again and again is told once a minute.
#[utoipa::path(get, path = "/api/v1/security-events", tag = "stations",
    security(("bearer" = ["view"])), operation_id = "list_security_events", params(Which),
    responses((status = 200, body = Vec<SecurityEventView>)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(which): Query<Which>,
) -> Result<axum::Json<Vec<SecurityEventView>>, Problem> {
    let events = csms.store().security_events(which.station.as_deref(), limit(which.limit)?).await?;
    Ok(axum::Json(events.into_iter().map(SecurityEventView::from).collect()))
}
