//! Charging sessions: from what stations report to what is kept and billed.

pub(crate) mod billing;
mod course;
mod progress;
mod reading;
mod recorder;

pub use course::{Course, usage};
pub use progress::Step;
pub(crate) use recorder::{Recorded, Recorder, State, connector_changed, json};
