//! The stations that are connected: who is let in, what is live, and the task that converses with each.

mod admission;
mod complaints;
mod desk;
mod driver;
mod gateway;
mod live;
mod notice;
mod registry;
mod security;

pub use admission::{Refusal, StationIdError, check_id};
pub use gateway::routes;
pub(crate) use live::power;
pub use live::{ConnectorView, LiveStation};
pub use notice::{Notice, What};
pub use registry::{CallRefused, Stations};
