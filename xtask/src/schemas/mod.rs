//! `cargo xtask schemas import`: the official schemas, normalised and free of prose.

mod fixups;
mod normalise;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::standard::Version;

/// A file of the standard: the version and the message it describes.
type Key = (Version, String);

/// Reads every schema below `folder` and writes `schemas/`.
pub(crate) fn import(root: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut schemas = read(folder)?;
    for version in Version::ALL {
        let found = schemas.keys().filter(|(of, _)| *of == version).count();
        ensure!(
            found == version.schema_count(),
            "{} has {} schemas, but {found} were found below {}: unpack the complete download of this version there",
            version.edition(),
            version.schema_count(),
            folder.display(),
        );
    }
    fixups::apply(&mut schemas)?;
    for version in Version::ALL {
        let target = root.join("schemas").join(version.module());
        if target.exists() {
            fs::remove_dir_all(&target).with_context(|| format!("cannot clear {}", target.display()))?;
        }
        fs::create_dir_all(&target)?;
    }
    for ((version, name), schema) in &schemas {
        let path = root.join("schemas").join(version.module()).join(format!("{name}.json"));
        let mut text = serde_json::to_string_pretty(schema)?;
        text.push('\n');
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{} schemas written to {}", schemas.len(), root.join("schemas").display());
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<BTreeMap<Key, Value>> {
    let mut files = Vec::new();
    collect(folder, &mut files).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut schemas = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        // Some of the published files begin with a byte-order mark.
        let Ok(schema) = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) else { continue };
        let Some(key) = schema.get("$id").or(schema.get("id")).and_then(Value::as_str).and_then(classify) else {
            continue;
        };
        let normalised = normalise::schema(&schema, &key.1)?;
        if let Some(previous) = schemas.get(&key)
            && *previous != normalised
        {
            bail!("two different schemas of {} {} below {}", key.0.edition(), key.1, folder.display());
        }
        schemas.insert(key, normalised);
    }
    Ok(schemas)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

/// Tells from the identifier of a schema what it describes. The families write it in their own ways, with the year and month
/// of the file before the name.
fn classify(id: &str) -> Option<Key> {
    let name = id.rsplit(':').next()?;
    if id.starts_with("urn:OCPP:1.6:") {
        return Some((Version::V1_6, name.to_owned()));
    }
    if id.starts_with("urn:OCPP:Cp:1.6:") {
        let name = match name.split_once('.')? {
            (action, "req") => format!("{action}Request"),
            (action, "conf") => format!("{action}Response"),
            _ => return None,
        };
        return Some((Version::V1_6, name));
    }
    if id.starts_with("urn:OCPP:Cp:2:2020:3:") {
        return Some((Version::V2_0_1, name.to_owned()));
    }
    id.starts_with("urn:OCPP:Cp:2:2025:1:").then(|| (Version::V2_1, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_of_schemas_is_recognised_by_its_identifier() {
        let key = |version, name: &str| Some((version, name.to_owned()));
        assert_eq!(classify("urn:OCPP:1.6:2019:12:ResetRequest"), key(Version::V1_6, "ResetRequest"));
        assert_eq!(classify("urn:OCPP:1.6:2025:04:ResetRequest"), key(Version::V1_6, "ResetRequest"));
        assert_eq!(classify("urn:OCPP:Cp:1.6:2020:3:GetLog.conf"), key(Version::V1_6, "GetLogResponse"));
        assert_eq!(classify("urn:OCPP:Cp:2:2020:3:ResetRequest"), key(Version::V2_0_1, "ResetRequest"));
        assert_eq!(classify("urn:OCPP:Cp:2:2025:1:ResetRequest"), key(Version::V2_1, "ResetRequest"));
        assert_eq!(classify("https://example.com/schema"), None);
    }
}
