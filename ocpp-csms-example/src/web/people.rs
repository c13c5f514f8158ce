//! Drivers and their tokens.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::live::Failed;
use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::drivers::{self, DriverChange};
use crate::access::{Actor, Payment, wallet};
use crate::server::Csms;
use crate::store::{Driver, Plan, Token, TokenStatus, TokenTerms};

/// Drivers and tokens on a page.
const SIZE: usize = 50;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    search: String,
    after: Option<String>,
}

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// One more than a page has, to know whether there is another.
fn limit() -> u32 {
    u32::try_from(SIZE + 1).unwrap_or(u32::MAX)
}

#[derive(Template)]
#[template(path = "drivers.html")]
struct Drivers {
    page: Page,
    search: String,
    drivers: Vec<Driver>,
    next: Option<String>,
    fields: Fields,
    /// A link that was made just now, and for whom.
    link: Option<(String, String)>,
}

async fn drivers_view(csms: &Csms, page: Page, wanted: Wanted, fields: Fields) -> Result<Drivers, Failed> {
    let search = Some(wanted.search.trim()).filter(|text| !text.is_empty());
    let mut drivers = csms.store().drivers(search, wanted.after.as_deref(), limit()).await?;
    let more = drivers.len() > SIZE;
    drivers.truncate(SIZE);
    let next = drivers.last().filter(|_| more);
    let next = next.map(|last| format!("/drivers?search={}&after={}", encode(&wanted.search), encode(&last.login)));
    Ok(Drivers { page, search: wanted.search, drivers, next, fields, link: None })
}

pub(super) async fn list_drivers(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    match drivers_view(&csms, page.clone(), wanted, Fields::default().with("payment", "balance")).await {
        Ok(view) => page.show(&view),
        Err(error) => page.broken(&error),
    }
}

/// Makes an account; the link by which the driver chooses a password is shown once.
pub(super) async fn create_driver(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let login = fields.text("login", 100, page.t("people.error_login"));
    let name = fields.text("name", 100, page.t("people.error_name"));
    let payment = fields.parsed::<PaymentField>("payment", page.t("stations.error_choice"));
    let mut link = None;
    if let Some(PaymentField(payment)) = payment
        && fields.fine()
    {
        match drivers::create(&csms, &actor, &login, &name, payment).await {
            Ok((driver, secret)) => {
                link = Some((driver.name, format!("{}/set-up/{}", csms.public_url(), secret.text())));
                fields = Fields::default().with("payment", "balance");
            }
            Err(error) => fields.fail("login", error.told(&page)),
        }
    }
    let fine = fields.fine();
    match drivers_view(&csms, page.clone(), Wanted::default(), fields).await {
        Ok(view) if fine => page.show(&Drivers { link, ..view }),
        Ok(view) => page.refuse(&view),
        Err(error) => page.broken(&error),
    }
}

/// A choice of how to pay.
struct PaymentField(Payment);

impl std::str::FromStr for PaymentField {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse().map(Self)
    }
}

#[derive(Template)]
#[template(path = "driver.html")]
struct DriverView {
    page: Page,
    driver: Driver,
    tokens: Vec<String>,
    sessions: Vec<(String, bool, super::dashboard::SessionRow)>,
    link: Option<String>,
    balances: Vec<String>,
    /// The plan of the driver, and since when.
    plan: Option<(String, Timestamp)>,
    plans: Vec<Plan>,
}

async fn driver_view(csms: &Csms, page: Page, id: &str, link: Option<String>) -> Result<Option<DriverView>, Failed> {
    let Some(driver) = csms.store().driver(id).await? else { return Ok(None) };
    let tokens = csms.store().tokens_of_driver(id).await?;
    let sessions = csms.store().transactions_of_driver(id, 20).await?.into_iter().map(|session| {
        let over = session.stopped_at.is_some();
        (super::sessions::path(&session), over, super::dashboard::SessionRow::new(session, false))
    });
    let sessions = sessions.collect();
    let balances = wallet::balances(csms, id).await?;
    let mut plans = csms.store().plans().await?;
    let plan = csms.store().subscription_of(id).await?.map(|known| {
        let name = plans.iter().find(|plan| plan.id == known.plan).map_or(known.plan, |plan| plan.name.clone());
        (name, known.started_at)
    });
    plans.retain(|plan| plan.retired_at.is_none());
    Ok(Some(DriverView { page, driver, tokens, sessions, link, balances, plan, plans }))
}

pub(super) async fn show_driver(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    answer_driver(page, &csms, &id, None).await
}

async fn answer_driver(page: Page, csms: &Csms, id: &str, link: Option<String>) -> Response {
    match driver_view(csms, page.clone(), id, link).await {
        Ok(Some(view)) => page.show(&view),
        Ok(None) => page.notice(StatusCode::NOT_FOUND, page.t("people.unknown_driver"), ""),
        Err(error) => page.broken(&error),
    }
}

/// Blocks a driver or lets one charge again, changes how they pay, gives a token, or makes a link for a password.
pub(super) async fn change_driver(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let here = format!("/drivers/{}", encode(&id));
    let change = match fields.get("do") {
        "block" => DriverChange { disabled: Some(true), ..DriverChange::default() },
        "admit" => DriverChange { disabled: Some(false), ..DriverChange::default() },
        "free" => DriverChange { payment: Some(Payment::Free), ..DriverChange::default() },
        "balance" => DriverChange { payment: Some(Payment::Balance), ..DriverChange::default() },
        "link" => {
            return match drivers::set_up_link(&csms, &actor, &id).await {
                Ok(secret) => {
                    let link = format!("{}/set-up/{}", csms.public_url(), secret.text());
                    answer_driver(page, &csms, &id, Some(link)).await
                }
                Err(error) => Flash::bad(error.told(&page)).at(&here),
            };
        }
        "token" => {
            let token = fields.get("token").to_owned();
            return match give_token(&page, &csms, &actor, &token, "ISO14443", Some(id)).await {
                Ok(()) => Flash::good(page.with("people.token_saved", "token", &token)).at(&here),
                Err(error) => Flash::bad(error).at(&here),
            };
        }
        _ => return Flash::bad(page.t("stations.error_choice")).at(&here),
    };
    match drivers::change(&csms, &actor, &id, change).await {
        Ok(driver) => Flash::good(page.with("people.driver_changed", "driver", driver.name)).at(&here),
        Err(error) => Flash::bad(error.told(&page)).at(&here),
    }
}

/// Enters a token, and says whose it is.
async fn give_token(
    page: &Page,
    csms: &Csms,
    actor: &Actor,
    token: &str,
    kind: &str,
    driver: Option<String>,
) -> Result<(), String> {
    let length = token.chars().count();
    if length == 0 || length > 255 || token.chars().any(char::is_control) {
        return Err(page.t("people.error_token").to_owned());
    }
    let now = Timestamp::now();
    let known = csms.store().token(token).await.map_err(|error| error.told(page))?;
    let wanted = Token {
        token: token.to_owned(),
        kind: kind.to_owned(),
        status: TokenStatus::Accepted,
        expires_at: known.as_ref().and_then(|known| known.expires_at),
        group: known.and_then(|known| known.group),
        created_at: now,
        updated_at: now,
    };
    let mut terms = csms.store().token_terms(token).await.map_err(|error| error.told(page))?;
    terms.driver = driver.or(terms.driver);
    csms.store().put_token_with(&wanted, &terms).await.map_err(|error| error.told(page))?;
    csms.audit(actor, "token.changed", token, kind).await;
    Ok(())
}

#[derive(Template)]
#[template(path = "tokens.html")]
struct Tokens {
    page: Page,
    tokens: Vec<(Token, TokenTerms, String)>,
    next: Option<String>,
    fields: Fields,
    drivers: Vec<Driver>,
}

async fn tokens_view(csms: &Csms, page: Page, wanted: Wanted, fields: Fields) -> Result<Tokens, Failed> {
    let mut found = csms.store().tokens(wanted.after.as_deref(), limit()).await?;
    let more = found.len() > SIZE;
    found.truncate(SIZE);
    let next = found.last().filter(|_| more).map(|last| format!("/tokens?after={}", encode(&last.token)));
    let drivers = csms.store().drivers(None, None, 200).await?;
    let mut tokens = Vec::new();
    for token in found {
        let terms = csms.store().token_terms(&token.token).await?;
        let name = terms.driver.as_ref().and_then(|id| drivers.iter().find(|driver| driver.id == *id));
        let name = name.map(|driver| driver.name.clone()).unwrap_or_default();
        tokens.push((token, terms, name));
    }
    Ok(Tokens { page, tokens, next, fields, drivers })
}

pub(super) async fn list_tokens(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    match tokens_view(&csms, page.clone(), wanted, Fields::default()).await {
        Ok(view) => page.show(&view),
        Err(error) => page.broken(&error),
    }
}

/// Enters a token.
pub(super) async fn enter_token(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let token = fields.text("token", 255, page.t("people.error_token"));
    let kind = fields.filled("kind").unwrap_or("ISO14443").to_owned();
    let driver = fields.filled("driver").map(str::to_owned);
    if fields.fine() {
        match give_token(&page, &csms, &actor, &token, &kind, driver).await {
            Ok(()) => return Flash::good(page.with("people.token_saved", "token", &token)).at("/tokens"),
            Err(error) => fields.fail("token", error),
        }
    }
    match tokens_view(&csms, page.clone(), Wanted::default(), fields).await {
        Ok(view) => page.refuse(&view),
        Err(error) => page.broken(&error),
    }
}

/// Blocks a token, lets it charge again, or removes it.
pub(super) async fn change_token(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(token): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let known = match csms.store().token(&token).await {
        Ok(Some(known)) => known,
        Ok(None) => return Flash::bad(page.t("people.unknown_token")).at("/tokens"),
        Err(error) => return page.broken(&error),
    };
    let status = match fields.get("do") {
        "block" => Some(TokenStatus::Blocked),
        "admit" => Some(TokenStatus::Accepted),
        _ => None,
    };
    let (done, action) = match status {
        Some(status) => {
            let changed = Token { status, updated_at: Timestamp::now(), ..known };
            (csms.store().put_token(&changed).await.map(drop), "token.changed")
        }
        None => (csms.store().delete_token(&token).await.map(drop), "token.removed"),
    };
    match done {
        Ok(()) => {
            csms.audit(&actor, action, &token, status.map(|status| status.to_string()).unwrap_or_default()).await;
            Flash::good(page.with("people.token_saved", "token", &token)).at("/tokens")
        }
        Err(error) => page.broken(&error),
    }
}
