//! The OCPP log: the frames of every station, the newest few of each.
//!
//! Frames are written in batches by a task of their own, so that a busy station costs one statement for hundreds of frames.
//! When the disk cannot keep up, frames are left out of the log rather than stations being slowed down; how many, is logged.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use utoipa::ToSchema;

use super::{Row, Rows, Store, StoreError, Target, sql};

/// Longer frames are cut: the log is for people.
const MAX_TEXT: usize = 65_536;
/// Frames that wait to be written.
const WAITING: usize = 8_192;
/// Frames written by one statement.
const BATCH: usize = 500;

const MESSAGES: Target =
    Target { into: "INSERT INTO messages (number, station, at, direction, text)", columns: 5, otherwise: "" };

/// Which way a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the station.
    Received,
    /// To the station.
    Sent,
}

impl Direction {
    /// As it is kept.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }
}

impl std::str::FromStr for Direction {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Received, Self::Sent].into_iter().find(|direction| direction.as_str() == text).ok_or(())
    }
}

/// A frame in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its place in the log of the whole installation; later frames have greater numbers.
    pub number: i64,
    /// When it was received or sent.
    pub at: Timestamp,
    /// Which way it went.
    pub direction: Direction,
    /// The frame.
    pub text: String,
}

struct Entry {
    station: Arc<str>,
    at: Timestamp,
    direction: Direction,
    text: String,
}

enum Order {
    Write(Entry),
    Flush(oneshot::Sender<()>),
}

/// Where frames are handed in. Clones feed the same log.
#[derive(Clone)]
pub struct MessageLog {
    orders: mpsc::Sender<Order>,
    lost: Arc<AtomicU64>,
}

impl std::fmt::Debug for MessageLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageLog").field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl MessageLog {
    /// Starts the task that writes, which keeps the newest `kept` frames of each station, or a tenth more. It ends with the last clone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start(store: &Store, kept: u32) -> Result<Self, StoreError> {
        let last = store.fetch_one(sql("SELECT MAX(number) AS last FROM messages")).await?.optional_integer("last")?;
        let (orders, waiting) = mpsc::channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            store: store.clone(),
            kept,
            next: last.unwrap_or(0) + 1,
            since_pruned: HashMap::new(),
            lost: Arc::clone(&lost),
        };
        tokio::spawn(writer.run(waiting));
        Ok(Self { orders, lost })
    }

    /// Hands in a frame; never waits.
    pub fn record(&self, station: &Arc<str>, direction: Direction, at: Timestamp, text: &str) {
        let entry = Entry { station: Arc::clone(station), at, direction, text: cut(text).to_owned() };
        if self.orders.try_send(Order::Write(entry)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything handed in so far is written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.orders.send(Order::Flush(done)).await.is_ok() {
            // The writer is gone when this fails, and there is nothing left to wait for.
            let _ = written.await;
        }
    }
}

impl Store {
    /// The frames of a station with numbers above `after`, at most `limit`, the oldest first.
    pub(crate) async fn messages_after(
        &self,
        station: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let statement = sql("SELECT number, at, direction, text FROM messages WHERE station = $1 AND number > $2 \
             ORDER BY number LIMIT $3");
        self.fetch_all(statement.bind(station).bind(after).bind(limit)).await?.iter().map(read).collect()
    }

    /// The latest frames of a station with numbers below `before`, at most `limit`, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages(
        &self,
        station: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let statement = sql("SELECT number, at, direction, text FROM messages WHERE station = $1 AND number < $2 \
             ORDER BY number DESC LIMIT $3")
        .bind(station)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit);
        self.fetch_all(statement).await?.iter().rev().map(read).collect()
    }
}

struct Writer {
    store: Store,
    kept: u32,
    next: i64,
    since_pruned: HashMap<Arc<str>, u32>,
    lost: Arc<AtomicU64>,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Order>) {
        let mut orders = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut orders, BATCH).await > 0 {
            let mut entries = Vec::with_capacity(orders.len());
            let mut flushes = Vec::new();
            for order in orders.drain(..) {
                match order {
                    Order::Write(entry) => entries.push(entry),
                    Order::Flush(done) => flushes.push(done),
                }
            }
            if let Err(error) = self.write(&entries).await {
                self.lost.fetch_add(entries.len() as u64, Ordering::Relaxed);
                tracing::error!(%error, "the OCPP log cannot be written");
            }
            let lost = self.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::warn!(lost, "frames are missing from the OCPP log: the database is slower than the stations");
            }
            for done in flushes {
                // Whoever asked may have given up.
                let _ = done.send(());
            }
        }
    }

    async fn write(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        let first = self.next;
        self.next += i64::try_from(entries.len()).unwrap_or(0);
        let mut unit = self.store.later_unit();
        let mut rows = Rows::new(MESSAGES);
        for (number, entry) in (first..).zip(entries) {
            rows.push([
                number.into(),
                (&*entry.station).into(),
                entry.at.into(),
                entry.direction.as_str().into(),
                entry.text.as_str().into(),
            ]);
        }
        unit.keep(rows);
        for (number, entry) in (first..).zip(entries) {
            // What was there at the start is not counted; stations come to their first time one after the other.
            let written = self
                .since_pruned
                .entry(Arc::clone(&entry.station))
                .or_insert_with(|| u32::try_from(number.unsigned_abs() % u64::from(self.kept / 10 + 1)).unwrap_or(0));
            *written = written.saturating_add(1);
            if *written > self.kept / 10 {
                let station = &entry.station;
                let statement =
                    sql("DELETE FROM messages WHERE station = $1 AND number <= (SELECT number FROM messages \
                     WHERE station = $1 ORDER BY number DESC LIMIT 1 OFFSET $2)")
                    .bind(station.as_ref())
                    .bind(self.kept);
                unit.execute(statement).await?;
                *written = 0;
            }
        }
        unit.commit().await
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or(text)
}

fn read(row: &Row) -> Result<StoredMessage, StoreError> {
    Ok(StoredMessage {
        number: row.integer("number")?,
        at: row.moment("at")?,
        direction: row.parsed("direction")?,
        text: row.text("text")?,
    })
}
