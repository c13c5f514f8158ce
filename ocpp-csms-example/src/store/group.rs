//! Writing together: what many stations report at the same moment goes to the disk at once.
//!
//! A write is on the disk when its call returns, and to bring something to the disk takes milliseconds, however little it is. So whoever
//! writes while others wait leaves it to the last of them to commit for all; each one's statements are a unit of their own, and who
//! fails takes nobody along.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::sqlite::{Sqlite, SqlitePool};
use sqlx::{SqliteConnection, Transaction};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::StoreError;

/// Units that are committed together at most. More would have the first of them wait for too long.
const TOGETHER: usize = 256;

/// The one who writes. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pool: SqlitePool,
    state: Arc<Mutex<State>>,
    /// How many wait for their turn.
    waiting: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    transaction: Option<Transaction<'static, Sqlite>>,
    /// Those whose statements are part of it, and who wait for the commit.
    kept: Vec<oneshot::Sender<Result<(), Arc<str>>>>,
}

impl State {
    async fn settle(&mut self) {
        let Some(transaction) = self.transaction.take() else { return };
        let kept = std::mem::take(&mut self.kept);
        let result = transaction.commit().await.map_err(|error| Arc::from(error.to_string()));
        for waiting in kept {
            // Whoever waited may have given up.
            let _ = waiting.send(result.clone());
        }
    }

    async fn undo_unit(&mut self) -> Result<(), sqlx::Error> {
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
        sqlx::query("ROLLBACK TO unit").execute(&mut **transaction).await?;
        sqlx::query("RELEASE unit").execute(&mut **transaction).await?;
        Ok(())
    }
}

impl Group {
    /// `pool` has one connection.
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool, state: Arc::default(), waiting: Arc::default() }
    }

    /// Waits for one's turn to write one statement, which is a unit by itself.
    pub(super) async fn statement(&self) -> Result<Turn, StoreError> {
        self.turn(false).await
    }

    /// Waits for one's turn to write several statements: all are kept or none.
    pub(super) async fn unit(&self) -> Result<Turn, StoreError> {
        self.turn(true).await
    }

    async fn turn(&self, is_unit: bool) -> Result<Turn, StoreError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut queued = Queued { group: self, arrived: false };
        let state = Arc::clone(&self.state).lock_owned().await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        queued.arrived = true;
        let mut turn = Turn { group: self.clone(), state: Some(state), has_unit: false };
        if let Some(state) = &mut turn.state {
            if state.transaction.is_none() {
                state.transaction = Some(self.pool.begin().await?);
            }
            if is_unit {
                sqlx::query("SAVEPOINT unit").execute(turn.connection()?).await?;
                turn.has_unit = true;
            }
        }
        Ok(turn)
    }

    fn is_last(&self, state: &State) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0 || state.kept.len() >= TOGETHER
    }

    /// Commits for those who were left to somebody who is not coming.
    async fn settle_if_last(&self) {
        let mut state = self.state.lock().await;
        if self.is_last(&state) {
            state.settle().await;
        }
    }
}

/// Somebody in the queue, who may leave it.
struct Queued<'a> {
    group: &'a Group,
    arrived: bool,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        if self.arrived {
            return;
        }
        self.group.waiting.fetch_sub(1, Ordering::SeqCst);
        let group = self.group.clone();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { group.settle_if_last().await });
        }
    }
}

/// The right to write. Dropped without [`Turn::commit`], nothing of it is kept.
#[derive(Debug)]
pub(super) struct Turn {
    group: Group,
    /// Taken by whoever ends it.
    state: Option<OwnedMutexGuard<State>>,
    has_unit: bool,
}

impl Turn {
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let transaction = self.state.as_mut().and_then(|state| state.transaction.as_mut());
        Ok(&mut **transaction.ok_or_else(|| StoreError::NotKept("the transaction is over".into()))?)
    }

    /// Waits until it is on the disk.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if self.has_unit {
            sqlx::query("RELEASE unit").execute(self.connection()?).await?;
            self.has_unit = false;
        }
        let Some(mut state) = self.state.take() else { return Ok(()) };
        let (sender, kept) = oneshot::channel();
        state.kept.push(sender);
        if self.group.is_last(&state) {
            state.settle().await;
        }
        drop(state);
        match kept.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(StoreError::NotKept(reason)),
            Err(_) => Err(StoreError::NotKept("the program is ending".into())),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(mut state) = self.state.take() else { return };
        let (group, has_unit) = (self.group.clone(), self.has_unit);
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if has_unit && let Err(error) = state.undo_unit().await {
                tracing::error!(%error, "what could not be kept could not be undone: nothing is kept");
                // Rolled back as a whole; whoever waits for it is told by the end of its channel.
                *state = State::default();
            }
            if group.is_last(&state) {
                state.settle().await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

    use super::*;

    async fn group() -> Group {
        let options = SqliteConnectOptions::new().in_memory(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        sqlx::query("CREATE TABLE facts (fact BIGINT NOT NULL PRIMARY KEY)").execute(&pool).await.unwrap();
        Group::new(pool)
    }

    async fn write(group: &Group, facts: &[i64]) -> Result<(), StoreError> {
        let mut turn = group.unit().await?;
        for fact in facts {
            sqlx::query("INSERT INTO facts VALUES ($1)").bind(fact).execute(turn.connection()?).await?;
        }
        turn.commit().await
    }

    async fn facts(group: &Group) -> Vec<i64> {
        sqlx::query_scalar("SELECT fact FROM facts ORDER BY fact").fetch_all(&group.pool).await.unwrap()
    }

    #[tokio::test]
    async fn all_who_write_at_once_are_kept() {
        let group = group().await;
        let writes = (0..1000).map(|fact| {
            let group = group.clone();
            tokio::spawn(async move { write(&group, &[fact]).await })
        });
        for write in writes.collect::<Vec<_>>() {
            write.await.unwrap().unwrap();
        }
        assert_eq!(facts(&group).await, (0..1000).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn who_fails_takes_nobody_along() {
        let group = group().await;
        write(&group, &[1]).await.unwrap();
        // The second statement of the one in the middle fails.
        let (before, failed, after) = tokio::join!(write(&group, &[2]), write(&group, &[3, 1]), write(&group, &[4]));
        assert!(before.is_ok() && failed.is_err() && after.is_ok());
        assert_eq!(facts(&group).await, [1, 2, 4]);
    }

    #[tokio::test]
    async fn what_is_dropped_without_a_commit_is_not_kept_and_blocks_nobody() {
        let group = group().await;
        let mut turn = group.unit().await.unwrap();
        sqlx::query("INSERT INTO facts VALUES (1)").execute(turn.connection().unwrap()).await.unwrap();
        let waiting = tokio::spawn({
            let group = group.clone();
            async move { write(&group, &[2]).await }
        });
        tokio::task::yield_now().await;
        drop(turn);
        waiting.await.unwrap().unwrap();
        assert_eq!(facts(&group).await, [2]);
    }

    #[tokio::test]
    async fn who_leaves_the_queue_keeps_nobody_waiting() {
        let group = group().await;
        let first = group.unit().await.unwrap();
        let waiting = tokio::spawn({
            let group = group.clone();
            async move { write(&group, &[1]).await }
        });
        while group.waiting.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        // The first one leaves the commit to the one that waits, which then gives up.
        let committed = tokio::spawn(first.commit());
        waiting.abort();
        committed.await.unwrap().unwrap();
    }
}
