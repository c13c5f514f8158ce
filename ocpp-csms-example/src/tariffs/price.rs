//! What charging costs: a price for each kWh, in exact decimals.

use iso_currency::Currency;
use rust_decimal::{Decimal, RoundingStrategy};

/// The price of energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// What a kWh costs, in whole units of the currency; never negative.
    pub per_kwh: Decimal,
    /// The currency.
    pub currency: Currency,
}

impl Price {
    /// The cost of an amount of energy in minor units of the currency. The energy is multiplied exactly and the product is
    /// rounded once, half a minor unit upwards. `None` for more than can be billed (2^63 minor units).
    #[must_use]
    pub fn cost(&self, energy_wh: Decimal) -> Option<i64> {
        let per_wh = self.per_kwh.checked_div(Decimal::ONE_THOUSAND)?;
        let minor =
            energy_wh.checked_mul(per_wh)?.checked_mul(Decimal::from(10_i64.checked_pow(digits(self.currency))?))?;
        minor.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).try_into().ok()
    }
}

/// An amount in whole units of a currency, with as many decimals as the currency has.
#[must_use]
pub fn amount(minor: i64, currency: Currency) -> Decimal {
    Decimal::new(minor, digits(currency))
}

/// How many decimals a currency has (ISO 4217): two, but none for the yen and three for the dinar. Units that are no money of
/// everyday life, such as gold, have none.
fn digits(currency: Currency) -> u32 {
    currency.exponent().map_or(0, u32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(per_kwh: &str, currency: Currency) -> Price {
        Price { per_kwh: per_kwh.parse().unwrap(), currency }
    }

    fn wh(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn half_a_cent_is_rounded_up_and_less_is_rounded_down() {
        let price = price("0.50", Currency::EUR);
        assert_eq!(price.cost(wh("10")), Some(1));
        assert_eq!(price.cost(wh("9.999999")), Some(0));
        assert_eq!(price.cost(wh("30")), Some(2));
    }

    #[test]
    fn a_product_that_binary_fractions_cannot_hold_is_exact() {
        assert_eq!(price("0.1", Currency::EUR).cost(wh("350")), Some(4));
        assert_eq!(price("0.395", Currency::EUR).cost(wh("12345.6")), Some(488));
        assert_eq!(price("0.3333333", Currency::EUR).cost(wh("3000000000")), Some(99_999_990));
    }

    #[test]
    fn currencies_have_the_decimals_of_iso_4217() {
        assert_eq!(price("45", Currency::JPY).cost(wh("1500")), Some(68));
        assert_eq!(price("0.025", Currency::KWD).cost(wh("1000")), Some(25));
        assert_eq!(amount(68, Currency::JPY).to_string(), "68");
        assert_eq!(amount(25, Currency::KWD).to_string(), "0.025");
        assert_eq!(amount(1_230, Currency::EUR).to_string(), "12.30");
    }

    #[test]
    fn an_energy_that_no_bill_can_hold_has_no_cost() {
        assert_eq!(price("0.5", Currency::EUR).cost(Decimal::MAX), None);
    }
}
