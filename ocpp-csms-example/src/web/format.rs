//! How moments, energies and amounts are written in pages.

use iso_currency::Currency;
use rust_decimal::Decimal;

use crate::tariffs::amount;

/// A thousandth, with so many decimals: kW of W.
#[must_use]
pub fn kilo(value: Decimal, decimals: u32) -> String {
    let mut value = (value / Decimal::ONE_THOUSAND).round_dp(decimals);
    value.rescale(decimals);
    value.to_string()
}

/// Minor units as an amount with its currency.
#[must_use]
pub fn money(minor: i64, currency: Currency) -> String {
    format!("{} {}", amount(minor, currency), currency.code())
}

/// Seconds as hours and minutes.
#[must_use]
pub fn duration(seconds: i64) -> String {
    let minutes = seconds.max(0) / 60;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}
