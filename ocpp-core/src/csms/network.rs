//! Network configurations that are set variable by variable (2.1 part 2, B09).

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::v2_1::{ComponentType, SetVariableDataType, VariableType};
use ocpp_types::{Text, Version};

use super::mirrors::{Mirrors, VariableKey};

const COMPONENT: &str = "NetworkConfiguration";

fn is_network(component: &ComponentType) -> bool {
    component.name.eq_ignore_ascii_case(COMPONENT)
}

fn slot(component: &ComponentType) -> &str {
    component.instance.as_ref().map_or("", |instance| instance.as_str())
}

/// A configuration that the station may use at any moment is not changed bit by bit.
pub(super) fn check(mirrors: &Mirrors, variables: &[SetVariableDataType]) -> Result<(), &'static str> {
    let key = VariableKey::new("OCPPCommCtrlr", "NetworkConfigurationPriority");
    let Some(priority) = mirrors.device_model().value(&key) else { return Ok(()) };
    let in_use = |data: &SetVariableDataType| {
        is_network(&data.component) && priority.split(',').any(|used| used.trim() == slot(&data.component))
    };
    if variables.iter().any(in_use) {
        return Err("B09.FR.21: a network configuration in NetworkConfigurationPriority is not set");
    }
    Ok(())
}

/// What a configuration leaves open about access points and private networks is said as well (B09.FR.29, B09.FR.30).
pub(super) fn complete(version: Version, mut variables: Vec<SetVariableDataType>) -> Vec<SetVariableDataType> {
    if version != Version::V2_1 {
        return variables;
    }
    let mut slots: BTreeMap<String, (ComponentType, Vec<String>)> = BTreeMap::new();
    for data in variables.iter().filter(|data| is_network(&data.component)) {
        let (_, names) =
            slots.entry(slot(&data.component).to_string()).or_insert_with(|| (data.component.clone(), Vec::new()));
        names.push(data.variable.name.to_ascii_lowercase());
    }
    for (component, names) in slots.into_values() {
        // One variable more or less is a correction; a configuration begins with its address.
        let is_whole = names.iter().any(|name| name == "ocppcsmsurl");
        for (prefix, switch) in [("apn", "ApnEnabled"), ("vpn", "VpnEnabled")] {
            let said = names.iter().any(|name| name.eq_ignore_ascii_case(switch));
            let used = names.iter().any(|name| name.starts_with(prefix));
            if !said && (used || is_whole) {
                let value = if used { "true" } else { "false" };
                let variable = VariableType::new(Text::truncated(switch));
                variables.push(SetVariableDataType::new(Text::truncated(value), component.clone(), variable));
            }
        }
    }
    variables
}
