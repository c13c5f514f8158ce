//! Subscriptions: plans, who has which, and what is used of each month.

use iso_currency::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{Row, Store, StoreError, Unit, sql};

/// What can be subscribed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The currency.
    pub currency: Currency,
    /// What a month costs without tax, in minor units.
    pub fee: i64,
    /// The tax on that.
    pub tax_percent: Decimal,
    /// The energy that a month includes, in Wh.
    pub included_wh: i64,
    /// What is taken off everything else, in percent.
    pub discount_percent: Decimal,
    /// When it was taken out of use.
    pub retired_at: Option<Timestamp>,
}

/// A driver's subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSubscription {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub driver: String,
    /// To what.
    pub plan: String,
    /// Since when.
    pub started_at: Timestamp,
    /// Until when, if it was cancelled.
    pub ends_at: Option<Timestamp>,
    /// When the next month begins.
    pub due_at: Option<Timestamp>,
}

/// What the subscription of a driver takes off a session now, in kWh and percent; the energy is used up by that.
pub(crate) async fn use_up(
    unit: &mut Unit,
    driver: &str,
    currency: Currency,
    energy_kwh: Decimal,
    now: Timestamp,
) -> Result<(Decimal, Decimal), StoreError> {
    let select = "SELECT m.subscription AS subscription, m.number AS number, m.used_wh AS used_wh, p.included_wh AS included_wh, \
         p.discount_percent AS discount_percent FROM plan_subscriptions s JOIN plans p ON p.id = s.plan \
         JOIN subscription_months m ON m.subscription = s.id \
         WHERE s.driver = $1 AND p.currency = $2 AND m.from_at <= $3 AND m.to_at > $3 ORDER BY s.started_at DESC LIMIT 1";
    let Some(row) = unit.fetch_optional(sql(select).bind(driver).bind(currency.code()).bind(now)).await? else {
        return Ok((Decimal::ZERO, Decimal::ZERO));
    };
    let left = (row.integer("included_wh")? - row.integer("used_wh")?).max(0);
    let taken: i64 = (energy_kwh * Decimal::ONE_THOUSAND).ceil().try_into().unwrap_or(i64::MAX);
    let used = left.min(taken);
    if used > 0 {
        let update =
            sql("UPDATE subscription_months SET used_wh = used_wh + $3 WHERE subscription = $1 AND number = $2");
        unit.execute(update.bind(row.text("subscription")?).bind(row.integer("number")?).bind(used)).await?;
    }
    Ok((Decimal::from(used) / Decimal::ONE_THOUSAND, row.parsed("discount_percent")?))
}

/// A month of a subscription is charged. False where it was before.
pub(crate) async fn put_month(
    unit: &mut Unit,
    subscription: &str,
    number: i64,
    (from, to): (Timestamp, Timestamp),
    (net, tax): (i64, i64),
) -> Result<bool, StoreError> {
    let insert = "INSERT INTO subscription_months (subscription, number, from_at, to_at, used_wh, net, tax, invoice) \
         VALUES ($1, $2, $3, $4, 0, $5, $6, NULL) ON CONFLICT DO NOTHING";
    let insert = sql(insert).bind(subscription).bind(number).bind(from).bind(to).bind(net).bind(tax);
    Ok(unit.execute(insert).await? > 0)
}

/// How many months of a subscription were charged.
pub(crate) async fn months(unit: &mut Unit, subscription: &str) -> Result<i64, StoreError> {
    let select = sql("SELECT CAST(COUNT(*) AS BIGINT) AS months FROM subscription_months WHERE subscription = $1");
    unit.fetch_optional(select.bind(subscription)).await?.map_or(Ok(0), |row| row.integer("months"))
}

/// Keeps when the next month of a subscription begins.
pub(crate) async fn change_subscription(unit: &mut Unit, subscription: &PlanSubscription) -> Result<(), StoreError> {
    let update = sql("UPDATE plan_subscriptions SET ends_at = $2, due_at = $3 WHERE id = $1");
    unit.execute(update.bind(&subscription.id).bind(subscription.ends_at).bind(subscription.due_at)).await?;
    Ok(())
}

impl Store {
    /// What can be subscribed to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plans(&self) -> Result<Vec<Plan>, StoreError> {
        self.fetch_all(sql("SELECT * FROM plans ORDER BY name, id")).await?.iter().map(read_plan).collect()
    }

    /// One plan.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plan(&self, id: &str) -> Result<Option<Plan>, StoreError> {
        let select = sql("SELECT * FROM plans WHERE id = $1").bind(id);
        self.fetch_optional(select).await?.as_ref().map(read_plan).transpose()
    }

    /// Keeps a new plan. False where there is one of this id: what somebody subscribed to is not changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_plan(&self, plan: &Plan, now: Timestamp) -> Result<bool, StoreError> {
        let insert = "INSERT INTO plans (id, name, currency, fee, tax_percent, included_wh, discount_percent, retired_at, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $8) ON CONFLICT DO NOTHING";
        let insert = sql(insert)
            .bind(&plan.id)
            .bind(&plan.name)
            .bind(plan.currency.code())
            .bind(plan.fee)
            .bind(plan.tax_percent)
            .bind(plan.included_wh)
            .bind(plan.discount_percent)
            .bind(now);
        Ok(self.execute(insert).await? > 0)
    }

    /// Keeps a new subscription. False where the driver has one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_plan_subscription(&self, subscription: &PlanSubscription) -> Result<bool, StoreError> {
        let insert = "INSERT INTO plan_subscriptions (id, driver, plan, started_at, ends_at, due_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        let insert = sql(insert)
            .bind(&subscription.id)
            .bind(&subscription.driver)
            .bind(&subscription.plan)
            .bind(subscription.started_at)
            .bind(subscription.ends_at)
            .bind(subscription.due_at);
        Ok(self.execute(insert).await? > 0)
    }

    /// The subscription of a driver that was not cancelled.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscription_of(&self, driver: &str) -> Result<Option<PlanSubscription>, StoreError> {
        let select = sql("SELECT * FROM plan_subscriptions WHERE driver = $1 AND ends_at IS NULL").bind(driver);
        self.fetch_optional(select).await?.as_ref().map(read).transpose()
    }

    /// A driver cancels: no further month begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_subscription(&self, driver: &str, now: Timestamp) -> Result<bool, StoreError> {
        let update = "UPDATE plan_subscriptions SET ends_at = COALESCE(due_at, $2), due_at = NULL WHERE driver = $1 AND ends_at IS NULL";
        Ok(self.execute(sql(update).bind(driver).bind(now)).await? > 0)
    }

    pub(crate) async fn subscriptions_due(&self, now: Timestamp) -> Result<Vec<PlanSubscription>, StoreError> {
        let select = sql("SELECT * FROM plan_subscriptions WHERE due_at <= $1 ORDER BY due_at LIMIT 100").bind(now);
        self.fetch_all(select).await?.iter().map(read).collect()
    }
}

fn read_plan(row: &Row) -> Result<Plan, StoreError> {
    Ok(Plan {
        id: row.text("id")?,
        name: row.text("name")?,
        currency: row.parsed("currency")?,
        fee: row.integer("fee")?,
        tax_percent: row.parsed("tax_percent")?,
        included_wh: row.integer("included_wh")?,
        discount_percent: row.parsed("discount_percent")?,
        retired_at: row.optional_moment("retired_at")?,
    })
}

fn read(row: &Row) -> Result<PlanSubscription, StoreError> {
    Ok(PlanSubscription {
        id: row.text("id")?,
        driver: row.text("driver")?,
        plan: row.text("plan")?,
        started_at: row.moment("started_at")?,
        ends_at: row.optional_moment("ends_at")?,
        due_at: row.optional_moment("due_at")?,
    })
}
