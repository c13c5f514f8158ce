//! What operators did.

use jiff::Timestamp;

use super::conditions::Conditions;
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
        let mut conditions = Conditions::default();
        if let Some(action) = &filter.action {
            let action = conditions.place(action);
            conditions
                .and(&format!("(action = {action} OR substr(action, 1, length({action}) + 1) = {action} || '.')"));
        }
        conditions.with("object =", filter.object.as_ref());
        if let Some(actor) = &filter.actor {
            let actor = conditions.place(actor);
            conditions.and(&format!("(actor_id = {actor} OR lower(actor_name) = lower({actor}))"));
        }
        conditions.with("at >=", filter.from);
        conditions.with("at <", filter.until);
        conditions.with("id <", filter.before.as_ref());
        let statement = conditions.select("SELECT * FROM audit", "id DESC", limit);
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
