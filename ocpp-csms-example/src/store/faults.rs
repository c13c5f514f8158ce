//! What is wrong with stations, and what became of it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::conditions::Conditions;
use super::{Row, Store, StoreError, Unit, sql};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// As it is written in the API and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                [$(Self::$variant),*].into_iter().find(|known| known.as_str() == text).ok_or(())
            }
        }
    };
}

words! {
    /// What kind of fault it is.
    FaultKind {
        /// A connector, or the whole station, is out of order.
        Connector = "connector",
        /// A monitor of the station raised an alarm.
        Alert = "alert",
        /// The station is away.
        Offline = "offline",
        /// A firmware update failed.
        Firmware = "firmware",
        /// Something of relevance to security happened.
        Security = "security",
        /// Somebody who is to be told of events could not be, and is told nothing any more.
        Notification = "notification",
    }
}

words! {
    /// How a fault stands.
    FaultState {
        /// Nobody has looked at it.
        Open = "open",
        /// Somebody knows of it.
        Acknowledged = "acknowledged",
        /// It is over.
        Closed = "closed",
    }
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its name.
    pub id: String,
    /// The station's identity; empty where it is about no station.
    pub station: String,
    /// What kind it is.
    pub kind: FaultKind,
    /// What exactly, in the standard's words.
    pub code: String,
    /// How severe it is: 0 (danger) to 9 (debug).
    pub severity: i64,
    /// The EVSE.
    pub evse: Option<i64>,
    /// The connector.
    pub connector: Option<i64>,
    /// What else is known.
    pub detail: Option<String>,
    /// How it stands.
    pub state: FaultState,
    /// How often it was told.
    pub occurrences: i64,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it was told last.
    pub last_seen_at: Timestamp,
    /// When somebody acknowledged it.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// When it was over.
    pub closed_at: Option<Timestamp>,
    /// By whom: the station's identity, where it told so.
    pub closed_by: Option<String>,
}

/// What becomes of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultChange {
    /// When.
    pub at: Timestamp,
    /// What: `opened`, `changed`, `acknowledged`, `closed`.
    pub change: String,
    /// By whom.
    pub actor: String,
    /// In what words.
    pub detail: Option<String>,
}

/// Something that is wrong now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What kind it is.
    pub kind: FaultKind,
    /// The same for what is the same fault.
    pub key: String,
    /// What exactly, in the standard's words.
    pub code: String,
    /// How severe it is.
    pub severity: i64,
    /// The EVSE.
    pub evse: Option<i64>,
    /// The connector.
    pub connector: Option<i64>,
    /// What else is known.
    pub detail: Option<String>,
}

/// Which faults.
#[derive(Debug, Clone, Default)]
pub struct FaultFilter {
    /// Of this station.
    pub station: Option<String>,
    /// That stand like this.
    pub state: Option<FaultState>,
    /// Of this kind.
    pub kind: Option<FaultKind>,
    /// That severe or more.
    pub severity: Option<i64>,
    /// That began before.
    pub before: Option<Timestamp>,
}

impl Store {
    /// At most `limit` faults, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn faults(&self, filter: &FaultFilter, limit: u32) -> Result<Vec<Fault>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.with("station =", filter.station.as_ref());
        conditions.with("state =", filter.state.map(FaultState::as_str));
        conditions.with("kind =", filter.kind.map(FaultKind::as_str));
        conditions.with("severity <=", filter.severity);
        conditions.with("opened_at <", filter.before);
        let statement = conditions.select("SELECT * FROM faults", "opened_at DESC, id DESC", limit);
        self.fetch_all(statement).await?.iter().map(read).collect()
    }

    /// The stations, kinds and keys of all faults that are not closed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fault_keys(&self) -> Result<Vec<(String, FaultKind, String)>, StoreError> {
        let rows = self.fetch_all(sql("SELECT station, kind, fault_key FROM faults WHERE state <> 'closed'")).await?;
        rows.iter().map(|row| Ok((row.text("station")?, row.parsed("kind")?, row.text("fault_key")?))).collect()
    }

    /// One fault.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fault(&self, id: &str) -> Result<Option<Fault>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM faults WHERE id = $1").bind(id)).await?;
        row.as_ref().map(read).transpose()
    }

    /// What became of a fault, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fault_history(&self, id: &str) -> Result<Vec<FaultChange>, StoreError> {
        let statement = sql("SELECT * FROM fault_history WHERE fault = $1 ORDER BY id");
        let rows = self.fetch_all(statement.bind(id)).await?;
        rows.iter()
            .map(|row| {
                Ok(FaultChange {
                    at: row.moment("at")?,
                    change: row.text("change")?,
                    actor: row.text("actor")?,
                    detail: row.optional_text("detail")?,
                })
            })
            .collect()
    }
}

/// Something is wrong: the fault, and whether it is new.
///
/// # Errors
/// When the database fails.
pub(crate) async fn open_fault(
    unit: &mut Unit,
    station: &str,
    trouble: &Trouble,
    now: Timestamp,
) -> Result<(Fault, bool), StoreError> {
    let statement =
        sql("SELECT * FROM faults WHERE station = $1 AND kind = $2 AND fault_key = $3 AND state <> 'closed'")
            .bind(station)
            .bind(trouble.kind.as_str())
            .bind(&trouble.key);
    if let Some(row) = unit.fetch_optional(statement).await? {
        let mut fault = read(&row)?;
        let changed = fault.code != trouble.code;
        let statement = sql("UPDATE faults SET code = $2, severity = $3, detail = $4, occurrences = occurrences + 1, \
             last_seen_at = $5 WHERE id = $1")
        .bind(&fault.id)
        .bind(&trouble.code)
        .bind(trouble.severity)
        .bind(&trouble.detail)
        .bind(now);
        unit.execute(statement).await?;
        if changed {
            note_fault(unit, &fault.id, "changed", station, Some(&trouble.code), now).await?;
        }
        (fault.code, fault.severity) = (trouble.code.clone(), trouble.severity);
        return Ok((fault, false));
    }
    let fault = Fault {
        id: Uuid::now_v7().to_string(),
        station: station.to_owned(),
        kind: trouble.kind,
        code: trouble.code.clone(),
        severity: trouble.severity,
        evse: trouble.evse,
        connector: trouble.connector,
        detail: trouble.detail.clone(),
        state: FaultState::Open,
        occurrences: 1,
        opened_at: now,
        last_seen_at: now,
        acknowledged_at: None,
        acknowledged_by: None,
        closed_at: None,
        closed_by: None,
    };
    let statement =
        sql("INSERT INTO faults (id, station, kind, fault_key, code, severity, evse, connector, detail, state, \
         occurrences, opened_at, last_seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', 1, $10, $10)")
        .bind(&fault.id)
        .bind(station)
        .bind(trouble.kind.as_str())
        .bind(&trouble.key)
        .bind(&trouble.code)
        .bind(trouble.severity)
        .bind(trouble.evse)
        .bind(trouble.connector)
        .bind(&trouble.detail)
        .bind(now);
    unit.execute(statement).await?;
    note_fault(unit, &fault.id, "opened", station, Some(&trouble.code), now).await?;
    Ok((fault, true))
}

/// It is right again; the fault, if there was one.
///
/// # Errors
/// When the database fails.
pub(crate) async fn close_fault(
    unit: &mut Unit,
    station: &str,
    kind: FaultKind,
    key: &str,
    now: Timestamp,
) -> Result<Option<Fault>, StoreError> {
    let statement = sql("UPDATE faults SET state = 'closed', closed_at = $4, closed_by = $1 \
         WHERE station = $1 AND kind = $2 AND fault_key = $3 AND state <> 'closed' RETURNING *")
    .bind(station)
    .bind(kind.as_str())
    .bind(key)
    .bind(now);
    let Some(row) = unit.fetch_optional(statement).await? else { return Ok(None) };
    let fault = read(&row)?;
    note_fault(unit, &fault.id, "closed", station, None, now).await?;
    Ok(Some(fault))
}

/// Somebody acknowledges or closes a fault. `None`: there is none, or it stands so already.
///
/// # Errors
/// When the database fails.
pub(crate) async fn judge_fault(
    unit: &mut Unit,
    id: &str,
    state: FaultState,
    actor: &str,
    note: Option<&str>,
    now: Timestamp,
) -> Result<Option<(Fault, String)>, StoreError> {
    let text = match state {
        FaultState::Acknowledged => {
            "UPDATE faults SET state = 'acknowledged', acknowledged_at = $2, acknowledged_by = $3 \
             WHERE id = $1 AND state = 'open' RETURNING *"
        }
        _ => {
            "UPDATE faults SET state = 'closed', closed_at = $2, closed_by = $3 WHERE id = $1 AND state <> 'closed' RETURNING *"
        }
    };
    let Some(row) = unit.fetch_optional(sql(text).bind(id).bind(now).bind(actor)).await? else { return Ok(None) };
    let (fault, key) = (read(&row)?, row.text("fault_key")?);
    note_fault(unit, id, state.as_str(), actor, note, now).await?;
    Ok(Some((fault, key)))
}

async fn note_fault(
    unit: &mut Unit,
    fault: &str,
    change: &str,
    actor: &str,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement =
        sql("INSERT INTO fault_history (id, fault, at, change, actor, detail) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(Uuid::now_v7().to_string())
            .bind(fault)
            .bind(now)
            .bind(change)
            .bind(actor)
            .bind(detail.map(str::to_owned));
    unit.execute(statement).await?;
    Ok(())
}

fn read(row: &Row) -> Result<Fault, StoreError> {
    Ok(Fault {
        id: row.text("id")?,
        station: row.text("station")?,
        kind: row.parsed("kind")?,
        code: row.text("code")?,
        severity: row.integer("severity")?,
        evse: row.optional_integer("evse")?,
        connector: row.optional_integer("connector")?,
        detail: row.optional_text("detail")?,
        state: row.parsed("state")?,
        occurrences: row.integer("occurrences")?,
        opened_at: row.moment("opened_at")?,
        last_seen_at: row.moment("last_seen_at")?,
        acknowledged_at: row.optional_moment("acknowledged_at")?,
        acknowledged_by: row.optional_text("acknowledged_by")?,
        closed_at: row.optional_moment("closed_at")?,
        closed_by: row.optional_text("closed_by")?,
    })
}
