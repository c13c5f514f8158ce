//! What the operator wants to know afterwards: hours, energy and fees of each station and day, and documents of it.
//!
//! Reports don't read every session: totals of days and hours are kept with the end of each session, in the calendar of its station, and
//! can be made anew from the sessions ([`rebuild`]).

pub mod pdf;
mod spread;
mod totals;

pub use spread::Session;
pub(crate) use spread::{DayTotal, Hour, HourTotal, Totals};
pub use totals::rebuild;
pub(crate) use totals::{rebuild_in, session_changed};
