//! How much a station takes at once, by its own account.

use super::Mirrors;
use super::variable::VariableKey;

/// How much may be in one message, as far as it's known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::csms) struct MessageLimit {
    /// How many entries; at least 1. One is what every station takes.
    pub(in crate::csms) items: Option<usize>,
    /// How many bytes.
    pub(in crate::csms) bytes: Option<usize>,
}

impl Mirrors {
    /// The limit that a 2.x station has for a message.
    pub(in crate::csms) fn message_limit(&self, component: &str, instance: Option<&str>) -> MessageLimit {
        let [items, bytes] = limit_keys(component, instance).map(|key| {
            let number = self.device_model.integer(&key).and_then(|number| usize::try_from(number).ok());
            number.filter(|number| *number > 0)
        });
        MessageLimit { items, bytes }
    }
}

/// The variables that hold the limits of a message.
pub(in crate::csms) fn limit_keys(component: &str, instance: Option<&str>) -> [VariableKey; 2] {
    ["ItemsPerMessage", "BytesPerMessage"].map(|variable| {
        let key = VariableKey::new(component, variable);
        match instance {
            Some(instance) => key.instance(instance),
            None => key,
        }
    })
}
