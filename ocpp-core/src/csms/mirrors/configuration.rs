//! The configuration keys of a 1.6 station (1.6 edition 2, 5.3 and 5.8).

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

#[cfg(feature = "v1_6")]
use ocpp_types::v1_6::{ConfigurationStatus, CsmsRequest, StationResponse};
use serde::{Deserialize, Serialize};

use crate::csms::command::Setting;

/// The most keys that are kept.
const MAX_KEYS: usize = 500;

/// The most bytes of a key and its value that are kept; the schema has 550 characters.
const MAX_LENGTH: usize = 4096;

/// The configuration keys of a station, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationKeys {
    /// By the key in small letters: keys are compared without regard to case (1.6 edition 2, 7.29).
    keys: BTreeMap<String, Setting>,
    overflowed: bool,
}

impl ConfigurationKeys {
    /// A key and its value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.keys.get(&key.to_ascii_lowercase())
    }

    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.get(key)?.value.as_deref()
    }

    /// All keys that are known.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.keys.values()
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// A value that is a whole number.
    pub(in crate::csms) fn integer(&self, key: &str) -> Option<i64> {
        self.value(key)?.trim().parse().ok()
    }

    fn set(&mut self, setting: Setting) -> bool {
        let name = setting.name.to_ascii_lowercase();
        let long = name.len() + setting.value.as_ref().map_or(0, String::len) > MAX_LENGTH;
        if long || self.keys.len() >= MAX_KEYS && !self.keys.contains_key(&name) {
            self.overflowed = true;
            return false;
        }
        let before = self.keys.insert(name, setting.clone());
        before.is_none_or(|before| before != setting)
    }

    /// Reads an answer; true if something changed.
    #[cfg(feature = "v1_6")]
    pub(super) fn observe(&mut self, call: &CsmsRequest, answer: &StationResponse) -> bool {
        match (call, answer) {
            (CsmsRequest::ChangeConfiguration(call), StationResponse::ChangeConfiguration(answer)) => {
                // With RebootRequired the old value holds until then; AuthorizationKey can't be read either (security
                // whitepaper, 2.2).
                let kept = answer.status == ConfigurationStatus::Accepted
                    && !call.key.eq_ignore_ascii_case("AuthorizationKey");
                kept && self.set(Setting {
                    name: call.key.to_string(),
                    value: Some(call.value.to_string()),
                    readonly: Some(false),
                })
            }
            (CsmsRequest::GetConfiguration(call), StationResponse::GetConfiguration(answer)) => {
                let mut changed = false;
                if call.key.as_ref().is_none_or(alloc::vec::Vec::is_empty) {
                    // All keys were asked for: what is not among them does not exist.
                    let all = answer.configuration_key.iter().flatten();
                    let known: alloc::collections::BTreeSet<_> = all.map(|key| key.key.to_ascii_lowercase()).collect();
                    let before = self.keys.len();
                    self.keys.retain(|name, _| known.contains(name));
                    self.overflowed = false;
                    changed = self.keys.len() != before;
                }
                for unknown in answer.unknown_key.iter().flatten() {
                    changed |= self.keys.remove(&unknown.to_ascii_lowercase()).is_some();
                }
                for key in answer.configuration_key.iter().flatten() {
                    changed |= self.set(Setting {
                        name: key.key.to_string(),
                        value: key.value.as_ref().map(ToString::to_string),
                        readonly: Some(key.readonly),
                    });
                }
                changed
            }
            _ => false,
        }
    }
}
