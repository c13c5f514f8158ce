//! A charging station you can run: simulated hardware around [`ocpp_core::station::Station`], with real sockets, clocks and
//! disks.
//!
//! What a station does is decided in `ocpp_core`; in here is everything that it leaves to an integrator, and so an example of
//! how to integrate it:
//!
//! - [`hardware`]: EVSEs, cables, cars, meters and locks, in exact watt-hours;
//! - [`store`]: the records that survive a power cut, in a transactional database;
//! - a task that owns all of that, a clock and a socket, and carries facts to the station and effects from it;
//! - [`Simulator`]: the handle of that task, for tests and demonstrations;
//! - [`control`]: the same over HTTP, with the table of everything that can be done;
//! - [`validate`]: a validator of messages, which has nothing to do with the rest.
//!
//! The program `ocpp-cp` offers it on the command line:
//!
//! ```text
//! ocpp-cp run --csms ws://127.0.0.1:8180/ocpp --id CP-1 --version auto --control 127.0.0.1:9000 --state ./CP-1
//! ocpp-cp replay station.log
//! ocpp-cp validate --jsonl < messages.jsonl
//! ocpp-cp validate --version 2.0.1 frames.log
//! ```
//!
//! A whole session in Rust:
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
mod firmware;
pub mod hardware;
mod logs;
pub mod messages;
mod recording;
mod simulator;
pub mod state;
pub mod store;
mod transfer;
pub mod validate;

pub use command::{Action, Setting};
pub use config::{Config, Security, version_named};
pub use error::{CommandError, StartError};
pub use simulator::Simulator;
pub use state::State;
