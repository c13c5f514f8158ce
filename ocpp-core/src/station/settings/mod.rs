//! Settings: one table, of which 1.6's keys and 2.x's variables are two views.

mod key;
mod rules;
pub(super) mod table;
mod vendor;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use ocpp_types::Version;
use rust_decimal::Decimal;

use super::clock::seconds;
use super::reading::{Measurand, Phase};
use super::{Event, Output, Station};
use crate::time::Now;

pub(super) use key::Key;
use table::Variable;
pub(super) use table::{Access, Definition, offset_of, rows};
use vendor::Vendor;
pub use vendor::{ValueType, VendorSetting};

/// Name of a setting: a 1.6 configuration key (`HeartbeatInterval`) or a 2.x variable (`OCPPCommCtrlr.HeartbeatInterval`,
/// with an instance as the third part: `OCPPCommCtrlr.MessageTimeout.Default`). Where both exist they name the same setting.
/// Case doesn't matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct SettingName(String);

impl SettingName {
    /// A name; whether there is such a setting shows when it is used.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SettingName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for SettingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a setting was not changed or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// There is no such setting: use a name of 1.6 or 2.x, as the standard spells it.
    #[error("there is no setting `{0}`")]
    Unknown(SettingName),
    /// The setting can only be read.
    #[error("`{0}` is read-only")]
    ReadOnly(SettingName),
    /// The setting can only be written.
    #[error("`{0}` is write-only")]
    WriteOnly(SettingName),
    /// The value doesn't have the setting's type, or is out of range.
    #[error("`{name}` {reason}")]
    Value {
        /// Which setting.
        name: SettingName,
        /// What a value must be.
        reason: String,
    },
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingChange {
    /// It is in force.
    Applied,
    /// It will be in force after a restart.
    RebootRequired,
}

/// The values of all settings.
#[derive(Debug)]
pub(super) struct Settings {
    /// What a setting is worth until somebody changes it, where the configuration says something else than the table.
    configured: BTreeMap<Key, String>,
    changed: BTreeMap<Key, String>,
    vendor: Vec<Vendor>,
}

impl Settings {
    pub(super) fn new() -> Self {
        Self { configured: BTreeMap::new(), changed: BTreeMap::new(), vendor: Vec::new() }
    }

    /// Sets what a setting is worth until somebody changes it.
    pub(super) fn configure(&mut self, key: Key, value: String) {
        self.configured.insert(key, value);
    }

    /// The row that a name of either view stands for.
    pub(super) fn find(name: &str) -> Option<&'static Definition> {
        rows().find(|row| {
            row.v1_6.is_some_and(|key| key.eq_ignore_ascii_case(name))
                || row.v2.is_some_and(|variable| variable.to_string().eq_ignore_ascii_case(name))
        })
    }

    /// The rows that a version of 2.x has variables for.
    pub(super) fn variables(version: Version) -> impl Iterator<Item = &'static Definition> {
        rows().filter(move |row| row.is_variable_of(version))
    }

    pub(super) fn text(&self, key: Key) -> &str {
        match self.changed.get(&key).or_else(|| self.configured.get(&key)) {
            Some(value) => value,
            None => rows().find(|row| row.key == key).map_or("", |row| row.default),
        }
    }

    /// The value of a setting and whether somebody has changed it.
    pub(super) fn stored(&self, key: Key) -> (String, bool) {
        (self.text(key).to_owned(), self.changed.contains_key(&key))
    }

    pub(super) fn boolean(&self, key: Key) -> bool {
        self.text(key) == "true"
    }

    pub(super) fn integer(&self, key: Key) -> i64 {
        self.text(key).parse().unwrap_or(0)
    }

    pub(super) fn decimal(&self, key: Key) -> Decimal {
        self.text(key).parse().unwrap_or_default()
    }

    /// Whether the configuration gives it a value.
    pub(super) fn configured(&self, key: Key) -> bool {
        self.configured.contains_key(&key)
    }

    pub(super) fn duration(&self, key: Key) -> Duration {
        seconds(self.integer(key))
    }

    /// The items of a list.
    pub(super) fn items(&self, key: Key) -> impl Iterator<Item = &str> {
        table::list(self.text(key))
    }

    /// Whether a list has this item.
    pub(super) fn has(&self, key: Key, item: &str) -> bool {
        self.items(key).any(|known| known == item)
    }

    pub(super) fn measurands(&self, key: Key) -> impl Iterator<Item = (Measurand, Option<Phase>)> {
        table::list(self.text(key)).filter_map(table::measurand)
    }
}

/// What a record of a changed setting is called.
fn record(row: &Definition) -> String {
    match (row.v2, row.v1_6) {
        (Some(variable), _) => format!("setting/{variable}"),
        (None, Some(key)) => format!("setting/{key}"),
        (None, None) => "setting/".to_owned(),
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.component, self.variable)?;
        self.instance.map_or(Ok(()), |instance| write!(f, ".{instance}"))
    }
}

impl Station {
    /// The value of a setting, as the local operator sees it: write-only ones excepted.
    ///
    /// # Errors
    /// There is no such setting, or it can't be read.
    pub fn setting(&self, name: &SettingName) -> Result<String, SettingError> {
        if let Some(vendor) = self.vendor_setting(name.as_str()) {
            return Ok(vendor.value.clone());
        }
        let row = self.find_setting(name)?;
        match row.access {
            Access::WriteOnly => Err(SettingError::WriteOnly(name.clone())),
            Access::ReadOnly | Access::ReadWrite => Ok(self.value_of(row)),
        }
    }

    /// Changes a setting on behalf of the local operator, who may change more than a CSMS: what is read-only for
    /// the CSMS, he can write. `None` brings back the value it has from the configuration.
    ///
    /// This is an input like any other: drain `poll_output` afterwards, and keep it in a log that is to be replayed.
    ///
    /// # Errors
    /// There is no such setting, or the value doesn't fit it.
    pub fn change_setting(
        &mut self,
        now: Now,
        name: &SettingName,
        value: Option<&str>,
    ) -> Result<SettingChange, SettingError> {
        self.now = now;
        if self.vendor_setting(name.as_str()).is_some() {
            let changed = self.change_vendor_setting(name.as_str(), value);
            self.settle();
            return changed;
        }
        let row = self.find_setting(name)?;
        if Self::is_security_setting(row.key) && value.is_none_or(|value| row.kind.normalize(value).is_ok()) {
            self.access_setting_changes(row.key);
        }
        let changed = match value {
            Some(value) => self.write_setting(row, value),
            None => {
                self.settings.changed.remove(&row.key);
                self.journal.delete(record(row));
                Ok(SettingChange::Applied)
            }
        };
        self.setting_changed(row);
        self.settle();
        changed
    }

    fn find_setting(&self, name: &SettingName) -> Result<&'static Definition, SettingError> {
        let found = Settings::find(name.as_str()).filter(|row| self.has_setting(row));
        found.ok_or_else(|| SettingError::Unknown(name.clone()))
    }

    /// What a setting is worth, secrets included.
    pub(super) fn value_of(&self, row: &Definition) -> String {
        match row.key {
            Key::AuthCacheStorage => self.authorization_cache.bytes().to_string(),
            Key::DateTime => format!("{:.3}", self.utc()),
            // 1.6 errata 3.85
            Key::UnlockOnEvSideDisconnect if self.has_fixed_cables() => "false".to_owned(),
            Key::ActiveSecurityProfile => self.security_profile().to_string(),
            Key::CertificateEntries => self.certificates.len().to_string(),
            Key::LocalListEntries => self.local_list.len().to_string(),
            Key::ChargingProfileEntries => self.count_profiles().to_string(),
            Key::ChargingRateUnitSymbols => self.rate_unit_symbols(),
            key => self.settings.text(key).to_owned(),
        }
    }

    /// Changes a setting on behalf of the CSMS.
    pub(super) fn change_by_csms(
        &mut self,
        row: &'static Definition,
        value: &str,
    ) -> Result<SettingChange, SettingError> {
        if self.access_of(row) == Access::ReadOnly {
            return Err(SettingError::ReadOnly(name_of(row)));
        }
        let change = if Self::is_security_setting(row.key) {
            let judged = self.judge_security_setting(row.key, value);
            let value = judged.map_err(|reason| SettingError::Value { name: name_of(row), reason })?;
            self.access_setting_changes(row.key);
            self.write_setting(row, &value)?
        } else {
            self.write_setting(row, value)?
        };
        let shown = if row.access == Access::WriteOnly { String::new() } else { self.value_of(row) };
        self.effect(Output::Event(Event::SettingChanged { name: name_of(row).0, value: shown }));
        self.setting_changed(row);
        Ok(change)
    }

    fn write_setting(&mut self, row: &'static Definition, value: &str) -> Result<SettingChange, SettingError> {
        let refused = |reason| SettingError::Value { name: name_of(row), reason };
        let value = row.kind.normalize(value).map_err(refused)?;
        self.check_value(row, &value).map_err(refused)?;
        self.journal.put(record(row), &value);
        self.settings.changed.insert(row.key, value);
        Ok(SettingChange::Applied)
    }

    /// Brings a stored value back, or with `None` the one of the configuration.
    pub(super) fn restore_stored(&mut self, key: Key, value: Option<String>) {
        let Some(row) = rows().find(|row| row.key == key) else { return };
        match value {
            Some(value) => {
                self.journal.put(record(row), &value);
                self.settings.changed.insert(key, value);
            }
            None => {
                self.settings.changed.remove(&key);
                self.journal.delete(record(row));
            }
        }
    }

    /// Takes over what a predecessor stored. A setting that no longer exists is dropped.
    pub(super) fn restore_setting(&mut self, name: &str, value: String) {
        if let Some(row) = Settings::find(name) {
            self.settings.changed.insert(row.key, value);
        }
    }

    /// What has to happen at once when a setting changes.
    fn setting_changed(&mut self, row: &Definition) {
        match row.key {
            // What the CSMS says from now on is not kept, so what it said until now would grow old unnoticed.
            Key::AuthCacheEnabled if !self.settings.boolean(Key::AuthCacheEnabled) => self.empty_authorization_cache(),
            Key::HeartbeatInterval => self.schedule_heartbeat(),
            Key::TxUpdatedInterval | Key::TxEndedInterval | Key::SampledEnabled => self.reschedule_samples(),
            Key::AlignedInterval | Key::AlignedTxEndedInterval | Key::AlignedEnabled => self.schedule_aligned(),
            Key::BlinkRepeat | Key::LightIntensity => self.light(),
            Key::WebSocketPingInterval if self.is_connected() => {
                let interval = self.ping_interval();
                self.effect(Output::SetPingInterval(interval));
            }
            _ => {}
        }
    }

    /// The heartbeat interval that the CSMS gave with its answer to `BootNotification` (B01.FR.04; 1.6 edition 2, 4.2).
    pub(super) fn take_heartbeat_interval(&mut self, interval: i64) {
        if let Some(row) = rows().find(|row| row.key == Key::HeartbeatInterval)
            && self.settings.integer(Key::HeartbeatInterval) != interval
        {
            // One out of range leaves the interval as it was.
            let _ = self.write_setting(row, &interval.to_string());
        }
    }

    /// Takes over the values that the configuration gives.
    pub(super) fn configure_settings(&mut self) {
        for (name, value) in core::mem::take(&mut self.config.settings) {
            match Settings::find(name.as_str()).map(|row| (row, row.kind.normalize(&value))) {
                Some((row, Ok(value))) if self.check_value(row, &value).is_ok() => {
                    self.settings.configure(row.key, value);
                }
                _ => self.effect(Output::Event(Event::InputIgnored {
                    reason: "a configured setting has no such name or value",
                })),
            }
        }
        let connectors = self.count_connectors();
        // The main meter's may be told, too.
        self.settings.configure(Key::ConnectorPhaseRotationMaxLength, (u64::from(connectors) + 1).to_string());
        let rotations = self.unknown_phase_rotations();
        self.settings.configured.entry(Key::ConnectorPhaseRotation).or_insert(rotations);
        self.configure_vendor_settings();
        self.settings.configure(Key::NumberOfConnectors, connectors.to_string());
        self.settings.configure(Key::Identity, self.config.identity.clone());
        if let Some(password) = &self.config.password {
            self.settings.configure(Key::BasicAuthPassword, password.clone());
        }
    }
}

fn name_of(row: &Definition) -> SettingName {
    SettingName(match (row.v2, row.v1_6) {
        (Some(variable), _) => variable.to_string(),
        (None, key) => key.unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::table::Kind;
    use super::*;

    #[test]
    fn every_default_fits_its_setting_and_every_name_is_unique() {
        for (place, row) in rows().enumerate() {
            assert!(row.kind == Kind::DateTime || row.kind.normalize(row.default).is_ok(), "{:?}", row.key);
            assert!(row.v1_6.is_some() || row.v2.is_some(), "{:?}", row.key);
            for other in rows().skip(place + 1) {
                assert_ne!(row.key, other.key);
                assert!(row.v1_6.is_none() || row.v1_6 != other.v1_6);
                assert!(row.v2.is_none() || row.v2 != other.v2);
            }
        }
    }

    #[test]
    fn both_views_name_one_setting() {
        let key = |name: &str| Settings::find(name).map(|row| row.key);
        assert_eq!(key("HeartbeatInterval"), Some(Key::HeartbeatInterval));
        assert_eq!(key("ocppcommctrlr.heartbeatinterval"), Some(Key::HeartbeatInterval));
        assert_eq!(key("OCPPCommCtrlr.MessageTimeout.Default"), Some(Key::MessageTimeout));
        assert_eq!(key("OCPPCommCtrlr.MessageTimeout"), None);
    }

    #[test]
    fn values_are_checked_and_written_in_one_form() {
        assert_eq!(Kind::Boolean.normalize("TRUE").as_deref(), Ok("true"));
        assert!(Kind::Boolean.normalize("yes").is_err());
        assert!(Kind::Integer { minimum: 0, maximum: 5 }.normalize("6").is_err());
        assert_eq!(Kind::Measurands.normalize("SoC, Voltage.L1-N").as_deref(), Ok("SoC,Voltage.L1-N"));
        assert!(Kind::Measurands.normalize("Celcius").is_err());
        assert!(Kind::Points.normalize("DataSigned").is_err());
    }
}
