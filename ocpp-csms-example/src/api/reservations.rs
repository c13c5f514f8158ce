//! The reservations of a station.

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Path, Query};
use super::tokens::limit;
use crate::server::Csms;
use crate::store::{Reservation, ReservationState};

/// A reservation that the station has accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservationView {
    /// Its number, unique for the station.
    id: i64,
    /// The token that it is for.
    token: String,
    /// The group whose other tokens may use it as well.
    group: Option<String>,
    /// The EVSE, in 1.6 the connector; null leaves it to the station.
    evse: Option<i64>,
    /// The kind of connector, in the standard's words.
    connector_type: Option<String>,
    /// How it stands.
    state: ReservationState,
    /// When it is over.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The transaction that has used it up.
    transaction: Option<String>,
}

impl From<Reservation> for ReservationView {
    fn from(reservation: Reservation) -> Self {
        let Reservation { id, token, group, evse, connector_type, state, expires_at, created_at, transaction } =
            reservation;
        Self { id, token, group, evse, connector_type, state, expires_at, created_at, transaction }
    }
}

/// How many reservations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The reservations of a station, the latest first. They are made with a call of `ReserveNow`, and given up with a call of
/// `CancelReservation`.
#[utoipa::path(get, path = "/api/v1/stations/{id}/reservations", tag = "stations",
    security(("bearer" = ["view"])), operation_id = "list_reservations",
    params(("id", description = "The station"), Part),
    responses((status = 200, body = Vec<ReservationView>), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Result<axum::Json<Vec<ReservationView>>, Problem> {
    let limit = limit(part.limit)?;
    csms.store().station(&id).await?.ok_or_else(|| Problem::unknown_station(&id))?;
    let reservations = csms.store().reservations(&id, Timestamp::now(), limit).await?;
    Ok(axum::Json(reservations.into_iter().map(ReservationView::from).collect()))
}
