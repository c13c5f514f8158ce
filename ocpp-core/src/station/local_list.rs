//! The local authorisation list, which the CSMS keeps up to date (2.1 part 2, block D; 1.6 edition 2, 3.5.2, 5.10, 5.15).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::Station;
use super::calls::{Call, TokenInfo};
use super::facts::Token;
use super::local_authorization::TokenKey;
use super::settings::Key;

/// The list.
#[derive(Debug, Default)]
pub(super) struct LocalList {
    /// What the CSMS calls this state of the list; 0 before it sent one.
    version: i64,
    entries: BTreeMap<TokenKey, Entry>,
    /// Number of the next entry's record.
    next: u64,
}

/// A token of the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    token: Token,
    pub(super) info: TokenInfo,
    #[serde(skip)]
    number: u64,
}

/// What is kept of the version. A number alone that is cut off would look like another one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct VersionRecord {
    version: i64,
}

/// What an update does with the rest of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UpdateType {
    /// It is replaced.
    Full,
    /// It stays.
    Differential,
}

/// An update of the list.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) kind: UpdateType,
    pub(super) version: i64,
    /// Tokens with what the list says about them, or with nothing to take them out.
    pub(super) tokens: Vec<(Token, Option<TokenInfo>)>,
    /// Size of the message, where that is limited.
    pub(super) bytes: usize,
}

/// What became of an update. Only one that is accepted has changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Updated {
    Accepted,
    Failed,
    /// The list is switched off.
    NotEnabled,
    VersionMismatch,
}

fn record(number: u64) -> String {
    format!("local-list/{number:020}")
}

impl LocalList {
    pub(super) fn get(&self, key: &TokenKey) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes over what a predecessor stored.
    pub(super) fn restore(&mut self, number: u64, entry: Entry) {
        self.next = self.next.max(number.saturating_add(1));
        self.entries.insert(TokenKey::new(&entry.token), Entry { number, ..entry });
    }

    pub(super) fn restore_version(&mut self, record: &VersionRecord) {
        self.version = record.version;
    }
}

impl Station {
    /// The version of the list, if there is a list (D02.FR.01 to 03; 1.6 edition 2, 5.10).
    pub(super) fn local_list_version(&self) -> Option<i64> {
        self.settings.boolean(Key::LocalListEnabled).then_some(self.local_list.version)
    }

    /// Whether the list decides about a token.
    pub(super) fn is_listed(&self, token: &Token) -> bool {
        self.settings.boolean(Key::LocalListEnabled) && self.local_list.get(&self.token_key(token)).is_some()
    }

    /// The CSMS updates the list (D01; 1.6 edition 2, 5.15). All of the update is stored in one batch, ahead of the answer.
    pub(super) fn update_local_list(&mut self, update: Update) -> Updated {
        if !self.settings.boolean(Key::LocalListEnabled) {
            return Updated::NotEnabled;
        }
        if update.kind == UpdateType::Differential && update.version <= self.local_list.version {
            // D01.FR.19; 1.6 edition 2, 7.47
            return Updated::VersionMismatch;
        }
        if !self.is_acceptable(&update) {
            return Updated::Failed;
        }
        if update.kind == UpdateType::Full {
            // D01.FR.04, D01.FR.15
            let kept: BTreeSet<TokenKey> = update.tokens.iter().map(|(token, _)| self.token_key(token)).collect();
            let dropped: Vec<TokenKey> =
                self.local_list.entries.keys().filter(|key| !kept.contains(*key)).cloned().collect();
            for key in dropped {
                self.unlist(&key);
            }
        }
        for (token, info) in update.tokens {
            match info {
                // D01.FR.16
                Some(info) => self.list(&token, &info),
                // D01.FR.17
                None => self.unlist(&self.token_key(&token)),
            }
        }
        self.local_list.version = update.version;
        self.journal.put("local-list/version".to_string(), &VersionRecord { version: update.version });
        Updated::Accepted
    }

    fn is_acceptable(&self, update: &Update) -> bool {
        let limit = |key| usize::try_from(self.settings.integer(key)).unwrap_or(0);
        let keys: BTreeSet<TokenKey> = update.tokens.iter().map(|(token, _)| self.token_key(token)).collect();
        let count = |wanted: bool| {
            let meant = update.tokens.iter().filter(|(_, info)| info.is_some() == wanted);
            let is_listed = |token: &Token| self.local_list.get(&self.token_key(token)).is_some();
            meant.filter(|(token, _)| is_listed(token) != wanted).count()
        };
        let length = match update.kind {
            UpdateType::Full => update.tokens.len(),
            // What names a token twice is refused below.
            UpdateType::Differential => (self.local_list.len() + count(true)).saturating_sub(count(false)),
        };
        // D01.FR.18; 1.6 errata 3.52: 0 and -1 say something else than the version of a list.
        update.version > 0
            // D01.FR.11; 1.6 edition 2, 9.2.3
            && update.tokens.len() <= limit(Key::LocalListItemsPerMessage)
            && update.bytes <= limit(Key::LocalListBytesPerMessage)
            // D01.FR.06; 1.6 edition 2, 6.41
            && keys.len() == update.tokens.len()
            // 1.6 edition 2, 7.1
            && (update.kind == UpdateType::Differential || update.tokens.iter().all(|(_, info)| info.is_some()))
            // D01.FR.12; 1.6 edition 2, 9.2.2
            && length <= limit(Key::LocalListMaxLength)
    }

    /// Puts a token into the list, or changes what the list says about it.
    pub(super) fn list(&mut self, token: &Token, info: &TokenInfo) {
        let key = self.token_key(token);
        let number = self.local_list.get(&key).map_or(self.local_list.next, |known| known.number);
        self.local_list.next = self.local_list.next.max(number + 1);
        let entry = Entry { token: key.token(token), info: self.bounded(info), number };
        self.journal.put(record(number), &entry);
        self.local_list.entries.insert(key, entry);
        // 1.6 edition 2, 3.5.3: it is in one of them.
        self.forget_cached(token);
    }

    fn unlist(&mut self, key: &TokenKey) {
        if let Some(entry) = self.local_list.entries.remove(key) {
            self.journal.delete(record(entry.number));
        }
    }

    /// 1.6 edition 2, 3.5.2: the CSMS is told when it says something else than its list.
    pub(super) fn report_list_conflict(&mut self, token: &Token, info: &TokenInfo) {
        // A second transaction of a valid token is no contradiction.
        let is_valid = info.accepted || info.status == "ConcurrentTx";
        let agrees = self.known(token).is_none_or(|known| known.is_valid() == is_valid);
        if self.version() == Version::V1_6 && !agrees {
            let report = self.station_report();
            self.request(Call::LocalListConflict(report));
        }
    }
}
