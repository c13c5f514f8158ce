//! What a running station can be told: everything a person, a car, a fault or a tester can do to it.

use tokio::sync::oneshot;

use crate::error::CommandError;
use crate::hardware::EvChange;
use crate::messages::Frame;
use crate::state::State;

/// A token as a reader gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// The identifier.
    pub value: String,
    /// Its type in the words of 2.x, for example `ISO14443`, `KeyCode` or `NoAuthorization`. 1.6 has no types and sends the identifier alone.
    pub kind: String,
}

impl Token {
    /// A token of this type.
    #[must_use]
    pub fn new(value: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { value: value.into(), kind: kind.into() }
    }
}

impl From<&str> for Token {
    /// An RFID card: type `ISO14443`.
    fn from(value: &str) -> Self {
        Self::new(value, "ISO14443")
    }
}

/// One command and where its outcome goes.
#[derive(Debug)]
pub(crate) enum Command {
    /// Looks at everything.
    State(oneshot::Sender<State>),
    /// Looks at the frames so far.
    Messages(oneshot::Sender<Vec<Frame>>),
    /// Reads a setting.
    Setting(String, oneshot::Sender<Result<Setting, CommandError>>),
    /// Does something.
    Act(Action, oneshot::Sender<Result<(), CommandError>>),
    /// Ends the task.
    Shutdown,
}

/// A setting of the station: a 1.6 configuration key or a 2.x variable.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// Its name: a 1.6 key, or `Component.Variable[.Instance]`.
    pub name: String,
    /// Its value; absent for one that can only be written.
    pub value: Option<String>,
    /// Whether the CSMS can't write it.
    pub read_only: bool,
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
    /// The transaction is stopped at the station.
    Stop {
        /// The EVSE, from 1.
        evse: u32,
        /// The reason in the words of 2.x; `Local` when absent.
        reason: Option<String>,
    },
    /// Something breaks.
    Fault {
        /// The EVSE, from 1.
        evse: u32,
        /// The code, as in the 1.6 `ChargePointErrorCode`, for example `GroundFailure`.
        code: String,
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
    /// A setting is written at the station itself.
    PutSetting {
        /// A 1.6 key, or `Component.Variable[.Instance]`.
        name: String,
        /// The value.
        value: String,
    },
    /// A setting goes back to what it is by default.
    ResetSetting {
        /// A 1.6 key, or `Component.Variable[.Instance]`.
        name: String,
    },
    /// The power fails and comes back at once. Whatever hadn't been stored is lost.
    PowerCut {
        /// False: the EV disconnects meanwhile, so that the transactions can't be resumed.
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
