//! What the station itself knows about a token, and when it may rely on that: the local list, then the cache, then nothing
//! (2.1 part 2, C10 to C15; 1.6 edition 2, 3.5).

use alloc::string::{String, ToString};

use jiff::Timestamp;
use ocpp_types::Version;

use super::Station;
use super::authorization::token_limit;
use super::calls::TokenInfo;
use super::facts::{Token, TokenType};
use super::settings::Key;
use crate::time::Now;

/// What a CSMS may say about a token (2.1 part 2, `AuthorizationStatusEnumType`).
const STATUSES: &[&str] = &[
    "Accepted",
    "Blocked",
    "ConcurrentTx",
    "Expired",
    "Invalid",
    "NoCredit",
    "NotAllowedTypeEVSE",
    "NotAtThisLocation",
    "NotAtThisTime",
    "Unknown",
];

/// What identifies a token: its value without regard to case, and its kind (C01.FR.25).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TokenKey {
    value: String,
    kind: TokenType,
}

impl TokenKey {
    pub(super) fn new(token: &Token) -> Self {
        Self { value: token.value.to_ascii_lowercase(), kind: token.kind.clone() }
    }

    /// The token, as it is found again under this key.
    pub(super) fn token(&self, token: &Token) -> Token {
        Token { kind: self.kind.clone(), ..token.clone() }
    }
}

/// Where something is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    LocalList,
    Cache,
}

/// What is known about a token.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) info: TokenInfo,
    source: Source,
    has_expired: bool,
}

impl Known {
    /// Whether the token may charge by that.
    pub(super) fn is_valid(&self) -> bool {
        self.info.accepted && !self.has_expired
    }

    fn status(self) -> String {
        if self.info.accepted { "Expired".to_string() } else { self.info.status }
    }
}

/// What the station makes of a token by itself.
#[derive(Debug)]
pub(super) enum Judgement {
    /// It may charge.
    Accept(TokenInfo),
    /// It may not, for this reason.
    Refuse(String),
    /// The CSMS has to say so.
    Ask,
}

impl Station {
    /// Under what a token is known. 1.6 doesn't tell kinds of tokens apart.
    pub(super) fn token_key(&self, token: &Token) -> TokenKey {
        match self.version() {
            Version::V1_6 => TokenKey::new(&Token::rfid(token.value.as_str())),
            Version::V2_0_1 | Version::V2_1 => TokenKey::new(token),
        }
    }

    /// Whether something that has expired is forgotten rather than kept as expired (C10.FR.10; 1.6 edition 2, 3.5.1).
    pub(super) fn forgets_expired(&self) -> bool {
        self.version() != Version::V1_6
    }

    /// What is to be kept of what the CSMS said: of the EVSEs only those that there are, so that the size has a limit.
    pub(super) fn bounded(&self, info: &TokenInfo) -> TokenInfo {
        let mut bounded = info.clone();
        bounded.evses.retain(|evse| self.position(*evse).is_some());
        bounded.evses.sort_unstable();
        bounded.evses.dedup();
        if bounded.evses.is_empty() && !info.evses.is_empty() {
            // None of them is not the same as all of them.
            bounded.evses.push(0);
        }
        bounded
    }

    /// What the station knows about a token. The list stands above the cache (C13.FR.01, C14.FR.01; 1.6 edition 2, 3.5.3).
    pub(super) fn known(&self, token: &Token) -> Option<Known> {
        let key = self.token_key(token);
        let now = self.utc();
        let listed = || {
            let entry = self.local_list.get(&key)?;
            // C13.FR.05, C14.FR.05; 1.6 edition 2, 3.5.4
            let has_expired = entry.info.expires.is_some_and(|expires| expires <= now);
            Some(Known { info: entry.info.clone(), source: Source::LocalList, has_expired })
        };
        let cached = || {
            let entry = self.authorization_cache.get(&key)?;
            let has_expired = entry.has_expired(now, self.settings.integer(Key::AuthCacheLifeTime));
            Some(Known { info: entry.info.clone(), source: Source::Cache, has_expired })
        };
        let list = self.settings.boolean(Key::LocalListEnabled).then(listed).flatten();
        list.or_else(|| self.settings.boolean(Key::AuthCacheEnabled).then(cached).flatten())
    }

    /// What becomes of a token while the CSMS can be asked.
    pub(super) fn judge(&self, token: &Token) -> Judgement {
        let asks_nobody = self.settings.boolean(Key::DisableRemoteAuthorization);
        match self.known(token) {
            // C12.FR.02, C14.FR.02, C14.FR.04; 1.6 edition 2, 9.1.13
            Some(known) if known.is_valid() && (asks_nobody || self.settings.boolean(Key::LocalPreAuthorize)) => {
                Judgement::Accept(known.info)
            }
            Some(known) if asks_nobody => Judgement::Refuse(known.status()),
            None if asks_nobody => Judgement::Refuse("Unknown".to_string()),
            Some(known) if !known.info.accepted => {
                let key = match known.source {
                    Source::LocalList => Key::LocalListDisablePostAuthorize,
                    Source::Cache => Key::AuthCacheDisablePostAuthorize,
                };
                // C10.FR.03, C12.FR.05, C14.FR.03: it may have become valid.
                if self.settings.boolean(key) { Judgement::Refuse(known.status()) } else { Judgement::Ask }
            }
            // C14.FR.05, C10.FR.13: what has expired is asked about as if it were not known.
            Some(_) | None => Judgement::Ask,
        }
    }

    /// What becomes of a token while there is no connection (C13, C15; 1.6 edition 2, 3.5.4, 9.1.1, 9.1.12):
    /// what it may charge by, or why it may not.
    pub(super) fn judge_offline(&self, token: &Token) -> Result<TokenInfo, String> {
        let takes_unknown = self.settings.boolean(Key::OfflineTxForUnknownId);
        match self.known(token) {
            // C13.FR.06: what is known to be invalid is not unknown.
            Some(known) if !known.is_valid() => Err(known.status()),
            // Where strangers may charge, one that is known to be valid may as well.
            Some(known) if takes_unknown || self.settings.boolean(Key::LocalAuthorizeOffline) => Ok(known.info),
            // C13.FR.04, C15.FR.08
            None if takes_unknown => Ok(TokenInfo {
                status: "Offline".to_string(),
                accepted: true,
                group: None,
                evses: alloc::vec::Vec::new(),
                expires: None,
            }),
            Some(_) | None => Err("Offline".to_string()),
        }
    }
}

/// What a local operator has the station know about a token.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct TokenEntry {
    /// The token. In 1.6 its kind doesn't count.
    pub token: Token,
    /// The standard's word about it: `Accepted`, `Blocked`, … (2.1 part 2, `AuthorizationStatusEnumType`).
    pub status: String,
    /// Until when that may be relied on; `None` for no end.
    #[serde(with = "super::serial::optional_time")]
    pub expires_at: Option<Timestamp>,
    /// The group that it belongs to, whose members end each other's transactions.
    pub group: Option<String>,
}

impl TokenEntry {
    /// An entry without end and without a group.
    #[must_use]
    pub fn new(token: Token, status: impl Into<String>) -> Self {
        Self { token, status: status.into(), expires_at: None, group: None }
    }
}

/// Why a token was not kept. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenEntryError {
    /// The word is none of the standard's.
    #[error("`{0}` is no status of a token: give one of {statuses}", statuses = STATUSES.join(", "))]
    Status(String),
    /// The token or its group is empty, or longer than the version has room for.
    #[error("a token and a group have 1 to {maximum} characters in this version")]
    Length {
        /// Most characters.
        maximum: usize,
    },
    /// The setting that is named is `false`.
    #[error("it is switched off: set `{0}` to true first")]
    Disabled(&'static str),
    /// The list has as many tokens as it takes.
    #[error("the local list is full with {0} tokens: send a shorter one first")]
    Full(usize),
}

impl Station {
    /// Puts a token into the authorisation cache on behalf of the local operator, as if the CSMS had just said that about it.
    /// In 2.x, an entry that has expired already takes the token out of the cache (C10.FR.10).
    ///
    /// This is an input like any other: drain `poll_output` afterwards, and keep it in a log that is to be replayed.
    ///
    /// # Errors
    /// The entry can't be used, or the cache is switched off.
    pub fn put_into_authorization_cache(&mut self, now: Now, entry: &TokenEntry) -> Result<(), TokenEntryError> {
        self.now = now;
        let info = self.token_info(entry)?;
        if !self.settings.boolean(Key::AuthCacheEnabled) {
            return Err(TokenEntryError::Disabled("AuthCacheCtrlr.Enabled"));
        }
        self.cache(&entry.token, &info);
        self.settle();
        Ok(())
    }

    /// Puts a token into the local authorisation list on behalf of the local operator, for trials: the standard leaves the list
    /// to the CSMS alone (D01.FR.09; 1.6 edition 2, 3.5.2). The list keeps its version.
    ///
    /// This is an input like any other: drain `poll_output` afterwards, and keep it in a log that is to be replayed.
    ///
    /// # Errors
    /// The entry can't be used, or the list is switched off or full.
    pub fn put_into_local_list(&mut self, now: Now, entry: &TokenEntry) -> Result<(), TokenEntryError> {
        self.now = now;
        let mut info = self.token_info(entry)?;
        if self.local_list_version().is_none() {
            return Err(TokenEntryError::Disabled("LocalAuthListCtrlr.Enabled"));
        }
        let limit = usize::try_from(self.settings.integer(Key::LocalListMaxLength)).unwrap_or(0);
        if !self.is_listed(&entry.token) && self.local_list.len() >= limit {
            return Err(TokenEntryError::Full(limit));
        }
        info.accepted |= self.version() == Version::V1_6 && info.status == "ConcurrentTx";
        self.list(&entry.token, &info);
        self.settle();
        Ok(())
    }

    fn token_info(&self, entry: &TokenEntry) -> Result<TokenInfo, TokenEntryError> {
        let maximum = token_limit(self.version());
        let texts = core::iter::once(&entry.token.value).chain(&entry.group);
        if !texts.map(|text| text.chars().count()).all(|length| (1..=maximum).contains(&length)) {
            return Err(TokenEntryError::Length { maximum });
        }
        if !STATUSES.contains(&entry.status.as_str()) {
            return Err(TokenEntryError::Status(entry.status.clone()));
        }
        Ok(TokenInfo {
            status: entry.status.clone(),
            accepted: entry.status == "Accepted",
            group: entry.group.clone(),
            evses: alloc::vec::Vec::new(),
            expires: entry.expires_at,
        })
    }
}
