//! Settings: operators and API tokens.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;

use super::live::Failed;
use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::operators::{self, OperatorChange};
use crate::access::{Actor, Role, Scope, Scopes};
use crate::server::Csms;
use crate::store::{KeptApiToken, Operator};

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    page: Page,
    operators: Vec<Operator>,
    tokens: Vec<KeptApiToken>,
    fields: Fields,
    /// A secret that was made just now: what it is for, and itself.
    secret: Option<(String, String)>,
}

async fn view(csms: &Csms, page: Page, fields: Fields, secret: Option<(String, String)>) -> Result<Settings, Failed> {
    let operators = csms.store().operators().await?;
    let tokens = csms.store().api_tokens().await?;
    Ok(Settings { page, operators, tokens, fields, secret })
}

async fn answer(csms: &Csms, page: Page, fields: Fields, secret: Option<(String, String)>) -> Response {
    let fine = fields.fine();
    match view(csms, page.clone(), fields, secret).await {
        Ok(view) if fine => page.show(&view),
        Ok(view) => page.refuse(&view),
        Err(error) => page.broken(&error),
    }
}

pub(super) async fn show(page: Page, State(csms): State<Csms>) -> Response {
    answer(&csms, page, Fields::default(), None).await
}

/// Makes an account for an operator; the link by which its owner chooses a password is shown once.
pub(super) async fn create_operator(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let name = fields.text("name", 100, page.t("people.error_name"));
    let role = fields.get("role").parse::<Role>().unwrap_or(Role::Viewer);
    let mut secret = None;
    if fields.fine() {
        match operators::create(&csms, &actor, &name, role).await {
            Ok((operator, link)) => {
                secret = Some((operator.name, format!("{}/set-up/{}", csms.public_url(), link.text())));
                fields = Fields::default();
            }
            Err(error) => fields.fail("name", error.told(&page)),
        }
    }
    answer(&csms, page, fields, secret).await
}

/// Changes an operator, or makes a new link.
pub(super) async fn change_operator(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let change = match fields.get("do") {
        "disable" => OperatorChange { disabled: Some(true), ..OperatorChange::default() },
        "enable" => OperatorChange { disabled: Some(false), ..OperatorChange::default() },
        "link" => {
            return match operators::set_up_link(&csms, &actor, &id).await {
                Ok(link) => {
                    let url = format!("{}/set-up/{}", csms.public_url(), link.text());
                    answer(&csms, page, Fields::default(), Some((String::new(), url))).await
                }
                Err(error) => Flash::bad(error.told(&page)).at("/settings"),
            };
        }
        _ => OperatorChange { role: fields.get("role").parse().ok(), ..OperatorChange::default() },
    };
    match operators::change(&csms, &actor, &id, change).await {
        Ok(_) => Flash::good(page.t("people.saved")).at("/settings"),
        Err(error) => Flash::bad(error.told(&page)).at("/settings"),
    }
}

/// Makes an API token, whose text is shown once.
pub(super) async fn create_token(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let name = fields.text("token_name", 100, page.t("people.error_name"));
    let scopes: Scopes = Scope::ALL.into_iter().filter(|scope| fields.ticked(scope.as_str())).collect();
    let mut secret = None;
    if fields.fine() {
        match operators::create_api_token(&csms, &actor, &name, scopes, None).await {
            Ok((token, text)) => {
                secret = Some((token.name, text.text().to_owned()));
                fields = Fields::default();
            }
            Err(error) => fields.fail("token_name", error.told(&page)),
        }
    }
    answer(&csms, page, fields, secret).await
}

/// From now on an API token is not taken.
pub(super) async fn revoke_token(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Response {
    match operators::revoke_api_token(&csms, &actor, &id).await {
        Ok(()) => Flash::good(page.t("people.saved")).at("/settings"),
        Err(error) => Flash::bad(error.told(&page)).at("/settings"),
    }
}
