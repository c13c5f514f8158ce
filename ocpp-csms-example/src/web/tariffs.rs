//! Tariffs: listed, written, previewed, in versions.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::format::money;
use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::Actor;
use crate::server::Csms;
use crate::tariffs::{Assignment, Bill, Scope, Tariff, TariffRecord, Usage};

/// Minutes of an example at most: a week.
const LONGEST: u32 = 10_080;

#[derive(Template)]
#[template(path = "tariffs.html")]
struct List {
    page: Page,
    rows: Vec<Row>,
}

struct Row {
    record: TariffRecord,
    energy: String,
}

#[derive(Template)]
#[template(path = "tariff.html")]
struct Edit {
    page: Page,
    /// The one that is changed; `None` for a new one.
    record: Option<TariffRecord>,
    fields: Fields,
    preview: Option<Preview>,
    versions: Vec<(i64, String, Timestamp, String)>,
    /// Where it holds, beside the default.
    places: Vec<Assignment>,
    sites: Vec<String>,
    stations: Vec<String>,
}

/// What the page of a tariff is made of beside its form.
#[derive(Default)]
struct About {
    versions: Vec<(i64, String, Timestamp, String)>,
    places: Vec<Assignment>,
    sites: Vec<String>,
    stations: Vec<String>,
}

impl About {
    async fn of(csms: &Csms, id: &str) -> Self {
        let mut places = csms.tariffs().assignments();
        places.retain(|place| place.tariff == id);
        let sites = csms.sites().list().await.unwrap_or_default().into_iter().map(|site| site.id).collect();
        let stations = csms.store().stations(None, 500).await.unwrap_or_default();
        let stations = stations.into_iter().map(|station| station.id).collect();
        Self { versions: versions(csms, id).await, places, sites, stations }
    }

    fn edit(self, page: &Page, record: Option<TariffRecord>, fields: Fields, preview: Option<Preview>) -> Edit {
        let Self { versions, places, sites, stations } = self;
        Edit { page: page.clone(), record, fields, preview, versions, places, sites, stations }
    }
}

struct Preview {
    lines: Vec<(&'static str, String, String, String)>,
    net: String,
    tax: String,
    total: String,
}

/// The lines of a bill as people read them: what for, how much, at what price, what that comes to.
pub(super) fn lines(bill: &Bill, currency: iso_currency::Currency) -> Vec<(&'static str, String, String, String)> {
    let line = |line: &crate::tariffs::Line| {
        let item = match line.item {
            crate::tariffs::Item::Start => "start",
            crate::tariffs::Item::Energy => "energy",
            crate::tariffs::Item::Time => "time",
            crate::tariffs::Item::Idle => "idle",
            crate::tariffs::Item::Minimum => "minimum",
            crate::tariffs::Item::Included => "included",
            crate::tariffs::Item::Discount => "discount",
        };
        let unit = match item {
            "energy" => " kWh",
            "time" | "idle" => " h",
            _ => "",
        };
        let quantity = format!("{}{unit}", line.quantity.round_dp(3).normalize());
        (item, quantity, line.price.normalize().to_string(), money(line.amount, currency))
    };
    bill.lines.iter().map(line).collect()
}

impl Preview {
    fn of(tariff: &Tariff, bill: &Bill) -> Self {
        let currency = tariff.currency();
        Self {
            lines: lines(bill, currency),
            net: money(bill.net, currency),
            tax: money(bill.tax, currency),
            total: money(bill.total, currency),
        }
    }
}

/// Prices as they are typed: one number, or in each line days, times and a price, such as `mo-fr 08:00-22:00 0.49`.
fn typed(prices: &Value) -> String {
    let Some(slots) = prices.as_array() else {
        return match prices {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let line = |slot: &Value| {
        let days: Vec<_> = slot["days"].as_array().into_iter().flatten().map(text).collect();
        let from = slot["from"].as_str().unwrap_or("00:00");
        let to = slot["to"].as_str().unwrap_or("24:00");
        format!("{} {from}-{to} {}", days.join(" "), text(&slot["price"])).trim_start().to_owned()
    };
    slots.iter().map(line).collect::<Vec<_>>().join("\n")
}

const DAYS: [&str; 7] = ["mo", "tu", "we", "th", "fr", "sa", "su"];

fn prices(text: &str) -> Option<Value> {
    let text = text.trim();
    if let Ok(price) = text.parse::<Decimal>() {
        return Some(price.to_string().into());
    }
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(slot).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn slot(line: &str) -> Option<Value> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let price = words.pop()?.parse::<Decimal>().ok()?;
    let mut slot = Map::new();
    let mut days = Vec::new();
    for word in words {
        let word = word.trim_end_matches(',');
        if word.contains(':') {
            let (from, to) = word.split_once('-')?;
            slot.insert("from".to_owned(), from.into());
            slot.insert("to".to_owned(), to.into());
            continue;
        }
        let place = |day: &str| DAYS.iter().position(|known| known.eq_ignore_ascii_case(day));
        let (first, last) = match word.split_once('-') {
            Some((first, last)) => (place(first)?, place(last)?),
            None => (place(word)?, place(word)?),
        };
        days.extend(DAYS.get(first..=last)?.iter().copied());
    }
    if !days.is_empty() {
        slot.insert("days".to_owned(), days.into());
    }
    slot.insert("price".to_owned(), price.to_string().into());
    Some(slot.into())
}

/// What a tariff says, in the fields of the form.
fn fields_of(name: &str, tariff: &Tariff) -> Fields {
    let value = serde_json::to_value(tariff).unwrap_or_default();
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut fields = Fields::default().with("name", name);
    for (name, value) in [("energy", &value["energy"]), ("time", &value["time"]), ("idle", &value["idle"])] {
        fields = fields.with(name, typed(value));
    }
    for name in ["currency", "zone", "grace_minutes", "start", "minimum"] {
        fields = fields.with(name, text(&value[name]));
    }
    fields = fields.with("tax", text(&value["tax"]["percent"]));
    fields.with("tax_added", if value["tax"]["included"] == json!(false) { "on" } else { "" })
}

/// What the form says, as a tariff.
fn tariff_of(page: &Page, fields: &mut Fields) -> Option<Tariff> {
    let mut object = Map::new();
    object.insert("currency".to_owned(), fields.get("currency").to_uppercase().into());
    object.insert("zone".to_owned(), fields.filled("zone").unwrap_or("UTC").into());
    for name in ["energy", "time", "idle"] {
        let Some(text) = fields.filled(name) else { continue };
        match prices(text) {
            Some(prices) => drop(object.insert(name.to_owned(), prices)),
            None => fields.fail(name, page.t("money.error_prices")),
        }
    }
    for name in ["start", "minimum"] {
        if let Some(value) = fields.optional::<Decimal>(name, page.t("money.error_amount")) {
            object.insert(name.to_owned(), value.to_string().into());
        }
    }
    if let Some(minutes) = fields.optional::<u32>("grace_minutes", page.t("money.error_minutes")) {
        object.insert("grace_minutes".to_owned(), minutes.into());
    }
    let tax = fields.optional::<Decimal>("tax", page.t("money.error_amount")).unwrap_or_default();
    object.insert("tax".to_owned(), json!({"percent": tax.to_string(), "included": !fields.ticked("tax_added")}));
    match serde_json::from_value::<Tariff>(object.into()) {
        Ok(tariff) if fields.fine() => Some(tariff),
        Ok(_) => None,
        Err(error) => {
            let text = error.to_string();
            let place = match &text {
                text if text.contains("currency") => "currency",
                text if text.contains("zone") => "zone",
                text if text.contains("tax") => "tax",
                text if text.contains("idle") => "idle",
                text if text.contains("time is") => "time",
                _ => "energy",
            };
            fields.fail(place, text);
            None
        }
    }
}

fn example(page: &Page, fields: &mut Fields) -> Option<Usage> {
    let energy = fields.optional::<Decimal>("example_kwh", page.t("money.error_amount")).unwrap_or(Decimal::from(20));
    let minutes = fields.optional::<u32>("example_minutes", page.t("money.error_minutes")).unwrap_or(60).min(LONGEST);
    let idle = fields.optional::<u32>("example_idle", page.t("money.error_minutes")).unwrap_or(0).min(LONGEST);
    let started = Timestamp::now();
    let charged = started.checked_add(SignedDuration::from_mins(minutes.into())).ok()?;
    let until = charged.checked_add(SignedDuration::from_mins(idle.into())).ok()?;
    let energy = energy.clamp(Decimal::ZERO, Decimal::from(100_000)) * Decimal::ONE_THOUSAND;
    Some(Usage {
        started,
        until,
        readings: vec![(started, Decimal::ZERO), (charged, energy)],
        idle: if until > charged { vec![(charged, until)] } else { Vec::new() },
    })
}

pub(super) async fn list(page: Page, State(csms): State<Csms>) -> Response {
    let rows = csms.tariffs().list().into_iter().map(|record| {
        let value = serde_json::to_value(&*record.tariff).unwrap_or_default();
        Row { energy: typed(&value["energy"]), record }
    });
    page.show(&List { page: page.clone(), rows: rows.collect() })
}

pub(super) async fn new(page: Page, State(csms): State<Csms>) -> Response {
    let currency = csms.tariffs().standard().tariff.currency().code();
    let fields = Fields::default()
        .with("currency", currency)
        .with("zone", "UTC")
        .with("example_kwh", 20)
        .with("example_minutes", 60)
        .with("example_idle", 0);
    page.show(&About::default().edit(&page, None, fields, None))
}

pub(super) async fn show(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    let Ok(record) = csms.tariffs().get(&id) else {
        return page.notice(StatusCode::NOT_FOUND, page.t("money.unknown_tariff"), "");
    };
    let mut fields = fields_of(&record.name, &record.tariff)
        .with("id", &record.id)
        .with("example_kwh", 20)
        .with("example_minutes", 60)
        .with("example_idle", 0);
    let bill = example(&page, &mut fields).and_then(|usage| record.tariff.bill(&usage).ok());
    let preview = bill.map(|bill| Preview::of(&record.tariff, &bill));
    page.show(&About::of(&csms, &id).await.edit(&page, Some(record), fields, preview))
}

async fn versions(csms: &Csms, id: &str) -> Vec<(i64, String, Timestamp, String)> {
    let versions = csms.tariffs().versions(id).await.unwrap_or_default();
    let view = |(version, tariff, by, at): (i64, std::sync::Arc<Tariff>, String, Timestamp)| {
        (version, by, at, serde_json::to_string_pretty(&*tariff).unwrap_or_default())
    };
    versions.into_iter().map(view).collect()
}

/// Writes a tariff, or shows what a session would cost by it.
pub(super) async fn save(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let id = fields.text("id", 60, page.t("money.error_id"));
    let record = csms.tariffs().get(&id).ok();
    let name = fields.filled("name").unwrap_or(&id).to_owned();
    let tariff = tariff_of(&page, &mut fields);
    let usage = example(&page, &mut fields);
    let bill = tariff.as_ref().zip(usage).and_then(|(tariff, usage)| tariff.bill(&usage).ok());
    let preview = tariff.as_ref().zip(bill).map(|(tariff, bill)| Preview::of(tariff, &bill));
    if let Some(tariff) = tariff
        && fields.fine()
        && !fields.is("do", "preview")
    {
        match csms.tariffs().put(&id, &name, &tariff, actor.name()).await {
            Ok(record) => {
                csms.audit(&actor, "tariff.changed", &id, format!("version {}", record.version)).await;
                return Flash::good(page.with("money.tariff_saved", "tariff", &record.name)).at("/tariffs");
            }
            Err(error) => fields.fail("id", error.told(&page)),
        }
    }
    let fine = fields.fine();
    let edit = About::of(&csms, &id).await.edit(&page, record, fields, preview);
    if fine { page.show(&edit) } else { page.refuse(&edit) }
}

/// Makes a tariff the default, or takes it out of use.
pub(super) async fn act(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let (done, action, text) = match fields.get("do") {
        "default" => (csms.tariffs().make_default(&id).await, "tariff.made_default", "money.tariff_default"),
        _ => (csms.tariffs().retire(&id).await, "tariff.retired", "money.tariff_retired"),
    };
    match done {
        Ok(()) => {
            csms.audit(&actor, action, &id, "").await;
            Flash::good(page.with(text, "tariff", &id)).at("/tariffs")
        }
        Err(error) => Flash::bad(error.told(&page)).at("/tariffs"),
    }
}

/// Lets a tariff hold at a site, a station or one EVSE, or no more.
pub(super) async fn place(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let here = format!("/tariffs/{}", percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC));
    let scope = if fields.is("scope", "site") { Scope::Site } else { Scope::Station };
    let target = fields.get("target").to_owned();
    let evse = match fields.filled("evse").map(str::parse::<i64>) {
        None => 0,
        Some(Ok(evse)) => evse,
        Some(Err(_)) => return Flash::bad(page.with("stations.error_number", "field", "EVSE")).at(&here),
    };
    if target.is_empty() {
        return Flash::bad(page.t("stations.error_choice")).at(&here);
    }
    let is_there = match scope {
        Scope::Site => csms.sites().get(&target).await.is_ok(),
        Scope::Station => csms.store().station(&target).await.ok().flatten().is_some(),
    };
    let (done, action) = if fields.is("do", "remove") {
        (csms.tariffs().unassign(scope, &target, evse).await.map(drop), "tariff.unassigned")
    } else if is_there {
        let assignment = Assignment { scope, target: target.clone(), evse, tariff: id.clone() };
        (csms.tariffs().assign(&assignment).await, "tariff.assigned")
    } else {
        return Flash::bad(page.with("errors.unknown", "id", target)).at(&here);
    };
    match done {
        Ok(()) => {
            csms.audit(&actor, action, &id, format!("{} {target} {evse}", scope.as_str())).await;
            Flash::good(page.t("people.saved")).at(&here)
        }
        Err(error) => Flash::bad(error.told(&page)).at(&here),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_survive_being_typed() {
        assert_eq!(prices("0.39"), Some(json!("0.39")));
        let slots =
            prices("mo-fr 08:00-22:00 0.49\nmo-fr 22:00-24:00 0.29\nmo-fr 00:00-08:00 0.29\nsa su 0.29").unwrap();
        assert_eq!(
            slots[0],
            json!({"from": "08:00", "to": "22:00", "days": ["mo", "tu", "we", "th", "fr"], "price": "0.49"})
        );
        assert_eq!(prices(&typed(&slots)).unwrap().as_array().unwrap().len(), 4);
        assert_eq!(prices("some day 0.3"), None);
        assert_eq!(prices("mo 0.3 cents"), None);
    }
}
