//! The messages that a station shows (2.1 part 2, O).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use ocpp_types::v2_1::{
    ClearMessageStatusEnumType, CsmsRequest, DisplayMessageStatusEnumType, MessageInfoType, StationResponse,
};
use serde::{Deserialize, Serialize};

use super::serial::is_too_large;

/// The most messages that are kept.
const MAX_MESSAGES: usize = 200;

/// The messages that are set at the station, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DisplayMessages {
    #[serde(with = "super::serial::json")]
    messages: Vec<MessageInfoType>,
    overflowed: bool,
}

impl DisplayMessages {
    /// The message with this id.
    #[must_use]
    pub fn get(&self, id: i64) -> Option<&MessageInfoType> {
        self.messages.iter().find(|message| message.id == id)
    }

    /// All messages.
    pub fn iter(&self) -> impl Iterator<Item = &MessageInfoType> {
        self.messages.iter()
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    fn set(&mut self, message: MessageInfoType) {
        // O06.FR.01: the id decides.
        self.remove(message.id);
        if self.messages.len() >= MAX_MESSAGES || is_too_large(&message) {
            self.overflowed = true;
        } else {
            self.messages.push(message);
        }
    }

    fn remove(&mut self, id: i64) -> bool {
        let before = self.messages.len();
        self.messages.retain(|message| message.id != id);
        self.messages.len() != before
    }

    /// A transaction is over, and its messages with it (O02.FR.02).
    pub(in crate::csms) fn transaction_ended(&mut self, transaction: &str) -> bool {
        let before = self.messages.len();
        self.messages.retain(|message| message.transaction_id.as_ref().is_none_or(|id| id.as_str() != transaction));
        self.messages.len() != before
    }

    /// The station tells messages (O03.FR.03).
    pub(in crate::csms) fn report(&mut self, messages: &[MessageInfoType]) {
        for message in messages {
            self.set(message.clone());
        }
    }

    /// The station has told all messages that there are.
    pub(in crate::csms) fn replace(&mut self, messages: &[MessageInfoType]) {
        let known: BTreeMap<i64, &MessageInfoType> = messages.iter().map(|message| (message.id, message)).collect();
        *self = Self::default();
        for message in known.into_values() {
            self.set(message.clone());
        }
    }

    /// Reads an answer; true if something changed.
    pub(super) fn observe(&mut self, call: &CsmsRequest, answer: &StationResponse) -> bool {
        match (call, answer) {
            (CsmsRequest::SetDisplayMessage(call), StationResponse::SetDisplayMessage(answer))
                if answer.status == DisplayMessageStatusEnumType::Accepted =>
            {
                self.set(call.message.clone());
                true
            }
            // O05.FR.02: a message that the station doesn't know is not there either.
            (CsmsRequest::ClearDisplayMessage(call), StationResponse::ClearDisplayMessage(answer))
                if matches!(
                    answer.status,
                    ClearMessageStatusEnumType::Accepted | ClearMessageStatusEnumType::Unknown
                ) =>
            {
                self.remove(call.id)
            }
            _ => false,
        }
    }
}
