//! The command line.

mod run;
mod validate;

use clap::{Parser, Subcommand};

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
    Run(run::Run),
    /// Judge messages by the schemas of their version.
    Validate(validate::Validate),
}
