//! What outlives a restart: an SQLite file or a PostgreSQL database, reached by the same statements.
//!
//! Of a file, one connection writes and a pool reads, so writers never wait for each other's locks and readers never wait at all.
//! A write is on the disk when its call returns (`synchronous = FULL`): what is acknowledged to a station is kept.

mod audit;
mod backup;
pub(crate) mod bills;
mod conditions;
mod connectors;
mod database;
mod drivers;
mod faults;
mod firmware;
mod group;
pub(crate) mod invoices;
mod keeper;
pub(crate) mod ledger;
mod lists;
mod log_requests;
mod messages;
mod notifications;
mod open;
mod operations;
mod operators;
mod passwords;
pub(crate) mod payments;
pub(crate) mod prepaid;
mod report_spans;
mod report_totals;
mod reports;
mod reservations;
mod rollouts;
mod rows;
mod security_events;
mod session_states;
mod settings;
mod settlements;
mod sign_ins;
mod sites;
mod statement;
mod station_states;
mod stations;
pub(crate) mod subscriptions;
mod tariffs;
mod tokens;
mod transactions;
mod unit;
mod words;

pub use audit::{AuditEntry, AuditFilter};
pub use backup::{BackupError, back_up, restore};
pub use bills::{BillFilter, BillRecord};
pub use connectors::Connector;
pub(crate) use connectors::put_connector;
pub use database::{Database, DatabaseError};
pub use drivers::{Driver, TokenTerms};
pub use faults::{Fault, FaultChange, FaultFilter, FaultKind, FaultState, Trouble};
pub(crate) use faults::{close_fault, judge_fault, open_fault};
pub use firmware::{FirmwareImage, Signer};
pub use invoices::Invoice;
pub use ledger::{AccountLine, LedgerFaults};
pub(crate) use lists::{SessionCursor, SessionFilter, StationCounts, StationFilter};
pub use log_requests::{LogFile, LogKind, LogRequest, LogState};
pub use messages::{Direction, MessageLog, StoredMessage};
pub use notifications::{Delivery, DeliveryState, Subscription};
pub(crate) use notifications::{delivery_tried, put_delivery, put_subscription, subscription_failed};
pub use open::OpenError;
pub use operations::{Operation, OperationEnd, OperationState, Step};
pub(crate) use operations::{operation_ended, operation_progressed, put_operation};
pub use operators::Operator;
pub use passwords::NewPassword;
pub use payments::{Capture, Payment, PaymentRefund, PaymentState, Progress, RefundState};
pub use prepaid::{Clock, PrepaidSession, SessionStage};
pub(crate) use report_totals::{add_to_totals, count_sessions, tidy_totals, totals_of, zone_of};
pub use reports::SessionRow;
#[cfg(test)]
pub(crate) use reports::TotalRow;
pub use reservations::{Reservation, ReservationState};
pub(crate) use reservations::{end_reservation, put_reservation};
pub use rollouts::{Rollout, RolloutState, RolloutStation, Signing, UpdateState};
pub(crate) use rows::{Rows, Target};
pub(crate) use security_events::put_security_event;
pub use security_events::{SecurityEvent, Source};
pub use session_states::SessionState;
pub use sign_ins::{KeptApiToken, SetUpLink, SignIn};
pub(crate) use sites::{NotPut, RunningSession};
pub(crate) use statement::{Row, Statement, Value, sql};
pub(crate) use station_states::{StateChange, put_states};
pub use stations::{Identity, Registration, Station, StationChange};
pub(crate) use stations::{station_booted, station_connected};
pub use subscriptions::{Plan, PlanSubscription};
pub use tokens::{Token, TokenStatus};
pub use transactions::{Batch, Known, Transaction};
pub(crate) use unit::Unit;
pub(crate) use words::text_enum;

use jiff::Timestamp;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

use self::group::Group;
use self::keeper::Keeper;

/// The database. Clones share the same connections.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Backend,
    keeper: Keeper,
}

#[derive(Debug, Clone)]
enum Backend {
    Sqlite {
        /// The only connection that writes.
        group: Group,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

/// A statement failed: the disk is full, the file was taken away, or what it holds is not what this program wrote.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What the database said.
    #[error("the database: {0}")]
    Database(sqlx::Error),
    /// The disk is full, or what the database may take of it. Nothing was kept; nothing that was is lost.
    #[error("the disk of the database is full, so nothing is kept: make room on it ({0})")]
    Full(sqlx::Error),
    /// It could not be brought to the disk, together with what others wrote at the same time.
    #[error("{0}")]
    Together(std::sync::Arc<StoreError>),
    /// Something else changed what was to be changed at the same moment.
    #[error("the database: {0}")]
    NotKept(std::sync::Arc<str>),
    /// The program is ending.
    #[error("the database: the program is ending")]
    Ending,
    /// A column holds what this program never writes.
    #[error("the database holds {value:?} as {what}; it was changed by another program")]
    Content {
        /// What the column means.
        what: &'static str,
        /// What it holds.
        value: String,
    },
}

impl StoreError {
    /// Whether there is no room: nothing is wrong with what was to be kept, and it can be tried again once there is.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Together(error) => error.is_full(),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // SQLite's SQLITE_FULL, PostgreSQL's disk_full.
        let is_full = error
            .as_database_error()
            .and_then(|error| error.code())
            .is_some_and(|code| code == "13" || code == "53100");
        if is_full { Self::Full(error) } else { Self::Database(error) }
    }
}

impl Store {
    /// Waits for what is under way and closes the database.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite { group, read } => {
                read.close().await;
                group.close().await;
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.fetch_one(sql("SELECT 1")).await?;
        Ok(())
    }
}

fn from_millis(what: &'static str, value: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(value).map_err(|_| StoreError::Content { what, value: value.to_string() })
}

fn parse<T: std::str::FromStr>(what: &'static str, value: &str) -> Result<T, StoreError> {
    value.parse().map_err(|_| StoreError::Content { what, value: value.to_owned() })
}
