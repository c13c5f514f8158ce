//! What must outlive a node.

use serde::{Deserialize, Serialize};

use super::transactions::Ledger;

/// What a session must not forget: the transactions and the counter of their ids. To be stored as it is, in any format that
/// serde has, and to be handed to [`Session::restore`](super::Session::restore), on this node or another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub(super) ledger: Ledger,
}
