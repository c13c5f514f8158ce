//! Stations held and messages per second: the library's server and the reference CSMS beside a bare echo server.
//!
//! Every server runs in a process of its own (this program, started again), so that its memory and its processor time are seen by
//! themselves; the stations run in this one. See the README of `benches`.

mod attack;
mod hold;
mod hostile;
mod process;
mod serve;
mod station;
mod throughput;
mod tls;

use std::net::SocketAddr;

use benches::machine::allow_many_sockets;
use clap::{Parser, Subcommand};

use crate::attack::Attack;
use crate::serve::Subject;

/// Measures servers of stations.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The time to connect and boot stations, and what an idle one costs.
    Hold {
        /// Stations.
        #[arg(long, default_value_t = 10_000)]
        stations: usize,
        /// How often.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Calls and answers a second, in turns with the echo server.
    Throughput {
        /// Stations that call at the same time.
        #[arg(long, default_value_t = 1_000)]
        stations: usize,
        /// How often each server has its turn.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Seconds of a turn.
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
    },
    /// How long a well-behaved station waits for answers before and during attacks on the reference CSMS.
    Hostile {
        /// Seconds before and during each attack.
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
    /// A server by itself; it writes its address. For this program to start.
    #[command(hide = true)]
    Serve {
        subject: Subject,
        #[arg(long, default_value_t = 0)]
        stations: usize,
    },
    /// Attackers by themselves. For this program to start.
    #[command(hide = true)]
    Attack { attack: Attack, address: SocketAddr },
}

fn main() -> anyhow::Result<()> {
    let command = Cli::parse().command;
    allow_many_sockets();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Hold { stations, rounds } => hold::run(stations, rounds).await,
            Command::Throughput { stations, rounds, seconds } => throughput::run(stations, rounds, seconds).await,
            Command::Hostile { seconds } => hostile::run(seconds).await,
            Command::Serve { subject, stations } => serve::run(subject, stations).await,
            Command::Attack { attack, address } => attack::run(attack, address).await,
        }
    })
}
