//! Reports: energy, fees and hours by day, station and hour, as charts, tables and files.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::chart::{Chart, Shape};
use super::told::Told as _;
use super::{Page, Pager, format};
use crate::reports::{self, DayReport, Grouping, Line, Range, ReportError, StationState};
use crate::server::Csms;
use crate::store::StationFilter;

/// Lines on a page.
const LINES: u32 = 100;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    station: String,
    #[serde(default)]
    by: String,
    page: Option<u32>,
}

#[derive(Template)]
#[template(path = "reports.html")]
struct Reports {
    page: Page,
    from: String,
    until: String,
    station: String,
    by: &'static str,
    stations: Vec<String>,
    rows: Vec<Row>,
    pager: Pager,
    total: Row,
    energy: Chart,
    hours: Chart,
    power: Chart,
    /// What the files are asked for with.
    query: String,
}

struct Row {
    station: String,
    day: String,
    sessions: i64,
    energy: String,
    fees: String,
    occupied: String,
    connected: String,
    faulted: String,
    faults: i64,
}

impl Row {
    fn new(line: &Line) -> Self {
        let figures = &line.figures;
        Self {
            station: line.station.clone().unwrap_or_default(),
            day: line.day.map(|day| day.to_string()).unwrap_or_default(),
            sessions: figures.sessions,
            energy: figures.energy_kwh().round_dp(2).to_string(),
            fees: reports::written_fees(&figures.fees),
            occupied: format::duration(figures.occupied / 1000),
            connected: format::duration(figures.connected() / 1000),
            faulted: format::duration(figures.time(StationState::Faulted) / 1000),
            faults: figures.faults,
        }
    }
}

pub(super) async fn show(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    match view(&csms, page.clone(), wanted).await {
        Ok(view) => page.show(&view),
        Err(ReportError::Store(error)) => page.broken(&error),
        Err(error) => page.notice(StatusCode::BAD_REQUEST, page.t("reports.not_so"), error.told(&page)),
    }
}

async fn view(csms: &Csms, page: Page, wanted: Wanted) -> Result<Reports, ReportError> {
    let some = |text: &'_ str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (from, until, station) = (some(&wanted.from), some(&wanted.until), some(&wanted.station));
    let zone = &csms.config().time_zone;
    let range = Range::parse(from.as_deref(), until.as_deref(), zone, Timestamp::now())?;
    let (by, grouping) = match wanted.by.as_str() {
        "station" => ("station", Grouping::Station),
        "station_day" => ("station_day", Grouping::StationDay),
        _ => ("day", Grouping::Day),
    };
    let station_name = station.as_deref();
    let by_day = reports::days(csms, range, station_name, Grouping::Day).await?;
    let (first, last) = (range.from.to_string(), range.until.to_string());
    let keep = [("from", first.as_str()), ("until", &last), ("station", station_name.unwrap_or("")), ("by", by)];
    let (lines, pager) = lines(csms, &by_day, grouping, wanted.page, &keep).await?;
    let slots = reports::utilisation(csms, range, station_name).await?;
    let hours = (0..24).map(|hour| {
        let of_hour: Vec<Decimal> =
            slots.iter().filter(|slot| slot.hour == hour).filter_map(|slot| slot.share).collect();
        let count = Decimal::from(of_hour.len());
        let sum: Decimal = of_hour.into_iter().sum();
        sum.checked_div(count).map(|share| (share * Decimal::ONE_HUNDRED).round_dp(1))
    });
    let hours: Vec<_> = hours.collect();
    let power = match reports::power(csms, range, station_name).await {
        Ok(power) => power,
        // A long range has no power by the hour.
        Err(ReportError::TooLong { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let kilowatts = |watts: Decimal| (watts / Decimal::ONE_THOUSAND).round_dp(2);
    let power_chart = Chart::over_time(power.iter().map(|point| point.at.as_second())).with(
        page.t("stations.power"),
        "kW",
        Shape::Steps,
        power.iter().map(|point| Some(kilowatts(point.power_w))),
    );
    let hours_chart =
        Chart::over((0..24).map(|hour| hour.to_string())).with(page.t("reports.utilisation"), "%", Shape::Bars, hours);
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let language = page.language().code();
    let mut query = format!("from={}&until={}&group={by}&language={language}", range.from, range.until);
    if let Some(station) = station_name {
        query.push_str(&format!("&station={}", encode(station)));
    }
    let stations = csms.store().stations(None, 500).await?;
    Ok(Reports {
        energy: energy_chart(&page, &by_day),
        hours: hours_chart,
        power: power_chart,
        rows: lines.iter().map(Row::new).collect(),
        pager,
        total: Row::new(&Line { station: None, day: None, figures: by_day.total.clone() }),
        from: first,
        until: last,
        station: station.unwrap_or_default(),
        by,
        stations: stations.into_iter().map(|station| station.id).collect(),
        query,
        page,
    })
}

/// The lines of a page of the table. Of every day of every station there are too many to read them all for one page.
async fn lines(
    csms: &Csms,
    by_day: &DayReport,
    grouping: Grouping,
    number: Option<u32>,
    keep: &[(&str, &str)],
) -> Result<(Vec<Line>, Pager), ReportError> {
    let (range, station) = (by_day.range, by_day.station.as_deref());
    if grouping == Grouping::StationDay && station.is_none() {
        let stations = (LINES / u32::try_from(range.days()).unwrap_or(LINES).max(1)).max(1);
        let all = StationFilter::default();
        let pager = Pager::new(number, stations, csms.store().count_stations(&all).await?, "/reports", keep);
        let shown = csms.store().find_stations(&all, pager.offset(), pager.size()).await?;
        let lines = match (shown.first(), shown.last()) {
            (Some(first), Some(last)) => reports::station_days(csms, range, &first.id, &last.id).await?,
            _ => Vec::new(),
        };
        return Ok((lines, pager));
    }
    let lines = match grouping {
        Grouping::Day => by_day.lines.clone(),
        _ => reports::days(csms, range, station, grouping).await?.lines,
    };
    let pager = Pager::new(number, LINES, u64::try_from(lines.len()).unwrap_or(u64::MAX), "/reports", keep);
    let (skip, take) = (usize::try_from(pager.offset()), usize::try_from(pager.size()));
    let lines = lines.into_iter().skip(skip.unwrap_or(usize::MAX)).take(take.unwrap_or(usize::MAX)).collect();
    Ok((lines, pager))
}

/// Energy of each day of the range, also of those on which nobody charged.
fn energy_chart(page: &Page, report: &DayReport) -> Chart {
    let days: Vec<_> =
        (0..report.range.days()).map(|day| report.range.from.saturating_add(jiff::Span::new().days(day))).collect();
    let energy = days.iter().map(|day| {
        let line = report.lines.iter().find(|line| line.day == Some(*day));
        Some(line.map_or(Decimal::ZERO, |line| line.figures.energy_kwh().round_dp(2)))
    });
    Chart::over(days.iter().map(|day| day.strftime("%m-%d").to_string())).with(
        page.t("stations.energy"),
        "kWh",
        Shape::Bars,
        energy,
    )
}
