//! What a driver sees and does with the own account.

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Path, Query};
use super::tokens::{TokenView, limit};
use super::transactions::TransactionView;
use crate::access::{Actor, Payment, portal};
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
