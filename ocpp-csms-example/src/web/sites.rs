//! Sites: their limits and what hangs on them.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;
use serde_json::Value;

use super::chart::{Chart, Shape};
use super::format::kilo;
use super::site_form::{self, Part, definition_of, fields_of};
use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::Actor;
use crate::server::Csms;
use crate::sites::{Definition, Limit, LiveSite, Site};

#[derive(Template)]
#[template(path = "sites.html")]
struct List {
    page: Page,
    sites: Vec<Row>,
}

struct Row {
    site: Site,
    limit: String,
    used: String,
    connected: usize,
}

#[derive(Template)]
#[template(path = "site.html")]
struct Edit {
    page: Page,
    id: Option<String>,
    fields: Fields,
    limit: String,
    stations: Vec<StationPower>,
    used: String,
    share: Option<(Decimal, Decimal)>,
    known: Vec<String>,
    parts: Vec<Part>,
    live: Option<LiveSite>,
    plan: Chart,
}

struct StationPower {
    id: String,
    path: String,
    connected: bool,
    power: String,
    maximum: String,
    priority: u8,
}

fn limit_text(limit: Limit) -> String {
    match serde_json::to_value(limit).unwrap_or_default() {
        Value::Object(object) => object
            .iter()
            .map(|(unit, value)| format!("{value} {}", if unit == "watts" { "W" } else { "A" }))
            .collect::<Vec<_>>()
            .join(", "),
        _ => String::new(),
    }
}

/// What may be drawn on all phases together, in W.
fn limit_watts(definition: &Definition) -> Decimal {
    let phases = Decimal::from(definition.phases);
    match serde_json::to_value(definition.limit).unwrap_or_default() {
        Value::Object(object) => match (object.get("watts"), object.get("amperes")) {
            (Some(watts), _) => watts.to_string().parse().unwrap_or_default(),
            (_, Some(amperes)) => {
                amperes.to_string().parse::<Decimal>().unwrap_or_default() * phases * Decimal::from(definition.voltage)
            }
            _ => Decimal::ZERO,
        },
        _ => Decimal::ZERO,
    }
}

fn used(csms: &Csms, definition: &Definition) -> Decimal {
    definition
        .stations
        .iter()
        .fold(Decimal::ZERO, |sum, station| sum.saturating_add(csms.stations().live(&station.id).total_power()))
}

pub(super) async fn list(page: Page, State(csms): State<Csms>) -> Response {
    match csms.sites().list().await {
        Ok(sites) => {
            let sites = sites.into_iter().map(|site| Row {
                limit: limit_text(site.definition.limit),
                used: kilo(used(&csms, &site.definition), 1),
                connected: site
                    .definition
                    .stations
                    .iter()
                    .filter(|station| csms.stations().live(&station.id).connection.is_some())
                    .count(),
                site,
            });
            page.show(&List { page: page.clone(), sites: sites.collect() })
        }
        Err(error) => page.broken(&error),
    }
}

async fn edit(csms: &Csms, page: Page, site: Option<&Site>, fields: Fields) -> Edit {
    let definition = site.map(|site| &site.definition);
    let stations = definition.into_iter().flat_map(|definition| &definition.stations).map(|station| {
        let live = csms.stations().live(&station.id);
        StationPower {
            path: super::stations::path(&station.id),
            connected: live.connection.is_some(),
            power: kilo(live.total_power(), 1),
            maximum: serde_json::to_string(&station.maximum_a).unwrap_or_default(),
            priority: station.priority,
            id: station.id.clone(),
        }
    });
    let stations = stations.collect();
    let known = csms.store().stations(None, 500).await.unwrap_or_default();
    let live = match site {
        Some(site) => csms.sites().live(&site.id).await.ok(),
        None => None,
    };
    let plan = live.as_ref().map(|live| plan(&page, live)).unwrap_or_default();
    Edit {
        live,
        plan,
        parts: site_form::parts(&fields),
        page,
        id: site.map(|site| site.id.clone()),
        fields,
        limit: definition.map(|definition| limit_text(definition.limit)).unwrap_or_default(),
        stations,
        used: definition.map(|definition| kilo(used(csms, definition), 1)).unwrap_or_default(),
        share: definition.map(|definition| (used(csms, definition).round(), limit_watts(definition).round())),
        known: known.into_iter().map(|station| station.id).collect(),
    }
}

/// What is planned, beside what there is.
fn plan(page: &Page, live: &LiveSite) -> Chart {
    let amperes = |current: &crate::sites::Current| Some(Decimal::new(i64::from(current.get()), 1));
    Chart::over_time(live.plan.iter().map(|step| step.from.as_second()))
        .with(page.t("sites.limit"), "A", Shape::Steps, live.plan.iter().map(|step| amperes(&step.limit_a)))
        .with(page.t("sites.planned"), "A", Shape::Steps, live.plan.iter().map(|step| amperes(&step.planned_a)))
}

pub(super) async fn new(page: Page, State(csms): State<Csms>) -> Response {
    let fields = Fields::default()
        .with("unit", "A")
        .with("phases", 3)
        .with("voltage", 230)
        .with("time_zone", "UTC")
        .with("price_rule", "none");
    page.show(&edit(&csms, page.clone(), None, fields).await)
}

pub(super) async fn show(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    match csms.sites().get(&id).await {
        Ok(site) => {
            let fields = fields_of(&id, &site.definition);
            page.show(&edit(&csms, page.clone(), Some(&site), fields).await)
        }
        Err(error) => page.notice(StatusCode::NOT_FOUND, page.t("sites.unknown"), error.told(&page)),
    }
}

/// Enters a site or changes it.
pub(super) async fn save(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let id = fields.text("id", 60, page.t("money.error_id"));
    let site = csms.sites().get(&id).await.ok();
    if let Some(definition) = definition_of(&page, &mut fields, site.as_ref().map(|site| &site.definition)) {
        match csms.sites().put(&id, &definition).await {
            Ok(_) => {
                csms.audit(&actor, "site.changed", &id, limit_text(definition.limit)).await;
                let path = format!("/sites/{}", utf8_percent_encode(&id, NON_ALPHANUMERIC));
                return Flash::good(page.with("sites.saved", "site", &definition.name)).at(&path);
            }
            Err(error) => fields.fail("stations", error.told(&page)),
        }
    }
    page.refuse(&edit(&csms, page.clone(), site.as_ref(), fields).await)
}

/// Removes a site; its stations stay.
pub(super) async fn remove(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Response {
    match csms.sites().delete(&id).await {
        Ok(()) => {
            csms.audit(&actor, "site.removed", &id, "").await;
            Flash::good(page.with("sites.removed", "site", &id)).at("/sites")
        }
        Err(error) => Flash::bad(error.told(&page)).at("/sites"),
    }
}
