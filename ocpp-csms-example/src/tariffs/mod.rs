//! What charging costs, in exact decimals.
//!
//! A [`Tariff`] has prices for energy, for the time of charging, for staying connected afterwards, and for each session, by
//! the time of the week where it wants; [`Tariff::bill`] says what a session comes to: no database, no clock. [`Tariffs`]
//! keeps them, in versions, and knows which holds where.

mod amount;
mod bill;
mod cost_messages;
pub(crate) mod display;
mod service;
mod tariff;
mod timetable;
mod words;

pub use amount::{AmountTooFine, amount, digits, minor_units, rounded_units, written};
pub use bill::{Bill, Item, Line, TooMuch, Usage};
pub use cost_messages::CostMessages;
pub use service::{Applied, Assignment, Scope, TariffRecord, TariffVersion, Tariffs, TariffsError};
pub use tariff::{Tariff, TariffError, Tax};
pub use timetable::{Day, MinuteOfDay, Moment, Slot, Timetable, TimetableError};
pub use words::standard_tariff;
