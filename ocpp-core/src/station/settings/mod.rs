//! Settings: one table, of which 1.6's keys and 2.x's variables are two views.

use alloc::string::String;
use core::fmt;

/// Name of a setting: a 1.6 configuration key (`HeartbeatInterval`) or a 2.x variable (`OCPPCommCtrlr.HeartbeatInterval`,
/// with an instance as the third part: `OCPPCommCtrlr.MessageTimeout.Default`). Where both exist they name the same setting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// There is no such setting: use a name of the station's version, as the standard spells it.
    #[error("there is no setting `{0}`")]
    Unknown(SettingName),
    /// The setting can only be read.
    #[error("`{0}` is read-only")]
    ReadOnly(SettingName),
    /// The setting can only be written.
    #[error("`{0}` is write-only")]
    WriteOnly(SettingName),
    /// The value doesn't have the setting's type, or is out of range.
    #[error("`{name}`: {reason}")]
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
