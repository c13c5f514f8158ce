//! What is known of a station's own data, and the calls that its version has.

use axum::extract::State;
use ocpp_core::csms::flows::{InstalledCertificate, Monitor};
use ocpp_core::types::Version;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Problem;
use super::body::Path;
use crate::server::Csms;
use crate::stations::{Action, Inspection, InspectionError, actions};

impl From<InspectionError> for Problem {
    fn from(error: InspectionError) -> Self {
        match error {
            InspectionError::Store(error) => error.into(),
            InspectionError::Damaged(_) => {
                tracing::error!(%error, "a request failed");
                Self::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
        }
    }
}

/// A setting of a station.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingView {
    /// The key of 1.6; the component and variable of 2.x.
    #[schema(example = "OCPPCommCtrlr.HeartbeatInterval")]
    name: String,
    /// The value; null where it is not set, or may not be read.
    value: Option<String>,
    /// Whether it can only be read; null where the station did not say.
    readonly: Option<bool>,
}

/// What a station was last known to have.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Known<T> {
    /// Whether nothing was left out because there was too much of it.
    complete: bool,
    /// What it has.
    known: Vec<T>,
}

/// The version of the local list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListVersion {
    /// Its version, 0 for none; null where it is not known.
    version: Option<i64>,
}

async fn inspect(csms: &Csms, id: &str) -> Result<Inspection, Problem> {
    csms.store().station(id).await?.ok_or_else(|| Problem::unknown_station(id))?;
    Ok(csms.stations().inspect(id).await?)
}

/// The calls that the station's version has, with the JSON Schema of their payloads.
#[utoipa::path(get, path = "/api/v1/stations/{id}/actions", tag = "calls", operation_id = "list_actions",
    params(("id", description = "The station's identity")), security(("bearer" = ["view"])),
    responses((status = 200, body = Vec<Action>), (status = 404, body = Problem),
        (status = 409, description = "It never connected, so its version is not known", body = Problem)))]
pub(super) async fn list_actions(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<Action>>, Problem> {
    let station = csms.store().station(&id).await?.ok_or_else(|| Problem::unknown_station(&id))?;
    let live = csms.stations().live(&id).connection.map(|connection| connection.version);
    let version: Version = live.or(station.version).ok_or_else(|| {
        Problem::new(axum::http::StatusCode::CONFLICT, "the station never connected, so its version is not known")
    })?;
    Ok(axum::Json(actions(version)))
}

/// The settings of a station as far as known: keys of 1.6, variables of 2.x. The operations `get_configuration` and `base_report` bring
/// them up to date.
#[utoipa::path(get, path = "/api/v1/stations/{id}/configuration", tag = "stations", operation_id = "get_configuration",
    params(("id", description = "The station's identity")), security(("bearer" = ["view"])),
    responses((status = 200, body = Known<SettingView>), (status = 404, body = Problem)))]
pub(super) async fn configuration(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<Known<SettingView>>, Problem> {
    let mirrors = inspect(&csms, &id).await?.mirrors;
    let keys = mirrors.configuration().iter().map(|setting| SettingView {
        name: setting.name.clone(),
        value: setting.value.clone(),
        readonly: setting.readonly,
    });
    let variables = mirrors.device_model().iter().map(|(key, variable)| SettingView {
        name: key.to_string(),
        value: variable.value().map(str::to_owned),
        readonly: None,
    });
    let known = keys.chain(variables).collect();
    Ok(axum::Json(Known { complete: mirrors.is_complete(), known }))
}

/// The charging profiles of a station as far as known, each with `evse`, `source` and `profile` (ChargingProfileType of 2.1).
#[utoipa::path(get, path = "/api/v1/stations/{id}/charging-profiles", tag = "stations", operation_id = "list_charging_profiles",
    params(("id", description = "The station's identity")), security(("bearer" = ["view"])),
    responses((status = 200, body = Known<Object>), (status = 404, body = Problem)))]
pub(super) async fn charging_profiles(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<Known<Value>>, Problem> {
    let mirrors = inspect(&csms, &id).await?.mirrors;
    let profiles = mirrors.charging_profiles().iter();
    let known =
        profiles.map(|known| json!({"evse": known.evse, "source": known.source, "profile": known.profile})).collect();
    Ok(axum::Json(Known { complete: mirrors.is_complete(), known }))
}

/// The messages that a station shows as far as known (MessageInfoType of 2.1).
#[utoipa::path(get, path = "/api/v1/stations/{id}/display-messages", tag = "stations", operation_id = "list_display_messages",
    params(("id", description = "The station's identity")), security(("bearer" = ["view"])),
    responses((status = 200, body = Known<Object>), (status = 404, body = Problem)))]
pub(super) async fn display_messages(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<Known<Value>>, Problem> {
    let mirrors = inspect(&csms, &id).await?.mirrors;
    let known = mirrors.display_messages().iter().map(|message| json!(message)).collect();
    Ok(axum::Json(Known { complete: mirrors.is_complete(), known }))
}

/// The version of a station's local list as far as known.
#[utoipa::path(get, path = "/api/v1/stations/{id}/local-list", tag = "stations", operation_id = "get_local_list",
    params(("id", description = "The station's identity")), security(("bearer" = ["view"])),
    responses((status = 200, body = ListVersion), (status = 404, body = Problem)))]
pub(super) async fn local_list(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<ListVersion>, Problem> {
    let mirrors = inspect(&csms, &id).await?.mirrors;
    Ok(axum::Json(ListVersion { version: mirrors.local_list().version() }))
}

/// The certificates of a station as it last reported them: `kind`, `hash`, `children`. The operation `list_certificates` asks anew.
#[utoipa::path(get, path = "/api/v1/stations/{id}/certificates", tag = "stations", operation_id = "list_certificates",
    params(("id", description = "The station's identity")), security(("bearer" = ["view"])),
    responses((status = 200, body = Vec<Object>), (status = 404, body = Problem)))]
pub(super) async fn certificates(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<InstalledCertificate>>, Problem> {
    Ok(axum::Json(inspect(&csms, &id).await?.certificates))
}

/// The monitors of a station as far as known: `id`, `component`, `variable`, `kind`, `severity`, `notification`.
#[utoipa::path(get, path = "/api/v1/stations/{id}/monitors", tag = "stations", operation_id = "list_monitors",
    params(("id", description = "The station's identity")), security(("bearer" = ["view"])),
    responses((status = 200, body = Vec<Object>), (status = 404, body = Problem)))]
pub(super) async fn monitors(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<Value>>, Problem> {
    let view = |monitor: &Monitor| {
        json!({"id": monitor.id, "component": monitor.component, "variable": monitor.variable, "kind": monitor.kind,
            "severity": monitor.severity, "notification": monitor.notification})
    };
    Ok(axum::Json(inspect(&csms, &id).await?.monitors.iter().map(view).collect()))
}
