//! The device model of a 2.x station (2.1 part 1, 4; part 2, B05 to B08).

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

use ocpp_types::v2_1::{
    AttributeEnumType, ComponentType, CsmsRequest, EventDataType, GetVariableStatusEnumType, ReportDataType,
    SetVariableStatusEnumType, StationResponse, VariableType,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::variable::{Variable, VariableKey};

/// The most variables that are kept.
const MAX_VARIABLES: usize = 2000;

/// The most bytes of texts that are kept.
const MAX_BYTES: usize = 512 * 1024;

/// The variables of a station, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeviceModel {
    variables: BTreeMap<VariableKey, Variable>,
    overflowed: bool,
}

impl DeviceModel {
    /// A variable.
    #[must_use]
    pub fn get(&self, key: &VariableKey) -> Option<&Variable> {
        self.variables.get(key)
    }

    /// The present value of a variable.
    #[must_use]
    pub fn value(&self, key: &VariableKey) -> Option<&str> {
        self.get(key)?.value()
    }

    /// All variables, by component.
    pub fn iter(&self) -> impl Iterator<Item = (&VariableKey, &Variable)> {
        self.variables.iter()
    }

    /// How many variables are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.variables.len()
    }

    /// Whether no variable is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// A value that is a whole number.
    pub(in crate::csms) fn integer(&self, key: &VariableKey) -> Option<i64> {
        self.value(key)?.trim().parse().ok()
    }

    fn size(key: &VariableKey, variable: &Variable) -> usize {
        let values = variable.attributes.iter().filter_map(|attribute| attribute.value.as_ref());
        let list = variable.characteristics.as_ref().and_then(|characteristics| characteristics.values_list.as_ref());
        let texts = values.chain(list).chain(&key.component_instance).chain(&key.instance);
        key.component.len() + key.variable.len() + texts.map(|text| text.len()).sum::<usize>()
    }

    fn entry(&mut self, component: &ComponentType, variable: &VariableType) -> Option<&mut Variable> {
        let key = VariableKey::of(component, variable);
        let full = self.variables.len() >= MAX_VARIABLES;
        if full && !self.variables.contains_key(&key) {
            self.overflowed = true;
            return None;
        }
        Some(self.variables.entry(key).or_default())
    }

    fn set(
        &mut self,
        component: &ComponentType,
        variable: &VariableType,
        kind: Option<AttributeEnumType>,
        value: Option<&str>,
    ) -> bool {
        let kind = kind.unwrap_or(AttributeEnumType::Actual);
        self.entry(component, variable).is_some_and(|variable| variable.set(kind, value.map(ToString::to_string)))
    }

    /// Forgets the last, where it is too much in all.
    fn bound(&mut self) {
        let mut bytes: usize = self.variables.iter().map(|(key, variable)| Self::size(key, variable)).sum();
        while bytes > MAX_BYTES
            && let Some((key, variable)) = self.variables.pop_last()
        {
            self.overflowed = true;
            bytes -= Self::size(&key, &variable);
        }
    }

    /// Takes a part of a report in (B07.FR.03, B08.FR.03).
    pub(in crate::csms) fn merge(&mut self, reported: &[ReportDataType]) {
        for data in reported {
            let Some(variable) = self.entry(&data.component, &data.variable) else { continue };
            *variable = Variable::reported(data.variable_attribute.clone(), data.variable_characteristics.clone());
        }
        self.bound();
    }

    /// Takes a whole inventory in: what is not in it does not exist any more.
    pub(in crate::csms) fn replace(&mut self, reported: &[ReportDataType]) {
        *self = Self::default();
        self.merge(reported);
    }

    /// Takes the value in that an event tells.
    pub(in crate::csms) fn notice(&mut self, event: &EventDataType) -> bool {
        // A variable that nobody asked for is not worth a place.
        let known = self.variables.contains_key(&VariableKey::of(&event.component, &event.variable));
        let changed = known && self.set(&event.component, &event.variable, None, Some(event.actual_value.as_str()));
        if changed {
            self.bound();
        }
        changed
    }

    /// Reads an answer; true if something changed.
    pub(super) fn observe(&mut self, call: &CsmsRequest, answer: &StationResponse) -> bool {
        let changed = self.read(call, answer);
        if changed {
            self.bound();
        }
        changed
    }

    fn read(&mut self, call: &CsmsRequest, answer: &StationResponse) -> bool {
        match (call, answer) {
            (CsmsRequest::SetVariables(call), StationResponse::SetVariables(answer)) => {
                let mut changed = false;
                for result in &answer.set_variable_result {
                    if result.attribute_status != SetVariableStatusEnumType::Accepted {
                        continue;
                    }
                    let kind = result.attribute_type.clone().unwrap_or(AttributeEnumType::Actual);
                    let key = VariableKey::of(&result.component, &result.variable);
                    // What was set is in the call: the answer only names it (B05.FR.02, B05.FR.03).
                    let set = call.set_variable_data.iter().find(|data| {
                        VariableKey::of(&data.component, &data.variable) == key
                            && data.attribute_type.as_ref().unwrap_or(&AttributeEnumType::Actual) == &kind
                    });
                    if let Some(data) = set {
                        let value = if is_secret(&key) { None } else { Some(data.attribute_value.as_str()) };
                        changed |= self.set(&data.component, &data.variable, Some(kind), value);
                    }
                }
                changed
            }
            (CsmsRequest::GetVariables(_), StationResponse::GetVariables(answer)) => {
                let mut changed = false;
                for result in &answer.get_variable_result {
                    let value = result.attribute_value.as_ref().map(|value| value.as_str());
                    match result.attribute_status {
                        GetVariableStatusEnumType::Accepted => {
                            changed |=
                                self.set(&result.component, &result.variable, result.attribute_type.clone(), value);
                        }
                        GetVariableStatusEnumType::UnknownComponent | GetVariableStatusEnumType::UnknownVariable => {
                            let key = VariableKey::of(&result.component, &result.variable);
                            changed |= self.variables.remove(&key).is_some();
                        }
                        _ => {}
                    }
                }
                changed
            }
            _ => false,
        }
    }
}

/// A password is not kept where everybody can read it.
fn is_secret(key: &VariableKey) -> bool {
    key.variable.to_ascii_lowercase().contains("password")
}

/// Written as a list, because not every format has maps with structured keys.
impl Serialize for DeviceModel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.overflowed, self.variables.iter().collect::<Vec<_>>()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DeviceModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (overflowed, variables) = <(bool, Vec<(VariableKey, Variable)>)>::deserialize(deserializer)?;
        Ok(Self { variables: variables.into_iter().collect(), overflowed })
    }
}
