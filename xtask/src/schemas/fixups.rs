//! Known defects of the official files, each corrected by name and with its source.
//!
//! A fixup fails when what it corrects is not there any more, so that none outlives its defect.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::Key;
use crate::standard::Version;

/// A correction of one place, in every file of a version that has it.
struct Fixup {
    /// What is wrong and where that is said.
    reason: &'static str,
    version: Version,
    /// JSON Pointer to what is replaced.
    place: &'static str,
    wrong: fn() -> Value,
    right: fn() -> Value,
}

const FIXUPS: [Fixup; 1] = [Fixup {
    // Part 2 has IdleTime, the files IdleTIme. What peers made from the files send must be read too, so both are values.
    reason: "CostDimensionEnumType misspells IdleTime (2.1 part 2, CostDimensionEnumType)",
    version: Version::V2_1,
    place: "/definitions/CostDimensionEnumType/enum",
    wrong: || json!(["Energy", "MaxCurrent", "MinCurrent", "MaxPower", "MinPower", "IdleTIme", "ChargingTime"]),
    right: || {
        json!(["Energy", "MaxCurrent", "MinCurrent", "MaxPower", "MinPower", "IdleTIme", "IdleTime", "ChargingTime"])
    },
}];

/// Applies all corrections.
pub(super) fn apply(schemas: &mut BTreeMap<Key, Value>) -> anyhow::Result<()> {
    FIXUPS.iter().try_for_each(|fixup| correct(fixup, schemas).context(fixup.reason))
}

fn correct(fixup: &Fixup, schemas: &mut BTreeMap<Key, Value>) -> anyhow::Result<()> {
    let mut places = 0;
    for ((version, name), schema) in schemas {
        let Some(place) = schema.pointer_mut(fixup.place).filter(|_| *version == fixup.version) else { continue };
        ensure!(*place == (fixup.wrong)(), "{name} has {place}: this correction is no longer needed, remove it");
        *place = (fixup.right)();
        places += 1;
    }
    ensure!(places > 0, "no file has {}: this correction is no longer needed, remove it", fixup.place);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: Fixup = Fixup {
        reason: "an example",
        version: Version::V2_1,
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

    #[test]
    fn a_correction_of_what_no_file_has_fails() {
        assert!(correct(&EXAMPLE, &mut BTreeMap::new()).unwrap_err().to_string().contains("no longer needed"));
    }
}
