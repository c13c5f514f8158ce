//! Day-ahead prices and the signals of those who run the grid.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use iso_currency::Currency;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::chart::{Chart, Shape};
use super::live::Failed;
use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::Actor;
use crate::server::Csms;
use crate::sites::{Current, PriceFile, PriceSlot, PriceUnit, Signal, SignalLimit, Site, SiteError};

/// How far ahead prices are shown.
const AHEAD: SignedDuration = SignedDuration::from_hours(48);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    zone: String,
}

#[derive(Template)]
#[template(path = "energy.html")]
struct Energy {
    page: Page,
    zone: String,
    prices: Vec<(PriceSlot, String)>,
    chart: Chart,
    signals: Vec<(String, Signal, String)>,
    sites: Vec<Site>,
    fields: Fields,
}

/// What a signal limits to, as people read it.
fn written(limit: SignalLimit) -> String {
    match limit {
        SignalLimit::Amperes(current) => current.to_string(),
        SignalLimit::Watts(watts) => format!("{watts} W"),
        SignalLimit::Percent(percent) => format!("{percent} %"),
    }
}

async fn view(csms: &Csms, page: Page, wanted: &str, fields: Fields) -> Result<Energy, SiteError> {
    let sites = csms.sites().list().await?;
    // Without a word the zone is that of a site which minds prices.
    let minded = sites.iter().find_map(|site| site.definition.prices.as_ref().map(|prices| prices.zone.clone()));
    let zone = Some(wanted.trim().to_owned()).filter(|zone| !zone.is_empty()).or(minded).unwrap_or_default();
    let now = Timestamp::now();
    let until = now.saturating_add(AHEAD).unwrap_or(now);
    let prices = if zone.is_empty() { Vec::new() } else { csms.sites().prices(&zone, now, until).await? };
    let currency = prices.first().map(|(_, currency)| currency.clone()).unwrap_or_default();
    let chart = Chart::over_time(prices.iter().map(|(slot, _)| slot.from.as_second())).with(
        page.t("sites.price"),
        &format!("{currency}/kWh"),
        Shape::Steps,
        prices.iter().map(|(slot, _)| Some(slot.price)),
    );
    let signals = csms.sites().signals().await?;
    let signals = signals.into_iter().map(|(id, signal)| {
        let limit = written(signal.limit);
        (id, signal, limit)
    });
    Ok(Energy { page, zone, prices, chart, signals: signals.collect(), sites, fields })
}

fn presets(csms: &Csms) -> Fields {
    Fields::default()
        .with("currency", csms.tariffs().standard().tariff.currency().code())
        .with("unit", "kWh")
        .with("limit_unit", "percent")
}

async fn answer(csms: &Csms, page: Page, zone: &str, fields: Fields) -> Response {
    let fine = fields.fine();
    match view(csms, page.clone(), zone, fields).await {
        Ok(view) if fine => page.show(&view),
        Ok(view) => page.refuse(&view),
        Err(error) => page.broken(&Failed::from(error)),
    }
}

pub(super) async fn show(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    let fields = presets(&csms).with("zone", &wanted.zone);
    answer(&csms, page, &wanted.zone, fields).await
}

/// Imports prices: CSV, or JSON where the text begins like it.
pub(super) async fn import(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let zone = fields.text("zone", 64, page.t("sites.error_zone"));
    let currency = Currency::from_code(&fields.get("currency").to_uppercase());
    if currency.is_none() {
        fields.fail("currency", page.t("money.currency_hint"));
    }
    let unit = if fields.is("unit", "MWh") { PriceUnit::MegawattHour } else { PriceUnit::KilowattHour };
    if let Some(currency) = currency.filter(|_| fields.fine()) {
        let text = fields.get("prices");
        let file = match text.starts_with(['{', '[']) {
            true => PriceFile::from_json(text, currency, unit),
            false => PriceFile::from_csv(text, currency, unit),
        };
        match file {
            Ok(file) => match csms.sites().import_prices(&zone, &file).await {
                Ok(()) => {
                    csms.audit(&actor, "prices.imported", &zone, format!("{} slots", file.slots.len())).await;
                    let zone = percent_encoding::utf8_percent_encode(&zone, percent_encoding::NON_ALPHANUMERIC);
                    return Flash::good(page.with("sites.prices_imported", "count", file.slots.len()))
                        .at(&format!("/energy?zone={zone}"));
                }
                Err(error) => fields.fail("zone", error.told(&page)),
            },
            Err(error) => fields.fail("prices", error.told(&page)),
        }
    }
    answer(&csms, page, &zone, fields).await
}

/// What the form says, as a signal.
fn signal_of(page: &Page, fields: &mut Fields) -> Option<Signal> {
    let number = fields.parsed::<Decimal>("limit", page.t("money.error_amount"));
    let whole = |number: Decimal| number.is_integer().then(|| u64::try_from(number).ok()).flatten();
    let limit = number.and_then(|number| match fields.get("limit_unit") {
        "A" => {
            let tenths = whole(number.checked_mul(Decimal::TEN)?)?;
            Some(SignalLimit::Amperes(Current::tenths(u32::try_from(tenths).ok()?)))
        }
        "W" => whole(number).map(SignalLimit::Watts),
        _ => whole(number).and_then(|percent| u8::try_from(percent).ok()).map(SignalLimit::Percent),
    });
    if limit.is_none() {
        fields.fail("limit", page.t("money.error_amount"));
    }
    let moment = |fields: &mut Fields, name: &'static str, label: &str| {
        let typed = fields.get(name).parse::<jiff::civil::DateTime>().ok();
        let at = typed.and_then(|at| at.to_zoned(TimeZone::UTC).ok()).map(|at| at.timestamp());
        if at.is_none() {
            fields.fail(name, page.with("stations.error_moment", "field", page.t(label).to_owned()));
        }
        at
    };
    let from = match fields.filled("from") {
        Some(_) => moment(fields, "from", "maintenance.from_moment"),
        None => Some(Timestamp::now()),
    };
    let until = moment(fields, "until", "maintenance.until_moment");
    let sites = fields.get("sites").lines().map(str::to_owned).collect();
    Some(Signal { sites, limit: limit?, from: from?, until: until? })
}

/// Takes a signal in.
pub(super) async fn signal(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let id = fields.text("id", 64, page.t("sites.error_signal"));
    if let Some(signal) = signal_of(&page, &mut fields).filter(|_| fields.fine()) {
        match csms.sites().put_signal(&id, &signal).await {
            Ok(is_new) => {
                let action = if is_new { "signal.created" } else { "signal.changed" };
                csms.audit(&actor, action, &id, signal.sites.join(", ")).await;
                return Flash::good(page.with("sites.signal_saved", "signal", &id)).at("/energy");
            }
            Err(error) => fields.fail("sites", error.told(&page)),
        }
    }
    answer(&csms, page, "", fields).await
}

/// Takes a signal back.
pub(super) async fn remove_signal(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Response {
    match csms.sites().delete_signal(&id).await {
        Ok(()) => {
            csms.audit(&actor, "signal.removed", &id, "").await;
            Flash::good(page.with("sites.signal_removed", "signal", &id)).at("/energy")
        }
        Err(error) => Flash::bad(error.told(&page)).at("/energy"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_with_their_unit() {
        assert_eq!(written(SignalLimit::Percent(60)), "60 %");
        assert_eq!(written(SignalLimit::Watts(4000)), "4000 W");
        assert_eq!(written(SignalLimit::Amperes(Current::tenths(65))), "6.5 A");
    }
}
