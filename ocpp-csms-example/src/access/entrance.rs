//! The pages by which people come in and go out: sign in, sign out, follow a link, register, change the password.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::account::{self, Begun, Kind, Secret};
use super::{AccessError, Actor, Needs, Pages, Scope, drivers, gate};
use crate::server::Csms;
use crate::web::told::Told as _;
use crate::web::{Fields, Flash, Page};

/// Where operators and drivers go when they did not want to go anywhere else.
const HOME: &str = "/";
const DRIVER_HOME: &str = "/driver";

/// The pages.
pub(crate) fn pages(csms: &Csms) -> Pages {
    Pages::new(csms)
        .page(Method::GET, "/sign-in", Needs::Nothing, sign_in_form)
        .page(Method::POST, "/sign-in", Needs::Nothing, sign_in)
        .page(Method::POST, "/sign-out", Needs::Nothing, sign_out)
        .page(Method::GET, "/set-up/{secret}", Needs::Nothing, set_up_form)
        .page(Method::POST, "/set-up/{secret}", Needs::Nothing, set_up)
        .page(Method::GET, "/driver/register", Needs::Nothing, register_form)
        .page(Method::POST, "/driver/register", Needs::Nothing, register)
        .page(Method::GET, "/account", Needs::SignedIn, account_form)
        .page(Method::POST, "/account", Needs::SignedIn, change_password)
}

#[derive(Template)]
#[template(path = "access/sign_in.html")]
struct SignInPage<'a> {
    page: &'a Page,
    fields: Fields,
    error: Option<String>,
    /// Whether drivers may register.
    open: bool,
}

#[derive(Template)]
#[template(path = "access/set_up.html")]
struct SetUpPage<'a> {
    page: &'a Page,
    name: String,
    fields: Fields,
}

#[derive(Template)]
#[template(path = "access/register.html")]
struct RegisterPage<'a> {
    page: &'a Page,
    fields: Fields,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "access/account.html")]
struct AccountPage<'a> {
    page: &'a Page,
    name: String,
    fields: Fields,
}

#[derive(Debug, Deserialize)]
struct Then {
    then: Option<String>,
    invitation: Option<String>,
}

/// A path of this server, or `None`: nobody is led elsewhere by a link to this page.
fn inside(then: &str) -> Option<&str> {
    let is_path = then.starts_with('/') && !then.starts_with("//");
    (is_path && !then.contains(|character: char| character == '\\' || character.is_control())).then_some(then)
}

async fn sign_in_form(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Query(query): Query<Then>,
) -> Response {
    let then = query.then.as_deref().and_then(inside).unwrap_or_default();
    match actor.who {
        super::Who::Operator { .. } => return Redirect::to(if then.is_empty() { HOME } else { then }).into_response(),
        super::Who::Driver { .. } => return Redirect::to(DRIVER_HOME).into_response(),
        _ => {}
    }
    let fields = Fields::default().with("then", then);
    let open = drivers::may_register(&csms, None).await.is_ok();
    page.show(&SignInPage { page: &page, fields, error: None, open })
}

async fn sign_in(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    parts: Parts,
    Form(fields): Form<Fields>,
) -> Response {
    let name = fields.get("name").to_owned();
    let password = fields.get("password").to_owned();
    let begun = match kind_of(&csms, &name).await {
        Ok(kind) => account::sign_in(&csms, kind, &name, &password, actor.address).await,
        Err(error) => Err(error),
    };
    match begun {
        Ok(begun) => enter(&csms, &parts, &begun, fields.get("then")),
        Err(error) => {
            let open = drivers::may_register(&csms, None).await.is_ok();
            let text = explain(&page, &error);
            page.answer(status(&error), &SignInPage { page: &page, fields, error: Some(text), open })
        }
    }
}

/// One form for all: who is no operator, and writes what drivers are called by, is a driver.
async fn kind_of(csms: &Csms, name: &str) -> Result<Kind, AccessError> {
    let is_operator = csms.store().operator_named(name).await?.is_some();
    Ok(if !is_operator && drivers::check_login(name).is_ok() { Kind::Driver } else { Kind::Operator })
}

/// Lets somebody in, who goes where they wanted to.
fn enter(csms: &Csms, parts: &Parts, begun: &Begun, then: &str) -> Response {
    let place = match (begun.kind, inside(then).unwrap_or_default()) {
        (Kind::Operator, "") => HOME,
        (Kind::Driver, then) if !then.starts_with(DRIVER_HOME) && !then.starts_with("/pay/") => DRIVER_HOME,
        (_, then) => then,
    };
    (CookieJar::new().add(gate::cookie(csms, parts, begun)), Redirect::to(place)).into_response()
}

async fn sign_out(State(csms): State<Csms>, page: Page, parts: Parts) -> Response {
    if let Some(secret) = gate::session_of(&csms, &parts.extensions, &parts.headers)
        && let Err(error) = account::sign_out(&csms, &secret).await
    {
        return page.broken(&error);
    }
    let jar = gate::forget().into_iter().fold(CookieJar::new(), CookieJar::add);
    (jar, Redirect::to("/sign-in")).into_response()
}

async fn set_up_form(page: Page, State(csms): State<Csms>, Path(secret): Path<String>) -> Response {
    match account::link_owner(&csms, &Secret::presented(&secret)).await {
        Ok((_, name)) => page.show(&SetUpPage { page: &page, name, fields: Fields::default() }),
        Err(error) => refuse(&page, &error),
    }
}

async fn set_up(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(secret): Path<String>,
    parts: Parts,
    Form(mut fields): Form<Fields>,
) -> Response {
    let secret = Secret::presented(&secret);
    let name = match account::link_owner(&csms, &secret).await {
        Ok((_, name)) => name,
        Err(error) => return refuse(&page, &error),
    };
    if let Some(password) = chosen_password(&page, &mut fields) {
        match account::follow_link(&csms, &secret, &password, actor.address).await {
            Ok(begun) => return enter(&csms, &parts, &begun, ""),
            Err(AccessError::WeakPassword) => fields.fail("password", page.t("access.weak_password")),
            Err(error) => return refuse(&page, &error),
        }
    }
    page.refuse(&SetUpPage { page: &page, name, fields })
}

/// The new password, if it was written the same way twice.
fn chosen_password(page: &Page, fields: &mut Fields) -> Option<String> {
    let password = fields.get("password").to_owned();
    if password != fields.get("again") {
        fields.fail("again", page.t("access.passwords_differ"));
        return None;
    }
    Some(password)
}

async fn register_form(page: Page, State(csms): State<Csms>, Query(query): Query<Then>) -> Response {
    let invitation = query.invitation.unwrap_or_default();
    let secret = (!invitation.is_empty()).then(|| Secret::presented(&invitation));
    match drivers::may_register(&csms, secret.as_ref()).await {
        Ok(()) => {
            let then = query.then.as_deref().and_then(inside).unwrap_or_default();
            let fields = Fields::default().with("invitation", invitation).with("then", then);
            page.show(&RegisterPage { page: &page, fields, error: None })
        }
        Err(error) => refuse(&page, &error),
    }
}

async fn register(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    parts: Parts,
    Form(mut fields): Form<Fields>,
) -> Response {
    let mut problem = None;
    if let Some(password) = chosen_password(&page, &mut fields) {
        let invitation = fields.filled("invitation").map(Secret::presented);
        let (login, name) = (fields.get("login").to_owned(), fields.get("name").to_owned());
        let registered = drivers::register(&csms, &login, &name, &password, invitation.as_ref(), actor.address).await;
        match registered {
            Ok(begun) => return enter(&csms, &parts, &begun, fields.get("then")),
            Err(AccessError::WeakPassword) => fields.fail("password", page.t("access.weak_password")),
            Err(AccessError::Login) => fields.fail("login", page.t("access.login_form")),
            Err(AccessError::Taken) => fields.fail("login", page.t("access.login_taken")),
            Err(AccessError::Text(..)) => fields.fail("name", page.t("access.name_form")),
            Err(error) => problem = Some(explain(&page, &error)),
        }
    }
    page.refuse(&RegisterPage { page: &page, fields, error: problem })
}

async fn account_form(page: Page, Extension(actor): Extension<Actor>) -> Response {
    page.show(&AccountPage { page: &page, name: actor.name().to_owned(), fields: Fields::default() })
}

async fn change_password(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    parts: Parts,
    Form(mut fields): Form<Fields>,
) -> Response {
    if let (Some(new), Some(session)) =
        (chosen_password(&page, &mut fields), gate::session_of(&csms, &parts.extensions, &parts.headers))
    {
        let old = fields.get("old").to_owned();
        match account::change_password(&csms, &actor, &session, &old, &new).await {
            Ok(()) => return Flash::good(page.t("access.password_changed")).at("/account"),
            Err(AccessError::WeakPassword) => fields.fail("password", page.t("access.weak_password")),
            Err(error) => fields.fail("old", explain(&page, &error)),
        }
    }
    page.refuse(&AccountPage { page: &page, name: actor.name().to_owned(), fields })
}

/// The page that says why something about access was not done.
pub(super) fn refuse(page: &Page, error: &AccessError) -> Response {
    if let AccessError::Store(error) = error {
        return page.broken(error);
    }
    page.notice(status(error), page.t("access.not_possible"), explain(page, error))
}

pub(super) fn status(error: &AccessError) -> StatusCode {
    match error {
        AccessError::Store(_) | AccessError::Entropy(_) | AccessError::Hashing => {
            tracing::error!(%error, "a page cannot do what it was asked for");
            StatusCode::INTERNAL_SERVER_ERROR
        }
        AccessError::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
        AccessError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        AccessError::Link => StatusCode::GONE,
        AccessError::Closed | AccessError::InvitationNeeded => StatusCode::FORBIDDEN,
        AccessError::Unknown(..) => StatusCode::NOT_FOUND,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// What people read in their language.
pub(super) fn explain(page: &Page, error: &AccessError) -> String {
    error.told(page)
}

/// The page for whoever may not see what they asked for.
pub(super) fn forbidden(page: &Page, needs: Needs) -> Response {
    let text = match needs {
        Needs::Scope(Scope::Drive) => page.t("access.for_drivers"),
        _ => page.t("access.forbidden"),
    };
    page.notice(StatusCode::FORBIDDEN, page.t("access.not_possible"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_led_elsewhere() {
        assert_eq!(inside("/stations?page=2"), Some("/stations?page=2"));
        for elsewhere in
            ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nb", ""]
        {
            assert_eq!(inside(elsewhere), None, "{elsewhere}");
        }
    }
}
