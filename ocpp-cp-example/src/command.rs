//! What a running station can be told: everything a person, a car, a fault or a tester can do to it.

use ocpp_core::station::smart_charging::ExternalLimit;
use ocpp_core::station::{FaultCode, LocalStop, Token, TokenEntry};
use tokio::sync::oneshot;

use crate::error::CommandError;
use crate::hardware::EvChange;
use crate::messages::Frame;
use crate::state::State;

/// One command and where its outcome goes.
#[derive(Debug)]
pub(crate) enum Command {
    /// Looks at everything.
    State(oneshot::Sender<State>),
    /// Looks at the frames so far.
    Messages(oneshot::Sender<Vec<Frame>>),
    /// Reads a setting, or changes it first.
    Setting { name: String, change: Option<Change>, reply: oneshot::Sender<Result<Setting, CommandError>> },
    /// Does something.
    Act(Action, oneshot::Sender<Result<(), CommandError>>),
    /// Ends the task, and says when everything is closed and written.
    Shutdown(oneshot::Sender<()>),
}

/// What becomes of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// This value.
    Put(String),
    /// What it is worth until somebody changes it.
    Reset,
}

/// A setting of the station: a 1.6 configuration key or a 2.x variable.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// Its name: a 1.6 key, or `Component.Variable[.Instance]`.
    pub name: String,
    /// Its value; absent for one that can only be written, such as a password.
    pub value: Option<String>,
    /// Whether the change that was just made is in force only after a restart.
    pub restart_required: bool,
}

/// Something that can be done to a running station.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// A cable is put in.
    Plug {
        /// The EVSE, from 1.
        evse: u32,
        /// The connector of the EVSE, from 1.
        connector: u32,
    },
    /// The cable is pulled out on the car's side.
    Unplug {
        /// The EVSE, from 1.
        evse: u32,
    },
    /// A token is presented.
    Tap {
        /// The EVSE, from 1.
        evse: u32,
        /// The token.
        token: Token,
    },
    /// A token is put into the authorisation cache.
    Cache {
        /// What the cache says about it from now on.
        entry: TokenEntry,
    },
    /// A token is put into the local authorisation list, which otherwise only the CSMS changes.
    List {
        /// What the list says about it from now on.
        entry: TokenEntry,
    },
    /// The transaction is stopped at the station.
    Stop {
        /// The EVSE, from 1.
        evse: u32,
        /// Why.
        reason: LocalStop,
    },
    /// Something breaks.
    Fault {
        /// The EVSE, from 1.
        evse: u32,
        /// What is wrong.
        code: FaultCode,
    },
    /// It is repaired.
    ClearFault {
        /// The EVSE, from 1.
        evse: u32,
    },
    /// The car changes.
    Ev {
        /// The EVSE, from 1.
        evse: u32,
        /// What changes.
        change: EvChange,
    },
    /// The lock jams, or works again.
    Lock {
        /// The EVSE, from 1.
        evse: u32,
        /// Whether it is jammed.
        fails: bool,
    },
    /// A car drives into the parking bay, or away.
    Bay {
        /// The EVSE, from 1.
        evse: u32,
        /// Whether it is taken.
        occupied: bool,
    },
    /// Somebody else than the CSMS, such as an energy management system, sets a limit, or releases it. A power cut and a restart
    /// release it too.
    Limit {
        /// Who, where and how much.
        limit: ExternalLimit,
    },
    /// The driver asks for priority charging at the station, or does without it again (2.1).
    Priority {
        /// The EVSE, from 1.
        evse: u32,
        /// Whether he asks for it.
        wanted: bool,
    },
    /// The power fails and comes back at once. Whatever hadn't been stored is lost.
    PowerCut {
        /// Whether the station goes on with its transactions when the power is back, or ends them for `PowerLoss` (2.1 part 2, E17).
        keep_transactions: bool,
    },
    /// The station restarts in an orderly way.
    Restart,
    /// The network goes away, or comes back.
    Network {
        /// Whether it is up.
        up: bool,
    },
    /// The clock-aligned moment is now.
    AlignClock,
}
