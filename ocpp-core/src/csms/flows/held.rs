//! What is in the station's local authorization list, as far as the messages that it accepted tell (2.1 part 2, D01; 1.6 edition 2, 5.15).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::Version;
use ocpp_types::v2_1::{
    AuthorizationData, CsmsRequest, IdTokenType, SendLocalListStatusEnumType, StationResponse, UpdateEnumType,
};

use crate::csms::message::{AnswerMessage, CallMessage};
use crate::csms::transactions::fingerprint;

/// How many tokens are remembered; of a longer list nothing is.
const MAX_TOKENS: usize = 50_000;

/// The list that the station has. It is no part of a snapshot, because it may be long: after a restart of the CSMS it isn't known, and
/// a list is sent as a whole.
#[derive(Debug, Default)]
pub(super) struct HeldList {
    /// The version of what is known; `None` where nothing is.
    version: Option<i64>,
    tokens: BTreeMap<Key, Held>,
}

/// A token as stations compare it: its text and its type, which 1.6 doesn't tell.
type Key = (String, String);

#[derive(Debug)]
struct Held {
    token: IdTokenType,
    /// Of what the list says about it, as it went over the wire.
    info: u64,
}

/// How a token and what is said about it look in this version.
fn entry(version: Version, data: &AuthorizationData) -> (Key, Option<u64>) {
    let text = data.id_token.id_token.to_ascii_lowercase();
    #[cfg(feature = "v1_6")]
    if version == Version::V1_6 {
        let written = crate::csms::v1_6::local_list(1, &UpdateEnumType::Full, core::slice::from_ref(data)).ok();
        let list = written.and_then(|request| request.local_authorization_list).unwrap_or_default();
        return ((text, String::new()), list.first().and_then(of_1_6));
    }
    let _ = version;
    let info = data.id_token_info.as_ref().and_then(|info| serde_json::to_string(info).ok());
    ((text, data.id_token.r#type.to_ascii_lowercase()), info.map(|info| fingerprint([&*info])))
}

#[cfg(feature = "v1_6")]
fn of_1_6(data: &ocpp_types::v1_6::AuthorizationData) -> Option<u64> {
    let info = serde_json::to_string(data.id_tag_info.as_ref()?).ok()?;
    Some(fingerprint([&*info]))
}

impl HeldList {
    /// What has to be told a station with this version of the list, for it to have the wanted one: `None` where what it has isn't known.
    pub(super) fn changes(
        &self,
        version: Version,
        held: i64,
        wanted: &[AuthorizationData],
    ) -> Option<Vec<AuthorizationData>> {
        if self.version != Some(held) {
            return None;
        }
        let mut gone: BTreeMap<&Key, &Held> = self.tokens.iter().collect();
        let mut changes = Vec::new();
        for data in wanted {
            let (key, info) = entry(version, data);
            let held = gone.remove(&key).map(|held| held.info);
            // What can't be written at all is not left out silently.
            if info.is_none() || held != info {
                changes.push(data.clone());
            }
        }
        // D01.FR.17; 1.6 edition 2, 7.1: one without information is taken out
        changes.extend(gone.into_values().map(|held| AuthorizationData::new(held.token.clone())));
        Some(changes)
    }

    /// Takes in what a call came to, whoever made it.
    pub(super) fn observe(&mut self, call: &CallMessage, answer: &AnswerMessage) {
        match (call, answer) {
            #[cfg(feature = "v1_6")]
            (CallMessage::V1_6(call), AnswerMessage::V1_6(answer)) => {
                use ocpp_types::v1_6::{CsmsRequest, StationResponse, UpdateStatus, UpdateType};
                match (&**call, &**answer) {
                    (CsmsRequest::SendLocalList(call), StationResponse::SendLocalList(answer)) => {
                        let entries = call.local_authorization_list.iter().flatten().map(|data| {
                            let kind = ocpp_types::Text::truncated("");
                            let token = IdTokenType::new(ocpp_types::Text::truncated(&data.id_tag), kind);
                            ((data.id_tag.to_ascii_lowercase(), String::new()), token, of_1_6(data))
                        });
                        let is_full = call.update_type == UpdateType::Full;
                        match answer.status {
                            UpdateStatus::Accepted => self.updated(call.list_version, is_full, entries),
                            _ => self.forget(),
                        }
                    }
                    (_, StationResponse::GetLocalListVersion(answer)) => self.has(answer.list_version),
                    _ => {}
                }
            }
            (CallMessage::V2(call), AnswerMessage::V2(answer)) => match (&**call, &**answer) {
                (CsmsRequest::SendLocalList(call), StationResponse::SendLocalList(answer)) => {
                    let entries = call.local_authorization_list.iter().flatten().map(|data| {
                        let (key, info) = entry(Version::V2_1, data);
                        (key, data.id_token.clone(), info)
                    });
                    let is_full = call.update_type == UpdateEnumType::Full;
                    match answer.status {
                        SendLocalListStatusEnumType::Accepted => self.updated(call.version_number, is_full, entries),
                        _ => self.forget(),
                    }
                }
                (_, StationResponse::GetLocalListVersion(answer)) => self.has(answer.version_number),
                _ => {}
            },
            #[allow(unreachable_patterns)]
            _ => {}
        }
    }

    /// The station accepted a message (D01.FR.04, D01.FR.05, D01.FR.15 to D01.FR.17).
    fn updated(&mut self, version: i64, is_full: bool, entries: impl Iterator<Item = (Key, IdTokenType, Option<u64>)>) {
        if is_full {
            self.tokens.clear();
        } else if self.version.is_none() {
            return;
        }
        self.version = Some(version);
        for (key, token, info) in entries {
            match info {
                Some(info) => self.tokens.insert(key, Held { token, info }),
                None => self.tokens.remove(&key),
            };
        }
        if self.tokens.len() > MAX_TOKENS {
            self.forget();
        }
    }

    /// The station says which version it has. Without a list there is nothing in it (D02.FR.02).
    fn has(&mut self, version: i64) {
        if version == 0 {
            self.tokens.clear();
            self.version = Some(0);
        } else if self.version != Some(version) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        *self = Self::default();
    }
}
