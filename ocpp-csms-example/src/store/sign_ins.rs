//! Sessions of people, the links by which they choose a password, and the tokens of programs: the hashes of all of them.

use jiff::Timestamp;

use super::{Row, Store, StoreError, Unit, sql};
use crate::access::Scopes;

/// A session of somebody who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The hash of the cookie.
    pub hash: String,
    /// `operator` or `driver`.
    pub kind: String,
    /// Whose it is.
    pub account: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
}

/// A link by which somebody chooses a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUpLink {
    /// The hash of the secret in it.
    pub hash: String,
    /// `operator`, `driver` or `invitation`.
    pub kind: String,
    /// Whose password; of an invitation, how the new driver pays.
    pub account: String,
    /// Until when it may be followed.
    pub expires_at: Timestamp,
}

/// An API token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptApiToken {
    /// Its id.
    pub id: String,
    /// What it was made for.
    pub name: String,
    /// The hash of its text.
    pub hash: String,
    /// What its holder may do.
    pub scopes: Scopes,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is not taken.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is not taken any more.
    pub revoked_at: Option<Timestamp>,
}

impl Store {
    /// Keeps a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_sign_in(&self, session: &SignIn) -> Result<(), StoreError> {
        let statement =
            sql("INSERT INTO sign_ins (hash, kind, account, created_at, seen_at) VALUES ($1, $2, $3, $4, $5)")
                .bind(&session.hash)
                .bind(&session.kind)
                .bind(&session.account)
                .bind(session.created_at)
                .bind(session.seen_at);
        self.execute(statement).await?;
        Ok(())
    }

    /// The session with this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_in(&self, hash: &str) -> Result<Option<SignIn>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM sign_ins WHERE hash = $1").bind(hash)).await?;
        row.as_ref().map(read_sign_in).transpose()
    }

    /// Keeps that a session was used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_in_seen(&self, hash: &str, now: Timestamp) -> Result<(), StoreError> {
        self.execute(sql("UPDATE sign_ins SET seen_at = $2 WHERE hash = $1").bind(hash).bind(now)).await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sign_in(&self, hash: &str) -> Result<(), StoreError> {
        self.execute(sql("DELETE FROM sign_ins WHERE hash = $1").bind(hash)).await?;
        Ok(())
    }

    /// Forgets the sessions of a kind that began or were used before a moment, and all links that are over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_sign_ins(
        &self,
        kind: &str,
        created_before: Timestamp,
        seen_before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let old = sql("DELETE FROM sign_ins WHERE kind = $1 AND (created_at < $2 OR seen_at < $3)");
        self.execute(old.bind(kind).bind(created_before).bind(seen_before)).await?;
        self.execute(sql("DELETE FROM set_up_links WHERE expires_at <= $1").bind(now)).await?;
        Ok(())
    }

    /// The link with this hash, as long as it may be followed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_up_link(&self, hash: &str, now: Timestamp) -> Result<Option<SetUpLink>, StoreError> {
        let statement = sql("SELECT * FROM set_up_links WHERE hash = $1 AND expires_at > $2").bind(hash).bind(now);
        self.fetch_optional(statement).await?.as_ref().map(read_link).transpose()
    }

    /// Keeps a link; those that were made for the same account before are worth nothing any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_set_up_link(&self, link: &SetUpLink) -> Result<(), StoreError> {
        let mut unit = self.unit().await?;
        if link.kind != "invitation" {
            let before = sql("DELETE FROM set_up_links WHERE kind = $1 AND account = $2");
            unit.execute(before.bind(&link.kind).bind(&link.account)).await?;
        }
        let statement = sql("INSERT INTO set_up_links (hash, kind, account, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(&link.hash)
            .bind(&link.kind)
            .bind(&link.account)
            .bind(link.expires_at);
        unit.execute(statement).await?;
        unit.commit().await
    }

    /// All API tokens, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_tokens(&self) -> Result<Vec<KeptApiToken>, StoreError> {
        self.fetch_all(sql("SELECT * FROM api_tokens ORDER BY id DESC")).await?.iter().map(read_token).collect()
    }

    /// The API token whose text has this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_token(&self, hash: &str) -> Result<Option<KeptApiToken>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM api_tokens WHERE hash = $1").bind(hash)).await?;
        row.as_ref().map(read_token).transpose()
    }

    /// Keeps an API token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_api_token(&self, token: &KeptApiToken) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO api_tokens (id, name, hash, scopes, created_by, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(&token.id)
        .bind(&token.name)
        .bind(&token.hash)
        .bind(token.scopes.to_string())
        .bind(&token.created_by)
        .bind(token.created_at)
        .bind(token.expires_at);
        self.execute(statement).await?;
        Ok(())
    }

    /// Keeps that an API token was used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_token_used(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        self.execute(sql("UPDATE api_tokens SET last_used_at = $2 WHERE id = $1").bind(id).bind(now)).await?;
        Ok(())
    }

    /// From now on an API token is not taken. False when there is none that was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_api_token(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let statement = sql("UPDATE api_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL");
        Ok(self.execute(statement.bind(id).bind(now)).await? > 0)
    }
}

impl Unit {
    /// Ends the sessions of an account, all but this one.
    pub(crate) async fn end_sign_ins(&mut self, account: &str, but: Option<&str>) -> Result<(), StoreError> {
        let statement = sql("DELETE FROM sign_ins WHERE account = $1 AND hash <> $2");
        self.execute(statement.bind(account).bind(but.unwrap_or_default())).await?;
        Ok(())
    }

    /// Takes a link: it can be followed once. `None` when it is over, was followed already, or never was.
    pub(crate) async fn take_set_up_link(
        &mut self,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<SetUpLink>, StoreError> {
        let statement =
            sql("DELETE FROM set_up_links WHERE hash = $1 AND expires_at > $2 RETURNING *").bind(hash).bind(now);
        self.fetch_optional(statement).await?.as_ref().map(read_link).transpose()
    }
}

fn read_sign_in(row: &Row) -> Result<SignIn, StoreError> {
    Ok(SignIn {
        hash: row.text("hash")?,
        kind: row.text("kind")?,
        account: row.text("account")?,
        created_at: row.moment("created_at")?,
        seen_at: row.moment("seen_at")?,
    })
}

fn read_link(row: &Row) -> Result<SetUpLink, StoreError> {
    Ok(SetUpLink {
        hash: row.text("hash")?,
        kind: row.text("kind")?,
        account: row.text("account")?,
        expires_at: row.moment("expires_at")?,
    })
}

fn read_token(row: &Row) -> Result<KeptApiToken, StoreError> {
    Ok(KeptApiToken {
        id: row.text("id")?,
        name: row.text("name")?,
        hash: row.text("hash")?,
        scopes: row.parsed("scopes")?,
        created_by: row.text("created_by")?,
        created_at: row.moment("created_at")?,
        expires_at: row.optional_moment("expires_at")?,
        last_used_at: row.optional_moment("last_used_at")?,
        revoked_at: row.optional_moment("revoked_at")?,
    })
}
