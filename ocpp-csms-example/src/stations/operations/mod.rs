//! Operations: what stations are asked to do by operators and programs, kept with how they go and what comes of them.
//!
//! An operation is kept before the station is told of it, and comes to exactly one end. One that takes several messages goes on after
//! the station reconnected, and after a restart of the server.

mod local_list;
mod outcome;
mod request;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ocpp_core::csms::flows::{FlowEnd, Progress};
use ocpp_core::csms::{CallOutcome, CommandId};
use tokio::sync::broadcast::error::RecvError;

pub use request::{Administer, BadRequest, Network, Operate, Purpose, Request, Restart};

use self::request::Known;
use super::driver::Order;
use super::notice::What;
use super::registry::{CallRefused, Stations};
use crate::access::{Actor, Scope};
use crate::server::Csms;
use crate::store::{
    Operation, OperationEnd, OperationState, Step, StoreError, operation_ended, operation_progressed, put_operation,
};

/// How long an operation may go without a word while its station is away. Flows have shorter limits of their own, which count as soon as
/// the station is back.
const SILENCE: SignedDuration = SignedDuration::from_hours(48);
/// How long operations are remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long it may take to call one off: it is a matter of a moment, unless it can't be called off.
const TO_BE_CALLED_OFF: Duration = Duration::from_secs(3);
/// How often silent ones are looked for.
const INTERVAL: Duration = Duration::from_secs(600);

/// Has a station do something on behalf of somebody, and notes that in the audit log.
///
/// # Errors
/// When the station is not known or not connected, or the request is not understood. Nothing is kept then.
pub async fn begin(
    csms: &Csms,
    actor: &Actor,
    station: &str,
    request: impl Into<Request>,
) -> Result<Operation, OperationRefused> {
    let operation = csms.stations().operate(station, request, actor.name()).await?;
    csms.audit(actor, &format!("station.{}", operation.kind), station, &operation.request).await;
    Ok(operation)
}

/// Calls an operation off on behalf of somebody, and notes that in the audit log; the operation as it is then. One that waits for its
/// station ends at once, also while the station is away. What only an administrator may begin, only an administrator may call off.
///
/// # Errors
/// When there is no such operation, it is over, it can't be called off, or somebody else may do so.
pub async fn cancel(csms: &Csms, actor: &Actor, id: &str) -> Result<Operation, OperationRefused> {
    let operation = csms.store().operation(id).await?;
    let operation = operation.ok_or_else(|| OperationRefused::UnknownOperation(id.to_owned()))?;
    if !(actor.may(Scope::Administer) || Operate::describes(&operation.kind, &operation.request)) {
        return Err(OperationRefused::AdministratorsOnly);
    }
    let operation = csms.stations().call_off(operation).await?;
    csms.audit(actor, "station.operation_cancelled", &operation.station, &operation.request).await;
    Ok(operation)
}

/// Why an operation did not begin, or was not called off.
#[derive(Debug, thiserror::Error)]
pub enum OperationRefused {
    /// Nobody knows the station.
    #[error("there is no station {0:?}")]
    UnknownStation(String),
    /// Nobody knows the operation.
    #[error("there is no operation {0:?}")]
    UnknownOperation(String),
    /// The operation has come to its end.
    #[error("the operation is over: it is {0}")]
    Over(OperationState),
    /// The operation consists of what the station is being told.
    #[error("the station is being told, and its answer ends the operation: it cannot be called off")]
    UnderWay,
    /// It was begun by an administrator.
    #[error("only administrators may call this off")]
    AdministratorsOnly,
    /// The request is not understood.
    #[error(transparent)]
    Request(#[from] BadRequest),
    /// The station can't be told.
    #[error(transparent)]
    Call(#[from] CallRefused),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Stations {
    /// Has a station do something. The operation is kept, and goes on by itself; see [`Self::operation_ends`].
    ///
    /// # Errors
    /// When the station is not known or not connected, or the request is not understood. Nothing is kept then.
    pub async fn operate(
        &self,
        station: &str,
        request: impl Into<Request>,
        actor: &str,
    ) -> Result<Operation, OperationRefused> {
        let request = request.into();
        let known = self.store().station(station).await?;
        let known = known.ok_or_else(|| OperationRefused::UnknownStation(station.to_owned()))?;
        if self.live(station).connection.is_none() {
            return Err(CallRefused::NotConnected.into());
        }
        let (kind, particulars) = request.describe();
        let id = self.next_command();
        let password = match &request {
            Request::Administer(Administer::ChangePassword { password }) => {
                Some(self.key().hash(station, password.as_bytes()))
            }
            _ => None,
        };
        let command = match request {
            Request::Operate(Operate::SynchroniseLocalList {}) => local_list::command(self.store()).await?,
            request => {
                let known = self.known(&request, id).await?;
                request.command(known)?
            }
        };
        let now = Timestamp::now();
        let operation = Operation {
            id: uuid::Uuid::now_v7().to_string(),
            station: known.id,
            command: id.0,
            kind,
            request: particulars,
            actor: actor.to_owned(),
            state: OperationState::Running,
            progress: Vec::new(),
            result: None,
            detail: None,
            created_at: now,
            updated_at: now,
            ended_at: None,
        };
        let began = What::Operation(Box::new(operation.clone()));
        let mut unit = self.store().unit().await?;
        put_operation(&mut unit, &operation).await?;
        self.notifications().commit(unit, station, &began).await?;
        if let Some(password_hash) = password {
            self.store().offer_password(station, &password_hash).await?;
        }
        self.notify(&Arc::from(station), began);
        if let Err(refused) = self.command(station, id, command) {
            let outcome = match refused {
                CallRefused::NotConnected => CallOutcome::NotConnected,
                CallRefused::Busy => CallOutcome::QueueFull,
            };
            self.operation_ended(&Arc::from(station), id, outcome).await;
            return Ok(self.store().operation(&operation.id).await?.unwrap_or(operation));
        }
        Ok(operation)
    }

    /// Calls an operation off.
    async fn call_off(&self, operation: Operation) -> Result<Operation, OperationRefused> {
        if operation.state != OperationState::Running {
            return Err(OperationRefused::Over(operation.state));
        }
        let command = CommandId(operation.command);
        let operation = match self.order(&operation.station, Order::Cancel(command)) {
            Ok(()) => self.operation_ends(operation, TO_BE_CALLED_OFF).await?,
            // The station is away. Its conversation learns it when it is taken up again.
            Err(CallRefused::NotConnected) => {
                let outcome = CallOutcome::Flow(Box::new(FlowEnd::Cancelled));
                self.operation_ended(&Arc::from(&*operation.station), command, outcome).await;
                self.store().operation(&operation.id).await?.unwrap_or(operation)
            }
            Err(refused) => return Err(refused.into()),
        };
        match operation.state {
            OperationState::Running => Err(OperationRefused::UnderWay),
            OperationState::Cancelled => Ok(operation),
            ended => Err(OperationRefused::Over(ended)),
        }
    }

    /// Waits until an operation has ended, at most this long; the operation as it is then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operation_ends(&self, operation: Operation, patience: Duration) -> Result<Operation, StoreError> {
        let mut notices = self.notices();
        let id = operation.id.clone();
        let ended = async {
            loop {
                // Asked for after the subscription, so that no end is missed.
                if let Some(known) = self.store().operation(&id).await?
                    && known.state != OperationState::Running
                {
                    return Ok::<_, StoreError>(known);
                }
                loop {
                    match notices.recv().await {
                        Ok(notice) => match notice.what {
                            What::Operation(told) if told.id == id => break,
                            _ => {}
                        },
                        Err(RecvError::Lagged(_)) => break,
                        Err(RecvError::Closed) => std::future::pending().await,
                    }
                }
            }
        };
        match tokio::time::timeout(patience, ended).await {
            Ok(ended) => ended,
            Err(_) => Ok(self.store().operation(&operation.id).await?.unwrap_or(operation)),
        }
    }

    /// What the token of a request is known to be.
    async fn known(&self, request: &Request, id: CommandId) -> Result<Known, StoreError> {
        // Unique among those of the last years, and small enough for every station.
        let number = i64::try_from(id.0 % u64::from(i32::MAX.unsigned_abs())).unwrap_or(0);
        let Some((token, _)) = request.token() else { return Ok(Known { number, ..Known::default() }) };
        let token = self.store().token(token).await?;
        let (token_type, group) = token.map(|token| (token.kind, token.group)).unzip();
        Ok(Known { token_type, group: group.flatten(), number })
    }

    /// A flow told how it goes.
    pub(super) async fn operation_progressed(&self, station: &Arc<str>, id: CommandId, progress: &Progress) {
        let store = self.store();
        let password = match progress {
            Progress::PasswordAccepted | Progress::PasswordUncertain => store.new_password_is_usable(station).await,
            Progress::PasswordSuperseded => store.new_password_counts(station).await,
            _ => Ok(()),
        };
        let step = outcome::step(progress, Timestamp::now());
        let kept = match password {
            Ok(()) => self.keep_progress(station, id, step).await,
            Err(error) => Err(error),
        };
        match kept {
            Ok(Some(what)) => self.notify(station, what),
            Ok(None) => {}
            Err(error) => tracing::error!(%station, %error, "the progress of an operation cannot be kept"),
        }
    }

    async fn keep_progress(&self, station: &str, id: CommandId, step: Step) -> Result<Option<What>, StoreError> {
        let mut unit = self.store().unit().await?;
        let Some(operation) = operation_progressed(&mut unit, station, id.0, step).await? else { return Ok(None) };
        let what = What::Operation(Box::new(operation));
        self.notifications().commit(unit, station, &what).await?;
        Ok(Some(what))
    }

    async fn keep_end(
        &self,
        station: &str,
        id: CommandId,
        end: &OperationEnd,
    ) -> Result<Option<Operation>, StoreError> {
        let mut unit = self.store().unit().await?;
        let ended = operation_ended(&mut unit, station, id.0, end, Timestamp::now()).await?;
        let Some(operation) = ended else { return Ok(None) };
        let what = What::Operation(Box::new(operation.clone()));
        self.notifications().commit(unit, station, &what).await?;
        self.notify(&Arc::from(station), what);
        Ok(Some(operation))
    }

    /// A command came to its end. One that is no operation is none of this' business.
    pub(super) async fn operation_ended(&self, station: &Arc<str>, id: CommandId, outcome: CallOutcome) {
        let ended = self.end_operation(station, id, &outcome::end(outcome.clone())).await;
        if ended.is_some_and(|operation| operation.kind == "change_password" && voids_password(&outcome, &operation))
            && let Err(error) = self.store().new_password_is_void(station).await
        {
            tracing::error!(%station, %error, "a password that does not count cannot be forgotten");
        }
    }

    async fn end_operation(&self, station: &Arc<str>, id: CommandId, end: &OperationEnd) -> Option<Operation> {
        match self.keep_end(station, id, end).await {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%station, %error, "the end of an operation cannot be kept");
                None
            }
        }
    }

    /// A station's conversation was taken up again: what is not part of it any more was interrupted, and what was ended while it was away
    /// is not to go on; the commands of that.
    pub(super) async fn operations_resumed(&self, station: &Arc<str>, going_on: &HashSet<CommandId>) -> Vec<CommandId> {
        match self.store().running_operations(station).await {
            Ok(running) => {
                for operation in running.iter().filter(|known| !going_on.contains(&CommandId(known.command))) {
                    self.end_operation(station, CommandId(operation.command), &outcome::interrupted()).await;
                }
            }
            Err(error) => tracing::error!(%station, %error, "the operations of the station cannot be read"),
        }
        let mut over = Vec::new();
        for command in going_on {
            match self.store().operation_is_over(station, command.0).await {
                Ok(true) => over.push(*command),
                Ok(false) => {}
                Err(error) => tracing::error!(%station, %error, "an operation of the station cannot be read"),
            }
        }
        over
    }

    /// Ends what waits for stations that do not come back, and forgets what was over long ago.
    pub(crate) async fn watch_operations(self) {
        loop {
            let now = Timestamp::now();
            if let Err(error) = self.end_silent(now).await {
                tracing::error!(%error, "silent operations cannot be ended");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    async fn end_silent(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = now.checked_sub(SILENCE).unwrap_or(Timestamp::MIN);
        for operation in self.store().silent_operations(before).await? {
            if self.live(&operation.station).connection.is_none() {
                let end = OperationEnd {
                    state: OperationState::Failed,
                    result: None,
                    detail: Some("the station did not come back".to_owned()),
                };
                self.end_operation(&Arc::from(&*operation.station), CommandId(operation.command), &end).await;
            }
        }
        self.store().forget_operations(REMEMBERED, now).await?;
        Ok(())
    }
}

/// Whether a station that was to be given a password does not have it for sure.
fn voids_password(outcome: &CallOutcome, operation: &Operation) -> bool {
    let CallOutcome::Flow(end) = outcome else { return true };
    match **end {
        FlowEnd::Completed(_) | FlowEnd::TimedOut { .. } | FlowEnd::Interrupted | FlowEnd::Superseded => false,
        // Each step of it says that the station has the password, or may have it.
        FlowEnd::Cancelled => operation.progress.is_empty(),
        _ => true,
    }
}
