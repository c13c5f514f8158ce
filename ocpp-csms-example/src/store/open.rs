//! Opening a database: made when absent, brought up to date when old, refused when it is not ours.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use super::group::Group;
use super::keeper::Keeper;
use super::{Backend, Database, Store};

/// Those that are numbered lower than what a database has already are applied as well, so several people can add some.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// SQLite's code for a file that is not a database.
const NOT_A_DATABASE: &str = "26";
/// SQLite's code for a file that it cannot open or make.
const CANNOT_OPEN: &str = "14";
/// Bytes of a page of an SQLite file.
const PAGE_SIZE: u32 = 4096;
/// How many statements read an SQLite file at the same time.
const READERS: u32 = 4;
/// Connections to a PostgreSQL server.
const CONNECTIONS: u32 = 16;
/// Two programs that start at once bring the tables up to date one after the other, also across processes.
const MIGRATING: i64 = 0x6f63_7070_0001;

/// Why a database could not be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is something else.
    #[error("{0} is not a database: name another file with --database, or move this one away to start with a new one")]
    NotADatabase(Database),
    /// It holds tables of another program.
    #[error("{0} is a database, but not one of ocpp-csms: name another one with --database")]
    Foreign(Database),
    /// It was written by a newer program.
    #[error(
        "{database} was written by a newer ocpp-csms (it has migration {migration}): run that version, or name another \
         database with --database"
    )]
    Newer {
        /// Which one.
        database: Database,
        /// The first migration that this program does not know.
        migration: i64,
    },
    /// The folder is missing or may not be written, or the server does not answer.
    #[error("{database} can be neither opened nor made ({reason}): {remedy}")]
    Unreachable {
        /// Which one.
        database: Database,
        /// What the system said.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The server does not let this user in.
    #[error("{database} refuses the user ({reason}): check user and password in the address, or what pg_hba.conf says")]
    Refused {
        /// Which one.
        database: Database,
        /// What the server said.
        reason: String,
    },
    /// The server has no such database.
    #[error("{0} does not exist on that server: make it with `createdb`, or name another one with --database")]
    Absent(Database),
    /// Anything else that the database reports.
    #[error(
        "{database} cannot be used ({source}): if it is damaged, restore it from a backup or name another one with --database"
    )]
    Unusable {
        /// Which one.
        database: Database,
        /// What it said.
        source: sqlx::Error,
    },
    /// A migration failed half-way; it was rolled back.
    #[error("{database} could not be brought up to date: {source}")]
    Migration {
        /// Which one.
        database: Database,
        /// Which migration, and why.
        source: MigrateError,
    },
}

impl Store {
    /// Opens the database, makes an SQLite file when it does not exist, and brings the tables up to date.
    ///
    /// # Errors
    /// See [`OpenError`]; each says what to do.
    pub async fn open(database: impl Into<Database>) -> Result<Self, OpenError> {
        Self::open_within(database, None).await
    }

    /// The same, of an SQLite file that may grow to so many bytes at most; it is full then, as if the disk were.
    ///
    /// # Errors
    /// See [`OpenError`]; each says what to do.
    pub async fn open_within(database: impl Into<Database>, most: Option<u64>) -> Result<Self, OpenError> {
        let database = database.into();
        let backend = match &database {
            Database::File(path) => open_file(path, most).await,
            Database::Server(options) => open_server(options).await,
        };
        let backend = backend.map_err(|failure| failure.of(database))?;
        Ok(Self { keeper: Keeper::start(backend.clone()), backend })
    }
}

/// What went wrong, before it is said of which database.
enum Failure {
    Foreign,
    Migration(MigrateError),
    Sqlx(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) => Self::Sqlx(error),
            error => Self::Migration(error),
        }
    }
}

impl Failure {
    fn of(self, database: Database) -> OpenError {
        let source = match self {
            Self::Foreign => return OpenError::Foreign(database),
            Self::Migration(MigrateError::VersionMissing(migration) | MigrateError::VersionTooNew(migration, _)) => {
                return OpenError::Newer { database, migration };
            }
            Self::Migration(source) => return OpenError::Migration { database, source },
            Self::Sqlx(source) => source,
        };
        if let (Database::Server(_), sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut) =
            (&database, &source)
        {
            let remedy = "check that the server runs, and host and port in the address";
            return OpenError::Unreachable { database, reason: source.to_string(), remedy };
        }
        let code = source.as_database_error().and_then(|error| error.code()).map(std::borrow::Cow::into_owned);
        match (&database, code.as_deref()) {
            (Database::File(_), Some(NOT_A_DATABASE)) => OpenError::NotADatabase(database),
            (Database::File(_), Some(CANNOT_OPEN)) => OpenError::Unreachable {
                database,
                reason: source.to_string(),
                remedy: "check that its folder exists and may be written",
            },
            // Invalid authorization (class 28), and no privilege.
            (Database::Server(_), Some("28000" | "28P01" | "42501")) => {
                OpenError::Refused { database, reason: source.to_string() }
            }
            (Database::Server(_), Some("3D000")) => OpenError::Absent(database),
            _ => OpenError::Unusable { database, source },
        }
    }
}

async fn open_file(path: &Path, most: Option<u64>) -> Result<Backend, Failure> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .disable_statement_logging();
    let options = match most {
        Some(bytes) => {
            options.page_size(PAGE_SIZE).pragma("max_page_count", (bytes / u64::from(PAGE_SIZE)).to_string())
        }
        None => options,
    };
    let mut write = options.connect().await?;
    migrate_file(&mut write).await?;
    let read = SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_with(options.clone().read_only(true).create_if_missing(false))
        .await?;
    Ok(Backend::Sqlite { group: Group::new(options, write), read })
}

/// All migrations are one transaction, which waits for that of any other program.
async fn migrate_file(connection: &mut SqliteConnection) -> Result<(), Failure> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let connection: &mut SqliteConnection = &mut transaction;
    // Tables without the one of migrations were made by somebody else.
    let (tables, ours): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COUNT(CASE WHEN name = '_sqlx_migrations' THEN 1 END) FROM sqlite_master WHERE type = 'table'",
    )
    .fetch_one(&mut *connection)
    .await?;
    if tables > 0 && ours == 0 {
        return Err(Failure::Foreign);
    }
    MIGRATIONS.run(connection).await?;
    transaction.commit().await?;
    Ok(())
}

async fn open_server(options: &PgConnectOptions) -> Result<Backend, Failure> {
    let options = options.clone().application_name("ocpp-csms").disable_statement_logging();
    // A pool would try again and again to reach a server that is not there.
    migrate_server(&mut options.connect().await?).await?;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
    Ok(Backend::Postgres(pool))
}

/// All migrations are one transaction, which waits for that of any other program.
async fn migrate_server(connection: &mut PgConnection) -> Result<(), Failure> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATING).execute(&mut *transaction).await?;
    let (tables, ours): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COUNT(CASE WHEN table_name = '_sqlx_migrations' THEN 1 END) FROM information_schema.tables \
         WHERE table_schema = current_schema()",
    )
    .fetch_one(&mut *transaction)
    .await?;
    if tables > 0 && ours == 0 {
        return Err(Failure::Foreign);
    }
    let connection: &mut PgConnection = &mut transaction;
    MIGRATIONS.run(connection).await?;
    transaction.commit().await?;
    Ok(())
}
