//! What can be seen of a simulated station: the answer to `GET /state`.

use rust_decimal::Decimal;
use serde::Serialize;

use crate::hardware::Flow;

/// A station at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct State {
    /// The station's identity.
    pub id: String,
    /// The version in use (`1.6`, `2.0.1`, `2.1`), once a connection has negotiated one.
    pub version: Option<String>,
    /// Whether the network is up: what `POST /network` sets.
    pub network: bool,
    /// Whether a WebSocket to the CSMS is open.
    pub connected: bool,
    /// What the CSMS answered to the last BootNotification: `Accepted`, `Pending` or `Rejected`; absent before the first answer.
    pub registration: Option<String>,
    /// Why the last attempt to connect failed; absent while connected.
    pub connection_error: Option<String>,
    /// Messages about transactions that the CSMS hasn't taken yet.
    pub outbox: usize,
    /// The station's time, as the CSMS corrected it, RFC 3339.
    pub time: String,
    /// The EVSEs, in the order of their numbers.
    pub evses: Vec<EvseState>,
}

impl State {
    /// One EVSE, numbered from 1.
    #[must_use]
    pub fn evse(&self, evse: u32) -> Option<&EvseState> {
        self.evses.iter().find(|state| state.id == evse)
    }

    /// Whether the CSMS has accepted the station's boot and the connection is open.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.connected && self.registration.as_deref() == Some("Accepted")
    }
}

/// An EVSE at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EvseState {
    /// Its number, from 1.
    pub id: u32,
    /// Its connectors.
    pub connectors: Vec<ConnectorState>,
    /// The connector whose cable is in.
    pub plugged: Option<u32>,
    /// Whether energy flows, and who holds it back: `unplugged`, `held_by_station`, `held_by_ev` or `flowing`.
    pub flow: Flow,
    /// Whether the station lets energy through.
    pub permitted: bool,
    /// The limit in force in watts, where there is one.
    #[serde(with = "rust_decimal::serde::float_option")]
    pub limit_w: Option<Decimal>,
    /// What the meter has counted, in watt-hours.
    pub meter_wh: u64,
    /// Power now, in watts.
    #[serde(with = "rust_decimal::serde::float")]
    pub power_w: Decimal,
    /// The car.
    pub ev: EvState,
    /// What is broken, by the code it was reported under.
    pub fault: Option<String>,
    /// Whether the lock is jammed.
    pub lock_fails: bool,
    /// Whether the parking bay is taken.
    pub bay_occupied: bool,
    /// The token that may charge now, or that the running transaction belongs to.
    pub token: Option<String>,
    /// Whether somebody may charge now.
    pub authorized: bool,
    /// The transaction that is running.
    pub transaction: Option<TransactionState>,
    /// The transaction that ended last since the station started.
    pub last_transaction: Option<TransactionState>,
}

/// A connector at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConnectorState {
    /// Its number within the EVSE, from 1.
    pub id: u32,
    /// Whether its lock is closed.
    pub locked: bool,
    /// Its status, in the finer words of 1.6: `Available`, `Preparing`, `Charging`, `SuspendedEVSE`, `SuspendedEV`, `Finishing`,
    /// `Reserved`, `Unavailable`, `Faulted`.
    pub status: String,
}

/// A car at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EvState {
    /// State of charge in percent.
    #[serde(with = "rust_decimal::serde::float")]
    pub soc: Decimal,
    /// The most it takes, in watts.
    pub max_power_w: u32,
    /// Whether it wants energy.
    pub ready: bool,
    /// Whether it paused by itself.
    pub suspended: bool,
}

/// A transaction, running or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TransactionState {
    /// The station's own id of it, which is its id in 2.x.
    pub id: String,
    /// The id that a 1.6 CSMS gave it, once it has.
    pub csms_id: Option<i64>,
    /// The 2.x charging state, as `Charging` or `SuspendedEV`; after the end, the last one.
    pub charging_state: Option<String>,
    /// The token it was authorised with.
    pub token: Option<String>,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// When it ended; absent while it runs.
    pub ended_at: Option<String>,
    /// Why it ended, in the words of 2.x.
    pub stop_reason: Option<String>,
    /// What the meter read at its start, in watt-hours.
    pub meter_start_wh: u64,
    /// What the meter read at its end, or reads now, in watt-hours.
    pub meter_stop_wh: u64,
    /// The difference: the energy that was charged, in watt-hours.
    pub energy_wh: u64,
}
