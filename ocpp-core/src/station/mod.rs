//! A charging station, without its hardware.
//!
//! [`Station`] decides everything that OCPP lets a station decide. It has no socket, no clock, no disk and no relay: the
//! integrator reports facts with [`Station::handle`], carries out the effects that [`Station::poll_output`] gives, and calls
//! again when [`Station::poll_timeout`] says so. The same facts drive 1.6, 2.0.1 and 2.1.
//!
//! ```text
//! loop {
//!     while let Some(output) = station.poll_output() { carry_out(output) }      // until it says None
//!     let input = next_fact_or(station.poll_timeout(), Input::Timeout);
//!     station.handle(now(), input);
//! }
//! ```
//!
//! # The contract
//!
//! - `handle` never fails and never panics, whatever a peer sends. After each call, drain `poll_output`.
//! - `poll_timeout` may name an earlier or later moment after every `handle`; only the last one counts.
//! - Effects come in order. What depends on something stored (a frame that reports it, energy that it permits, a restart)
//!   is given only after [`Input::Stored`] for its batch. A batch reaches the storage whole or not at all.
//! - A power cut is: drop the station, later [`Station::restore`] it from what was stored. So is a restart.
//! - Same configuration, same seed, same inputs: same outputs, byte for byte.

mod config;
mod event;
mod facts;
mod input;
mod output;
mod serial;
mod settings;
mod state;
mod store;

pub use config::{BootReason, EvseConfig, Product, StationConfig};
pub use event::{ConnectorStatus, Event, Registration};
pub use facts::{Fault, FaultCode, LocalStop, Measurand, Phase, Reading, Sample, Token, TokenType, Vehicle};
pub use input::{Answer, Input};
pub use output::{BatchId, Connect, Deadline, Notice, Output, Question, QuestionId, QuestionKind, Timer};
pub use settings::{SettingChange, SettingError, SettingName};
pub use state::{EvseState, StationState, TransactionState};
pub use store::{Batch, Change, Record, RestoreError};

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use crate::time::Now;

/// A charging station, without its hardware. See the [module](self) for the contract.
#[derive(Debug)]
pub struct Station {
    config: StationConfig,
    outputs: VecDeque<Output>,
}

impl Station {
    /// A station that starts for the first time. `seed` is what its random choices grow from: give each start another one.
    #[must_use]
    pub fn new(config: StationConfig, seed: [u8; 32], now: Now) -> Self {
        let _ = (seed, now);
        Self { config, outputs: VecDeque::new() }
    }

    /// A station that starts again, from what its predecessor had stored.
    ///
    /// # Errors
    /// A record can't be read.
    pub fn restore(
        config: StationConfig,
        seed: [u8; 32],
        now: Now,
        stored: impl Iterator<Item = Record>,
    ) -> Result<Self, RestoreError> {
        let _ = stored.count();
        Ok(Self::new(config, seed, now))
    }

    /// Takes a fact in. Never fails: a peer's fault becomes an answer to the peer and an [`Event`].
    pub fn handle(&mut self, now: Now, input: Input) {
        let _ = (now, input);
    }

    /// The next effect to carry out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to report [`Input::Timeout`], and why; `None` while the station waits for nothing but facts.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        None
    }

    /// What the station is like now.
    #[must_use]
    pub fn state(&self, now: Now) -> StationState {
        StationState {
            identity: self.config.identity.clone(),
            version: String::new(),
            connected: false,
            registration: None,
            outbox: 0,
            utc: now.utc,
            evses: Vec::new(),
        }
    }

    /// The value of a setting, as the local operator sees it: write-only ones excepted.
    ///
    /// # Errors
    /// There is no such setting, or it can't be read.
    pub fn setting(&self, name: &SettingName) -> Result<String, SettingError> {
        Err(SettingError::Unknown(name.clone()))
    }

    /// Changes a setting on behalf of the local operator, who may change more than a CSMS: what is read-only for
    /// the CSMS, he can write. `None` brings back the value it has from the configuration.
    ///
    /// This is an input like any other: drain `poll_output` afterwards, and keep it in a log that is to be replayed.
    ///
    /// # Errors
    /// There is no such setting, or the value doesn't fit it.
    pub fn change_setting(
        &mut self,
        now: Now,
        name: &SettingName,
        value: Option<&str>,
    ) -> Result<SettingChange, SettingError> {
        let _ = (now, value);
        Err(SettingError::Unknown(name.clone()))
    }
}
