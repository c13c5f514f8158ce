//! Opening a database file: made when absent, brought up to date when old, refused when it is not ours.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use super::Store;
use super::group::Group;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// SQLite's code for a file that is not a database.
const NOT_A_DATABASE: &str = "26";
/// SQLite's code for a file that it cannot open or make.
const CANNOT_OPEN: &str = "14";
/// How many statements read at the same time.
const READERS: u32 = 4;

/// Why a database could not be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is something else.
    #[error("{0} is not a database: name another file with --database, or move this one away to start with a new one")]
    NotADatabase(PathBuf),
    /// The file is a database of another program.
    #[error("{0} is a database, but not one of ocpp-csms: name another file with --database")]
    Foreign(PathBuf),
    /// The file was written by a newer program.
    #[error(
        "{path} was written by a newer ocpp-csms (it has migration {migration}): run that version, or name another file \
         with --database"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The first migration that this program does not know.
        migration: i64,
    },
    /// The folder is missing, or may not be written.
    #[error("{path} can be neither opened nor made ({reason}): check that its folder exists and may be written")]
    Unreachable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Anything else that SQLite reports.
    #[error(
        "{path} cannot be used ({source}): if it is damaged, restore it from a backup or name another file with --database"
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// A migration failed half-way; it was rolled back.
    #[error("{path} could not be brought up to date: {source}")]
    Migration {
        /// The file.
        path: PathBuf,
        /// Which one, and why.
        source: MigrateError,
    },
}

impl Store {
    /// Opens the file, makes it when it does not exist, and brings its tables up to date.
    ///
    /// # Errors
    /// See [`OpenError`]; each says what to do.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(|error| classify(path, error))?;
        refuse_foreign(path, &write).await?;
        MIGRATIONS.run(&write).await.map_err(|error| match error {
            MigrateError::VersionMissing(migration) | MigrateError::VersionTooNew(migration, _) => {
                OpenError::Newer { path: path.to_owned(), migration }
            }
            MigrateError::Execute(error) => classify(path, error),
            source => OpenError::Migration { path: path.to_owned(), source },
        })?;
        let read = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(|error| classify(path, error))?;
        Ok(Self { group: Group::new(write.clone()), write, read })
    }
}

/// A file with tables but without the table of migrations was made by somebody else.
async fn refuse_foreign(path: &Path, pool: &SqlitePool) -> Result<(), OpenError> {
    let (tables, ours): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COUNT(CASE WHEN name = '_sqlx_migrations' THEN 1 END) FROM sqlite_master WHERE type = 'table'",
    )
    .fetch_one(pool)
    .await
    .map_err(|error| classify(path, error))?;
    if tables > 0 && ours == 0 { Err(OpenError::Foreign(path.to_owned())) } else { Ok(()) }
}

fn classify(path: &Path, error: sqlx::Error) -> OpenError {
    let path = path.to_owned();
    let code = error.as_database_error().and_then(|error| error.code());
    match code.as_deref() {
        Some(NOT_A_DATABASE) => OpenError::NotADatabase(path),
        Some(CANNOT_OPEN) => OpenError::Unreachable { path, reason: error.to_string() },
        _ => OpenError::Unusable { path, source: error },
    }
}
