//! The accounts of operators.

use jiff::Timestamp;

use super::{Row, Store, StoreError, Unit, sql};
use crate::access::Role;

/// An operator's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Its id.
    pub id: String,
    /// The name it signs in with, whatever the case of its letters.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// The argon2id hash of its password; `None` until one was chosen.
    pub password_hash: Option<String>,
    /// Whether it may not sign in.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it last signed in.
    pub last_sign_in_at: Option<Timestamp>,
}

impl Store {
    /// All operators, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        self.fetch_all(sql("SELECT * FROM operators ORDER BY name_key")).await?.iter().map(read).collect()
    }

    /// The operator with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operator(&self, id: &str) -> Result<Option<Operator>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM operators WHERE id = $1").bind(id)).await?;
        row.as_ref().map(read).transpose()
    }

    /// The operator who signs in with this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operator_named(&self, name: &str) -> Result<Option<Operator>, StoreError> {
        let statement = sql("SELECT * FROM operators WHERE name_key = $1").bind(name.to_lowercase());
        self.fetch_optional(statement).await?.as_ref().map(read).transpose()
    }

    /// Whether anybody can sign in who may do everything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_admin(&self) -> Result<bool, StoreError> {
        let statement = sql(
            "SELECT COUNT(*) AS number FROM operators WHERE role = 'admin' AND disabled = 0 AND password_hash IS NOT NULL",
        );
        Ok(self.fetch_one(statement).await?.integer("number")? > 0)
    }

    /// Makes an account. False when somebody has that name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_operator(&self, operator: &Operator) -> Result<bool, StoreError> {
        let statement =
            sql("INSERT INTO operators (id, name_key, name, role, password_hash, disabled, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING")
            .bind(&operator.id)
            .bind(operator.name.to_lowercase())
            .bind(&operator.name)
            .bind(operator.role.as_str())
            .bind(&operator.password_hash)
            .bind(operator.disabled)
            .bind(operator.created_at)
            .bind(operator.updated_at);
        Ok(self.execute(statement).await? > 0)
    }

    /// Keeps when an operator signed in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operator_signed_in(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        self.execute(sql("UPDATE operators SET last_sign_in_at = $2 WHERE id = $1").bind(id).bind(now)).await?;
        Ok(())
    }
}

impl Unit {
    /// The operator with this id.
    pub(crate) async fn operator(&mut self, id: &str) -> Result<Option<Operator>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM operators WHERE id = $1").bind(id)).await?;
        row.as_ref().map(read).transpose()
    }

    /// How many admins may sign in besides this one.
    pub(crate) async fn other_admins(&mut self, id: &str) -> Result<i64, StoreError> {
        let statement = sql("SELECT COUNT(*) AS number FROM operators \
             WHERE role = 'admin' AND disabled = 0 AND password_hash IS NOT NULL AND id <> $1");
        self.fetch_optional(statement.bind(id)).await?.map_or(Ok(0), |row| row.integer("number"))
    }

    /// Keeps what was changed of an account. False when somebody else has its new name.
    pub(crate) async fn put_operator(&mut self, operator: &Operator) -> Result<bool, StoreError> {
        let statement = sql("UPDATE operators SET name_key = $2, name = $3, role = $4, password_hash = $5, disabled = $6, \
             updated_at = $7 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM operators AS o WHERE o.name_key = $2 AND o.id <> $1)")
        .bind(&operator.id)
        .bind(operator.name.to_lowercase())
        .bind(&operator.name)
        .bind(operator.role.as_str())
        .bind(&operator.password_hash)
        .bind(operator.disabled)
        .bind(operator.updated_at);
        Ok(self.execute(statement).await? > 0)
    }
}

fn read(row: &Row) -> Result<Operator, StoreError> {
    Ok(Operator {
        id: row.text("id")?,
        name: row.text("name")?,
        role: row.parsed("role")?,
        password_hash: row.optional_text("password_hash")?,
        disabled: row.flag("disabled")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
        last_sign_in_at: row.optional_moment("last_sign_in_at")?,
    })
}
