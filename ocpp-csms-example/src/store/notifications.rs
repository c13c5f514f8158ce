//! Who is told of what happens, and what they were told.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Row, Store, StoreError, Unit, sql};

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

    /// Keeps a subscription, new or changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_subscription(&self, subscription: &Subscription) -> Result<(), StoreError> {
        let statement = sql(
            "INSERT INTO event_subscriptions (id, target, kinds, station, secret, active, created_at, created_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET target = excluded.target, \
             kinds = excluded.kinds, station = excluded.station, secret = excluded.secret, active = excluded.active",
        )
        .bind(&subscription.id)
        .bind(&subscription.target)
        .bind(subscription.kinds.join(","))
        .bind(&subscription.station)
        .bind(&subscription.secret)
        .bind(subscription.active)
        .bind(subscription.created_at)
        .bind(&subscription.created_by);
        self.execute(statement).await?;
        Ok(())
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

    /// What is due now, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_deliveries(&self, now: Timestamp, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let statement =
            sql("SELECT * FROM deliveries WHERE state = 'pending' AND next_attempt_at <= $1 ORDER BY id LIMIT $2");
        self.fetch_all(statement.bind(now).bind(limit)).await?.iter().map(read_delivery).collect()
    }

    /// When something is due next.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_delivery(&self) -> Result<Option<Timestamp>, StoreError> {
        let statement = sql("SELECT MIN(next_attempt_at) AS at FROM deliveries WHERE state = 'pending'");
        self.fetch_one(statement).await?.optional_moment("at")
    }

    /// An attempt came to this.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_tried(
        &self,
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
        self.execute(statement).await?;
        Ok(())
    }

    /// Forgets what was delivered or given up before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_deliveries(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute(sql("DELETE FROM deliveries WHERE state <> 'pending' AND updated_at < $1").bind(before)).await
    }
}

/// Somebody is to be told.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put_delivery(
    unit: &mut Unit,
    subscription: &str,
    kind: &str,
    body: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = sql("INSERT INTO deliveries (id, subscription, kind, body, state, attempts, next_attempt_at, \
         created_at, updated_at) VALUES ($1, $2, $3, $4, 'pending', 0, $5, $5, $5)")
    .bind(Uuid::now_v7().to_string())
    .bind(subscription)
    .bind(kind)
    .bind(body)
    .bind(now);
    unit.execute(statement).await?;
    Ok(())
}

fn read_subscription(row: &Row) -> Result<Subscription, StoreError> {
    Ok(Subscription {
        id: row.text("id")?,
        target: row.text("target")?,
        kinds: row.text("kinds")?.split(',').map(str::to_owned).collect(),
        station: row.optional_text("station")?,
        secret: row.text("secret")?,
        active: row.flag("active")?,
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
