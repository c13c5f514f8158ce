//! `ocpp-cp validate`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use ocpp_core::types::{Conformance, Version};
use ocpp_cp::validate::{jsonl, report};

/// Judge messages by the schemas of their version.
#[derive(Debug, clap::Args)]
pub(crate) struct Validate {
    /// Read lines {"version","action","type","payload"} from the standard input, and answer each with a line
    /// {"valid","findings","payload"}.
    #[arg(long, conflicts_with_all = ["files", "version"])]
    jsonl: bool,
    /// Accept departures from the schema where the message can be read all the same.
    #[arg(long)]
    lenient: bool,
    /// The version of the frames in the files: 1.6, 2.0.1 or 2.1.
    #[arg(long, value_parser = parse_version)]
    version: Option<Version>,
    /// Files with one frame `[2,…]` or one message {"version","action","type","payload"} a line; `-` is the standard input.
    #[arg(value_name = "FILE", required_unless_present = "jsonl")]
    files: Vec<PathBuf>,
}

/// Runs it. The exit code is 1 where a message in a file is not valid, 2 where a file can't be read.
pub(crate) fn validate(arguments: &Validate) -> ExitCode {
    let conformance = if arguments.lenient { Conformance::Lenient } else { Conformance::Strict };
    let outcome = if arguments.jsonl {
        jsonl::run(io::stdin().lock(), io::stdout().lock(), conformance).map(|()| ExitCode::SUCCESS)
    } else {
        files(arguments, conformance)
    };
    match outcome {
        Ok(code) => code,
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ocpp-cp: {error}");
            ExitCode::from(2)
        }
    }
}

fn files(arguments: &Validate, conformance: Conformance) -> io::Result<ExitCode> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut sum = report::Tally::default();
    for path in &arguments.files {
        let name = path.display().to_string();
        let input: Box<dyn BufRead> = if name == "-" {
            Box::new(io::stdin().lock())
        } else {
            let file = File::open(path).map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
            Box::new(BufReader::new(file))
        };
        let tally = report::run(&name, input, &mut output, arguments.version, conformance)?;
        sum.valid += tally.valid;
        sum.invalid += tally.invalid;
    }
    writeln!(output, "{} valid, {} invalid", sum.valid, sum.invalid)?;
    output.flush()?;
    Ok(if sum.invalid == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse_version(name: &str) -> Result<Version, String> {
    ocpp_cp::version_named(name).ok_or_else(|| "give 1.6, 2.0.1 or 2.1".to_owned())
}
