//! `cargo xtask codegen`: the message types of `ocpp-types`, from `schemas/` and `overlay/`.
//!
//! The facts of a type go into a table that macros of `ocpp-types` turn into code, so what is checked in reads like the
//! standard's own tables; there is no syntax tree to build, and the files are written as text.

mod conversions;
mod docs;
mod emit;
mod model;
mod names;
mod read;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::standard::Version;
use docs::Overlay;

/// Generates everything; with `check`, only compares with what is there.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let overlay_folder = root.join("xtask/overlay");
    let overlay = Overlay::read(&overlay_folder)?;
    let inline_names = read::inline_names(&overlay_folder)?;
    let mut apis = Vec::new();
    for version in Version::ALL {
        let directions = read::directions(&overlay_folder, version)?;
        let api = read::api(&root.join("schemas"), version, &inline_names, &directions)?;
        if let Some(expected) = version.definition_count() {
            ensure!(
                api.types.len() == expected,
                "{} has {expected} shared definitions, but {} were read",
                version.edition(),
                api.types.len()
            );
        }
        apis.push(api);
    }
    overlay.check(&apis)?;
    let mut files = BTreeMap::new();
    for api in &apis {
        emit::api(api, &overlay, &mut files)?;
    }
    let (Some(older), Some(newer)) =
        (apis.iter().find(|api| api.version == Version::V2_0_1), apis.iter().find(|api| api.version == Version::V2_1))
    else {
        bail!("both versions of 2.x are needed for the conversions");
    };
    files.insert(PathBuf::from("v2_1/conversions.rs"), conversions::file(older, newer)?);
    let source = root.join("ocpp-types/src");
    if check { compare(&source, &files) } else { write(&source, &files) }
}

fn existing(source: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders: Vec<_> = Version::ALL.map(|version| source.join(version.module())).into();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(source)?.to_owned());
            }
        }
    }
    Ok(found)
}

fn compare(source: &Path, files: &BTreeMap<PathBuf, String>) -> anyhow::Result<()> {
    let mut stale: Vec<String> = existing(source)?
        .into_iter()
        .filter(|path| !files.contains_key(path))
        .map(|path| format!("{} is not generated any more", path.display()))
        .collect();
    for (path, text) in files {
        if fs::read_to_string(source.join(path)).ok().as_deref() != Some(text) {
            stale.push(format!("{} differs", path.display()));
        }
    }
    ensure!(
        stale.is_empty(),
        "the generated code is not current ({} files, the first: {}); run `cargo xtask codegen` and commit what it writes",
        stale.len(),
        stale.first().map_or("", String::as_str),
    );
    println!("{} generated files are current", files.len());
    Ok(())
}

fn write(source: &Path, files: &BTreeMap<PathBuf, String>) -> anyhow::Result<()> {
    for path in existing(source)? {
        if !files.contains_key(&path) {
            fs::remove_file(source.join(path))?;
        }
    }
    let mut changed = 0;
    for (path, text) in files {
        let path = source.join(path);
        // What did not change is left alone, so that it is not compiled again.
        if fs::read_to_string(&path).ok().as_deref() == Some(text) {
            continue;
        }
        fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        changed += 1;
    }
    println!("{} generated files, {changed} of them changed", files.len());
    Ok(())
}
