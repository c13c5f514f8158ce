//! Tariffs: made, changed in versions, previewed, and assigned to places.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use iso_currency::Currency;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::body::{Json, Path, Query};
use super::{Number, Problem};
use crate::access::Actor;
use crate::server::Csms;
use crate::tariffs::{
    Assignment, Bill, Item, Line, Scope, Tariff, TariffRecord, TariffVersion, TariffsError, Usage, amount,
};

/// A tariff with its newest version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TariffView {
    /// Its id.
    id: String,
    /// What people call it.
    name: String,
    /// Its newest version, counted from 1.
    version: i64,
    /// Whether it holds wherever no other does.
    is_default: bool,
    /// Whether it is what the configuration says, because no operator has changed it.
    is_configured: bool,
    /// When it was taken out of use.
    #[schema(value_type = Option<String>, format = DateTime)]
    retired_at: Option<Timestamp>,
    /// When its newest version was made.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// What it says: see [`TariffChange`].
    #[schema(value_type = Object)]
    tariff: Box<RawValue>,
}

impl From<TariffRecord> for TariffView {
    fn from(record: TariffRecord) -> Self {
        Self {
            tariff: raw(&record.tariff),
            id: record.id,
            name: record.name,
            version: record.version,
            is_default: record.is_default,
            is_configured: record.is_configured,
            retired_at: record.retired_at,
            updated_at: record.updated_at,
        }
    }
}

fn raw(tariff: &Tariff) -> Box<RawValue> {
    serde_json::value::to_raw_value(tariff).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// What a tariff is to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TariffChange {
    /// What people call it. Default: as before, or its id.
    name: Option<String>,
    /// Prices in whole units of the currency, for a kWh (`energy`), for an hour of charging (`time`) and for an hour of being
    /// connected without (`idle`), each one number or a list of slots that cover the week once; a price for each session
    /// (`start`), the least that a session costs (`minimum`), the tax.
    #[schema(value_type = Object, example = json!({
        "currency": "EUR", "zone": "Europe/Madrid",
        "energy": [{"days": ["mo", "tu", "we", "th", "fr"], "from": "08:00", "to": "22:00", "price": 0.49},
            {"days": ["mo", "tu", "we", "th", "fr"], "from": "00:00", "to": "08:00", "price": 0.29},
            {"days": ["mo", "tu", "we", "th", "fr"], "from": "22:00", "to": "24:00", "price": 0.29},
            {"days": ["sa", "su"], "price": 0.29}],
        "idle": 6, "grace_minutes": 15, "start": 0.35, "minimum": 1, "tax": {"percent": 21, "included": true}}))]
    tariff: Tariff,
}

/// A bill, in whole units of its currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BillView {
    /// The currency, ISO 4217.
    currency: &'static str,
    /// What is charged for.
    lines: Vec<LineView>,
    /// Without tax.
    net: Number,
    /// The tax.
    tax: Number,
    /// What is to be paid.
    total: Number,
}

/// A line of a bill.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineView {
    /// What for.
    #[schema(value_type = String, example = "energy")]
    item: Item,
    /// How much of it: kWh, hours, or 1.
    quantity: Number,
    /// What one of it costs.
    price: Number,
    /// What that comes to.
    amount: Number,
}

impl BillView {
    pub(super) fn new(bill: &Bill, currency: Currency) -> Self {
        let units = |minor| Number(amount(minor, currency));
        let line = |line: &Line| LineView {
            item: line.item,
            quantity: Number(line.quantity),
            price: Number(line.price),
            amount: units(line.amount),
        };
        Self {
            currency: currency.code(),
            lines: bill.lines.iter().map(line).collect(),
            net: units(bill.net),
            tax: units(bill.tax),
            total: units(bill.total),
        }
    }
}

impl From<TariffsError> for Problem {
    fn from(error: TariffsError) -> Self {
        let status = match error {
            TariffsError::Store(error) => return error.into(),
            TariffsError::Unknown(_) | TariffsError::UnknownVersion(..) => StatusCode::NOT_FOUND,
            TariffsError::IsDefault(_) | TariffsError::InUse(..) | TariffsError::Retired(_) => StatusCode::CONFLICT,
            TariffsError::Id(_) | TariffsError::Name | TariffsError::Evse => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// Tariffs, by name.
#[utoipa::path(get, path = "/api/v1/tariffs", tag = "tariffs", operation_id = "list_tariffs",
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<TariffView>)))]
pub(super) async fn list(State(csms): State<Csms>) -> axum::Json<Vec<TariffView>> {
    axum::Json(csms.tariffs().list().into_iter().map(TariffView::from).collect())
}

/// One tariff.
#[utoipa::path(get, path = "/api/v1/tariffs/{id}", tag = "tariffs", operation_id = "get_tariff",
    security(("bearer" = ["view"])), responses((status = 200, body = TariffView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<TariffView>, Problem> {
    Ok(axum::Json(csms.tariffs().get(&id)?.into()))
}

/// Makes a tariff, or a new version of it: who is charging keeps the version by which they began.
#[utoipa::path(put, path = "/api/v1/tariffs/{id}", tag = "tariffs", operation_id = "put_tariff", request_body = TariffChange,
    security(("bearer" = ["account"])),
    responses((status = 200, body = TariffView), (status = 400, body = Problem)))]
pub(super) async fn put(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(change): Json<TariffChange>,
) -> Result<axum::Json<TariffView>, Problem> {
    let name = change.name.or_else(|| csms.tariffs().get(&id).ok().map(|known| known.name));
    let name = name.unwrap_or_else(|| id.clone());
    let record = csms.tariffs().put(&id, &name, &change.tariff, actor.name()).await?;
    csms.audit(&actor, "tariff.changed", &id, &format!("version {}", record.version)).await;
    Ok(axum::Json(record.into()))
}

/// Takes a tariff out of use. Sessions that run by it go on.
#[utoipa::path(delete, path = "/api/v1/tariffs/{id}", tag = "tariffs", operation_id = "retire_tariff",
    security(("bearer" = ["account"])),
    responses((status = 204, description = "Out of use"), (status = 404, body = Problem),
        (status = 409, description = "It still holds somewhere", body = Problem)))]
pub(super) async fn delete(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    csms.tariffs().retire(&id).await?;
    csms.audit(&actor, "tariff.retired", &id, "").await;
    Ok(StatusCode::NO_CONTENT)
}

/// A version of a tariff.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    /// Which, counted from 1.
    version: i64,
    /// Who made it.
    created_by: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// What it says.
    #[schema(value_type = Object)]
    tariff: Box<RawValue>,
}

/// The versions of a tariff, the newest first.
#[utoipa::path(get, path = "/api/v1/tariffs/{id}/versions", tag = "tariffs", operation_id = "list_tariff_versions",
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<VersionView>), (status = 404, body = Problem)))]
pub(super) async fn versions(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<VersionView>>, Problem> {
    let versions = csms.tariffs().versions(&id).await?;
    let view = |(version, tariff, created_by, created_at): (_, std::sync::Arc<Tariff>, _, _)| VersionView {
        version,
        created_by,
        created_at,
        tariff: raw(&tariff),
    };
    Ok(axum::Json(versions.into_iter().map(view).collect()))
}

/// Makes a tariff hold wherever no other does.
#[utoipa::path(put, path = "/api/v1/tariffs/{id}/default", tag = "tariffs", operation_id = "make_default_tariff",
    security(("bearer" = ["account"])),
    responses((status = 204, description = "It holds from now on"), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn make_default(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    csms.tariffs().make_default(&id).await?;
    csms.audit(&actor, "tariff.made_default", &id, "").await;
    Ok(StatusCode::NO_CONTENT)
}

/// An example of a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    /// When it starts. Default: now.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// How long it charges, in minutes.
    #[schema(minimum = 0, maximum = 525600)]
    charging_minutes: u32,
    /// How long the vehicle stays connected after that, in minutes. Default: 0.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 525600)]
    idle_minutes: u32,
    /// What it takes, in kWh, evenly.
    #[schema(value_type = f64)]
    energy_kwh: Decimal,
}

/// What to price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRequest {
    /// A tariff that is kept, by its id.
    id: Option<String>,
    /// Its version. Default: the newest.
    version: Option<i64>,
    /// Or what a tariff would say.
    #[schema(value_type = Option<Object>)]
    tariff: Option<Tariff>,
    /// The session.
    session: Example,
}

/// What a session would cost.
#[utoipa::path(post, path = "/api/v1/tariffs/preview", tag = "tariffs", operation_id = "preview_tariff",
    request_body = PreviewRequest, security(("bearer" = ["view"])),
    responses((status = 200, body = BillView), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn preview(
    State(csms): State<Csms>,
    Json(request): Json<PreviewRequest>,
) -> Result<axum::Json<BillView>, Problem> {
    let tariff = match (request.tariff, request.id) {
        (Some(tariff), None) => tariff,
        (None, Some(id)) => {
            let version = match request.version {
                Some(version) => version,
                None => csms.tariffs().get(&id)?.version,
            };
            (*csms.tariffs().version(&TariffVersion { tariff: id, version }).await?).clone()
        }
        _ => return Err(Problem::bad_request("give either the `id` of a tariff or what a `tariff` says")),
    };
    let usage = request.session.usage()?;
    let bill = tariff.bill(&usage).map_err(|error| Problem::bad_request(error.to_string()))?;
    Ok(axum::Json(BillView::new(&bill, tariff.currency())))
}

impl Example {
    fn usage(&self) -> Result<Usage, Problem> {
        let year = 525_600;
        let most = Decimal::from(1_000_000);
        if self.charging_minutes > year || self.idle_minutes > year {
            return Err(Problem::bad_request("a session of more than a year: write at most 525600 minutes"));
        }
        if self.energy_kwh.is_sign_negative() || self.energy_kwh > most {
            return Err(Problem::bad_request("energy_kwh is from 0 to 1000000"));
        }
        let started = self.started_at.unwrap_or_else(Timestamp::now);
        let after = |minutes: u32| started.checked_add(SignedDuration::from_mins(minutes.into()));
        let times = after(self.charging_minutes)
            .and_then(|charged| Ok((charged, after(self.charging_minutes + self.idle_minutes)?)));
        let (charged, until) = times.map_err(|_| Problem::bad_request("started_at is beyond all calendars"))?;
        Ok(Usage {
            started,
            until,
            readings: vec![(started, Decimal::ZERO), (charged, self.energy_kwh * Decimal::ONE_THOUSAND)],
            idle: if until > charged { vec![(charged, until)] } else { Vec::new() },
        })
    }
}

/// Where a tariff holds.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentView {
    /// A site or a station.
    scope: Scope,
    /// Which one.
    target: String,
    /// One EVSE of the station. Left out: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evse: Option<i64>,
    /// The tariff.
    tariff: String,
}

/// Where tariffs hold, beside the default. The most particular one counts: EVSE, station, site.
#[utoipa::path(get, path = "/api/v1/tariff-assignments", tag = "tariffs", operation_id = "list_tariff_assignments",
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<AssignmentView>)))]
pub(super) async fn assignments(State(csms): State<Csms>) -> axum::Json<Vec<AssignmentView>> {
    let view = |Assignment { scope, target, evse, tariff }| AssignmentView {
        scope,
        target,
        evse: (evse > 0).then_some(evse),
        tariff,
    };
    axum::Json(csms.tariffs().assignments().into_iter().map(view).collect())
}

/// Lets a tariff hold at a place, for the sessions that begin there from now on.
#[utoipa::path(put, path = "/api/v1/tariff-assignments/place", tag = "tariffs", operation_id = "assign_tariff",
    request_body = AssignmentView, security(("bearer" = ["account"])),
    responses((status = 204, description = "It holds from now on"), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn assign(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(wanted): Json<AssignmentView>,
) -> Result<StatusCode, Problem> {
    let AssignmentView { scope, target, evse, tariff } = wanted;
    if evse == Some(0) {
        return Err(TariffsError::Evse.into());
    }
    if scope == Scope::Station {
        csms.store().station(&target).await?.ok_or_else(|| Problem::unknown_station(&target))?;
    }
    let assignment = Assignment { scope, target, evse: evse.unwrap_or(0), tariff };
    csms.tariffs().assign(&assignment).await?;
    let detail = format!("at {} {} EVSE {}", scope.as_str(), assignment.target, assignment.evse);
    csms.audit(&actor, "tariff.assigned", &assignment.tariff, &detail).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Which place.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AssignedPlace {
    /// A site or a station.
    scope: Scope,
    /// Which one.
    target: String,
    /// One EVSE of the station. Left out: all of them.
    evse: Option<i64>,
}

/// Lets no tariff of its own hold at a place.
#[utoipa::path(delete, path = "/api/v1/tariff-assignments/place", tag = "tariffs", operation_id = "unassign_tariff",
    params(AssignedPlace), security(("bearer" = ["account"])),
    responses((status = 204, description = "None does any more"), (status = 404, body = Problem)))]
pub(super) async fn unassign(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Query(place): Query<AssignedPlace>,
) -> Result<StatusCode, Problem> {
    let AssignedPlace { scope, target, evse } = place;
    if !csms.tariffs().unassign(scope, &target, evse.unwrap_or(0)).await? {
        return Err(Problem::not_found(format!("no tariff is assigned to {} {target:?}", scope.as_str())));
    }
    csms.audit(&actor, "tariff.unassigned", &target, scope.as_str()).await;
    Ok(StatusCode::NO_CONTENT)
}
