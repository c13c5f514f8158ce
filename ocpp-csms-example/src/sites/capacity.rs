//! What a site may draw over the next hours: its limit, its schedule, and the signals for it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::current::Current;
use super::definition::Definition;
use super::plan::HORIZON;
use super::schedule::Schedule;
use super::signal::Signal;

/// What the site may draw from now on. The last step is the least that is known to hold at any later time: what a station that is
/// not heard of any more goes on with has to fit then, too.
pub(super) fn capacity(site: &str, definition: &Definition, signals: &[Signal], now: Timestamp) -> Schedule {
    let supply = definition.supply();
    let most = definition.limit.current(supply);
    let until = now.saturating_add(SignedDuration::from_secs(HORIZON)).unwrap_or(Timestamp::MAX);
    let zone = definition.zone().unwrap_or(TimeZone::UTC);
    let mut limits: Vec<(Timestamp, Timestamp, Current)> = Vec::new();
    for window in &definition.schedule {
        let of_window = window.limit.current(supply);
        limits.extend(window.between(now, until, &zone).into_iter().map(|(from, until)| (from, until, of_window)));
    }
    for signal in signals.iter().filter(|signal| signal.sites.iter().any(|named| named == site)) {
        limits.push((signal.from, signal.until, signal.limit.current(most, supply)));
    }
    let at = |moment: Timestamp| {
        let holding = limits.iter().filter(|(from, until, _)| *from <= moment && moment < *until);
        holding.map(|(_, _, limit)| *limit).fold(most, Current::min).get()
    };
    let mut moments: Vec<Timestamp> = limits.iter().flat_map(|(from, until, _)| [*from, *until]).collect();
    moments.retain(|moment| now < *moment && *moment < until);
    moments.push(now);
    let mut steps: Vec<(i64, u32)> = moments.into_iter().map(|moment| (moment.as_second(), at(moment))).collect();
    let later = limits.iter().filter(|(_, end, _)| *end > until).map(|(_, _, limit)| *limit);
    let recurring = definition.schedule.iter().map(|window| window.limit.current(supply));
    steps.push((until.as_second(), later.chain(recurring).fold(most, Current::min).get()));
    Schedule::new(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_least_of_limit_schedule_and_signals_holds_at_each_moment() {
        let definition: Definition = serde_json::from_value(json!({
            "name": "Garage", "limit": {"amperes": 63},
            "schedule": [{"from": "17:00", "until": "20:00", "limit": {"amperes": 32}}],
        }))
        .unwrap();
        let signal = |limit: serde_json::Value, from: &str, until: &str, site: &str| -> Signal {
            serde_json::from_value(json!({"sites": [site], "limit": limit, "from": from, "until": until})).unwrap()
        };
        let signals = [
            signal(json!({"percent": 20}), "2026-06-01T16:00:00Z", "2026-06-01T18:00:00Z", "garage"),
            signal(json!({"amperes": 1}), "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", "elsewhere"),
        ];
        let found = capacity("garage", &definition, &signals, at("2026-06-01T12:00:00Z"));
        let of = |text: &str| found.at(at(text).as_second());
        assert_eq!(of("2026-06-01T12:00:00Z"), 630);
        assert_eq!(of("2026-06-01T16:30:00Z"), 126);
        assert_eq!(of("2026-06-01T17:30:00Z"), 126);
        assert_eq!(of("2026-06-01T18:30:00Z"), 320);
        assert_eq!(of("2026-06-01T20:00:00Z"), 630);
        assert_eq!(of("2026-06-02T12:00:00Z"), 320, "beyond the plan, the least of all days");
    }
}
