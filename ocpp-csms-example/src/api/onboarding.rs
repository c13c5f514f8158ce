//! A station is taken in: its password, and the codes on its outlets.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Problem;
use super::body::{Json, Path};
use crate::access::Actor;
use crate::access::onboarding::{self, OnboardingError};
use crate::server::Csms;

/// How a station gets its password.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCredentials {
    /// Whether it is told over the connection that it has. Default: false, it is entered at the station by hand.
    #[serde(default)]
    send: bool,
}

/// What a station connects with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CredentialsView {
    /// The user name.
    station: String,
    /// The password. Never shown again.
    password: String,
    /// Where it connects.
    url: String,
    /// The operation by which the station is being told, if it is.
    operation: Option<String>,
}

/// Accepts a station and makes a new password for it. The answer shows it once.
#[utoipa::path(post, path = "/api/v1/stations/{id}/credentials", tag = "stations", operation_id = "make_credentials",
    security(("bearer" = ["operate"])), request_body = NewCredentials, params(("id", description = "The station")),
    responses((status = 200, body = CredentialsView), (status = 404, body = Problem),
        (status = 409, description = "It is to be told, and is not connected", body = Problem)))]
pub(super) async fn credentials(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(new): Json<NewCredentials>,
) -> Result<axum::Json<CredentialsView>, Problem> {
    let made = onboarding::accept(&csms, &actor, &id, new.send).await?;
    let onboarding::Credentials { station, password, url, operation } = made;
    Ok(axum::Json(CredentialsView { station, password, url, operation }))
}

/// The QR code of an EVSE, as an image: it leads to the page where charging is paid and started.
#[utoipa::path(get, path = "/api/v1/stations/{id}/evses/{evse}/qr-code", tag = "stations", operation_id = "get_qr_code",
    security(("bearer" = ["view"])), params(("id", description = "The station"), ("evse", description = "The EVSE, from 1")),
    responses((status = 200, content_type = "image/svg+xml", body = String), (status = 400, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn qr_code(
    State(csms): State<Csms>,
    Path((id, evse)): Path<(String, i64)>,
) -> Result<impl IntoResponse, Problem> {
    csms.store().station(&id).await?.ok_or_else(|| Problem::unknown_station(&id))?;
    if evse < 1 {
        return Err(Problem::bad_request("EVSEs are counted from 1"));
    }
    let image = onboarding::qr_code(&onboarding::pay_url(&csms, &id, evse))
        .ok_or_else(|| Problem::bad_request("public_url and the name of the station are too long for a QR code"))?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], image))
}

impl From<OnboardingError> for Problem {
    fn from(error: OnboardingError) -> Self {
        match error {
            OnboardingError::Store(error) => error.into(),
            OnboardingError::Unknown(_) => Self::not_found(error.to_string()),
            OnboardingError::NotSent(_) => Self::new(StatusCode::CONFLICT, error.to_string()),
            OnboardingError::Entropy(_) => {
                tracing::error!(%error, "no password can be made");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
        }
    }
}
