//! Signing in and out by cookie, and who one is.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Problem;
use super::body::Json;
use crate::access::account::{self, Kind};
use crate::access::{AccessError, Actor, Scope, Scopes, drivers, gate};
use crate::server::Csms;

/// Who somebody is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// `anonymous`, `installation`, `api_token`, `operator` or `driver`.
    kind: &'static str,
    /// The id of the account or API token.
    id: Option<String>,
    /// Its name.
    name: String,
    /// What it may do.
    scopes: Vec<Scope>,
    /// What requests that change something have to carry in the header `x-csrf-token`; null where there is no session.
    csrf: Option<String>,
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The name of an operator; the e-mail address or telephone number of a driver.
    name: String,
    /// The password.
    #[schema(write_only)]
    password: String,
    /// Whether it is a driver. Default: false.
    #[serde(default)]
    driver: bool,
}

/// Who registers as a driver.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    /// E-mail address, or telephone number with its country (`+250…`).
    login: String,
    /// What the driver wants to be called.
    name: String,
    /// The password, 10 to 200 characters.
    #[schema(write_only)]
    password: String,
    /// The secret of an invitation: the end of its link. Needed where drivers register by invitation.
    #[schema(write_only)]
    invitation: Option<String>,
}

/// A password by a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUp {
    /// The secret of the link: its end.
    #[schema(write_only)]
    link: String,
    /// The password, 10 to 200 characters.
    #[schema(write_only)]
    password: String,
}

/// A new password of one's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The present one.
    #[schema(write_only)]
    old: String,
    /// The new one, 10 to 200 characters.
    #[schema(write_only)]
    new: String,
}

fn scopes(scopes: Scopes) -> Vec<Scope> {
    scopes.iter().collect()
}

fn welcome(csms: &Csms, parts: &Parts, begun: &account::Begun) -> (CookieJar, axum::Json<SessionView>) {
    let view = SessionView {
        kind: begun.kind.as_str(),
        id: Some(begun.account.clone()),
        name: begun.name.clone(),
        scopes: scopes(begun.scopes),
        csrf: Some(begun.secret.csrf().to_string()),
    };
    (CookieJar::new().add(gate::cookie(csms, parts, begun)), axum::Json(view))
}

/// Who makes this request.
#[utoipa::path(get, path = "/api/v1/session", tag = "access", operation_id = "get_session", security(()),
    responses((status = 200, body = SessionView)))]
pub(super) async fn get(Extension(actor): Extension<Actor>) -> axum::Json<SessionView> {
    axum::Json(SessionView {
        kind: actor.kind(),
        id: actor.id().map(str::to_owned),
        name: actor.name().to_owned(),
        scopes: scopes(actor.scopes),
        csrf: actor.csrf.as_deref().map(str::to_owned),
    })
}

/// Signs in: the answer sets the cookie of a new session. An operator's session ends after 2 hours without use and after 12 in any case,
/// a driver's after 14 and 60 days.
#[utoipa::path(post, path = "/api/v1/session", tag = "access", operation_id = "sign_in", security(()), request_body = SignIn,
    responses((status = 200, body = SessionView), (status = 401, body = Problem),
        (status = 429, description = "Too many wrong passwords", body = Problem)))]
pub(super) async fn sign_in(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    parts: Parts,
    Json(body): Json<SignIn>,
) -> Result<(CookieJar, axum::Json<SessionView>), Problem> {
    let kind = if body.driver { Kind::Driver } else { Kind::Operator };
    let begun = account::sign_in(&csms, kind, &body.name, &body.password, actor.address).await?;
    Ok(welcome(&csms, &parts, &begun))
}

/// Signs out: the session ends, and the browser forgets its cookie.
#[utoipa::path(delete, path = "/api/v1/session", tag = "access", operation_id = "sign_out", security(()),
    responses((status = 204, description = "Nobody is signed in any more")))]
pub(super) async fn sign_out(State(csms): State<Csms>, parts: Parts) -> Result<(StatusCode, CookieJar), Problem> {
    if let Some(secret) = gate::session_of(&csms, &parts.extensions, &parts.headers) {
        account::sign_out(&csms, &secret).await?;
    }
    Ok((StatusCode::NO_CONTENT, gate::forget().into_iter().fold(CookieJar::new(), CookieJar::add)))
}

/// Changes the own password, that of who is signed in. All other sessions of the account end.
#[utoipa::path(put, path = "/api/v1/session/password", tag = "access", operation_id = "change_password", security(()),
    request_body = PasswordChange,
    responses((status = 204, description = "Changed"), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(super) async fn change_password(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    parts: Parts,
    Json(body): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let session = gate::session_of(&csms, &parts.extensions, &parts.headers).ok_or(AccessError::NotSignedIn)?;
    account::change_password(&csms, &actor, &session, &body.old, &body.new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Chooses a password by a link that an admin made, and signs in.
#[utoipa::path(post, path = "/api/v1/session/set-up", tag = "access", operation_id = "set_up", security(()), request_body = SetUp,
    responses((status = 200, body = SessionView), (status = 400, body = Problem), (status = 410, body = Problem)))]
pub(super) async fn set_up(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    parts: Parts,
    Json(body): Json<SetUp>,
) -> Result<(CookieJar, axum::Json<SessionView>), Problem> {
    let secret = account::Secret::presented(&body.link);
    let begun = account::follow_link(&csms, &secret, &body.password, actor.address).await?;
    Ok(welcome(&csms, &parts, &begun))
}

/// Registers a driver, and signs in, where the installation lets drivers register (`driver_registration`).
#[utoipa::path(post, path = "/api/v1/session/registration", tag = "access", operation_id = "register_driver", security(()),
    request_body = Registration,
    responses((status = 200, body = SessionView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn register(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    parts: Parts,
    Json(body): Json<Registration>,
) -> Result<(CookieJar, axum::Json<SessionView>), Problem> {
    let Registration { login, name, password, invitation } = body;
    let invitation = invitation.as_deref().map(account::Secret::presented);
    let begun = drivers::register(&csms, &login, &name, &password, invitation.as_ref(), actor.address).await?;
    Ok(welcome(&csms, &parts, &begun))
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        use AccessError::{
            BalanceOfNobody, Busy, Closed, Entropy, Expiry, Hashing, InvitationNeeded, LastAdmin, Link, Login,
            NotSignedIn, Scopes, Store, Taken, Text, TooManyAttempts, Unknown, WeakPassword, WrongPassword,
        };
        let status = match &error {
            Store(_) | Entropy(_) | Hashing => {
                tracing::error!(%error, "a request failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            WrongPassword | NotSignedIn => StatusCode::UNAUTHORIZED,
            TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Busy => StatusCode::SERVICE_UNAVAILABLE,
            Taken | LastAdmin => StatusCode::CONFLICT,
            Unknown(..) => StatusCode::NOT_FOUND,
            Link => StatusCode::GONE,
            Closed | InvitationNeeded => StatusCode::FORBIDDEN,
            WeakPassword | Text(..) | Login | BalanceOfNobody | Scopes | Expiry => StatusCode::BAD_REQUEST,
        };
        if let Store(error) = error {
            return error.into();
        }
        Self::new(status, error.to_string())
    }
}
