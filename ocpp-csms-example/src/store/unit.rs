//! Reading, and writing whole units.

use super::group::Turn;
use super::statement::{Row, Statement};
use super::{Store, StoreError};

impl Store {
    /// All rows.
    pub(crate) async fn fetch_all(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        Ok(statement.sqlite().fetch_all(&self.read).await?.into_iter().map(Row::Sqlite).collect())
    }

    /// The first row, if there is one.
    pub(crate) async fn fetch_optional(&self, statement: Statement) -> Result<Option<Row>, StoreError> {
        Ok(statement.sqlite().fetch_optional(&self.read).await?.map(Row::Sqlite))
    }

    /// The row of a statement that always returns one.
    pub(crate) async fn fetch_one(&self, statement: Statement) -> Result<Row, StoreError> {
        Ok(Row::Sqlite(statement.sqlite().fetch_one(&self.read).await?))
    }

    /// Writes by one statement, on the disk when this returns; how many rows it changed.
    pub(crate) async fn execute(&self, statement: Statement) -> Result<u64, StoreError> {
        Ok(self.keep(statement.sqlite()).await?.rows_affected())
    }

    /// Begins a unit: all that it writes is kept, or nothing. Dropped without [`Unit::commit`], nothing is.
    pub(crate) async fn unit(&self) -> Result<Unit, StoreError> {
        Ok(Unit { turn: self.group.unit().await? })
    }

    /// Begins a unit that no other such unit runs beside: for what is decided by what is read, as balances are.
    pub(crate) async fn serial_unit(&self) -> Result<Unit, StoreError> {
        self.unit().await
    }
}

/// Several statements that are one change.
#[derive(Debug)]
pub(crate) struct Unit {
    turn: Turn,
}

impl Unit {
    /// All rows, with what this unit has changed.
    pub(crate) async fn fetch_all(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let rows = statement.sqlite().fetch_all(self.turn.connection()?).await?;
        Ok(rows.into_iter().map(Row::Sqlite).collect())
    }

    /// The first row, with what this unit has changed.
    pub(crate) async fn fetch_optional(&mut self, statement: Statement) -> Result<Option<Row>, StoreError> {
        Ok(statement.sqlite().fetch_optional(self.turn.connection()?).await?.map(Row::Sqlite))
    }

    /// Writes; how many rows were changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        Ok(statement.sqlite().execute(self.turn.connection()?).await?.rows_affected())
    }

    /// Keeps it all; on the disk when this returns.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.turn.commit().await
    }
}
