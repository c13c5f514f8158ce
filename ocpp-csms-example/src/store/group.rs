//! Writing together: what many stations report at the same moment goes to the disk at once.
//!
//! A write is on the disk when its call returns, and to bring something to the disk takes milliseconds, however little it is. So whoever
//! writes while others wait leaves it to the last of them to commit for all; each one's statements are a unit of their own, and who
//! fails takes nobody along.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::StoreError;

/// Units that are committed together at most. More would have the first of them wait for too long.
const TOGETHER: usize = 256;

/// The one who writes. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Group {
    state: Arc<Mutex<State>>,
    /// How many wait for their turn.
    waiting: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct State {
    /// How to connect again, after an error that leaves open what was undone.
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    /// A transaction is under way.
    has_begun: bool,
    /// Those whose statements are part of it, and who wait for the commit.
    kept: Vec<oneshot::Sender<Result<(), Arc<StoreError>>>>,
}

impl State {
    async fn begin(&mut self) -> Result<(), StoreError> {
        if self.has_begun {
            return Ok(());
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        // Not deferred: what is read first in a unit must not have to be read again because somebody else wrote.
        connection.execute("BEGIN IMMEDIATE").await?;
        (self.connection, self.has_begun) = (Some(connection), true);
        Ok(())
    }

    async fn settle(&mut self) {
        if !self.has_begun {
            return;
        }
        let Some(mut connection) = self.connection.take() else { return };
        match connection.execute("COMMIT").await {
            Ok(_) => {
                (self.connection, self.has_begun) = (Some(connection), false);
                for waiting in std::mem::take(&mut self.kept) {
                    // Whoever waited may have given up.
                    let _ = waiting.send(Ok(()));
                }
            }
            Err(error) => {
                self.connection = Some(connection);
                self.give_up(error.into()).await;
            }
        }
    }

    /// Nothing of the transaction is kept: SQLite undoes it by itself for some errors, and for others does not say so.
    async fn give_up(&mut self, error: StoreError) -> Arc<StoreError> {
        if let Some(connection) = self.connection.take() {
            // Which rolls back, if there is still something to.
            let _ = connection.close().await;
        }
        self.has_begun = false;
        let error = Arc::new(error);
        for waiting in std::mem::take(&mut self.kept) {
            let _ = waiting.send(Err(Arc::clone(&error)));
        }
        error
    }

    async fn undo_unit(&mut self) -> Result<(), sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        connection.execute("ROLLBACK TO unit").await?;
        connection.execute("RELEASE unit").await?;
        Ok(())
    }
}

impl Group {
    /// Of a connection, and how to make another one.
    pub(super) fn new(options: SqliteConnectOptions, connection: SqliteConnection) -> Self {
        let state = State { options, connection: Some(connection), has_begun: false, kept: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)), waiting: Arc::default() }
    }

    /// Commits what is under way, and closes the connection.
    pub(super) async fn close(&self) {
        let mut state = self.state.lock().await;
        state.settle().await;
        if let Some(connection) = state.connection.take() {
            // There is nothing left that could be lost.
            let _ = connection.close().await;
        }
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
            state.begin().await?;
        }
        if is_unit {
            turn.run(async |connection| connection.execute("SAVEPOINT unit").await).await?;
            turn.has_unit = true;
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
    /// Runs a statement. For an error that may have undone more than the statement, nothing of what waits for the commit is kept.
    pub(super) async fn run<T>(
        &mut self,
        statement: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let over = || StoreError::Ending;
        let state = self.state.as_mut().ok_or_else(over)?;
        let error = match statement(state.connection.as_mut().ok_or_else(over)?).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        // https://sqlite.org/lang_transaction.html: a violated constraint or a mistake in a statement undoes that alone.
        let is_alone = error.as_database_error().is_some_and(|error| {
            let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default();
            matches!(code & 0xff, 1 | 19 | 20)
        });
        if is_alone {
            return Err(error.into());
        }
        let error = state.give_up(error.into()).await;
        self.has_unit = false;
        Err(Arc::try_unwrap(error).unwrap_or_else(StoreError::Together))
    }

    /// Waits until it is on the disk.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if self.has_unit {
            self.run(async |connection| connection.execute("RELEASE unit").await).await?;
            self.has_unit = false;
        }
        let Some(mut state) = self.state.take() else { return Ok(()) };
        let (sender, kept) = oneshot::channel();
        state.kept.push(sender);
        if self.group.is_last(&state) {
            // In a task of its own: whoever waits here may be given up half-way.
            tokio::spawn(async move { state.settle().await });
        } else {
            drop(state);
        }
        match kept.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(StoreError::Together(reason)),
            Err(_) => Err(StoreError::Ending),
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
                state.give_up(error.into()).await;
            }
            if group.is_last(&state) {
                state.settle().await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn group() -> Group {
        let options = SqliteConnectOptions::new().in_memory(true);
        let mut connection = options.connect().await.unwrap();
        connection.execute("CREATE TABLE facts (fact BIGINT NOT NULL PRIMARY KEY)").await.unwrap();
        Group::new(options, connection)
    }

    async fn write(group: &Group, facts: &[i64]) -> Result<(), StoreError> {
        let mut turn = group.unit().await?;
        for fact in facts {
            let insert = sqlx::query("INSERT INTO facts VALUES ($1)").bind(fact);
            turn.run(async |connection| insert.execute(connection).await).await?;
        }
        turn.commit().await
    }

    async fn facts(group: &Group) -> Vec<i64> {
        let mut state = group.state.lock().await;
        let connection = state.connection.as_mut().unwrap();
        sqlx::query_scalar("SELECT fact FROM facts ORDER BY fact").fetch_all(connection).await.unwrap()
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
        turn.run(async |connection| connection.execute("INSERT INTO facts VALUES (1)").await).await.unwrap();
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

    #[tokio::test]
    async fn a_full_disk_is_told_to_whoever_writes_and_loses_nothing_that_was_kept() {
        let file = std::env::temp_dir().join(format!("ocpp-csms-full-{}", uuid::Uuid::new_v4().simple()));
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        connection.execute("CREATE TABLE facts (fact BIGINT NOT NULL PRIMARY KEY, text TEXT)").await.unwrap();
        connection.execute("PRAGMA max_page_count = 50").await.unwrap();
        let group = Group::new(options, connection);
        let write = async |fact: i64| {
            let mut turn = group.unit().await?;
            let insert = sqlx::query("INSERT INTO facts VALUES ($1, $2)").bind(fact).bind("x".repeat(10_000));
            turn.run(async |connection| insert.execute(connection).await).await?;
            turn.commit().await
        };
        let mut kept = 0;
        let error = loop {
            match write(kept).await {
                Ok(()) => kept += 1,
                Err(error) => break error,
            }
        };
        assert!(kept > 5 && matches!(error, StoreError::Full(_)), "{kept}: {error:?}");
        assert!(error.to_string().contains("make room"), "{error}");
        // With a new connection there is room again.
        write(kept).await.unwrap();
        assert_eq!(facts(&group).await, (0..=kept).collect::<Vec<_>>());
        group.close().await;
        std::fs::remove_file(file).unwrap();
    }
}
