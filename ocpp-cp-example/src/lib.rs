//! A charging station you can run: simulated hardware around the station of `ocpp_core`, with real sockets, clocks and disks.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use ocpp_cp::{Config, Simulator};
//!
//! let station = Simulator::start(Config::new("ws://127.0.0.1:8180/ocpp".parse()?, "CP-1"))?;
//! station.wait_for(|state| state.is_accepted()).await?;
//! station.plug(1).await?;
//! station.tap(1, "04A2B3C4").await?;
//! station.wait_for(|state| state.evse(1).is_some_and(|evse| evse.meter_wh > 10)).await?;
//! station.tap(1, "04A2B3C4").await?;
//! let ended = station.wait_for(|state| state.evse(1).is_some_and(|evse| evse.last_transaction.is_some())).await?;
//! station.unplug(1).await?;
//! station.shutdown().await;
//! # drop(ended); Ok(())
//! # }
//! ```

mod command;
mod config;
pub mod control;
mod driver;
mod error;
pub mod hardware;
pub mod messages;
mod simulator;
pub mod state;
pub mod store;
pub mod validate;

pub use command::{Action, Setting};
pub use config::{Config, version_named};
pub use error::{CommandError, StartError};
pub use simulator::Simulator;
pub use state::State;
