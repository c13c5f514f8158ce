//! The tokens that drivers present.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::drivers::put_token_terms;
use super::{Row, Store, StoreError, TokenTerms, Unit, sql};

/// What the operator decided about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenStatus {
    /// It may charge, until it expires.
    Accepted,
    /// It may not charge, for now.
    Blocked,
    /// It is treated as if it were not known.
    Invalid,
    /// It may not charge any more, whatever its date says.
    Expired,
    /// It is in use somewhere else.
    ConcurrentTx,
    /// Its account is empty.
    NoCredit,
    /// It may not charge at this kind of EVSE.
    NotAllowedTypeEvse,
    /// It may not charge at this place.
    NotAtThisLocation,
    /// It may not charge at this time.
    NotAtThisTime,
    /// Nobody knows it.
    Unknown,
}

impl TokenStatus {
    pub(crate) const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Blocked,
        Self::Invalid,
        Self::Expired,
        Self::ConcurrentTx,
        Self::NoCredit,
        Self::NotAllowedTypeEvse,
        Self::NotAtThisLocation,
        Self::NotAtThisTime,
        Self::Unknown,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Blocked => "blocked",
            Self::Invalid => "invalid",
            Self::Expired => "expired",
            Self::ConcurrentTx => "concurrent_tx",
            Self::NoCredit => "no_credit",
            Self::NotAllowedTypeEvse => "not_allowed_type_evse",
            Self::NotAtThisLocation => "not_at_this_location",
            Self::NotAtThisTime => "not_at_this_time",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for TokenStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TokenStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(())
    }
}

/// A token as it is kept. Two spellings that differ in case only are the same token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What the card or app presents, as it was entered.
    pub token: String,
    /// What kind of identifier it is, in the words of OCPP 2.1: `ISO14443`, `Central`, `eMAID`, …
    pub kind: String,
    /// What the operator decided.
    pub status: TokenStatus,
    /// From when on it is not accepted.
    pub expires_at: Option<Timestamp>,
    /// The token that stands for its group: members may stop each other's transactions.
    pub group: Option<String>,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Store {
    /// The token, whatever the case of its letters.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token(&self, token: &str) -> Result<Option<Token>, StoreError> {
        let statement = sql("SELECT * FROM tokens WHERE token_key = $1").bind(key(token));
        self.fetch_optional(statement).await?.map(|row| read(&row)).transpose()
    }

    /// At most `limit` tokens in the order of their names, after the one called `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self, after: Option<&str>, limit: u32) -> Result<Vec<Token>, StoreError> {
        let statement = sql("SELECT * FROM tokens WHERE token_key > $1 ORDER BY token_key LIMIT $2")
            .bind(after.map(key).unwrap_or_default())
            .bind(limit);
        self.fetch_all(statement).await?.iter().map(read).collect()
    }

    /// Enters or replaces a token; the moment it was first entered stays. True when it is new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_token(&self, token: &Token) -> Result<bool, StoreError> {
        let mut unit = self.unit().await?;
        let is_new = put_token(&mut unit, token).await?;
        unit.commit().await?;
        Ok(is_new)
    }

    /// The same with whose it is and where it charges: both, or neither.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_token_with(&self, token: &Token, terms: &TokenTerms) -> Result<bool, StoreError> {
        let mut unit = self.unit().await?;
        let is_new = put_token(&mut unit, token).await?;
        put_token_terms(&mut unit, &token.token, terms).await?;
        unit.commit().await?;
        Ok(is_new)
    }

    /// Removes a token. False when there was none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_token(&self, token: &str) -> Result<bool, StoreError> {
        Ok(self.execute(sql("DELETE FROM tokens WHERE token_key = $1").bind(key(token))).await? > 0)
    }
}

async fn put_token(unit: &mut Unit, token: &Token) -> Result<bool, StoreError> {
    let known = sql("SELECT token_key FROM tokens WHERE token_key = $1").bind(key(&token.token));
    let is_new = unit.fetch_optional(known).await?.is_none();
    let statement =
        sql("INSERT INTO tokens (token_key, token, type, status, expires_at, token_group, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (token_key) DO UPDATE SET token = excluded.token, type = excluded.type, \
             status = excluded.status, expires_at = excluded.expires_at, token_group = excluded.token_group, \
             updated_at = excluded.updated_at")
        .bind(key(&token.token))
        .bind(&token.token)
        .bind(&token.kind)
        .bind(token.status.as_str())
        .bind(token.expires_at)
        .bind(&token.group)
        .bind(token.created_at)
        .bind(token.updated_at);
    unit.execute(statement).await?;
    Ok(is_new)
}

/// Identifier strings are compared without regard to case (1.6 `CiString20Type`, 2.1 part 2 `identifierString`).
fn key(token: &str) -> String {
    token.to_ascii_lowercase()
}

fn read(row: &Row) -> Result<Token, StoreError> {
    Ok(Token {
        token: row.text("token")?,
        kind: row.text("type")?,
        status: row.parsed("status")?,
        expires_at: row.optional_moment("expires_at")?,
        group: row.optional_text("token_group")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}
