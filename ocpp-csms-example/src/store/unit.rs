//! Reading, and writing whole units.

use sqlx::{Postgres, Transaction};

use super::group::Turn;
use super::rows::Rows;
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
                let done = turn.run(async |connection| statement.sqlite().execute(connection).await).await?;
                turn.commit().await?;
                Ok(done.rows_affected())
            }
            Backend::Postgres(pool) => Ok(statement.postgres().execute(pool).await?.rows_affected()),
        }
    }

    /// Inserts rows together with what others insert at the same time; on the disk when this returns.
    pub(crate) async fn keep(&self, rows: Rows) -> Result<(), StoreError> {
        if rows.is_empty() { Ok(()) } else { self.keeper.keep(vec![rows]).await }
    }

    /// Begins a unit: all that it writes is kept, or nothing. Dropped without [`Unit::commit`], nothing is.
    pub(crate) async fn unit(&self) -> Result<Unit, StoreError> {
        Ok(Unit { begun: Some(begin(&self.backend).await?), later: Vec::new(), store: self.clone() })
    }

    /// Begins a unit that no other such unit runs beside: for what is decided by what is read, as balances are. It is not kept apart from
    /// a plain unit, so whatever writes such things has to be one of these.
    pub(crate) async fn serial_unit(&self) -> Result<Unit, StoreError> {
        Ok(Unit { begun: Some(begin_serial(&self.backend).await?), later: Vec::new(), store: self.clone() })
    }

    /// A unit that begins with its first statement, as a serial one. One that has none, but rows to keep, is written with those of others.
    pub(crate) fn later_unit(&self) -> Unit {
        Unit { begun: None, later: Vec::new(), store: self.clone() }
    }
}

/// Several statements that are one change.
#[derive(Debug)]
pub(crate) struct Unit {
    store: Store,
    begun: Option<Begun>,
    /// What is written when something else is, or in the end.
    later: Vec<Rows>,
}

impl Unit {
    /// All rows, with what this unit has changed.
    pub(crate) async fn fetch_all(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.begun().await?.fetch_all(statement).await
    }

    /// The first row, with what this unit has changed.
    pub(crate) async fn fetch_optional(&mut self, statement: Statement) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch_all(statement).await?.into_iter().next())
    }

    /// Writes; how many rows were changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        self.begun().await?.execute(statement).await
    }

    /// Inserts rows, at the latest when it is committed.
    pub(crate) fn keep(&mut self, rows: Rows) {
        if !rows.is_empty() {
            self.later.push(rows);
        }
    }

    /// Keeps it all; on the disk when this returns.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        match self.begun {
            Some(_) => {
                self.begun().await?;
                match self.begun {
                    Some(begun) => begun.commit().await,
                    None => Ok(()),
                }
            }
            None if self.later.is_empty() => Ok(()),
            None => self.store.keeper.keep(self.later).await,
        }
    }

    /// Whether nothing but rows to keep is part of it.
    pub(super) fn is_later(&self) -> bool {
        self.begun.is_none()
    }

    /// Begins, if it has not, and writes what is to be written first.
    async fn begun(&mut self) -> Result<&mut Begun, StoreError> {
        let mut begun = match self.begun.take() {
            Some(begun) => begun,
            None => begin_serial(&self.store.backend).await?,
        };
        for statement in std::mem::take(&mut self.later).into_iter().flat_map(Rows::statements) {
            begun.execute(statement).await?;
        }
        Ok(self.begun.insert(begun))
    }
}

/// A unit that is under way.
#[derive(Debug)]
pub(super) enum Begun {
    Sqlite(Turn),
    Postgres(Transaction<'static, Postgres>),
}

/// Begins a unit.
pub(super) async fn begin(backend: &Backend) -> Result<Begun, StoreError> {
    Ok(match backend {
        Backend::Sqlite { group, .. } => Begun::Sqlite(group.unit().await?),
        Backend::Postgres(pool) => Begun::Postgres(pool.begin().await?),
    })
}

async fn begin_serial(backend: &Backend) -> Result<Begun, StoreError> {
    let mut begun = begin(backend).await?;
    // SQLite has one writer. A lock rather than isolation SERIALIZABLE: a unit that waits is done at last, one that was in
    // another's way would have to be done again by everybody who writes one.
    if let Begun::Postgres(transaction) = &mut begun {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SERIAL).execute(&mut **transaction).await?;
    }
    Ok(begun)
}

impl Begun {
    async fn fetch_all(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite(turn) => {
                let rows = turn.run(async |connection| statement.sqlite().fetch_all(connection).await).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(transaction) => {
                let rows = statement.postgres().fetch_all(&mut **transaction).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite(turn) => {
                turn.run(async |connection| statement.sqlite().execute(connection).await).await?.rows_affected()
            }
            Self::Postgres(transaction) => statement.postgres().execute(&mut **transaction).await?.rows_affected(),
        })
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(turn) => turn.commit().await,
            Self::Postgres(transaction) => Ok(transaction.commit().await?),
        }
    }
}
