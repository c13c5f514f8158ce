//! A station: what it does now, and everything that is known of it, by tabs.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::response::sse::{Event, Sse};
use futures_util::Stream;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::dashboard::{SessionRow, kind};
use super::format::kilo;
use super::live::{self, Failed};
use super::operations::{OPERATIONS, Operation};
use super::{Page, station_log, stations};
use crate::server::Csms;
use crate::stations::{Inspection, LiveStation};
use crate::store::{self, OperationState, Reservation, SessionFilter, Station, Transaction};

/// What the tabs are called in paths; the first is that of the station's own path.
pub(super) const TABS: [&str; 9] =
    ["live", "configuration", "profiles", "messages", "list", "security", "log", "sessions", "reservations"];
/// Operations, sessions and reservations on a page.
const ROWS: u32 = 50;
/// Variables on a page.
const VARIABLES: usize = 500;

#[derive(Template)]
#[template(path = "station.html")]
struct View {
    page: Page,
    path: String,
    tab: &'static str,
    station: Station,
    connection: Option<crate::stations::Connection>,
    forms: Vec<&'static Operation>,
    content: String,
    operations: Vec<OperationRow>,
}

struct OperationRow {
    at: Timestamp,
    name: String,
    state: OperationState,
    actor: String,
    detail: String,
    /// What the station said, as indented JSON.
    result: String,
    progress: Vec<store::Step>,
}

#[derive(Template)]
#[template(path = "station_live.html")]
struct Live {
    page: Page,
    path: String,
    evses: Vec<EvseRow>,
}

struct EvseRow {
    number: i64,
    connectors: Vec<(i64, String, &'static str, String)>,
    power: String,
    session: Option<(String, SessionRow)>,
}

#[derive(Template)]
#[template(path = "station_settings.html")]
struct Settings {
    page: Page,
    path: String,
    search: String,
    rows: Vec<SettingRow>,
    more: bool,
}

struct SettingRow {
    name: String,
    value: String,
    readonly: bool,
    unit: String,
}

#[derive(Template)]
#[template(path = "station_json.html")]
struct Known {
    page: Page,
    /// What each is called, and what it says.
    items: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "station_sessions.html")]
struct Sessions {
    page: Page,
    rows: Vec<(String, bool, SessionRow)>,
}

#[derive(Template)]
#[template(path = "station_reservations.html")]
struct Reservations {
    page: Page,
    rows: Vec<Reservation>,
}

/// What is looked for on a tab.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    pub(super) search: String,
    pub(super) action: String,
    pub(super) direction: String,
    pub(super) message_id: String,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) before: Option<i64>,
}

pub(super) async fn show(
    page: Page,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    answer(page, &csms, &id, "live", wanted).await
}

pub(super) async fn tab(
    page: Page,
    State(csms): State<Csms>,
    Path((id, tab)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match TABS.into_iter().find(|known| *known == tab) {
        Some(tab) => answer(page, &csms, &id, tab, wanted).await,
        None => missing(&page, &id),
    }
}

fn missing(page: &Page, id: &str) -> Response {
    page.notice(StatusCode::NOT_FOUND, page.t("stations.unknown"), page.with("stations.unknown_text", "station", id))
}

async fn answer(page: Page, csms: &Csms, id: &str, tab: &'static str, wanted: Wanted) -> Response {
    match view(&page, csms, id, tab, wanted).await {
        Ok(Some(view)) => page.show(&view),
        Ok(None) => missing(&page, id),
        Err(error) => page.broken(&error),
    }
}

async fn view(page: &Page, csms: &Csms, id: &str, tab: &'static str, wanted: Wanted) -> Result<Option<View>, Failed> {
    let Some(station) = csms.store().station(id).await? else { return Ok(None) };
    let path = stations::path(id);
    let content = match tab {
        "live" => live_part(csms, page, id).await?.render()?,
        "configuration" => settings(page, &path, &csms.stations().inspect(id).await?, wanted.search).render()?,
        "profiles" | "messages" | "security" | "list" => {
            Known { page: page.clone(), items: known(tab, &csms.stations().inspect(id).await?) }.render()?
        }
        "log" => station_log::log(csms, page, id, wanted).await?.render()?,
        "sessions" => {
            let filter = SessionFilter { station: Some(id.to_owned()), ..SessionFilter::default() };
            let found = csms.store().find_sessions(&filter, None, ROWS).await?;
            let rows = found.into_iter().map(|session| {
                let over = session.stopped_at.is_some();
                (super::sessions::path(&session), over, SessionRow::new(session, false))
            });
            Sessions { page: page.clone(), rows: rows.collect() }.render()?
        }
        _ => {
            let rows = csms.store().reservations(id, Timestamp::now(), ROWS).await?;
            Reservations { page: page.clone(), rows }.render()?
        }
    };
    let forms: Vec<_> = OPERATIONS.iter().filter(|known| known.tab == tab && known.is_for(page)).collect();
    let of_tab = |kind: &str| OPERATIONS.iter().any(|known| known.tab == tab && known.name == kind);
    let latest = csms.store().operations(Some(id), None, None, ROWS).await?;
    let operations =
        latest.into_iter().filter(|known| of_tab(&known.kind)).take(10).map(|known| OperationRow::new(page, known));
    let connection = csms.stations().live(id).connection;
    Ok(Some(View {
        page: page.clone(),
        path,
        tab,
        station,
        connection,
        forms,
        content,
        operations: operations.collect(),
    }))
}

impl OperationRow {
    fn new(page: &Page, known: store::Operation) -> Self {
        Self {
            at: known.created_at,
            name: page.word("stations.op_", &known.kind).into_owned(),
            state: known.state,
            actor: known.actor,
            detail: known.detail.unwrap_or_default(),
            result: known.result.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_default(),
            progress: known.progress,
        }
    }

    fn colour(&self) -> &'static str {
        match self.state {
            OperationState::Succeeded => "free",
            OperationState::Running => "busy",
            OperationState::Refused | OperationState::Failed => "bad",
            OperationState::Interrupted | OperationState::Cancelled => "warn",
        }
    }
}

/// The live part anew whenever something changed.
pub(super) async fn stream(
    page: Page,
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Sse<impl Stream<Item = Result<Event, std::convert::Infallible>>> {
    live::renew(csms, "evses", move |csms| {
        let (page, id) = (page.clone(), id.clone());
        async move { Ok(live_part(&csms, &page, &id).await?.render()?) }
    })
}

async fn live_part(csms: &Csms, page: &Page, id: &str) -> Result<Live, Failed> {
    let filter = SessionFilter { station: Some(id.to_owned()), running: Some(true), ..SessionFilter::default() };
    let running = csms.store().find_sessions(&filter, None, ROWS).await?;
    let live = csms.stations().live(id);
    Ok(Live { page: page.clone(), path: stations::path(id), evses: evses(&live, running) })
}

fn evses(live: &LiveStation, mut running: Vec<Transaction>) -> Vec<EvseRow> {
    let mut numbers: Vec<i64> = live.connectors.keys().map(|(evse, _)| *evse).collect();
    numbers.extend(running.iter().filter_map(|session| session.evse));
    numbers.sort_unstable();
    numbers.dedup();
    numbers
        .into_iter()
        .map(|number| {
            let connectors = live.connectors.iter().filter(|((evse, _), _)| *evse == number);
            let session =
                running.iter().position(|session| session.evse == Some(number)).map(|at| running.swap_remove(at));
            let power = live.power.get(&number).copied().or_else(|| session.as_ref().and_then(|session| session.power));
            EvseRow {
                number,
                connectors: connectors
                    .map(|((_, connector), view)| {
                        (*connector, view.status.clone(), kind(&view.status), view.error.clone().unwrap_or_default())
                    })
                    .collect(),
                power: power.filter(|power| *power > Decimal::ZERO).map(|power| kilo(power, 1)).unwrap_or_default(),
                session: session.map(|session| (session.id.clone(), SessionRow::new(session, false))),
            }
        })
        .collect()
}

fn settings(page: &Page, path: &str, inspection: &Inspection, search: String) -> Settings {
    let wanted = search.trim().to_lowercase();
    let keys = inspection.mirrors.configuration().iter().map(|setting| SettingRow {
        name: setting.name.clone(),
        value: setting.value.clone().unwrap_or_default(),
        readonly: setting.readonly == Some(true),
        unit: String::new(),
    });
    let variables = inspection.mirrors.device_model().iter().map(|(key, variable)| SettingRow {
        name: key.to_string(),
        value: variable.value().unwrap_or_default().to_owned(),
        readonly: variable
            .attributes
            .first()
            .and_then(|attribute| attribute.mutability.as_ref())
            .is_some_and(|mutability| mutability.as_str() == "ReadOnly"),
        unit: variable.characteristics.as_ref().and_then(|known| known.unit.clone()).unwrap_or_default(),
    });
    let mut rows: Vec<_> = keys
        .chain(variables)
        .filter(|row| row.name.to_lowercase().contains(&wanted) || row.value.to_lowercase().contains(&wanted))
        .take(VARIABLES + 1)
        .collect();
    let more = rows.len() > VARIABLES;
    rows.truncate(VARIABLES);
    Settings { page: page.clone(), path: path.to_owned(), search, rows, more }
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// What is known of a station's own data, in the words of the standard.
fn known(tab: &str, inspection: &Inspection) -> Vec<(String, String)> {
    let mirrors = &inspection.mirrors;
    match tab {
        "profiles" => mirrors
            .charging_profiles()
            .iter()
            .map(|known| {
                (format!("EVSE {} · {} · {}", known.evse, known.profile.id, known.source), pretty(&known.profile))
            })
            .collect(),
        "messages" => {
            mirrors.display_messages().iter().map(|message| (message.id.to_string(), pretty(message))).collect()
        }
        "list" => mirrors
            .local_list()
            .version()
            .map(|version| ("SendLocalList".to_owned(), version.to_string()))
            .into_iter()
            .collect(),
        _ => inspection
            .certificates
            .iter()
            .map(|certificate| (certificate.kind.clone(), pretty(&certificate.hash)))
            .collect(),
    }
}
