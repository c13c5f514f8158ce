//! The task that owns a station: its hardware, its store, its socket and its clock.
//!
//! It reports what happens to [`Station`] and carries out what comes back; what a station does is decided there.

mod actions;
mod clock;
mod connection;
mod credentials;
mod disk;
mod effects;
mod facts;
mod keys;
mod rebirth;
mod tls;
mod transfers;
mod view;

use std::collections::VecDeque;
use std::time::Duration;

use ocpp_core::station::{Input, Station};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::command::Command;
use crate::config::Config;
use crate::error::StartError;
use crate::firmware::Firmware;
use crate::hardware::Hardware;
use crate::messages::{Direction, Messages};
use crate::recording::Recording;
use crate::state::{State, TransactionState};
use crate::store::{Store, StoreError};
use clock::Clock;
use connection::{Connection, Happened};
use credentials::Credentials;
use disk::{Disk, Found};
use facts::Told;
use keys::Keys;
use transfers::Transfers;

/// How often what can be seen of a station is brought up to date while energy flows.
const REFRESH: Duration = Duration::from_millis(200);
/// How often the meters are saved while energy flows.
const SAVE: Duration = Duration::from_secs(5);

/// A station and everything it touches.
pub(crate) struct Driver {
    config: Config,
    clock: Clock,
    station: Station,
    hardware: Hardware,
    disk: Disk,
    firmware: Firmware,
    transfers: Transfers,
    connection: Connection,
    credentials: Credentials,
    keys: Keys,
    messages: Messages,
    recording: Recording,
    network: bool,
    connection_error: Option<String>,
    /// What the station was told of each EVSE, in their order.
    told: Vec<Told>,
    /// The transactions of each EVSE, in their order.
    transactions: Vec<Transactions>,
    /// Facts that effects brought about, still to be told.
    inbox: VecDeque<Input>,
    /// The station asked to be started again.
    restart: bool,
    saved: Instant,
    /// Why the store fails, once it does: nothing can be promised any more.
    broken: Option<StoreError>,
    commands: mpsc::Receiver<Command>,
    state: watch::Sender<State>,
}

/// What is known about the transactions of an EVSE.
#[derive(Debug, Clone, Default)]
struct Transactions {
    running: Option<TransactionState>,
    last: Option<TransactionState>,
}

impl Driver {
    /// Opens the store and starts the station. Gives the first view of it.
    pub(crate) fn new(
        config: Config,
        commands: mpsc::Receiver<Command>,
    ) -> Result<(Self, watch::Receiver<State>), StartError> {
        config.check()?;
        let clock = Clock::start();
        let (disk, found) = match &config.state {
            Some(folder) => {
                let store = Store::open(folder)?;
                let found = Found::sort(store.load()?);
                (Disk::in_thread(store), found)
            }
            None => (Disk::in_memory(), Found::default()),
        };
        let credentials = Credentials::read(&config.security)?;
        let keys = Keys::new(config.state.as_deref(), credentials.key.clone());
        let now = clock.now();
        let mut hardware = Hardware::new(config.evses, config.connectors, config.speed, now.instant);
        rebirth::put_back(&mut hardware, &found.hardware);
        let mut recording = match &config.record {
            Some(path) => Recording::create(path)?,
            None => Recording::default(),
        };
        let firmware = Firmware::open(config.state.as_deref());
        let (station, unreadable) =
            rebirth::restore(&config, &credentials, &firmware, now, found.records, &mut recording);
        let count = hardware.len() as usize;
        let (state, receiver) = watch::channel(view::of(&config, &station, &hardware, now));
        let mut driver = Self {
            clock,
            station,
            hardware,
            disk,
            firmware,
            transfers: Transfers::default(),
            connection: Connection::new(config.compression),
            credentials,
            keys,
            messages: Messages::default(),
            recording,
            network: true,
            connection_error: None,
            told: vec![Told::default(); count],
            transactions: vec![Transactions::default(); count],
            inbox: VecDeque::new(),
            restart: false,
            saved: Instant::now(),
            broken: None,
            commands,
            state,
            config,
        };
        driver.set_aside(unreadable);
        Ok((driver, receiver))
    }

    /// Runs until it is told to stop, nobody is left who could tell, or the store fails.
    pub(crate) async fn run(mut self) {
        // Transactions of before the start are seen before it is decided what becomes of them.
        self.publish();
        self.tell_everything();
        self.settle().await;
        loop {
            if let Some(error) = self.broken.take() {
                tracing::error!(station = %self.config.id, "{error}; the station stops, because it can promise nothing");
                return;
            }
            self.publish();
            let (deadline, hardware_change) = (self.deadline(), self.hardware_change());
            tokio::select! {
                command = self.commands.recv() => match command {
                    None => break,
                    Some(Command::Shutdown(done)) => {
                        self.connection.close("the station is switched off").await;
                        self.save_hardware();
                        self.disk.close().await;
                        // Who doesn't wait needs no answer.
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.command(command).await,
                },
                happened = self.connection.next() => self.happened(happened),
                input = self.transfers.next() => self.tell(input),
                stored = self.disk.stored() => match stored {
                    Ok(id) => self.tell(Input::Stored(id)),
                    Err(error) => self.broken = Some(error),
                },
                () = sleep_until(deadline) => self.tell(Input::Timeout),
                () = sleep_until(hardware_change) => self.tell_hardware(),
            }
            self.settle().await;
        }
    }

    /// When the station wants to be asked.
    fn deadline(&self) -> Option<Instant> {
        self.station.poll_timeout().map(|deadline| self.clock.at(deadline.at))
    }

    /// When the hardware has to be looked at: while energy flows there is always news.
    fn hardware_change(&self) -> Option<Instant> {
        let change = self.clock.at(self.hardware.next_change()?);
        Some(change.min(Instant::now() + REFRESH))
    }

    /// Tells what happened at the socket.
    fn happened(&mut self, happened: Happened) {
        match happened {
            Happened::Connected { version } => {
                self.connection_error = None;
                tracing::info!(station = %self.config.id, "connected with OCPP {version}");
                self.tell(Input::Connected { version });
            }
            Happened::Failed { failure, reason } => {
                tracing::warn!(station = %self.config.id, "cannot connect: {reason}");
                self.connection_error = Some(reason.clone());
                self.tell(Input::ConnectionFailed { failure, reason });
            }
            Happened::Frame(text) => {
                self.record(Direction::Received, &text);
                self.tell(Input::Frame(text));
            }
            Happened::Closed { reason } => {
                tracing::warn!(station = %self.config.id, "disconnected: {reason}");
                self.connection_error = Some(reason.clone());
                self.tell(Input::Disconnected { reason });
            }
        }
    }

    /// Logs a frame and keeps it for whoever asks.
    fn record(&mut self, direction: Direction, text: &str) {
        let arrow = match direction {
            Direction::Sent => "→",
            Direction::Received => "←",
        };
        tracing::info!(station = %self.config.id, "{arrow} {}", effects::shortened(text));
        self.messages.record(jiff::Timestamp::now(), direction, self.connection.version(), text);
    }

    /// Starts the station again as often as it asks for it.
    async fn settle(&mut self) {
        while std::mem::take(&mut self.restart) {
            self.connection.close("the station restarts").await;
            self.start_again(None).await;
        }
        if self.saved.elapsed() >= SAVE {
            self.save_hardware();
        }
    }

    /// Shows everybody who waits what the station is like now.
    fn publish(&mut self) {
        let view = self.view();
        self.state.send_if_modified(|state| {
            let changed = *state != view;
            *state = view;
            changed
        });
    }
}

/// Sleeps until then, or for ever.
async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
