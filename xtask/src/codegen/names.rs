//! Names of the standard in Rust's case conventions.

use heck::ToSnakeCase;

/// The name of a field.
pub(super) fn field(name: &str) -> String {
    let field = name.to_snake_case();
    if matches!(
        field.as_str(),
        "type" | "use" | "loop" | "in" | "ref" | "mod" | "move" | "fn" | "match" | "const" | "static"
    ) {
        format!("r#{field}")
    } else {
        field
    }
}

/// The name of a file and module.
pub(super) fn module(name: &str) -> String {
    name.to_snake_case()
}

/// The name of a variant: the text without its punctuation, each part beginning with a capital.
pub(super) fn variant(value: &str) -> String {
    let mut variant = String::new();
    let mut start = true;
    for character in value.chars() {
        if !character.is_ascii_alphanumeric() {
            start = true;
        } else if start {
            variant.push(character.to_ascii_uppercase());
            start = false;
        } else {
            variant.push(character);
        }
    }
    if variant.starts_with(|first: char| first.is_ascii_digit()) {
        variant.insert(0, 'N');
    }
    variant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_that_rename_rules_break_are_right() {
        assert_eq!(field("priceScheduleID"), "price_schedule_id");
        assert_eq!(field("dischargeLimit_L2"), "discharge_limit_l2");
        assert_eq!(field("evDurationLevel1DCInjection"), "ev_duration_level1_dc_injection");
        assert_eq!(field("fixedPFAbsorb"), "fixed_pf_absorb");
        assert_eq!(field("type"), "r#type");
    }

    #[test]
    fn variants_drop_punctuation() {
        assert_eq!(variant("Energy.Active.Import.Register"), "EnergyActiveImportRegister");
        assert_eq!(variant("L1-N"), "L1N");
        assert_eq!(variant("Not_Applicable"), "NotApplicable");
        assert_eq!(variant("cCCS1"), "CCCS1");
    }
}
