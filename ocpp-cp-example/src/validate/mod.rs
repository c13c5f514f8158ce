//! A validator for messages and logs, in all versions.

pub mod jsonl;
mod judge;
pub mod report;

pub use judge::{Finding, Judgement, MessageKind, judge};
