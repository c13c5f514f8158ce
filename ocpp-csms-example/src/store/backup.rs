//! Back-ups: an SQLite file with everything, of a database of either kind, to be restored into one of either kind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

use super::{Backend, Database, OpenError, Row, Statement, Store, StoreError, Unit, Value, sql};

/// Rows that are copied by one statement.
const TOGETHER: usize = 64;
/// What any database has rows in that was ever used.
const USED: [&str; 4] = ["settings", "stations", "tokens", "transactions"];

/// Why there is no back-up, or why it was not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to back up.
    #[error("{0} does not exist: name the database with --database")]
    NoDatabase(Database),
    /// Something has this name already.
    #[error("{0} exists: name another file, or move this one away")]
    Exists(PathBuf),
    /// The back-up cannot be read or written.
    #[error("{path}: {source}; check that its folder exists, may be written, and has room")]
    File {
        /// The back-up.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not, or not any more, what `backup` wrote.
    #[error("{path} is no whole back-up of ocpp-csms ({reason}): use another one; nothing was changed")]
    Damaged {
        /// The back-up.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It was made by a newer program.
    #[error(
        "{path} was made by a newer ocpp-csms (it has migration {migration}): restore it with that version; nothing was changed"
    )]
    Newer {
        /// The back-up.
        path: PathBuf,
        /// The first migration that this program does not know.
        migration: i64,
    },
    /// The database is in use, or was.
    #[error("{0} is not empty: end its server, and add --force to lose all that is in it; nothing was changed")]
    NotEmpty(Database),
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Writes everything that a database has at this moment into a new file, also while it is in use.
///
/// # Errors
/// See [`BackupError`]; there is no file then.
pub async fn back_up(database: &Database, file: &Path) -> Result<(), BackupError> {
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    if matches!(database, Database::File(path) if !path.exists()) {
        return Err(BackupError::NoDatabase(database.clone()));
    }
    let failed = |source| BackupError::File { path: file.to_owned(), source };
    // Whoever sees the file sees all of it.
    let part = Scratch(PathBuf::from(format!("{}.part", file.display())));
    part.remove();
    // Before a library says it in its own words, and readable for the owner alone: it holds secrets.
    private_file(&part.0).map_err(failed)?;
    let store = Store::open(database).await?;
    let written = match &store.backend {
        Backend::Sqlite { read, .. } => {
            let name = part.0.display().to_string();
            sqlx::query("VACUUM INTO $1").bind(name).execute(read).await.map(drop).map_err(BackupError::from)
        }
        Backend::Postgres(_) => export(&store, &part.0).await,
    };
    store.close().await;
    written?;
    std::fs::File::open(&part.0).and_then(|file| file.sync_all()).map_err(failed)?;
    std::fs::rename(&part.0, file).map_err(failed)
}

/// Puts a back-up in the place of everything that a database has: all of it or nothing. Unless `force`, only into a new database.
///
/// # Errors
/// See [`BackupError`]; nothing was changed then.
pub async fn restore(database: &Database, file: &Path, force: bool) -> Result<(), BackupError> {
    // A copy is brought up to date where the back-up is older than this program.
    let copy = Scratch(std::env::temp_dir().join(format!("ocpp-csms-restore-{}", uuid::Uuid::new_v4().simple())));
    let failed = |source| BackupError::File { path: file.to_owned(), source };
    private_file(&copy.0).map_err(failed)?;
    std::fs::copy(file, &copy.0).map_err(failed)?;
    let damaged = |reason: String| BackupError::Damaged { path: file.to_owned(), reason };
    // Part of a database that is in use is in another file.
    if std::fs::metadata(format!("{}-wal", file.display())).is_ok_and(|beside| beside.len() > 0) {
        return Err(damaged("it is a database in use: make a back-up of it with `backup`".to_owned()));
    }
    check(&copy.0).await.map_err(damaged)?;
    let source = match Store::open(copy.0.as_path()).await {
        Ok(source) => source,
        Err(OpenError::Newer { migration, .. }) => {
            return Err(BackupError::Newer { path: file.to_owned(), migration });
        }
        Err(error) => return Err(damaged(error.to_string())),
    };
    let target = Store::open(database).await?;
    let result = replace(&source, &target, database, force).await;
    source.close().await;
    target.close().await;
    result
}

/// A file that is in the way when it is done with.
struct Scratch(PathBuf);

impl Scratch {
    fn remove(&self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // What was never made cannot be removed.
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

fn private_file(path: &Path) -> Result<(), std::io::Error> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Says what is wrong with the file, if anything is.
async fn check(path: &Path) -> Result<(), String> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return Err("it is empty".to_owned());
    }
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let said = |error: sqlx::Error| error.to_string();
    let mut connection = options.connect().await.map_err(said)?;
    let verdict: String =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection).await.map_err(said)?;
    connection.close().await.map_err(said)?;
    if verdict == "ok" { Ok(()) } else { Err(verdict) }
}

/// A table that is copied.
struct Table {
    name: String,
    columns: Vec<(String, Kind)>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Integer,
    Bytes,
}

impl Table {
    fn select(&self) -> String {
        format!("SELECT {} FROM {}", self.names(), self.name)
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn insert(&self, values: Vec<Value>) -> Statement {
        let width = self.columns.len().max(1);
        let places: Vec<_> = (0..values.len() / width)
            .map(|row| {
                let row: Vec<_> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
                format!("({})", row.join(", "))
            })
            .collect();
        let text = format!("INSERT INTO {} ({}) VALUES {}", self.name, self.names(), places.join(", "));
        values.into_iter().fold(sql(text), |statement, value| statement.bind(value))
    }

    fn values(&self, row: &Row) -> Result<Vec<Value>, StoreError> {
        let value = |(name, kind): &(String, Kind)| {
            Ok(match kind {
                Kind::Text => Value::Text(row.optional_text(name)?),
                Kind::Integer => Value::Integer(row.optional_integer(name)?),
                Kind::Bytes => Value::Bytes(row.optional_bytes(name)?),
            })
        };
        self.columns.iter().map(value).collect()
    }
}

/// All tables, those that others refer to first.
async fn tables(connection: &mut SqliteConnection) -> Result<Vec<Table>, sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations' \
         ORDER BY name",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut waiting = Vec::new();
    for name in names {
        let columns: Vec<(String, String)> =
            sqlx::query_as("SELECT name, type FROM pragma_table_info($1) ORDER BY cid")
                .bind(&name)
                .fetch_all(&mut *connection)
                .await?;
        let refers: Vec<String> = sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_list($1)")
            .bind(&name)
            .fetch_all(&mut *connection)
            .await?;
        let kind = |kind: &str| match kind {
            "BIGINT" | "INTEGER" => Kind::Integer,
            "BYTEA" | "BLOB" => Kind::Bytes,
            _ => Kind::Text,
        };
        let columns = columns.into_iter().map(|(name, of)| (name, kind(&of.to_ascii_uppercase()))).collect();
        waiting.push((Table { name, columns }, refers));
    }
    let mut ordered: Vec<Table> = Vec::new();
    let mut done = BTreeSet::new();
    while !waiting.is_empty() {
        let is_ready = |(table, refers): &(Table, Vec<String>)| {
            refers.iter().all(|other| *other == table.name || done.contains(other.as_str()))
        };
        let at = waiting.iter().position(is_ready).unwrap_or(0);
        let (table, _) = waiting.remove(at);
        done.insert(table.name.clone());
        ordered.push(table);
    }
    Ok(ordered)
}

/// A new file with everything that a PostgreSQL database has at one moment.
async fn export(store: &Store, path: &Path) -> Result<(), BackupError> {
    let Backend::Postgres(pool) = &store.backend else { return Ok(()) };
    let target = Store::open(path).await?;
    let result = async {
        let tables = tables_of(path).await?;
        let mut snapshot = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let mut unit = target.serial_unit().await?;
        clear(&mut unit, &tables).await?;
        for table in &tables {
            let rows = sqlx::query(AssertSqlSafe(table.select())).fetch(&mut *snapshot);
            copy(table, rows.map_ok(Row::Postgres), &mut unit).await?;
        }
        unit.commit().await?;
        Ok::<(), BackupError>(())
    };
    let result = result.await;
    target.close().await;
    result
}

async fn replace(source: &Store, target: &Store, database: &Database, force: bool) -> Result<(), BackupError> {
    let Backend::Sqlite { read, .. } = &source.backend else { return Ok(()) };
    let mut reader = read.acquire().await?;
    let tables = tables(&mut reader).await?;
    let mut unit = target.serial_unit().await?;
    for table in USED {
        let is_used = unit.fetch_optional(sql(format!("SELECT 1 FROM {table} LIMIT 1"))).await?.is_some();
        if is_used && !force {
            return Err(BackupError::NotEmpty(database.clone()));
        }
    }
    clear(&mut unit, &tables).await?;
    for table in &tables {
        let rows = sqlx::query(AssertSqlSafe(table.select())).fetch(&mut *reader);
        copy(table, rows.map_ok(Row::Sqlite), &mut unit).await?;
    }
    Ok(unit.commit().await?)
}

async fn tables_of(path: &Path) -> Result<Vec<Table>, sqlx::Error> {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await?;
    let tables = tables(&mut connection).await?;
    connection.close().await?;
    Ok(tables)
}

async fn clear(unit: &mut Unit, tables: &[Table]) -> Result<(), StoreError> {
    for table in tables.iter().rev() {
        unit.execute(sql(format!("DELETE FROM {}", table.name))).await?;
    }
    Ok(())
}

async fn copy(
    table: &Table,
    rows: impl futures_util::Stream<Item = Result<Row, sqlx::Error>>,
    unit: &mut Unit,
) -> Result<(), StoreError> {
    let mut rows = std::pin::pin!(rows);
    let mut values = Vec::new();
    while let Some(row) = rows.try_next().await? {
        values.extend(table.values(&row)?);
        if values.len() >= TOGETHER * table.columns.len() {
            unit.execute(table.insert(std::mem::take(&mut values))).await?;
        }
    }
    if !values.is_empty() {
        unit.execute(table.insert(values)).await?;
    }
    Ok(())
}
