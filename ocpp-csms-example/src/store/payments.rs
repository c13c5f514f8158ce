//! Payments through providers, and what is paid back.

use iso_currency::Currency;
use jiff::Timestamp;

use super::conditions::Conditions;
use super::{Row, Statement, Store, StoreError, Unit, sql};
use crate::ledger::Payer;

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id, which makes it happen once at the provider.
    pub id: String,
    /// Through whom.
    pub provider: String,
    /// Who pays.
    pub payer: Payer,
    /// The prepaid session that it is for.
    pub session: Option<String>,
    /// How much, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// What the provider needs to know of the payer.
    pub method: Option<String>,
    /// How it stands.
    pub state: PaymentState,
    /// What the payer has to do: JSON of [`Action`](crate::payments::Action).
    pub action: Option<String>,
    /// Where the provider only keeps the money ready: whether it was taken.
    pub capture: Capture,
    /// What is taken of that, as soon as it is decided.
    pub captured: Option<i64>,
    /// How it goes at the provider.
    pub progress: Progress,
}

impl Payment {
    /// What was paid, or will be at last, in minor units: what can be paid back.
    #[must_use]
    pub fn paid(&self) -> i64 {
        match self.state {
            PaymentState::Confirmed => self.captured.unwrap_or(self.amount),
            _ => 0,
        }
    }

    /// What the provider is still to let go of.
    #[must_use]
    pub fn letting_go(&self) -> i64 {
        match self.capture {
            Capture::Due => self.amount - self.paid(),
            _ => 0,
        }
    }
}

/// How something goes that a provider is asked for: again and again, until it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What the provider calls it.
    pub reference: Option<String>,
    /// Why it was not done.
    pub failure: Option<String>,
    /// What was tried of the present step.
    pub attempts: i64,
    /// When it is looked after next.
    pub due_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed.
    pub updated_at: Timestamp,
}

impl Progress {
    /// Nothing was done yet, and it is due at once.
    #[must_use]
    pub fn begun(now: Timestamp) -> Self {
        Self { reference: None, failure: None, attempts: 0, due_at: Some(now), created_at: now, updated_at: now }
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            reference: row.optional_text("provider_reference")?,
            failure: row.optional_text("failure")?,
            attempts: row.integer("attempts")?,
            due_at: row.optional_moment("due_at")?,
            created_at: row.moment("created_at")?,
            updated_at: row.moment("updated_at")?,
        })
    }

    /// Binds what changes of it, in the order `provider_reference, failure, attempts, due_at, updated_at`.
    fn bind(&self, statement: Statement) -> Statement {
        let statement = statement.bind(&self.reference).bind(&self.failure).bind(self.attempts);
        statement.bind(self.due_at).bind(self.updated_at)
    }
}

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// As it's kept.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                match text { $($text => Ok(Self::$variant),)* _ => Err(()) }
            }
        }
    };
}

states! {
    /// How a payment stands.
    PaymentState {
        /// The provider was not asked yet, or has not answered.
        Created = "created",
        /// The provider was asked; the payer has not paid yet.
        Requested = "requested",
        /// It is paid.
        Confirmed = "confirmed",
        /// It was refused.
        Declined = "declined",
        /// Nobody paid in time. What is paid nevertheless counts.
        Expired = "expired",
    }
}

states! {
    /// What becomes of money that a provider only keeps ready.
    Capture {
        /// It keeps none ready: what is confirmed is paid.
        None = "none",
        /// It is kept ready until the session is over.
        Open = "open",
        /// The session is over: a part of it is to be taken, and the rest let go.
        Due = "due",
        /// That is done.
        Done = "done",
        /// It cannot be taken any more: the payer owes it.
        Failed = "failed",
    }
}

states! {
    /// How a refund stands.
    RefundState {
        /// The provider was not asked yet, or has not answered.
        Created = "created",
        /// The provider was asked, and has not paid yet.
        Requested = "requested",
        /// It is paid back.
        Done = "done",
        /// The provider refused: an operator has to look after it.
        Failed = "failed",
    }
}

/// A part of a payment that goes back through the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRefund {
    /// Its id, which makes it happen once at the provider.
    pub id: String,
    /// Of which payment.
    pub payment: String,
    /// How much, in minor units.
    pub amount: i64,
    /// Why.
    pub reason: String,
    /// How it stands.
    pub state: RefundState,
    /// How it goes at the provider.
    pub progress: Progress,
}

/// Keeps a new payment.
pub(crate) async fn put_payment(unit: &mut Unit, payment: &Payment) -> Result<(), StoreError> {
    let insert = "INSERT INTO payments (id, provider, payer, session, amount, currency, method, state, action, capture, captured, \
         provider_reference, failure, attempts, due_at, updated_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    let insert = sql(insert)
        .bind(&payment.id)
        .bind(&payment.provider)
        .bind(payment.payer.to_string())
        .bind(&payment.session)
        .bind(payment.amount)
        .bind(payment.currency.code())
        .bind(&payment.method)
        .bind(payment.state.as_str())
        .bind(&payment.action)
        .bind(payment.capture.as_str())
        .bind(payment.captured);
    unit.execute(payment.progress.bind(insert).bind(payment.progress.created_at)).await?;
    Ok(())
}

/// Keeps a change of a payment.
pub(crate) async fn change_payment(unit: &mut Unit, payment: &Payment) -> Result<(), StoreError> {
    let update = "UPDATE payments SET state = $2, action = $3, amount = $4, capture = $5, captured = $6, \
         provider_reference = $7, failure = $8, attempts = $9, due_at = $10, updated_at = $11 WHERE id = $1";
    let update = sql(update)
        .bind(&payment.id)
        .bind(payment.state.as_str())
        .bind(&payment.action)
        .bind(payment.amount)
        .bind(payment.capture.as_str())
        .bind(payment.captured);
    unit.execute(payment.progress.bind(update)).await?;
    Ok(())
}

fn select_payment(id: &str) -> Statement {
    sql("SELECT * FROM payments WHERE id = $1").bind(id)
}

/// One payment.
pub(crate) async fn payment(unit: &mut Unit, id: &str) -> Result<Option<Payment>, StoreError> {
    unit.fetch_optional(select_payment(id)).await?.as_ref().map(read).transpose()
}

/// The payments of a payer that were confirmed, the newest first.
pub(crate) async fn confirmed_payments(unit: &mut Unit, payer: &Payer) -> Result<Vec<Payment>, StoreError> {
    let select = sql("SELECT * FROM payments WHERE payer = $1 AND state = 'confirmed' ORDER BY created_at DESC");
    unit.fetch_all(select.bind(payer.to_string())).await?.iter().map(read).collect()
}

/// What was paid back of a payment, or is going to be; the second is what is under way.
pub(crate) async fn refunded(unit: &mut Unit, payment: &str) -> Result<(i64, i64), StoreError> {
    let select = "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS amount, \
         CAST(COALESCE(SUM(CASE WHEN state = 'done' THEN 0 ELSE amount END), 0) AS BIGINT) AS pending \
         FROM payment_refunds WHERE payment = $1 AND state <> 'failed'";
    match unit.fetch_optional(sql(select).bind(payment)).await? {
        Some(row) => Ok((row.integer("amount")?, row.integer("pending")?)),
        None => Ok((0, 0)),
    }
}

/// Keeps a new refund.
pub(crate) async fn put_refund(unit: &mut Unit, refund: &PaymentRefund) -> Result<(), StoreError> {
    let insert = "INSERT INTO payment_refunds (id, payment, amount, reason, state, \
         provider_reference, failure, attempts, due_at, updated_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let insert = sql(insert)
        .bind(&refund.id)
        .bind(&refund.payment)
        .bind(refund.amount)
        .bind(&refund.reason)
        .bind(refund.state.as_str());
    unit.execute(refund.progress.bind(insert).bind(refund.progress.created_at)).await?;
    Ok(())
}

/// Keeps a change of a refund.
pub(crate) async fn change_refund(unit: &mut Unit, refund: &PaymentRefund) -> Result<(), StoreError> {
    let update = "UPDATE payment_refunds SET state = $2, \
         provider_reference = $3, failure = $4, attempts = $5, due_at = $6, updated_at = $7 WHERE id = $1";
    let update = sql(update).bind(&refund.id).bind(refund.state.as_str());
    unit.execute(refund.progress.bind(update)).await?;
    Ok(())
}

/// One refund.
pub(crate) async fn refund(unit: &mut Unit, id: &str) -> Result<Option<PaymentRefund>, StoreError> {
    let select = sql("SELECT * FROM payment_refunds WHERE id = $1").bind(id);
    unit.fetch_optional(select).await?.as_ref().map(read_refund).transpose()
}

/// Notes what a provider has told. False where it was told before.
pub(crate) async fn note_notification(
    unit: &mut Unit,
    provider: &str,
    id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let insert =
        "INSERT INTO provider_notifications (provider, id, received_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    Ok(unit.execute(sql(insert).bind(provider).bind(id).bind(now)).await? > 0)
}

impl Store {
    /// One payment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payment(&self, id: &str) -> Result<Option<Payment>, StoreError> {
        self.fetch_optional(select_payment(id)).await?.as_ref().map(read).transpose()
    }

    /// The payment of a provider's name.
    pub(crate) async fn payment_of_provider(
        &self,
        provider: &str,
        reference: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let select = sql("SELECT * FROM payments WHERE provider = $1 AND (provider_reference = $2 OR id = $2)");
        self.fetch_optional(select.bind(provider).bind(reference)).await?.as_ref().map(read).transpose()
    }

    /// The payment for a prepaid session, the newest one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payment_for(&self, session: &str) -> Result<Option<Payment>, StoreError> {
        let select = sql("SELECT * FROM payments WHERE session = $1 ORDER BY created_at DESC LIMIT 1").bind(session);
        self.fetch_optional(select).await?.as_ref().map(read).transpose()
    }

    /// Payments that were made before a moment, the newest first; those of one payer, or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payments(
        &self,
        payer: Option<&Payer>,
        before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<Payment>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.with("payer =", payer.map(Payer::to_string));
        conditions.with("created_at <", before);
        let select = conditions.select("SELECT * FROM payments", "created_at DESC, id DESC", limit);
        self.fetch_all(select).await?.iter().map(read).collect()
    }

    /// The refunds of a payment, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refunds(&self, payment: &str) -> Result<Vec<PaymentRefund>, StoreError> {
        let select = sql("SELECT * FROM payment_refunds WHERE payment = $1 ORDER BY created_at, id").bind(payment);
        self.fetch_all(select).await?.iter().map(read_refund).collect()
    }

    pub(crate) async fn payments_due(&self, now: Timestamp) -> Result<Vec<Payment>, StoreError> {
        let select = sql("SELECT * FROM payments WHERE due_at <= $1 ORDER BY due_at LIMIT 100").bind(now);
        self.fetch_all(select).await?.iter().map(read).collect()
    }

    pub(crate) async fn refunds_due(&self, now: Timestamp) -> Result<Vec<PaymentRefund>, StoreError> {
        let select = sql("SELECT * FROM payment_refunds WHERE due_at <= $1 ORDER BY due_at LIMIT 100").bind(now);
        self.fetch_all(select).await?.iter().map(read_refund).collect()
    }
}

fn read(row: &Row) -> Result<Payment, StoreError> {
    Ok(Payment {
        id: row.text("id")?,
        provider: row.text("provider")?,
        payer: row.parsed("payer")?,
        session: row.optional_text("session")?,
        amount: row.integer("amount")?,
        currency: row.parsed("currency")?,
        method: row.optional_text("method")?,
        state: row.parsed("state")?,
        action: row.optional_text("action")?,
        capture: row.parsed("capture")?,
        captured: row.optional_integer("captured")?,
        progress: Progress::read(row)?,
    })
}

fn read_refund(row: &Row) -> Result<PaymentRefund, StoreError> {
    Ok(PaymentRefund {
        id: row.text("id")?,
        payment: row.text("payment")?,
        amount: row.integer("amount")?,
        reason: row.text("reason")?,
        state: row.parsed("state")?,
        progress: Progress::read(row)?,
    })
}
