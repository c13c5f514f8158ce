//! Whether the declared `rust-version` can hold: no dependency may need a newer Rust than the package that uses it.
//!
//! What the packages' own code uses of the standard library is held to it by clippy's `incompatible_msrv`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

/// Checks every package of the workspace.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let output =
        Command::new("cargo").current_dir(root).args(["metadata", "--format-version", "1", "--locked"]).output()?;
    ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages: BTreeMap<&str, &Value> =
        list(&metadata, "/packages").iter().map(|package| (text(package, "/id"), package)).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata, "/resolve/nodes").iter().map(|node| (text(node, "/id"), node)).collect();
    for member in list(&metadata, "/workspace_members").iter().filter_map(Value::as_str) {
        let package = packages.get(member).context("a member is a package")?;
        let declared = version(text(package, "/rust_version")).context("every package declares a rust-version")?;
        let mut seen = BTreeSet::new();
        let mut pending = vec![member];
        while let Some(id) = pending.pop() {
            if !seen.insert(id) {
                continue;
            }
            let dependency = packages.get(id).context("a dependency is a package")?;
            let needs = version(text(dependency, "/rust_version")).unwrap_or_default();
            ensure!(
                needs <= declared,
                "{} declares Rust {} but depends on {} {}, which needs {}",
                text(package, "/name"),
                text(package, "/rust_version"),
                text(dependency, "/name"),
                text(dependency, "/version"),
                text(dependency, "/rust_version"),
            );
            let Some(node) = nodes.get(id) else { continue };
            for edge in list(node, "/deps") {
                // Only what users build: not what tests and build scripts of ours use.
                if list(edge, "/dep_kinds").iter().any(|kind| kind.get("kind").is_some_and(Value::is_null)) {
                    pending.push(text(edge, "/pkg"));
                }
            }
        }
        println!(
            "{}: Rust {}, and so do {} dependencies",
            text(package, "/name"),
            text(package, "/rust_version"),
            seen.len() - 1
        );
    }
    Ok(())
}

fn list<'a>(value: &'a Value, place: &str) -> &'a [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, place: &str) -> &'a str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(version("1.88") < version("1.100.1"));
        assert_eq!(version(""), None);
    }
}
