//! Reports: as JSON, CSV or PDF, by `format`, by the ending of the path, or by `Accept`.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use iso_currency::Currency;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Json, Path, Query};
use super::logs::attach;
use super::{Number, Problem};
use crate::access::{Actor, Scope};
use crate::reports::{
    self, Consumption, DayRangeAbout, DayReport, Figures, Grouping, Range, ReportError, Sheet, StationState, Who,
};
use crate::server::Csms;
use crate::tariffs::amount;
use crate::web::Language;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// With all that is known.
    Json,
    /// A table for spreadsheets.
    Csv,
    /// A table for paper.
    Pdf,
}

impl Format {
    pub(super) fn of(wanted: Option<Self>, headers: &HeaderMap) -> Result<Self, Problem> {
        if let Some(wanted) = wanted {
            return Ok(wanted);
        }
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("*/*");
        let kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
        let known = kinds.filter_map(|kind| match kind {
            "application/json" | "application/*" | "*/*" | "" => Some(Self::Json),
            "text/csv" | "text/*" => Some(Self::Csv),
            "application/pdf" => Some(Self::Pdf),
            _ => None,
        });
        known.take(1).next().ok_or_else(|| {
            let detail = "reports are application/json, text/csv or application/pdf: accept one of them";
            Problem::new(StatusCode::NOT_ACCEPTABLE, detail)
        })
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Store(error) => error.into(),
            ReportError::Unknown { .. } => Self::not_found(error.to_string()),
            ReportError::Csv(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            _ => Self::bad_request(error.to_string()),
        }
    }
}

/// Energy, fees and time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FiguresView {
    /// Sessions that ended.
    sessions: i64,
    /// What was charged in them, in kWh.
    energy_kwh: Number,
    /// What they cost.
    fees: Vec<AmountView>,
    /// The time of all sessions together, in seconds.
    charging_seconds: i64,
    /// The time with a connection, in seconds: the working hours.
    connected_seconds: i64,
    /// The time in which somebody could have come, in seconds.
    available_seconds: i64,
    /// The time in which a vehicle was there, in seconds.
    occupied_seconds: i64,
    /// The time out of service or reserved, in seconds.
    unavailable_seconds: i64,
    /// The time with a fault of the whole station, in seconds.
    faulted_seconds: i64,
    /// The time without a connection, in seconds.
    offline_seconds: i64,
    /// How often a station became faulted.
    faults: i64,
}

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AmountView {
    /// In whole units of the currency.
    amount: Number,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: &'static str,
}

impl From<&Figures> for FiguresView {
    fn from(figures: &Figures) -> Self {
        let seconds = |state| figures.time(state) / 1000;
        Self {
            sessions: figures.sessions,
            energy_kwh: Number(figures.energy_kwh()),
            fees: amounts(&figures.fees),
            charging_seconds: figures.occupied / 1000,
            connected_seconds: figures.connected() / 1000,
            available_seconds: seconds(StationState::Available),
            occupied_seconds: seconds(StationState::Occupied),
            unavailable_seconds: seconds(StationState::Unavailable),
            faulted_seconds: seconds(StationState::Faulted),
            offline_seconds: seconds(StationState::Offline),
            faults: figures.faults,
        }
    }
}

fn amounts(fees: &std::collections::BTreeMap<&'static str, i64>) -> Vec<AmountView> {
    let view = |(code, minor): (&&'static str, &i64)| {
        let currency = code.parse::<Currency>().ok()?;
        Some(AmountView { amount: Number(amount(*minor, currency)), currency: code })
    };
    fees.iter().filter_map(view).collect()
}

/// A line of a report.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineView {
    /// The station, unless the line is about all of them.
    station: Option<String>,
    /// The day, unless the line is about all of them.
    #[schema(value_type = Option<String>, format = Date)]
    day: Option<Date>,
    /// What is told.
    #[serde(flatten)]
    figures: FiguresView,
}

/// A report on days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DaysView {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    until: Date,
    /// The calendar, where a station has none of its own.
    #[schema(example = "Africa/Lagos")]
    time_zone: String,
    /// What a line is about.
    group: Grouping,
    /// The lines, in the order of stations and days.
    lines: Vec<LineView>,
    /// All lines together.
    total: FiguresView,
}

impl From<&DayReport> for DaysView {
    fn from(report: &DayReport) -> Self {
        let lines = report.lines.iter().map(|line| LineView {
            station: line.station.clone(),
            day: line.day,
            figures: (&line.figures).into(),
        });
        Self {
            from: report.range.from,
            until: report.range.until,
            time_zone: report.zone.clone(),
            group: report.grouping,
            lines: lines.collect(),
            total: (&report.total).into(),
        }
    }
}

/// Which report.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The first day, such as 2026-11-01. Default: 29 days before the last one.
    from: Option<String>,
    /// The last day. Default: today.
    until: Option<String>,
    /// Only this station. Default: all of them together.
    station: Option<String>,
    /// What a line of the report on days is about. Default: `day`.
    group: Option<Grouping>,
    /// Whose consumption: this token's.
    token: Option<String>,
    /// Whose consumption: this driver's.
    driver: Option<String>,
    /// How it is written. Default: what `Accept` says, or JSON.
    format: Option<Format>,
    /// In which language the headings of files are: `en`, `ha`, `rw`, `pa`, `eu`. Default: names for programs in CSV, English in PDF.
    language: Option<String>,
}

impl Wanted {
    fn language(&self) -> Option<Language> {
        self.language.as_deref().and_then(Language::of_tag)
    }

    async fn range(&self, csms: &Csms) -> Result<Range, Problem> {
        let zone = reports::zone(&reports::calendar_name(csms, self.station.as_deref()).await?)?;
        Ok(Range::parse(self.from.as_deref(), self.until.as_deref(), &zone, Timestamp::now())?)
    }
}

/// Hours, energy and fees of each day, of each station, or of both. Days are those of the calendar of each station; energy and fees
/// belong to the day on which the session ended, time to each of its days.
#[utoipa::path(get, path = "/api/v1/reports/days", tag = "reports", operation_id = "report_days", params(Wanted),
    security(("bearer" = ["view"])),
    responses((status = 200, body = DaysView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 406, body = Problem)))]
pub(super) async fn days(
    State(csms): State<Csms>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let format = Format::of(wanted.format, &headers)?;
    let range = wanted.range(&csms).await?;
    let grouping = wanted.group.unwrap_or(Grouping::Day);
    let report = reports::days(&csms, range, wanted.station.as_deref(), grouping).await?;
    match format {
        Format::Json => Ok(axum::Json(DaysView::from(&report)).into_response()),
        format => sheet(&csms, &Sheet::of_days(&report, wanted.language()), "days", range, format).await,
    }
}

/// The use of an hour of the week.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SlotView {
    /// 0 is Monday.
    weekday: i64,
    /// 0 to 23.
    hour: i64,
    /// The time of all sessions together, in seconds.
    charging_seconds: i64,
    /// What was charged, in kWh.
    energy_kwh: Number,
    /// The part of the time in which an EVSE was used, 0 to 1; null as long as no station told of its EVSEs.
    share: Option<Number>,
}

/// How much stations are used in each of the 168 hours of the week.
#[utoipa::path(get, path = "/api/v1/reports/utilisation", tag = "reports", operation_id = "report_utilisation", params(Wanted),
    security(("bearer" = ["view"])),
    responses((status = 200, body = Vec<SlotView>), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 406, body = Problem)))]
pub(super) async fn utilisation(
    State(csms): State<Csms>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let format = Format::of(wanted.format, &headers)?;
    let range = wanted.range(&csms).await?;
    let station = wanted.station.as_deref();
    let slots = reports::utilisation(&csms, range, station).await?;
    if format == Format::Json {
        let view = slots.iter().map(|slot| SlotView {
            weekday: slot.weekday,
            hour: slot.hour,
            charging_seconds: slot.occupied / 1000,
            energy_kwh: Number(Decimal::new(slot.energy_mwh, 6)),
            share: slot.share.map(Number),
        });
        return Ok(axum::Json(view.collect::<Vec<_>>()).into_response());
    }
    let zone = reports::calendar_name(&csms, station).await?;
    let about = DayRangeAbout { range, zone, station: wanted.station.clone() };
    sheet(&csms, &Sheet::of_utilisation(&slots, &about, wanted.language()), "utilisation", range, format).await
}

/// A session of somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// The station.
    station: String,
    /// Its name there.
    id: String,
    /// The EVSE.
    evse: Option<i64>,
    /// The token that started it.
    token: Option<String>,
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    stopped_at: Timestamp,
    /// What was charged, in kWh.
    energy_kwh: Number,
    /// What it costs, in whole units of the currency.
    fees: Number,
    /// ISO 4217.
    currency: &'static str,
}

/// What somebody charged.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsumptionView {
    /// Who.
    name: String,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    until: Date,
    /// The sessions that ended, in the order of their ends.
    sessions: Vec<SessionView>,
    /// What was charged, in kWh.
    energy_kwh: Number,
    /// What it cost.
    fees: Vec<AmountView>,
}

impl From<Consumption> for ConsumptionView {
    fn from(consumption: Consumption) -> Self {
        let sessions = consumption.sessions.into_iter().map(|session| SessionView {
            energy_kwh: Number(session.energy_wh / Decimal::ONE_THOUSAND),
            fees: Number(amount(session.fees, session.currency)),
            currency: session.currency.code(),
            station: session.station,
            id: session.id,
            evse: session.evse,
            token: session.token,
            started_at: session.started_at,
            stopped_at: session.stopped_at,
        });
        Self {
            name: consumption.name,
            from: consumption.range.from,
            until: consumption.range.until,
            sessions: sessions.collect(),
            energy_kwh: Number(Decimal::new(consumption.energy_mwh, 6)),
            fees: amounts(&consumption.fees),
        }
    }
}

/// What a token, or a driver with all tokens, charged, and what it cost.
#[utoipa::path(get, path = "/api/v1/reports/consumption", tag = "reports", operation_id = "report_consumption", params(Wanted),
    security(("bearer" = ["account"])),
    responses((status = 200, body = ConsumptionView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 406, body = Problem)))]
pub(super) async fn consumption(
    State(csms): State<Csms>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let format = Format::of(wanted.format, &headers)?;
    let range = wanted.range(&csms).await?;
    let who = match (&wanted.token, &wanted.driver) {
        (Some(token), None) => Who::Token(token.clone()),
        (None, Some(driver)) => Who::Driver(driver.clone()),
        _ => return Err(Problem::bad_request("whose consumption? Name either token or driver")),
    };
    let consumption = reports::consumption(&csms, &who, range).await?;
    match format {
        Format::Json => Ok(axum::Json(ConsumptionView::from(consumption)).into_response()),
        format => {
            let table = Sheet::of_consumption(&consumption, &csms.config().time_zone, wanted.language());
            sheet(&csms, &table, "consumption", range, format).await
        }
    }
}

/// A report by the name of a file: `days.csv`, `utilisation.pdf`. `consumption.csv` and `consumption.pdf` need the scope account.
#[utoipa::path(get, path = "/api/v1/reports/{file}", tag = "reports", operation_id = "download_report",
    params(("file", description = "The report with .csv, .pdf or .json"), Wanted), security(("bearer" = ["view"])),
    responses((status = 200, description = "The file", content_type = "application/octet-stream"), (status = 400, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn file(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Path(file): Path<String>,
    Query(mut wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let unknown = || {
        let reports = "days, utilisation and consumption, each with .csv, .pdf or .json";
        Problem::not_found(format!("there is no report {file:?}: there are {reports}"))
    };
    let (report, ending) = file.split_once('.').ok_or_else(unknown)?;
    wanted.format = Some(match ending {
        "csv" => Format::Csv,
        "pdf" => Format::Pdf,
        "json" => Format::Json,
        _ => return Err(unknown()),
    });
    match report {
        "days" => days(State(csms), headers, Query(wanted)).await,
        "utilisation" => utilisation(State(csms), headers, Query(wanted)).await,
        "consumption" if actor.may(Scope::Account) => consumption(State(csms), headers, Query(wanted)).await,
        "consumption" => {
            Err(Problem::new(StatusCode::FORBIDDEN, "what people charged needs the scope account: ask an admin for it"))
        }
        _ => Err(unknown()),
    }
}

/// A report as a file.
pub(super) async fn sheet(
    csms: &Csms,
    table: &Sheet,
    name: &str,
    range: Range,
    format: Format,
) -> Result<Response, Problem> {
    let footer = csms.config().operator.clone().unwrap_or_else(|| "ocpp-csms".to_owned());
    let (content, kind, ending) = match format {
        Format::Pdf => (table.pdf(&footer, Timestamp::now())?, "application/pdf", "pdf"),
        _ => (table.csv()?, "text/csv; charset=utf-8", "csv"),
    };
    let mut response = content.into_response();
    attach(&mut response, kind, &format!("{name}-{}-{}.{ending}", range.from, range.until));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// A range compared with as many days before it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrendView {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    until: Date,
    /// In this range.
    now: FiguresView,
    /// In as many days before it.
    before: FiguresView,
}

/// What changed against as many days before.
#[utoipa::path(get, path = "/api/v1/reports/trends", tag = "reports", operation_id = "report_trends", params(Wanted),
    security(("bearer" = ["view"])),
    responses((status = 200, body = TrendView), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn trends(
    State(csms): State<Csms>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<TrendView>, Problem> {
    let range = wanted.range(&csms).await?;
    let station = wanted.station.as_deref();
    let now = reports::total(&csms, range, station).await?;
    let before = reports::total(&csms, range.before(), station).await?;
    Ok(axum::Json(TrendView { from: range.from, until: range.until, now: (&now).into(), before: (&before).into() }))
}

/// The average power of each hour, as columns for a chart.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PowerView {
    /// When each hour begins, in seconds since 1970.
    at: Vec<i64>,
    /// In W: the energy of each session that ended, spread evenly over its time.
    power_w: Vec<Number>,
}

/// The average power of each hour, for a chart. 62 days at most.
#[utoipa::path(get, path = "/api/v1/reports/power", tag = "reports", operation_id = "report_power", params(Wanted),
    security(("bearer" = ["view"])),
    responses((status = 200, body = PowerView), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn power(
    State(csms): State<Csms>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<PowerView>, Problem> {
    let range = wanted.range(&csms).await?;
    let points = reports::power(&csms, range, wanted.station.as_deref()).await?;
    Ok(axum::Json(PowerView {
        at: points.iter().map(|point| point.at.as_second()).collect(),
        power_w: points.iter().map(|point| Number(point.power_w)).collect(),
    }))
}

/// The calendar of a station.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ZoneView {
    /// The IANA name of a time zone; null: that of the installation.
    #[schema(example = "Africa/Lagos")]
    time_zone: Option<String>,
}

/// Gives a station a calendar of its own, by which its sessions are counted anew.
#[utoipa::path(put, path = "/api/v1/stations/{id}/time-zone", tag = "reports", operation_id = "put_time_zone", request_body = ZoneView,
    params(("id", description = "The station's identity")), security(("bearer" = ["operate"])),
    responses((status = 200, description = "The calendar that counts now", body = ZoneView), (status = 400, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn put_zone(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(zone): Json<ZoneView>,
) -> Result<axum::Json<ZoneView>, Problem> {
    reports::set_zone(&csms, &actor, &id, zone.time_zone.as_deref()).await?;
    Ok(axum::Json(ZoneView { time_zone: Some(reports::calendar_name(&csms, Some(&id)).await?) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_what_was_asked_for_most_plainly() {
        let of = |wanted, accept: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            Format::of(wanted, &headers).ok()
        };
        assert_eq!(of(None, None), Some(Format::Json));
        assert_eq!(of(None, Some("*/*")), Some(Format::Json));
        assert_eq!(of(None, Some("text/csv; q=0.9, */*")), Some(Format::Csv));
        assert_eq!(of(None, Some("image/png, application/pdf")), Some(Format::Pdf));
        assert_eq!(of(Some(Format::Csv), Some("application/pdf")), Some(Format::Csv));
        assert_eq!(of(None, Some("image/png")), None);
    }
}
