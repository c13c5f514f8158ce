//! Settings by the name of their variable: `Component.Variable` or `Component.Variable.Instance`.

use alloc::format;
use alloc::string::String;

use ocpp_types::v2_1::{ComponentType, VariableType};

use crate::csms::command::CallOutcome;
use crate::csms::wire::{bounded, invalid};

/// The component and variable that a name stands for.
pub(super) fn parse(name: &str) -> Result<(ComponentType, VariableType), CallOutcome> {
    let mut parts = name.splitn(3, '.');
    let (Some(component), Some(variable)) = (parts.next(), parts.next()) else {
        return Err(invalid("/variable", format!("{name} is not of the form Component.Variable")));
    };
    let mut variable = VariableType::new(bounded("/variable/name", variable)?);
    variable.instance = parts.next().map(|instance| bounded("/variable/instance", instance)).transpose()?;
    Ok((ComponentType::new(bounded("/component/name", component)?), variable))
}

/// The name that stands for a variable.
pub(super) fn write(component: &ComponentType, variable: &VariableType) -> String {
    match &variable.instance {
        Some(instance) => format!("{}.{}.{instance}", component.name, variable.name),
        None => format!("{}.{}", component.name, variable.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_as_it_was_read() {
        for name in ["OCPPCommCtrlr.HeartbeatInterval", "OCPPCommCtrlr.MessageTimeout.Default", "A.B.c.d"] {
            let (component, variable) = parse(name).unwrap();
            assert_eq!(write(&component, &variable), name);
        }
        assert!(matches!(parse("HeartbeatInterval"), Err(CallOutcome::Invalid { .. })));
    }
}
