//! Logs that stations were asked for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::conditions::Conditions;
use super::{Row, Store, StoreError, sql};
use crate::store::text_enum;

text_enum! {
    /// Which log of a station.
    LogKind {
        /// What the maker writes to find faults.
        Diagnostics = "diagnostics",
        /// What happened that is of relevance to security.
        Security = "security",
        /// What a data collector gathered (2.1).
        DataCollector = "data_collector",
    }
}

text_enum! {
    /// How far a request for a log is.
    LogState {
        /// The station was asked, or will be at once.
        Requested = "requested",
        /// The station said that it uploads.
        Uploading = "uploading",
        /// The log is here.
        Uploaded = "uploaded",
        /// There is no such log.
        Nothing = "nothing",
        /// The station refused or failed.
        Failed = "failed",
        /// A newer request took its place.
        Superseded = "superseded",
        /// Nothing came as long as the URL was good.
        Expired = "expired",
    }
}

impl LogState {
    /// Whether something may still come.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Uploading)
    }
}

/// A request for a log, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRequest {
    /// Its id.
    pub id: String,
    /// The station.
    pub station: String,
    /// Which log.
    pub kind: LogKind,
    /// From when on.
    pub oldest: Option<Timestamp>,
    /// Until when.
    pub latest: Option<Timestamp>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// By whom.
    pub requested_by: String,
    /// How long the URL is good.
    pub expires_at: Timestamp,
    /// How far it is.
    pub state: LogState,
    /// Since when.
    pub changed_at: Timestamp,
    /// The last word of the station.
    pub status: Option<String>,
    /// What went wrong.
    pub detail: Option<String>,
    /// The file, once it is here.
    pub file: Option<LogFile>,
}

/// A log that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// What the station calls it.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Hexadecimal digits.
    pub sha256: String,
    /// When it came.
    pub received_at: Timestamp,
}

impl Store {
    /// Keeps a new request.
    pub(crate) async fn put_log_request(&self, request: &LogRequest) -> Result<(), StoreError> {
        let statement = sql(
            "INSERT INTO log_requests (id, station, kind, oldest, latest, requested_at, requested_by, expires_at, \
             state, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        );
        let statement = statement.bind(&request.id).bind(&request.station).bind(request.kind.as_str());
        let statement = statement.bind(request.oldest).bind(request.latest).bind(request.requested_at);
        let statement = statement.bind(&request.requested_by).bind(request.expires_at);
        self.execute(statement.bind(request.state.as_str()).bind(request.changed_at)).await?;
        Ok(())
    }

    /// One request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn log_request(&self, id: &str) -> Result<Option<LogRequest>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM log_requests WHERE id = $1").bind(id)).await?;
        row.map(|row| read(&row)).transpose()
    }

    /// The latest requests, the newest first: of one station or of all, older than the one with the id `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn log_requests(
        &self,
        station: Option<&str>,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<LogRequest>, StoreError> {
        // Ids are made of the time, so they are in its order.
        let mut conditions = Conditions::default();
        conditions.with("station =", station);
        conditions.with("id <", before);
        let rows = self.fetch_all(conditions.select("SELECT * FROM log_requests", "id DESC", limit)).await?;
        rows.iter().map(read).collect()
    }

    /// What a station says about its upload. `request_id` is the station's name for it, which the first word of the station gives it.
    pub(crate) async fn log_status(
        &self,
        station: &str,
        request_id: Option<i64>,
        status: &str,
        state: LogState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // The newest request that the status can be about; a file that has come stays.
        let statement = sql(
            "UPDATE log_requests SET status = $3, request_id = COALESCE(request_id, $2), changed_at = $5, \
             state = CASE WHEN received_at IS NULL AND state IN ('requested', 'uploading') THEN $4 ELSE state END \
             WHERE id = (SELECT id FROM log_requests WHERE station = $1 AND (request_id = $2 OR CAST($2 AS BIGINT) IS NULL \
             OR (request_id IS NULL AND state IN ('requested', 'uploading', 'uploaded'))) ORDER BY id DESC LIMIT 1)",
        );
        let statement = statement.bind(station).bind(request_id).bind(status).bind(state.as_str()).bind(now);
        self.execute(statement).await?;
        Ok(())
    }

    /// A request came to an end without a file; one that has ended already stays as it is.
    pub(crate) async fn end_log_request(
        &self,
        id: &str,
        state: LogState,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let statement = sql("UPDATE log_requests SET state = $2, detail = $3, changed_at = $4 \
             WHERE id = $1 AND received_at IS NULL AND state IN ('requested', 'uploading', 'failed')");
        self.execute(statement.bind(id).bind(state.as_str()).bind(detail).bind(now)).await?;
        Ok(())
    }

    /// The file of a request is here; false when it had one already, or waits for none any more.
    pub(crate) async fn log_received(&self, id: &str, file: &LogFile) -> Result<bool, StoreError> {
        let size = i64::try_from(file.size).unwrap_or(i64::MAX);
        let statement = sql(
            "UPDATE log_requests SET state = 'uploaded', detail = NULL, file_name = $2, size = $3, sha256 = $4, \
             received_at = $5, changed_at = $5 WHERE id = $1 AND received_at IS NULL AND state IN ('requested', 'uploading')",
        );
        let statement = statement.bind(id).bind(&file.name).bind(size).bind(&file.sha256).bind(file.received_at);
        Ok(self.execute(statement).await? > 0)
    }

    /// Ends the requests whose URL is good no more.
    pub(crate) async fn expire_log_requests(&self, now: Timestamp) -> Result<u64, StoreError> {
        let statement = sql("UPDATE log_requests SET state = 'expired', changed_at = $1, \
             detail = 'nothing came in time: ask again, and see whether the station reaches the URL' \
             WHERE state IN ('requested', 'uploading') AND expires_at <= $1");
        self.execute(statement.bind(now)).await
    }

    /// The requests that ended before this moment, at most 100.
    pub(crate) async fn old_log_requests(&self, before: Timestamp) -> Result<Vec<String>, StoreError> {
        let statement =
            sql("SELECT id FROM log_requests WHERE requested_at < $1 AND state NOT IN ('requested', 'uploading') \
             ORDER BY id LIMIT 100");
        self.fetch_all(statement.bind(before)).await?.iter().map(|row| row.text("id")).collect()
    }

    /// Forgets a request; false when there is none.
    pub(crate) async fn delete_log_request(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.execute(sql("DELETE FROM log_requests WHERE id = $1").bind(id)).await? > 0)
    }
}

fn read(row: &Row) -> Result<LogRequest, StoreError> {
    let file = match row.optional_moment("received_at")? {
        Some(received_at) => Some(LogFile {
            name: row.text("file_name")?,
            size: u64::try_from(row.integer("size")?).unwrap_or(0),
            sha256: row.text("sha256")?,
            received_at,
        }),
        None => None,
    };
    Ok(LogRequest {
        id: row.text("id")?,
        station: row.text("station")?,
        kind: row.parsed("kind")?,
        oldest: row.optional_moment("oldest")?,
        latest: row.optional_moment("latest")?,
        requested_at: row.moment("requested_at")?,
        requested_by: row.text("requested_by")?,
        expires_at: row.moment("expires_at")?,
        state: row.parsed("state")?,
        changed_at: row.moment("changed_at")?,
        status: row.optional_text("status")?,
        detail: row.optional_text("detail")?,
        file,
    })
}
