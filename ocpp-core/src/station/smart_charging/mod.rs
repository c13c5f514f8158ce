//! Smart charging: how much power may flow where and when (2.1 part 2, block K; 1.6 edition 2, 3.13).
//!
//! [`Solver`] is pure: profiles, places and moments go in, limits come out. It knows no version, no clock and no station, so
//! a CSMS can plan with it what a station will do. Each moment is decided for itself:
//!
//! 1. A profile counts while it is valid and while its schedule runs. Among those of one purpose the highest stack level
//!    prevails; where it has nothing to say (not begun, over, between two recurrences) the next lower one does
//!    (1.6 edition 2, 3.13.2 and errata 3.43).
//! 2. A profile of the transaction stands in for the default ones, as long as it has something to say (K02.FR.04, K02.FR.08),
//!    and one of priority for both, at a transaction that has it (2.1, K21.FR.04).
//! 3. The result is the smallest of what is left of the purposes (1.6 edition 2, 3.13.3; K08.FR.04), and what is generated on
//!    the spot comes on top of that (2.1, K27).
//!
//! # Time
//!
//! A schedule that starts at a point in time recurs every 24 hours or 7 days from there (1.6 errata 3.79). A point in time
//! has no time zone, so that such a schedule moves by an hour on the local clock when daylight saving begins or ends. One that
//! starts at a local time, which only 2.1 has, follows the local clock: what the clock leaves out is skipped, what it shows
//! twice is repeated (K01.FR.90, K01.FR.91).

mod admission;
mod composite;
mod dynamic;
mod engine;
mod external;
mod installed;
mod limit;
mod offline;
mod priority;
mod profile;
mod reporting;
mod sharing;
mod solver;
mod timeline;
mod vehicle;

pub use composite::{CompositePeriod, CompositeSchedule, Window};
pub use external::{ExternalLimit, LimitOverTime, LimitSource};
pub use limit::{Limit, Supply};
pub use profile::{
    Dynamic, OfflineRule, Period, Place, Profile, Purpose, RateUnit, Recurrence, Schedule, ScheduleError, SocLimit,
    Start,
};
pub use solver::{Outlet, Solver};
pub use vehicle::{EnergyTransfer, OfferedSchedule, VehicleNeeds, VehiclePlan};

#[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
pub(super) use admission::Refusal;
#[cfg(any(feature = "v1_6", feature = "v2_0_1", feature = "v2_1"))]
pub(super) use composite::UNLIMITED;
pub(super) use engine::Charging;
pub(super) use external::LimitNotice;
pub(super) use installed::Criteria;
#[cfg(any(feature = "v1_6", feature = "v2_0_1", feature = "v2_1"))]
pub(super) use installed::{PurposeKind, Rival};
#[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
pub(super) use priority::NoPriority;
pub(super) use vehicle::Negotiation;
