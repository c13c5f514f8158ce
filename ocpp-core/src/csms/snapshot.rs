//! What must outlive a node.

use serde::{Deserialize, Serialize};

/// What a session must not forget: the transactions and the counter of their ids. To be stored as it is (any serde format) and
/// handed to [`Session::restore`](super::Session::restore), on this node or another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub(super) next_transaction_id: i64,
}
