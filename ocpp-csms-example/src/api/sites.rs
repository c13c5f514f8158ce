//! Sites, the prices of energy, signals of those who run the grid, and what sessions are to reach.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use iso_currency::Currency;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Json, Path, Query};
use super::{Number, Problem};
use crate::access::Actor;
use crate::server::Csms;
use crate::sites::{Definition, LiveSite, PriceFile, PriceUnit, Signal, Site, Target};

/// A site.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SiteView {
    /// Its name in the interface.
    id: String,
    /// What it is.
    #[serde(flatten)]
    definition: Definition,
    /// When it was entered.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Site> for SiteView {
    fn from(site: Site) -> Self {
        let Site { id, definition, created_at, updated_at } = site;
        Self { id, definition, created_at, updated_at }
    }
}

/// All sites.
#[utoipa::path(get, path = "/api/v1/sites", tag = "sites", operation_id = "list_sites", security(("bearer" = ["view"])),
    responses((status = 200, body = Vec<SiteView>)))]
pub(super) async fn list(State(csms): State<Csms>) -> Result<axum::Json<Vec<SiteView>>, Problem> {
    Ok(axum::Json(csms.sites().list().await?.into_iter().map(SiteView::from).collect()))
}

/// One site.
#[utoipa::path(get, path = "/api/v1/sites/{id}", tag = "sites", operation_id = "get_site", security(("bearer" = ["view"])),
    params(("id", description = "The site")),
    responses((status = 200, body = SiteView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<SiteView>, Problem> {
    Ok(axum::Json(csms.sites().get(&id).await?.into()))
}

/// Enters a site, or changes it as a whole; its power is shared anew at once.
#[utoipa::path(put, path = "/api/v1/sites/{id}", tag = "sites", operation_id = "put_site", request_body = Definition,
    security(("bearer" = ["operate"])), params(("id", description = "The site, 1 to 64 characters")),
    responses((status = 200, description = "Changed", body = SiteView), (status = 201, description = "Entered", body = SiteView),
        (status = 400, body = Problem), (status = 409, description = "A station is in another site", body = Problem)))]
pub(super) async fn put(
    Extension(actor): Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Json(definition): Json<Definition>,
) -> Result<(StatusCode, axum::Json<SiteView>), Problem> {
    let is_new = csms.sites().put(&id, &definition).await?;
    let (action, status) = kept("site", is_new);
    csms.audit(&actor, &action, &id, &definition.name).await;
    Ok((status, axum::Json(csms.sites().get(&id).await?.into())))
}

/// Removes a site. What its stations were told to keep to is taken back.
#[utoipa::path(delete, path = "/api/v1/sites/{id}", tag = "sites", operation_id = "delete_site", security(("bearer" = ["operate"])),
    params(("id", description = "The site")),
    responses((status = 204, description = "Removed"), (status = 404, body = Problem)))]
pub(super) async fn delete(
    Extension(actor): Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    csms.sites().delete(&id).await?;
    csms.audit(&actor, "site.removed", &id, "").await;
    Ok(StatusCode::NO_CONTENT)
}

/// How a site stands: what may be drawn and is, for each EVSE, and what is planned.
#[utoipa::path(get, path = "/api/v1/sites/{id}/live", tag = "sites", operation_id = "get_live_site", security(("bearer" = ["view"])),
    params(("id", description = "The site")),
    responses((status = 200, body = LiveSite), (status = 404, body = Problem)))]
pub(super) async fn live(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<LiveSite>, Problem> {
    Ok(axum::Json(csms.sites().live(&id).await?))
}

/// What energy costs for a while.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PriceView {
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// For a kWh.
    price: Number,
    /// The currency.
    #[schema(example = "EUR")]
    currency: String,
}

/// Which prices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PriceSpan {
    /// From when; by default from now on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Until when; by default for two days. At most 31 days.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// The prices of a zone.
#[utoipa::path(get, path = "/api/v1/prices/{zone}", tag = "sites", operation_id = "list_prices", security(("bearer" = ["view"])),
    params(("zone", description = "The zone"), PriceSpan),
    responses((status = 200, body = Vec<PriceView>), (status = 400, body = Problem)))]
pub(super) async fn prices(
    State(csms): State<Csms>,
    Path(zone): Path<String>,
    Query(span): Query<PriceSpan>,
) -> Result<axum::Json<Vec<PriceView>>, Problem> {
    let from = span.from.unwrap_or_else(Timestamp::now);
    let later = |days: i64| from.saturating_add((24 * days).hours()).unwrap_or(Timestamp::MAX);
    let until = span.until.unwrap_or_else(|| later(2));
    if until <= from || until > later(31) {
        return Err(Problem::bad_request("`until` is after `from`, by 31 days at most"));
    }
    let prices = csms.sites().prices(&zone, from, until).await?;
    let views = prices.into_iter().map(|(slot, currency)| PriceView {
        from: slot.from,
        until: slot.until,
        price: Number(slot.price),
        currency,
    });
    Ok(axum::Json(views.collect()))
}

/// What the prices of a file are in.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PriceTerms {
    /// The currency: three letters.
    #[param(example = "EUR")]
    currency: String,
    /// What the prices are for; by default a `kWh`.
    #[param(inline)]
    unit: Option<PriceUnit>,
}

/// What was imported.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PricesImported {
    /// How many slots.
    slots: usize,
    /// From when.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Until when.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// Imports prices, in place of those of the same time: `text/csv` with the columns `start`, `price` and, if you like, `end`, or
/// `application/json` as `{"slots": [{"start", "end", "price"}]}`. Moments are RFC 3339 with an offset; slots have 15, 30 or 60 minutes, all
/// the same, and follow each other without a hole or an overlap. A file with anything wrong in it changes nothing.
#[utoipa::path(put, path = "/api/v1/prices/{zone}", tag = "sites", operation_id = "import_prices", security(("bearer" = ["operate"])),
    params(("zone", description = "The zone, 1 to 64 characters"), PriceTerms),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = PricesImported), (status = 400, body = Problem), (status = 415, body = Problem)))]
pub(super) async fn import_prices(
    Extension(actor): Extension<Actor>,
    State(csms): State<Csms>,
    Path(zone): Path<String>,
    Query(terms): Query<PriceTerms>,
    headers: HeaderMap,
    body: String,
) -> Result<axum::Json<PricesImported>, Problem> {
    let currency = Currency::from_code(&terms.currency.to_ascii_uppercase()).ok_or_else(|| {
        Problem::bad_request(format!("{:?} is no currency: three letters, such as EUR", terms.currency))
    })?;
    let unit = terms.unit.unwrap_or(PriceUnit::KilowattHour);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let file = match kind.split(';').next().map(str::trim) {
        Some("text/csv") => PriceFile::from_csv(&body, currency, unit),
        Some("application/json") => PriceFile::from_json(&body, currency, unit),
        _ => {
            let detail = "send the file as text/csv or application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
    };
    let file = file.map_err(|error| Problem::bad_request(format!("nothing was imported: {error}")))?;
    csms.sites().import_prices(&zone, &file).await?;
    csms.audit(&actor, "prices.imported", &zone, format!("{} slots", file.slots.len())).await;
    Ok(axum::Json(PricesImported { slots: file.slots.len(), from: file.from(), until: file.until() }))
}

/// A signal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignalView {
    /// Its id.
    id: String,
    /// What it asks for.
    #[serde(flatten)]
    signal: Signal,
}

/// The signals that are not over.
#[utoipa::path(get, path = "/api/v1/demand-response", tag = "sites", operation_id = "list_signals", security(("bearer" = ["view"])),
    responses((status = 200, body = Vec<SignalView>)))]
pub(super) async fn signals(State(csms): State<Csms>) -> Result<axum::Json<Vec<SignalView>>, Problem> {
    let signals = csms.sites().signals().await?;
    Ok(axum::Json(signals.into_iter().map(|(id, signal)| SignalView { id, signal }).collect()))
}

/// One signal.
#[utoipa::path(get, path = "/api/v1/demand-response/{id}", tag = "sites", operation_id = "get_signal", security(("bearer" = ["view"])),
    params(("id", description = "The signal")),
    responses((status = 200, body = SignalView), (status = 404, body = Problem)))]
pub(super) async fn signal(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<SignalView>, Problem> {
    let signal = csms.sites().signal(&id).await?;
    Ok(axum::Json(SignalView { id, signal }))
}

/// Lowers what sites may draw for a while. It takes effect at once and ends by itself; the same id again changes the signal.
#[utoipa::path(put, path = "/api/v1/demand-response/{id}", tag = "sites", operation_id = "put_signal", request_body = Signal,
    security(("bearer" = ["operate"])), params(("id", description = "The signal, 1 to 64 characters, chosen by who sends it")),
    responses((status = 200, description = "Changed", body = SignalView), (status = 201, description = "Taken in", body = SignalView),
        (status = 400, body = Problem)))]
pub(super) async fn put_signal(
    Extension(actor): Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Json(signal): Json<Signal>,
) -> Result<(StatusCode, axum::Json<SignalView>), Problem> {
    let is_new = csms.sites().put_signal(&id, &signal).await?;
    let (action, status) = kept("signal", is_new);
    csms.audit(&actor, &action, &id, signal.sites.join(", ")).await;
    Ok((status, axum::Json(SignalView { id, signal })))
}

/// Takes a signal back, at once.
#[utoipa::path(delete, path = "/api/v1/demand-response/{id}", tag = "sites", operation_id = "delete_signal",
    security(("bearer" = ["operate"])), params(("id", description = "The signal")),
    responses((status = 204, description = "Taken back"), (status = 404, body = Problem)))]
pub(super) async fn delete_signal(
    Extension(actor): Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    csms.sites().delete_signal(&id).await?;
    csms.audit(&actor, "signal.removed", &id, "").await;
    Ok(StatusCode::NO_CONTENT)
}

/// Says when the driver of a running session leaves, how much energy is needed in all, and how urgent it is.
#[utoipa::path(put, path = "/api/v1/stations/{id}/transactions/{transaction}/charging-target", tag = "sites",
    operation_id = "put_charging_target", request_body = Target, security(("bearer" = ["operate"])),
    params(("id", description = "The station"), ("transaction", description = "The session")),
    responses((status = 200, body = Target), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn put_target(
    Extension(actor): Extension<Actor>,
    State(csms): State<Csms>,
    Path((id, transaction)): Path<(String, String)>,
    Json(target): Json<Target>,
) -> Result<axum::Json<Target>, Problem> {
    csms.sites().put_target(&id, &transaction, &target).await?;
    csms.audit(&actor, "charging_target.changed", &transaction, &id).await;
    Ok(axum::Json(target))
}

/// What the audit log says of something that was kept, and the status that tells it.
fn kept(what: &str, is_new: bool) -> (String, StatusCode) {
    match is_new {
        true => (format!("{what}.created"), StatusCode::CREATED),
        false => (format!("{what}.changed"), StatusCode::OK),
    }
}
