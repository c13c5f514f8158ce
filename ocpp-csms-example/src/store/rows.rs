//! Many rows by few statements.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

use super::statement::{Statement, Value};

/// Rows that one statement inserts at most: far below the number of parameters that one may have.
const TOGETHER: usize = 256;

/// What rows are inserted into, and what becomes of those that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    /// `INSERT INTO table (column, …)`.
    pub(crate) into: &'static str,
    /// How many columns these are.
    pub(crate) columns: usize,
    /// `ON CONFLICT …`, if anything. Where that updates, the rows of a unit have different keys: PostgreSQL changes none twice by one statement.
    pub(crate) otherwise: &'static str,
}

/// Rows that are to be inserted.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    target: Target,
    /// Of one row after the other.
    values: Vec<Value>,
}

impl Rows {
    pub(crate) fn new(target: Target) -> Self {
        Self { target, values: Vec::new() }
    }

    /// Adds a row, which has as many values as the target has columns.
    pub(crate) fn push<const COLUMNS: usize>(&mut self, row: [Value; COLUMNS]) {
        debug_assert_eq!(COLUMNS, self.target.columns, "{}", self.target.into);
        self.values.extend(row);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Puts what goes into the same place together.
    pub(super) fn join<'a>(many: impl IntoIterator<Item = &'a Self>) -> Vec<Self> {
        let mut joined: Vec<Self> = Vec::new();
        for rows in many {
            match joined.iter_mut().find(|known| known.target == rows.target) {
                Some(known) => known.values.extend_from_slice(&rows.values),
                None => joined.push(rows.clone()),
            }
        }
        joined
    }

    /// The statements, of which there are not many different ones, so that they stay prepared: their numbers of rows are powers of 2.
    pub(super) fn statements(self) -> impl Iterator<Item = Statement> {
        let Self { target, mut values } = self;
        std::iter::from_fn(move || {
            let rows = values.len() / target.columns.max(1);
            let together = (1 << rows.checked_ilog2()?).min(TOGETHER);
            let rest = values.split_off(together * target.columns);
            Some(Statement::with(text(target, together), std::mem::replace(&mut values, rest)))
        })
    }
}

/// The texts of the statement for so many rows, for SQLite and for PostgreSQL. There are nine for each target, and the targets are written
/// in this program.
///
/// SQLite counts `$1` as a name, and names are looked up one after the other for each that is bound: a thousand of them take as long as the
/// rest of the statement. Without names it counts the parameters.
fn text(target: Target, rows: usize) -> (SqlStr, SqlStr) {
    type Texts = HashMap<(Target, usize), (SqlStr, SqlStr)>;
    static TEXTS: LazyLock<Mutex<Texts>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let with = |parameter: fn(usize) -> String| {
            let row = |row: usize| {
                let first = row * target.columns + 1;
                let columns: Vec<_> = (first..first + target.columns).map(parameter).collect();
                format!("({})", columns.join(", "))
            };
            let values: Vec<_> = (0..rows).map(row).collect();
            AssertSqlSafe(format!("{} VALUES {} {}", target.into, values.join(", "), target.otherwise)).into_sql_str()
        };
        (with(|_| "?".to_owned()), with(|number| format!("${number}")))
    };
    texts.entry((target, rows)).or_insert_with(make).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_statement() {
        let target = Target { into: "INSERT INTO numbers (number, square)", columns: 2, otherwise: "" };
        let mut rows = Rows::new(target);
        for number in 0..700_i64 {
            rows.push([number.into(), (number * number).into()]);
        }
        let sizes: Vec<_> = rows.statements().map(|statement| statement.len() / 2).collect();
        assert_eq!(sizes, [256, 256, 128, 32, 16, 8, 4]);
        let (sqlite, postgres) = text(target, 2);
        assert_eq!(postgres.as_str(), "INSERT INTO numbers (number, square) VALUES ($1, $2), ($3, $4) ");
        assert_eq!(sqlite.as_str(), "INSERT INTO numbers (number, square) VALUES (?, ?), (?, ?) ");
    }
}
