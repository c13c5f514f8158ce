//! `ocpp-cp`: a charging station to run, and a validator for messages.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match arguments.command {
        cli::Command::Run(run) => cli::run(*run),
        cli::Command::Replay(replay) => cli::replay(&replay),
        cli::Command::Validate(validate) => cli::validate(&validate),
    }
}
