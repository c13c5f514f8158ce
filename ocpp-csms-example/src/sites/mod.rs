//! Sites: what several stations share.
//!
//! A [`Definition`] says what a site is fed with and what hangs on it. From that, the running sessions, prices and signals of those who
//! run the grid a plan is made, whenever something changes, and sent to the stations as charging profiles. What is sent, and what
//! was answered, decides what counts as drawn: a station that was not heard of keeps what it may draw on its own.

mod calendar;
mod capacity;
mod choose;
mod current;
mod definition;
mod dispatch;
mod held;
mod plan;
#[cfg(test)]
mod plan_tests;
mod prices;
mod profile;
mod scene;
mod schedule;
mod service;
mod shares;
mod signal;
mod steps;
mod target;
mod view;
mod watch;

pub use calendar::{Clock, Day, Window};
pub use current::{Current, Limit, Supply};
pub use definition::{Definition, Group, PricePolicy, PriceRule, Rotation, SiteEvse, SiteStation};
pub use prices::{PriceFile, PriceFileError, PriceSlot, Unit as PriceUnit};
pub use schedule::Schedule;
pub use service::{Site, SiteError, Sites};
pub use signal::{Signal, SignalLimit};
pub use target::Target;
pub use view::{LiveGroup, LivePlace, LiveSite, Obedience, PlanStep};
pub(crate) use watch::Watch;
