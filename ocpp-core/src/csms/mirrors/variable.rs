//! One variable of a device model.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use ocpp_types::v2_1::{
    AttributeEnumType, ComponentType, DataEnumType, EVSEType, MutabilityEnumType, VariableAttributeType,
    VariableCharacteristicsType, VariableType,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::csms::identity::Place;

/// The name of a variable in a device model (2.1 part 1, 4.2). Names are compared without regard to case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VariableKey {
    /// The component's name, such as `Connector`.
    pub component: String,
    /// The component's instance, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_instance: Option<String>,
    /// The EVSE or connector that the component belongs to; `None` for the station's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The variable's name, such as `AvailabilityState`.
    pub variable: String,
    /// The variable's instance, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

impl VariableKey {
    /// A variable of the station itself.
    pub fn new(component: impl Into<String>, variable: impl Into<String>) -> Self {
        Self {
            component: component.into(),
            component_instance: None,
            place: None,
            variable: variable.into(),
            instance: None,
        }
    }

    /// The same with this instance of the variable.
    #[must_use]
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// The same at this place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub(in crate::csms) fn of(component: &ComponentType, variable: &VariableType) -> Self {
        let place = |evse: &EVSEType| Place { evse: evse.id, connector: evse.connector_id };
        Self {
            component: component.name.to_string(),
            component_instance: component.instance.as_ref().map(ToString::to_string),
            place: component.evse.as_ref().map(place),
            variable: variable.name.to_string(),
            instance: variable.instance.as_ref().map(ToString::to_string),
        }
    }
}

impl Ord for VariableKey {
    fn cmp(&self, other: &Self) -> Ordering {
        fn folded(text: &str) -> impl Iterator<Item = u8> {
            text.bytes().map(|byte| byte.to_ascii_lowercase())
        }
        let text = |one: &str, other: &str| folded(one).cmp(folded(other));
        let optional = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) => text(one, other),
            (one, other) => one.is_some().cmp(&other.is_some()),
        };
        text(&self.component, &other.component)
            .then_with(|| self.place.cmp(&other.place))
            .then_with(|| optional(&self.component_instance, &other.component_instance))
            .then_with(|| text(&self.variable, &other.variable))
            .then_with(|| optional(&self.instance, &other.instance))
    }
}

impl PartialOrd for VariableKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for VariableKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for VariableKey {}

impl fmt::Display for VariableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.component)?;
        if let Some(instance) = &self.component_instance {
            write!(f, "({instance})")?;
        }
        if let Some(place) = self.place {
            write!(f, "[{}", place.evse)?;
            if let Some(connector) = place.connector {
                write!(f, ".{connector}")?;
            }
            f.write_str("]")?;
        }
        write!(f, ".{}", self.variable)?;
        self.instance.as_ref().map_or(Ok(()), |instance| write!(f, ".{instance}"))
    }
}

/// What is known of a variable.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Variable {
    /// Its attributes, each kind once.
    pub attributes: Vec<Attribute>,
    /// What values it can have, where the station has reported that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characteristics: Option<Box<Characteristics>>,
}

/// One attribute of a variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attribute {
    /// Which.
    pub kind: AttributeEnumType,
    /// The value; `None` where it's not set or may not be read.
    pub value: Option<String>,
    /// Whether it can be read and written, where the station has reported that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutability: Option<MutabilityEnumType>,
}

/// What values a variable can have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Characteristics {
    /// The type of its values.
    pub data_type: DataEnumType,
    /// The unit.
    pub unit: Option<String>,
    /// The lowest value.
    #[serde(with = "super::serial::decimal", default)]
    pub min_limit: Option<Decimal>,
    /// The highest value, or the greatest length of a text.
    #[serde(with = "super::serial::decimal", default)]
    pub max_limit: Option<Decimal>,
    /// The values to choose from, separated by commas.
    pub values_list: Option<String>,
    /// Whether it can be monitored.
    pub supports_monitoring: bool,
}

impl Variable {
    /// The present value: that of the attribute `Actual`.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.attribute(&AttributeEnumType::Actual)?.value.as_deref()
    }

    /// An attribute.
    #[must_use]
    pub fn attribute(&self, kind: &AttributeEnumType) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.kind == *kind)
    }

    /// Notes a value; true if it is another one than before.
    pub(super) fn set(&mut self, kind: AttributeEnumType, value: Option<String>) -> bool {
        match self.attributes.iter_mut().find(|attribute| attribute.kind == kind) {
            Some(attribute) if attribute.value == value => false,
            Some(attribute) => {
                attribute.value = value;
                true
            }
            None => {
                self.attributes.push(Attribute { kind, value, mutability: None });
                true
            }
        }
    }

    /// What a report says of a variable.
    pub(super) fn reported(
        attributes: Vec<VariableAttributeType>,
        characteristics: Option<Box<VariableCharacteristicsType>>,
    ) -> Self {
        let attributes = attributes.into_iter().map(|attribute| Attribute {
            kind: attribute.r#type.unwrap_or(AttributeEnumType::Actual),
            value: attribute.value.map(|value| value.to_string()),
            mutability: Some(attribute.mutability.unwrap_or(MutabilityEnumType::ReadWrite)),
        });
        let characteristics = characteristics.map(|characteristics| {
            Box::new(Characteristics {
                data_type: characteristics.data_type,
                unit: characteristics.unit.map(|unit| unit.to_string()),
                min_limit: characteristics.min_limit,
                max_limit: characteristics.max_limit,
                values_list: characteristics.values_list.map(|list| list.to_string()),
                supports_monitoring: characteristics.supports_monitoring,
            })
        });
        // AttributeEnumType has four values: more of them repeat each other.
        Self { attributes: attributes.take(MAX_ATTRIBUTES).collect(), characteristics }
    }
}

/// The most attributes of a variable that are kept.
const MAX_ATTRIBUTES: usize = 4;
