//! Ad hoc payments: what a station tells of their settlement (2.1 part 2, C18 to C23).

use alloc::string::String;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::identity::TransactionId;

/// What became of the payment of a transaction that was paid ad hoc (NotifySettlement).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Settlement {
    /// The reference of the payment service provider, which was the token of the transaction.
    pub reference: String,
    /// The transaction; `None` where the payment was cancelled before there was one.
    pub transaction: Option<TransactionId>,
    /// What became of it.
    pub status: PaymentStatus,
    /// The terminal's own words about that.
    pub detail: Option<String>,
    /// The amount that was settled or should have been, in the currency of the station.
    pub amount: Decimal,
    /// When, by the station's clock.
    pub at: Timestamp,
    /// The receipt, where the station or its terminal has made one.
    pub receipt: Receipt,
    /// The VAT number to be put on the receipt.
    pub vat_number: Option<String>,
    /// The company that the number belongs to.
    pub company: Option<Address>,
}

/// What became of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaymentStatus {
    /// It was settled.
    Settled,
    /// There was nothing to pay: the amount held is free again.
    Canceled,
    /// The provider declined (C22.FR.01).
    Rejected,
    /// The provider could not be reached, and the station has given up (C22.FR.02).
    Failed,
    /// A word that the standard does not have.
    Unlisted(String),
}

/// Where to find the receipt of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Its address (2000 characters).
    pub url: Option<String>,
    /// Its number (50 characters).
    pub id: Option<String>,
}

/// The address of a company (AddressType).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The name (50 characters).
    pub name: String,
    /// Street and number (100 characters).
    pub line: String,
    /// A second line (100 characters).
    pub second_line: Option<String>,
    /// The city (100 characters).
    pub city: String,
    /// The postal code (20 characters).
    pub postal_code: Option<String>,
    /// The country (50 characters).
    pub country: String,
}
