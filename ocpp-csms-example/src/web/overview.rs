//! What the page shows.

use askama::Template;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::access::mask;
use crate::server::Csms;
use crate::stations::LiveStation;
use crate::store::{Registration, Station, StoreError, Transaction};
use crate::tariffs::amount;

/// Stations on the page; the REST interface lists all.
const STATIONS: u32 = 200;
/// Running sessions on the page.
const RUNNING: u32 = 100;
/// Bills on the page.
const BILLS: u32 = 25;

/// Why the page cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the template: {0}")]
    Template(#[from] askama::Error),
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    overview: Overview,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    connected: usize,
    known: usize,
    more_stations: bool,
    power: String,
    stations: Vec<StationRow>,
    running: Vec<SessionRow>,
    bills: Vec<SessionRow>,
    currency: &'static str,
    price: String,
}

struct StationRow {
    id: String,
    connected: bool,
    version: &'static str,
    product: String,
    /// What stands out about it, if anything: that it waits, or was turned away.
    registration: Option<&'static str>,
    connectors: Vec<ConnectorBadge>,
    power: Option<String>,
}

struct ConnectorBadge {
    place: String,
    status: String,
    /// Which colour it has.
    kind: &'static str,
}

struct SessionRow {
    station: String,
    evse: String,
    token: String,
    moment: String,
    moment_iso: String,
    energy: String,
    power: Option<String>,
    cost: String,
    currency: &'static str,
    reason: String,
}

/// The whole page.
pub(super) async fn page(csms: &Csms) -> Result<String, PageError> {
    Ok(Page { overview: overview(csms).await? }.render()?)
}

/// The part of it that changes.
pub(super) async fn fragment(csms: &Csms) -> Result<String, PageError> {
    Ok(overview(csms).await?.render()?)
}

async fn overview(csms: &Csms) -> Result<Overview, PageError> {
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
    let price = csms.config().price;
    Ok(Overview {
        connected: csms.stations().connected(),
        known: stations.len(),
        more_stations,
        power: kilo(power, 1),
        stations,
        running: running.into_iter().map(|transaction| SessionRow::new(transaction, false)).collect(),
        bills: bills.into_iter().map(|transaction| SessionRow::new(transaction, true)).collect(),
        currency: price.currency.code(),
        price: price.per_kwh.to_string(),
    })
}

impl StationRow {
    fn new(station: Station, live: &LiveStation) -> Self {
        let version = live.connection.map(|connection| connection.version).or(station.version);
        let connectors = live
            .connectors
            .iter()
            .filter(|((evse, _), view)| *evse > 0 || view.status != "Available")
            .map(|((evse, connector), view)| ConnectorBadge {
                place: match (evse, connector) {
                    (0, _) => "station".to_owned(),
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
    fn new(transaction: Transaction, over: bool) -> Self {
        let moment =
            if over { transaction.stopped_at.unwrap_or(transaction.started_at) } else { transaction.started_at };
        let currency = transaction.price.currency;
        Self {
            evse: transaction.evse.map(|evse| evse.to_string()).unwrap_or_default(),
            moment: short(moment),
            moment_iso: moment.to_string(),
            energy: kilo(transaction.energy_wh(), 3),
            power: transaction.power.map(|power| kilo(power, 1)),
            cost: amount(transaction.cost, currency).to_string(),
            currency: currency.code(),
            token: transaction.token.as_deref().map(mask).unwrap_or_default(),
            reason: transaction.stop_reason.unwrap_or_default(),
            station: transaction.station,
        }
    }
}

/// The colour of a connector's state.
fn kind(status: &str) -> &'static str {
    match status {
        "Available" => "free",
        "Charging" | "Occupied" | "Preparing" | "Finishing" | "SuspendedEV" | "SuspendedEVSE" => "busy",
        "Faulted" => "bad",
        _ => "off",
    }
}

fn kilo(value: Decimal, decimals: u32) -> String {
    let mut value = (value / Decimal::ONE_THOUSAND).round_dp(decimals);
    value.rescale(decimals);
    value.to_string()
}

/// A moment in UTC, to the second.
fn short(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
