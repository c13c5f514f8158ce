//! The authorisation cache: what the CSMS said last about each token (2.1 part 2, C10 to C12; 1.6 edition 2, 3.5.1, errata 3.4).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Station;
use super::calls::TokenInfo;
use super::facts::{Token, TokenType};
use super::local_authorization::TokenKey;
use super::settings::Key;

/// Most bytes that the entries take together (`AuthCacheCtrlr.Storage`).
pub(super) const CAPACITY: usize = 65_536;
/// What an entry takes besides its texts.
const OVERHEAD: usize = 128;

/// The cache.
#[derive(Debug, Default)]
pub(super) struct AuthorizationCache {
    entries: BTreeMap<TokenKey, Entry>,
    bytes: usize,
    /// Number of the next entry: an older one has a smaller number.
    next: u64,
    /// Counts what happens to the entries, so that they can be told apart by when they were used.
    uses: u64,
}

/// What is kept of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    token: Token,
    pub(super) info: TokenInfo,
    #[serde(with = "super::serial::time")]
    updated_at: Timestamp,
    last_used: u64,
    times_used: u32,
    #[serde(skip)]
    number: u64,
}

impl Entry {
    fn bytes(&self) -> usize {
        let texts = self.token.value.len() + self.info.status.len() + self.info.group.as_ref().map_or(0, String::len);
        // The value is the key as well.
        OVERHEAD + texts + self.token.value.len() + self.info.evses.len() * size_of::<u32>()
    }

    /// Whether it is too old to be relied on (C10.FR.08, C10.FR.10, C10.FR.13; 1.6 edition 2, 3.5.1).
    pub(super) fn has_expired(&self, now: Timestamp, life_time: i64) -> bool {
        match self.info.expires {
            Some(expires) => expires <= now,
            None => life_time > 0 && now.duration_since(self.updated_at) > SignedDuration::from_secs(life_time),
        }
    }
}

/// Which of the valid entries makes room first (`AuthCacheCtrlr.Policy`).
fn rank(entry: &Entry, policy: &str) -> (u64, u64) {
    match policy {
        "FIFO" => (entry.number, 0),
        "LFU" => (entry.times_used.into(), entry.last_used),
        _ => (entry.last_used, 0),
    }
}

fn record(number: u64) -> String {
    format!("authorization-cache/{number:020}")
}

impl AuthorizationCache {
    pub(super) fn get(&self, key: &TokenKey) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes over what a predecessor stored.
    pub(super) fn restore(&mut self, number: u64, entry: Entry) {
        self.next = self.next.max(number.saturating_add(1));
        self.uses = self.uses.max(entry.last_used);
        self.insert(TokenKey::new(&entry.token), Entry { number, ..entry });
    }

    fn insert(&mut self, key: TokenKey, entry: Entry) {
        self.bytes += entry.bytes();
        if let Some(replaced) = self.entries.insert(key, entry) {
            self.bytes -= replaced.bytes();
        }
    }

    fn remove(&mut self, key: &TokenKey) -> Option<Entry> {
        let removed = self.entries.remove(key)?;
        self.bytes -= removed.bytes();
        Some(removed)
    }

    /// The keys of the entries that make room for so many bytes: first whatever is not valid, then the one that the policy
    /// names (C10.FR.07; 1.6 edition 2, 3.5.1).
    fn make_room(&mut self, bytes: usize, policy: &str, is_valid: impl Fn(&Entry) -> bool) -> Vec<u64> {
        if self.bytes + bytes <= CAPACITY {
            return Vec::new();
        }
        let invalid: Vec<TokenKey> =
            self.entries.iter().filter(|(_, entry)| !is_valid(entry)).map(|(key, _)| key.clone()).collect();
        let mut removed: Vec<u64> = invalid.iter().filter_map(|key| Some(self.remove(key)?.number)).collect();
        while self.bytes + bytes > CAPACITY {
            let victim = self.entries.iter().min_by_key(|(_, entry)| rank(entry, policy)).map(|(key, _)| key.clone());
            let Some(victim) = victim else { break };
            removed.extend(self.remove(&victim).map(|entry| entry.number));
        }
        removed
    }

    /// Notes that a token charges by what is kept of it. Kept in memory alone: its message brings an answer that is stored.
    fn used(&mut self, key: &TokenKey) {
        self.uses += 1;
        let uses = self.uses;
        if let Some(entry) = self.entries.get_mut(key) {
            entry.last_used = uses;
            entry.times_used = entry.times_used.saturating_add(1);
        }
    }
}

impl Station {
    /// The CSMS said something about a token (C10.FR.04, C10.FR.05, C12.FR.06; 1.6 edition 2, 3.5.1).
    pub(super) fn remember(&mut self, token: &Token, info: &TokenInfo) {
        if self.is_listed(token) {
            // 1.6 edition 2, 3.5.3: what is in the list stays out of the cache.
            self.report_list_conflict(token, info);
            return;
        }
        // C02.FR.03, C05.FR.02: nobody presents these.
        let is_presented = !matches!(token.kind, TokenType::Central | TokenType::NoAuthorization);
        if is_presented && self.settings.boolean(Key::AuthCacheEnabled) {
            self.cache(token, info);
        }
    }

    pub(super) fn cache(&mut self, token: &Token, info: &TokenInfo) {
        let key = self.token_key(token);
        let now = self.utc();
        if self.forgets_expired() && info.expires.is_some_and(|expires| expires <= now) {
            // C10.FR.10, C17.FR.01: this is how a CSMS keeps a token out of the cache.
            self.forget_cached(token);
            return;
        }
        let known = self.authorization_cache.remove(&key);
        self.authorization_cache.uses += 1;
        let number = known.as_ref().map_or(self.authorization_cache.next, |known| known.number);
        let entry = Entry {
            token: key.token(token),
            info: self.bounded(info),
            updated_at: now,
            last_used: self.authorization_cache.uses,
            times_used: known.map_or(0, |known| known.times_used).saturating_add(1),
            number,
        };
        let life_time = self.settings.integer(Key::AuthCacheLifeTime);
        let is_valid = |entry: &Entry| entry.info.accepted && !entry.has_expired(now, life_time);
        let policy = self.settings.text(Key::AuthCachePolicy);
        for number in self.authorization_cache.make_room(entry.bytes(), policy, is_valid) {
            self.journal.delete(record(number));
        }
        self.authorization_cache.next = self.authorization_cache.next.max(number + 1);
        self.journal.put(record(number), &entry);
        self.authorization_cache.insert(key, entry);
    }

    /// Takes a token out of the cache.
    pub(super) fn forget_cached(&mut self, token: &Token) {
        if let Some(entry) = self.authorization_cache.remove(&self.token_key(token)) {
            self.journal.delete(record(entry.number));
        }
    }

    pub(super) fn authorization_cache_used(&mut self, token: &Token) {
        let key = self.token_key(token);
        self.authorization_cache.used(&key);
    }

    /// The CSMS wants the cache cleared (C11; 1.6 edition 2, 5.4). Whether there is one.
    pub(super) fn clear_authorization_cache(&mut self) -> bool {
        let is_enabled = self.settings.boolean(Key::AuthCacheEnabled);
        if is_enabled {
            self.empty_authorization_cache();
        }
        is_enabled
    }

    pub(super) fn empty_authorization_cache(&mut self) {
        for entry in core::mem::take(&mut self.authorization_cache.entries).into_values() {
            self.journal.delete(record(entry.number));
        }
        self.authorization_cache.bytes = 0;
    }
}
