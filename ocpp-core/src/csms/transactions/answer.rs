//! What a station is told in the answer to a message of a transaction, besides the judgement of a token.

use alloc::string::String;
use alloc::vec::Vec;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::limit::TransactionLimit;

/// What the application wants a station told in the answer to a message of a transaction (2.1 part 2, TransactionEventResponse).
/// 1.6 has no room for any of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransactionAnswer {
    /// What the transaction costs so far, or after its end in all, in the currency of the station, taxes included. Zero says that
    /// it is free; `None` says nothing (I02.FR.01, I03.FR.02, I03.FR.04).
    #[serde(with = "crate::csms::stored::decimal")]
    pub total_cost: Option<Decimal>,
    /// The limits that are to hold for the transaction (2.1, E16). To be given every time: the session tells the station only
    /// what it was not told yet, what it supports, and nothing where a limit of the station's own is at least as strict.
    pub limit: Option<TransactionLimit>,
    /// The priority of the transaction, -9 to 9; 0 is the default.
    pub charging_priority: Option<i64>,
    /// Words to show to the driver instead of those that were shown before, such as a new tariff, in the default language first
    /// (I06.FR.02). 2.0.1 takes one, 2.1 takes five; what is over is left out.
    pub messages: Vec<DriverMessage>,
}

/// Words to show to a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DriverMessage {
    /// The text, as UTF-8: 512 characters in 2.0.1, 1024 in 2.1; what is over is cut.
    pub content: String,
    /// The language of it, such as `de` (8 characters).
    pub language: Option<String>,
}

impl DriverMessage {
    /// A text in a language that is not said.
    pub fn new(content: impl Into<String>) -> Self {
        Self { content: content.into(), language: None }
    }
}
