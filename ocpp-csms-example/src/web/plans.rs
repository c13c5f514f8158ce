//! Plans that drivers subscribe to.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use iso_currency::Currency;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;

use super::told::Told as _;
use super::{Fields, Flash, Page, format};
use crate::access::Actor;
use crate::server::Csms;
use crate::store::{Plan, StoreError};
use crate::tariffs::minor_units;

/// The most energy that a month includes, in kWh.
const MOST_KWH: i64 = 1_000_000;

#[derive(Template)]
#[template(path = "plans.html")]
struct Plans {
    page: Page,
    plans: Vec<(Plan, String, String)>,
    fields: Fields,
}

/// The plans with their fee and their energy as people read them.
async fn known(csms: &Csms) -> Result<Vec<(Plan, String, String)>, StoreError> {
    let plans = csms.store().plans().await?;
    let row = |plan: Plan| {
        let fee = format::money(plan.fee, plan.currency);
        let energy = (Decimal::from(plan.included_wh) / Decimal::ONE_THOUSAND).normalize().to_string();
        (plan, fee, energy)
    };
    Ok(plans.into_iter().map(row).collect())
}

async fn answer(csms: &Csms, page: Page, fields: Fields) -> Response {
    let fine = fields.fine();
    match known(csms).await {
        Ok(plans) => {
            let view = Plans { page: page.clone(), plans, fields };
            if fine { page.show(&view) } else { page.refuse(&view) }
        }
        Err(error) => page.broken(&error),
    }
}

pub(super) async fn list(page: Page, State(csms): State<Csms>) -> Response {
    let fields = Fields::default()
        .with("currency", csms.tariffs().standard().tariff.currency().code())
        .with("tax_percent", 0)
        .with("included_kwh", 0)
        .with("discount_percent", 0);
    answer(&csms, page, fields).await
}

/// What the form says, as a plan.
fn plan_of(page: &Page, fields: &mut Fields) -> Option<Plan> {
    let id = fields.text("id", 60, page.t("money.error_id"));
    let is_id = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !id.chars().all(is_id) {
        fields.fail("id", page.t("money.error_id"));
    }
    let name = fields.text("name", 60, page.t("errors.tariff_name"));
    let amount = page.t("money.error_amount");
    let currency = Currency::from_code(&fields.get("currency").to_uppercase());
    if currency.is_none() {
        fields.fail("currency", page.t("money.currency_hint"));
    }
    let fee = fields.parsed::<Decimal>("fee", amount).filter(|fee| *fee >= Decimal::ZERO);
    let fee = fee.zip(currency).and_then(|(fee, currency)| minor_units(fee, currency).ok());
    if fee.is_none() {
        fields.fail("fee", amount);
    }
    let mut percent = |name: &'static str| {
        let value = fields.parsed::<Decimal>(name, amount).unwrap_or_default();
        if value < Decimal::ZERO || value > Decimal::ONE_HUNDRED {
            fields.fail(name, page.t("money.error_percent"));
        }
        value
    };
    let (tax_percent, discount_percent) = (percent("tax_percent"), percent("discount_percent"));
    let included = fields.parsed::<Decimal>("included_kwh", amount).unwrap_or_default();
    if included < Decimal::ZERO || included > Decimal::from(MOST_KWH) {
        fields.fail("included_kwh", amount);
    }
    let included_wh = included.checked_mul(Decimal::ONE_THOUSAND).and_then(|wh| i64::try_from(wh.trunc()).ok());
    let plan = Plan {
        id,
        name,
        currency: currency?,
        fee: fee?,
        tax_percent,
        included_wh: included_wh?,
        discount_percent,
        retired_at: None,
    };
    Some(plan).filter(|_| fields.fine())
}

/// Makes a plan. It is not changed after that, because drivers have it.
pub(super) async fn make(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    if let Some(plan) = plan_of(&page, &mut fields) {
        match csms.store().put_plan(&plan, Timestamp::now()).await {
            Ok(true) => {
                csms.audit(&actor, "plan.created", &plan.id, &plan.name).await;
                return Flash::good(page.with("money.plan_made", "plan", &plan.name)).at("/plans");
            }
            Ok(false) => fields.fail("id", page.t("money.plan_exists")),
            Err(error) => fields.fail("id", error.told(&page)),
        }
    }
    answer(&csms, page, fields).await
}

/// Subscribes a driver to a plan, or ends the subscription.
pub(super) async fn subscribe(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let here = format!("/drivers/{}", utf8_percent_encode(&id, NON_ALPHANUMERIC));
    match csms.store().driver(&id).await {
        Ok(Some(_)) => {}
        Ok(None) => return Flash::bad(page.t("people.unknown_driver")).at("/drivers"),
        Err(error) => return page.broken(&error),
    }
    if fields.is("do", "cancel") {
        return match csms.store().cancel_subscription(&id, Timestamp::now()).await {
            Ok(_) => {
                csms.audit(&actor, "driver.unsubscribed", &id, "").await;
                Flash::good(page.t("money.unsubscribed")).at(&here)
            }
            Err(error) => Flash::bad(error.told(&page)).at(&here),
        };
    }
    let plan = fields.get("plan");
    match csms.payments().subscribe(&id, plan).await {
        Ok(_) => {
            csms.audit(&actor, "driver.subscribed", &id, plan).await;
            Flash::good(page.t("money.subscribed")).at(&here)
        }
        Err(error) => Flash::bad(error.told(&page)).at(&here),
    }
}
