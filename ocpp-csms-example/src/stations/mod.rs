//! The stations that are connected: who is let in, what is live, and the task that converses with each.

mod actions;
mod admission;
mod complaints;
mod contracts;
mod desk;
mod driver;
mod events;
mod gateway;
mod inspection;
mod live;
mod notice;
pub mod operations;
mod registry;
mod security;

pub use actions::{Action, actions};
pub use admission::{Refusal, StationIdError, check_id};
pub use events::Event;
pub(crate) use events::kind_fits;
pub use gateway::routes;
pub use inspection::Inspection;
pub(crate) use live::power;
pub use live::{Connection, ConnectorView, LiveSession, LiveStation};
pub use notice::{Alert, FaultNotice, Notice, What};
pub use registry::{CallRefused, InspectionError, Stations};
