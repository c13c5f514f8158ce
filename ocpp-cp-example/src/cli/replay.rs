//! `ocpp-cp replay`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use ocpp_core::station::replay::Replay;

/// Live the life of a station again that `run --record` has written down, and print what it did, a line each.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The log.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs it. The exit code is 1 where the station does something else than it did, or the log can't be read.
pub(crate) fn replay(arguments: &Arguments) -> ExitCode {
    match follow(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ocpp-cp: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn follow(arguments: &Arguments) -> anyhow::Result<()> {
    let name = arguments.file.display();
    let file = File::open(&arguments.file).with_context(|| format!("{name} cannot be opened"))?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut replay = Replay::new();
    let mut outputs = 0_usize;
    for line in BufReader::new(file).lines() {
        let line = line.with_context(|| format!("{name} cannot be read"))?;
        let given = replay.line(&line).with_context(|| format!("{name} cannot be replayed"));
        // What came before is what somebody looks for.
        let given = given.inspect_err(|_| drop(out.flush()))?;
        outputs += given.len();
        for output in given {
            match writeln!(out, "{output:?}") {
                // Whoever read the output has seen enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                written => written?,
            }
        }
    }
    out.flush()?;
    eprintln!("{outputs} outputs, the same as in the log");
    Ok(())
}
