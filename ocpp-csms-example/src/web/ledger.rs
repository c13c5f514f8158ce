//! The books: accounts, their entries, and whether everything adds up.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use super::live::Failed;
use super::people::encode;
use super::{Page, format};
use crate::ledger::Account;
use crate::server::Csms;

/// Accounts and entries on a page.
const SIZE: usize = 100;

#[derive(Template)]
#[template(path = "ledger.html")]
struct Books {
    page: Page,
    accounts: Vec<Row>,
    more: bool,
    balanced: bool,
    search: String,
}

struct Row {
    name: String,
    path: String,
    amount: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// How the names of accounts begin.
    search: String,
    before: Option<i64>,
}

pub(super) async fn list(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    match books(&csms, page.clone(), wanted).await {
        Ok(books) => page.show(&books),
        Err(error) => page.broken(&error),
    }
}

async fn books(csms: &Csms, page: Page, wanted: Wanted) -> Result<Books, Failed> {
    let search = wanted.search.trim().to_owned();
    let balances = csms.store().balances(&search).await?;
    let more = balances.len() > SIZE;
    let row = |(account, currency, amount): (Account, iso_currency::Currency, i64)| {
        let name = account.to_string();
        Row { path: format!("/ledger/{}", encode(&name)), name, amount: format::money(amount, currency) }
    };
    let accounts = balances.into_iter().take(SIZE).map(row).collect();
    let balanced = csms.store().check_ledger().await?.is_empty();
    Ok(Books { page, accounts, more, balanced, search })
}

#[derive(Template)]
#[template(path = "account.html")]
struct One {
    page: Page,
    account: String,
    lines: Vec<(String, Timestamp, String)>,
    next: Option<String>,
}

pub(super) async fn show(
    page: Page,
    State(csms): State<Csms>,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let Ok(account) = name.parse::<Account>() else {
        return page.notice(StatusCode::NOT_FOUND, page.t("money.unknown_account"), "");
    };
    let before = wanted.before.and_then(|before| Timestamp::from_millisecond(before).ok());
    let limit = u32::try_from(SIZE + 1).unwrap_or(u32::MAX);
    let mut lines = match csms.store().account_lines(&account, before, limit).await {
        Ok(lines) => lines,
        Err(error) => return page.broken(&error),
    };
    let more = lines.len() > SIZE;
    lines.truncate(SIZE);
    let next = lines.last().filter(|_| more);
    let next = next.map(|last| format!("/ledger/{}?before={}", encode(&name), last.at.as_millisecond()));
    let lines = lines.into_iter().map(|line| (line.reference, line.at, format::money(line.amount, line.currency)));
    page.show(&One { page: page.clone(), account: name, lines: lines.collect(), next })
}
