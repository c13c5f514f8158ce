//! What the station is made of, as the device model of 2.x tells it (2.1 part 2, "referenced components and variables").

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rust_decimal::Decimal;

use super::Station;
use super::calls::Component;
use super::event::ConnectorStatus;
use super::reading::Measurand;

/// A variable of a part of the station. None of them can be changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PhysicalVariable {
    pub(super) component: Component,
    pub(super) name: &'static str,
    pub(super) value: PhysicalValue,
}

/// What it is worth.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PhysicalValue {
    /// How available it is; `Preparing` stands for `Occupied`.
    State(ConnectorStatus),
    Flag(bool),
    Number(u32),
    /// A power in W, and the most that it can be if that is known.
    Power {
        now: Decimal,
        most: Option<Decimal>,
    },
    Text(String),
}

impl Station {
    /// All parts of the station, and what there is to say about them.
    pub(super) fn physical_variables(&self) -> Vec<PhysicalVariable> {
        let parts = self.availability();
        parts
            .flat_map(|(component, status)| {
                let own = self.values_of(component).into_iter().flatten();
                core::iter::once(("AvailabilityState", PhysicalValue::State(status)))
                    .chain(own)
                    .map(move |(name, value)| PhysicalVariable { component, name, value })
            })
            .collect()
    }

    fn values_of(&self, component: Component) -> [Option<(&'static str, PhysicalValue)>; 4] {
        let config_of = |evse: u32| self.position(evse).and_then(|at| self.config.evses.get(at));
        let phases = |evse: u32| config_of(evse).map_or(0, |config| config.supply_phases);
        let available = Some(("Available", PhysicalValue::Flag(true)));
        let supply = |phases: u32| Some(("SupplyPhases", PhysicalValue::Number(phases)));
        match component {
            Component::Station => {
                let product = &self.config.product;
                let most = self.config.evses.iter().map(|evse| evse.supply_phases).max().unwrap_or(0);
                [
                    available,
                    supply(most),
                    Some(("VendorName", PhysicalValue::Text(product.vendor_name.to_string()))),
                    Some(("Model", PhysicalValue::Text(product.model.to_string()))),
                ]
            }
            Component::Evse(evse) => {
                let reading = self.position(evse).map(|at| &self.evses[at].reading);
                let now = reading.and_then(|reading| reading.value(Measurand::PowerActiveImport)).unwrap_or_default();
                let most = config_of(evse).and_then(|config| config.max_power);
                [available, supply(phases(evse)), Some(("Power", PhysicalValue::Power { now, most })), None]
            }
            Component::Connector(evse, _) => {
                // `Unknown` is a word of the standard for a plug that is not known.
                let plug = config_of(evse).and_then(|config| config.connector_type.clone());
                let plug = plug.unwrap_or_else(|| "Unknown".to_string());
                [available, supply(phases(evse)), Some(("ConnectorType", PhysicalValue::Text(plug))), None]
            }
        }
    }
}
