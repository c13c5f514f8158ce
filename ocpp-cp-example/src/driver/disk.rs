//! Writing without making the station wait.
//!
//! A thread owns the database. What piles up while it writes goes into one commit, so a slow disk costs time for each commit
//! and not for each batch.

use std::sync::mpsc;

use ocpp_core::station::{Batch, BatchId, Change, Record};
use tokio::sync::mpsc as async_mpsc;

use crate::store::{Store, StoreError};

/// Keys of the station's own records begin with it.
const RECORD: &str = "record/";
/// Keys of what the hardware is like begin with it.
const HARDWARE: &str = "hardware/";
/// Keys of records that couldn't be read begin with it; they are kept to be looked at.
const UNREADABLE: &str = "unreadable/";

/// The way to the store.
#[derive(Debug)]
pub(crate) enum Disk {
    /// In memory, everything is stored at once.
    Memory(Store),
    /// On a disk, a thread does it.
    Thread { jobs: mpsc::Sender<Job>, done: async_mpsc::UnboundedReceiver<Done> },
}

/// What the thread is to do.
#[derive(Debug)]
pub(crate) enum Job {
    Commit { id: Option<BatchId>, changes: Vec<Change> },
    Load,
}

/// What the thread did.
#[derive(Debug)]
pub(crate) enum Done {
    Stored(BatchId),
    Loaded(Vec<Record>),
    Failed(StoreError),
}

/// What was found in the store, by kind.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The station's records.
    pub(crate) records: Vec<Record>,
    /// What was saved of the EVSEs, by number.
    pub(crate) hardware: Vec<(u32, String)>,
}

impl Disk {
    /// A store that is forgotten with the process.
    pub(crate) fn in_memory() -> Self {
        Self::Memory(Store::in_memory())
    }

    /// Hands a store over to a thread of its own.
    pub(crate) fn in_thread(store: Store) -> Self {
        let (jobs, queue) = mpsc::channel();
        let (sender, done) = async_mpsc::unbounded_channel();
        std::thread::spawn(move || work(store, &queue, &sender));
        Self::Thread { jobs, done }
    }

    /// Has a batch written. Gives its number when that is done already, otherwise [`Disk::stored`] will.
    pub(crate) fn write(&mut self, batch: Batch) -> Result<Option<BatchId>, StoreError> {
        let changes = batch.changes.into_iter().map(|change| prefixed(RECORD, change)).collect();
        self.commit(Some(batch.id), changes)
    }

    /// Has the state of an EVSE written.
    pub(crate) fn write_hardware(&mut self, evse: u32, value: String) -> Result<(), StoreError> {
        let record = Record { key: format!("{HARDWARE}{evse}"), value };
        self.commit(None, vec![Change::Put(record)]).map(drop)
    }

    /// Sets a record that can't be read aside.
    pub(crate) fn set_aside(&mut self, record: Record) -> Result<(), StoreError> {
        let delete = Change::Delete(format!("{RECORD}{}", record.key));
        self.commit(None, vec![prefixed(UNREADABLE, Change::Put(record)), delete]).map(drop)
    }

    fn commit(&mut self, id: Option<BatchId>, changes: Vec<Change>) -> Result<Option<BatchId>, StoreError> {
        match self {
            Self::Memory(store) => store.commit(&changes).map(|()| id),
            Self::Thread { jobs, .. } => {
                // A thread that has ended reported why; `stored` gives that.
                let _ = jobs.send(Job::Commit { id, changes });
                Ok(None)
            }
        }
    }

    /// The next batch that is on the disk, and with it all before it.
    pub(crate) async fn stored(&mut self) -> Result<BatchId, StoreError> {
        let Self::Thread { done, .. } = self else { return std::future::pending().await };
        loop {
            match done.recv().await {
                Some(Done::Stored(id)) => return Ok(id),
                Some(Done::Loaded(_)) => {}
                Some(Done::Failed(error)) => return Err(error),
                None => return std::future::pending().await,
            }
        }
    }

    /// Waits until everything handed over is written and the database is closed, so that another station may open it.
    pub(crate) async fn close(self) {
        if let Self::Thread { jobs, mut done } = self {
            drop(jobs);
            while done.recv().await.is_some() {}
        }
    }

    /// What the store holds once everything handed over so far is written. Batches that were under way are not reported
    /// any more: who asks has lost its memory.
    pub(crate) async fn load(&mut self) -> Result<Found, StoreError> {
        let records = match self {
            Self::Memory(store) => store.load()?,
            Self::Thread { jobs, done } => {
                let _ = jobs.send(Job::Load);
                loop {
                    match done.recv().await {
                        Some(Done::Loaded(records)) => break records,
                        Some(Done::Stored(_)) => {}
                        Some(Done::Failed(error)) => return Err(error),
                        None => break Vec::new(),
                    }
                }
            }
        };
        Ok(Found::sort(records))
    }
}

impl Found {
    /// Sorts what a store holds by kind.
    pub(crate) fn sort(stored: Vec<Record>) -> Self {
        let mut found = Self::default();
        for Record { key, value } in stored {
            if let Some(key) = key.strip_prefix(RECORD) {
                found.records.push(Record { key: key.to_owned(), value });
            } else if let Some(evse) = key.strip_prefix(HARDWARE).and_then(|evse| evse.parse().ok()) {
                found.hardware.push((evse, value));
            }
        }
        found
    }
}

fn prefixed(prefix: &str, change: Change) -> Change {
    match change {
        Change::Put(Record { key, value }) => Change::Put(Record { key: format!("{prefix}{key}"), value }),
        Change::Delete(key) => Change::Delete(format!("{prefix}{key}")),
    }
}

/// Writes until nobody is left to ask for it, or the disk refuses.
fn work(mut store: Store, queue: &mpsc::Receiver<Job>, done: &async_mpsc::UnboundedSender<Done>) {
    let mut next = queue.recv().ok();
    while let Some(job) = next.take() {
        let outcome = match job {
            Job::Load => store.load().map(|records| Some(Done::Loaded(records))),
            Job::Commit { mut id, mut changes } => {
                while let Ok(job) = queue.try_recv() {
                    match job {
                        Job::Commit { id: later, changes: more } => {
                            id = later.or(id);
                            changes.extend(more);
                        }
                        Job::Load => {
                            next = Some(Job::Load);
                            break;
                        }
                    }
                }
                store.commit(&changes).map(|()| id.map(Done::Stored))
            }
        };
        match outcome {
            Ok(None) => {}
            Ok(Some(outcome)) => {
                if done.send(outcome).is_err() {
                    return;
                }
            }
            Err(error) => {
                // Nobody listening any more is nobody to tell.
                let _ = done.send(Done::Failed(error));
                return;
            }
        }
        if next.is_none() {
            next = queue.recv().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(id: u64, key: &str) -> Batch {
        let record = Record { key: key.to_owned(), value: "{}".to_owned() };
        Batch { id: BatchId(id), changes: vec![Change::Put(record)] }
    }

    #[tokio::test]
    async fn a_load_sees_everything_that_was_handed_over_before_it() {
        let folder = std::env::temp_dir().join(format!("ocpp-cp-disk-{}", std::process::id()));
        let mut disk = Disk::in_thread(Store::open(&folder).unwrap());
        for id in 1..=20 {
            assert_eq!(disk.write(batch(id, &format!("transaction/{id}"))).unwrap(), None);
        }
        disk.write_hardware(2, "saved".to_owned()).unwrap();
        let found = disk.load().await.unwrap();
        assert_eq!(found.records.len(), 20);
        assert!(found.records.iter().any(|record| record.key == "transaction/7"));
        assert_eq!(found.hardware, [(2, "saved".to_owned())]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn batches_are_reported_in_order_and_the_last_one_always() {
        let folder = std::env::temp_dir().join(format!("ocpp-cp-disk-order-{}", std::process::id()));
        let mut disk = Disk::in_thread(Store::open(&folder).unwrap());
        for id in 1..=50 {
            disk.write(batch(id, "one")).unwrap();
        }
        let mut last = BatchId(0);
        while last < BatchId(50) {
            let id = disk.stored().await.unwrap();
            assert!(id > last, "{id:?} after {last:?}");
            last = id;
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn a_closed_store_is_written_and_can_be_opened_again() {
        let folder = std::env::temp_dir().join(format!("ocpp-cp-disk-close-{}", std::process::id()));
        let mut disk = Disk::in_thread(Store::open(&folder).unwrap());
        for id in 1..=20 {
            disk.write(batch(id, &id.to_string())).unwrap();
        }
        disk.close().await;
        assert_eq!(Store::open(&folder).unwrap().load().unwrap().len(), 20);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn an_unreadable_record_is_set_aside_and_not_lost() {
        let mut disk = Disk::in_memory();
        assert_eq!(disk.write(batch(1, "bad")).unwrap(), Some(BatchId(1)));
        let bad = disk.load().await.unwrap().records.remove(0);
        disk.set_aside(bad).unwrap();
        assert!(disk.load().await.unwrap().records.is_empty());
        let Disk::Memory(store) = disk else { panic!() };
        assert_eq!(store.load().unwrap()[0].key, "unreadable/bad");
    }
}
