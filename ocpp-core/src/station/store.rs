//! What a station keeps through a power cut: records, changed in batches.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::output::BatchId;

/// One stored fact: a key and a JSON text.
///
/// A store is any map from keys to texts: a table, a file for each key, a key/value store. Keys are ASCII, at most 100 characters,
/// of letters, digits, `.`, `-`, `_` and `/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it is about.
    pub key: String,
    /// The fact, as JSON.
    pub value: String,
}

/// Changes that belong together: all of them reach the storage, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// To be reported with [`Input::Stored`](super::Input::Stored).
    #[serde(skip)]
    pub id: BatchId,
    /// The changes, at most one for each key.
    pub changes: Vec<Change>,
}

/// A change of the storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Keep this record in place of any other of the same key.
    Put(Record),
    /// Forget the record of this key, if there is one.
    Delete(String),
}

impl Change {
    /// The key of the record that it changes.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Put(record) => &record.key,
            Self::Delete(key) => key,
        }
    }
}

/// A stored record can't be used. The storage, not the station, is to blame: leave the record out (keep it for inspection)
/// and restore from the rest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored record `{key}` can't be read: {reason}")]
pub struct RestoreError {
    /// Key of the record.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}
