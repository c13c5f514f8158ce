//! Who came when in a week: made up, the same each time, and never two at one place or one driver at two.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use ocpp_core::csms::{Event, MeterReading, Place as At, Sample, SampleValue, Token, TransactionEvent, TransactionId};
use ocpp_core::types::Version;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rust_decimal::Decimal;

use super::scenery::{PEOPLE, PLACES, Place};
use crate::reports::StationState;

/// Days of history.
pub(super) const DAYS: i64 = 7;
/// How likely somebody comes in each hour, beside the others: few at night, many before and after work.
const CURVE: [u32; 24] = [2, 1, 1, 1, 1, 2, 5, 9, 12, 10, 8, 8, 10, 9, 8, 8, 10, 14, 15, 12, 9, 6, 4, 3];
/// Between two readings.
const SAMPLES: SignedDuration = SignedDuration::from_mins(15);

/// Somebody charges.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) place: &'static Place,
    pub(super) evse: i64,
    /// Which of the people; `None` is a card that is on nobody's account.
    pub(super) person: Option<usize>,
    pub(super) arrives: Timestamp,
    /// How much is charged, in Wh.
    pub(super) energy: u32,
    /// When the vehicle takes no more.
    pub(super) full: Timestamp,
    pub(super) leaves: Timestamp,
}

/// A time in which nobody could charge at a station.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closure {
    pub(super) station: &'static str,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// In which state it was meanwhile.
    pub(super) state: StationState,
}

/// The visits of the week before a moment, in the order in which they began.
pub(super) fn visits(until: Timestamp, zone: &TimeZone, closures: &[Closure]) -> Vec<Visit> {
    let mut random = StdRng::seed_from_u64(7);
    let today = until.to_zoned(zone.clone()).date();
    let mut visits = Vec::new();
    for day in (0..=DAYS).rev() {
        let Ok(midnight) = today.saturating_sub(day.days()).to_zoned(zone.clone()) else { continue };
        for place in &PLACES {
            for evse in 1..=place.evses {
                let count = random.random_range(place.visits / 2..=place.visits);
                for _ in 0..count {
                    visits.push(visit(&mut random, place, evse, midnight.timestamp()));
                }
            }
        }
    }
    visits.sort_by_key(|visit| visit.arrives);
    let mut busy = HashMap::new();
    visits.retain_mut(|visit| {
        let spot = (Some(visit.place.station), usize::try_from(visit.evse).unwrap_or_default());
        let person = visit.person.map(|person| (None, person));
        let is_free = [Some(spot), person]
            .into_iter()
            .flatten()
            .all(|key| busy.get(&key).is_none_or(|until| *until < visit.arrives));
        let is_open = closures.iter().all(|closure| {
            closure.station != visit.place.station || visit.leaves < closure.from || visit.arrives > closure.until
        });
        let fits = is_free && is_open && visit.leaves < until;
        if fits {
            busy.extend([Some(spot), person].into_iter().flatten().map(|key| (key, visit.leaves)));
        }
        fits
    });
    visits
}

fn visit(random: &mut StdRng, place: &'static Place, evse: i64, midnight: Timestamp) -> Visit {
    let mut point = random.random_range(0..CURVE.iter().sum());
    let hour = CURVE.iter().position(|weight| {
        let is_here = point < *weight;
        point = point.saturating_sub(*weight);
        is_here
    });
    let minutes = i64::try_from(hour.unwrap_or(12)).unwrap_or(12) * 60 + random.random_range(0..60);
    let arrives = midnight.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(midnight);
    // Large stations are visited by those who need much.
    let energy = random.random_range(4_000..=(place.power).clamp(14_000, 38_000));
    let person = random.random_range(0..PEOPLE.len() + 2);
    let charging = charging_time(energy, place.power);
    // Some leave their cars longer than they charge.
    let idle = if random.random_bool(0.3) { random.random_range(10..70) } else { 2 };
    let full = arrives.saturating_add(charging).unwrap_or(arrives);
    let leaves = full.saturating_add(SignedDuration::from_mins(idle)).unwrap_or(full);
    Visit { place, evse, person: Some(person).filter(|person| *person < PEOPLE.len()), arrives, energy, full, leaves }
}

/// The last fifth is charged with half the power.
fn charging_time(energy: u32, power: u32) -> SignedDuration {
    let seconds = i64::from(energy) * 3600 * 12 / (i64::from(power) * 10);
    SignedDuration::from_secs(seconds)
}

impl Visit {
    /// What has been charged after so long, in Wh, and with how much power.
    fn progress(&self, after: SignedDuration) -> (u32, u32) {
        let power = i64::from(self.place.power);
        let knee = i64::from(self.energy) * 8 / 10;
        let seconds = after.as_secs();
        let at_full = power * seconds / 3600;
        let (charged, power) = match at_full <= knee {
            true => (at_full, power),
            false => (knee + (at_full - knee) / 2, power / 2),
        };
        let charged = u32::try_from(charged).unwrap_or(self.energy).min(self.energy);
        let power = if charged < self.energy { power } else { 0 };
        (charged, u32::try_from(power).unwrap_or_default())
    }

    fn reading(&self, at: Timestamp, meter: u64) -> MeterReading {
        let (charged, power) = self.progress(at.duration_since(self.arrives));
        let sample = |measurand: &'static str, value: Decimal, unit: &'static str| Sample {
            value: SampleValue::Number(value),
            measurand: measurand.into(),
            unit: Some(unit.into()),
            context: "Sample.Periodic".into(),
            phase: None,
            location: "Outlet".into(),
            signed: None,
        };
        MeterReading {
            at,
            samples: vec![
                sample("Energy.Active.Import.Register", Decimal::from(meter + u64::from(charged)), "Wh"),
                sample("Power.Active.Import", Decimal::from(power), "W"),
            ],
        }
    }

    /// What the station told, each with when; `meter` is what its register read before.
    pub(super) fn events(&self, id: &str, meter: u64) -> Vec<(Timestamp, Event)> {
        let of = |at: Timestamp, state: &str| {
            let mut event = TransactionEvent::new(TransactionId::new(id), at);
            event.place = Some(At::connector(self.evse, 1));
            event.charging_state = (self.place.version != Version::V1_6).then(|| state.to_owned());
            event
        };
        let mut start = of(self.arrives, "Charging");
        let card = self.person.and_then(|person| PEOPLE.get(person)).map_or("04A1B2C3", |person| person.card);
        start.token = Some(Token::new(card));
        start.meter_wh = Some(Decimal::from(meter));
        let mut events = vec![(self.arrives, Event::TransactionStarted(Box::new(start)))];
        let mut at = self.arrives;
        while let Ok(next) = at.checked_add(SAMPLES)
            && next < self.full
        {
            at = next;
            let mut update = of(at, "Charging");
            update.readings = vec![self.reading(at, meter)];
            events.push((at, Event::TransactionUpdated(Box::new(update))));
        }
        let mut full = of(self.full, "SuspendedEV");
        full.readings = vec![self.reading(self.full, meter)];
        events.push((self.full, Event::TransactionUpdated(Box::new(full))));
        let mut end = of(self.leaves, "Idle");
        end.meter_wh = Some(Decimal::from(meter + u64::from(self.energy)));
        end.stopped_reason = Some(if self.person.is_some() { "Local" } else { "EVDisconnected" }.to_owned());
        events.push((self.leaves, Event::TransactionEnded(Box::new(end))));
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week() -> Vec<Visit> {
        visits(at("2026-11-20T12:00:00Z"), &TimeZone::UTC, &[])
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn nobody_charges_where_nothing_works() {
        let (from, until) = (at("2026-11-17T00:00:00Z"), at("2026-11-18T12:00:00Z"));
        let closure = Closure { station: "DEMO-21", from, until, state: StationState::Faulted };
        let week = visits(at("2026-11-20T12:00:00Z"), &TimeZone::UTC, &[closure]);
        let there = |visit: &&Visit| visit.place.station == "DEMO-21";
        assert!(week.iter().filter(there).count() > 10);
        assert!(!week.iter().filter(there).any(|visit| visit.leaves >= from && visit.arrives <= until));
    }

    #[test]
    fn a_week_has_a_few_hundred_visits_and_a_curve() {
        let week = week();
        assert!((200..500).contains(&week.len()), "{}", week.len());
        let of_hours = |from: i8, to: i8| {
            let is_in = |visit: &&Visit| {
                let hour = visit.arrives.to_zoned(TimeZone::UTC).hour();
                (from..to).contains(&hour)
            };
            week.iter().filter(is_in).count()
        };
        assert!(of_hours(17, 20) > 3 * of_hours(1, 4), "the evening is busier than the night");
    }

    #[test]
    fn nobody_is_at_two_places_and_no_place_has_two() {
        let week = week();
        for (index, visit) in week.iter().enumerate() {
            for other in week.iter().skip(index + 1).filter(|other| other.arrives <= visit.leaves) {
                assert!(visit.person.is_none() || visit.person != other.person);
                assert!((visit.place.station, visit.evse) != (other.place.station, other.evse));
            }
        }
    }

    #[test]
    fn the_readings_lead_to_what_was_charged() {
        for visit in week() {
            let (charged, power) = visit.progress(visit.full.duration_since(visit.arrives));
            assert!(visit.energy - charged < 20, "{charged} of {}", visit.energy);
            assert!(power <= visit.place.power);
            assert!(visit.leaves > visit.full && visit.full > visit.arrives);
        }
    }
}
