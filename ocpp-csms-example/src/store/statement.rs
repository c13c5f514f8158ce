//! Statements that both databases understand, what is bound to them, and the rows they return.
//!
//! The SQL is the common part: `$1` for parameters, `TEXT` and `BIGINT` columns, `ON CONFLICT`, `RETURNING`. Moments are epoch
//! milliseconds, truth is 0 or 1, money is in minor units, decimals are text. A sum of integers is cast
//! (`CAST(SUM(x) AS BIGINT)`), because PostgreSQL widens it.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::Timestamp;
use rust_decimal::Decimal;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Postgres, Row as _, SqlSafeStr as _, SqlStr, Sqlite};

use super::{StoreError, from_millis};

/// Something bound to a parameter, or absent.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! value_from {
    ($($from:ty, $variant:ident, $value:ident => $convert:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self::$variant(Some($convert))
            }
        }

        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.map(|$value| $convert))
            }
        }
    )*};
}

value_from! {
    &str, Text, value => value.to_owned();
    String, Text, value => value;
    &String, Text, value => value.clone();
    Decimal, Text, value => value.to_string();
    i64, Integer, value => value;
    u32, Integer, value => i64::from(value);
    bool, Integer, value => i64::from(value);
    Timestamp, Integer, value => value.as_millisecond();
    &[u8], Bytes, value => value.to_vec();
    Vec<u8>, Bytes, value => value;
}

impl From<&Option<String>> for Value {
    fn from(value: &Option<String>) -> Self {
        Self::Text(value.clone())
    }
}

/// A statement with what is bound to it.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    sql: SqlStr,
    /// The same as SQLite likes it better.
    sqlite: Option<SqlStr>,
    values: Vec<Value>,
}

/// A statement. Nothing that comes from outside is ever part of the text: it is bound.
pub(crate) fn sql(text: impl Into<Cow<'static, str>>) -> Statement {
    let sql = match text.into() {
        Cow::Borrowed(text) => text.into_sql_str(),
        Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
    };
    Statement { sql, sqlite: None, values: Vec::new() }
}

impl Statement {
    /// Binds the next parameter.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    pub(super) fn with((sqlite, sql): (SqlStr, SqlStr), values: Vec<Value>) -> Self {
        Self { sql, sqlite: Some(sqlite), values }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it only reads, as those do that begin so.
    pub(super) fn is_reading(&self) -> bool {
        ["SELECT", "WITH"].iter().any(|word| {
            self.sql.as_str().trim_start().get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        })
    }

    pub(super) fn sqlite(self) -> Query<'static, Sqlite, SqliteArguments> {
        self.values.into_iter().fold(sqlx::query(self.sqlite.unwrap_or(self.sql)), |query, value| match value {
            Value::Text(value) => query.bind(value),
            Value::Integer(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        })
    }

    pub(super) fn postgres(self) -> Query<'static, Postgres, PgArguments> {
        self.values.into_iter().fold(sqlx::query(self.sql), |query, value| match value {
            // PostgreSQL has no NUL in texts.
            Value::Text(Some(value)) if value.contains('\0') => query.bind(value.replace('\0', "\u{fffd}")),
            Value::Text(value) => query.bind(value),
            Value::Integer(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        })
    }
}

/// A row that a statement returned.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn optional_integer(&self, column: &str) -> Result<Option<i64>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            // A column may be of 32 bits.
            Self::Postgres(row) => match row.try_get::<Option<i64>, _>(column) {
                Ok(value) => value,
                Err(_) => row.try_get::<Option<i32>, _>(column)?.map(i64::from),
            },
        })
    }

    pub(crate) fn integer(&self, column: &'static str) -> Result<i64, StoreError> {
        self.optional_integer(column)?.ok_or_else(|| StoreError::Content { what: column, value: "nothing".to_owned() })
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.integer(column)? != 0)
    }

    pub(crate) fn optional_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    #[allow(dead_code, reason = "for those who keep files")]
    pub(crate) fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn moment(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        from_millis(column, self.integer(column)?)
    }

    pub(crate) fn optional_moment(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        self.optional_integer(column)?.map(|value| from_millis(column, value)).transpose()
    }

    /// A text that stands for something: an enumeration, a decimal, an identifier.
    pub(crate) fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        super::parse(column, &self.text(column)?)
    }

    pub(crate) fn optional_parsed<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.optional_text(column)?.map(|value| super::parse(column, &value)).transpose()
    }
}
