//! Invoices, plans and subscriptions.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Json, Path, Query};
use super::payments::{currency, payer, units};
use super::tokens::limit;
use super::{Number, Problem};
use crate::access::Actor;
use crate::payments::InvoiceError;
use crate::server::Csms;
use crate::store::{Invoice, Plan, PlanSubscription};
use crate::tariffs::amount;

impl From<InvoiceError> for Problem {
    fn from(error: InvoiceError) -> Self {
        let status = match error {
            InvoiceError::Store(error) => return error.into(),
            InvoiceError::Time => StatusCode::BAD_REQUEST,
            InvoiceError::Nothing | InvoiceError::Wrong(_) => StatusCode::CONFLICT,
        };
        Self::new(status, error.to_string())
    }
}

/// An invoice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvoiceView {
    /// Its number, counted from 1 without gaps.
    number: i64,
    /// `driver:ID` or `guest:ID`.
    payer: String,
    currency: &'static str,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    net: Number,
    tax: Number,
    total: Number,
    lines: Vec<InvoiceLineView>,
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
}

/// A line of an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvoiceLineView {
    /// `session`, `adjustment` or `subscription`.
    kind: String,
    /// Station and transaction, or subscription and month.
    about: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    energy_wh: Option<Number>,
    net: Number,
    tax: Number,
}

impl From<Invoice> for InvoiceView {
    fn from(invoice: Invoice) -> Self {
        let units = |minor| Number(amount(minor, invoice.currency));
        let line = |line: crate::payments::InvoiceLine| InvoiceLineView {
            energy_wh: line.energy_wh.map(Number),
            net: units(line.net),
            tax: units(line.tax),
            kind: line.kind,
            about: line.about,
            at: line.at,
        };
        Self {
            number: invoice.number,
            payer: invoice.payer.to_string(),
            currency: invoice.currency.code(),
            from: invoice.from,
            to: invoice.to,
            net: units(invoice.net),
            tax: units(invoice.tax),
            total: units(invoice.total),
            lines: invoice.lines.into_iter().map(line).collect(),
            issued_at: invoice.issued_at,
        }
    }
}

/// Which invoices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InvoicePart {
    /// Of one payer: `driver:ID` or `guest:ID`.
    payer: Option<String>,
    /// Only those with smaller numbers.
    before: Option<i64>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Invoices, the newest first.
#[utoipa::path(get, path = "/api/v1/invoices", tag = "invoices", operation_id = "list_invoices", params(InvoicePart),
    security(("bearer" = ["account"])), responses((status = 200, body = Vec<InvoiceView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(part): Query<InvoicePart>,
) -> Result<axum::Json<Vec<InvoiceView>>, Problem> {
    let of = part.payer.as_deref().map(payer).transpose()?;
    let invoices = csms.store().invoices(of.as_ref(), part.before, limit(part.limit)?).await?;
    Ok(axum::Json(invoices.into_iter().map(InvoiceView::from).collect()))
}

/// One invoice.
#[utoipa::path(get, path = "/api/v1/invoices/{number}", tag = "invoices", operation_id = "get_invoice",
    security(("bearer" = ["account"])), responses((status = 200, body = InvoiceView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(number): Path<i64>) -> Result<axum::Json<InvoiceView>, Problem> {
    let invoice = csms.store().invoice(number).await?;
    Ok(axum::Json(invoice.ok_or_else(|| Problem::not_found(format!("there is no invoice {number}")))?.into()))
}

/// An invoice to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvoice {
    /// `driver:ID` or `guest:ID`.
    payer: String,
    #[schema(example = "EUR")]
    currency: String,
    /// Of what was billed at this moment or later.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// And before this one.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
}

/// Makes an invoice of everything of that time that is on none yet.
#[utoipa::path(post, path = "/api/v1/invoices", tag = "invoices", operation_id = "make_invoice", request_body = NewInvoice,
    security(("bearer" = ["account"])),
    responses((status = 201, body = InvoiceView), (status = 400, body = Problem), (status = 409, description = "There is nothing to put on it", body = Problem)))]
pub(super) async fn post(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(wanted): Json<NewInvoice>,
) -> Result<(StatusCode, axum::Json<InvoiceView>), Problem> {
    let of = payer(&wanted.payer)?;
    let invoice = csms.payments().invoice(&of, currency(&wanted.currency)?, wanted.from, wanted.to).await?;
    csms.audit(&actor, "invoice.made", invoice.number, &wanted.payer).await;
    Ok((StatusCode::CREATED, axum::Json(invoice.into())))
}

/// What can be subscribed to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    id: String,
    name: String,
    currency: &'static str,
    /// What a month costs, without tax.
    fee: Number,
    tax_percent: Number,
    included_wh: i64,
    discount_percent: Number,
}

impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        Self {
            fee: Number(amount(plan.fee, plan.currency)),
            currency: plan.currency.code(),
            tax_percent: Number(plan.tax_percent),
            included_wh: plan.included_wh,
            discount_percent: Number(plan.discount_percent),
            id: plan.id,
            name: plan.name,
        }
    }
}

/// A plan to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPlan {
    name: String,
    #[schema(example = "EUR")]
    currency: String,
    /// What a month costs, in whole units of the currency, without tax.
    #[schema(value_type = f64)]
    fee: Decimal,
    /// The tax on that, in percent. Default: 0.
    #[serde(default)]
    #[schema(value_type = f64)]
    tax_percent: Decimal,
    /// The energy that a month includes, in kWh. Default: 0.
    #[serde(default)]
    #[schema(value_type = f64)]
    included_kwh: Decimal,
    /// What is taken off everything else, in percent. Default: 0.
    #[serde(default)]
    #[schema(value_type = f64)]
    discount_percent: Decimal,
}

/// Plans, by name.
#[utoipa::path(get, path = "/api/v1/plans", tag = "invoices", operation_id = "list_plans",
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<PlanView>)))]
pub(super) async fn plans(State(csms): State<Csms>) -> Result<axum::Json<Vec<PlanView>>, Problem> {
    Ok(axum::Json(csms.store().plans().await?.into_iter().map(PlanView::from).collect()))
}

/// Makes a plan. It is not changed after that: make another one.
#[utoipa::path(put, path = "/api/v1/plans/{id}", tag = "invoices", operation_id = "put_plan", request_body = NewPlan,
    security(("bearer" = ["account"])),
    responses((status = 201, body = PlanView), (status = 400, body = Problem), (status = 409, description = "There is one of this id", body = Problem)))]
pub(super) async fn put_plan(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(wanted): Json<NewPlan>,
) -> Result<(StatusCode, axum::Json<PlanView>), Problem> {
    let currency = currency(&wanted.currency)?;
    let percent = |name: &str, value: Decimal| {
        let fits = value >= Decimal::ZERO && value <= Decimal::ONE_HUNDRED;
        if fits { Ok(value) } else { Err(Problem::bad_request(format!("{name} is from 0 to 100"))) }
    };
    let included = wanted.included_kwh * Decimal::ONE_THOUSAND;
    let included_wh = i64::try_from(included).ok().filter(|wh| (0..=1_000_000_000).contains(wh));
    let plan = Plan {
        currency,
        fee: units(wanted.fee, currency)?,
        tax_percent: percent("tax_percent", wanted.tax_percent)?,
        included_wh: included_wh.ok_or_else(|| Problem::bad_request("included_kwh is from 0 to 1000000"))?,
        discount_percent: percent("discount_percent", wanted.discount_percent)?,
        name: wanted.name,
        id,
        retired_at: None,
    };
    if plan.fee < 0 || plan.id.is_empty() || plan.id.len() > 60 || plan.name.is_empty() {
        return Err(Problem::bad_request("a plan has an id of 1 to 60 characters, a name, and a fee of at least 0"));
    }
    if !csms.store().put_plan(&plan, Timestamp::now()).await? {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            format!("there is a plan {:?}: make one of another id", plan.id),
        ));
    }
    csms.audit(&actor, "plan.made", &plan.id, &plan.name).await;
    Ok((StatusCode::CREATED, axum::Json(plan.into())))
}

/// A driver's subscription.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanSubscriptionView {
    id: String,
    driver: String,
    plan: String,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When the next month begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    renews_at: Option<Timestamp>,
}

impl From<PlanSubscription> for PlanSubscriptionView {
    fn from(subscription: PlanSubscription) -> Self {
        Self {
            id: subscription.id,
            driver: subscription.driver,
            plan: subscription.plan,
            started_at: subscription.started_at,
            renews_at: subscription.due_at,
        }
    }
}

/// What to subscribe to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPlanSubscription {
    /// The plan.
    plan: String,
}

/// The subscription of a driver.
#[utoipa::path(get, path = "/api/v1/drivers/{id}/subscription", tag = "invoices", operation_id = "get_driver_subscription",
    security(("bearer" = ["view"])), responses((status = 200, body = PlanSubscriptionView), (status = 404, body = Problem)))]
pub(super) async fn subscription(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<PlanSubscriptionView>, Problem> {
    let known = csms.store().subscription_of(&id).await?;
    Ok(axum::Json(known.ok_or_else(|| Problem::not_found("the driver has no subscription"))?.into()))
}

/// Subscribes a driver. The fee of the first month is taken from the balance at once.
#[utoipa::path(put, path = "/api/v1/drivers/{id}/subscription", tag = "invoices", operation_id = "subscribe_driver", request_body = NewPlanSubscription,
    security(("bearer" = ["account"])),
    responses((status = 200, body = PlanSubscriptionView), (status = 404, body = Problem), (status = 409, description = "There is one, or no such plan", body = Problem)))]
pub(super) async fn subscribe(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(wanted): Json<NewPlanSubscription>,
) -> Result<axum::Json<PlanSubscriptionView>, Problem> {
    csms.store().driver(&id).await?.ok_or_else(|| Problem::not_found(format!("there is no driver {id:?}")))?;
    let subscription = csms.payments().subscribe(&id, &wanted.plan).await?;
    csms.audit(&actor, "driver.subscribed", &id, &wanted.plan).await;
    Ok(axum::Json(subscription.into()))
}

/// Cancels the subscription of a driver: no further month begins.
#[utoipa::path(delete, path = "/api/v1/drivers/{id}/subscription", tag = "invoices", operation_id = "unsubscribe_driver",
    security(("bearer" = ["account"])),
    responses((status = 204, description = "It ends with the month"), (status = 404, body = Problem)))]
pub(super) async fn unsubscribe(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    if !csms.store().cancel_subscription(&id, Timestamp::now()).await? {
        return Err(Problem::not_found("the driver has no subscription"));
    }
    csms.audit(&actor, "driver.unsubscribed", &id, "").await;
    Ok(StatusCode::NO_CONTENT)
}
