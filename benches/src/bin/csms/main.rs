//! What the reference CSMS does on SQLite and on PostgreSQL: sessions a second from start to bill, meter values stored a second, a fleet
//! that tells them every minute, and how long every page takes with a year of sessions behind it.
//!
//! The CSMS runs in a process of its own (this program, started again). See the README of `benches`.

mod database;
mod fill;
mod load;
mod pages;
mod server;
mod station;

use std::path::PathBuf;
use std::time::Duration;

use benches::machine::allow_many_sockets;
use clap::{Parser, Subcommand};

use crate::database::Kind;
use crate::fill::Size;

/// Measures the reference CSMS on SQLite and on PostgreSQL.
#[derive(Debug, Parser)]
struct Cli {
    /// Where the databases are. Each measurement of load replaces what is there; `pages` reads what `fill` made.
    #[arg(long, global = true, default_value_os_t = std::env::temp_dir().join("ocpp-bench-csms"))]
    folder: PathBuf,
    /// On which database, one after the other.
    #[arg(long = "on", global = true, value_delimiter = ',', default_values = ["sqlite", "postgres"])]
    kinds: Vec<Kind>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sessions a second, from start to bill.
    Sessions {
        /// Stations that charge at the same time.
        #[arg(long, default_value_t = 500)]
        stations: usize,
        /// Messages with meter values in a session, besides start and end.
        #[arg(long, default_value_t = 5)]
        readings: usize,
        /// For so long.
        #[arg(long, default_value_t = 20.0)]
        seconds: f64,
    },
    /// Meter values stored a second.
    Readings {
        /// Stations that tell them at the same time.
        #[arg(long, default_value_t = 1_000)]
        stations: usize,
        /// For so long.
        #[arg(long, default_value_t = 20.0)]
        seconds: f64,
    },
    /// A fleet in which each station tells its meter values every minute.
    Minute {
        /// Stations.
        #[arg(long, default_value_t = 10_000)]
        stations: usize,
        /// Seconds between two messages of a station.
        #[arg(long, default_value_t = 60)]
        interval: u64,
        /// Messages of each station.
        #[arg(long, default_value_t = 3)]
        times: u32,
    },
    /// Makes the databases that `pages` reads.
    Fill {
        #[command(flatten)]
        size: Size,
    },
    /// How long every page and report takes.
    Pages {
        /// Requests for each of them, after the first one.
        #[arg(long, default_value_t = 20)]
        times: usize,
        /// Milliseconds; pages whose median is above them are named.
        #[arg(long, default_value_t = 100.0)]
        limit: f64,
    },
    /// The CSMS by itself; it writes its address. For this program to start.
    #[command(hide = true)]
    Serve {
        database: String,
        files: PathBuf,
        #[arg(long, default_value_t = 0)]
        stations: usize,
    },
}

fn main() -> anyhow::Result<()> {
    let Cli { folder, kinds, command } = Cli::parse();
    allow_many_sockets();
    // What calls the CSMS takes the implementation of TLS of the process, though it calls without.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Measurements have a folder of their own beside what was filled in.
    let scratch = folder.join("load");
    runtime.block_on(async {
        match command {
            Command::Sessions { stations, readings, seconds } => {
                load::sessions(&scratch, &kinds, stations, readings, seconds).await
            }
            Command::Readings { stations, seconds } => load::readings(&scratch, &kinds, stations, seconds).await,
            Command::Minute { stations, interval, times } => {
                load::minute(&scratch, &kinds, stations, Duration::from_secs(interval), times).await
            }
            Command::Fill { size } => fill::run(&folder, &kinds, size).await,
            Command::Pages { times, limit } => pages::run(&folder, &kinds, times, limit).await,
            Command::Serve { database, files, stations } => server::run(&database, files, stations).await,
        }
    })
}
