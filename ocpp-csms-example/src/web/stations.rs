//! The list of stations: searched, entered, accepted.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::dashboard::StationRow;
use super::{Fields, Flash, Page, Pager};
use crate::access::Actor;
use crate::api::{StationPut, change_station};
use crate::server::Csms;
use crate::store::{Registration, StationCounts, StationFilter, StoreError};

/// Stations on a page.
const SIZE: u32 = 50;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    search: String,
    #[serde(default)]
    registration: String,
    page: Option<u32>,
}

#[derive(Template)]
#[template(path = "stations.html")]
struct Stations {
    page: Page,
    stations: Vec<StationRow>,
    counts: StationCounts,
    filter: Filter,
    pager: Pager,
    fields: Fields,
}

/// The path of a station's page.
pub(super) fn path(id: &str) -> String {
    format!("/stations/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

async fn view(csms: &Csms, page: Page, filter: Filter, fields: Fields) -> Result<Stations, StoreError> {
    let wanted = StationFilter {
        search: Some(filter.search.trim().to_owned()).filter(|search| !search.is_empty()),
        registration: filter.registration.parse().ok(),
    };
    let total = csms.store().count_stations(&wanted).await?;
    let keep = [("search", filter.search.as_str()), ("registration", filter.registration.as_str())];
    let pager = Pager::new(filter.page, SIZE, total, "/stations", &keep);
    let found = csms.store().find_stations(&wanted, pager.offset(), pager.size()).await?;
    let counts = csms.store().station_counts().await?;
    let stations = found
        .into_iter()
        .map(|station| {
            let live = csms.stations().live(&station.id);
            StationRow::new(station, &live)
        })
        .collect();
    Ok(Stations { page, stations, counts, filter, pager, fields })
}

pub(super) async fn list(page: Page, State(csms): State<Csms>, Query(filter): Query<Filter>) -> Response {
    let fields = Fields::default().with("security_profile", "1");
    match view(&csms, page.clone(), filter, fields).await {
        Ok(view) => page.show(&view),
        Err(error) => page.broken(&error),
    }
}

/// Enters a station.
pub(super) async fn enter(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let id = fields.text("id", 48, page.t("stations.error_id"));
    let profile = fields.parsed::<u8>("security_profile", page.t("stations.error_choice"));
    let password = fields.filled("password").map(str::to_owned);
    if matches!(profile, Some(1 | 2)) && password.is_none() {
        fields.fail("password", page.t("stations.error_password"));
    }
    if fields.fine() {
        let put = StationPut {
            registration: Some(Registration::Accepted),
            security_profile: profile,
            password,
            free_vend: Some(fields.ticked("free_vend")),
            ..StationPut::default()
        };
        match change_station(&csms, &id, put).await {
            Ok(_) => {
                csms.audit(&actor, "station.entered", &id, "").await;
                return Flash::good(page.with("stations.entered", "station", &id)).at(&path(&id));
            }
            Err(problem) => fields.fail("id", problem.detail()),
        }
    }
    match view(&csms, page.clone(), Filter::default(), fields).await {
        Ok(view) => page.refuse(&view),
        Err(error) => page.broken(&error),
    }
}

/// Accepts a station or turns it away.
pub(super) async fn register(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let back = if fields.is("back", "list") { "/stations".to_owned() } else { path(&id) };
    let Ok(registration) = fields.get("registration").parse::<Registration>() else {
        return Flash::bad(page.t("stations.error_choice")).at(&back);
    };
    let put = StationPut { registration: Some(registration), ..StationPut::default() };
    match change_station(&csms, &id, put).await {
        Ok(_) => {
            csms.audit(&actor, &format!("station.{registration}"), &id, "").await;
            let key = match registration {
                Registration::Accepted => "stations.now_accepted",
                Registration::Pending => "stations.now_pending",
                Registration::Rejected => "stations.now_rejected",
            };
            Flash::good(page.with(key, "station", &id)).at(&back)
        }
        Err(problem) => Flash::bad(problem.detail()).at(&back),
    }
}
