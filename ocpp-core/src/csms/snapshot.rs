//! What must outlive a node.

use serde::{Deserialize, Serialize};

use super::flows::SavedFlows;
use super::mirrors::Mirrors;
use super::transactions::Ledger;

/// What a session must not forget: the transactions and the counter of their ids, and the flows under way; and what it is good to
/// remember: the [`Mirrors`]. To be stored as it is, in any format that serde has, and to be handed to
/// [`Session::restore`](super::Session::restore), on this node or another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub(super) ledger: Ledger,
    /// Snapshots of old have none.
    #[serde(default)]
    pub(super) flows: SavedFlows,
    #[serde(default)]
    pub(super) mirrors: Mirrors,
}

impl Snapshot {
    /// The same without the mirrors, which are the larger part and change seldom. An application that stores a snapshot with
    /// every fact may store this one, and the mirrors by themselves where
    /// [`Event::MirrorChanged`](super::Event::MirrorChanged) tells of a change.
    #[must_use]
    pub fn without_mirrors(mut self) -> Self {
        self.mirrors = Mirrors::default();
        self
    }

    /// The same with these mirrors.
    #[must_use]
    pub fn with_mirrors(mut self, mirrors: Mirrors) -> Self {
        self.mirrors = mirrors;
        self
    }
}
