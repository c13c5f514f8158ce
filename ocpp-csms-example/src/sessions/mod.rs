//! Charging sessions: from what stations report to what is kept and billed.

mod progress;
mod reading;
mod recorder;

pub use progress::Step;
pub(crate) use recorder::{Recorded, record};
