//! Transactions: their messages arrive repeated, out of order or not at all, and still each is reported once.

mod entry;
mod ledger;
pub(super) mod sequence;

pub(super) use entry::{Kind, Message, StartKey};
pub(super) use ledger::{Ledger, fingerprint};
