//! Conditions of lists: only what is asked for becomes part of the statement, so that the database finds an index for it.

use super::{Statement, Value, sql};

/// What rows have to fulfil. Without any, all rows do.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    text: String,
    values: Vec<Value>,
}

impl Conditions {
    /// A parameter with this value, as it is written in the text.
    pub(super) fn place(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Adds a condition that has its parameters already.
    pub(super) fn and(&mut self, condition: &str) {
        self.text.push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
        self.text.push_str(condition);
    }

    /// Adds `left` (a column and an operator, `station =`) with a value on its right, if there is one.
    pub(super) fn with(&mut self, left: &'static str, right: Option<impl Into<Value>>) {
        if let Some(value) = right {
            let place = self.place(value);
            self.and(&format!("{left} {place}"));
        }
    }

    /// The statement: what it selects, the conditions, the order, and how many rows at most.
    pub(super) fn select(mut self, select: &str, order: &str, limit: u32) -> Statement {
        let limit = self.place(limit);
        let text = format!("{select}{} ORDER BY {order} LIMIT {limit}", self.text);
        self.values.into_iter().fold(sql(text), Statement::bind)
    }
}
