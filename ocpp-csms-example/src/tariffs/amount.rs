//! Amounts of money, as people write them and as they are kept.

use iso_currency::Currency;
use rust_decimal::{Decimal, RoundingStrategy};

/// An amount in whole units of a currency, with as many decimals as the currency has.
#[must_use]
pub fn amount(minor: i64, currency: Currency) -> Decimal {
    Decimal::new(minor, digits(currency))
}

/// An amount as people read it, such as `12.30 EUR`.
#[must_use]
pub fn written(minor: i64, currency: Currency) -> String {
    format!("{} {}", amount(minor, currency), currency.code())
}

/// The minor units of an amount in whole units.
///
/// # Errors
/// It has more decimals than the currency, or is more than can be kept.
pub fn minor_units(amount: Decimal, currency: Currency) -> Result<i64, AmountTooFine> {
    let wrong = || AmountTooFine { amount, currency, digits: digits(currency) };
    let units = 10_i64.checked_pow(digits(currency)).ok_or_else(wrong)?;
    let minor = amount.checked_mul(Decimal::from(units)).ok_or_else(wrong)?;
    if !minor.fract().is_zero() {
        return Err(wrong());
    }
    minor.try_into().map_err(|_| wrong())
}

/// The same, rounded half a minor unit upwards. `None` for more than can be kept.
#[must_use]
pub fn rounded_units(amount: Decimal, currency: Currency) -> Option<i64> {
    let units = 10_i64.checked_pow(digits(currency))?;
    let minor = amount.checked_mul(Decimal::from(units))?;
    minor.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).try_into().ok()
}

/// An amount that the currency cannot express.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{amount} {}: write an amount with at most {digits} decimals, below 10000000000", currency.code())]
pub struct AmountTooFine {
    amount: Decimal,
    currency: Currency,
    digits: u32,
}

/// How many decimals a currency has (ISO 4217): two, but none for the yen and three for the dinar. Units that are no money of
/// everyday life, such as gold, have none.
#[must_use]
pub fn digits(currency: Currency) -> u32 {
    currency.exponent().map_or(0, u32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_have_the_decimals_of_iso_4217() {
        assert_eq!(amount(68, Currency::JPY).to_string(), "68");
        assert_eq!(amount(25, Currency::KWD).to_string(), "0.025");
        assert_eq!(written(1_230, Currency::EUR), "12.30 EUR");
    }

    #[test]
    fn an_amount_that_the_currency_cannot_express_is_refused() {
        let units = |text: &str, currency| minor_units(text.parse().unwrap(), currency);
        assert_eq!(units("12.3", Currency::EUR), Ok(1_230));
        assert_eq!(units("0.025", Currency::KWD), Ok(25));
        let error = units("0.125", Currency::EUR).unwrap_err().to_string();
        assert!(error.contains("at most 2 decimals"), "{error}");
        assert!(units("1.5", Currency::JPY).is_err());
        assert!(units("79228162514264337593543950335", Currency::EUR).is_err());
    }
}
