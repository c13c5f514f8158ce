//! Transactions: their messages arrive repeated, out of order or not at all, and still each is reported once.

mod answer;
mod entry;
mod inquiry;
mod ledger;
mod limit;
pub(super) mod sequence;

pub use answer::{DriverMessage, TransactionAnswer};
pub(super) use entry::{Kind, Message, StartKey};
pub(super) use inquiry::Inquiries;
pub(super) use ledger::{Ledger, Repeated, fingerprint};
pub(super) use limit::SupportedLimits;
pub use limit::TransactionLimit;
