//! A PostgreSQL server for the tests of this program run: on a socket in a folder of its own, gone when the program is gone.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use ocpp_csms::store::Database;
use sqlx::Connection as _;

/// Makes and starts a server, says where it is, and waits for the end of its input: the end of whoever started it, however that comes.
const SCRIPT: &str = r#"
folder=$(mktemp -d) || exit 1
finish() {
    "$1/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1
    rm -rf "$folder"
}
trap "finish '$1'" EXIT
trap : INT TERM HUP
cd "$folder" || exit 1
"$1/initdb" -D data -A trust -U postgres -E UTF8 --no-sync >log 2>&1 || { cat log >&2; exit 1; }
# Whoever is called guarded needs a password.
printf 'local all guarded scram-sha-256\nlocal all all trust\n' >data/pg_hba.conf
"$1/pg_ctl" -D data -w -l log \
    -o "-c listen_addresses= -c unix_socket_directories=$folder -c max_connections=500 -c fsync=off" start >/dev/null 2>&1 \
    || { cat log >&2; exit 1; }
echo "$folder"
cat >/dev/null
"#;

/// The server that the tests share, if there can be one.
static SERVER: LazyLock<Option<Server>> = LazyLock::new(|| match Server::start() {
    Ok(server) => Some(server),
    Err(reason) => {
        // Not by a macro: what those write is only shown of tests that fail.
        let _ = writeln!(std::io::stderr(), "skipped: tests on PostgreSQL, because {reason}");
        None
    }
});

struct Server {
    folder: String,
    /// The end of its input ends the server.
    _script: Child,
}

impl Server {
    fn start() -> Result<Self, String> {
        let programs = programs().ok_or("it is not installed: `apt-get install postgresql`")?;
        // PostgreSQL does not run as root.
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        let mut command = if is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        command.args(["-c", SCRIPT, "sh"]).arg(programs).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = command.spawn().map_err(|error| format!("{command:?} does not start: {error}"))?;
        let mut folder = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut folder).map_err(|error| error.to_string())?;
        match folder.trim() {
            "" => Err("no server can be made (see above)".to_owned()),
            folder => Ok(Self { folder: folder.to_owned(), _script: script }),
        }
    }
}

/// The newest server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").exists()).max()
}

/// The address of a database of the server; none where there is no server.
pub fn address(name: &str, user: &str) -> Option<String> {
    let server = SERVER.as_ref()?;
    Some(format!("postgres://{user}@localhost/{name}?host={}", server.folder))
}

/// The database of this name, made if it does not exist; none where there is no server.
pub async fn database(name: &str) -> Option<Database> {
    run("postgres", &format!("CREATE DATABASE {name}")).await;
    Some(address(name, "postgres")?.parse().unwrap())
}

/// Runs SQL there. That something exists already is no error.
pub async fn run(database: &str, text: &str) {
    let Some(address) = address(database, "postgres") else { return };
    let mut connection = sqlx::PgConnection::connect(&address).await.unwrap();
    match sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut connection).await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => {}
        result => drop(result.unwrap()),
    }
}
