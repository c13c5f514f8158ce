//! Keeps what a station's messages tell of its transactions.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ocpp_core::csms::{Event, Mirrors, Snapshot, TransactionEvent, TransactionGaps};
use serde::Serialize;

use super::billing;
use super::course::usage;
use super::progress::{Step, apply, unknown};
use super::reading;
use crate::notifications::Notifications;
use crate::reports::{Session, session_changed};
use crate::stations::What;
use crate::store::{Batch, Known, SecurityEvent, Store, StoreError, Transaction, put_security_event};
use crate::tariffs::{Tariff, Tariffs, TariffsError};

/// Why a transaction ended whose end was lost: no reason of the standard, because no station gave it.
const LOST: &str = "EndLost";

/// A transaction as it is after an event.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// What the event told of.
    pub(crate) step: Step,
    /// The transaction.
    pub(crate) transaction: Transaction,
}

/// The state of a conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State<'a> {
    /// What it needs to go on, without the mirrors.
    pub(crate) snapshot: &'a Snapshot,
    /// The mirrors, where they changed.
    pub(crate) mirrors: Option<&'a Mirrors>,
}

/// A state, or a part of it, as it is kept.
pub(crate) fn json(state: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(state)
        .map_err(|error| StoreError::Content { what: "the state of a session", value: error.to_string() })
}

/// What it takes to keep what a station reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorder<'a> {
    pub(crate) store: &'a Store,
    pub(crate) tariffs: &'a Tariffs,
    /// In which days are counted.
    pub(crate) zone: &'a TimeZone,
    /// Who is to be told.
    pub(crate) notifications: &'a Notifications,
}

impl Recorder<'_> {
    /// Keeps the facts and the state of the conversation in one database transaction: all or nothing.
    ///
    /// # Errors
    /// When the database fails; nothing was kept then.
    pub(crate) async fn record(
        self,
        station: &str,
        known: &Known,
        events: &[Event],
        state: State<'_>,
    ) -> Result<Vec<Recorded>, StoreError> {
        let mut batch = self.store.batch(station, known);
        batch.put_session_state(&json(state.snapshot)?);
        if let Some(mirrors) = state.mirrors {
            batch.put_mirrors(&json(mirrors)?);
        }
        let recorded = self.take(station, &mut batch, events, Timestamp::now()).await?;
        batch.commit().await?;
        Ok(recorded)
    }

    /// Takes the facts into a batch, as they became known at this moment: what they mean for transactions, bills, the ledger and the
    /// reports, and who is to be told.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn take(
        self,
        station: &str,
        batch: &mut Batch<'_>,
        events: &[Event],
        now: Timestamp,
    ) -> Result<Vec<Recorded>, StoreError> {
        let (mut recorded, mut changes) = (Vec::new(), Vec::new());
        for event in events {
            let (step, event) = match event {
                Event::TransactionStarted(event) => (Step::Started, Cow::Borrowed(&**event)),
                Event::TransactionUpdated(event) => (Step::Updated, Cow::Borrowed(&**event)),
                Event::TransactionEnded(event) => (Step::Ended, Cow::Borrowed(&**event)),
                Event::TransactionSuperseded { transaction, by } => {
                    tracing::warn!(%station, %transaction, %by, "a transaction began where another has not ended");
                    continue;
                }
                Event::TransactionIncomplete(gaps) if gaps.end_lost => match lost_end(batch, gaps).await? {
                    Some(event) => (Step::Ended, Cow::Owned(event)),
                    None => continue,
                },
                _ => continue,
            };
            let (before, transaction) = record_step(batch, self.tariffs, station, step, &event, now).await?;
            changes.push((before, Session::of(&transaction)));
            recorded.push(Recorded { step, transaction });
        }
        for (before, after) in &changes {
            session_changed(batch.unit()?, station, self.zone, before.as_ref(), after.as_ref()).await?;
        }
        for Recorded { step, transaction } in &recorded {
            // What is to be told is kept with the fact, so that no end of the program loses it.
            if self.notifications.is_wanted(station, step.kind()) {
                self.notifications.enqueue(batch.unit()?, station, &step.told(transaction.clone()));
            }
        }
        for event in events {
            match event {
                Event::SecurityEvent { kind, at, detail } => {
                    let event = SecurityEvent::of_station(station, kind, *at, detail.as_deref());
                    put_security_event(batch.unit()?, &event).await?;
                }
                Event::TransactionIncomplete(_) => {}
                _ => continue,
            }
            if let Some(what) = What::of_record(event) {
                self.notifications.enqueue(batch.unit()?, station, &what);
            }
        }
        Ok(recorded)
    }
}

/// The end of a transaction that will not come any more: at its last reading, which is what it is billed by. `None` where nothing is known
/// of it, or it has ended. Should the end come nevertheless, it counts.
async fn lost_end(batch: &mut Batch<'_>, gaps: &TransactionGaps) -> Result<Option<TransactionEvent>, StoreError> {
    let known = batch.transaction(gaps.transaction.as_str()).await?;
    let Some(transaction) = known.filter(|known| known.stopped_at.is_none()) else { return Ok(None) };
    let at = transaction.meter_last_at.unwrap_or(transaction.started_at);
    let mut event = TransactionEvent::new(gaps.transaction.clone(), at);
    event.stopped_reason = Some(LOST.to_owned());
    Ok(Some(event))
}

async fn record_step(
    batch: &mut Batch<'_>,
    tariffs: &Tariffs,
    station: &str,
    step: Step,
    event: &TransactionEvent,
    now: Timestamp,
) -> Result<(Option<Session>, Transaction), StoreError> {
    let id = event.transaction.as_str();
    let known = batch.transaction(id).await?;
    let before = known.as_ref().and_then(Session::of);
    let mut transaction = match known {
        Some(transaction) => transaction,
        None => unknown(station, event, &tariffs.at(station, event.place.map(|place| place.evse))),
    };
    let tariff = tariff_of(tariffs, &transaction).await?;
    let (had_token, cost_before) = (transaction.token.is_some(), transaction.cost);
    if !apply(&mut transaction, step, event, &tariff) {
        tracing::warn!(%station, transaction = id, energy_wh = %transaction.energy_wh(), "more energy than can be billed");
    }
    if !had_token {
        billing::begun(batch.unit()?, &mut transaction, now).await?;
    }
    if transaction.stopped_at.is_some() {
        let is_final = transaction.stop_reason.as_deref() != Some(LOST);
        billing::ended(batch.unit()?, &mut transaction, &tariff, is_final, now).await?;
    } else {
        billing::went_on(batch.unit()?, &transaction, &tariff, cost_before, now).await?;
    }
    batch.put_transaction(transaction.clone());
    if let Some(reservation) = event.reservation_id {
        batch.use_up_reservation(reservation, id, now).await?;
    }
    let values: Vec<_> = event.readings.iter().map(|reading| (reading.at, reading::to_json(reading))).collect();
    batch.put_meter_values(id, &values);
    Ok((before, transaction))
}

/// The state of a connector of 1.6 tells whether the vehicle there takes energy; 2.x tells it with the transaction.
///
/// # Errors
/// When the database fails.
pub(crate) async fn connector_changed(
    store: &Store,
    tariffs: &Tariffs,
    station: &str,
    known: &Known,
    evse: i64,
    state: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    if !matches!(state, "Charging" | "SuspendedEV" | "SuspendedEVSE") {
        return Ok(());
    }
    let mut batch = store.batch(station, known);
    let Some(mut transaction) = batch.running_at(evse).await? else { return Ok(()) };
    let tariff = tariff_of(tariffs, &transaction).await?;
    transaction.course.seen(at);
    transaction.course.state(at, state);
    if let Ok(bill) = tariff.bill(&usage(&transaction, at)) {
        transaction.cost = bill.total;
    }
    if transaction.payer().is_some() {
        let cost = transaction.cost;
        billing::went_on(batch.unit()?, &transaction, &tariff, cost, Timestamp::now()).await?;
    }
    batch.put_transaction(transaction);
    batch.commit().await
}

async fn tariff_of(tariffs: &Tariffs, transaction: &Transaction) -> Result<Arc<Tariff>, StoreError> {
    tariffs.version(&transaction.tariff).await.map_err(|error| match error {
        TariffsError::Store(error) => error,
        error => StoreError::Content { what: "the tariff of a session", value: error.to_string() },
    })
}
