//! What stations report all the time, written for all of them together: a fact is a few rows in a few tables, and hundreds of facts are
//! still a few statements and one transaction.

use tokio::sync::{mpsc, oneshot};

use super::rows::Rows;
use super::unit::begin;
use super::{Backend, StoreError};

/// Units that are written together at most. More would have the first of them wait for too long.
const TOGETHER: usize = 256;

/// The one who writes. It ends with the last clone.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    jobs: mpsc::UnboundedSender<Job>,
}

/// A unit: all of it is kept or nothing.
#[derive(Debug)]
struct Job {
    rows: Vec<Rows>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl Keeper {
    pub(super) fn start(backend: Backend) -> Self {
        // Not bounded: whoever hands something in waits for it, and has one thing to hand in at a time.
        let (jobs, waiting) = mpsc::unbounded_channel();
        tokio::spawn(run(backend, waiting));
        Self { jobs }
    }

    /// Waits until it is on the disk.
    pub(super) async fn keep(&self, rows: Vec<Rows>) -> Result<(), StoreError> {
        let (done, kept) = oneshot::channel();
        self.jobs.send(Job { rows, done }).map_err(|_| StoreError::Ending)?;
        kept.await.unwrap_or(Err(StoreError::Ending))
    }
}

async fn run(backend: Backend, mut waiting: mpsc::UnboundedReceiver<Job>) {
    let mut jobs = Vec::new();
    // Whatever comes while the disk is busy is written next.
    while waiting.recv_many(&mut jobs, TOGETHER).await > 0 {
        let together = write(&backend, Rows::join(jobs.iter().flat_map(|job| &job.rows))).await;
        match together {
            Err(error) if jobs.len() > 1 => {
                tracing::debug!(%error, "what {} stations reported is written one by one", jobs.len());
                // Who fails takes nobody along.
                for job in jobs.drain(..) {
                    let result = write(&backend, job.rows).await;
                    // Whoever waited may have given up.
                    let _ = job.done.send(result);
                }
            }
            together => {
                let mut together = Some(together);
                for job in jobs.drain(..) {
                    let _ = job.done.send(together.take().unwrap_or(Ok(())));
                }
            }
        }
    }
}

async fn write(backend: &Backend, rows: Vec<Rows>) -> Result<(), StoreError> {
    let mut unit = begin(backend).await?;
    for statement in rows.into_iter().flat_map(Rows::statements) {
        unit.execute(statement).await?;
    }
    unit.commit().await
}
