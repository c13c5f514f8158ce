//! Mirrors: what the CSMS knows of the station's own data, from what the station answered and reported.
//!
//! They follow every call, whoever made it, because they read the answers and not the commands. What a station changes by
//! itself and doesn't tell stays unknown; a new report corrects it. All of them are bounded: what is over the bound is not
//! kept, and [`Mirrors::is_complete`] says so.

mod configuration;
mod device_model;
mod limits;
mod serial;
mod variable;

use serde::{Deserialize, Serialize};

pub use self::configuration::ConfigurationKeys;
pub use self::device_model::DeviceModel;
pub(super) use self::limits::{MessageLimit, limit_keys};
pub use self::variable::{Attribute, Characteristics, Variable, VariableKey};
use super::event::Event;
use super::message::{AnswerMessage, CallMessage};
use super::session::Session;

/// What the CSMS knows of the station's own data. Taken from [`Session::mirrors`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mirrors {
    pub(super) device_model: DeviceModel,
    pub(super) configuration: ConfigurationKeys,
}

/// Which of the [`Mirrors`] changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mirror {
    /// [`Mirrors::device_model`].
    DeviceModel,
    /// [`Mirrors::configuration`].
    Configuration,
}

impl Mirrors {
    /// The variables of a 2.x station.
    #[must_use]
    pub fn device_model(&self) -> &DeviceModel {
        &self.device_model
    }

    /// The configuration keys of a 1.6 station.
    #[must_use]
    pub fn configuration(&self) -> &ConfigurationKeys {
        &self.configuration
    }

    /// Whether nothing was left out because there was too much of it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.device_model.overflowed() && !self.configuration.overflowed()
    }

    /// Reads an answer; which mirror changed by it.
    pub(super) fn observe(&mut self, call: &CallMessage, answer: &AnswerMessage) -> Option<Mirror> {
        match (call, answer) {
            #[cfg(feature = "v1_6")]
            (CallMessage::V1_6(call), AnswerMessage::V1_6(answer)) => {
                self.configuration.observe(call, answer).then_some(Mirror::Configuration)
            }
            (CallMessage::V2(call), AnswerMessage::V2(answer)) => {
                self.device_model.observe(call, answer).then_some(Mirror::DeviceModel)
            }
            #[allow(unreachable_patterns)]
            _ => None,
        }
    }
}

impl Session {
    /// What is known of the station's own data.
    #[must_use]
    pub fn mirrors(&self) -> &Mirrors {
        &self.mirrors
    }

    /// The station answered a call, whoever made it: what is known of the station is brought up to date.
    pub(super) fn observe(&mut self, call: &CallMessage, answer: &AnswerMessage) {
        if let Some(mirror) = self.mirrors.observe(call, answer) {
            self.event(Event::MirrorChanged(mirror));
        }
        self.observe_reservation(call, answer);
    }
}
