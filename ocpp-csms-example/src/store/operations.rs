//! What stations were asked to do by operators and programs, and what came of it.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::conditions::Conditions;
use super::{Row, Store, StoreError, Unit, sql};

/// Steps of an operation that are kept.
const STEPS: usize = 100;

/// How an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// The station is at it, or is about to be told.
    Running,
    /// It is done.
    Succeeded,
    /// The station, or a rule of the standard, does not allow it.
    Refused,
    /// It came to nothing: an error, no answer, not in time.
    Failed,
    /// Whether the station acted is not known: the server ended while it was told.
    Interrupted,
    /// Somebody called it off, or a newer one of its kind took its place.
    Cancelled,
}

impl OperationState {
    const ALL: [Self; 6] =
        [Self::Running, Self::Succeeded, Self::Refused, Self::Failed, Self::Interrupted, Self::Cancelled];

    /// As it is written in the API and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for OperationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OperationState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// A step of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What, such as `status` or `password_accepted`.
    pub what: String,
    /// In the station's words, such as `Downloading`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Something that a station was asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its name, which no other has.
    pub id: String,
    /// The station's identity.
    pub station: String,
    /// The name by which the station's conversation knows it.
    pub command: u64,
    /// What, such as `reset`.
    pub kind: String,
    /// The particulars, without secrets.
    pub request: Value,
    /// Who asked for it.
    pub actor: String,
    /// How it stands.
    pub state: OperationState,
    /// How it went so far, the oldest first.
    pub progress: Vec<Step>,
    /// What came of it, in the station's words.
    pub result: Option<Value>,
    /// Why it came to that, for people.
    pub detail: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When something of it changed last.
    pub updated_at: Timestamp,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
}

/// What an operation came to.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationEnd {
    /// How.
    pub state: OperationState,
    /// What came of it.
    pub result: Option<Value>,
    /// Why, for people.
    pub detail: Option<String>,
}

fn command(id: u64) -> i64 {
    id.cast_signed()
}

impl Store {
    /// One operation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operation(&self, id: &str) -> Result<Option<Operation>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM operations WHERE id = $1").bind(id)).await?;
        row.as_ref().map(read).transpose()
    }

    /// At most `limit` operations that were asked for before `before`, the latest first; with a station or a state, only its own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operations(
        &self,
        station: Option<&str>,
        state: Option<OperationState>,
        before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.with("station =", station);
        conditions.with("state =", state.map(|state| state.as_str().to_owned()));
        conditions.with("created_at <", before);
        let statement = conditions.select("SELECT * FROM operations", "created_at DESC, id DESC", limit);
        self.fetch_all(statement).await?.iter().map(read).collect()
    }

    /// The operations of a station that are not over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn running_operations(&self, station: &str) -> Result<Vec<Operation>, StoreError> {
        let statement = sql("SELECT * FROM operations WHERE station = $1 AND state = 'running' ORDER BY created_at");
        self.fetch_all(statement.bind(station)).await?.iter().map(read).collect()
    }

    /// Whether the operation of a command has come to its end. A command that is no operation has not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operation_is_over(&self, station: &str, id: u64) -> Result<bool, StoreError> {
        let statement = sql("SELECT id FROM operations WHERE station = $1 AND command = $2 AND state <> 'running'");
        Ok(self.fetch_optional(statement.bind(station).bind(command(id))).await?.is_some())
    }

    /// Operations of whatever station of which nothing was heard since `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn silent_operations(&self, before: Timestamp) -> Result<Vec<Operation>, StoreError> {
        let statement = sql("SELECT * FROM operations WHERE state = 'running' AND updated_at < $1 LIMIT 1000");
        self.fetch_all(statement.bind(before)).await?.iter().map(read).collect()
    }

    /// Forgets operations that were over so long ago.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_operations(&self, age: SignedDuration, now: Timestamp) -> Result<u64, StoreError> {
        let before = now.checked_sub(age).unwrap_or(Timestamp::MIN);
        self.execute(sql("DELETE FROM operations WHERE state <> 'running' AND updated_at < $1").bind(before)).await
    }
}

/// Keeps a new operation.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put_operation(unit: &mut Unit, operation: &Operation) -> Result<(), StoreError> {
    let statement = sql(
        "INSERT INTO operations (id, station, command, kind, request, actor, state, progress, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, '[]', $8, $8)",
    )
    .bind(&operation.id)
    .bind(&operation.station)
    .bind(command(operation.command))
    .bind(&operation.kind)
    .bind(operation.request.to_string())
    .bind(&operation.actor)
    .bind(operation.state.as_str())
    .bind(operation.created_at);
    unit.execute(statement).await?;
    Ok(())
}

/// An operation came a step further. `None`: it is not known, or over.
///
/// # Errors
/// When the database fails.
pub(crate) async fn operation_progressed(
    unit: &mut Unit,
    station: &str,
    id: u64,
    step: Step,
) -> Result<Option<Operation>, StoreError> {
    let statement = sql("SELECT * FROM operations WHERE station = $1 AND command = $2 AND state = 'running'");
    let row = unit.fetch_optional(statement.bind(station).bind(command(id))).await?;
    let Some(mut operation) = row.as_ref().map(read).transpose()? else { return Ok(None) };
    operation.updated_at = step.at;
    // A station may tell the same again and again.
    if operation.progress.last().is_none_or(|last| (&last.what, &last.detail) != (&step.what, &step.detail)) {
        operation.progress.push(step);
    }
    let surplus = operation.progress.len().saturating_sub(STEPS);
    operation.progress.drain(..surplus);
    let progress = serde_json::to_string(&operation.progress).map_err(unwritable)?;
    let statement = sql("UPDATE operations SET progress = $2, updated_at = $3 WHERE id = $1");
    unit.execute(statement.bind(&operation.id).bind(progress).bind(operation.updated_at)).await?;
    Ok(Some(operation))
}

/// An operation came to its end. `None`: it is not known, or was over before.
///
/// # Errors
/// When the database fails.
pub(crate) async fn operation_ended(
    unit: &mut Unit,
    station: &str,
    id: u64,
    end: &OperationEnd,
    now: Timestamp,
) -> Result<Option<Operation>, StoreError> {
    let statement = sql("UPDATE operations SET state = $3, result = $4, detail = $5, updated_at = $6, ended_at = $6 \
         WHERE station = $1 AND command = $2 AND state = 'running' RETURNING *")
    .bind(station)
    .bind(command(id))
    .bind(end.state.as_str())
    .bind(end.result.as_ref().map(Value::to_string))
    .bind(&end.detail)
    .bind(now);
    let row = unit.fetch_optional(statement).await?;
    row.as_ref().map(read).transpose()
}

fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::Content { what: "an operation", value: error.to_string() }
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|_| StoreError::Content { what: "a part of an operation", value: text.to_owned() })
}

fn read(row: &Row) -> Result<Operation, StoreError> {
    Ok(Operation {
        id: row.text("id")?,
        station: row.text("station")?,
        command: row.integer("command")?.cast_unsigned(),
        kind: row.text("kind")?,
        request: json(&row.text("request")?)?,
        actor: row.text("actor")?,
        state: row.parsed("state")?,
        progress: json(&row.text("progress")?)?,
        result: row.optional_text("result")?.map(|text| json(&text)).transpose()?,
        detail: row.optional_text("detail")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
        ended_at: row.optional_moment("ended_at")?,
    })
}
