//! The session itself: it takes inputs apart and hands them to the concern they belong to.

use alloc::collections::VecDeque;

use ocpp_types::Version;

use super::command::CallOutcome;
use super::config::SessionConfig;
use super::event::Event;
use super::input::Input;
use super::output::{Deadline, Output};
use super::snapshot::Snapshot;
use crate::time::Now;

/// One station's session as the CSMS sees it. See the [module](super) for how to drive it.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    connected: Option<Version>,
    next_transaction_id: i64,
    outputs: VecDeque<Output>,
}

impl Session {
    /// The session of a station that this CSMS has never seen. Equal seeds and inputs give equal outputs, byte for byte; a seed is
    /// used for message ids and must not be used twice for a station.
    #[must_use]
    pub fn new(config: SessionConfig, seed: [u8; 32], now: Now) -> Self {
        let _ = (seed, now);
        let next_transaction_id = config.first_transaction_id;
        Self { config, connected: None, next_transaction_id, outputs: VecDeque::new() }
    }

    /// The session of a station that is known already: as it was when the snapshot was taken, and not connected.
    #[must_use]
    pub fn restore(config: SessionConfig, seed: [u8; 32], now: Now, snapshot: Snapshot) -> Self {
        let mut session = Self::new(config, seed, now);
        session.next_transaction_id = session.next_transaction_id.max(snapshot.next_transaction_id);
        session
    }

    /// What must be stored so that [`Session::restore`] can go on from here. To be taken when all outputs were taken.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { next_transaction_id: self.next_transaction_id }
    }

    /// Takes a fact in. Never fails: a peer's fault becomes an answer to it and an event, a late input changes nothing.
    pub fn handle(&mut self, now: Now, input: Input) {
        let _ = now;
        match input {
            Input::Connected { version } => self.connected = Some(version),
            Input::Disconnected => self.connected = None,
            Input::Registration(registration) => self.config.registration = registration,
            Input::Conformance(conformance) => self.config.conformance = conformance,
            Input::Command { id, .. } => {
                let event = Event::CallFinished { command: id, outcome: CallOutcome::NotConnected };
                self.outputs.push_back(Output::Event(event));
            }
            Input::Frame(_) | Input::Timeout | Input::Answer { .. } | Input::Stored(_) | Input::NotStored(_) => {}
        }
    }

    /// The next effect to carry out. To be called until it returns `None`, after every [`Session::handle`].
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to hand in [`Input::Timeout`], and why; `None` when there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        None
    }

    /// The version of the connection, `None` without one.
    #[must_use]
    pub fn connected(&self) -> Option<Version> {
        self.connected
    }
}
