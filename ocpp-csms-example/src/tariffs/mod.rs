//! What charging costs, in exact decimals: no database, no clock.
//!
//! A [`Tariff`] has prices for energy, for the time of charging, for staying connected afterwards, and for each session, by
//! the time of the week where it wants; [`Tariff::bill`] says what a session comes to. [`Price`] is what one for energy alone
//! needs.

mod bill;
mod price;
mod tariff;
mod timetable;

pub use bill::{Bill, Item, Line, TooMuch, Usage};
pub use price::{Price, amount};
pub use tariff::{Tariff, TariffError, Tax};
pub use timetable::{Day, MinuteOfDay, Moment, Slot, Timetable, TimetableError};
