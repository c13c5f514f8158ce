//! The OCPP log of a station: followed, searched as far back as it is kept, and exported.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::live::Failed;
use super::station::Wanted;
use super::told::Told as _;
use super::{Page, stations};
use crate::maintenance::{self, FoundMessage, FrameKind, MaintenanceError, MessageFilter};
use crate::server::Csms;
use crate::store::Direction;

/// Frames on a page.
const FRAMES: usize = 100;

#[derive(Template)]
#[template(path = "station_log.html")]
pub(super) struct Log {
    page: Page,
    path: String,
    wanted: Wanted,
    frames: Vec<Frame>,
    older: Option<String>,
    /// Whether the latest frames are shown, which are renewed.
    live: bool,
    /// What the export is asked for with.
    query: String,
    /// What is wrong with what is searched for.
    problem: Option<String>,
}

struct Frame {
    at: Timestamp,
    received: bool,
    kind: &'static str,
    action: String,
    text: String,
}

impl From<FoundMessage> for Frame {
    fn from(found: FoundMessage) -> Self {
        let kind = match found.kind {
            FrameKind::Call => "CALL",
            FrameKind::Result => "CALLRESULT",
            FrameKind::Error => "CALLERROR",
            FrameKind::Send => "SEND",
            FrameKind::Unknown => "",
        };
        let (at, received) = (found.message.at, found.message.direction == Direction::Received);
        Self { at, received, kind, action: found.action.unwrap_or_default(), text: found.message.text }
    }
}

/// A moment as browsers type it, in UTC.
fn moment(typed: &str) -> Option<Timestamp> {
    let typed: jiff::civil::DateTime = typed.trim().parse().ok()?;
    Some(typed.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn filter(wanted: &Wanted) -> MessageFilter {
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    MessageFilter {
        from: moment(&wanted.from),
        until: moment(&wanted.until),
        direction: wanted.direction.parse().ok(),
        action: some(&wanted.action),
        message_id: some(&wanted.message_id),
        text: some(&wanted.search),
    }
}

/// The parts of a query that say what is searched for, as the page takes them.
fn query(wanted: &Wanted) -> String {
    let parts = [
        ("search", &wanted.search),
        ("action", &wanted.action),
        ("direction", &wanted.direction),
        ("message_id", &wanted.message_id),
        ("from", &wanted.from),
        ("until", &wanted.until),
    ];
    let parts = parts.into_iter().filter(|(_, value)| !value.trim().is_empty());
    let parts = parts.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value.trim(), NON_ALPHANUMERIC)));
    parts.collect::<Vec<_>>().join("&")
}

/// The same as the interface takes them.
fn export(filter: &MessageFilter) -> String {
    let parts = [
        ("text", filter.text.clone()),
        ("action", filter.action.clone()),
        ("direction", filter.direction.map(|direction| direction.as_str().to_owned())),
        ("message_id", filter.message_id.clone()),
        ("from", filter.from.map(|at| at.to_string())),
        ("until", filter.until.map(|at| at.to_string())),
    ];
    let parts = parts.into_iter().filter_map(|(name, value)| {
        value.map(|value| format!("&{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)))
    });
    parts.collect()
}

pub(super) async fn log(csms: &Csms, page: &Page, id: &str, wanted: Wanted) -> Result<Log, Failed> {
    let path = stations::path(id);
    let filter = filter(&wanted);
    let (searched, export) = (query(&wanted), export(&filter));
    let (found, problem) = match maintenance::search(csms, id, filter, wanted.before, FRAMES).await {
        Ok(found) => (found, None),
        Err(MaintenanceError::Store(error)) => return Err(error.into()),
        Err(error) => (Vec::new(), Some(error.told(page))),
    };
    let oldest = found.first().map(|found| found.message.number).filter(|_| found.len() >= FRAMES);
    let older = oldest.map(|number| format!("{path}/log?{searched}&before={number}"));
    let live = searched.is_empty() && wanted.before.is_none();
    let frames = found.into_iter().rev().map(Frame::from).collect();
    Ok(Log { page: page.clone(), path, wanted, frames, older, live, query: export, problem })
}

/// The latest frames alone, which the page asks for again and again.
pub(super) async fn latest_frames(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    #[derive(Template)]
    #[template(path = "station_frames.html")]
    struct Latest {
        page: Page,
        frames: Vec<Frame>,
    }
    match log(&csms, &page, &id, Wanted::default()).await {
        Ok(log) => page.show(&Latest { page: page.clone(), frames: log.frames }),
        Err(error) => {
            tracing::error!(%error, "the log of a station cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Searched {
    #[serde(default)]
    station: String,
    #[serde(default)]
    search: String,
}

/// Leads from a form that names the station to the log of that station.
pub(super) async fn find(Query(searched): Query<Searched>) -> Redirect {
    let Searched { station, search } = searched;
    if station.trim().is_empty() {
        return Redirect::to("/maintenance");
    }
    let search = utf8_percent_encode(search.trim(), NON_ALPHANUMERIC);
    Redirect::to(&format!("{}/log?search={search}", stations::path(station.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_goes_to_the_next_page_and_to_the_export() {
        let wanted = Wanted {
            search: "a&b".to_owned(),
            direction: "sent".to_owned(),
            from: "2026-11-20T12:00".to_owned(),
            ..Wanted::default()
        };
        assert_eq!(query(&wanted), "search=a%26b&direction=sent&from=2026%2D11%2D20T12%3A00");
        let filter = filter(&wanted);
        assert_eq!(filter.direction, Some(Direction::Sent));
        assert_eq!(export(&filter), "&text=a%26b&direction=sent&from=2026%2D11%2D20T12%3A00%3A00Z");
    }
}
