//! `cargo xtask ci`: what CI runs, step by step.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::{codegen, coverage, rust_version};

/// A step: its name and what it does.
struct Step {
    name: &'static str,
    run: fn(&Path) -> anyhow::Result<()>,
}

const STEPS: [Step; 12] = [
    Step { name: "format", run: |root| cargo(root, &["fmt", "--all", "--check"], &[]) },
    Step { name: "codegen", run: |root| codegen::run(root, true) },
    Step { name: "coverage", run: |root| coverage::run(root, true) },
    Step { name: "rust-version", run: rust_version::check },
    Step {
        name: "clippy",
        run: |root| cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[]),
    },
    Step { name: "test", run: |root| cargo(root, &["test", "--workspace"], &[]) },
    Step {
        name: "postgres",
        run: |root| {
            let arguments = ["test", "-p", "ocpp-csms-example", "--test", "it"];
            cargo(root, &arguments, &[("OCPP_CSMS_TEST_DATABASE", "postgres")])
        },
    },
    Step {
        name: "doc",
        run: |root| cargo(root, &["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")]),
    },
    Step { name: "features", run: features },
    Step { name: "demo", run: |root| cargo(root, &["run", "-p", "ocpp-csms-example", "--", "demo", "--once"], &[]) },
    Step { name: "interop", run: interop },
    Step { name: "fuzz", run: fuzz },
];

/// Runs the steps whose name contains `only`, and stops at the first that fails.
pub(crate) fn run(root: &Path, only: Option<&str>) -> anyhow::Result<()> {
    let steps: Vec<_> = STEPS.iter().filter(|step| only.is_none_or(|only| step.name.contains(only))).collect();
    ensure!(!steps.is_empty(), "there is no such step; there are: {}", STEPS.map(|step| step.name).join(", "));
    for (index, step) in steps.iter().enumerate() {
        println!("=== {} ({} of {})", step.name, index + 1, steps.len());
        let start = Instant::now();
        (step.run)(root).with_context(|| format!("the step {} failed", step.name))?;
        println!("=== {} passed in {} s", step.name, start.elapsed().as_secs());
    }
    Ok(())
}

fn cargo(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    command.current_dir(folder).args(arguments).envs(environment.iter().copied());
    succeed(&mut command)
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    println!("{command:?}");
    let status = command.status().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    ensure!(status.success(), "it ended with {status}");
    Ok(())
}

/// Both libraries without a version, and with each version alone.
fn features(root: &Path) -> anyhow::Result<()> {
    for package in ["ocpp-core-types", "ocpp-core"] {
        for features in ["", "v1_6", "v2_0_1", "v2_1", "v2_0_1,v2_1"] {
            let arguments =
                ["clippy", "-p", package, "--no-default-features", "--features", features, "--", "-D", "warnings"];
            cargo(root, &arguments, &[])?;
        }
    }
    for features in ["transport", "transport,v1_6", "tls", "tls-openssl"] {
        let arguments =
            ["clippy", "-p", "ocpp-core", "--no-default-features", "--features", features, "--", "-D", "warnings"];
        cargo(root, &arguments, &[])?;
    }
    // The other implementation of TLS is no default: its tests run here alone.
    cargo(root, &["test", "-p", "ocpp-core", "--features", "tls-openssl", "--lib", "transport::tests::tls"], &[])?;
    cargo(root, &["clippy", "-p", "ocpp-csms-example", "--features", "tls-openssl", "--", "-D", "warnings"], &[])?;
    // The servers that are measured.
    cargo(root, &["clippy", "-p", "benches", "--features", "server", "--all-targets", "--", "-D", "warnings"], &[])?;
    Ok(())
}

/// Peers that nobody here wrote: the script makes its virtual environment and uses the programs that are built here.
fn interop(root: &Path) -> anyhow::Result<()> {
    cargo(root, &["build", "-p", "ocpp-cp-example", "-p", "ocpp-csms-example"], &[])?;
    succeed(Command::new("bash").current_dir(root).arg("tests/interop/run.sh"))
}

/// Ten seconds of each target. No sanitizer, which would need a nightly toolchain; overflows and panics are found without.
fn fuzz(root: &Path) -> anyhow::Result<()> {
    let output = Command::new("cargo").current_dir(root).args(["fuzz", "list"]).output()?;
    ensure!(
        output.status.success(),
        "cargo-fuzz does not run here; install it with `cargo install cargo-fuzz --locked`"
    );
    let targets = String::from_utf8(output.stdout)?;
    for target in targets.lines() {
        cargo(root, &["fuzz", "run", target, "--sanitizer", "none", "--", "-max_total_time=10"], &[])?;
    }
    Ok(())
}
