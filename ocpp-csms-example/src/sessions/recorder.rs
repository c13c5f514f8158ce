//! Keeps what a station's messages tell of its transactions.

use jiff::Timestamp;
use ocpp_core::csms::{Event, Snapshot, TransactionEvent};

use super::progress::{Step, apply, unknown};
use super::reading;
use crate::store::{Batch, Store, StoreError, Transaction};
use crate::tariffs::Price;

/// A transaction as it is after an event.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// What the event told of.
    pub(crate) step: Step,
    /// The transaction.
    pub(crate) transaction: Transaction,
}

/// Keeps the facts and the state of the conversation in one database transaction: all or nothing.
///
/// # Errors
/// When the database fails; nothing was kept then.
pub(crate) async fn record(
    store: &Store,
    station: &str,
    events: &[Event],
    snapshot: &Snapshot,
    price: Price,
) -> Result<Vec<Recorded>, StoreError> {
    let state = serde_json::to_string(snapshot)
        .map_err(|error| StoreError::Content { what: "the state of a session", value: error.to_string() })?;
    let mut batch = store.batch(station).await?;
    let mut recorded = Vec::new();
    for event in events {
        let (step, event) = match event {
            Event::TransactionStarted(event) => (Step::Started, event),
            Event::TransactionUpdated(event) => (Step::Updated, event),
            Event::TransactionEnded(event) => (Step::Ended, event),
            Event::TransactionSuperseded { transaction, by } => {
                tracing::warn!(%station, %transaction, %by, "a transaction began where another has not ended");
                continue;
            }
            _ => continue,
        };
        recorded.push(Recorded { step, transaction: record_step(&mut batch, station, step, event, price).await? });
    }
    batch.put_session_state(&state).await?;
    batch.commit().await?;
    Ok(recorded)
}

async fn record_step(
    batch: &mut Batch,
    station: &str,
    step: Step,
    event: &TransactionEvent,
    price: Price,
) -> Result<Transaction, StoreError> {
    let id = event.transaction.as_str();
    let mut transaction = match batch.transaction(id).await? {
        Some(transaction) => transaction,
        None => unknown(station, event, price),
    };
    if !apply(&mut transaction, step, event) {
        tracing::warn!(%station, transaction = id, energy_wh = %transaction.energy_wh(), "more energy than can be billed");
    }
    batch.put_transaction(&transaction).await?;
    if let Some(reservation) = event.reservation_id {
        batch.use_up_reservation(reservation, id, Timestamp::now()).await?;
    }
    let values: Vec<_> = event.readings.iter().map(|reading| (reading.at, reading::to_json(reading))).collect();
    batch.put_meter_values(id, &values).await?;
    Ok(transaction)
}
