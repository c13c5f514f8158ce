//! A driver who comes, charges and leaves, again and again.

use std::time::Duration;

use anyhow::Context as _;
use ocpp_cp::Simulator;
use ocpp_cp::hardware::EvChange;
use ocpp_cp::state::EvseState;
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
        let Role { station: name, token, power, .. } = self.role;
        let (station, wanted) = (&self.station, self.wanted);
        station.wait_for(|state| state.is_accepted()).await.with_context(|| format!("{name} was not accepted"))?;
        let car = EvChange { soc: Some(Decimal::from(30)), max_power_w: Some(power), ..EvChange::default() };
        station.ev(EVSE, car).await?;
        let before = station.state().await?.evse(EVSE).map(|evse| evse.meter_wh).unwrap_or_default();
        let earlier = self.last_ended().await?;
        station.plug(EVSE).await?;
        station.tap(EVSE, token).await?;
        let charged = |evse: &EvseState| evse.transaction.is_some() && evse.meter_wh >= before + wanted;
        station.wait_for(|state| state.evse(EVSE).is_some_and(charged)).await?;
        station.tap(EVSE, token).await?;
        let ended = |evse: &EvseState| {
            let last = evse.last_transaction.as_ref().map(|last| &last.id);
            evse.transaction.is_none() && last.is_some() && last != earlier.as_ref()
        };
        station.wait_for(|state| state.evse(EVSE).is_some_and(ended)).await?;
        station.unplug(EVSE).await?;
        // The meter is read after the cable is out: what flowed after the end of the transaction would show here.
        let state = station.wait_for(|state| state.outbox == 0).await?;
        let evse = state.evse(EVSE).context("the station lost its EVSE")?;
        let last = evse.last_transaction.as_ref().context("the station lost its transaction")?;
        let id = last.csms_id.map_or_else(|| last.id.clone(), |id| id.to_string());
        let billed = self.billed(&id).await?;
        Ok(Bill { version: self.role.version, metered_wh: evse.meter_wh.saturating_sub(before), billed })
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
