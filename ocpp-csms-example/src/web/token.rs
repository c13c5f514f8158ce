//! A token: whose it is, who pays, where and until when it charges.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::live::Failed;
use super::people::encode;
use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::{AccessError, Actor, Payment, mask};
use crate::server::Csms;
use crate::stations::check_id;
use crate::store::{Driver, Token, TokenStatus, TokenTerms};

/// Stations that a token may be for, at most.
const MOST_STATIONS: usize = 1_000;
/// Characters of a token and of its group.
const LONGEST: usize = 255;

#[derive(Template)]
#[template(path = "token.html")]
struct View {
    page: Page,
    token: Token,
    drivers: Vec<Driver>,
    statuses: Vec<&'static str>,
    fields: Fields,
}

/// What is known of a token, in the fields of the form.
fn fields_of(token: &Token, terms: &TokenTerms) -> Fields {
    let expires = token.expires_at.map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string());
    Fields::default()
        .with("status", token.status)
        .with("expires_at", expires.unwrap_or_default())
        .with("group", token.group.as_deref().unwrap_or_default())
        .with("driver", terms.driver.as_deref().unwrap_or_default())
        .with("payment", terms.payment.map_or("", Payment::as_str))
        .with("stations", terms.stations.as_ref().map(|stations| stations.join("\n")).unwrap_or_default())
}

async fn answer(csms: &Csms, page: Page, token: Token, fields: Fields) -> Response {
    let fine = fields.fine();
    match csms.store().drivers(None, None, 500).await {
        Ok(drivers) => {
            let statuses = TokenStatus::ALL.into_iter().map(TokenStatus::as_str).collect();
            let view = View { page: page.clone(), token, drivers, statuses, fields };
            if fine { page.show(&view) } else { page.refuse(&view) }
        }
        Err(error) => page.broken(&error),
    }
}

async fn known(csms: &Csms, name: &str) -> Result<Option<(Token, TokenTerms)>, Failed> {
    let Some(token) = csms.store().token(name).await? else { return Ok(None) };
    let terms = csms.store().token_terms(&token.token).await?;
    Ok(Some((token, terms)))
}

pub(super) async fn show(page: Page, State(csms): State<Csms>, Path(name): Path<String>) -> Response {
    match known(&csms, &name).await {
        Ok(Some((token, terms))) => {
            let fields = fields_of(&token, &terms);
            answer(&csms, page, token, fields).await
        }
        Ok(None) => page.notice(StatusCode::NOT_FOUND, page.t("people.unknown_token"), ""),
        Err(error) => page.broken(&error),
    }
}

/// What the form says.
fn read(page: &Page, fields: &mut Fields, known: Token) -> Option<(Token, TokenTerms)> {
    let status = fields.get("status").parse::<TokenStatus>().ok();
    if status.is_none() {
        fields.fail("status", page.t("stations.error_choice"));
    }
    let typed = fields.filled("expires_at").map(str::parse::<jiff::civil::DateTime>);
    let expires_at = match typed {
        None => Some(None),
        Some(typed) => typed.ok().and_then(|at| at.to_zoned(TimeZone::UTC).ok()).map(|at| Some(at.timestamp())),
    };
    if expires_at.is_none() {
        let field = page.t("people.expires").to_owned();
        fields.fail("expires_at", page.with("stations.error_moment", "field", field));
    }
    let group = fields.filled("group").map(str::to_owned);
    if group.as_ref().is_some_and(|group| group.chars().count() > LONGEST || group.chars().any(char::is_control)) {
        fields.fail("group", page.t("people.error_token"));
    }
    let driver = fields.filled("driver").map(str::to_owned);
    let payment = fields.filled("payment").and_then(|payment| payment.parse::<Payment>().ok());
    if driver.is_none() && payment == Some(Payment::Balance) {
        fields.fail("payment", AccessError::BalanceOfNobody.told(page));
    }
    let stations: Vec<String> = fields.get("stations").split_whitespace().map(str::to_owned).collect();
    if stations.len() > MOST_STATIONS || stations.iter().any(|station| check_id(station).is_err()) {
        fields.fail("stations", page.t("people.error_stations"));
    }
    let stations = Some(stations).filter(|stations| !stations.is_empty());
    let token = Token { status: status?, expires_at: expires_at?, group, updated_at: Timestamp::now(), ..known };
    fields.fine().then_some((token, TokenTerms { driver, payment, stations }))
}

/// Changes a token.
pub(super) async fn save(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(name): Path<String>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let before = match known(&csms, &name).await {
        Ok(Some((token, _))) => token,
        Ok(None) => return page.notice(StatusCode::NOT_FOUND, page.t("people.unknown_token"), ""),
        Err(error) => return page.broken(&error),
    };
    if let Some(driver) = fields.filled("driver").map(str::to_owned) {
        match csms.store().driver(&driver).await {
            Ok(Some(_)) => {}
            Ok(None) => fields.fail("driver", page.t("people.unknown_driver")),
            Err(error) => return page.broken(&error),
        }
    }
    let Some((token, terms)) = read(&page, &mut fields, before.clone()) else {
        return answer(&csms, page, before, fields).await;
    };
    let kept = async {
        csms.store().put_token(&token).await?;
        csms.store().put_token_terms(&token.token, &terms).await
    };
    match kept.await {
        Ok(()) => {
            csms.audit(&actor, "token.changed", mask(&token.token), token.status).await;
            let here = format!("/tokens/{}", encode(&token.token));
            Flash::good(page.with("people.token_saved", "token", &token.token)).at(&here)
        }
        Err(error) => page.broken(&error),
    }
}
