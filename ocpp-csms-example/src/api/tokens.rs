//! The tokens that drivers present.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Json, Path, Query};
use crate::access::{AccessError, Actor, Payment, mask};
use crate::server::Csms;
use crate::stations::check_id;
use crate::store::{Token, TokenStatus, TokenTerms};

/// Identifiers have at most this many characters (2.1 part 2, IdTokenType).
const MAX_TOKEN: usize = 255;
/// Stations that one token may name.
const MAX_STATIONS: usize = 1000;
/// Kinds have at most this many (2.1 part 2, IdTokenType).
const MAX_KIND: usize = 20;

/// A token as it is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenView {
    /// What the card or app presents.
    token: String,
    /// What kind of identifier it is: `ISO14443`, `Central`, `eMAID`, …
    r#type: String,
    /// What the operator decided.
    status: TokenStatus,
    /// From when on it is not accepted.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The token that stands for its group.
    group: Option<String>,
    /// Whose it is: the id of a driver.
    driver: Option<String>,
    /// How what it charges is paid; null: as its driver pays, and free without a driver.
    payment: Option<Payment>,
    /// The stations where it may charge; null: all.
    stations: Option<Vec<String>>,
    /// When it was entered.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl TokenView {
    pub(super) async fn new(csms: &Csms, token: Token) -> Result<Self, Problem> {
        let TokenTerms { driver, payment, stations } = csms.store().token_terms(&token.token).await?;
        let Token { token, kind, status, expires_at, group, created_at, updated_at } = token;
        Ok(Self { token, r#type: kind, status, expires_at, group, driver, payment, stations, created_at, updated_at })
    }
}

/// What is to be kept of a token. What is left out gets its default: the whole token is replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenChange {
    /// What kind of identifier it is. Default: `ISO14443`, an RFID card.
    #[schema(max_length = 20)]
    r#type: Option<String>,
    /// Default: `accepted`.
    status: Option<TokenStatus>,
    /// From when on it is not accepted. Default: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The token that stands for its group. Default: none.
    #[schema(max_length = 255)]
    group: Option<String>,
    /// Whose it is: the id of a driver. Default: nobody's.
    driver: Option<String>,
    /// How what it charges is paid. Default: as its driver pays, and free without a driver.
    payment: Option<Payment>,
    /// The stations where it may charge, at most 1000. Default: all.
    #[schema(max_items = 1000)]
    stations: Option<Vec<String>>,
}

/// Which part of a long list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Go on after this name, the last of the part before.
    pub(super) after: Option<String>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    pub(super) limit: Option<u32>,
}

impl Part {
    pub(super) fn limit(&self) -> Result<u32, Problem> {
        limit(self.limit)
    }
}

pub(super) fn limit(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(100) {
        limit @ 1..=1000 => Ok(limit),
        _ => Err(Problem::bad_request("limit is 1 to 1000")),
    }
}

/// Tokens, in the order of their names.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens",
    security(("bearer" = ["view"])), operation_id = "list_tokens", params(Part),
    responses((status = 200, body = Vec<TokenView>)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(part): Query<Part>,
) -> Result<axum::Json<Vec<TokenView>>, Problem> {
    let tokens = csms.store().tokens(part.after.as_deref(), part.limit()?).await?;
    let mut views = Vec::with_capacity(tokens.len());
    for token in tokens {
        views.push(TokenView::new(&csms, token).await?);
    }
    Ok(axum::Json(views))
}

/// One token, whatever the case of its letters.
#[utoipa::path(get, path = "/api/v1/tokens/{token}", tag = "tokens",
    security(("bearer" = ["view"])), operation_id = "get_token",
    responses((status = 200, body = TokenView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(token): Path<String>) -> Result<axum::Json<TokenView>, Problem> {
    let known = csms.store().token(&token).await?.ok_or_else(|| unknown(&token))?;
    Ok(axum::Json(TokenView::new(&csms, known).await?))
}

/// Enters or replaces a token.
#[utoipa::path(put, path = "/api/v1/tokens/{token}", tag = "tokens",
    security(("bearer" = ["operate"])), operation_id = "put_token", request_body = TokenChange,
    responses((status = 200, description = "Replaced", body = TokenView), (status = 201, description = "Entered", body = TokenView),
        (status = 400, body = Problem)))]
pub(super) async fn put(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(token): Path<String>,
    Json(change): Json<TokenChange>,
) -> Result<(StatusCode, axum::Json<TokenView>), Problem> {
    let kind = change.r#type.unwrap_or_else(|| "ISO14443".to_owned());
    check("the token", &token, MAX_TOKEN)?;
    check("type", &kind, MAX_KIND)?;
    if let Some(group) = &change.group {
        check("group", group, MAX_TOKEN)?;
    }
    let terms = terms(&csms, change.driver, change.payment, change.stations).await?;
    let now = Timestamp::now();
    let wanted = Token {
        token: token.clone(),
        kind,
        status: change.status.unwrap_or(TokenStatus::Accepted),
        expires_at: change.expires_at,
        group: change.group,
        created_at: now,
        updated_at: now,
    };
    let is_new = csms.store().put_token_with(&wanted, &terms).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let kept = csms.store().token(&token).await?.ok_or_else(|| unknown(&token))?;
    let action = if status == StatusCode::CREATED { "token.created" } else { "token.changed" };
    csms.audit(&actor, action, mask(&token), kept.status).await;
    Ok((status, axum::Json(TokenView::new(&csms, kept).await?)))
}

/// Removes a token: it is not known any more.
#[utoipa::path(delete, path = "/api/v1/tokens/{token}", tag = "tokens",
    security(("bearer" = ["operate"])), operation_id = "delete_token",
    responses((status = 204, description = "Removed"), (status = 404, body = Problem)))]
pub(super) async fn delete(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(token): Path<String>,
) -> Result<StatusCode, Problem> {
    if !csms.store().delete_token(&token).await? {
        return Err(unknown(&token));
    }
    csms.audit(&actor, "token.removed", mask(&token), "").await;
    Ok(StatusCode::NO_CONTENT)
}

/// Checks to whom a token is to belong, and where it is to charge.
async fn terms(
    csms: &Csms,
    driver: Option<String>,
    payment: Option<Payment>,
    stations: Option<Vec<String>>,
) -> Result<TokenTerms, Problem> {
    match &driver {
        Some(id) if csms.store().driver(id).await?.is_none() => {
            return Err(Problem::bad_request(format!(
                "driver: there is no driver {id:?}; list them with GET /api/v1/drivers"
            )));
        }
        None if payment == Some(Payment::Balance) => return Err(AccessError::BalanceOfNobody.into()),
        _ => {}
    }
    for station in stations.iter().flatten() {
        check_id(station).map_err(|error| Problem::bad_request(format!("stations: {error}")))?;
    }
    if stations.as_ref().is_some_and(|stations| stations.len() > MAX_STATIONS) {
        return Err(Problem::bad_request("stations: name at most 1000, or none to allow all"));
    }
    Ok(TokenTerms { driver, payment, stations })
}

fn unknown(token: &str) -> Problem {
    Problem::not_found(format!("there is no token {token:?}"))
}

fn check(what: &str, value: &str, max: usize) -> Result<(), Problem> {
    let length = value.chars().count();
    if length == 0 || length > max || value.chars().any(char::is_control) {
        return Err(Problem::bad_request(format!("{what} has 1 to {max} characters and no control characters")));
    }
    Ok(())
}
