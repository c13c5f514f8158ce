//! The dashboard: what happens now.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Page;
use super::format::{kilo, money};
use super::live::Failed;
use crate::access::mask;
use crate::reports::{self, Range};
use crate::server::Csms;
use crate::stations::LiveStation;
use crate::store::{Registration, Station, StoreError, Transaction};

/// Stations on the board; `/stations` has all.
const STATIONS: u32 = 60;
/// Running sessions on the board.
const RUNNING: u32 = 50;
/// Bills on the board.
const BILLS: u32 = 10;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Dashboard {
    page: Page,
    board: Board,
    guide: Option<Guide>,
}

/// What a new installation still needs, each with whether it is there.
struct Guide {
    station: bool,
    tariff: bool,
    driver: bool,
    session: bool,
}

/// The part that changes.
#[derive(Template)]
#[template(path = "board.html")]
struct Board {
    page: Page,
    connected: usize,
    known: u64,
    pending: u64,
    more_stations: bool,
    power: String,
    energy: String,
    fees: String,
    stations: Vec<StationRow>,
    running: Vec<SessionRow>,
    bills: Vec<SessionRow>,
}

pub(super) struct StationRow {
    pub(super) id: String,
    pub(super) connected: bool,
    pub(super) version: &'static str,
    pub(super) product: String,
    /// What stands out about it, if anything: that it waits, or was turned away.
    pub(super) registration: Option<&'static str>,
    pub(super) connectors: Vec<ConnectorBadge>,
    pub(super) power: Option<String>,
}

pub(super) struct ConnectorBadge {
    pub(super) place: String,
    pub(super) status: String,
    /// Which colour it has.
    pub(super) kind: &'static str,
}

pub(super) struct SessionRow {
    pub(super) station: String,
    pub(super) evse: String,
    pub(super) token: String,
    pub(super) moment: Timestamp,
    pub(super) energy: String,
    pub(super) power: Option<String>,
    pub(super) cost: String,
    pub(super) reason: String,
}

pub(super) async fn show(page: Page, State(csms): State<Csms>) -> Response {
    let made = async {
        let board = board(&csms, &page).await?;
        let guide = guide(&csms, &board).await?;
        Ok::<_, Failed>(Dashboard { page: page.clone(), board, guide })
    };
    match made.await {
        Ok(dashboard) => page.show(&dashboard),
        Err(error) => page.broken(&error),
    }
}

/// `None` as soon as everything is there.
async fn guide(csms: &Csms, board: &Board) -> Result<Option<Guide>, StoreError> {
    let guide = Guide {
        station: board.known > board.pending,
        tariff: csms.tariffs().list().iter().any(|tariff| !tariff.is_configured),
        driver: !csms.store().drivers(None, None, 1).await?.is_empty(),
        session: !board.running.is_empty() || !board.bills.is_empty(),
    };
    let complete = guide.station && guide.tariff && guide.driver && guide.session;
    Ok((!complete).then_some(guide))
}

/// The part that changes, in the language of a page.
pub(super) async fn fragment(csms: &Csms, page: &Page) -> Result<String, Failed> {
    Ok(board(csms, page).await?.render()?)
}

async fn board(csms: &Csms, page: &Page) -> Result<Board, Failed> {
    let store = csms.store();
    let mut known = store.stations(None, STATIONS + 1).await?;
    let more_stations = known.len() > STATIONS as usize;
    known.truncate(STATIONS as usize);
    let running = store.running_transactions(RUNNING).await?;
    let bills = store.stopped_transactions(BILLS).await?;
    let mut power = Decimal::ZERO;
    let stations: Vec<_> = known
        .into_iter()
        .map(|station| {
            let live = csms.stations().live(&station.id);
            power = power.saturating_add(live.total_power());
            StationRow::new(station, &live)
        })
        .collect();
    let counts = store.station_counts().await?;
    let today = Timestamp::now().to_zoned(csms.config().time_zone.clone()).date();
    let today = reports::total(csms, Range { from: today, until: today }, None).await?;
    Ok(Board {
        page: page.clone(),
        connected: csms.stations().connected(),
        known: counts.all,
        pending: counts.pending,
        energy: today.energy_kwh().round_dp(1).to_string(),
        fees: reports::written_fees(&today.fees),
        more_stations,
        power: kilo(power, 1),
        stations,
        running: running.into_iter().map(|transaction| SessionRow::new(transaction, false)).collect(),
        bills: bills.into_iter().map(|transaction| SessionRow::new(transaction, true)).collect(),
    })
}

impl StationRow {
    pub(super) fn new(station: Station, live: &LiveStation) -> Self {
        let version = live.connection.map(|connection| connection.version).or(station.version);
        let connectors = live
            .connectors
            .iter()
            .filter(|((evse, _), view)| *evse > 0 || view.status != "Available")
            .map(|((evse, connector), view)| ConnectorBadge {
                place: match (evse, connector) {
                    (0, _) => String::new(),
                    (evse, 1) => evse.to_string(),
                    (evse, connector) => format!("{evse}.{connector}"),
                },
                status: view.status.clone(),
                kind: kind(&view.status),
            })
            .collect();
        let total = live.total_power();
        Self {
            connected: live.connection.is_some(),
            version: version.map_or("", |version| version.number()),
            product: station
                .identity
                .map(|identity| format!("{} {}", identity.vendor, identity.model))
                .unwrap_or_default(),
            registration: match station.registration {
                Registration::Accepted => None,
                other => Some(other.as_str()),
            },
            connectors,
            power: (total > Decimal::ZERO).then(|| kilo(total, 1)),
            id: station.id,
        }
    }
}

impl SessionRow {
    pub(super) fn new(transaction: Transaction, over: bool) -> Self {
        let moment =
            if over { transaction.stopped_at.unwrap_or(transaction.started_at) } else { transaction.started_at };
        let currency = transaction.currency;
        Self {
            evse: transaction.evse.map(|evse| evse.to_string()).unwrap_or_default(),
            moment,
            energy: kilo(transaction.energy_wh(), 3),
            power: transaction.power.map(|power| kilo(power, 1)),
            cost: money(transaction.cost, currency),
            token: transaction.token.as_deref().map(mask).unwrap_or_default(),
            reason: transaction.stop_reason.unwrap_or_default(),
            station: transaction.station,
        }
    }
}

/// The colour of a connector's state.
pub(super) fn kind(status: &str) -> &'static str {
    match status {
        "Available" => "free",
        "Charging" | "Occupied" | "Preparing" | "Finishing" | "SuspendedEV" | "SuspendedEVSE" => "busy",
        "Faulted" => "bad",
        _ => "off",
    }
}
