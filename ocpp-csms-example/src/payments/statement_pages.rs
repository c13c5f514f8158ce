//! The pages with the statement of a driver: the driver's own, and that of any driver for operators.

use askama::Template;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::statement::{AccountStatement, StatementLine, statement};
use crate::access::{Actor, Needs, Pages, Scope, portal};
use crate::reports::{Range, ReportError};
use crate::server::Csms;
use crate::store::Driver;
use crate::web::Page;
use crate::web::format::money;

/// The pages.
pub(crate) fn statement_pages(csms: &Csms) -> Pages {
    Pages::new(csms).page(Method::GET, "/driver/statement", Needs::Scope(Scope::Drive), own).page(
        Method::GET,
        "/drivers/{id}/statement",
        Needs::Scope(Scope::Account),
        of_driver,
    )
}

#[derive(Debug, Default, Deserialize)]
struct Wanted {
    from: Option<String>,
    until: Option<String>,
}

#[derive(Template)]
#[template(path = "statement.html")]
struct StatementPage<'a> {
    page: &'a Page,
    name: String,
    /// Where the page of the driver is, where the first page is, and where the files are.
    back: String,
    home: &'static str,
    file: String,
    from: String,
    until: String,
    accounts: Vec<Account>,
    problem: Option<String>,
}

struct Account {
    opening: String,
    lines: Vec<Line>,
    closing: String,
}

struct Line {
    at: Timestamp,
    kind: String,
    about: String,
    amount: String,
    balance: String,
}

impl Account {
    fn new(page: &Page, account: AccountStatement) -> Self {
        let written = |minor| money(minor, account.currency);
        let line = |line: StatementLine| Line {
            at: line.at,
            kind: page.word("pay.movement_", line.kind.as_str()).into_owned(),
            about: line.about,
            amount: written(line.amount),
            balance: written(line.balance),
        };
        Self {
            opening: written(account.opening),
            closing: written(account.closing),
            lines: account.lines.into_iter().map(line).collect(),
        }
    }
}

async fn own(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match portal::account(&csms, &actor).await {
        Ok(driver) => {
            let places = ("/driver".to_owned(), "/driver", "/api/v1/driver/statement".to_owned());
            show(&csms, &page, &driver, wanted, places).await
        }
        Err(error) => page.notice(StatusCode::UNAUTHORIZED, page.t("access.not_possible"), error.to_string()),
    }
}

async fn of_driver(
    page: Page,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match csms.store().driver(&id).await {
        Ok(Some(driver)) => {
            let id = utf8_percent_encode(&driver.id, NON_ALPHANUMERIC);
            let places = (format!("/drivers/{id}"), "/", format!("/api/v1/drivers/{id}/statement"));
            show(&csms, &page, &driver, wanted, places).await
        }
        Ok(None) => page.notice(StatusCode::NOT_FOUND, page.t("pay.no_driver"), ""),
        Err(error) => page.broken(&error),
    }
}

async fn show(
    csms: &Csms,
    page: &Page,
    driver: &Driver,
    wanted: Wanted,
    (back, home, file): (String, &'static str, String),
) -> Response {
    let given = |day: &Option<String>| day.clone().filter(|day| !day.is_empty());
    let (from, until) = (given(&wanted.from), given(&wanted.until));
    let mut view = StatementPage {
        page,
        name: driver.name.clone(),
        back,
        home,
        file,
        from: from.clone().unwrap_or_default(),
        until: until.clone().unwrap_or_default(),
        accounts: Vec::new(),
        problem: None,
    };
    let zone = &csms.config().time_zone;
    let range = match Range::parse(from.as_deref(), until.as_deref(), zone, Timestamp::now()) {
        Ok(range) => range,
        Err(error) => return page.refuse(&StatementPage { problem: Some(error.to_string()), ..view }),
    };
    (view.from, view.until) = (range.from.to_string(), range.until.to_string());
    match statement(csms, driver, range).await {
        Ok(made) => {
            view.accounts = made.accounts.into_iter().map(|account| Account::new(page, account)).collect();
            page.show(&view)
        }
        Err(ReportError::Store(error)) => page.broken(&error),
        Err(error) => page.refuse(&StatementPage { problem: Some(error.to_string()), ..view }),
    }
}
