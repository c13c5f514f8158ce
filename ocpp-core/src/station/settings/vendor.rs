//! Settings of the integrator's own: configuration keys that the standard doesn't know (1.6 edition 2, chapter 9).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::table::Kind;
use super::{Access, SettingChange, SettingError, SettingName};
use crate::station::{Event, Output, Station};

/// A setting that the standard doesn't know: a 1.6 CSMS reads and changes it like any other configuration key.
///
/// Who it matters to reads it with [`Station::setting`](crate::station::Station::setting) at the start, and hears of changes by
/// [`Event::SettingChanged`](crate::station::Event::SettingChanged).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct VendorSetting {
    /// Its name: 1 to 50 ASCII letters, digits, `.`, `-` and `_`. A name of the standard can't be taken.
    pub name: String,
    /// What values it takes.
    pub value_type: ValueType,
    /// What it is worth until somebody changes it.
    pub default: String,
    /// Whether the CSMS can only read it.
    pub read_only: bool,
    /// Whether a change has an effect only after a restart, which is then told the CSMS (1.6 edition 2, 7.22).
    pub reboot_required: bool,
}

impl VendorSetting {
    /// A setting that can be changed, with effect at once.
    #[must_use]
    pub fn new(name: impl Into<String>, value_type: ValueType, default: impl Into<String>) -> Self {
        Self { name: name.into(), value_type, default: default.into(), read_only: false, reboot_required: false }
    }
}

/// What values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum ValueType {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer {
        /// The smallest.
        minimum: i64,
        /// The largest.
        maximum: i64,
    },
    /// A text of at most 500 characters.
    Text,
}

impl ValueType {
    fn kind(self) -> Kind {
        match self {
            Self::Boolean => Kind::Boolean,
            Self::Integer { minimum, maximum } => Kind::Integer { minimum, maximum },
            Self::Text => Kind::Text { maximum: 500 },
        }
    }
}

/// A setting of the integrator's own, with what it is worth.
#[derive(Debug)]
pub(in crate::station) struct Vendor {
    pub(in crate::station) name: String,
    kind: Kind,
    pub(in crate::station) access: Access,
    reboot_required: bool,
    default: String,
    pub(in crate::station) value: String,
}

impl Vendor {
    fn new(setting: VendorSetting) -> Option<Self> {
        let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b".-_".contains(&letter);
        let has_name = (1..=50).contains(&setting.name.len()) && setting.name.bytes().all(is_plain);
        let kind = setting.value_type.kind();
        let default = kind.normalize(&setting.default).ok().filter(|_| has_name)?;
        Some(Self {
            name: setting.name,
            kind,
            access: if setting.read_only { Access::ReadOnly } else { Access::ReadWrite },
            reboot_required: setting.reboot_required,
            value: default.clone(),
            default,
        })
    }

    fn record(&self) -> String {
        format!("vendor-setting/{}", self.name)
    }
}

impl Station {
    /// The settings of the integrator's own.
    pub(in crate::station) fn vendor_settings(&self) -> impl Iterator<Item = &Vendor> {
        self.settings.vendor.iter()
    }

    pub(in crate::station) fn vendor_setting(&self, name: &str) -> Option<&Vendor> {
        self.vendor_settings().find(|known| known.name.eq_ignore_ascii_case(name))
    }

    /// Changes such a setting on behalf of the CSMS.
    pub(in crate::station) fn change_vendor_setting_by_csms(
        &mut self,
        name: &str,
        value: &str,
    ) -> Result<SettingChange, SettingError> {
        if self.vendor_setting(name).is_some_and(|found| found.access == Access::ReadOnly) {
            return Err(SettingError::ReadOnly(SettingName::new(name)));
        }
        let change = self.change_vendor_setting(name, Some(value))?;
        if let Some(Vendor { name, value, .. }) = self.vendor_setting(name) {
            let event = Event::SettingChanged { name: name.clone(), value: value.clone() };
            self.effect(Output::Event(event));
        }
        Ok(change)
    }

    /// Changes such a setting, or brings back what it was worth at first.
    pub(super) fn change_vendor_setting(
        &mut self,
        name: &str,
        value: Option<&str>,
    ) -> Result<SettingChange, SettingError> {
        let known = self.settings.vendor.iter_mut().find(|known| known.name.eq_ignore_ascii_case(name));
        let known = known.ok_or_else(|| SettingError::Unknown(SettingName::new(name)))?;
        match value {
            Some(value) => {
                let refused = |reason| SettingError::Value { name: SettingName::new(known.name.as_str()), reason };
                known.value = known.kind.normalize(value).map_err(refused)?;
                self.journal.put(known.record(), &known.value);
            }
            None => {
                known.value.clone_from(&known.default);
                self.journal.delete(known.record());
            }
        }
        Ok(if known.reboot_required { SettingChange::RebootRequired } else { SettingChange::Applied })
    }

    /// Takes over what a predecessor stored. A setting that no longer exists, or takes other values now, is dropped.
    pub(in crate::station) fn restore_vendor_setting(&mut self, name: &str, value: &str) {
        if let Some(known) = self.settings.vendor.iter_mut().find(|known| known.name == name)
            && let Ok(value) = known.kind.normalize(value)
        {
            known.value = value;
        }
    }

    /// Takes over the settings that the configuration gives.
    pub(super) fn configure_vendor_settings(&mut self) {
        let mut known: Vec<Vendor> = Vec::new();
        for setting in core::mem::take(&mut self.config.vendor_settings) {
            let name = setting.name.to_owned();
            let is_taken = super::Settings::find(&name).is_some()
                || known.iter().any(|known| known.name.eq_ignore_ascii_case(&name));
            match Vendor::new(setting).filter(|_| !is_taken) {
                Some(setting) => known.push(setting),
                None => {
                    self.ignore("a vendor's setting has a name that it can't have, or a default that doesn't fit it")
                }
            }
        }
        self.settings.vendor = known;
    }
}
