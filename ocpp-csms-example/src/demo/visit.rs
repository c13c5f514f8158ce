//! A driver who comes, charges and leaves, again and again.

use std::time::Duration;

use anyhow::Context as _;
use ocpp_cp::Simulator;
use ocpp_cp::hardware::EvChange;
use ocpp_cp::state::{EvseState, State};
use rust_decimal::Decimal;
use tokio::time::{sleep, timeout};

use super::Role;
use super::bill::Bill;
use crate::store::{Store, Transaction};

/// The stations of the demonstration have one EVSE.
const EVSE: u32 = 1;
/// Between two looks at the database.
const LOOK: Duration = Duration::from_millis(50);
/// Between two drivers.
const PAUSE: Duration = Duration::from_secs(4);
/// How long one step of a visit may take. The longest is charging, which takes half a minute.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long the last driver may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// The drivers of one station.
pub(super) struct Visitor {
    role: Role,
    /// What each of them wants, in Wh.
    wanted: u64,
    station: Simulator,
    store: Store,
}

impl Visitor {
    pub(super) fn new(role: Role, wanted: u64, station: Simulator, store: Store) -> Self {
        Self { role, wanted, station, store }
    }

    /// Drivers come until the demonstration ends.
    pub(super) async fn visit_for_ever(&self) -> anyhow::Result<()> {
        loop {
            self.visit().await?;
            sleep(PAUSE).await;
        }
    }

    /// One driver: plug in, tap, charge, tap again, unplug; and the bill, beside what the station itself metered.
    pub(super) async fn visit(&self) -> anyhow::Result<Bill> {
        let Role { token, power, version, .. } = self.role;
        let (station, wanted) = (&self.station, self.wanted);
        self.wait_for("is accepted", State::is_accepted).await?;
        let car = EvChange { soc: Some(Decimal::from(30)), max_power_w: Some(power), ..EvChange::default() };
        station.ev(EVSE, car).await?;
        let before = station.state().await?.evse(EVSE).map(|evse| evse.meter_wh).unwrap_or_default();
        let earlier = self.last_ended().await?;
        station.plug(EVSE).await?;
        station.tap(EVSE, token).await?;
        let charged = |evse: &EvseState| evse.transaction.is_some() && evse.meter_wh >= before + wanted;
        self.wait_for("has charged enough", |state| state.evse(EVSE).is_some_and(charged)).await?;
        station.tap(EVSE, token).await?;
        let ended = |evse: &EvseState| {
            let last = evse.last_transaction.as_ref().map(|last| &last.id);
            evse.transaction.is_none() && last.is_some() && last != earlier.as_ref()
        };
        self.wait_for("has ended its transaction", |state| state.evse(EVSE).is_some_and(ended)).await?;
        station.unplug(EVSE).await?;
        // The meter is read after the cable is out: what flowed after the end of the transaction would show here.
        let state = self.wait_for("has reported everything", |state| state.outbox == 0).await?;
        let evse = state.evse(EVSE).context("the station lost its EVSE")?;
        let last = evse.last_transaction.as_ref().context("the station lost its transaction")?;
        let id = last.csms_id.map_or_else(|| last.id.clone(), |id| id.to_string());
        let billed = timeout(PATIENCE, self.billed(&id)).await;
        let billed = billed.with_context(|| format!("{}: no bill for session {id} came", self.role.station))??;
        Ok(Bill { version, metered_wh: evse.meter_wh.saturating_sub(before), billed, per_kwh: super::price() })
    }

    /// Waits for a state of the station; gives up with what the station says instead.
    async fn wait_for(&self, what: &str, condition: impl FnMut(&State) -> bool) -> anyhow::Result<State> {
        if let Ok(state) = timeout(PATIENCE, self.station.wait_for(condition)).await {
            return Ok(state?);
        }
        let state = self.station.state().await?;
        let registration = state.registration.as_deref().unwrap_or("none");
        let reason =
            state.connection_error.as_deref().unwrap_or(if state.connected { "connected" } else { "not connected" });
        let transaction = state.evse(EVSE).is_some_and(|evse| evse.transaction.is_some());
        anyhow::bail!(
            "{}: waited in vain until it {what} ({reason}; registration: {registration}; transaction running: {transaction}; \
             messages waiting: {})",
            self.role.station,
            state.outbox
        )
    }

    /// The transaction that ended last at the station, by the station's own name for it.
    async fn last_ended(&self) -> anyhow::Result<Option<String>> {
        let state = self.station.state().await?;
        Ok(state.evse(EVSE).and_then(|evse| evse.last_transaction.as_ref()).map(|last| last.id.clone()))
    }

    /// Waits for the bill in the database.
    async fn billed(&self, id: &str) -> anyhow::Result<Transaction> {
        loop {
            match self.store.transaction(self.role.station, id).await? {
                Some(transaction) if transaction.stopped_at.is_some() => return Ok(transaction),
                _ => sleep(LOOK).await,
            }
        }
    }

    /// The driver who is there leaves with a bill, and the station is switched off.
    pub(super) async fn leave(&self) {
        // A station that is stuck is switched off all the same.
        let _ = timeout(FAREWELL, self.finish()).await;
        self.station.shutdown().await;
    }

    async fn finish(&self) -> anyhow::Result<()> {
        let is_charging = |evse: &EvseState| evse.transaction.is_some();
        if self.station.state().await?.evse(EVSE).is_some_and(is_charging) {
            self.station.stop(EVSE).await?;
        }
        self.station.wait_for(|state| state.outbox == 0 && !state.evse(EVSE).is_some_and(is_charging)).await?;
        Ok(())
    }
}
