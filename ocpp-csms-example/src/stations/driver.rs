//! The task that converses with one station: it owns the socket and the clock, and carries out what the session wants.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use ocpp_core::csms::flows::Authentication;
use ocpp_core::csms::{
    CallOutcome, Command, CommandId, Event, Input, Output, RegistrationStatus, Session, SessionConfig, StoreToken,
    VariableKey,
};
use ocpp_core::time::{Instant, Now};
use ocpp_core::transport::{CloseFrame, Closed, Incoming};
use ocpp_core::types::v2_1::{ComponentType, GetVariableDataType, VariableType};
use ocpp_core::types::{Text, Version};
use rand::TryRng as _;
use tokio::sync::{mpsc, oneshot};

use super::complaints::Complaints;
use super::desk::{Arrival, Desk, DeskError};
use super::gateway::{Connected, Socket};
use super::inspection::Inspection;
use super::live;
use super::notice::What;
use super::registry::Stations;
use crate::sessions::State;
use crate::store::{Direction, Registration, Station};

/// What the rest of the program wants of a station.
#[derive(Debug)]
pub(super) enum Order {
    /// It connected anew.
    Attach(Box<Connected>),
    /// It is to be called. Boxed like the other large one, because a queue of orders has room for many, and each station has a queue.
    Call(Box<Call>),
    /// A flow of its is called off.
    Cancel(CommandId),
    /// The operator decided about it.
    Registration(Registration),
    /// Somebody wants to know what is known of its own data.
    Inspect(oneshot::Sender<Inspection>),
    /// Its connection is to end.
    Disconnect {
        /// Why.
        reason: String,
    },
}

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CommandId,
    pub(super) command: Command,
    /// Where the end is reported; without it the end is that of an operation.
    pub(super) reply: Option<oneshot::Sender<CallOutcome>>,
}

/// A station's task. It lives as long as the station is connected.
pub(super) struct Driver {
    stations: Stations,
    station: Arc<str>,
    desk: Desk,
    orders: mpsc::Receiver<Order>,
    started: tokio::time::Instant,
    socket: Option<Socket>,
    /// That the connection was slowed down has been logged.
    is_slowed_down: bool,
    /// What was complained about since the station connected.
    complained: u32,
    calls: HashMap<CommandId, oneshot::Sender<CallOutcome>>,
    /// Something of the flows changed that was not kept.
    flows_changed: bool,
    /// The station is to be asked which limits of a transaction it knows.
    ask_limits: bool,
    /// Something of the mirrors changed that was not kept. It is, with the next fact or when the station leaves.
    mirrors_changed: bool,
}

impl Driver {
    pub(super) fn new(stations: Stations, station: Arc<str>, orders: mpsc::Receiver<Order>) -> Self {
        Self {
            desk: Desk::new(stations.clone(), Arc::clone(&station)),
            stations,
            station,
            orders,
            started: tokio::time::Instant::now(),
            socket: None,
            is_slowed_down: false,
            complained: 0,
            calls: HashMap::new(),
            flows_changed: false,
            ask_limits: false,
            mirrors_changed: false,
        }
    }

    /// Serves the station from its first connection until it has none any more.
    ///
    /// What it waits for now and then is boxed: a task holds the room for all that it may ever do, and most stations are idle.
    pub(super) async fn run(mut self, first: Box<Connected>) {
        let (mut session, station) = match Box::pin(self.restore()).await {
            Ok(restored) => restored,
            Err(error) => {
                tracing::error!(station = %self.station, %error, "the station cannot be served");
                // Whoever waits learns it by the end of this task; the station connects again.
                while !self.stations.retire(&self.station, &mut self.orders) {
                    let _ = self.orders.try_recv();
                }
                return;
            }
        };
        Box::pin(self.attach(&mut session, *first, Some(station))).await;
        loop {
            Box::pin(self.carry_out(&mut session)).await;
            if std::mem::take(&mut self.flows_changed) {
                // What waits for the station goes on with the session that serves it next, whenever this one ends.
                let mirrors = self.mirrors_changed.then(|| session.mirrors());
                let state = State { snapshot: &session.snapshot_without_mirrors(), mirrors };
                self.mirrors_changed &= !Box::pin(self.desk.keep_state(state)).await;
            }
            if self.socket.is_none() && std::mem::take(&mut self.mirrors_changed) {
                Box::pin(self.desk.keep_mirrors(session.mirrors())).await;
            }
            if self.socket.is_none() && self.stations.retire(&self.station, &mut self.orders) {
                break;
            }
            let deadline = session.poll_timeout().map(|deadline| self.started + deadline.at.since_origin());
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => Box::pin(self.obey(&mut session, order)).await,
                    None => {
                        self.detach(&mut session, "the server is shutting down", CloseFrame::GOING_AWAY);
                        Box::pin(self.carry_out(&mut session)).await;
                        if self.mirrors_changed {
                            Box::pin(self.desk.keep_mirrors(session.mirrors())).await;
                        }
                        break;
                    }
                },
                incoming = next(&mut self.socket) => self.receive(&mut session, incoming),
                () = sleep_until(deadline) => session.handle(self.now(), Input::Timeout),
            }
        }
    }

    /// The session as it was when it was last kept.
    async fn restore(&mut self) -> Result<(Session, Station), DeskError> {
        let mut config = SessionConfig::default();
        config.conformance = self.stations.config().conformance;
        config.call_timeout = self.stations.config().call_timeout;
        config.inventory = self.stations.config().inventory;
        config.transaction_inquiry_delay = self.stations.config().transaction_inquiry_after;
        let mut seed = [0; 32];
        rand::rngs::SysRng.try_fill_bytes(&mut seed)?;
        let Arrival { station, snapshot, has_mirrors, has_operations } = self.desk.arrived().await?;
        self.mirrors_changed = snapshot.is_some() && !has_mirrors;
        let mut session = match snapshot {
            Some(snapshot) => Session::restore(config, seed, self.now(), snapshot),
            None => Session::new(config, seed, self.now()),
        };
        let going_on: HashSet<CommandId> = session.running_flows().collect();
        if has_operations || !going_on.is_empty() {
            for over in self.stations.operations_resumed(&self.station, &going_on).await {
                session.handle(self.now(), Input::Cancel(over));
            }
        }
        Ok((session, station))
    }

    async fn obey(&mut self, session: &mut Session, order: Order) {
        match order {
            Order::Attach(connected) => {
                // Two connections with one identity: whoever came last is the station.
                self.detach(session, "the station connected anew", CloseFrame::POLICY);
                self.carry_out(session).await;
                self.attach(session, *connected, None).await;
            }
            Order::Call(call) => {
                let Call { id, command, reply } = *call;
                if let Some(reply) = reply {
                    self.calls.insert(id, reply);
                }
                self.flows_changed |= matches!(command, Command::Flow(_));
                session.handle(self.now(), Input::Command { id, command });
            }
            Order::Cancel(command) => session.handle(self.now(), Input::Cancel(command)),
            Order::Registration(registration) => {
                session.handle(self.now(), Input::Registration(self.desk.registration(registration)));
            }
            Order::Inspect(reply) => {
                // Whoever asked may have given up.
                let _ = reply.send(Inspection::of(session));
            }
            Order::Disconnect { reason } => self.detach(session, &reason, CloseFrame::POLICY),
        }
    }

    /// Takes over a connection, unless the operator changed something since it was let in.
    async fn attach(&mut self, session: &mut Session, connected: Connected, now: Option<Station>) {
        let Connected { admitted, profile, password, certificate_name, socket, remote, origin, .. } = connected;
        let certificate_expired = connected.certificate_expired;
        let version = socket.version();
        let station = match self.desk.confirm(&admitted, now, profile, version).await {
            Ok(station) => station,
            Err(error) => {
                tracing::warn!(station = %self.station, %remote, "the connection is dropped: {error}");
                return;
            }
        };
        self.socket = Some(socket);
        (self.is_slowed_down, self.complained) = (false, 0);
        self.stations.metrics().connected(version);
        self.stations.update(&self.station, |live| {
            live.connection = Some(live::Connection { version, profile, remote, since: Timestamp::now() });
            live.origin = origin;
            true
        });
        self.stations.notify(&self.station, What::Connected { version });
        self.stations.faults().connected(&self.stations, &self.station).await;
        session.handle(self.now(), Input::Registration(self.desk.registration(station.registration)));
        let mut authentication = Authentication::new(profile.number());
        authentication.password = password;
        authentication.certificate_expired = certificate_expired;
        session.handle(self.now(), Input::Authenticated(authentication));
        session.handle(self.now(), Input::Connected { version });
        // B01.FR.11, B01.FR.12
        if let Some(common_name) = certificate_name {
            session.handle(self.now(), Input::ClientCertificate { common_name });
        }
    }

    /// Closes the connection, if there is one. What it still sends counts no more.
    fn detach(&mut self, session: &mut Session, reason: &str, code: u16) {
        let Some(mut socket) = self.socket.take() else { return };
        let version = socket.version();
        socket.close(CloseFrame::new(code, reason));
        // The closing handshake has its own time limit; only the end of the server waits for it.
        self.stations.run(async move { while !matches!(socket.next().await, Incoming::Closed(_)) {} });
        self.disconnected(session, version, reason.to_owned(), false);
    }

    fn disconnected(&mut self, session: &mut Session, version: Version, reason: String, fault: bool) {
        session.handle(self.now(), Input::Disconnected);
        self.stations.metrics().disconnected(version);
        self.stations.update(&self.station, |live| {
            live.connection = None;
            live.disconnected_at = Some(Timestamp::now());
            live.power.clear();
            true
        });
        self.stations.notify_and_relay(&self.station, What::Disconnected { reason, fault });
    }

    fn receive(&mut self, session: &mut Session, incoming: Incoming) {
        match incoming {
            Incoming::Text(text) => {
                let now = Timestamp::now();
                self.stations.metrics().frame(Direction::Received);
                self.stations.log().record(&self.station, Direction::Received, now, &text);
                self.stations.update(&self.station, |live| {
                    // G02.FR.04
                    live.last_seen_at = Some(now);
                    false
                });
                session.handle(self.now(), Input::Frame(text));
                let is_slowed_down = self.socket.as_ref().is_some_and(Socket::was_slowed_down);
                if is_slowed_down && !std::mem::replace(&mut self.is_slowed_down, true) {
                    let limit = self.stations.config().message_rate.per_second;
                    tracing::warn!(station = %self.station, "slowed down: more than {limit} messages a second");
                }
            }
            // The connection closes itself and says why.
            Incoming::Binary => {}
            Incoming::Closed(reason) => {
                if let Some(socket) = self.socket.take() {
                    let fault = is_fault(&reason);
                    self.disconnected(session, socket.version(), reason.to_string(), fault);
                }
            }
        }
    }

    /// Carries out everything that the session wants, and what comes of that.
    async fn carry_out(&mut self, session: &mut Session) {
        loop {
            let outputs: Vec<Output> = std::iter::from_fn(|| session.poll_output()).collect();
            if outputs.is_empty() {
                return;
            }
            let mut facts = Vec::new();
            // What the station sees comes after what is kept: nothing is answered that an end of the program could still lose.
            let mut seen = Vec::new();
            let mut questions = Vec::new();
            let mut complaints = Complaints::default();
            for output in outputs {
                match output {
                    Output::Transmit(_) | Output::Close { .. } => seen.push(output),
                    Output::Event(Event::CallFinished { command, outcome }) => {
                        // Not all that a call changes of the mirrors is told by an event.
                        self.mirrors_changed = true;
                        self.flows_changed |= matches!(outcome, CallOutcome::Flow(_));
                        match self.calls.remove(&command) {
                            // Whoever asked may have given up.
                            Some(reply) => drop(reply.send(outcome)),
                            None => self.stations.operation_ended(&self.station, command, outcome).await,
                        }
                    }
                    Output::Event(Event::FlowProgress { command, progress }) => {
                        self.flows_changed = true;
                        self.stations.operation_progressed(&self.station, command, &progress).await;
                    }
                    Output::Event(event) => {
                        self.ask_limits |= has_limits(&event, session.connected());
                        self.mirrors_changed |= matches!(event, Event::MirrorChanged(_));
                        if let Some(event) = complaints.take(event) {
                            self.desk.observe(&event).await;
                        }
                    }
                    Output::Record { token, events } => facts.push((token, events)),
                    Output::Ask { question, about } => questions.push((question, about)),
                    other => tracing::error!(station = %self.station, output = ?other, "an unknown output"),
                }
            }
            for output in seen {
                match (output, &mut self.socket) {
                    (Output::Transmit(text), _) => self.transmit(text),
                    (Output::Close { reason }, Some(socket)) => {
                        socket.close(CloseFrame::new(CloseFrame::POLICY, reason));
                    }
                    _ => {}
                }
            }
            complaints.log(&self.station, &mut self.complained);
            // The snapshot belongs to the moment at which all outputs were taken, so facts come before anything is answered.
            self.keep(session, facts).await;
            for (question, about) in questions {
                if let Some(answer) = self.desk.answer(about).await {
                    session.handle(self.now(), Input::Answer { question, answer });
                }
            }
            if std::mem::take(&mut self.ask_limits) {
                self.ask_after_limits(session);
            }
        }
    }

    /// Limits of a transaction are only told to a station that says it knows them (E16.FR.12).
    fn ask_after_limits(&mut self, session: &mut Session) {
        let (component, variable) = ("TxCtrlr", "SupportedLimits");
        let is_known = session.mirrors().device_model().value(&VariableKey::new(component, variable)).is_some();
        if is_known || !self.stations.config().inventory {
            return;
        }
        let asked = GetVariableDataType::new(
            ComponentType::new(Text::truncated(component)),
            VariableType::new(Text::truncated(variable)),
        );
        let id = self.stations.next_command();
        // The answer becomes part of what is known of the station; nobody else waits for it.
        self.calls.insert(id, oneshot::channel().0);
        session.handle(self.now(), Input::Command { id, command: Command::GetVariables { variables: vec![asked] } });
    }

    fn transmit(&mut self, text: String) {
        if let Some(socket) = &mut self.socket {
            self.stations.metrics().frame(Direction::Sent);
            self.stations.log().record(&self.station, Direction::Sent, Timestamp::now(), &text);
            socket.send(text);
        }
    }

    /// Keeps facts for good and tells the session so.
    async fn keep(&mut self, session: &mut Session, facts: Vec<(StoreToken, Vec<Event>)>) {
        if facts.is_empty() {
            return;
        }
        let (tokens, events): (Vec<_>, Vec<_>) = facts.into_iter().unzip();
        let events: Vec<Event> = events.into_iter().flatten().collect();
        self.mirrors_changed |= events.iter().any(|event| matches!(event, Event::MirrorChanged(_)));
        let mirrors = self.mirrors_changed.then(|| session.mirrors());
        let state = State { snapshot: &session.snapshot_without_mirrors(), mirrors };
        let answer = match self.desk.keep(&events, state).await {
            Ok(answer) => {
                self.mirrors_changed = false;
                Some(answer)
            }
            Err(error) => {
                tracing::error!(station = %self.station, %error, "what the station reported cannot be kept");
                None
            }
        };
        for token in tokens {
            let input = match answer.clone() {
                Some(answer) => Input::StoredAndAnswered { token, answer },
                None => Input::NotStored(token),
            };
            session.handle(self.now(), input);
        }
    }

    fn now(&self) -> Now {
        Now::new(Instant::from_origin(self.started.elapsed()), Timestamp::now())
    }
}

/// Whether a connection ended because the station broke a rule, rather than by a decision or a bad line.
fn is_fault(reason: &Closed) -> bool {
    !matches!(reason, Closed::ByPeer(_) | Closed::ByUs(_) | Closed::Lost(_) | Closed::PongTimeout)
}

/// Whether a station has booted that may know limits of transactions.
fn has_limits(event: &Event, version: Option<Version>) -> bool {
    let Event::Booted(boot) = event else { return false };
    version == Some(Version::V2_1) && boot.registration == RegistrationStatus::Accepted
}

/// What comes over the socket; nothing, as long as there is none.
async fn next(socket: &mut Option<Socket>) -> Incoming {
    match socket {
        Some(socket) => socket.next().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
