//! The accounts of operators, and API tokens.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Problem;
use super::body::{Json, Path};
use crate::access::account::Secret;
use crate::access::{AccessError, Actor, Role, Scope, operators};
use crate::server::Csms;
use crate::store::{KeptApiToken, Operator};

/// An operator's account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperatorView {
    /// Its id.
    id: String,
    /// The name it signs in with.
    name: String,
    /// What it is there for.
    role: Role,
    /// Whether it may not sign in.
    disabled: bool,
    /// Whether a password was chosen yet.
    has_password: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it last signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sign_in_at: Option<Timestamp>,
    /// The link by which a password is chosen, once and within seven days. Shown only when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    set_up_url: Option<String>,
}

impl From<Operator> for OperatorView {
    fn from(operator: Operator) -> Self {
        let Operator { id, name, role, password_hash, disabled, created_at, updated_at, last_sign_in_at } = operator;
        let has_password = password_hash.is_some();
        Self { id, name, role, disabled, has_password, created_at, updated_at, last_sign_in_at, set_up_url: None }
    }
}

/// A new operator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOperator {
    /// The name to sign in with, 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// What it is there for.
    role: Role,
}

/// What is changed of an operator. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperatorChange {
    /// The name to sign in with.
    name: Option<String>,
    /// What it is there for. With another role it has to sign in anew.
    role: Option<Role>,
    /// Whether it may not sign in. All its sessions end.
    disabled: Option<bool>,
}

/// A link that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkView {
    /// By this a password is chosen, once and within seven days.
    pub(super) url: String,
}

pub(super) fn set_up_url(csms: &Csms, secret: &Secret) -> String {
    format!("{}/set-up/{}", csms.public_url(), secret.text())
}

/// All operators, by name.
#[utoipa::path(get, path = "/api/v1/operators", tag = "access", operation_id = "list_operators",
    security(("bearer" = ["administer"])), responses((status = 200, body = Vec<OperatorView>)))]
pub(super) async fn list(State(csms): State<Csms>) -> Result<axum::Json<Vec<OperatorView>>, Problem> {
    let operators = csms.store().operators().await?;
    Ok(axum::Json(operators.into_iter().map(OperatorView::from).collect()))
}

/// Makes an account. The answer holds the link by which its owner chooses a password.
#[utoipa::path(post, path = "/api/v1/operators", tag = "access", operation_id = "create_operator",
    security(("bearer" = ["administer"])), request_body = NewOperator,
    responses((status = 201, body = OperatorView), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn create(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(new): Json<NewOperator>,
) -> Result<(StatusCode, axum::Json<OperatorView>), Problem> {
    let (operator, link) = operators::create(&csms, &actor, &new.name, new.role).await?;
    let view = OperatorView { set_up_url: Some(set_up_url(&csms, &link)), ..operator.into() };
    Ok((StatusCode::CREATED, axum::Json(view)))
}

/// One operator.
#[utoipa::path(get, path = "/api/v1/operators/{id}", tag = "access", operation_id = "get_operator",
    security(("bearer" = ["administer"])), responses((status = 200, body = OperatorView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<OperatorView>, Problem> {
    let operator = csms.store().operator(&id).await?;
    Ok(axum::Json(operator.ok_or(AccessError::Unknown("operator", id))?.into()))
}

/// Changes an operator. The last admin who can sign in stays one.
#[utoipa::path(patch, path = "/api/v1/operators/{id}", tag = "access", operation_id = "change_operator",
    security(("bearer" = ["administer"])), request_body = OperatorChange,
    responses((status = 200, body = OperatorView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn change(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(change): Json<OperatorChange>,
) -> Result<axum::Json<OperatorView>, Problem> {
    let OperatorChange { name, role, disabled } = change;
    let change = operators::OperatorChange { name, role, disabled };
    Ok(axum::Json(operators::change(&csms, &actor, &id, change).await?.into()))
}

/// Makes a new link by which an operator chooses a password. Those made before do not work any more.
#[utoipa::path(post, path = "/api/v1/operators/{id}/set-up-link", tag = "access", operation_id = "make_operator_link",
    security(("bearer" = ["administer"])), responses((status = 200, body = LinkView), (status = 404, body = Problem)))]
pub(super) async fn link(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<axum::Json<LinkView>, Problem> {
    let link = operators::set_up_link(&csms, &actor, &id).await?;
    Ok(axum::Json(LinkView { url: set_up_url(&csms, &link) }))
}

/// An API token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiTokenView {
    /// Its id.
    id: String,
    /// What it was made for.
    name: String,
    /// What its holder may do.
    scopes: Vec<Scope>,
    /// Who made it.
    created_by: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it is not taken.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// Since when it is not taken any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// The token. Shown only when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<KeptApiToken> for ApiTokenView {
    fn from(token: KeptApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scopes: token.scopes.iter().collect(),
            created_by: token.created_by,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
            token: None,
        }
    }
}

/// A new API token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiToken {
    /// What it is for, 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// What its holder may do: at least one, not `drive`.
    scopes: Vec<Scope>,
    /// From when on it is not taken. Default: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// All API tokens but that of the installation, the latest first.
#[utoipa::path(get, path = "/api/v1/api-tokens", tag = "access", operation_id = "list_api_tokens",
    security(("bearer" = ["administer"])), responses((status = 200, body = Vec<ApiTokenView>)))]
pub(super) async fn list_tokens(State(csms): State<Csms>) -> Result<axum::Json<Vec<ApiTokenView>>, Problem> {
    let tokens = csms.store().api_tokens().await?;
    Ok(axum::Json(tokens.into_iter().map(ApiTokenView::from).collect()))
}

/// Makes an API token. The answer shows it once.
#[utoipa::path(post, path = "/api/v1/api-tokens", tag = "access", operation_id = "create_api_token",
    security(("bearer" = ["administer"])), request_body = NewApiToken,
    responses((status = 201, body = ApiTokenView), (status = 400, body = Problem)))]
pub(super) async fn create_token(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(new): Json<NewApiToken>,
) -> Result<(StatusCode, axum::Json<ApiTokenView>), Problem> {
    let scopes = new.scopes.into_iter().collect();
    let (token, secret) = operators::create_api_token(&csms, &actor, &new.name, scopes, new.expires_at).await?;
    let view = ApiTokenView { token: Some(secret.text().to_owned()), ..token.into() };
    Ok((StatusCode::CREATED, axum::Json(view)))
}

/// Revokes an API token: from now on it is not taken.
#[utoipa::path(delete, path = "/api/v1/api-tokens/{id}", tag = "access", operation_id = "revoke_api_token",
    security(("bearer" = ["administer"])),
    responses((status = 204, description = "Revoked"), (status = 404, body = Problem)))]
pub(super) async fn revoke_token(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    operators::revoke_api_token(&csms, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
