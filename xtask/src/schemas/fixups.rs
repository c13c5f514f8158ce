//! Known defects of the official files, each corrected by name and with its source.
//!
//! A fixup fails when what it corrects is not there any more, so that none outlives its defect.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::Key;
use crate::standard::Version;

/// A correction of one file.
struct Fixup {
    /// What is wrong and where that is said.
    reason: &'static str,
    version: Version,
    schema: &'static str,
    /// JSON Pointer to what is replaced.
    place: &'static str,
    wrong: fn() -> Value,
    right: fn() -> Value,
}

const FIXUPS: [Fixup; 0] = [];

/// Applies all corrections.
pub(super) fn apply(schemas: &mut BTreeMap<Key, Value>) -> anyhow::Result<()> {
    for fixup in &FIXUPS {
        correct(fixup, schemas).with_context(|| format!("{}, {} {}", fixup.reason, fixup.schema, fixup.place))?;
    }
    Ok(())
}

fn correct(fixup: &Fixup, schemas: &mut BTreeMap<Key, Value>) -> anyhow::Result<()> {
    let schema = schemas.get_mut(&(fixup.version, fixup.schema.to_owned())).context("there is no such schema")?;
    let place = schema.pointer_mut(fixup.place).context("there is no such place")?;
    ensure!(*place == (fixup.wrong)(), "found {place}: this correction is no longer needed, remove it");
    *place = (fixup.right)();
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EXAMPLE: Fixup = Fixup {
        reason: "an example",
        version: Version::V2_1,
        schema: "XRequest",
        place: "/properties/a/maxLength",
        wrong: || json!(5),
        right: || json!(6),
    };

    fn schemas(length: u32) -> BTreeMap<Key, Value> {
        let schema = json!({ "properties": { "a": { "maxLength": length } } });
        BTreeMap::from([((Version::V2_1, "XRequest".to_owned()), schema)])
    }

    #[test]
    fn a_defect_is_corrected() {
        let mut schemas = schemas(5);
        correct(&EXAMPLE, &mut schemas).unwrap();
        assert_eq!(schemas.values().next().unwrap().pointer(EXAMPLE.place), Some(&json!(6)));
    }

    #[test]
    fn a_correction_that_is_no_longer_needed_fails() {
        assert!(correct(&EXAMPLE, &mut schemas(6)).unwrap_err().to_string().contains("no longer needed"));
    }
}
