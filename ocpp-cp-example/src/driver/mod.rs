//! The task that owns a station: its hardware, its store, its socket and its clock.

mod clock;

use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::command::{Action, Command};
use crate::config::Config;
use crate::error::{CommandError, StartError};
use crate::hardware::{Evse, Hardware};
use crate::messages::Messages;
use crate::state::{EvseState, State};
use crate::store::Store;
use clock::Clock;

/// How often what can be seen of a station is brought up to date while energy flows.
const REFRESH: Duration = Duration::from_millis(200);

/// A station and everything it touches.
pub(crate) struct Driver {
    config: Config,
    clock: Clock,
    hardware: Hardware,
    messages: Messages,
    network: bool,
    commands: mpsc::Receiver<Command>,
    state: watch::Sender<State>,
}

impl Driver {
    /// Opens the store and makes the hardware. Gives the first view of the station.
    pub(crate) fn new(
        config: Config,
        commands: mpsc::Receiver<Command>,
    ) -> Result<(Self, watch::Receiver<State>), StartError> {
        let clock = Clock::start();
        let _store = match &config.state {
            Some(folder) => Store::open(folder)?,
            None => Store::in_memory(),
        };
        let hardware = Hardware::new(config.evses, config.connectors, config.speed, &[], clock.now().instant);
        let view = view(&config, &hardware, true);
        let (state, receiver) = watch::channel(view);
        Ok((Self { config, clock, hardware, messages: Messages::default(), network: true, commands, state }, receiver))
    }

    /// Runs until it is told to stop, or nobody is left who could tell.
    pub(crate) async fn run(mut self) {
        loop {
            let refresh = self.hardware.next_change().map(|_| tokio::time::Instant::now() + REFRESH);
            tokio::select! {
                command = self.commands.recv() => match command {
                    None | Some(Command::Shutdown) => return,
                    Some(command) => self.command(command),
                },
                () = sleep_until(refresh) => {}
            }
            self.hardware.advance(self.clock.now().instant);
            let view = view(&self.config, &self.hardware, self.network);
            self.state.send_if_modified(|state| {
                if *state == view {
                    false
                } else {
                    *state = view;
                    true
                }
            });
        }
    }

    fn command(&mut self, command: Command) {
        self.hardware.advance(self.clock.now().instant);
        // Who doesn't wait for the answer doesn't want it.
        match command {
            Command::State(reply) => drop(reply.send(view(&self.config, &self.hardware, self.network))),
            Command::Messages(reply) => drop(reply.send(self.messages.all())),
            Command::Setting(name, reply) => {
                drop(reply.send(Err(CommandError::Unknown(format!("there is no setting {name}")))));
            }
            Command::Act(action, reply) => drop(reply.send(self.act(action))),
            Command::Shutdown => {}
        }
    }

    fn act(&mut self, action: Action) -> Result<(), CommandError> {
        match action {
            Action::Plug { evse: id, connector } => {
                let evse = self.evse(id)?;
                if connector == 0 || connector > evse.connectors() {
                    return Err(CommandError::Unknown(format!(
                        "EVSE {id} has no connector {connector}: its connectors are 1 to {}",
                        evse.connectors()
                    )));
                }
                if !evse.plug(connector) {
                    return Err(CommandError::NotPossible(format!(
                        "a cable is in at EVSE {id} already: unplug it first"
                    )));
                }
            }
            Action::Unplug { evse: id } => {
                if self.evse(id)?.unplug().is_none() {
                    return Err(CommandError::NotPossible(format!("no cable is in at EVSE {id}: plug one in first")));
                }
            }
            Action::Ev { evse, change } => self.evse(evse)?.ev_mut().change(change),
            Action::Fault { evse, code } => self.evse(evse)?.set_fault(Some(code)),
            Action::ClearFault { evse } => self.evse(evse)?.set_fault(None),
            Action::Lock { evse, fails } => self.evse(evse)?.set_lock_fails(fails),
            Action::Bay { evse, occupied } => self.evse(evse)?.set_bay(occupied),
            Action::Network { up } => self.network = up,
            Action::Tap { .. }
            | Action::Stop { .. }
            | Action::PutSetting { .. }
            | Action::ResetSetting { .. }
            | Action::PowerCut { .. }
            | Action::Restart
            | Action::AlignClock => {
                return Err(CommandError::NotPossible("the station isn't connected to a CSMS".to_owned()));
            }
        }
        Ok(())
    }

    fn evse(&mut self, evse: u32) -> Result<&mut Evse, CommandError> {
        let evses = self.hardware.len();
        self.hardware.evse_mut(evse).ok_or_else(|| {
            CommandError::Unknown(format!("there is no EVSE {evse}: the EVSEs of this station are 1 to {evses}"))
        })
    }
}

fn view(config: &Config, hardware: &Hardware, network: bool) -> State {
    State {
        id: config.id.clone(),
        version: None,
        network,
        connected: false,
        registration: None,
        connection_error: None,
        evses: hardware.iter().map(|(id, evse)| EvseState::of_hardware(id, evse)).collect(),
    }
}

/// Sleeps until then, or for ever.
async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
