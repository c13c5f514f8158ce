//! How a transaction changes by what its station reports: no database, no clock.

use jiff::Timestamp;
use ocpp_core::csms::TransactionEvent;
use rust_decimal::Decimal;

use crate::stations::{What, power};
use crate::store::Transaction;
use crate::tariffs::{Applied, Tariff};

use super::course::{Course, usage};

/// Which part of a transaction an event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its start.
    Started,
    /// Anything between.
    Updated,
    /// Its end.
    Ended,
}

impl Step {
    /// The kind of event that tells of it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Started => "transaction.started",
            Self::Updated => "transaction.updated",
            Self::Ended => "transaction.ended",
        }
    }

    /// What is told of it.
    #[must_use]
    pub fn told(self, transaction: Transaction) -> What {
        let transaction = Box::new(transaction);
        match self {
            Self::Started => What::Started(transaction),
            Self::Updated => What::Metered(transaction),
            Self::Ended => What::Billed(transaction),
        }
    }
}

/// A transaction that nothing is known of but its name.
pub(super) fn unknown(station: &str, event: &TransactionEvent, applied: &Applied) -> Transaction {
    Transaction {
        station: station.to_owned(),
        id: event.transaction.as_str().to_owned(),
        evse: None,
        connector: None,
        token: None,
        started_at: event.at,
        stopped_at: None,
        stop_reason: None,
        meter_start: None,
        meter_start_at: None,
        meter_last: None,
        meter_last_at: None,
        power: None,
        tariff: applied.of.clone(),
        currency: applied.tariff.currency(),
        course: Course::default(),
        payer: None,
        cost: 0,
    }
}

/// Takes an event into a transaction. False when the energy is more than a bill can hold; the cost stays as it was then.
///
/// The readings of the start and of the end decide whatever their times say, because a station's clock may be set in between. A
/// message that arrives after the end it belongs before changes nothing that is billed.
pub(super) fn apply(transaction: &mut Transaction, step: Step, event: &TransactionEvent, tariff: &Tariff) -> bool {
    if let Some(place) = event.place {
        transaction.evse = Some(place.evse);
        transaction.connector = place.connector.or(transaction.connector);
    }
    if transaction.token.is_none() || step == Step::Started {
        let token = event.token.as_ref().map(|token| token.id.clone()).filter(|token| !token.is_empty());
        transaction.token = token.or(transaction.token.take());
    }
    let points = points(event);
    match step {
        Step::Started => {
            transaction.started_at = event.at;
            if let Some((_, wh)) = points.first() {
                transaction.meter_start = Some(*wh);
                transaction.meter_start_at = None;
            }
        }
        Step::Updated => {}
        Step::Ended => {
            transaction.stopped_at = Some(event.at);
            transaction.stop_reason = Some(event.stopped_reason.clone().unwrap_or_else(|| "Local".to_owned()));
        }
    }
    for (at, wh) in &points {
        let is_first = transaction.meter_start.is_none() || transaction.meter_start_at.is_some_and(|first| *at < first);
        if is_first {
            transaction.meter_start = Some(*wh);
            transaction.meter_start_at = Some(*at);
        }
        let late = transaction.stopped_at.is_some() && step != Step::Ended;
        if !late && transaction.meter_last_at.is_none_or(|last| *at >= last) {
            transaction.meter_last = Some(*wh);
            transaction.meter_last_at = Some(*at);
        }
    }
    if let (Step::Ended, Some(wh)) = (step, event.meter_wh) {
        transaction.meter_last = Some(wh);
        transaction.meter_last_at = Some(event.at);
    }
    match (transaction.stopped_at, event.readings.iter().rev().find_map(power)) {
        (Some(_), _) => transaction.power = None,
        (None, Some(power)) => transaction.power = Some(power),
        (None, None) => {}
    }
    let is_over = transaction.stopped_at.is_some() && step != Step::Ended;
    if !is_over {
        take_course(&mut transaction.course, step, event, &points, tariff);
    }
    let until = transaction.course.until().unwrap_or(event.at);
    match tariff.bill(&usage(transaction, until)) {
        Ok(bill) => {
            transaction.cost = bill.total;
            true
        }
        Err(_) => false,
    }
}

fn take_course(
    course: &mut Course,
    step: Step,
    event: &TransactionEvent,
    points: &[(Timestamp, Decimal)],
    tariff: &Tariff,
) {
    for (at, wh) in points {
        course.read(*at, *wh, tariff);
        if step == Step::Updated {
            course.seen(*at);
        }
    }
    course.seen(event.at);
    if let Some(state) = &event.charging_state {
        course.state(event.at, state);
    }
}

/// The readings of the energy register in an event, in the order of their times; where it brings no samples, the register that
/// 1.6 writes beside them.
fn points(event: &TransactionEvent) -> Vec<(Timestamp, Decimal)> {
    let mut points: Vec<_> = event
        .readings
        .iter()
        .flat_map(|reading| {
            reading.samples.iter().filter_map(|sample| Some((reading.at, sample.energy_register_wh()?)))
        })
        .collect();
    points.sort_by_key(|(at, _)| *at);
    if points.is_empty() {
        points.extend(event.meter_wh.map(|wh| (event.at, wh)));
    }
    points
}

#[cfg(test)]
mod tests {
    use iso_currency::Currency;
    use ocpp_core::csms::{MeterReading, Place, Sample, SampleValue, Token, TransactionId};

    use super::*;
    use crate::tariffs::TariffVersion;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + second).unwrap()
    }

    fn event(second: i64) -> TransactionEvent {
        TransactionEvent::new(TransactionId::new("T1"), at(second))
    }

    fn reading(second: i64, measurand: &str, value: &str, unit: &str) -> MeterReading {
        let sample = Sample {
            value: SampleValue::Number(value.parse().unwrap()),
            measurand: measurand.to_owned().into(),
            unit: Some(unit.to_owned().into()),
            context: "Sample.Periodic".into(),
            phase: None,
            location: "Outlet".into(),
            signed: None,
        };
        MeterReading { at: at(second), samples: vec![sample] }
    }

    fn energy(second: i64, wh: &str) -> MeterReading {
        reading(second, "Energy.Active.Import.Register", wh, "Wh")
    }

    fn price() -> Applied {
        let tariff = Tariff::of_energy("0.50".parse().unwrap(), Currency::EUR).unwrap();
        Applied { of: TariffVersion { tariff: "t".into(), version: 1 }, tariff: tariff.into() }
    }

    fn run(steps: &[(Step, TransactionEvent)]) -> Transaction {
        let mut transaction = unknown("CS-1", &steps[0].1, &price());
        for (step, event) in steps {
            assert!(apply(&mut transaction, *step, event, &price().tariff));
        }
        transaction
    }

    fn started(second: i64, wh: &str) -> (Step, TransactionEvent) {
        let mut event = event(second);
        event.meter_wh = Some(wh.parse().unwrap());
        event.place = Some(Place::connector(2, 1));
        event.token = Some(Token::new("TAG"));
        (Step::Started, event)
    }

    fn updated(readings: Vec<MeterReading>) -> (Step, TransactionEvent) {
        let mut event = event(0);
        event.readings = readings;
        (Step::Updated, event)
    }

    fn ended(second: i64, wh: &str) -> (Step, TransactionEvent) {
        let mut event = event(second);
        event.meter_wh = Some(wh.parse().unwrap());
        event.stopped_reason = Some("EVDisconnected".to_owned());
        (Step::Ended, event)
    }

    #[test]
    fn a_bill_is_made_of_the_registers_at_the_start_and_at_the_end() {
        let bill = run(&[started(0, "1000"), updated(vec![energy(60, "3000.5")]), ended(120, "11001")]);
        assert_eq!(bill.energy_wh(), Decimal::from(10_001));
        assert_eq!(bill.cost, 500);
        assert_eq!((bill.evse, bill.connector, bill.token.as_deref()), (Some(2), Some(1), Some("TAG")));
        assert_eq!((bill.started_at, bill.stopped_at), (at(0), Some(at(120))));
        assert_eq!(bill.stop_reason.as_deref(), Some("EVDisconnected"));
    }

    #[test]
    fn a_running_transaction_costs_what_it_has_taken_so_far() {
        let so_far = run(&[started(0, "1000"), updated(vec![energy(60, "3000.5")])]);
        assert_eq!(so_far.energy_wh(), "2000.5".parse().unwrap());
        assert_eq!(so_far.cost, 100);
        assert_eq!(so_far.stopped_at, None);
    }

    #[test]
    fn a_reading_that_arrives_late_takes_nothing_back() {
        let steps = [started(0, "0"), updated(vec![energy(120, "4000")]), updated(vec![energy(60, "2000")])];
        assert_eq!(run(&steps).energy_wh(), Decimal::from(4000));
        let steps = [started(0, "0"), ended(120, "4000"), updated(vec![energy(180, "9000")])];
        assert_eq!(run(&steps).energy_wh(), Decimal::from(4000));
    }

    #[test]
    fn the_end_counts_even_where_the_clock_was_set_back() {
        let steps = [started(3600, "0"), updated(vec![energy(3660, "1000")]), ended(100, "4000")];
        assert_eq!(run(&steps).energy_wh(), Decimal::from(4000));
    }

    #[test]
    fn a_transaction_whose_start_is_lost_is_billed_from_its_oldest_reading() {
        let steps = [updated(vec![energy(60, "1500")]), updated(vec![energy(30, "1200")]), ended(120, "2200")];
        assert_eq!(run(&steps).energy_wh(), Decimal::from(1000));
        let steps = [updated(vec![energy(60, "1500")]), started(0, "1000"), ended(120, "2000")];
        assert_eq!(run(&steps).energy_wh(), Decimal::from(1000));
    }

    #[test]
    fn a_meter_that_runs_backwards_is_billed_as_nothing() {
        let bill = run(&[started(0, "5000"), ended(60, "4000")]);
        assert_eq!((bill.energy_wh(), bill.cost), (Decimal::ZERO, 0));
    }

    #[test]
    fn an_energy_beyond_every_bill_leaves_the_cost_as_it_was() {
        let mut transaction = run(&[started(0, "0"), updated(vec![energy(60, "2000")])]);
        let (step, mut event) = ended(120, "0");
        event.meter_wh = Some(Decimal::MAX);
        assert!(!apply(&mut transaction, step, &event, &price().tariff));
        assert_eq!(transaction.cost, 100);
    }

    #[test]
    fn the_power_is_that_of_all_phases_until_the_end() {
        let mut of_phases = reading(60, "Power.Active.Import", "3.5", "kW");
        of_phases.samples[0].phase = Some("L1".into());
        let mut second = of_phases.samples[0].clone();
        second.phase = Some("L2".into());
        of_phases.samples.push(second);
        let running = run(&[started(0, "0"), updated(vec![of_phases.clone()])]);
        assert_eq!(running.power, Some(Decimal::from(7000)));
        let over = run(&[started(0, "0"), updated(vec![of_phases]), ended(90, "10")]);
        assert_eq!(over.power, None);
    }
}
