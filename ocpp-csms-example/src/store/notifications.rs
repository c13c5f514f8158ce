//! Who is told of what happens, and what they were told.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Row, Rows, Store, StoreError, Target, Unit, sql};

const DELIVERIES: Target = Target {
    into: "INSERT INTO deliveries (id, subscription, kind, body, state, attempts, next_attempt_at, created_at, updated_at)",
    columns: 9,
    otherwise: "",
};

/// Somebody who is told of what happens.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its name.
    pub id: String,
    /// Where to: `https://…` or `mailto:…`.
    pub target: String,
    /// The kinds of events; one that ends in `*` stands for all that begin so.
    pub kinds: Vec<String>,
    /// Only those of this station.
    pub station: Option<String>,
    /// What a webhook is signed with.
    pub secret: String,
    /// Whether it is told anything at present.
    pub active: bool,
    /// How often in a row it could not be told.
    pub failures: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("id", &self.id).field("target", &self.target).finish_non_exhaustive()
    }
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried, again and again.
    Pending,
    /// It was taken.
    Delivered,
    /// It was not taken for too long.
    GivenUp,
}

impl DeliveryState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }
}

impl FromStr for DeliveryState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Pending, Self::Delivered, Self::GivenUp].into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// Something that somebody is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its name; the same at each attempt.
    pub id: String,
    /// Who is told.
    pub subscription: String,
    /// The kind of event.
    pub kind: String,
    /// The event, JSON.
    pub body: String,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    pub next_attempt_at: Timestamp,
    /// What came of the last attempt.
    pub last_answer: Option<String>,
    /// When it happened.
    pub created_at: Timestamp,
    /// When it was tried last.
    pub updated_at: Timestamp,
}

impl Store {
    /// All subscriptions, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, StoreError> {
        self.fetch_all(sql("SELECT * FROM event_subscriptions ORDER BY id"))
            .await?
            .iter()
            .map(read_subscription)
            .collect()
    }

    /// Removes a subscription with what it was to be told. False when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_subscription(&self, id: &str) -> Result<bool, StoreError> {
        let mut unit = self.unit().await?;
        unit.execute(sql("DELETE FROM deliveries WHERE subscription = $1").bind(id)).await?;
        let removed = unit.execute(sql("DELETE FROM event_subscriptions WHERE id = $1").bind(id)).await?;
        unit.commit().await?;
        Ok(removed > 0)
    }

    /// At most `limit` deliveries of a subscription, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(&self, subscription: &str, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let statement = sql("SELECT * FROM deliveries WHERE subscription = $1 ORDER BY id DESC LIMIT $2");
        let rows = self.fetch_all(statement.bind(subscription).bind(limit)).await?;
        rows.iter().map(read_delivery).collect()
    }

    /// What is due now, what was tried least first, and of that the oldest, at most `limit`. Who is switched off is told nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_deliveries(&self, now: Timestamp, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let statement =
            sql("SELECT * FROM deliveries WHERE state = 'pending' AND next_attempt_at <= $1 AND subscription IN \
                 (SELECT id FROM event_subscriptions WHERE active = 1) ORDER BY attempts, id LIMIT $2");
        self.fetch_all(statement.bind(now).bind(limit)).await?.iter().map(read_delivery).collect()
    }

    /// When something is due next.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_delivery(&self) -> Result<Option<Timestamp>, StoreError> {
        let statement =
            sql("SELECT MIN(next_attempt_at) AS at FROM deliveries WHERE state = 'pending' AND subscription IN \
                             (SELECT id FROM event_subscriptions WHERE active = 1)");
        self.fetch_one(statement).await?.optional_moment("at")
    }

    /// Somebody could be told: what went wrong before does not count any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscription_reached(&self, id: &str) -> Result<(), StoreError> {
        self.execute(sql("UPDATE event_subscriptions SET failures = 0 WHERE id = $1 AND failures <> 0").bind(id))
            .await?;
        Ok(())
    }

    /// Nothing that waits for somebody is tried before `until`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone_deliveries(&self, subscription: &str, until: Timestamp) -> Result<(), StoreError> {
        let statement =
            sql("UPDATE deliveries SET next_attempt_at = $2 WHERE subscription = $1 AND state = 'pending' \
                             AND next_attempt_at < $2");
        self.execute(statement.bind(subscription).bind(until)).await?;
        Ok(())
    }

    /// Forgets what was delivered or given up before, and what was for somebody who is not told anything any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_deliveries(&self, before: Timestamp) -> Result<u64, StoreError> {
        let statement = sql("DELETE FROM deliveries WHERE (state <> 'pending' AND updated_at < $1) \
                             OR subscription NOT IN (SELECT id FROM event_subscriptions)");
        self.execute(statement.bind(before)).await
    }
}

/// Keeps a subscription, new or changed. Who is switched on again has not failed yet.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put_subscription(unit: &mut Unit, subscription: &Subscription) -> Result<(), StoreError> {
    let statement = sql(
        "INSERT INTO event_subscriptions (id, target, kinds, station, secret, active, created_at, created_by, failures) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET target = excluded.target, \
         kinds = excluded.kinds, station = excluded.station, secret = excluded.secret, active = excluded.active, \
         failures = CASE WHEN excluded.active > event_subscriptions.active THEN 0 ELSE event_subscriptions.failures END",
    )
    .bind(&subscription.id)
    .bind(&subscription.target)
    .bind(subscription.kinds.join(","))
    .bind(&subscription.station)
    .bind(&subscription.secret)
    .bind(subscription.active)
    .bind(subscription.created_at)
    .bind(&subscription.created_by)
    .bind(subscription.failures);
    unit.execute(statement).await?;
    Ok(())
}

/// An attempt came to this.
///
/// # Errors
/// When the database fails.
pub(crate) async fn delivery_tried(
    unit: &mut Unit,
    id: &str,
    state: DeliveryState,
    answer: &str,
    next: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = sql("UPDATE deliveries SET state = $2, attempts = attempts + 1, last_answer = $3, \
         next_attempt_at = $4, updated_at = $5 WHERE id = $1")
    .bind(id)
    .bind(state.as_str())
    .bind(answer)
    .bind(next)
    .bind(now);
    unit.execute(statement).await?;
    Ok(())
}

/// Somebody could not be told once more: how often in a row now. At `most` they are switched off.
///
/// # Errors
/// When the database fails.
pub(crate) async fn subscription_failed(unit: &mut Unit, id: &str, most: i64) -> Result<Option<i64>, StoreError> {
    let statement = sql("UPDATE event_subscriptions SET failures = failures + 1, \
         active = CASE WHEN failures + 1 >= $2 THEN 0 ELSE active END WHERE id = $1 AND active = 1 RETURNING failures");
    let row = unit.fetch_optional(statement.bind(id).bind(most)).await?;
    row.map(|row| row.integer("failures")).transpose()
}

/// Somebody is to be told.
pub(crate) fn put_delivery(unit: &mut Unit, subscription: &str, kind: &str, body: &str, now: Timestamp) {
    let mut rows = Rows::new(DELIVERIES);
    rows.push([
        Uuid::now_v7().to_string().into(),
        subscription.into(),
        kind.into(),
        body.into(),
        "pending".into(),
        0_i64.into(),
        now.into(),
        now.into(),
        now.into(),
    ]);
    unit.keep(rows);
}

fn read_subscription(row: &Row) -> Result<Subscription, StoreError> {
    Ok(Subscription {
        id: row.text("id")?,
        target: row.text("target")?,
        kinds: row.text("kinds")?.split(',').map(str::to_owned).collect(),
        station: row.optional_text("station")?,
        secret: row.text("secret")?,
        active: row.flag("active")?,
        failures: row.integer("failures")?,
        created_at: row.moment("created_at")?,
        created_by: row.text("created_by")?,
    })
}

fn read_delivery(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.text("id")?,
        subscription: row.text("subscription")?,
        kind: row.text("kind")?,
        body: row.text("body")?,
        state: row.parsed("state")?,
        attempts: row.integer("attempts")?,
        next_attempt_at: row.moment("next_attempt_at")?,
        last_answer: row.optional_text("last_answer")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}
