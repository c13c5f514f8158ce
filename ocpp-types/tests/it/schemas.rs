//! The schema files, with an independent validator for each.

use std::fs;
use std::path::PathBuf;

use jsonschema::Validator;
use ocpp_types::Version;
use serde_json::Value;

/// A message's schema file.
pub(crate) struct SchemaFile {
    pub(crate) version: Version,
    /// Such as `BootNotificationRequest`.
    pub(crate) name: String,
    pub(crate) schema: Value,
}

impl SchemaFile {
    /// What a part of the schema means, with its reference followed.
    pub(crate) fn resolve<'a>(&'a self, part: &'a Value) -> &'a Value {
        match part.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.schema.pointer(reference.trim_start_matches('#')).expect("a definition"),
            None => part,
        }
    }

    pub(crate) fn validator(&self) -> Validator {
        jsonschema::options().should_validate_formats(true).build(&self.schema).expect("a valid schema")
    }
}

fn folder(version: Version) -> &'static str {
    match version {
        Version::V1_6 => "v1_6",
        Version::V2_0_1 => "v2_0_1",
        Version::V2_1 => "v2_1",
    }
}

/// All schema files of a version, by name.
pub(crate) fn of_version(version: Version) -> Vec<SchemaFile> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas").join(folder(version));
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("schemas/ stands beside the crate").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| SchemaFile {
            version,
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            schema: serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap(),
        })
        .collect()
}

/// All 387.
pub(crate) fn all() -> Vec<SchemaFile> {
    let all: Vec<_> = Version::ALL.into_iter().flat_map(of_version).collect();
    assert_eq!(all.len(), 78 + 128 + 181);
    all
}
