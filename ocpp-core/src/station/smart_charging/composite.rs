//! Composite schedules: what the profiles come to over a stretch of time (1.6 edition 2, 5.7; 2.1 part 2, K08).

use alloc::vec::Vec;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::{Decimal, RoundingStrategy};

use super::limit::{Limit, Supply};
use super::profile::RateUnit;
use super::solver::{Outlet, Solver, Walk};

/// How many moments a schedule looks at. Schedules of profiles that change all the time end there.
const MOMENTS: usize = 20_000;

/// A period without any limit has to have one all the same: a value that nothing reaches (2.1 part 2, K, 3.7.1).
pub(in crate::station) const UNLIMITED: Decimal = Decimal::from_parts(999_999, 0, 0, false, 0);

/// What a composite schedule is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From when on.
    pub from: Timestamp,
    /// For how many seconds.
    pub seconds: u32,
    /// In which unit.
    pub unit: RateUnit,
    /// With how many decimal places; what is over is cut off, so that a limit is never too high. 1.6 has 1.
    pub decimal_places: u32,
    /// With how many periods at most. A schedule that would need more of them ends earlier.
    pub max_periods: usize,
}

/// Limits over a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompositeSchedule {
    /// From when on.
    pub from: Timestamp,
    /// For how many seconds.
    pub seconds: u32,
    /// The unit of the limits.
    pub unit: RateUnit,
    /// The periods, the first one at second 0. Neighbours differ.
    pub periods: Vec<CompositePeriod>,
}

/// A period of a composite schedule. It lasts until the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompositePeriod {
    /// When it begins, in seconds from the start of the schedule. A limit that changes within a second counts from the next one.
    pub start: u32,
    /// The limit; `None` where there is none.
    pub limit: Option<Decimal>,
    /// Over how many phases.
    pub phases: u32,
}

impl Solver<'_> {
    /// The composite schedule of an outlet.
    #[must_use]
    pub fn composite(&self, outlet: &Outlet, window: &Window) -> CompositeSchedule {
        compose(self.walk_outlet(outlet, window.from), window)
    }

    /// The composite schedule of the whole station: what its outlets together may draw from this supply.
    #[must_use]
    pub fn composite_of_station(&self, outlets: &[Outlet], supply: Supply, window: &Window) -> CompositeSchedule {
        compose(self.walk_station(outlets, supply, window.from), window)
    }
}

fn compose(mut walk: impl Walk, window: &Window) -> CompositeSchedule {
    let mut periods: Vec<CompositePeriod> = Vec::new();
    let mut second = 0;
    let mut seconds = window.seconds;
    for moment in 0.. {
        let period = period(second, walk.limit(), walk.supply(), window);
        let is_new = periods.last().is_none_or(|last| last.limit != period.limit || last.phases != period.phases);
        if is_new {
            if periods.len() >= window.max_periods.max(1) {
                seconds = second;
                break;
            }
            periods.push(period);
        }
        let Some(next) = walk.until().and_then(|until| seconds_until(window.from, until)) else { break };
        if next >= window.seconds {
            break;
        }
        if moment >= MOMENTS {
            seconds = next;
            break;
        }
        second = next;
        let Ok(at) = window.from.checked_add(SignedDuration::from_secs(second.into())) else { break };
        walk.advance(at);
    }
    CompositeSchedule { from: window.from, seconds, unit: window.unit, periods }
}

/// The first whole second at or after a moment; `None` if it is beyond every schedule.
fn seconds_until(from: Timestamp, moment: Timestamp) -> Option<u32> {
    let duration = moment.duration_since(from);
    let begun = i64::from(duration.subsec_nanos() > 0);
    u32::try_from(duration.as_secs() + begun).ok()
}

fn period(start: u32, limit: Option<Limit>, supply: Supply, window: &Window) -> CompositePeriod {
    let rounded = |limit: Limit| {
        let value = limit.in_unit(window.unit);
        value.round_dp_with_strategy(window.decimal_places, RoundingStrategy::ToZero).normalize()
    };
    let phases = limit.map_or(supply.phases.get(), |limit| limit.phases);
    CompositePeriod { start, limit: limit.map(rounded), phases }
}
