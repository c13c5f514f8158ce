//! What a session costs by a tariff: exact until a line is rounded, once.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::tariff::Tariff;
use super::timetable::Timetable;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// What a session has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// When it began.
    pub started: Timestamp,
    /// When it ended, or the present moment.
    pub until: Timestamp,
    /// The energy register in Wh, at moments in order. What lies between two of them was taken evenly.
    pub readings: Vec<(Timestamp, Decimal)>,
    /// When the vehicle was connected and took no energy any more: stretches in order, apart from each other.
    pub idle: Vec<(Timestamp, Timestamp)>,
}

/// A bill, in minor units of the tariff's currency.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bill {
    /// What is charged for, each amount rounded once, half a minor unit upwards. With tax where the prices include it.
    pub lines: Vec<Line>,
    /// Without tax.
    pub net: i64,
    /// The tax, rounded once.
    pub tax: i64,
    /// What is to be paid.
    pub total: i64,
}

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What for.
    pub item: Item,
    /// How much of it: kWh, hours, or 1.
    pub quantity: Decimal,
    /// What one of it costs, in whole units of the currency.
    pub price: Decimal,
    /// What that comes to, in minor units.
    pub amount: i64,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// The session itself.
    Start,
    /// Energy, in kWh.
    Energy,
    /// Charging, in hours.
    Time,
    /// Being connected without charging, in hours.
    Idle,
    /// What is missing to the least amount.
    Minimum,
    /// Energy that a subscription includes, in kWh: taken off.
    Included,
    /// The discount of a subscription, as a part of the rest: taken off.
    Discount,
}

/// More than any bill can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session comes to more than a bill can hold; look at its meter values")]
pub struct TooMuch;

impl Tariff {
    /// What this comes to. A session that has taken no energy costs nothing at all, whatever it lasted, unless the tariff says
    /// so: nobody pays for a charger that doesn't charge.
    ///
    /// # Errors
    /// It is more than a bill can hold.
    pub fn bill(&self, usage: &Usage) -> Result<Bill, TooMuch> {
        let energy = self.energy_parts(usage)?;
        if !self.charges_without_energy() && energy.iter().all(|(_, energy)| energy.is_zero()) {
            return Ok(Bill::default());
        }
        let mut sums = Sums::default();
        if !self.start().is_zero() {
            sums.add(Item::Start, self.start(), Decimal::ONE)?;
        }
        for (price, kilowatt_hours) in energy {
            sums.add(Item::Energy, price, kilowatt_hours)?;
        }
        for (from, to) in charging(usage) {
            self.hours(&mut sums, Item::Time, self.time(), from, to)?;
        }
        let grace = SignedDuration::from_mins(i64::from(self.grace_minutes()));
        for (from, to) in &usage.idle {
            let from = from.checked_add(grace).unwrap_or(Timestamp::MAX);
            self.hours(&mut sums, Item::Idle, self.idle(), from, *to)?;
        }
        self.total(sums)
    }

    /// Kilowatt hours by price, in order of time.
    fn energy_parts(&self, usage: &Usage) -> Result<Vec<(Decimal, Decimal)>, TooMuch> {
        let mut parts = Vec::new();
        // A register that runs backwards takes nothing back, and is believed again where it was.
        let mut highest: Option<(Timestamp, Decimal)> = None;
        for (at, watt_hours) in &usage.readings {
            let Some((since, last)) = highest else {
                highest = Some((*at, *watt_hours));
                continue;
            };
            if *watt_hours <= last {
                continue;
            }
            highest = Some((*at, *watt_hours));
            let energy = watt_hours.checked_sub(last).ok_or(TooMuch)? / Decimal::ONE_THOUSAND;
            let stretches = self.energy().split(since, *at, self.zone());
            let whole = at.duration_since(since).as_millis();
            let mut rest = energy;
            for (index, (from, to, price)) in stretches.iter().enumerate() {
                let is_last = index + 1 == stretches.len();
                let share = if is_last { rest } else { part(energy, to.duration_since(*from).as_millis(), whole)? };
                rest = rest.checked_sub(share).ok_or(TooMuch)?;
                parts.push((*price, share));
            }
            if stretches.is_empty() {
                // Two readings of one moment.
                let price = self.energy().split(*at, *at + SignedDuration::from_millis(1), self.zone());
                parts.push((price.first().map(|(.., price)| *price).unwrap_or_default(), energy));
            }
        }
        Ok(parts)
    }

    fn hours(
        &self,
        sums: &mut Sums,
        item: Item,
        timetable: &Timetable,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<(), TooMuch> {
        for (from, to, price) in timetable.split(from, to, self.zone()) {
            let milliseconds = i64::try_from(to.duration_since(from).as_millis()).map_err(|_| TooMuch)?;
            sums.add(item, price, Decimal::from(milliseconds).checked_div(Decimal::from(HOUR)).ok_or(TooMuch)?)?;
        }
        Ok(())
    }

    /// The bill of a subscriber: energy that is included, in kWh, and then a discount in percent are taken off.
    ///
    /// # Errors
    /// It is more than a bill can hold.
    pub fn reduced(&self, mut bill: Bill, included: Decimal, percent: Decimal) -> Result<Bill, TooMuch> {
        let energy = bill.lines.iter().filter(|line| line.item == Item::Energy);
        let (taken, cost) = energy.fold((Decimal::ZERO, 0_i64), |(taken, cost), line| {
            (taken.saturating_add(line.quantity), cost.saturating_add(line.amount))
        });
        let included = included.min(taken);
        if included > Decimal::ZERO && cost > 0 {
            let off = rounded(Decimal::from(cost).checked_mul(included).and_then(|part| part.checked_div(taken)))?;
            let price = Decimal::from(off).checked_div(self.units()?).and_then(|off| off.checked_div(included));
            let price = price.ok_or(TooMuch)?.round_dp(6).normalize();
            bill.lines.push(Line { item: Item::Included, quantity: included, price: -price, amount: -off });
        }
        let rest: i64 = bill.lines.iter().map(|line| line.amount).sum();
        if percent > Decimal::ZERO && rest > 0 {
            let part = percent.checked_div(Decimal::ONE_HUNDRED).ok_or(TooMuch)?;
            let off = rounded(Decimal::from(rest).checked_mul(part))?;
            let price = -Decimal::from(rest).checked_div(self.units()?).ok_or(TooMuch)?;
            bill.lines.push(Line { item: Item::Discount, quantity: part, price, amount: -off });
        }
        self.taxed(bill.lines)
    }

    fn units(&self) -> Result<Decimal, TooMuch> {
        let units = 10_i64.checked_pow(self.currency().exponent().map_or(0, u32::from)).ok_or(TooMuch)?;
        Ok(Decimal::from(units))
    }

    fn total(&self, sums: Sums) -> Result<Bill, TooMuch> {
        let units = self.units()?;
        let mut lines = Vec::new();
        for (item, price, quantity) in sums.0 {
            let amount = rounded(price.checked_mul(quantity).and_then(|amount| amount.checked_mul(units)))?;
            lines.push(Line { item, quantity: quantity.round_dp(6).normalize(), price, amount });
        }
        let missing = rounded(self.minimum().checked_mul(units))? - sum(&lines)?;
        if missing > 0 {
            let price = Decimal::from(missing).checked_div(units).ok_or(TooMuch)?;
            lines.push(Line { item: Item::Minimum, quantity: Decimal::ONE, price, amount: missing });
        }
        self.taxed(lines)
    }

    fn taxed(&self, lines: Vec<Line>) -> Result<Bill, TooMuch> {
        let sum = sum(&lines)?;
        let percent = self.tax().percent;
        let base = if self.tax().included { Decimal::ONE_HUNDRED + percent } else { Decimal::ONE_HUNDRED };
        let tax = rounded(Decimal::from(sum).checked_mul(percent).and_then(|tax| tax.checked_div(base)))?;
        Ok(if self.tax().included {
            Bill { lines, net: sum - tax, tax, total: sum }
        } else {
            Bill { lines, net: sum, tax, total: sum.checked_add(tax).ok_or(TooMuch)? }
        })
    }
}

fn sum(lines: &[Line]) -> Result<i64, TooMuch> {
    lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount)).ok_or(TooMuch)
}

/// Quantities by what they are and what they cost, in the order of a bill.
#[derive(Default)]
struct Sums(Vec<(Item, Decimal, Decimal)>);

impl Sums {
    fn add(&mut self, item: Item, price: Decimal, quantity: Decimal) -> Result<(), TooMuch> {
        if price.is_zero() && item != Item::Energy {
            return Ok(());
        }
        match self.0.iter_mut().find(|(known, at, _)| *known == item && *at == price) {
            Some((.., sum)) => *sum = sum.checked_add(quantity).ok_or(TooMuch)?,
            None => self.0.push((item, price, quantity)),
        }
        Ok(())
    }
}

/// The stretches that were not idle.
fn charging(usage: &Usage) -> Vec<(Timestamp, Timestamp)> {
    let mut stretches = Vec::new();
    let mut from = usage.started;
    for (idle_from, idle_to) in &usage.idle {
        if *idle_from > from {
            stretches.push((from, *idle_from));
        }
        from = from.max(*idle_to);
    }
    if usage.until > from {
        stretches.push((from, usage.until));
    }
    stretches
}

fn part(of: Decimal, milliseconds: i128, whole: i128) -> Result<Decimal, TooMuch> {
    let decimal = |value: i128| i64::try_from(value).map(Decimal::from).map_err(|_| TooMuch);
    of.checked_mul(decimal(milliseconds)?).and_then(|product| product.checked_div(decimal(whole).ok()?)).ok_or(TooMuch)
}

fn rounded(amount: Option<Decimal>) -> Result<i64, TooMuch> {
    let amount = amount.ok_or(TooMuch)?.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    amount.try_into().map_err(|_| TooMuch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tariff(json: &str) -> Tariff {
        serde_json::from_str(json).unwrap()
    }

    fn at(minute: i64) -> Timestamp {
        let started: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        started + SignedDuration::from_mins(minute)
    }

    fn usage(minutes: i64, readings: &[(i64, i64)], idle: &[(i64, i64)]) -> Usage {
        Usage {
            started: at(0),
            until: at(minutes),
            readings: readings.iter().map(|(minute, wh)| (at(*minute), Decimal::from(*wh))).collect(),
            idle: idle.iter().map(|(from, to)| (at(*from), at(*to))).collect(),
        }
    }

    fn amounts(bill: &Bill) -> Vec<(Item, i64)> {
        bill.lines.iter().map(|line| (line.item, line.amount)).collect()
    }

    #[test]
    fn energy_time_idle_and_start_are_lines_of_their_own() {
        let tariff =
            tariff(r#"{"currency":"EUR","energy":"0.39","time":"1.20","idle":"6","grace_minutes":10,"start":"0.50"}"#);
        let bill = tariff.bill(&usage(120, &[(0, 1_000), (60, 11_000)], &[(60, 120)])).unwrap();
        assert_eq!(amounts(&bill), [(Item::Start, 50), (Item::Energy, 390), (Item::Time, 120), (Item::Idle, 500)]);
        assert_eq!((bill.net, bill.tax, bill.total), (1_060, 0, 1_060));
        assert_eq!(bill.lines[3].quantity, "0.833333".parse().unwrap());
    }

    #[test]
    fn energy_across_a_change_of_price_is_divided_by_time() {
        let tariff = tariff(
            r#"{"currency":"EUR","energy":[{"from":"00:00","to":"08:45","price":"0.20"},{"from":"08:45","to":"24:00","price":"0.40"}]}"#,
        );
        let bill = tariff.bill(&usage(60, &[(0, 0), (60, 10_000)], &[])).unwrap();
        assert_eq!(amounts(&bill), [(Item::Energy, 150), (Item::Energy, 100)]);
    }

    #[test]
    fn thirds_add_up_to_the_whole() {
        let tariff = tariff(
            r#"{"currency":"EUR","energy":[{"from":"00:00","to":"08:20","price":"1"},{"from":"08:20","to":"24:00","price":"3"}]}"#,
        );
        let bill = tariff.bill(&usage(60, &[(0, 0), (60, 1_000)], &[])).unwrap();
        assert_eq!(amounts(&bill), [(Item::Energy, 33), (Item::Energy, 200)]);
    }

    #[test]
    fn tax_is_taken_out_of_or_put_onto_the_sum() {
        let usage = usage(60, &[(0, 0), (60, 10_000)], &[]);
        let bill = tariff(r#"{"currency":"EUR","energy":"0.39","tax":{"percent":"19","included":true}}"#)
            .bill(&usage)
            .unwrap();
        assert_eq!((bill.net, bill.tax, bill.total), (328, 62, 390));
        let bill = tariff(r#"{"currency":"EUR","energy":"0.39","tax":{"percent":"19","included":false}}"#)
            .bill(&usage)
            .unwrap();
        assert_eq!((bill.net, bill.tax, bill.total), (390, 74, 464));
    }

    #[test]
    fn a_small_session_costs_the_minimum_and_a_large_one_nothing_more() {
        let tariff = tariff(r#"{"currency":"EUR","energy":"0.50","minimum":"2"}"#);
        let small = tariff.bill(&usage(10, &[(0, 0), (10, 1_000)], &[])).unwrap();
        assert_eq!(amounts(&small), [(Item::Energy, 50), (Item::Minimum, 150)]);
        let large = tariff.bill(&usage(10, &[(0, 0), (10, 10_000)], &[])).unwrap();
        assert_eq!(large.total, 500);
    }

    #[test]
    fn a_session_without_energy_costs_nothing() {
        let tariff = tariff(r#"{"currency":"EUR","energy":"0.50","time":"5","idle":"6","start":"1","minimum":"2"}"#);
        assert_eq!(tariff.bill(&usage(600, &[(0, 700), (600, 700)], &[(10, 600)])).unwrap(), Bill::default());
        assert_eq!(tariff.bill(&usage(600, &[], &[])).unwrap(), Bill::default());
    }

    #[test]
    fn a_subscription_takes_off_what_it_includes_and_then_its_discount() {
        let tariff = tariff(r#"{"currency":"EUR","energy":"0.50","start":"1"}"#);
        let bill = tariff.bill(&usage(60, &[(0, 0), (60, 10_000)], &[])).unwrap();
        let reduced = tariff.reduced(bill.clone(), Decimal::from(4), Decimal::TEN).unwrap();
        let expected = [(Item::Start, 100), (Item::Energy, 500), (Item::Included, -200), (Item::Discount, -40)];
        assert_eq!((amounts(&reduced), reduced.total), (expected.to_vec(), 360));
        assert_eq!(tariff.reduced(bill, Decimal::from(1_000), Decimal::ONE_HUNDRED).unwrap().total, 0);
    }

    #[test]
    fn a_register_that_runs_backwards_takes_nothing_back() {
        let tariff = tariff(r#"{"currency":"EUR","energy":"1"}"#);
        let bill =
            tariff.bill(&usage(40, &[(0, 1_000), (10, 3_000), (20, 500), (30, 2_500), (40, 4_000)], &[])).unwrap();
        assert_eq!(bill.total, 300);
    }

    #[test]
    fn energy_that_no_bill_can_hold_is_refused() {
        let tariff = tariff(r#"{"currency":"EUR","energy":"1000000"}"#);
        let mut usage = usage(60, &[(0, 0)], &[]);
        usage.readings.push((at(60), Decimal::MAX));
        assert_eq!(tariff.bill(&usage), Err(TooMuch));
    }

    proptest! {
        /// A live cost only ever grows, and its lines always make the sum.
        #[test]
        fn what_comes_later_never_makes_a_session_cheaper(
            steps in prop::collection::vec((1_i64..90, 0_i64..20_000), 1..12),
            idle_from in 0_i64..600,
            percent in 0_i64..30,
        ) {
            let tariff = tariff(&format!(
                r#"{{"currency":"EUR","zone":"Europe/Berlin","energy":[{{"from":"06:00","to":"10:15","price":"0.371"}},{{"from":"10:15","to":"06:00","price":"0.218"}}],"time":"0.6","idle":"4.5","grace_minutes":7,"start":"0.35","minimum":"1.5","tax":{{"percent":"{percent}","included":false}}}}"#
            ));
            let mut readings = vec![(0, 0)];
            let mut last = 0;
            for (minutes, wh) in steps {
                let (minute, register) = *readings.last().unwrap();
                readings.push((minute + minutes, register + wh));
                let until = minute + minutes;
                let idle = if until > idle_from { vec![(idle_from, until)] } else { vec![] };
                let bill = tariff.bill(&usage(until, &readings, &idle)).unwrap();
                prop_assert!(bill.total >= last, "{} after {last}", bill.total);
                prop_assert_eq!(bill.lines.iter().map(|line| line.amount).sum::<i64>(), bill.net);
                prop_assert_eq!(bill.net + bill.tax, bill.total);
                last = bill.total;
            }
        }
    }
}
