//! What is done to the repository rather than by it: schema import, code generation, what CI runs.

mod ci;
mod codegen;
mod coverage;
mod rust_version;
mod schemas;
mod standard;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

/// Tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Work on `schemas/`.
    Schemas {
        #[command(subcommand)]
        task: SchemasTask,
    },
    /// Write the message types of `ocpp-types` from `schemas/` and `xtask/overlay/`.
    Codegen {
        /// Write nothing, and fail when what is checked in is not current.
        #[arg(long)]
        check: bool,
    },
    /// Write `docs/coverage.md`: every rule of the standard with the code and tests that cite it.
    Coverage {
        /// Write nothing, and fail when what is checked in is not current.
        #[arg(long)]
        check: bool,
        /// First take identifiers over from `DIR/2.1/requirements.tsv`, `DIR/2.0.1/requirements.tsv` and the documents in `DIR/1.6`.
        #[arg(long, value_name = "DIR")]
        import: Option<PathBuf>,
    },
    /// Run what CI runs, and stop at the first failure.
    Ci {
        /// Run only the steps whose name contains this.
        #[arg(long)]
        only: Option<String>,
    },
}

#[derive(Subcommand)]
enum SchemasTask {
    /// Read the official JSON schemas of all versions below a folder, and write them normalised and free of prose.
    Import {
        /// A folder with the schemas as published, in any arrangement.
        folder: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let root = root()?;
    match arguments.task {
        Task::Schemas { task: SchemasTask::Import { folder } } => schemas::import(&root, &folder),
        Task::Codegen { check } => codegen::run(&root, check),
        Task::Coverage { check, import } => {
            if let Some(folder) = import {
                coverage::import(&root, &folder)?;
            }
            coverage::run(&root, check)
        }
        Task::Ci { only } => ci::run(&root, only.as_deref()),
    }
}

/// The folder of the repository, which is the parent of this package's.
fn root() -> anyhow::Result<PathBuf> {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Ok(package.parent().context("xtask stands in the repository's folder")?.to_owned())
}
