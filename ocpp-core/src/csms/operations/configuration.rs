//! Configuration keys of 1.6, read in as many messages as the station needs (1.6 edition 2, 5.8).

use alloc::string::ToString;
use alloc::vec::Vec;
use core::mem;

use ocpp_types::Text;
use ocpp_types::v1_6::{GetConfigurationRequest, StationResponse};

use super::split::Batch;
use crate::csms::command::{CallResult, Setting};
use crate::csms::message::{AnswerMessage, CallMessage};
use crate::csms::mirrors::{MessageLimit, Mirrors};

/// How many keys a station can be asked for at once (1.6 edition 2, 9.1.8).
const LIMIT: &str = "GetConfigurationMaxKeys";

/// Reads keys.
#[derive(Debug, Default)]
pub(super) struct ReadKeys {
    settings: Vec<Setting>,
    unknown: Vec<alloc::string::String>,
}

impl Batch for ReadKeys {
    type Entry = Text<50>;

    fn limit(&self, mirrors: &Mirrors) -> MessageLimit {
        let items = mirrors.configuration().integer(LIMIT).and_then(|items| usize::try_from(items).ok());
        MessageLimit { items: items.filter(|items| *items > 0), bytes: None }
    }

    fn limit_call(&self, _: &Mirrors) -> Option<CallMessage> {
        let mut request = GetConfigurationRequest::new();
        request.key = Some([Text::truncated(LIMIT)].into());
        Some(CallMessage::v1_6(request))
    }

    fn bytes(entry: &Text<50>) -> usize {
        entry.len()
    }

    fn call(&mut self, entries: Vec<Text<50>>) -> CallMessage {
        let mut request = GetConfigurationRequest::new();
        request.key = Some(entries);
        CallMessage::v1_6(request)
    }

    fn take(&mut self, answer: AnswerMessage) {
        if let AnswerMessage::V1_6(answer) = answer
            && let StationResponse::GetConfiguration(answer) = *answer
        {
            self.settings.extend(answer.configuration_key.into_iter().flatten().map(|setting| Setting {
                name: setting.key.to_string(),
                value: setting.value.map(|value| value.to_string()),
                readonly: Some(setting.readonly),
            }));
            self.unknown.extend(answer.unknown_key.iter().flatten().map(ToString::to_string));
        }
    }

    fn result(&mut self) -> CallResult {
        CallResult::Configuration { settings: mem::take(&mut self.settings), unknown: mem::take(&mut self.unknown) }
    }
}
