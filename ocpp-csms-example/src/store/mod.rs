//! What outlives a restart: an SQLite file, reached by statements that PostgreSQL understands as well.
//!
//! One connection writes and a pool reads, so writers never wait for each other's locks and readers never wait at all.
//! A write is on the disk when its call returns (`synchronous = FULL`): what is acknowledged to a station is kept.

mod audit;
mod connectors;
mod group;
mod messages;
mod open;
mod reservations;
mod security_events;
mod settings;
mod settlements;
mod sites;
mod statement;
mod stations;
mod tokens;
mod transactions;
mod unit;

pub use audit::{AuditEntry, AuditFilter};
pub use connectors::Connector;
pub use messages::{Direction, MessageLog, StoredMessage};
pub use open::OpenError;
pub use reservations::{Reservation, ReservationState};
pub use security_events::{SecurityEvent, Source};
pub(crate) use sites::{NotPut, RunningSession};
pub(crate) use statement::{Row, Statement, Value, sql};
pub use stations::{Identity, Registration, Station, StationChange};
pub use tokens::{Token, TokenStatus};
pub use transactions::{Batch, Transaction};
pub(crate) use unit::Unit;

use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqlitePool, SqliteQueryResult};

use self::group::Group;

/// The database. Clones share the same connections.
#[derive(Debug, Clone)]
pub struct Store {
    write: SqlitePool,
    /// What stations report is written through this.
    group: Group,
    read: SqlitePool,
}

/// A statement failed: the disk is full, the file was taken away, or what it holds is not what this program wrote.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What SQLite said.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// It could not be brought to the disk, together with what others wrote at the same time.
    #[error("the database: {0}")]
    NotKept(std::sync::Arc<str>),
    /// A column holds what this program never writes.
    #[error("the database holds {value:?} as {what}; it was changed by another program")]
    Content {
        /// What the column means.
        what: &'static str,
        /// What it holds.
        value: String,
    },
}

impl Store {
    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.read).await?;
        Ok(())
    }
}

impl Store {
    /// Runs a statement that a station gave reason to, together with those of others; on the disk when this returns.
    async fn keep(&self, query: Query<'_, Sqlite, SqliteArguments>) -> Result<SqliteQueryResult, StoreError> {
        let mut turn = self.group.statement().await?;
        let done = query.execute(turn.connection()?).await?;
        turn.commit().await?;
        Ok(done)
    }
}

/// A moment as the database has it.
fn to_millis(moment: Timestamp) -> i64 {
    moment.as_millisecond()
}

fn from_millis(what: &'static str, value: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(value).map_err(|_| StoreError::Content { what, value: value.to_string() })
}

fn parse<T: std::str::FromStr>(what: &'static str, value: &str) -> Result<T, StoreError> {
    value.parse().map_err(|_| StoreError::Content { what, value: value.to_owned() })
}
