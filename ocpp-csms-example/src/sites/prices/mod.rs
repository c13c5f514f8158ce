//! Prices of energy ahead.

mod import;

pub use import::{PriceFile, PriceFileError, Unit};

use jiff::Timestamp;
use rust_decimal::Decimal;

/// What energy costs for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceSlot {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// For a kWh; may be below zero.
    pub price: Decimal,
}
