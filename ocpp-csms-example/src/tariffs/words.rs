//! A tariff in the words of the standard, and in one line for people.

use ocpp_core::types::Text;
use ocpp_core::types::v2_1::{
    DayOfWeekEnumType, MessageContentType, MessageFormatEnumType, PriceType, TariffConditionsType,
    TariffEnergyPriceType, TariffEnergyType, TariffFixedPriceType, TariffFixedType, TariffTimePriceType,
    TariffTimeType, TariffType, TaxRateType,
};
use rust_decimal::Decimal;

use super::{Applied, Day, Slot, Tariff, Timetable};

/// Minutes of an hour.
const MINUTES: i64 = 60;

impl Tariff {
    /// What charging costs, in one line: `0.39 EUR/kWh, 6 EUR/h idle after 10 min, with 19 % tax`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let code = self.currency().code();
        let range = |timetable: &Timetable| {
            let (lowest, highest) = timetable.range();
            if lowest == highest { lowest.to_string() } else { format!("{lowest}-{highest}") }
        };
        let mut parts = Vec::new();
        if !self.energy().is_free() {
            parts.push(format!("{} {code}/kWh", range(self.energy())));
        }
        if !self.time().is_free() {
            parts.push(format!("{} {code}/h", range(self.time())));
        }
        if !self.idle().is_free() {
            let after =
                if self.grace_minutes() > 0 { format!(" after {} min", self.grace_minutes()) } else { String::new() };
            parts.push(format!("{} {code}/h idle{after}", range(self.idle())));
        }
        if !self.start().is_zero() {
            parts.push(format!("{} {code} a session", self.start()));
        }
        if !self.minimum().is_zero() {
            parts.push(format!("at least {} {code}", self.minimum()));
        }
        if parts.is_empty() {
            return "free".to_owned();
        }
        if !self.tax().percent.is_zero() {
            let how = if self.tax().included { "with" } else { "plus" };
            parts.push(format!("{how} {} % tax", self.tax().percent));
        }
        parts.join(", ")
    }
}

/// The tariff as 2.1 has it: prices without tax (2.1 part 2, TariffType). Another version is another tariff there (I08.FR.08).
#[must_use]
pub fn standard_tariff(applied: &Applied) -> TariffType {
    let tariff = &applied.tariff;
    let name: String = applied.of.tariff.chars().take(45).collect();
    let id = Text::truncated(&format!("{name}-v{}", applied.of.version));
    let mut standard = TariffType::new(id, Text::truncated(tariff.currency().code()));
    let words = MessageContentType::new(MessageFormatEnumType::UTF8, Text::truncated(&tariff.in_words()));
    standard.description = Some(vec![words]);
    let taxes = || {
        let percent = tariff.tax().percent;
        (!percent.is_zero()).then(|| vec![TaxRateType::new(Text::truncated("vat"), percent)])
    };
    let net = |price: Decimal| net(tariff, price);
    if !tariff.energy().is_free() {
        let prices = conditional(tariff.energy(), None).into_iter().map(|(price, conditions)| {
            let mut element = TariffEnergyPriceType::new(net(price));
            element.conditions = conditions.map(Into::into);
            element
        });
        let mut energy = TariffEnergyType::new(prices.collect());
        energy.tax_rates = taxes();
        standard.energy = Some(energy);
    }
    let time = |timetable: &Timetable, grace: Option<i64>| {
        let prices = conditional(timetable, grace).into_iter().map(|(price, conditions)| {
            let mut element = TariffTimePriceType::new((net(price) / Decimal::from(MINUTES)).round_dp(6).normalize());
            element.conditions = conditions.map(Into::into);
            element
        });
        let mut time = TariffTimeType::new(prices.collect());
        time.tax_rates = taxes();
        (!timetable.is_free()).then_some(time)
    };
    standard.charging_time = time(tariff.time(), None);
    let grace = i64::from(tariff.grace_minutes()) * MINUTES;
    standard.idle_time = time(tariff.idle(), (grace > 0).then_some(grace));
    if !tariff.start().is_zero() {
        let mut fee = TariffFixedType::new(vec![TariffFixedPriceType::new(net(tariff.start()))]);
        fee.tax_rates = taxes();
        standard.fixed_fee = Some(fee);
    }
    if !tariff.minimum().is_zero() {
        let mut least = PriceType::new();
        match tariff.tax().included {
            true => least.incl_tax = Some(tariff.minimum()),
            false => least.excl_tax = Some(tariff.minimum()),
        }
        standard.min_cost = Some(least.into());
    }
    standard
}

fn net(tariff: &Tariff, price: Decimal) -> Decimal {
    let tax = tariff.tax();
    if !tax.included || tax.percent.is_zero() {
        return price;
    }
    let whole = Decimal::ONE_HUNDRED + tax.percent;
    price
        .checked_mul(Decimal::ONE_HUNDRED)
        .and_then(|price| price.checked_div(whole))
        .unwrap_or(price)
        .round_dp(6)
        .normalize()
}

/// Prices with when they hold, and at the end one that holds otherwise: the station takes the first that fits.
fn conditional(timetable: &Timetable, grace: Option<i64>) -> Vec<(Decimal, Option<TariffConditionsType>)> {
    let after_grace = |mut conditions: TariffConditionsType| {
        conditions.min_idle_time = grace;
        conditions
    };
    if let Some(price) = timetable.constant_price() {
        return match grace {
            Some(_) => vec![(price, Some(after_grace(TariffConditionsType::new()))), (Decimal::ZERO, None)],
            None => vec![(price, None)],
        };
    }
    let mut prices: Vec<_> = timetable.slots().iter().map(|slot| (slot.price, Some(after_grace(when(slot))))).collect();
    // The slots leave no time out, so that this one is only what the standard asks for.
    let otherwise = if grace.is_some() { Decimal::ZERO } else { timetable.range().1 };
    prices.push((otherwise, None));
    prices
}

/// I07.FR.17: in local time.
fn when(slot: &Slot) -> TariffConditionsType {
    let mut conditions = TariffConditionsType::new();
    let (from, to) = (slot.from.to_string(), slot.to.to_string());
    if (from.as_str(), to.as_str()) != ("00:00", "24:00") {
        conditions.start_time_of_day = Some(from);
        // 00:00 is the end of the day there.
        conditions.end_time_of_day = Some(if to == "24:00" { "00:00".to_owned() } else { to });
    }
    let name = |day: &Day| match day {
        Day::Mo => DayOfWeekEnumType::Monday,
        Day::Tu => DayOfWeekEnumType::Tuesday,
        Day::We => DayOfWeekEnumType::Wednesday,
        Day::Th => DayOfWeekEnumType::Thursday,
        Day::Fr => DayOfWeekEnumType::Friday,
        Day::Sa => DayOfWeekEnumType::Saturday,
        Day::Su => DayOfWeekEnumType::Sunday,
    };
    if slot.days.len() < 7 {
        conditions.day_of_week = Some(slot.days.iter().map(name).collect());
    }
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tariffs::TariffVersion;

    fn applied(json: &str) -> Applied {
        let tariff: Tariff = serde_json::from_str(json).unwrap();
        Applied { of: TariffVersion { tariff: "day".into(), version: 3 }, tariff: tariff.into() }
    }

    #[test]
    fn a_tariff_is_said_in_one_line() {
        let tariff = applied(
            r#"{"currency":"EUR","energy":"0.39","idle":"6","grace_minutes":10,"start":"0.5","minimum":"2","tax":{"percent":"19","included":true}}"#,
        );
        assert_eq!(
            tariff.tariff.in_words(),
            "0.39 EUR/kWh, 6 EUR/h idle after 10 min, 0.5 EUR a session, at least 2 EUR, with 19 % tax"
        );
        assert_eq!(applied(r#"{"currency":"EUR"}"#).tariff.in_words(), "free");
    }

    /// I07.FR.17, I08.FR.08
    #[test]
    fn prices_go_to_the_station_without_tax_by_the_minute_and_with_their_times() {
        let tariff = applied(
            r#"{"currency":"EUR","energy":[{"days":["mo","tu","we","th","fr"],"from":"08:00","price":"0.48"},{"days":["mo","tu","we","th","fr"],"to":"08:00","price":"0.24"},{"days":["sa","su"],"price":"0.24"}],"idle":"6","grace_minutes":10,"tax":{"percent":"20","included":true}}"#,
        );
        let standard = serde_json::to_value(standard_tariff(&tariff)).unwrap();
        assert_eq!((&standard["tariffId"], &standard["currency"]), (&"day-v3".into(), &"EUR".into()));
        let energy = standard["energy"]["prices"].as_array().unwrap();
        assert_eq!(energy[0]["priceKwh"].as_f64(), Some(0.4));
        assert_eq!(energy[0]["conditions"]["startTimeOfDay"], "08:00");
        assert_eq!(energy[0]["conditions"]["endTimeOfDay"], "00:00");
        assert_eq!(energy[0]["conditions"]["dayOfWeek"][4], "Friday");
        assert!(energy.last().unwrap()["conditions"].is_null());
        assert_eq!(standard["energy"]["taxRates"][0]["tax"].as_f64(), Some(20.0));
        let idle = standard["idleTime"]["prices"].as_array().unwrap();
        assert_eq!(idle[0]["priceMinute"].as_f64(), Some(0.083333));
        assert_eq!(idle[0]["conditions"]["minIdleTime"], 600);
        assert_eq!(idle[1]["priceMinute"].as_f64(), Some(0.0));
    }
}
