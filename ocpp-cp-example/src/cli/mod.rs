//! The command line.

mod replay;
mod run;
mod validate;

use clap::{Parser, Subcommand};

pub(crate) use replay::replay;
pub(crate) use run::run;
pub(crate) use validate::validate;

/// A charging station you can run, and a validator for OCPP messages.
#[derive(Debug, Parser)]
#[command(name = "ocpp-cp", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What it can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one simulated charging station until it is interrupted.
    Run(Box<run::Run>),
    /// Live the life of a station again that `run --record` has written down.
    Replay(replay::Arguments),
    /// Judge messages by the schemas of their version.
    Validate(validate::Validate),
}
