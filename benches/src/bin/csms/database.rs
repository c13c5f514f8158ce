//! The databases that are measured: a file, or a PostgreSQL server of our own with the settings that Debian gives it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use benches::machine;
use clap::ValueEnum;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _, SqliteConnection};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A database in a folder. A PostgreSQL server runs as long as this is held; what it keeps stays in the folder.
pub(crate) struct Place {
    folder: PathBuf,
    kind: Kind,
    server: Option<Postgres>,
}

impl Place {
    /// The database of this kind in a folder, made when there is none.
    pub(crate) fn open(folder: &Path, kind: Kind) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let server = if kind == Kind::Postgres { Some(Postgres::start(&folder.join("postgres"))?) } else { None };
        Ok(Self { folder, kind, server })
    }

    /// The same, with nothing in it.
    pub(crate) fn empty(folder: &Path, kind: Kind) -> anyhow::Result<Self> {
        match kind {
            Kind::Sqlite => {
                for file in ["csms.sqlite", "csms.sqlite-wal", "csms.sqlite-shm"] {
                    match std::fs::remove_file(folder.join(file)) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                        _ => {}
                    }
                }
            }
            Kind::Postgres => match std::fs::remove_dir_all(folder.join("postgres")) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            },
        }
        Self::open(folder, kind)
    }

    /// As `ocpp-csms` is told.
    pub(crate) fn address(&self) -> String {
        match &self.server {
            Some(server) => format!("postgres://postgres@localhost/postgres?host={}", server.folder.display()),
            None => self.folder.join("csms.sqlite").display().to_string(),
        }
    }

    /// Where the CSMS may put its files.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// A connection beside that of the CSMS, which need not be safe against power cuts.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        Ok(match &self.server {
            Some(_) => {
                let options: PgConnectOptions = self.address().parse()?;
                let mut connection = options.disable_statement_logging().connect().await?;
                sqlx::raw_sql("SET synchronous_commit = off").execute(&mut connection).await?;
                Connection::Postgres(connection)
            }
            None => {
                let options = SqliteConnectOptions::new()
                    .filename(self.address())
                    .foreign_keys(false)
                    .synchronous(SqliteSynchronous::Off)
                    .busy_timeout(std::time::Duration::from_secs(60))
                    .pragma("cache_size", "-200000")
                    .disable_statement_logging();
                Connection::Sqlite(options.connect().await?)
            }
        })
    }

    /// Bytes of what the database has on the disk.
    pub(crate) fn size(&self) -> u64 {
        fn of(path: &Path) -> u64 {
            let Ok(known) = std::fs::metadata(path) else { return 0 };
            if !known.is_dir() {
                return known.len();
            }
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| of(&entry.path())).sum()
        }
        match &self.server {
            Some(server) => of(&server.folder.join("data")),
            None => of(&self.folder.join("csms.sqlite")),
        }
    }

    /// Bytes and processor seconds of the processes of the PostgreSQL server; what SQLite takes is the CSMS's own.
    pub(crate) fn server(&self) -> anyhow::Result<Option<(u64, f64)>> {
        let Some(server) = &self.server else { return Ok(None) };
        let first = server.process()?;
        // Of the processes that have ended, the first one knows.
        let (mut bytes, mut seconds) =
            (machine::proportional(first).unwrap_or(0), machine::processor_seconds_with_ended(first)?);
        for process in machine::children(first) {
            // One that ends at this moment is none of the rest.
            bytes += machine::proportional(process).unwrap_or(0);
            seconds += machine::processor_seconds(process).unwrap_or(0.0);
        }
        Ok(Some((bytes, seconds)))
    }
}

/// A connection to either.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Connection {
    /// Runs statements that have no parameters: all that is in them was made by this program.
    pub(crate) async fn run(&mut self, text: &str) -> anyhow::Result<()> {
        let text = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
        match self {
            Self::Sqlite(connection) => {
                text.execute(connection).await?;
            }
            Self::Postgres(connection) => {
                text.execute(connection).await?;
            }
        }
        Ok(())
    }

    /// The first column of the first row, a text.
    pub(crate) async fn text(&mut self, text: &str) -> anyhow::Result<String> {
        let text = AssertSqlSafe(text.to_owned());
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query(text).fetch_one(connection).await?.try_get(0)?,
            Self::Postgres(connection) => sqlx::query(text).fetch_one(connection).await?.try_get(0)?,
        })
    }

    /// How many rows a table has.
    pub(crate) async fn count(&mut self, table: &str) -> anyhow::Result<u64> {
        Ok(self.text(&format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table}")).await?.parse()?)
    }

    pub(crate) async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await?,
            Self::Postgres(connection) => connection.close().await?,
        }
        Ok(())
    }
}

/// A PostgreSQL server with a folder of its own, reached by a socket in it.
struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
}

impl Postgres {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql");
        let programs = versions.into_iter().flatten().flatten().map(|version| version.path().join("bin"));
        let programs = programs.filter(|folder| folder.join("initdb").exists()).max();
        let programs = programs.context("PostgreSQL is not installed: `apt-get install postgresql`")?;
        std::fs::create_dir_all(folder)?;
        if is_root() {
            // PostgreSQL does not run as root.
            ensure!(Command::new("chown").arg("postgres").arg(folder).status()?.success(), "no user postgres");
        }
        let server = Self { folder: folder.to_owned(), programs };
        if !folder.join("data").exists() {
            let data = folder.join("data").display().to_string();
            server.run("initdb", &["-D", &data, "-A", "trust", "-U", "postgres", "-E", "UTF8"])?;
        }
        let settings = format!("-c listen_addresses= -c unix_socket_directories={}", folder.display());
        server.control(&["-w", "-l", "log", "-o", &settings, "start"])?;
        Ok(server)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let program = self.programs.join(program);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        // Into a file rather than a pipe: the server would keep a pipe open.
        let said = self.folder.join("said");
        let output = std::fs::File::create(&said)?;
        command.args(arguments).current_dir(&self.folder).stdout(output.try_clone()?).stderr(output);
        if !command.status()?.success() {
            bail!("{command:?}: {}", std::fs::read_to_string(said).unwrap_or_default());
        }
        Ok(())
    }

    fn control(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let data = self.folder.join("data").display().to_string();
        self.run("pg_ctl", &[&["-D", data.as_str()], arguments].concat())
    }

    /// The first of its processes.
    fn process(&self) -> anyhow::Result<u32> {
        let text = std::fs::read_to_string(self.folder.join("data/postmaster.pid"))?;
        Ok(text.lines().next().context("the server does not run")?.trim().parse()?)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.control(&["-m", "fast", "-w", "stop"]) {
            eprintln!("the server in {} runs on: {error:#}", self.folder.display());
        }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
