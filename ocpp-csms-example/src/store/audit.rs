//! What operators did.

use jiff::Timestamp;

use super::{Row, Store, StoreError, sql};

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id; later ones are greater.
    pub id: String,
    /// When it was done.
    pub at: Timestamp,
    /// What kind of actor did it.
    pub actor_kind: String,
    /// The actor's account or API token.
    pub actor_id: Option<String>,
    /// What the actor was called then.
    pub actor_name: String,
    /// What was done, such as `tariff.created`.
    pub action: String,
    /// On what.
    pub object: String,
    /// What else is worth knowing; never a secret.
    pub detail: String,
    /// From where.
    pub address: Option<String>,
}

/// Which part of the audit log. What is `None` restricts nothing.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// What was done: the whole name, or its beginning up to a dot, such as `tariff`.
    pub action: Option<String>,
    /// On what.
    pub object: Option<String>,
    /// Who: the id of the account or API token, or the name.
    pub actor: Option<String>,
    /// Not earlier than this.
    pub from: Option<Timestamp>,
    /// Earlier than this.
    pub until: Option<Timestamp>,
    /// Only entries before this id.
    pub before: Option<String>,
}

impl Store {
    /// Keeps what was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let statement =
            sql("INSERT INTO audit (id, at, actor_kind, actor_id, actor_name, action, object, detail, address) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(&entry.id)
            .bind(entry.at)
            .bind(&entry.actor_kind)
            .bind(&entry.actor_id)
            .bind(&entry.actor_name)
            .bind(&entry.action)
            .bind(&entry.object)
            .bind(&entry.detail)
            .bind(&entry.address);
        self.execute(statement).await?;
        Ok(())
    }

    /// What was done, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        // PostgreSQL wants to know what a parameter is that stands alone beside IS NULL.
        let statement = sql("SELECT * FROM audit WHERE \
             (CAST($1 AS TEXT) IS NULL OR action = $1 OR substr(action, 1, length($1) + 1) = $1 || '.') \
             AND (CAST($2 AS TEXT) IS NULL OR object = $2) \
             AND (CAST($3 AS TEXT) IS NULL OR actor_id = $3 OR lower(actor_name) = lower($3)) \
             AND (CAST($4 AS BIGINT) IS NULL OR at >= $4) AND (CAST($5 AS BIGINT) IS NULL OR at < $5) \
             AND (CAST($6 AS TEXT) IS NULL OR id < $6) ORDER BY id DESC LIMIT $7")
        .bind(&filter.action)
        .bind(&filter.object)
        .bind(&filter.actor)
        .bind(filter.from)
        .bind(filter.until)
        .bind(&filter.before)
        .bind(limit);
        self.fetch_all(statement).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        id: row.text("id")?,
        at: row.moment("at")?,
        actor_kind: row.text("actor_kind")?,
        actor_id: row.optional_text("actor_id")?,
        actor_name: row.text("actor_name")?,
        action: row.text("action")?,
        object: row.text("object")?,
        detail: row.text("detail")?,
        address: row.optional_text("address")?,
    })
}
