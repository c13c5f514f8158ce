//! Reading, and writing whole units.

use sqlx::{Postgres, Transaction};

use super::group::Turn;
use super::statement::{Row, Statement};
use super::{Backend, Store, StoreError};

/// The number of the lock of serial units on a PostgreSQL server.
const SERIAL: i64 = 0x6f63_7070_0002;

impl Store {
    /// All rows.
    pub(crate) async fn fetch_all(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        Ok(match &self.backend {
            Backend::Sqlite { read, .. } if statement.is_reading() => {
                statement.sqlite().fetch_all(read).await?.into_iter().map(Row::Sqlite).collect()
            }
            Backend::Postgres(pool) => {
                statement.postgres().fetch_all(pool).await?.into_iter().map(Row::Postgres).collect()
            }
            Backend::Sqlite { .. } => {
                let mut unit = self.unit().await?;
                let rows = unit.fetch_all(statement).await?;
                unit.commit().await?;
                rows
            }
        })
    }

    /// The first row, if there is one.
    pub(crate) async fn fetch_optional(&self, statement: Statement) -> Result<Option<Row>, StoreError> {
        Ok(match &self.backend {
            Backend::Sqlite { read, .. } if statement.is_reading() => {
                statement.sqlite().fetch_optional(read).await?.map(Row::Sqlite)
            }
            Backend::Postgres(pool) => statement.postgres().fetch_optional(pool).await?.map(Row::Postgres),
            Backend::Sqlite { .. } => self.fetch_all(statement).await?.into_iter().next(),
        })
    }

    /// The row of a statement that always returns one.
    pub(crate) async fn fetch_one(&self, statement: Statement) -> Result<Row, StoreError> {
        Ok(self.fetch_optional(statement).await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// Writes by one statement, on the disk when this returns; how many rows it changed.
    pub(crate) async fn execute(&self, statement: Statement) -> Result<u64, StoreError> {
        match &self.backend {
            Backend::Sqlite { group, .. } => {
                let mut turn = group.statement().await?;
                let done = statement.sqlite().execute(turn.connection()?).await?;
                turn.commit().await?;
                Ok(done.rows_affected())
            }
            Backend::Postgres(pool) => Ok(statement.postgres().execute(pool).await?.rows_affected()),
        }
    }

    /// Begins a unit: all that it writes is kept, or nothing. Dropped without [`Unit::commit`], nothing is.
    pub(crate) async fn unit(&self) -> Result<Unit, StoreError> {
        Ok(Unit {
            inner: match &self.backend {
                Backend::Sqlite { group, .. } => Inner::Sqlite(group.unit().await?),
                Backend::Postgres(pool) => Inner::Postgres(pool.begin().await?),
            },
        })
    }

    /// Begins a unit that no other such unit runs beside: for what is decided by what is read, as balances are. It is not kept apart from
    /// a plain unit, so whatever writes such things has to be one of these.
    pub(crate) async fn serial_unit(&self) -> Result<Unit, StoreError> {
        let mut unit = self.unit().await?;
        // SQLite has one writer. A lock rather than isolation SERIALIZABLE: a unit that waits is done at last, one that was in
        // another's way would have to be done again by everybody who writes one.
        if let Inner::Postgres(transaction) = &mut unit.inner {
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SERIAL).execute(&mut **transaction).await?;
        }
        Ok(unit)
    }
}

/// Several statements that are one change.
#[derive(Debug)]
pub(crate) struct Unit {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Sqlite(Turn),
    Postgres(Transaction<'static, Postgres>),
}

impl Unit {
    /// All rows, with what this unit has changed.
    pub(crate) async fn fetch_all(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        Ok(match &mut self.inner {
            Inner::Sqlite(turn) => {
                let rows = statement.sqlite().fetch_all(turn.connection()?).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Inner::Postgres(transaction) => {
                let rows = statement.postgres().fetch_all(&mut **transaction).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row, with what this unit has changed.
    pub(crate) async fn fetch_optional(&mut self, statement: Statement) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch_all(statement).await?.into_iter().next())
    }

    /// Writes; how many rows were changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        Ok(match &mut self.inner {
            Inner::Sqlite(turn) => statement.sqlite().execute(turn.connection()?).await?.rows_affected(),
            Inner::Postgres(transaction) => statement.postgres().execute(&mut **transaction).await?.rows_affected(),
        })
    }

    /// Keeps it all; on the disk when this returns.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(turn) => turn.commit().await,
            Inner::Postgres(transaction) => Ok(transaction.commit().await?),
        }
    }
}
