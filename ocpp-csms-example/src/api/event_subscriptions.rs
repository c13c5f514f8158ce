//! Who is told of what happens.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Json, Path, Query};
use super::raw::json_or_text;
use super::tokens::limit;
use crate::access::Actor;
use crate::notifications::{SubscriptionChange, SubscriptionError};
use crate::server::Csms;
use crate::store::{Delivery, DeliveryState, Subscription};

/// Somebody who is told of what happens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscriptionView {
    /// Its name.
    id: String,
    /// Where to.
    target: String,
    /// The kinds of events.
    kinds: Vec<String>,
    /// Only those of this station.
    station: Option<String>,
    /// Whether it is told anything at present. Who could not be told too often is switched off (`disable_after`), which is a fault.
    active: bool,
    /// How often in a row it could not be told.
    failures: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who made it.
    created_by: String,
    /// What webhooks are signed with; only in the answer to its making.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl From<Subscription> for SubscriptionView {
    fn from(known: Subscription) -> Self {
        Self {
            id: known.id,
            target: known.target,
            kinds: known.kinds,
            station: known.station,
            active: known.active,
            failures: known.failures,
            created_at: known.created_at,
            created_by: known.created_by,
            secret: None,
        }
    }
}

impl From<SubscriptionError> for Problem {
    fn from(error: SubscriptionError) -> Self {
        match error {
            SubscriptionError::Store(error) => error.into(),
            SubscriptionError::Unknown(_) => Self::not_found(error.to_string()),
            error => Self::bad_request(error.to_string()),
        }
    }
}

/// Somebody who is to be told of what happens.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubscriptionPost {
    /// Where to: a URL, or `mailto:` with an address.
    #[schema(example = "https://example.com/hooks/charging")]
    target: String,
    /// The kinds of events, as in the stream; `transaction.*` stands for all that begin so, `*` for all.
    #[schema(example = json!(["transaction.ended", "fault.*"]))]
    kinds: Vec<String>,
    /// Only those of this station.
    station: Option<String>,
    /// What webhooks are signed with, 16 to 256 characters. Default: one is made.
    #[schema(write_only, min_length = 16, max_length = 256)]
    secret: Option<String>,
}

/// What changes. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubscriptionPatch {
    /// Where to.
    target: Option<String>,
    /// The kinds of events.
    kinds: Option<Vec<String>>,
    /// Whether it is told anything.
    active: Option<bool>,
}

/// Who is told of what happens.
#[utoipa::path(get, path = "/api/v1/event-subscriptions", tag = "events", operation_id = "list_event_subscriptions",
    security(("bearer" = ["administer"])), responses((status = 200, body = Vec<SubscriptionView>)))]
pub(super) async fn list(State(csms): State<Csms>) -> axum::Json<Vec<SubscriptionView>> {
    let known = csms.stations().notifications().subscriptions();
    axum::Json(known.into_iter().map(SubscriptionView::from).collect())
}

/// Has somebody told of what happens: by webhook or mail.
///
/// A webhook is a POST with an event as in the stream (its `id` is a text here), and the headers `webhook-id` (the same when it is
/// repeated), `webhook-event` (the kind) and `webhook-signature: t=SECONDS,v1=HEX`, an HMAC-SHA256 with the secret over the seconds, a full
/// stop and the body. It is repeated after 2 s, 4 s and so on up to an hour, until it is answered with 2xx or given up (`give_up_after`).
/// Whoever fails too often in a row is switched off (`disable_after`) until `active` is set again.
#[utoipa::path(post, path = "/api/v1/event-subscriptions", tag = "events", operation_id = "subscribe", request_body = SubscriptionPost,
    security(("bearer" = ["administer"])),
    responses((status = 201, body = SubscriptionView), (status = 400, body = Problem)))]
pub(super) async fn post(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(post): Json<SubscriptionPost>,
) -> Result<(StatusCode, axum::Json<SubscriptionView>), Problem> {
    let SubscriptionPost { target, kinds, station, secret } = post;
    let notifications = csms.stations().notifications();
    let made = notifications.subscribe(&target, kinds, station, secret, actor.name()).await?;
    csms.audit(&actor, "subscription.created", &made.id, made.kinds.join(", ")).await;
    let secret = Some(made.secret.clone());
    Ok((StatusCode::CREATED, axum::Json(SubscriptionView { secret, ..made.into() })))
}

/// Changes who is told of what.
#[utoipa::path(patch, path = "/api/v1/event-subscriptions/{subscription}", tag = "events", operation_id = "change_event_subscription",
    request_body = SubscriptionPatch, params(("subscription", description = "Its name")), security(("bearer" = ["administer"])),
    responses((status = 200, body = SubscriptionView), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn patch(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(SubscriptionPatch { target, kinds, active }): Json<SubscriptionPatch>,
) -> Result<axum::Json<SubscriptionView>, Problem> {
    let change = SubscriptionChange { target, kinds, active };
    let changed = csms.stations().notifications().change(&id, change).await?;
    csms.audit(&actor, "subscription.changed", &id, changed.kinds.join(", ")).await;
    Ok(axum::Json(changed.into()))
}

/// Tells somebody no more, not even what happened before.
#[utoipa::path(delete, path = "/api/v1/event-subscriptions/{subscription}", tag = "events", operation_id = "unsubscribe",
    params(("subscription", description = "Its name")), security(("bearer" = ["administer"])),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn delete(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    csms.stations().notifications().unsubscribe(&id).await?;
    csms.audit(&actor, "subscription.removed", &id, "").await;
    Ok(StatusCode::NO_CONTENT)
}

/// Something that somebody is to be told, or was.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// Its name, the same at each attempt.
    id: String,
    /// The kind of event.
    kind: String,
    /// The event.
    #[schema(value_type = Object)]
    event: Box<RawValue>,
    /// How it stands.
    state: DeliveryState,
    /// How often it was tried.
    attempts: i64,
    /// When it is tried next, if it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    /// What came of the last attempt.
    last_answer: Option<String>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Delivery> for DeliveryView {
    fn from(known: Delivery) -> Self {
        Self {
            event: json_or_text(&known.body),
            next_attempt_at: (known.state == DeliveryState::Pending).then_some(known.next_attempt_at),
            id: known.id,
            kind: known.kind,
            state: known.state,
            attempts: known.attempts,
            last_answer: known.last_answer,
            created_at: known.created_at,
        }
    }
}

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// What somebody is to be told, or was, the latest first. What is over is remembered for 30 days.
#[utoipa::path(get, path = "/api/v1/event-subscriptions/{subscription}/deliveries", tag = "events", operation_id = "list_deliveries",
    params(("subscription", description = "Its name"), Which), security(("bearer" = ["administer"])),
    responses((status = 200, body = Vec<DeliveryView>), (status = 404, body = Problem)))]
pub(super) async fn deliveries(
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<axum::Json<Vec<DeliveryView>>, Problem> {
    let is_known = csms.stations().notifications().subscriptions().iter().any(|known| known.id == id);
    is_known.then_some(()).ok_or_else(|| SubscriptionError::Unknown(id.clone()))?;
    let known = csms.store().deliveries(&id, limit(which.limit)?).await?;
    Ok(axum::Json(known.into_iter().map(DeliveryView::from).collect()))
}
