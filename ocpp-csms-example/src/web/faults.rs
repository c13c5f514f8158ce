//! The board of faults.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::Actor;
use crate::faults;
use crate::server::Csms;
use crate::store::{Fault, FaultFilter, FaultState};

/// Faults on a page.
const SIZE: usize = 50;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    station: String,
    #[serde(default)]
    state: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "faults.html")]
struct Faults {
    page: Page,
    station: String,
    state: String,
    rows: Vec<Fault>,
    next: Option<String>,
}

pub(super) async fn list(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    let filter = FaultFilter {
        station: Some(wanted.station.trim().to_owned()).filter(|station| !station.is_empty()),
        state: wanted.state.parse::<FaultState>().ok(),
        before: wanted.before.and_then(|before| Timestamp::from_millisecond(before).ok()),
        ..FaultFilter::default()
    };
    let limit = u32::try_from(SIZE + 1).unwrap_or(u32::MAX);
    let mut rows = match csms.store().faults(&filter, limit).await {
        Ok(rows) => rows,
        Err(error) => return page.broken(&error),
    };
    let more = rows.len() > SIZE;
    rows.truncate(SIZE);
    let encoded = percent_encoding::utf8_percent_encode(&wanted.station, percent_encoding::NON_ALPHANUMERIC);
    let next = rows.last().filter(|_| more).map(|last| {
        format!("/faults?station={encoded}&state={}&before={}", wanted.state, last.opened_at.as_millisecond())
    });
    page.show(&Faults { page: page.clone(), station: wanted.station, state: wanted.state, rows, next })
}

/// Acknowledges a fault or closes it.
pub(super) async fn act(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let note = fields.filled("note");
    let done = match fields.get("do") {
        "close" => faults::close(&csms, &actor, &id, note).await,
        _ => faults::acknowledge(&csms, &actor, &id, note).await,
    };
    match done {
        Ok(fault) => Flash::good(page.word("operation.fault_now_", fault.state.as_str())).at("/faults"),
        Err(error) => Flash::bad(error.told(&page)).at("/faults"),
    }
}
