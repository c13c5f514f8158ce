//! Prepaid sessions: where each one stands.

use iso_currency::Currency;
use jiff::Timestamp;

use super::{Row, Statement, Store, StoreError, Unit, sql};
use crate::ledger::Payer;
use crate::payments::Prepaid;

/// A session that is paid before it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct PrepaidSession {
    /// Its id.
    pub id: String,
    /// Who pays.
    pub payer: Payer,
    /// Where.
    pub station: String,
    /// At which EVSE; `None` lets the station choose.
    pub evse: Option<i64>,
    /// The token that the station is told to start with.
    pub token: String,
    /// The number by which the station tells what came of it.
    pub remote_start_id: i64,
    /// The currency.
    pub currency: Currency,
    /// What is to be set aside, in minor units.
    pub amount: i64,
    /// How far it has come.
    pub stage: SessionStage,
    /// The money, as soon as some is set aside.
    pub state: Option<Prepaid>,
    /// Which state of it this is.
    pub(crate) revision: i64,
    /// The transaction, as soon as it is known.
    pub transaction: Option<String>,
    /// Why it did not start.
    pub failure: Option<String>,
    /// What was tried of the present step.
    pub attempts: i64,
    /// When it is looked after next.
    pub due_at: Option<Timestamp>,
    /// Until when it has to have started.
    pub give_up_at: Option<Timestamp>,
    /// Until when the station has told of it, by its clock, and when that was heard here: what it costs is counted on from there.
    pub clock: Option<Clock>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed.
    pub updated_at: Timestamp,
}

/// The same moment by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// By the station's.
    pub told_at: Timestamp,
    /// By this server's.
    pub heard_at: Timestamp,
}

impl Clock {
    /// What the station's clock shows at a moment of this server's.
    #[must_use]
    pub fn at_station(self, now: Timestamp) -> Timestamp {
        self.told_at.checked_add(now.duration_since(self.heard_at)).unwrap_or(self.told_at)
    }

    /// What this server's clock shows at a moment of the station's.
    #[must_use]
    pub fn here(self, moment: Timestamp) -> Timestamp {
        self.heard_at.checked_add(moment.duration_since(self.told_at)).unwrap_or(self.heard_at)
    }
}

/// How far a prepaid session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStage {
    /// The provider has not confirmed the payment.
    Unpaid,
    /// The money is set aside; the station is told to start.
    Held,
    /// It charges.
    Running,
    /// It never started, and the money is back.
    Released,
    /// It is over and paid.
    Settled,
    /// It was never paid.
    Abandoned,
}

impl SessionStage {
    const ALL: [Self; 6] = [Self::Unpaid, Self::Held, Self::Running, Self::Released, Self::Settled, Self::Abandoned];

    /// As it's kept.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Held => "held",
            Self::Running => "running",
            Self::Released => "released",
            Self::Settled => "settled",
            Self::Abandoned => "abandoned",
        }
    }
}

impl std::str::FromStr for SessionStage {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or(())
    }
}

fn state(session: &PrepaidSession) -> Result<Option<String>, StoreError> {
    let text = session.state.as_ref().map(serde_json::to_string).transpose();
    text.map_err(|error| StoreError::Content { what: "the state of a prepaid session", value: error.to_string() })
}

/// Keeps a new one.
pub(crate) async fn put_prepaid(unit: &mut Unit, session: &PrepaidSession) -> Result<(), StoreError> {
    let insert = "INSERT INTO prepaid_sessions (id, payer, station, evse, token, remote_start_id, currency, amount, stage, state, \
         revision, transaction_id, failure, attempts, due_at, give_up_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13, $14, $15, $16, $17)";
    let insert = sql(insert)
        .bind(&session.id)
        .bind(session.payer.to_string())
        .bind(&session.station)
        .bind(session.evse)
        .bind(&session.token)
        .bind(session.remote_start_id)
        .bind(session.currency.code())
        .bind(session.amount)
        .bind(session.stage.as_str())
        .bind(state(session)?)
        .bind(&session.transaction)
        .bind(&session.failure)
        .bind(session.attempts)
        .bind(session.due_at)
        .bind(session.give_up_at)
        .bind(session.created_at)
        .bind(session.updated_at);
    unit.execute(insert).await?;
    Ok(())
}

/// Keeps a change.
///
/// # Errors
/// When somebody else has changed it since it was read: then nothing is kept, and it is done again.
pub(crate) async fn change_prepaid(unit: &mut Unit, session: &PrepaidSession) -> Result<(), StoreError> {
    let update = "UPDATE prepaid_sessions SET stage = $3, state = $4, revision = revision + 1, transaction_id = $5, failure = $6, \
         attempts = $7, due_at = $8, give_up_at = $9, updated_at = $10, told_at = $11, heard_at = $12 \
         WHERE id = $1 AND revision = $2";
    let update = sql(update)
        .bind(&session.id)
        .bind(session.revision)
        .bind(session.stage.as_str())
        .bind(state(session)?)
        .bind(&session.transaction)
        .bind(&session.failure)
        .bind(session.attempts)
        .bind(session.due_at)
        .bind(session.give_up_at)
        .bind(session.updated_at)
        .bind(session.clock.map(|clock| clock.told_at))
        .bind(session.clock.map(|clock| clock.heard_at));
    if unit.execute(update).await? == 0 {
        return Err(StoreError::NotKept("a prepaid session changed at the same moment".into()));
    }
    Ok(())
}

async fn one(unit: &mut Unit, select: Statement) -> Result<Option<PrepaidSession>, StoreError> {
    unit.fetch_optional(select).await?.as_ref().map(read).transpose()
}

/// One prepaid session.
pub(crate) async fn prepaid(unit: &mut Unit, id: &str) -> Result<Option<PrepaidSession>, StoreError> {
    one(unit, sql("SELECT * FROM prepaid_sessions WHERE id = $1").bind(id)).await
}

/// The prepaid session that a transaction belongs to.
pub(crate) async fn prepaid_of_transaction(
    unit: &mut Unit,
    station: &str,
    transaction: &str,
) -> Result<Option<PrepaidSession>, StoreError> {
    let select = sql("SELECT * FROM prepaid_sessions WHERE station = $1 AND transaction_id = $2");
    one(unit, select.bind(station).bind(transaction)).await
}

/// The newest prepaid session that waits for a transaction with this token, or did.
pub(crate) async fn prepaid_of_token(
    unit: &mut Unit,
    station: &str,
    token: &str,
) -> Result<Option<PrepaidSession>, StoreError> {
    let select = "SELECT * FROM prepaid_sessions WHERE station = $1 AND token = $2 AND transaction_id IS NULL \
         AND stage IN ('held', 'released') ORDER BY CASE stage WHEN 'held' THEN 0 ELSE 1 END, created_at DESC LIMIT 1";
    one(unit, sql(select).bind(station).bind(token)).await
}

impl From<crate::payments::Stage> for SessionStage {
    fn from(stage: crate::payments::Stage) -> Self {
        use crate::payments::Stage;
        match stage {
            Stage::Held => Self::Held,
            Stage::Running => Self::Running,
            Stage::Released => Self::Released,
            Stage::Settled => Self::Settled,
        }
    }
}

impl Store {
    /// Whether somebody charges at an EVSE, or has paid to.
    pub(crate) async fn is_charging(&self, station: &str, evse: i64) -> Result<bool, StoreError> {
        let select = "SELECT 1 AS one FROM transactions WHERE station = $1 AND evse = $2 AND stopped_at IS NULL \
             UNION ALL SELECT 1 AS one FROM prepaid_sessions WHERE station = $1 AND evse = $2 AND stage = 'held' LIMIT 1";
        Ok(self.fetch_optional(sql(select).bind(station).bind(evse)).await?.is_some())
    }

    /// Whether a payer has a balance to charge from, or charges from it already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_credit(&self, payer: &Payer, currency: Currency) -> Result<bool, StoreError> {
        if self.balance(&payer.account(), currency).await? < 0 {
            return Ok(true);
        }
        let select = "SELECT id FROM prepaid_sessions WHERE payer = $1 AND stage IN ('held', 'running') \
             AND amount > 0 LIMIT 1";
        Ok(self.fetch_optional(sql(select).bind(payer.to_string())).await?.is_some())
    }

    /// One prepaid session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prepaid_session(&self, id: &str) -> Result<Option<PrepaidSession>, StoreError> {
        let select = sql("SELECT * FROM prepaid_sessions WHERE id = $1").bind(id);
        self.fetch_optional(select).await?.as_ref().map(read).transpose()
    }

    /// Whether a token was made for a prepaid session at this station, whose money is set aside.
    pub(crate) async fn is_prepaid(&self, station: &str, token: &str) -> Result<bool, StoreError> {
        let select = "SELECT id FROM prepaid_sessions WHERE station = $1 AND token = $2 AND stage IN ('held', 'running') LIMIT 1";
        Ok(self.fetch_optional(sql(select).bind(station).bind(token)).await?.is_some())
    }

    /// The prepaid session of a transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prepaid_session_of(
        &self,
        station: &str,
        transaction: &str,
    ) -> Result<Option<PrepaidSession>, StoreError> {
        let select = sql("SELECT * FROM prepaid_sessions WHERE station = $1 AND transaction_id = $2");
        self.fetch_optional(select.bind(station).bind(transaction)).await?.as_ref().map(read).transpose()
    }

    /// The prepaid sessions of a payer, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prepaid_sessions_of(&self, payer: &Payer, limit: u32) -> Result<Vec<PrepaidSession>, StoreError> {
        let select = sql("SELECT * FROM prepaid_sessions WHERE payer = $1 ORDER BY created_at DESC LIMIT $2");
        self.fetch_all(select.bind(payer.to_string()).bind(limit)).await?.iter().map(read).collect()
    }

    /// Those that are to be looked after now.
    pub(crate) async fn prepaid_sessions_due(&self, now: Timestamp) -> Result<Vec<PrepaidSession>, StoreError> {
        let select = sql("SELECT * FROM prepaid_sessions WHERE due_at <= $1 ORDER BY due_at LIMIT 100").bind(now);
        self.fetch_all(select).await?.iter().map(read).collect()
    }

    /// When a payment, a refund or a prepaid session is to be looked after next.
    pub(crate) async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let select = "SELECT MIN(due_at) AS due_at FROM (SELECT due_at FROM payments WHERE due_at IS NOT NULL \
             UNION ALL SELECT due_at FROM payment_refunds WHERE due_at IS NOT NULL \
             UNION ALL SELECT due_at FROM plan_subscriptions WHERE due_at IS NOT NULL \
             UNION ALL SELECT due_at FROM prepaid_sessions WHERE due_at IS NOT NULL) AS due";
        self.fetch_one(sql(select)).await?.optional_moment("due_at")
    }
}

fn read(row: &Row) -> Result<PrepaidSession, StoreError> {
    let state = row.optional_text("state")?;
    let state = state.map(|text| {
        serde_json::from_str(&text)
            .map_err(|_| StoreError::Content { what: "the state of a prepaid session", value: text })
    });
    Ok(PrepaidSession {
        id: row.text("id")?,
        payer: row.parsed("payer")?,
        station: row.text("station")?,
        evse: row.optional_integer("evse")?,
        token: row.text("token")?,
        remote_start_id: row.integer("remote_start_id")?,
        currency: row.parsed("currency")?,
        amount: row.integer("amount")?,
        stage: row.parsed("stage")?,
        state: state.transpose()?,
        revision: row.integer("revision")?,
        transaction: row.optional_text("transaction_id")?,
        failure: row.optional_text("failure")?,
        attempts: row.integer("attempts")?,
        due_at: row.optional_moment("due_at")?,
        give_up_at: row.optional_moment("give_up_at")?,
        clock: match (row.optional_moment("told_at")?, row.optional_moment("heard_at")?) {
            (Some(told_at), Some(heard_at)) => Some(Clock { told_at, heard_at }),
            _ => None,
        },
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}
