//! The bills of a round, held against the meters of the stations.

use std::fmt::Write as _;

use ocpp_core::types::Version;
use rust_decimal::Decimal;

use crate::store::Transaction;
use crate::tariffs::written;

/// What was billed, and what the station's own meter says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bill {
    pub(super) version: Version,
    /// What the meter counted from before the cable was put in until after it was taken out, in Wh.
    pub(super) metered_wh: u64,
    pub(super) billed: Transaction,
    /// The price of a kWh.
    pub(super) per_kwh: Decimal,
}

impl Bill {
    /// The price of what was metered, in minor units: computed in whole numbers, unlike the bill.
    fn expected_cost(&self) -> Option<i64> {
        let price = self.per_kwh;
        let digits = self.billed.currency.exponent().map_or(0, u32::from);
        let mantissa = u128::try_from(price.mantissa()).ok()?;
        // mantissa / 10^scale a kWh, times Wh / 1000, times 10^digits: one fraction, rounded half up once.
        let numerator = mantissa.checked_mul(u128::from(self.metered_wh))?.checked_mul(10_u128.checked_pow(digits)?)?;
        let denominator = 10_u128.checked_pow(price.scale())?.checked_mul(1000)?;
        i64::try_from((numerator.checked_mul(2)? + denominator) / denominator.checked_mul(2)?).ok()
    }

    fn fault(&self) -> Option<String> {
        let (station, id) = (&self.billed.station, &self.billed.id);
        let billed = self.billed.energy_wh();
        if billed != Decimal::from(self.metered_wh) {
            return Some(format!(
                "{station}, session {id}: {billed} Wh were billed, but {} Wh metered",
                self.metered_wh
            ));
        }
        if self.metered_wh == 0 {
            return Some(format!("{station}, session {id}: no energy was metered"));
        }
        let expected = self.expected_cost();
        if expected != Some(self.billed.cost) {
            let (cost, expected) = (self.cost(self.billed.cost), expected.map(|expected| self.cost(expected)));
            return Some(format!("{station}, session {id}: the bill says {cost}, but it should be {expected:?}"));
        }
        None
    }

    fn cost(&self, minor: i64) -> String {
        written(minor, self.billed.currency)
    }
}

/// Holds all bills against the meters.
///
/// # Errors
/// Says which do not agree.
pub(super) fn check(bills: &[Bill]) -> anyhow::Result<()> {
    let faults: Vec<String> = bills.iter().filter_map(Bill::fault).collect();
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("; "));
    Ok(())
}

/// The bills, one a line.
pub(super) fn table(bills: &[Bill]) -> String {
    let mut text = format!(
        "{:<6} {:<9} {:<38} {:<9} {:>11} {:>10} {:>10} {:>10}\n",
        "OCPP", "station", "session", "token", "metered Wh", "billed Wh", "per kWh", "cost"
    );
    for bill in bills {
        let billed = &bill.billed;
        let token = billed.token.as_deref().unwrap_or("-");
        let (energy, price) = (billed.energy_wh().normalize(), bill.per_kwh);
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{:<6} {:<9} {:<38} {:<9} {:>11} {:>10} {:>10} {:>10}",
            bill.version.number(),
            billed.station,
            billed.id,
            token,
            bill.metered_wh,
            energy.to_string(),
            price.to_string(),
            bill.cost(billed.cost)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use iso_currency::Currency;

    use super::*;
    use crate::sessions::Course;
    use crate::tariffs::TariffVersion;

    fn bill(metered_wh: u64, billed_wh: &str, cost: i64) -> Bill {
        let billed = Transaction {
            station: "DEMO".to_owned(),
            id: "1".to_owned(),
            evse: Some(1),
            connector: Some(1),
            token: Some("TAG".to_owned()),
            started_at: jiff::Timestamp::UNIX_EPOCH,
            stopped_at: Some(jiff::Timestamp::UNIX_EPOCH),
            stop_reason: Some("Local".to_owned()),
            meter_start: Some(Decimal::from(1000)),
            meter_start_at: None,
            meter_last: Some(Decimal::from(1000) + billed_wh.parse::<Decimal>().unwrap()),
            meter_last_at: None,
            power: None,
            tariff: TariffVersion { tariff: "standard".to_owned(), version: 1 },
            currency: Currency::EUR,
            course: Course::default(),
            payer: None,
            cost,
        };
        Bill { version: Version::V1_6, metered_wh, billed, per_kwh: "0.395".parse().unwrap() }
    }

    #[test]
    fn a_bill_that_agrees_with_the_meter_passes() {
        // 1.2 kWh make 47.4 cents, 1.0 kWh exactly 39.5 cents, which is half a cent and rounded up.
        assert!(check(&[bill(1200, "1200", 47), bill(1000, "1000.0", 40)]).is_ok());
    }

    #[test]
    fn a_bill_that_is_off_by_a_watt_hour_or_a_cent_does_not_pass() {
        assert!(check(&[bill(1200, "1201", 47)]).unwrap_err().to_string().contains("1201 Wh were billed"));
        assert!(check(&[bill(1200, "1200", 48)]).unwrap_err().to_string().contains("0.48 EUR"));
        assert!(check(&[bill(0, "0", 0)]).unwrap_err().to_string().contains("no energy"));
    }
}
