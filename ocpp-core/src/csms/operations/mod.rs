//! Commands of several messages: one command, many calls, one end.
//!
//! An [`Operation`] is a small state machine of its own. It is told what happens ([`Happened`]) and says what it does
//! [`Next`]: make a call, wait, or end. This piece sees to what all of them owe:
//! - a command comes to exactly one end, because the end is told here and the operation is gone then;
//! - an operation has one call under way, which waits for its turn behind those of other commands;
//! - the calls pass the same gate as those of single commands;
//! - there are never more operations than commands may wait;
//! - the end of the connection is the end of the operation, unless it says that it outlives it.
//!
//! Operations are not part of a snapshot, flows excepted: where a node dies, the application gives the command again.

#[cfg(feature = "v1_6")]
mod configuration;
mod gather;
mod local_list;
mod plan;
mod report;
mod split;
mod variables;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::time::Duration;

use ocpp_types::Version;

pub(super) use self::local_list::write as write_local_list;
pub(super) use self::plan::{Plan, check_list, inventory};
pub(super) use self::split::chunk;
pub(super) use self::variables::bytes_of;
use super::calls::Owner;
use super::command::CallOutcome;
use super::dialect::{self, AnswerForm};
use super::event::Event;
use super::flows::{CertificatePurpose, Exclusive, Notice, SavedFlow};
use super::identity::CommandId;
use super::message::{AnswerMessage, CallMessage};
use super::output::{Deadline, DeadlineReason};
use super::request::Request;
use super::session::Session;
use crate::rpc::CallId;
use crate::time::{Instant, Now};

/// A command of several messages.
pub(super) trait Operation: Debug + Send + Sync {
    /// Goes on with what happened. Called with [`Happened::Begun`] first, and never again after [`Next::End`].
    fn advance(&mut self, scene: &mut Scene<'_>, happened: Happened<'_>) -> Next;

    /// Whether it goes on when the connection ends. If not, it ends as [`CallOutcome::ConnectionLost`]. If so, it is told
    /// [`Happened::Disconnected`] and later [`Happened::Connected`], and has to see to it that it ends in time.
    fn outlives_connection(&self) -> bool {
        false
    }

    /// What of it may not be under way twice.
    fn exclusive(&self) -> Option<Exclusive> {
        None
    }

    /// Whether it waits for the station to ask for this certificate.
    fn renews(&self, purpose: CertificatePurpose) -> bool {
        let _ = purpose;
        false
    }

    /// What a snapshot keeps of it.
    fn saved(&self, command: Option<CommandId>) -> Option<SavedFlow> {
        let _ = command;
        None
    }
}

/// What an operation is told.
#[derive(Debug)]
pub(super) enum Happened<'a> {
    /// It begins.
    Begun,
    /// The station answered the operation's call.
    Answered {
        /// The answer.
        message: Box<AnswerMessage>,
        /// The answer, JSON as received.
        payload: String,
    },
    /// The operation's call came to nothing, or could not be made.
    Failed(CallOutcome),
    /// The station called, and was answered or will be. Operations are told of every call, most are none of their business.
    Request(&'a Request),
    /// The time that it wanted to wait is over.
    TimedOut,
    /// The connection ended. A call that was under way was reported as [`Happened::Failed`] before.
    Disconnected,
    /// The station connected again.
    Connected,
    /// The application does not want it any more.
    Cancelled {
        /// Whether its call was sent, and not answered.
        sent: bool,
    },
    /// Another flow, or an answer of the application, concerns it.
    Flow(&'a Notice<'a>),
}

/// What an operation does next.
#[derive(Debug)]
pub(super) enum Next {
    /// Make this call. The operation goes on with the answer. A call of the operation that is still under way is forgotten.
    Call(CallMessage),
    /// Wait, at most this long from now, for what else happens.
    Wait(Duration),
    /// Go on as before: what happened is of no interest.
    Stay,
    /// End.
    End(CallOutcome),
}

/// What an operation sees of the session.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) session: &'a mut Session,
    pub(super) now: Now,
    /// The command that it carries out; `None` for what the session does by itself.
    pub(super) command: Option<CommandId>,
}

impl Scene<'_> {
    /// The version of the connection.
    pub(super) fn version(&self) -> Option<Version> {
        self.session.connected()
    }

    /// Tells the application.
    pub(super) fn event(&mut self, event: Event) {
        self.session.event(event);
    }
}

/// Names an operation within its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OperationId(u64);

/// The operations that have not come to an end.
#[derive(Debug, Default)]
pub(super) struct Operations {
    running: BTreeMap<OperationId, Running>,
    next: u64,
    /// The last one that was given.
    pub(super) request_id: i64,
}

#[derive(Debug)]
struct Running {
    command: Option<CommandId>,
    operation: Box<dyn Operation>,
    call: Option<CallId>,
    deadline: Option<Instant>,
}

impl Operations {
    pub(super) fn are_running(&self) -> bool {
        !self.running.is_empty()
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        let at = self.running.values().filter_map(|running| running.deadline).min()?;
        Some(Deadline { at, reason: DeadlineReason::Operation })
    }

    /// A request id that the station has not seen: the seconds since 1970, or the next number.
    pub(super) fn next_request_id(&mut self, now: Now) -> i64 {
        // Request ids are 32 bits wide in many a station.
        let seconds = now.utc.as_second().rem_euclid(i64::from(i32::MAX));
        self.request_id = (self.request_id + 1).max(seconds);
        self.request_id
    }

    /// Whether one of this kind is under way.
    pub(super) fn is_occupied(&self, exclusive: Exclusive) -> bool {
        self.running.values().any(|running| running.operation.exclusive() == Some(exclusive))
    }

    /// Whether one waits for the station to ask for this certificate.
    pub(super) fn is_renewing(&self, purpose: CertificatePurpose) -> bool {
        self.running.values().any(|running| running.operation.renews(purpose))
    }

    /// The command that waits for the station to ask for this certificate.
    pub(super) fn renewing(&self, purpose: CertificatePurpose) -> Option<CommandId> {
        self.running.values().find(|running| running.operation.renews(purpose))?.command
    }

    pub(super) fn saved(&self) -> Vec<SavedFlow> {
        self.running.values().filter_map(|running| running.operation.saved(running.command)).collect()
    }

    fn ids(&self) -> Vec<OperationId> {
        self.running.keys().copied().collect()
    }
}

impl Session {
    /// The id for a request that the station answers with messages of its own.
    pub(super) fn next_request_id(&mut self, now: Now) -> i64 {
        self.operations.next_request_id(now)
    }

    /// Begins an operation: for a command, or by the session's own will.
    ///
    /// # Errors
    /// Where too many are under way.
    pub(super) fn start(
        &mut self,
        now: Now,
        command: Option<CommandId>,
        operation: Box<dyn Operation>,
    ) -> Result<(), CallOutcome> {
        if self.operations.running.len() >= self.config.command_queue {
            return Err(CallOutcome::QueueFull);
        }
        let id = OperationId(self.operations.next);
        self.operations.next += 1;
        self.operations.running.insert(id, Running { command, operation, call: None, deadline: None });
        self.advance(now, id, Happened::Begun);
        Ok(())
    }

    /// Takes up an operation that waited when a snapshot was taken.
    pub(super) fn resume(
        &mut self,
        now: Now,
        command: Option<CommandId>,
        operation: Box<dyn Operation>,
        rest: Duration,
    ) {
        let id = OperationId(self.operations.next);
        self.operations.next += 1;
        let deadline = Some(now.instant + rest);
        self.operations.running.insert(id, Running { command, operation, call: None, deadline });
    }

    /// The application does not want a flow any more.
    pub(super) fn cancel(&mut self, now: Now, command: CommandId) {
        let mut running = self.operations.running.iter_mut();
        let found = running.find(|(_, running)| {
            running.command == Some(command) && running.operation.saved(running.command).is_some()
        });
        let Some((id, running)) = found else { return };
        let (id, call) = (*id, running.call.take());
        let sent = call.is_some_and(|call| !self.withdraw(call));
        self.advance(now, id, Happened::Cancelled { sent });
    }

    /// Something happened that flows may be waiting for.
    pub(super) fn tell_flows(&mut self, now: Now, notice: &Notice<'_>) {
        for id in self.operations.ids() {
            self.advance(now, id, Happened::Flow(notice));
        }
    }

    /// An operation goes on with what came of its call, if it still waits for it.
    pub(super) fn advance_after(&mut self, now: Now, id: OperationId, call: CallId, happened: Happened<'_>) {
        let Some(running) = self.operations.running.get_mut(&id) else { return };
        if running.call.take_if(|waiting| *waiting == call).is_some() {
            self.advance(now, id, happened);
        }
    }

    /// An operation goes on.
    pub(super) fn advance(&mut self, now: Now, id: OperationId, happened: Happened<'_>) {
        let Some(mut running) = self.operations.running.remove(&id) else { return };
        let mut happened = happened;
        let mut failed = false;
        loop {
            let mut scene = Scene { session: self, now, command: running.command };
            let outcome = match running.operation.advance(&mut scene, happened) {
                Next::Call(message) => match self.make_call(id, message) {
                    Ok(call) => {
                        running.call = Some(call);
                        running.deadline = None;
                        break;
                    }
                    // Whoever tries again at once would try for ever.
                    Err(outcome) if failed => outcome,
                    Err(outcome) => {
                        failed = true;
                        happened = Happened::Failed(outcome);
                        continue;
                    }
                },
                Next::Wait(time) => {
                    running.deadline = Some(now.instant + time);
                    break;
                }
                Next::Stay => break,
                Next::End(outcome) => outcome,
            };
            return self.end(&running, outcome);
        }
        self.operations.running.insert(id, running);
    }

    fn make_call(&mut self, id: OperationId, message: CallMessage) -> Result<CallId, CallOutcome> {
        let Some(version) = self.endpoint.version() else { return Err(CallOutcome::NotConnected) };
        // The form says nothing here: the operation reads the answer by itself.
        let call = dialect::encode_call(version, message, AnswerForm::Status(&[]))?;
        self.send(Owner::Operation(id), version, call)
    }

    fn end(&mut self, running: &Running, outcome: CallOutcome) {
        if let Some(command) = running.command {
            self.event(Event::CallFinished { command, outcome });
        }
    }

    /// The station called: whoever waits for that goes on.
    pub(super) fn tell_operations(&mut self, now: Now, request: &Request) {
        for id in self.operations.ids() {
            self.advance(now, id, Happened::Request(request));
        }
    }

    /// The time of those that waited is over.
    pub(super) fn operations_overdue(&mut self, now: Now) {
        for id in self.operations.ids() {
            let Some(running) = self.operations.running.get_mut(&id) else { continue };
            if running.deadline.take_if(|deadline| *deadline <= now.instant).is_some() {
                self.advance(now, id, Happened::TimedOut);
            }
        }
    }

    /// The connection ended.
    pub(super) fn operations_disconnected(&mut self, now: Now) {
        for id in self.operations.ids() {
            let Some(running) = self.operations.running.get(&id) else { continue };
            if running.operation.outlives_connection() {
                self.advance(now, id, Happened::Disconnected);
            } else if let Some(running) = self.operations.running.remove(&id) {
                self.end(&running, CallOutcome::ConnectionLost);
            }
        }
    }

    /// The station connected.
    pub(super) fn operations_connected(&mut self, now: Now) {
        for id in self.operations.ids() {
            self.advance(now, id, Happened::Connected);
        }
    }
}
