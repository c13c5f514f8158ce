//! What a driver sees and does with the own account.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Json, Path, Query};
use super::payments::{BalanceView, PaymentView, PrepaidView, TopUp};
use super::tokens::{TokenView, limit};
use super::transactions::TransactionView;
use crate::access::wallet::{self, StartError};
use crate::access::{Actor, Payment, portal};
use crate::ledger::Payer;
use crate::server::Csms;

/// A driver's own account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnAccount {
    /// Its id.
    id: String,
    /// The e-mail address or telephone number that it signs in with.
    login: String,
    /// What the driver wants to be called.
    name: String,
    /// How what its tokens charge is paid, unless a token says otherwise.
    payment: Payment,
    /// Its tokens.
    tokens: Vec<TokenView>,
}

/// A session of a driver.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnSession {
    /// The station.
    station: String,
    /// The transaction and its bill.
    #[serde(flatten)]
    transaction: TransactionView,
}

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Latest {
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The own account of a driver who signed in.
#[utoipa::path(get, path = "/api/v1/driver", tag = "driver", operation_id = "get_own_account", security(("bearer" = ["drive"])),
    responses((status = 200, body = OwnAccount)))]
pub(super) async fn get(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
) -> Result<axum::Json<OwnAccount>, Problem> {
    let driver = portal::account(&csms, &actor).await?;
    let mut tokens = Vec::new();
    for own in portal::tokens(&csms, &driver.id).await? {
        tokens.push(TokenView::new(&csms, own.token).await?);
    }
    let (id, login, name, payment) = (driver.id, driver.login, driver.name, driver.payment);
    Ok(axum::Json(OwnAccount { id, login, name, payment, tokens }))
}

/// What the driver who signed in has charged, the latest first.
#[utoipa::path(get, path = "/api/v1/driver/sessions", tag = "driver", operation_id = "list_own_sessions", params(Latest),
    security(("bearer" = ["drive"])), responses((status = 200, body = Vec<OwnSession>), (status = 400, body = Problem)))]
pub(super) async fn sessions(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Query(latest): Query<Latest>,
) -> Result<axum::Json<Vec<OwnSession>>, Problem> {
    let driver = portal::account(&csms, &actor).await?;
    let sessions = portal::sessions(&csms, &driver.id, limit(latest.limit)?).await?;
    let view = |session: crate::store::Transaction| OwnSession {
        station: session.station.clone(),
        transaction: session.into(),
    };
    Ok(axum::Json(sessions.into_iter().map(view).collect()))
}

/// What the driver who signed in can spend, by currency.
#[utoipa::path(get, path = "/api/v1/driver/balance", tag = "driver", operation_id = "get_own_balance", security(("bearer" = ["drive"])),
    responses((status = 200, body = Vec<BalanceView>)))]
pub(super) async fn balance(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
) -> Result<axum::Json<Vec<BalanceView>>, Problem> {
    let driver = portal::account(&csms, &actor).await?;
    Ok(axum::Json(super::payments::balances(&csms, &driver.id).await?))
}

/// The payments of the driver who signed in, the newest first.
#[utoipa::path(get, path = "/api/v1/driver/payments", tag = "driver", operation_id = "list_own_payments", params(Latest),
    security(("bearer" = ["drive"])), responses((status = 200, body = Vec<PaymentView>), (status = 400, body = Problem)))]
pub(super) async fn payments(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Query(latest): Query<Latest>,
) -> Result<axum::Json<Vec<PaymentView>>, Problem> {
    let driver = portal::account(&csms, &actor).await?;
    let payments = csms.store().payments(Some(&Payer::Driver(driver.id)), None, limit(latest.limit)?).await?;
    Ok(axum::Json(payments.into_iter().map(PaymentView::from).collect()))
}

/// Tops up the balance of the driver who signed in.
#[utoipa::path(post, path = "/api/v1/driver/top-ups", tag = "driver", operation_id = "top_up_own", request_body = TopUp,
    security(("bearer" = ["drive"])),
    responses((status = 202, description = "The provider is asked", body = PaymentView), (status = 400, body = Problem)))]
pub(super) async fn top_up(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(wanted): Json<TopUp>,
) -> Result<(StatusCode, axum::Json<PaymentView>), Problem> {
    let driver = portal::account(&csms, &actor).await?;
    let payment = csms.payments().top_up(&driver.id, wanted.wanted()?).await?;
    csms.audit(&actor, "payment.requested", &payment.id, "top-up by the driver").await;
    Ok((StatusCode::ACCEPTED, axum::Json(payment.into())))
}

/// Where to charge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOwnSession {
    station: String,
    /// The EVSE.
    evse: i64,
}

/// A session that the station is told to start.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnStart {
    /// What is set aside for it; null where it is free.
    prepaid: Option<PrepaidView>,
}

/// Starts a session, paid from the balance unless it is free.
#[utoipa::path(post, path = "/api/v1/driver/sessions", tag = "driver", operation_id = "start_own_session", request_body = NewOwnSession,
    security(("bearer" = ["drive"])),
    responses((status = 202, description = "The station is told", body = OwnStart), (status = 400, body = Problem),
        (status = 404, description = "There is no such outlet", body = Problem),
        (status = 409, description = "The station cannot, no token may, or the balance does not cover it", body = Problem)))]
pub(super) async fn start(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(NewOwnSession { station, evse }): Json<NewOwnSession>,
) -> Result<(StatusCode, axum::Json<OwnStart>), Problem> {
    let prepaid = wallet::start(&csms, &actor, &station, evse).await?.map(PrepaidView::from);
    csms.audit(&actor, "session.started", format!("{station}/{evse}"), "by the driver").await;
    Ok((StatusCode::ACCEPTED, axum::Json(OwnStart { prepaid })))
}

/// How a session that the driver who signed in has started stands.
#[utoipa::path(get, path = "/api/v1/driver/prepaid-sessions/{id}", tag = "driver", operation_id = "get_own_prepaid_session",
    security(("bearer" = ["drive"])), responses((status = 200, body = PrepaidView), (status = 404, body = Problem)))]
pub(super) async fn prepaid(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<axum::Json<PrepaidView>, Problem> {
    let driver = portal::account(&csms, &actor).await?;
    let session = csms.store().prepaid_session(&id).await?;
    let own = session.filter(|session| session.payer.driver() == Some(&driver.id));
    Ok(axum::Json(own.ok_or_else(|| Problem::not_found(format!("you have no session {id:?}")))?.into()))
}

/// Stops a session of the driver who signed in.
#[utoipa::path(post, path = "/api/v1/driver/sessions/{station}/{id}/stop", tag = "driver", operation_id = "stop_own_session",
    security(("bearer" = ["drive"])),
    responses((status = 202, description = "The station is told"),
        (status = 404, description = "The driver has no such session that goes on", body = Problem),
        (status = 409, description = "The station is not connected", body = Problem)))]
pub(super) async fn stop(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path((station, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    wallet::stop(&csms, &actor, &station, &id).await?;
    Ok(StatusCode::ACCEPTED)
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        let status = match error {
            StartError::Access(error) => return error.into(),
            StartError::Payment(error) => return error.into(),
            StartError::Station(error) => return error.into(),
            StartError::Store(error) => return error.into(),
            StartError::Place | StartError::NoSession => StatusCode::NOT_FOUND,
            StartError::NotAllowed => StatusCode::CONFLICT,
        };
        Self::new(status, error.to_string())
    }
}

/// Blocks a token of the driver who signed in, because it is lost. Only an operator allows it again.
#[utoipa::path(post, path = "/api/v1/driver/tokens/{token}/block", tag = "driver", operation_id = "block_own_token",
    security(("bearer" = ["drive"])), responses((status = 200, body = TokenView), (status = 404, body = Problem)))]
pub(super) async fn block(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(token): Path<String>,
) -> Result<axum::Json<TokenView>, Problem> {
    let token = portal::block_token(&csms, &actor, &token).await?;
    Ok(axum::Json(TokenView::new(&csms, token).await?))
}
