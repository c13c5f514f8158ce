//! Mirrors: what the CSMS knows of the station's own data, from what the station answered and reported.
//!
//! They follow every call, whoever made it, because they read the answers and not the commands. What a station changes by
//! itself and doesn't tell stays unknown; a new report corrects it. All of them are bounded: what is over the bound is not
//! kept, and [`Mirrors::is_complete`] says so.

mod charging_profiles;
mod configuration;
mod device_model;
mod display_messages;
mod limits;
mod local_list;
mod serial;
mod tariffs;
mod variable;

use alloc::string::String;

use ocpp_types::v2_1::CsmsRequest;
use serde::{Deserialize, Serialize};

pub use self::charging_profiles::{ChargingLimit, ChargingProfiles, InstalledProfile};
pub use self::configuration::ConfigurationKeys;
pub use self::device_model::DeviceModel;
pub use self::display_messages::DisplayMessages;
pub(super) use self::limits::{MessageLimit, limit_keys};
pub use self::local_list::LocalList;
use self::tariffs::Tariffs;
pub use self::variable::{Attribute, Characteristics, Variable, VariableKey};
use super::event::Event;
use super::message::{AnswerMessage, CallMessage};
use super::session::Session;
use super::transactions::{Kind, Message};

/// What the CSMS knows of the station's own data. Taken from [`Session::mirrors`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mirrors {
    pub(super) device_model: DeviceModel,
    pub(super) configuration: ConfigurationKeys,
    pub(super) charging_profiles: ChargingProfiles,
    pub(super) local_list: LocalList,
    pub(super) display_messages: DisplayMessages,
    pub(super) tariffs: Tariffs,
    /// The firmware whose inventory was asked for.
    pub(super) inventory_of: Option<String>,
}

/// Which of the [`Mirrors`] changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mirror {
    /// [`Mirrors::device_model`].
    DeviceModel,
    /// [`Mirrors::configuration`].
    Configuration,
    /// [`Mirrors::charging_profiles`].
    ChargingProfiles,
    /// [`Mirrors::local_list`].
    LocalList,
    /// [`Mirrors::display_messages`].
    DisplayMessages,
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

    /// The charging profiles of the station, and the limits that others have set.
    #[must_use]
    pub fn charging_profiles(&self) -> &ChargingProfiles {
        &self.charging_profiles
    }

    /// The local authorization list of the station.
    #[must_use]
    pub fn local_list(&self) -> &LocalList {
        &self.local_list
    }

    /// The messages that the station shows.
    #[must_use]
    pub fn display_messages(&self) -> &DisplayMessages {
        &self.display_messages
    }

    /// Whether nothing was left out because there was too much of it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !(self.device_model.overflowed()
            || self.configuration.overflowed()
            || self.charging_profiles.overflowed()
            || self.display_messages.overflowed())
    }

    /// Reads an answer; which mirror changed by it.
    pub(super) fn observe(&mut self, call: &CallMessage, answer: &AnswerMessage) -> Option<Mirror> {
        let changed = match (call, answer) {
            #[cfg(feature = "v1_6")]
            (CallMessage::V1_6(call), AnswerMessage::V1_6(answer)) => [
                (self.configuration.observe(call, answer), Mirror::Configuration),
                (self.charging_profiles.observe_v1_6(call, answer), Mirror::ChargingProfiles),
                (self.local_list.observe_v1_6(call, answer), Mirror::LocalList),
                (false, Mirror::DisplayMessages),
            ],
            (CallMessage::V2(call), AnswerMessage::V2(answer)) => {
                match &**call {
                    CsmsRequest::SetDefaultTariff(call) => self.tariffs.note(&call.tariff),
                    CsmsRequest::ChangeTransactionTariff(call) => self.tariffs.note(&call.tariff),
                    _ => {}
                }
                [
                    (self.device_model.observe(call, answer), Mirror::DeviceModel),
                    (self.charging_profiles.observe(call, answer), Mirror::ChargingProfiles),
                    (self.local_list.observe(call, answer), Mirror::LocalList),
                    (self.display_messages.observe(call, answer), Mirror::DisplayMessages),
                ]
            }
            #[allow(unreachable_patterns)]
            _ => return None,
        };
        // An answer is about one of them.
        changed.into_iter().find_map(|(changed, mirror)| changed.then_some(mirror))
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
        self.observe_flows(call, answer);
        if let Some(mirror) = self.mirrors.observe(call, answer) {
            self.event(Event::MirrorChanged(mirror));
        }
        self.observe_reservation(call, answer);
    }

    /// The station tells of a transaction, by the name that it has on the wire.
    pub(super) fn observe_transaction(&mut self, message: &Message) {
        let (event, transaction) = (&message.event, message.event.transaction.as_str());
        match message.kind {
            Kind::Started => {
                if let Some(place) = event.place {
                    self.mirrors.charging_profiles.transaction_started(place.evse);
                }
            }
            Kind::Ended => {
                if self.mirrors.charging_profiles.transaction_ended(transaction) {
                    self.event(Event::MirrorChanged(Mirror::ChargingProfiles));
                }
                if self.mirrors.display_messages.transaction_ended(transaction) {
                    self.event(Event::MirrorChanged(Mirror::DisplayMessages));
                }
            }
            // B13.FR.31, E17.FR.15
            Kind::Updated if event.trigger.as_deref() == Some("TxResumed") => {
                self.resume_profiles(&event.transaction);
            }
            Kind::Updated => {}
        }
    }
}
