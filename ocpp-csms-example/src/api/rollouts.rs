//! Roll-outs of firmware.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Problem;
use super::body::{Json, Path, Query};
use super::firmware::Part;
use super::tokens::limit;
use crate::access::Actor;
use crate::maintenance::{self, Plan, RolloutOrder, WaveSize};
use crate::server::Csms;
use crate::store::{Rollout, RolloutState, RolloutStation, Signing, UpdateState};

/// The waves of a roll-out that says nothing of them.
const USUAL_WAVES: [WaveSize; 2] = [WaveSize::Percent(5), WaveSize::Percent(25)];
/// Percent of a wave that may fail.
const USUAL_FAILURES: u8 = 10;
/// Hours that a wave waits for stations that are offline.
const USUAL_PATIENCE: u16 = 24;

/// A roll-out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RolloutView {
    /// Its id.
    id: String,
    /// The image.
    image: String,
    /// How it stands.
    state: RolloutState,
    /// The wave that is under way, from 1.
    wave: i64,
    /// How many there are.
    waves: i64,
    /// When it began, or begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// It stops when more than so many percent of a wave failed.
    max_failures: i64,
    /// How many hours a wave waits for stations that are offline.
    patience_hours: i64,
    /// Whether stations are given the signature.
    signing: Signing,
    /// When it was planned.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// By whom.
    created_by: String,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// Why it stands so.
    detail: Option<String>,
    /// Its stations, where one roll-out is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    stations: Option<Vec<UpdateView>>,
}

/// A station of a roll-out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UpdateView {
    /// The station.
    station: String,
    /// Its wave, from 1.
    wave: i64,
    /// How far it is.
    state: UpdateState,
    /// How often it was told.
    attempts: i64,
    /// Its last word, such as `Downloading`.
    status: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// What went wrong.
    detail: Option<String>,
}

impl RolloutView {
    fn new(rollout: Rollout, stations: Option<Vec<RolloutStation>>) -> Self {
        let Rollout { id, image, state, wave, waves, starts_at, max_failures, patience, signing, .. } = rollout;
        let Rollout { created_at, created_by, changed_at, detail, .. } = rollout;
        let view = |station: RolloutStation| UpdateView {
            station: station.station,
            wave: station.wave + 1,
            state: station.state,
            attempts: station.attempts,
            status: station.status,
            changed_at: station.changed_at,
            detail: station.detail,
        };
        Self {
            id,
            image,
            state,
            wave: wave + 1,
            waves,
            starts_at,
            max_failures,
            patience_hours: patience.as_hours(),
            signing,
            created_at,
            created_by,
            changed_at,
            detail,
            stations: stations.map(|stations| stations.into_iter().map(view).collect()),
        }
    }
}

/// What is rolled out, to whom and how.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RolloutPost {
    /// The image.
    image: String,
    /// The stations, in the order in which they come. Default: all accepted ones that said that they are of the vendor and model of the
    /// image, in the order of their identities.
    stations: Option<Vec<String>>,
    /// How large the waves are: `5` for five stations, `5%` for five percent of all. Who is left makes the last wave. Default: 5%, 25%.
    #[schema(example = json!(["1", "10%"]))]
    waves: Option<Vec<String>>,
    /// When the first one begins. Default: now.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// It stops when more than so many percent of a wave failed. Default: 10.
    #[schema(maximum = 100)]
    max_failures: Option<u8>,
    /// How many hours a wave waits for stations that are offline; they get the firmware later as well. Default: 24.
    patience_hours: Option<u16>,
    /// Whether stations are given the signature. Default: `by_version`.
    signing: Option<Signing>,
}

/// Plans a roll-out, which begins by itself.
#[utoipa::path(post, path = "/api/v1/rollouts", tag = "maintenance", operation_id = "plan_rollout", request_body = RolloutPost,
    security(("bearer" = ["operate"])),
    responses((status = 201, body = RolloutView), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn plan(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(post): Json<RolloutPost>,
) -> Result<Response, Problem> {
    let waves = match post.waves {
        Some(waves) => waves.iter().map(|wave| wave.parse()).collect::<Result<_, _>>()?,
        None => USUAL_WAVES.to_vec(),
    };
    let plan = Plan {
        image: post.image,
        stations: post.stations,
        waves,
        starts_at: post.starts_at.unwrap_or_else(Timestamp::now),
        max_failures: post.max_failures.unwrap_or(USUAL_FAILURES),
        patience: SignedDuration::from_hours(post.patience_hours.unwrap_or(USUAL_PATIENCE).into()),
        signing: post.signing.unwrap_or(Signing::ByVersion),
    };
    let rollout = maintenance::roll_out(&csms, &actor, plan).await?;
    let location = format!("/api/v1/rollouts/{}", rollout.id);
    let view = RolloutView::new(rollout, None);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(view)).into_response())
}

/// Roll-outs, the newest first.
#[utoipa::path(get, path = "/api/v1/rollouts", tag = "maintenance", operation_id = "list_rollouts", params(Part),
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<RolloutView>)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(part): Query<Part>,
) -> Result<axum::Json<Vec<RolloutView>>, Problem> {
    let rollouts = csms.store().rollouts(part.before.as_deref(), limit(part.limit)?).await?;
    Ok(axum::Json(rollouts.into_iter().map(|rollout| RolloutView::new(rollout, None)).collect()))
}

/// One roll-out, with all of its stations.
#[utoipa::path(get, path = "/api/v1/rollouts/{id}", tag = "maintenance", operation_id = "get_rollout", security(("bearer" = ["view"])),
    params(("id", description = "The id of the roll-out")),
    responses((status = 200, body = RolloutView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<RolloutView>, Problem> {
    let rollout = maintenance::rollout(&csms, &id).await?;
    let stations = csms.store().rollout_stations(&id, i64::MAX).await?;
    Ok(axum::Json(RolloutView::new(rollout, Some(stations))))
}

/// What is to be done.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// No further station is told.
    Pause,
    /// It goes on; if it stopped because stations failed, those of its wave are told again.
    Resume,
    /// It ends. Stations that were told already go on.
    Cancel,
}

/// Pauses, resumes or cancels a roll-out.
#[utoipa::path(post, path = "/api/v1/rollouts/{id}/{order}", tag = "maintenance", operation_id = "direct_rollout",
    security(("bearer" = ["operate"])),
    params(("id", description = "The id of the roll-out"), ("order" = Order, description = "What is to be done")),
    responses((status = 200, body = RolloutView), (status = 404, body = Problem),
        (status = 409, description = "It does not stand so that this could be done", body = Problem)))]
pub(super) async fn direct(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path((id, order)): Path<(String, Order)>,
) -> Result<axum::Json<RolloutView>, Problem> {
    let order = match order {
        Order::Pause => RolloutOrder::Pause,
        Order::Resume => RolloutOrder::Resume,
        Order::Cancel => RolloutOrder::Cancel,
    };
    let rollout = maintenance::direct(&csms, &actor, &id, order).await?;
    Ok(axum::Json(RolloutView::new(rollout, None)))
}

/// What is to be done with a station.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StationOrder {
    /// It is left out.
    Skip,
    /// It is told again.
    Retry,
}

/// Leaves a station out of a roll-out, or tells it again.
#[utoipa::path(post, path = "/api/v1/rollouts/{id}/stations/{station}/{order}", tag = "maintenance",
    operation_id = "direct_rollout_station", security(("bearer" = ["operate"])),
    params(("id", description = "The id of the roll-out"), ("station", description = "The station"),
        ("order" = StationOrder, description = "What is to be done")),
    responses((status = 204, description = "Done"), (status = 404, body = Problem),
        (status = 409, description = "It does not stand so that this could be done", body = Problem)))]
pub(super) async fn direct_station(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path((id, station, order)): Path<(String, String, StationOrder)>,
) -> Result<StatusCode, Problem> {
    let skip = matches!(order, StationOrder::Skip);
    maintenance::direct_station(&csms, &actor, &id, &station, skip).await?;
    Ok(StatusCode::NO_CONTENT)
}
