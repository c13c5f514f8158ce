//! The handle of a running station.

use ocpp_core::station::{LocalStop, Token};
use tokio::sync::{mpsc, oneshot, watch};

use crate::command::{Action, Change, Command, Setting};
use crate::config::Config;
use crate::driver::Driver;
use crate::error::{CommandError, StartError};
use crate::hardware::EvChange;
use crate::messages::Frame;
use crate::state::State;

/// Commands that may wait for a station that is busy writing.
const QUEUE: usize = 64;

/// A simulated station that runs in a task of its own. It ends with [`Simulator::shutdown`], or abruptly when the last clone
/// of its handle is dropped.
///
/// A method returns when the
/// station has taken the fact in, not when the CSMS has answered: wait for that with [`Simulator::wait_for`].
#[derive(Debug, Clone)]
pub struct Simulator {
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<State>,
}

impl Simulator {
    /// Starts a station: it opens its store, connects, boots, and keeps trying as the standard says.
    ///
    /// # Errors
    /// The configuration makes no sense, or the store can't be opened. A CSMS that can't be reached is no error: it shows in
    /// [`State::connection_error`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let (commands, receiver) = mpsc::channel(QUEUE);
        let (driver, state) = Driver::new(config, receiver)?;
        tokio::spawn(driver.run());
        Ok(Self { commands, state })
    }

    /// Everything that can be seen of the station, now.
    ///
    /// # Errors
    /// The station has been shut down.
    pub async fn state(&self) -> Result<State, CommandError> {
        self.ask(Command::State).await
    }

    /// The frames that went over the wire, oldest first; the last [`CAPACITY`](crate::messages::CAPACITY) are kept.
    ///
    /// # Errors
    /// The station has been shut down.
    pub async fn messages(&self) -> Result<Vec<Frame>, CommandError> {
        self.ask(Command::Messages).await
    }

    /// Waits until `condition` holds, and gives the state in which it did. It is looked at whenever something changes, and five
    /// times a second while energy flows. There is no time limit: wrap it in [`tokio::time::timeout`].
    ///
    /// # Errors
    /// The station has been shut down.
    pub async fn wait_for(&self, condition: impl FnMut(&State) -> bool) -> Result<State, CommandError> {
        let mut state = self.state.clone();
        let found = state.wait_for(condition).await.map_err(|_| CommandError::Stopped)?;
        Ok(found.clone())
    }

    /// Puts a cable in at the first connector of an EVSE.
    ///
    /// # Errors
    /// There is no such EVSE, or a cable is in already.
    pub async fn plug(&self, evse: u32) -> Result<(), CommandError> {
        self.act(Action::Plug { evse, connector: 1 }).await
    }

    /// Pulls the cable out on the car's side.
    ///
    /// # Errors
    /// There is no such EVSE, or no cable is in.
    pub async fn unplug(&self, evse: u32) -> Result<(), CommandError> {
        self.act(Action::Unplug { evse }).await
    }

    /// Presents an RFID card (ISO 14443): it starts a transaction, or stops the one it started. [`Action::Tap`] takes any token.
    ///
    /// # Errors
    /// There is no such EVSE, or the text is no token.
    pub async fn tap(&self, evse: u32, card: &str) -> Result<(), CommandError> {
        self.act(Action::Tap { evse, token: Token::rfid(card) }).await
    }

    /// Stops the transaction at the station itself, for the reason `Local`.
    ///
    /// # Errors
    /// There is no such EVSE, or no transaction runs there.
    pub async fn stop(&self, evse: u32) -> Result<(), CommandError> {
        self.act(Action::Stop { evse, reason: LocalStop::Local }).await
    }

    /// Changes the car.
    ///
    /// # Errors
    /// There is no such EVSE.
    pub async fn ev(&self, evse: u32, change: EvChange) -> Result<(), CommandError> {
        self.act(Action::Ev { evse, change }).await
    }

    /// Does any of the things that can be done to a station.
    ///
    /// # Errors
    /// As the action says; nothing has changed then.
    pub async fn act(&self, action: Action) -> Result<(), CommandError> {
        self.ask(|reply| Command::Act(action, reply)).await?
    }

    /// Reads a setting: a 1.6 key, or `Component.Variable[.Instance]`.
    ///
    /// # Errors
    /// There is no such setting.
    pub async fn setting(&self, name: impl Into<String>) -> Result<Setting, CommandError> {
        self.change(name.into(), None).await
    }

    /// Changes a setting at the station itself, where more may be changed than by a CSMS.
    ///
    /// # Errors
    /// There is no such setting, or the value doesn't fit it.
    pub async fn set(&self, name: impl Into<String>, value: impl Into<String>) -> Result<Setting, CommandError> {
        self.change(name.into(), Some(Change::Put(value.into()))).await
    }

    /// Gives a setting back the value it has until somebody changes it.
    ///
    /// # Errors
    /// There is no such setting.
    pub async fn reset(&self, name: impl Into<String>) -> Result<Setting, CommandError> {
        self.change(name.into(), Some(Change::Reset)).await
    }

    async fn change(&self, name: String, change: Option<Change>) -> Result<Setting, CommandError> {
        self.ask(|reply| Command::Setting { name, change, reply }).await?
    }

    /// Closes the connection and ends the station, with everything written that it keeps.
    pub async fn shutdown(&self) {
        // A station that has ended already is what was asked for.
        let _ = self.ask(Command::Shutdown).await;
    }

    /// Waits until the station has ended: it was shut down, or its store failed.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| CommandError::Stopped)?;
        answer.await.map_err(|_| CommandError::Stopped)
    }
}
