//! `ocpp-cp run`.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use ocpp_core::station::FirmwareUpdates;
use ocpp_core::transport::Compression;
use ocpp_core::types::Version;
use ocpp_cp::{Config, Simulator, control, version_named};
use tracing_subscriber::EnvFilter;
use url::Url;

/// Run one simulated charging station until it is interrupted.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// OCPP endpoint of the CSMS, such as ws://127.0.0.1:8180/ocpp or wss://csms.example/ocpp; the identity is appended to its path.
    #[arg(long, value_name = "URL")]
    csms: Url,
    /// Identity of the station.
    #[arg(long)]
    id: String,
    /// Version to offer: 1.6, 2.0.1, 2.1, or auto for all of them, newest first.
    #[arg(long, default_value = "auto", value_parser = parse_versions)]
    version: Versions,
    /// Number of EVSEs.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    evses: u32,
    /// Number of connectors of each EVSE.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    connectors: u32,
    /// Password of HTTP basic authentication.
    #[arg(long, env = "OCPP_CP_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Security profile: 0 for what the address and the password say, 1 to 3 as the standard has them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=3))]
    security_profile: Option<u8>,
    /// Address of the CSMS for security profiles 2 and 3, if it differs by more than wss://.
    #[arg(long, value_name = "URL")]
    secure_csms: Option<Url>,
    /// Root certificates that the certificate of the CSMS may lead to, in PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Certificate of the station and those that lead to its root, in PEM.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Name of the operator, for requests for certificates.
    #[arg(long, value_name = "NAME")]
    cpo_name: Option<String>,
    /// Offer to compress messages.
    #[arg(long)]
    compress: bool,
    /// Firmware updates to take: signed, unsigned or either.
    #[arg(long, default_value = "either", value_parser = parse_firmware_updates)]
    firmware: FirmwareUpdates,
    /// PEM file with the certificates of the manufacturer that vouch for signed firmware.
    #[arg(long, value_name = "FILE")]
    manufacturer_root: Option<PathBuf>,
    /// Address to serve the HTTP control interface at, such as 127.0.0.1:9000; port 0 takes a free one and prints it.
    #[arg(long, value_name = "ADDR")]
    control: Option<SocketAddr>,
    /// Folder for what survives a restart; without it the station begins anew each time.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// File to write everything to that the station is told, for `replay`; passwords and tokens are in it, so keep it to
    /// yourself.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// How many seconds of charging one second counts for.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    speed: u32,
}

#[derive(Debug, Clone)]
struct Versions(Vec<Version>);

fn parse_versions(text: &str) -> Result<Versions, String> {
    if text == "auto" {
        return Ok(Versions(Version::ALL.to_vec()));
    }
    version_named(text).map(|version| Versions(vec![version])).ok_or_else(|| "give 1.6, 2.0.1, 2.1 or auto".to_owned())
}

fn parse_firmware_updates(text: &str) -> Result<FirmwareUpdates, String> {
    match text {
        "signed" => Ok(FirmwareUpdates::Signed),
        "unsigned" => Ok(FirmwareUpdates::Unsigned),
        "either" => Ok(FirmwareUpdates::Either),
        _ => Err("give signed, unsigned or either".to_owned()),
    }
}

/// Runs it. The exit code is 1 where the station can't start, or can't go on.
pub(crate) fn run(arguments: Run) -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(colours)
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("ocpp-cp: the runtime cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ocpp-cp: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Run) -> anyhow::Result<()> {
    let mut config = Config::new(arguments.csms, arguments.id);
    config.versions = arguments.version.0;
    config.evses = arguments.evses;
    config.connectors = arguments.connectors;
    config.password = arguments.password;
    config.security.profile = arguments.security_profile;
    config.security.csms = arguments.secure_csms;
    config.security.ca = arguments.ca;
    config.security.certificate = arguments.certificate;
    config.security.key = arguments.key;
    config.security.cpo_name = arguments.cpo_name;
    if arguments.compress {
        config.compression = Compression::Continuous;
    }
    config.state = arguments.state;
    config.record = arguments.record;
    config.firmware_updates = arguments.firmware;
    if let Some(file) = arguments.manufacturer_root {
        let pem = std::fs::read_to_string(&file)
            .with_context(|| format!("{} cannot be read: choose another --manufacturer-root", file.display()))?;
        config.manufacturer_roots = vec![pem];
    }
    config.speed = arguments.speed;
    let listener = match arguments.control {
        Some(address) => {
            let listener = tokio::net::TcpListener::bind(address).await.with_context(|| {
                format!("the control interface cannot listen at {address}: choose another --control")
            })?;
            Some(listener)
        }
        None => None,
    };
    let simulator = Simulator::start(config)?;
    if let Some(listener) = listener {
        // On the standard output and alone on its line, for whoever started the station with port 0.
        println!("control http://{}", listener.local_addr()?);
        let router = control::router(simulator.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    tokio::select! {
        () = simulator.ended() => anyhow::bail!("the station has stopped; the log says why"),
        signal = interrupted() => signal?,
    }
    simulator.shutdown().await;
    Ok(())
}

/// Waits for Ctrl-C, or for the signal that a service manager sends.
async fn interrupted() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupt = tokio::signal::ctrl_c() => interrupt?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}
