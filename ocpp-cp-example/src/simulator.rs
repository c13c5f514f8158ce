//! The handle of a running station.

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::command::{Action, Command, Setting, Token};
use crate::config::Config;
use crate::driver::Driver;
use crate::error::{CommandError, StartError};
use crate::hardware::EvChange;
use crate::messages::Frame;
use crate::state::State;

/// Commands that may wait for a station that is busy writing.
const QUEUE: usize = 64;

/// A simulated station that runs in a task of its own. Dropping the handle ends it.
///
/// A handle is cheap to share behind an [`Arc`](std::sync::Arc); all methods take `&self`. A method returns when the
/// station has taken the fact in, not when the CSMS has answered: wait for that with [`Simulator::wait_for`].
#[derive(Debug)]
pub struct Simulator {
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<State>,
    task: JoinHandle<()>,
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
        let task = tokio::spawn(driver.run());
        Ok(Self { commands, state, task })
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

    /// Presents a token: it starts a transaction, or stops the one it started. A `&str` is an RFID card.
    ///
    /// # Errors
    /// There is no such EVSE, or the token breaks the limits of the standard.
    pub async fn tap(&self, evse: u32, token: impl Into<Token> + Send) -> Result<(), CommandError> {
        self.act(Action::Tap { evse, token: token.into() }).await
    }

    /// Stops the transaction at the station itself, for the reason `Local`.
    ///
    /// # Errors
    /// There is no such EVSE, or no transaction runs there.
    pub async fn stop(&self, evse: u32) -> Result<(), CommandError> {
        self.act(Action::Stop { evse, reason: None }).await
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
        let name = name.into();
        self.ask(|reply| Command::Setting(name, reply)).await?
    }

    /// Closes the connection and ends the station. What it kept stays in its folder.
    pub async fn shutdown(self) {
        // A station that has ended already is what was asked for.
        let _ = self.commands.send(Command::Shutdown).await;
        let _ = self.task.await;
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| CommandError::Stopped)?;
        answer.await.map_err(|_| CommandError::Stopped)
    }
}
