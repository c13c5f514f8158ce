//! A connection whose handshake is done, as a run loop uses it.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ocpp_types::Version;
use tokio::time::{Instant, Sleep, sleep_until};

use super::wire::{CloseFrame, Wire, WireError, WireMessage};

/// The limits of a [`Connection`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// How often the peer is pinged; `None` for never, which leaves a half-open connection to TCP
    /// (1.6-J errata 3.11). 60 seconds.
    ///
    /// On a station this is `WebSocketPingInterval` of `OCPPCommCtrlr` (2.1 part 4, 8.4; 1.6-J, 5.3 and 7), whose 0 is `None`.
    pub ping_interval: Option<Duration>,
    /// How long the peer may take to answer a ping, or to send anything else, before the connection counts as dead.
    /// 30 seconds.
    pub pong_timeout: Duration,
    /// How long the peer may take to read what it was sent before the connection counts as dead. 30 seconds.
    pub write_timeout: Duration,
    /// How long the closing handshake may take. 5 seconds.
    pub close_timeout: Duration,
    /// Frames that may wait to be written. From half of it on nothing more is read; beyond it the connection is closed.
    /// 64.
    pub backlog_limit: usize,
    /// The longest message that is read, in bytes, inflated where it is compressed. A longer one closes the connection with status
    /// 1009, and so does one whose frames come to more than twice as much. 1 MiB.
    pub frame_limit: usize,
    /// How long a message may take from its first byte to its last. One that takes longer closes the connection with status 1008.
    /// 60 seconds.
    pub message_timeout: Duration,
    /// How many messages are read. A peer that sends more is not closed but slowed down: the rest waits in the network, until TCP has
    /// the peer wait. 100 a second, and 200 at once.
    pub message_rate: Option<MessageRate>,
}

/// How many messages a peer may send, pings included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRate {
    /// Messages a second, in the long run.
    pub per_second: NonZeroU32,
    /// Messages at once, after a while of silence: a station that was offline has something to tell.
    pub burst: NonZeroU32,
}

impl MessageRate {
    /// The time that each message takes off what is allowed.
    fn interval(self) -> Duration {
        Duration::from_secs(1) / self.per_second.get()
    }

    /// How far a peer may be ahead of its time.
    fn tolerance(self) -> Duration {
        self.interval().saturating_mul(self.burst.get() - 1)
    }
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            ping_interval: Some(Duration::from_secs(60)),
            pong_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            backlog_limit: 64,
            frame_limit: 1 << 20,
            message_timeout: Duration::from_secs(60),
            message_rate: NonZeroU32::new(100)
                .zip(NonZeroU32::new(200))
                .map(|(per_second, burst)| MessageRate { per_second, burst }),
        }
    }
}

/// What came over a [`Connection`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A frame, for [`Endpoint::handle_text`](crate::rpc::Endpoint::handle_text).
    Text(String),
    /// A binary message, for [`Endpoint::handle_binary`](crate::rpc::Endpoint::handle_binary). The connection is being
    /// closed with status 1003 (RFC 6455, 7.4.1).
    Binary,
    /// The connection is gone. Every further call says the same.
    Closed(Closed),
}

/// Why a connection is gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// The peer closed it.
    #[error("closed by the peer{}", describe(.0.as_ref()))]
    ByPeer(Option<CloseFrame>),
    /// This side closed it, with this.
    #[error("closed by this side{}", describe(Some(.0)))]
    ByUs(CloseFrame),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Lost(String),
    /// The peer did not answer a ping.
    #[error("no pong in time")]
    PongTimeout,
    /// The peer does not read what it is sent.
    #[error("the peer does not read")]
    WriteTimeout,
    /// More frames waited to be written than [`ConnectionConfig::backlog_limit`] allows.
    #[error("the peer reads too slowly")]
    Backlog,
    /// The peer sent a message that is too big; it was told by status 1009.
    #[error("{0}")]
    TooBig(String),
    /// The peer began a message that does not end; it was told by status 1008.
    #[error("{0}")]
    TooSlow(String),
    /// The peer sent a binary message; it was told by status 1003.
    #[error("the peer sent a binary message")]
    Binary,
    /// The peer sent text that is not UTF-8 (2.1 part 4, 4.1.2); it was told by status 1007.
    #[error("the peer sent text that is not UTF-8")]
    NotUtf8,
    /// The peer broke RFC 6455; it was told by status 1002.
    #[error("{0}")]
    Protocol(String),
}

fn describe(frame: Option<&CloseFrame>) -> String {
    frame.map_or_else(String::new, |frame| format!(" with status {} {}", frame.code, frame.reason))
}

#[derive(Debug)]
enum State {
    Open,
    /// A close frame has been queued, behind whatever was to be sent.
    Closing {
        reason: Closed,
        deadline: Instant,
    },
    Closed(Closed),
}

/// What has become of the last ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ping {
    Idle,
    /// It waits behind other frames; the peer cannot know of it yet.
    Queued,
    Sent {
        pong_deadline: Instant,
    },
}

impl Ping {
    const fn pong_deadline(self) -> Option<Instant> {
        match self {
            Self::Idle | Self::Queued => None,
            Self::Sent { pong_deadline } => Some(pong_deadline),
        }
    }
}

/// A WebSocket connection that carries OCPP.
///
/// It has no task of its own: writing and pinging go on while [`next`](Self::next) is awaited, which is what a run loop
/// does all the time. `next` is cancel-safe, so it fits `tokio::select!`:
///
/// ```no_run
/// # use ocpp_core::transport::{Connection, Incoming, Wire};
/// # use ocpp_core::rpc::Endpoint;
/// # async fn run(mut connection: Connection<impl Wire>, mut endpoint: Endpoint, mut commands: tokio::sync::mpsc::Receiver<()>) {
/// loop {
///     tokio::select! {
///         incoming = connection.next() => match incoming {
///             Incoming::Text(text) => { /* hand it to the engine, and its texts to connection.send */ }
///             Incoming::Binary => {}
///             Incoming::Closed(reason) => break,
///         },
///         _ = commands.recv() => { /* … */ }
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Connection<W> {
    wire: W,
    version: Version,
    config: ConnectionConfig,
    state: State,
    queue: VecDeque<WireMessage>,
    /// Something was given to the wire that may not have left yet.
    unflushed: bool,
    /// The stream of the wire has ended.
    ended: bool,
    /// Until when the peer has to take what is being written.
    write_deadline: Option<Instant>,
    next_ping: Option<Instant>,
    ping: Ping,
    /// When what the peer has sent would have come if it kept to the rate.
    on_time: Option<Instant>,
    /// Until when nothing is or was read, because the peer sends too much.
    paused: Option<Instant>,
    slowed_down: bool,
    timer: Pin<Box<Sleep>>,
}

impl<W: Wire> Connection<W> {
    /// Takes over a wire on which this version was negotiated.
    #[must_use]
    pub fn new(wire: W, version: Version, config: ConnectionConfig) -> Self {
        let now = Instant::now();
        let next_ping = config.ping_interval.map(|interval| now + interval);
        Self {
            wire,
            version,
            config,
            state: State::Open,
            queue: VecDeque::new(),
            unflushed: false,
            ended: false,
            write_deadline: None,
            next_ping,
            ping: Ping::Idle,
            on_time: None,
            paused: None,
            slowed_down: false,
            timer: Box::pin(sleep_until(now)),
        }
    }

    /// The negotiated version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The WebSocket below.
    #[must_use]
    pub fn wire(&self) -> &W {
        &self.wire
    }

    /// Whether the peer ever sent more than [`ConnectionConfig::message_rate`] allows, and was slowed down.
    #[must_use]
    pub fn was_slowed_down(&self) -> bool {
        self.slowed_down
    }

    /// Changes how often the peer is pinged, from now on.
    pub fn set_ping_interval(&mut self, interval: Option<Duration>) {
        self.config.ping_interval = interval;
        self.next_ping = interval.map(|interval| Instant::now() + interval);
    }

    /// Queues a frame. It never fails: a connection that is closing or gone drops it, and one whose backlog is full is
    /// closed, which [`next`](Self::next) then says.
    pub fn send(&mut self, text: String) {
        if !matches!(self.state, State::Open) {
            return;
        }
        if self.queue.len() >= self.config.backlog_limit {
            // It would wait behind what the peer does not read; there is no use in a close frame either.
            self.state = State::Closed(Closed::Backlog);
            return;
        }
        self.queue.push_back(WireMessage::Text(text));
    }

    /// Begins to close the connection, behind the frames that are queued. [`next`](Self::next) does the rest, and then
    /// says [`Closed::ByUs`].
    pub fn close(&mut self, frame: CloseFrame) {
        self.begin_close(frame.clone(), Closed::ByUs(frame));
    }

    fn begin_close(&mut self, frame: CloseFrame, reason: Closed) {
        if matches!(self.state, State::Open) {
            self.queue.push_back(WireMessage::Close(Some(frame)));
            self.state = State::Closing { reason, deadline: Instant::now() + self.config.close_timeout };
        }
    }

    /// Waits for what comes next, and meanwhile writes and pings. Cancel-safe.
    pub async fn next(&mut self) -> Incoming {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            if let State::Closed(reason) = &self.state {
                return Poll::Ready(Incoming::Closed(reason.clone()));
            }
            if let Err(error) = self.poll_write(context) {
                self.broken(error);
                continue;
            }
            match self.poll_read(context) {
                Poll::Ready(Some(incoming)) => return Poll::Ready(incoming),
                Poll::Ready(None) => continue,
                Poll::Pending => {}
            }
            // Deadlines come after reading: what was there in time counts, however late it is looked at.
            if self.has_ended() || self.check_deadlines() {
                continue;
            }
            // Everything else waits; the timer wakes up for the first deadline. Most deadlines move on with every message: it is
            // cheaper to wake up once too early, and look, than to set the timer each time.
            let Some(deadline) = self.first_deadline() else { return Poll::Pending };
            if self.timer.is_elapsed() || self.timer.deadline() > deadline {
                self.timer.as_mut().reset(deadline);
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Whether the stream has ended and there is nothing left to be told to the peer.
    fn has_ended(&mut self) -> bool {
        if self.ended && self.queue.is_empty() && !self.unflushed {
            let reason = match &self.state {
                State::Open => Closed::ByPeer(None),
                State::Closing { reason, .. } | State::Closed(reason) => reason.clone(),
            };
            self.state = State::Closed(reason);
        }
        matches!(self.state, State::Closed(_))
    }

    fn first_deadline(&self) -> Option<Instant> {
        let deadlines = match &self.state {
            State::Open => [self.next_ping, self.ping.pong_deadline(), self.write_deadline, self.pause()],
            State::Closing { deadline, .. } => [Some(*deadline), None, None, None],
            State::Closed(_) => [None; 4],
        };
        deadlines.into_iter().flatten().min()
    }

    /// Does what is due; whether anything was.
    fn check_deadlines(&mut self) -> bool {
        let now = Instant::now();
        let due = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        match &self.state {
            State::Open if due(self.ping.pong_deadline()) => self.state = State::Closed(Closed::PongTimeout),
            State::Open if due(self.write_deadline) => self.state = State::Closed(Closed::WriteTimeout),
            State::Open if due(self.next_ping) => {
                self.next_ping = self.config.ping_interval.map(|interval| now + interval);
                if self.ping == Ping::Idle {
                    self.queue.push_back(WireMessage::Ping);
                    self.ping = Ping::Queued;
                }
            }
            State::Closing { reason, deadline } if *deadline <= now => self.state = State::Closed(reason.clone()),
            _ => return false,
        }
        true
    }

    /// Writes as much as the peer takes.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Result<(), WireError> {
        let mut blocked = false;
        while !self.queue.is_empty() {
            if Pin::new(&mut self.wire).poll_ready(context)?.is_pending() {
                blocked = true;
                break;
            }
            if let Some(message) = self.queue.pop_front() {
                Pin::new(&mut self.wire).start_send(message)?;
                self.unflushed = true;
                // The peer took something: its time starts anew.
                self.write_deadline = None;
            }
        }
        if self.unflushed && !blocked {
            if Pin::new(&mut self.wire).poll_flush(context)?.is_ready() {
                self.unflushed = false;
                if self.ping == Ping::Queued && self.queue.is_empty() {
                    self.ping = Ping::Sent { pong_deadline: Instant::now() + self.config.pong_timeout };
                }
            } else {
                blocked = true;
            }
        }
        if blocked {
            let timeout = self.config.write_timeout;
            self.write_deadline.get_or_insert_with(|| Instant::now() + timeout);
        } else {
            self.write_deadline = None;
        }
        Ok(())
    }

    /// `Ready(None)` where something changed that the caller of [`next`](Self::next) need not know yet.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        if self.ended {
            return Poll::Pending;
        }
        loop {
            let open = matches!(self.state, State::Open);
            // A peer that does not read what it gets does not get more to answer, and one that sends too much has to wait. Its
            // pong cannot be seen meanwhile.
            if open && (self.queue.len() * 2 >= self.config.backlog_limit || self.pause().is_some()) {
                if let Ping::Sent { pong_deadline } = &mut self.ping {
                    *pong_deadline = Instant::now() + self.config.pong_timeout;
                }
                return Poll::Pending;
            }
            let Poll::Ready(message) = Pin::new(&mut self.wire).poll_next(context) else { return Poll::Pending };
            self.count();
            // Whatever comes proves that the peer lives.
            if matches!(self.ping, Ping::Sent { .. }) {
                self.ping = Ping::Idle;
            }
            match message {
                Some(Ok(WireMessage::Text(text))) if open => return Poll::Ready(Some(Incoming::Text(text))),
                Some(Ok(WireMessage::Binary)) if open => {
                    let frame = CloseFrame::new(CloseFrame::UNSUPPORTED, "OCPP-J is text");
                    self.begin_close(frame, Closed::Binary);
                    return Poll::Ready(Some(Incoming::Binary));
                }
                Some(Ok(WireMessage::Close(frame))) if open => {
                    // The wire acknowledges; what is left is to let that out and to see the end of the stream.
                    self.queue.clear();
                    let deadline = Instant::now() + self.config.close_timeout;
                    self.state = State::Closing { reason: Closed::ByPeer(frame), deadline };
                    self.unflushed = true;
                    return Poll::Ready(None);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.broken(error);
                    return Poll::Ready(None);
                }
                None => {
                    self.ended = true;
                    // Without a closing handshake nothing that is left would be read.
                    if open {
                        self.state = State::Closed(Closed::ByPeer(None));
                    }
                    return Poll::Ready(None);
                }
            }
        }
    }

    /// Until when the peer has to wait before more is read.
    fn pause(&self) -> Option<Instant> {
        self.paused.filter(|until| *until > Instant::now())
    }

    /// Counts a message of the peer, and pauses after one too many.
    fn count(&mut self) {
        let Some(rate) = self.config.message_rate else { return };
        let now = Instant::now();
        let on_time = self.on_time.map_or(now, |on_time| on_time.max(now)) + rate.interval();
        self.on_time = Some(on_time);
        let ahead = on_time.saturating_duration_since(now);
        // The next one comes in time if it takes its interval out of the tolerance.
        if ahead > rate.tolerance() {
            // Once is what a burst ends with; one right after the other is too much.
            self.slowed_down |= self.paused.is_some_and(|until| until + rate.interval() > now);
            self.paused = Some(now + (ahead - rate.tolerance()));
        }
    }

    /// Tells the peer what it did wrong, where it can still be told anything.
    fn broken(&mut self, error: WireError) {
        let (code, reason) = match (error, &self.state) {
            (_, State::Closed(_)) => return,
            // An error while closing ends it, for the reason that is known already.
            (_, State::Closing { reason, .. }) => {
                self.state = State::Closed(reason.clone());
                return;
            }
            (WireError::Io(error), State::Open) => {
                self.state = State::Closed(Closed::Lost(error.to_string()));
                return;
            }
            (WireError::TooBig(text), State::Open) => (CloseFrame::TOO_BIG, Closed::TooBig(text)),
            (WireError::TooSlow(text), State::Open) => (CloseFrame::POLICY, Closed::TooSlow(text)),
            (WireError::NotUtf8, State::Open) => (CloseFrame::INVALID, Closed::NotUtf8),
            (WireError::Protocol(text), State::Open) => (CloseFrame::PROTOCOL, Closed::Protocol(text)),
        };
        self.begin_close(CloseFrame::new(code, reason.to_string()), reason);
    }
}
