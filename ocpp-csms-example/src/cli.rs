//! The command line of `ocpp-csms`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use rust_decimal::Decimal;

use crate::config::{ConfigFile, DriverRegistration, UnknownStations};
use crate::demo;
use crate::logging::{self, LogFormat};
use crate::server::Server;
use crate::store::{self, Database};
use crate::tls::{Backend, Certificates, TlsFile};

/// A charging station management system for OCPP 1.6, 2.0.1 and 2.1 in one process.
#[derive(Debug, Parser)]
#[command(name = "ocpp-csms", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How log lines look.
    #[arg(long, global = true, env = "OCPP_CSMS_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve stations, the REST interface and the operator's page until ctrl-c.
    Serve(Box<Serve>),
    /// Show everything at work: a CSMS and three simulated stations that charge, again and again, until ctrl-c.
    Demo(Demo),
    /// Write everything that the database holds into one file, also while a server uses it.
    Backup(Backup),
    /// Put a back-up in the place of all that a database holds, whichever kind either is of: all of it or nothing. End the server first.
    Restore(Restore),
    /// What belongs to the ledger.
    #[command(subcommand)]
    Ledger(Ledger),
}

#[derive(Debug, Subcommand)]
enum Ledger {
    /// Count everything anew, also while a server uses the database: say what is wrong, and fail if anything is.
    Check(Which),
}

#[derive(Debug, Args)]
struct Backup {
    /// The new file: an SQLite database, which holds secrets.
    file: PathBuf,
    #[command(flatten)]
    of: Which,
}

#[derive(Debug, Args)]
struct Restore {
    /// A file that `backup` wrote, of this version or an older one.
    file: PathBuf,
    /// Lose what the database holds now.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    of: Which,
}

/// A database, as `serve` finds it.
#[derive(Debug, Args)]
struct Which {
    /// Configuration file (TOML) that names the database.
    #[arg(long, env = "OCPP_CSMS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// SQLite file, or postgres://USER:PASSWORD@HOST:PORT/DATABASE [default: ocpp-csms.sqlite].
    #[arg(long, env = "OCPP_CSMS_DATABASE", hide_env_values = true, value_name = "FILE|URL")]
    database: Option<Database>,
}

impl Which {
    fn database(self) -> anyhow::Result<Database> {
        let file = match &self.config {
            Some(path) => ConfigFile::read(path)?,
            None => ConfigFile::default(),
        };
        Ok(ConfigFile { database: self.database.or(file.database.clone()), ..file }.check()?.database)
    }
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// Bearer token of the REST interface. Without it one is made at the first start, and shown once.
    #[arg(long, env = "OCPP_CSMS_API_TOKEN", hide_env_values = true)]
    api_token: Option<String>,
}

/// Settings that have precedence over the configuration file.
#[derive(Debug, Args)]
struct Settings {
    /// Configuration file (TOML).
    #[arg(long, env = "OCPP_CSMS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port [default: 127.0.0.1:8180].
    #[arg(long, env = "OCPP_CSMS_LISTEN", value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,
    /// SQLite file, made when it does not exist, or postgres://USER:PASSWORD@HOST:PORT/DATABASE [default: ocpp-csms.sqlite].
    #[arg(long, env = "OCPP_CSMS_DATABASE", hide_env_values = true, value_name = "FILE|URL")]
    database: Option<Database>,
    /// What happens to a station that nobody has entered [default: pending].
    #[arg(long, env = "OCPP_CSMS_UNKNOWN_STATIONS", value_enum)]
    unknown_stations: Option<UnknownStations>,
    /// Let stations without a password in, as long as nobody decided about them. By default only on a loopback address.
    #[arg(long, env = "OCPP_CSMS_ALLOW_NO_SECURITY", value_name = "BOOL")]
    allow_no_security: Option<bool>,
    /// Price of a kWh [default: 0.39].
    #[arg(long, env = "OCPP_CSMS_PRICE_PER_KWH", value_name = "AMOUNT")]
    price_per_kwh: Option<Decimal>,
    /// Currency, by its ISO 4217 code [default: EUR].
    #[arg(long, env = "OCPP_CSMS_CURRENCY", value_name = "CODE")]
    currency: Option<String>,
    /// Who may make an account as a driver [default: open].
    #[arg(long, env = "OCPP_CSMS_DRIVER_REGISTRATION", value_enum)]
    driver_registration: Option<DriverRegistration>,
    /// URL at which people reach this server, for links and QR codes [default: the address it listens on].
    #[arg(long, env = "OCPP_CSMS_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Address or network of a proxy in front of this server, whose X-Forwarded-For and X-Forwarded-Proto count [default: none].
    #[arg(long, env = "OCPP_CSMS_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',')]
    trusted_proxy: Vec<String>,
    #[command(flatten)]
    tls: TlsSettings,
    /// Name of the operator, which the certificates of stations have to name [default: any].
    #[arg(long, env = "OCPP_CSMS_CPO_NAME", value_name = "NAME")]
    cpo_name: Option<String>,
}

/// Settings of TLS: security profiles 2 and 3, on the same port.
#[derive(Debug, Args)]
struct TlsSettings {
    /// `auto`: make a certificate authority at the first start, and a certificate for this server again and again [default: files].
    #[arg(long, env = "OCPP_CSMS_TLS", value_enum)]
    tls: Option<Certificates>,
    /// Certificate of the server with those that lead to its root (PEM). Once for ECDSA and once for RSA serves every station.
    #[arg(long, env = "OCPP_CSMS_TLS_CERTIFICATE", value_name = "FILE", value_delimiter = ',')]
    tls_certificate: Vec<PathBuf>,
    /// Its private key (PEM); as many as certificates, in the same order.
    #[arg(long, env = "OCPP_CSMS_TLS_KEY", value_name = "FILE", value_delimiter = ',')]
    tls_key: Vec<PathBuf>,
    /// Roots of the certificates of stations (PEM): security profile 3.
    #[arg(long, env = "OCPP_CSMS_TLS_CLIENT_CA", value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
    /// Revocation list of such a root (PEM).
    #[arg(long, env = "OCPP_CSMS_TLS_CRL", value_name = "FILE", value_delimiter = ',')]
    tls_crl: Vec<PathBuf>,
    /// Name in the certificate of a station that is let in although it has expired, to renew it and for nothing else [default: none].
    #[arg(long, env = "OCPP_CSMS_TLS_EXPIRED_STATION", value_name = "NAME", value_delimiter = ',')]
    tls_expired_station: Vec<String>,
    /// Host name or address of this server, for `auto` [default: localhost and the address it listens on].
    #[arg(long, env = "OCPP_CSMS_TLS_NAME", value_name = "NAME", value_delimiter = ',')]
    tls_name: Vec<String>,
    /// Implementation of TLS [default: rustls].
    #[arg(long, env = "OCPP_CSMS_TLS_BACKEND", value_enum)]
    tls_backend: Option<Backend>,
}

impl TlsSettings {
    fn over(self, mut file: TlsFile) -> TlsFile {
        file.mode = self.tls.or(file.mode);
        if !self.tls_certificate.is_empty() || !self.tls_key.is_empty() {
            (file.certificates, file.keys) = (self.tls_certificate, self.tls_key);
        }
        file.client_ca = self.tls_client_ca.or(file.client_ca);
        if !self.tls_crl.is_empty() {
            file.revocation_lists = self.tls_crl;
        }
        if !self.tls_expired_station.is_empty() {
            file.expired_stations = self.tls_expired_station;
        }
        if !self.tls_name.is_empty() {
            file.names = self.tls_name;
        }
        file.backend = self.tls_backend.or(file.backend);
        file
    }
}

#[derive(Debug, Args)]
struct Demo {
    /// Run one session of each version, print the bills, and succeed only if they agree with the stations' own meters.
    #[arg(long)]
    once: bool,
    /// Address and port [default: 127.0.0.1:8180; with --once any free port].
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,
    /// SQLite database [default: ocpp-demo.sqlite in the current folder; with --once a new one that is removed at the end].
    #[arg(long, value_name = "FILE|URL")]
    database: Option<Database>,
    /// Bearer token of the REST interface. Without it one is made at the first start, and shown once.
    #[arg(long, env = "OCPP_CSMS_API_TOKEN", hide_env_values = true)]
    api_token: Option<String>,
}

impl Settings {
    fn over(self, mut file: ConfigFile) -> ConfigFile {
        file.listen = self.listen.or(file.listen);
        file.database = self.database.or(file.database);
        file.unknown_stations = self.unknown_stations.or(file.unknown_stations);
        file.allow_no_security = self.allow_no_security.or(file.allow_no_security);
        file.price_per_kwh = self.price_per_kwh.or(file.price_per_kwh);
        file.currency = self.currency.or(file.currency);
        file.driver_registration = self.driver_registration.or(file.driver_registration);
        file.public_url = self.public_url.or(file.public_url);
        if !self.trusted_proxy.is_empty() {
            file.proxy.trusted = self.trusted_proxy;
        }
        file.operator = self.cpo_name.or(file.operator);
        file.tls = self.tls.over(file.tls);
        file
    }
}

/// Runs the program with the arguments of the process.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Serve(serve) => {
            logging::start(cli.log_format, "info");
            self::serve(*serve).await
        }
        Command::Demo(demo) => {
            // The demonstration tells its own story; of the log only what is wrong belongs to it.
            logging::start(cli.log_format, "error");
            self::demo(demo).await
        }
        Command::Backup(Backup { file, of }) => {
            logging::start(cli.log_format, "warn");
            backup(&file, of).await
        }
        Command::Restore(Restore { file, force, of }) => {
            logging::start(cli.log_format, "warn");
            restore(&file, force, of).await
        }
        Command::Ledger(Ledger::Check(of)) => {
            logging::start(cli.log_format, "warn");
            check_ledger(of).await
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ocpp-csms: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn backup(file: &Path, of: Which) -> anyhow::Result<()> {
    let database = of.database()?;
    store::back_up(&database, file).await?;
    say(format_args!("{database} is backed up in {}", file.display()));
    Ok(())
}

async fn restore(file: &Path, force: bool, of: Which) -> anyhow::Result<()> {
    let database = of.database()?;
    store::restore(&database, file, force).await?;
    say(format_args!("{database} holds what {} holds", file.display()));
    Ok(())
}

async fn check_ledger(of: Which) -> anyhow::Result<()> {
    let database = of.database()?;
    if let Database::File(path) = &database {
        anyhow::ensure!(path.exists(), "{database} does not exist: name the database with --database");
    }
    let store = store::Store::open(&database).await?;
    let checked = async { Ok::<_, store::StoreError>((store.check_ledger().await?, store.balances("").await?)) }.await;
    store.close().await;
    let (faults, balances) = checked?;
    if faults.is_empty() {
        say(format_args!("the ledger of {database} is right: {} accounts", balances.len()));
        return Ok(());
    }
    for (what, names) in faults.told() {
        for name in names {
            say(format_args!("{what}: {name}"));
        }
    }
    anyhow::bail!("the ledger of {database} is wrong: restore a back-up, or have what is listed looked after")
}

async fn serve(serve: Serve) -> anyhow::Result<()> {
    let token = token(serve.api_token)?;
    let file = match &serve.settings.config {
        Some(path) => ConfigFile::read(path)?,
        None => ConfigFile::default(),
    };
    let config = serve.settings.over(file).check()?;
    // Before anything is announced: whoever reads it may end the program at once.
    let stop = stop_requested()?;
    let server = Server::start(config, token.as_deref()).await?;
    let address = server.address();
    let url = server.csms().public_url();
    if let Some(token) = server.new_api_token() {
        say(format_args!("API token, shown only this once: {token}"));
    }
    say(format_args!("Stations connect to ws://{address}/ocpp/{{station}}"));
    if let Some(tls) = server.tls() {
        say(format_args!("With TLS, on the same port: wss://{address}/ocpp/{{station}}"));
        if let Some(root) = tls.own_root() {
            say(format_args!("Stations and browsers have to trust {}", root.display()));
        }
    }
    say(format_args!("Page: {url}/   REST: {url}/api/docs"));
    if let Some(link) = server.new_set_up_link() {
        say(format_args!("Choose the password of the first admin, by a link that works once: {link}"));
    }
    stop.await;
    tracing::info!("shutting down");
    server.shut_down().await;
    Ok(())
}

async fn demo(demo: Demo) -> anyhow::Result<()> {
    let Demo { once, listen, database, api_token } = demo;
    demo::run(demo::Options { once, listen, database, api_token: token(api_token)? }).await
}

/// An empty token would let everybody in who sends an empty one.
fn token(given: Option<String>) -> anyhow::Result<Option<String>> {
    let token = given.map(|token| token.trim().to_owned());
    let is_empty = token.as_ref().is_some_and(String::is_empty);
    anyhow::ensure!(!is_empty, "OCPP_CSMS_API_TOKEN is empty: give it a value, or leave it out to have one made");
    Ok(token)
}

/// Writes a line to standard output. That nobody reads it is no reason to end.
pub(crate) fn say(line: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Begins to listen for what ends the program, ctrl-c or a termination signal, and gives what to wait for.
pub(crate) fn stop_requested() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let context = "cannot listen for signals";
        let mut interrupt = signal(SignalKind::interrupt()).context(context)?;
        let mut terminate = signal(SignalKind::terminate()).context(context)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for ctrl-c");
            std::future::pending::<()>().await;
        }
    })
}
