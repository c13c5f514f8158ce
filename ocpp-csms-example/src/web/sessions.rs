//! Sessions: all of them, and each with its course and its bill.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::chart::{Chart, Shape};
use super::dashboard::SessionRow;
use super::format::{duration, money};
use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::Actor;
use crate::ledger::Payer;
use crate::server::Csms;
use crate::store::{BillRecord, SessionCursor, SessionFilter, StoreError, Transaction};
use crate::tariffs::minor_units;

/// Sessions on a page.
const SIZE: usize = 50;

/// The path of a session's page.
pub(super) fn path(session: &Transaction) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    format!("/sessions/{}/{}", encode(&session.station), encode(&session.id))
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    station: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    state: String,
    /// Where the page before ended.
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct Sessions {
    page: Page,
    wanted: Wanted,
    rows: Vec<(String, bool, SessionRow)>,
    next: Option<String>,
}

fn cursor(text: &str) -> Option<SessionCursor> {
    let mut parts = text.splitn(3, '~');
    let started_at = Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?;
    Some(SessionCursor { started_at, station: parts.next()?.to_owned(), id: parts.next()?.to_owned() })
}

pub(super) async fn list(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    match find(&csms, page.clone(), wanted).await {
        Ok(view) => page.show(&view),
        Err(error) => page.broken(&error),
    }
}

async fn find(csms: &Csms, page: Page, wanted: Wanted) -> Result<Sessions, StoreError> {
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let filter = SessionFilter {
        station: some(&wanted.station),
        token: some(&wanted.token),
        running: match wanted.state.as_str() {
            "running" => Some(true),
            "over" => Some(false),
            _ => None,
        },
    };
    let after = wanted.after.as_deref().and_then(cursor);
    let limit = u32::try_from(SIZE + 1).unwrap_or(u32::MAX);
    let mut found = csms.store().find_sessions(&filter, after.as_ref(), limit).await?;
    let more = found.len() > SIZE;
    found.truncate(SIZE);
    let next = found.last().filter(|_| more).map(|last| {
        let place = format!("{}~{}~{}", last.started_at.as_millisecond(), last.station, last.id);
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!(
            "/sessions?station={}&token={}&state={}&after={}",
            encode(&wanted.station),
            encode(&wanted.token),
            encode(&wanted.state),
            encode(&place)
        )
    });
    let rows = found.into_iter().map(|session| {
        let over = session.stopped_at.is_some();
        (path(&session), over, SessionRow::new(session, false))
    });
    Ok(Sessions { page, wanted, rows: rows.collect(), next })
}

#[derive(Template)]
#[template(path = "session.html")]
struct Session {
    page: Page,
    session: Transaction,
    row: SessionRow,
    station: String,
    length: String,
    chart: Chart,
    readings: Vec<Point>,
    lines: Vec<BillLine>,
    /// What of the bill can still be given back, and what was.
    refundable: Option<String>,
    refunded: Option<String>,
}

/// A line of a bill, as it is shown.
struct BillLine {
    item: &'static str,
    quantity: String,
    price: String,
    amount: String,
}

/// What was measured at a moment: kW, kWh since the start, %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    at: Timestamp,
    power: Option<Decimal>,
    energy: Option<Decimal>,
    soc: Option<Decimal>,
}

/// The course of a session from its readings as they are kept.
fn course(readings: &[String], meter_start: Option<Decimal>) -> Vec<Point> {
    let mut points: BTreeMap<Timestamp, Point> = BTreeMap::new();
    for reading in readings {
        let Ok(reading) = serde_json::from_str::<Value>(reading) else { continue };
        let Some(at) = reading["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok()) else { continue };
        let point = points.entry(at).or_insert(Point { at, power: None, energy: None, soc: None });
        for sample in reading["samples"].as_array().into_iter().flatten() {
            let Some(value) = sample["value"].as_str().and_then(|value| value.parse::<Decimal>().ok()) else {
                continue;
            };
            if sample.get("phase").is_some_and(|phase| !phase.is_null()) {
                continue;
            }
            let kilo = |unit: &str| {
                if sample["unit"].as_str() == Some(unit) { value } else { value / Decimal::ONE_THOUSAND }
            };
            match sample["measurand"].as_str() {
                Some("Power.Active.Import") => point.power = Some(kilo("kW").round_dp(2)),
                Some("Energy.Active.Import.Register") => {
                    let start = meter_start.unwrap_or_default() / Decimal::ONE_THOUSAND;
                    point.energy = Some((kilo("kWh") - start).max(Decimal::ZERO).round_dp(3));
                }
                Some("SoC") => point.soc = Some(value),
                _ => {}
            }
        }
    }
    points.into_values().collect()
}

pub(super) async fn show(
    page: Page,
    State(csms): State<Csms>,
    Path((station, id)): Path<(String, String)>,
) -> Response {
    match view(&csms, page.clone(), &station, &id).await {
        Ok(Some(view)) => page.show(&view),
        Ok(None) => page.notice(
            StatusCode::NOT_FOUND,
            page.t("stations.unknown_session"),
            page.t("stations.unknown_session_text"),
        ),
        Err(error) => page.broken(&error),
    }
}

async fn view(csms: &Csms, page: Page, station: &str, id: &str) -> Result<Option<Session>, StoreError> {
    let Some(session) = csms.store().transaction(station, id).await? else { return Ok(None) };
    let readings = course(&csms.store().meter_values(station, id).await?, session.meter_start);
    let mut chart = Chart::over_time(readings.iter().map(|point| point.at.as_second()));
    chart = chart.with(page.t("stations.power"), "kW", Shape::Line, readings.iter().map(|point| point.power));
    if readings.iter().any(|point| point.soc.is_some()) {
        chart = chart.with(page.t("stations.soc"), "%", Shape::Line, readings.iter().map(|point| point.soc));
    } else {
        chart = chart.with(page.t("stations.energy"), "kWh", Shape::Line, readings.iter().map(|point| point.energy));
    }
    let until = session.stopped_at.unwrap_or_else(Timestamp::now);
    let length = duration(until.duration_since(session.started_at).as_secs());
    let row = SessionRow::new(session.clone(), false);
    let bill = csms.store().bill(&session.station, &session.id).await?;
    let is_paid = |bill: &&BillRecord| bill.payer.as_deref().is_some_and(|payer| payer.parse::<Payer>().is_ok());
    let paid = bill.as_ref().filter(is_paid);
    let refundable = paid.filter(|bill| bill.due() > 0).map(|bill| money(bill.due(), bill.currency));
    let given_back = |bill: &BillRecord| bill.refunded.0 + bill.refunded.1;
    let refunded = paid.filter(|bill| given_back(bill) > 0).map(|bill| money(given_back(bill), bill.currency));
    let lines = bill.as_ref().map(bill_lines).unwrap_or_default();
    let station = super::stations::path(station);
    Ok(Some(Session { page, row, station, length, chart, readings, lines, refundable, refunded, session }))
}

/// Gives back what a session cost, or part of it.
pub(super) async fn refund(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path((station, id)): Path<(String, String)>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let session = match csms.store().transaction(&station, &id).await {
        Ok(Some(session)) => session,
        Ok(None) => {
            return page.notice(
                StatusCode::NOT_FOUND,
                page.t("stations.unknown_session"),
                page.t("stations.unknown_session_text"),
            );
        }
        Err(error) => return page.broken(&error),
    };
    let here = path(&session);
    let amount = fields.optional::<Decimal>("amount", page.t("money.error_amount"));
    let amount = match amount.map(|amount| minor_units(amount, session.currency)) {
        _ if !fields.fine() => return Flash::bad(page.t("money.error_amount")).at(&here),
        None => None,
        Some(Ok(amount)) => Some(amount),
        Some(Err(_)) => return Flash::bad(page.t("money.error_amount")).at(&here),
    };
    let reason = fields.filled("reason").unwrap_or_else(|| actor.name());
    match csms.payments().refund_bill(&station, &id, amount, reason).await {
        Ok(refunded) => {
            let text = money(refunded, session.currency);
            csms.audit(&actor, "bill.refunded", format!("{station}/{id}"), &text).await;
            Flash::good(page.with("money.bill_refunded", "amount", text)).at(&here)
        }
        Err(error) => Flash::bad(error.told(&page)).at(&here),
    }
}

/// The lines of a bill.
fn bill_lines(record: &BillRecord) -> Vec<BillLine> {
    let line = |(item, quantity, price, amount): (&'static str, String, String, String)| BillLine {
        item,
        quantity,
        price,
        amount,
    };
    let mut lines: Vec<_> = super::tariffs::lines(&record.bill, record.currency).into_iter().map(line).collect();
    if record.bill.tax != 0 {
        let amount = money(record.bill.tax, record.currency);
        lines.push(BillLine { item: "tax", quantity: String::new(), price: String::new(), amount });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_course_has_kilowatts_and_what_was_charged_since_the_start() {
        let reading = r#"{"at": "2026-11-20T12:00:00Z", "samples": [
            {"value": "11000", "measurand": "Power.Active.Import", "unit": "W"},
            {"value": "3700", "measurand": "Power.Active.Import", "unit": "W", "phase": "L1"},
            {"value": "12.5", "measurand": "Energy.Active.Import.Register", "unit": "kWh"},
            {"value": "80", "measurand": "SoC", "unit": "Percent"}]}"#;
        let points = course(&[reading.to_owned(), "nonsense".to_owned()], Some(Decimal::from(10_000)));
        assert_eq!(points.len(), 1);
        assert_eq!(points[0].power, Some(Decimal::from(11)));
        assert_eq!(points[0].energy, Some("2.5".parse().unwrap()));
        assert_eq!(points[0].soc, Some(Decimal::from(80)));
    }

    #[test]
    fn the_end_of_a_page_is_found_again() {
        let place = cursor("1700000000000~CS~1~2").unwrap();
        assert_eq!((place.station.as_str(), place.id.as_str()), ("CS", "1~2"));
        assert_eq!(cursor("yesterday"), None);
    }
}
