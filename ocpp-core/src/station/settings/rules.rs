//! What about a setting depends on how the station is made: whether it has it, who may change it, what it can be worth.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::table::{self, Kind};
use super::{Access, Definition, Key};
use crate::station::Station;
use crate::station::output::{Lighting, Output};

/// Most characters of a value (1.6 edition 2, 7.29).
const LENGTH: usize = 500;

impl Station {
    /// Whether the station has a setting: one that is optional only where its configuration says what it is worth.
    pub(in crate::station) fn has_setting(&self, row: &Definition) -> bool {
        !row.optional || self.settings.configured.contains_key(&row.key)
    }

    /// Who may do what with a setting at this station.
    pub(in crate::station) fn access_of(&self, row: &Definition) -> Access {
        match row.key {
            // 1.6 errata 3.84, 3.85
            Key::UnlockOnEvSideDisconnect if self.has_fixed_cables() => Access::ReadOnly,
            _ => row.access,
        }
    }

    /// Whether no cable of the station can be unlocked.
    pub(super) fn has_fixed_cables(&self) -> bool {
        self.evses.iter().all(|evse| !evse.detachable_cable)
    }

    /// What keeps a value of the right kind from being right for this station.
    pub(super) fn check_value(&self, row: &Definition, value: &str) -> Result<(), String> {
        match row.kind {
            // 1.6 edition 2, 3.16.4
            Kind::Measurands => {
                let is_measured = |item: &&str| {
                    table::measurand(item).is_some_and(|(measurand, _)| self.config.measurands.contains(&measurand))
                };
                match table::list(value).find(|item| !is_measured(item)) {
                    Some(item) => Err(format!("has `{item}`, which no meter of this station measures")),
                    None => Ok(()),
                }
            }
            Kind::PhaseRotations => {
                let connectors = self.count_connectors();
                let is_there =
                    |item: &&str| table::phase_rotation(item).is_some_and(|(number, _)| number <= connectors);
                match table::list(value).find(|item| !is_there(item)) {
                    Some(item) => Err(format!("has `{item}`, but there are only {connectors} connectors")),
                    None => Ok(()),
                }
            }
            _ if row.key == Key::UnlockOnEvSideDisconnect && self.has_fixed_cables() && value != "false" => {
                Err("must be false, because no cable can be unlocked".to_string())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn count_connectors(&self) -> u32 {
        self.config.evses.iter().map(|evse| evse.connectors.max(1)).sum()
    }

    /// The phases of each connector as far as they are known before anybody has said so (1.6 edition 2, 9.1.7).
    pub(super) fn unknown_phase_rotations(&self) -> String {
        let of_connectors = self.config.evses.iter().flat_map(|evse| {
            let rotation = if evse.supply_phases == 1 { "NotApplicable" } else { "Unknown" };
            (0..evse.connectors.max(1)).map(move |_| rotation)
        });
        let mut value = String::new();
        for (number, rotation) in (1..).zip(of_connectors) {
            let item = format!("{}{number}.{rotation}", if value.is_empty() { "" } else { "," });
            if value.len() + item.len() > LENGTH {
                break;
            }
            value.push_str(&item);
        }
        value
    }

    /// Tells the lamps how to shine, if there are any that can be told.
    pub(in crate::station) fn light(&mut self) {
        let value = |key: Key| {
            let configured = self.settings.configured.contains_key(&key);
            configured.then(|| u32::try_from(self.settings.integer(key)).unwrap_or_default())
        };
        let lighting = Lighting { intensity: value(Key::LightIntensity), blink_repeat: value(Key::BlinkRepeat) };
        if lighting != Lighting::default() {
            self.effect(Output::SetLighting(lighting));
        }
    }

    /// The public keys of the meters by the number of the connector that they belong to ("Signed meter values in OCPP", 3.3.1).
    /// One that is longer than a value may be can't be told.
    pub(in crate::station) fn meter_public_keys(&self) -> Vec<(u32, &str)> {
        let keys = self.config.evses.iter().flat_map(|evse| {
            let key = evse.meter_public_key.as_deref().filter(|key| key.chars().count() <= LENGTH);
            (0..evse.connectors.max(1)).map(move |_| key)
        });
        (1..).zip(keys).filter_map(|(number, key)| Some((number, key?))).collect()
    }
}
