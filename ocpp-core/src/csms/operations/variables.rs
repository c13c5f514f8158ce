//! Attributes of variables, read and written in as many messages as the station needs (2.1 part 2, B05 and B06).

use alloc::vec::Vec;
use core::mem;

use ocpp_types::v2_1::{
    AttributeEnumType, GetVariableDataType, GetVariableResultType, GetVariablesRequest, SetVariableDataType,
    SetVariableResultType, SetVariablesRequest, StationResponse,
};

use super::split::{Batch, read};
use crate::csms::command::CallResult;
use crate::csms::message::{AnswerMessage, CallMessage};
use crate::csms::mirrors::{MessageLimit, Mirrors, VariableKey, limit_keys};

/// The component that tells how much of the device model fits into a message.
pub(super) const DEVICE_DATA: &str = "DeviceDataCtrlr";

/// Which of a message's limits isn't known yet.
pub(super) fn unknown_limit(mirrors: &Mirrors, component: &str, instance: Option<&str>) -> Option<CallMessage> {
    let [items, _] = limit_keys(component, instance);
    mirrors.device_model().value(&items).is_none().then(|| read(&items))
}

/// How many bytes a value takes on the wire.
pub(in crate::csms) fn bytes_of<T: serde::Serialize>(value: &T) -> usize {
    serde_json::to_string(value).map_or(usize::MAX / 2, |text| text.len())
}

/// Reads attributes (B06.FR.05).
#[derive(Debug, Default)]
pub(super) struct Read {
    results: Vec<GetVariableResultType>,
    /// Whether the application asked for settings by name.
    as_settings: bool,
}

impl Read {
    /// The same for settings by name.
    pub(super) fn settings() -> Self {
        Self { results: Vec::new(), as_settings: true }
    }
}

impl Batch for Read {
    type Entry = GetVariableDataType;

    fn limit(&self, mirrors: &Mirrors) -> MessageLimit {
        mirrors.message_limit(DEVICE_DATA, Some("GetVariables"))
    }

    fn limit_call(&self, mirrors: &Mirrors) -> Option<CallMessage> {
        unknown_limit(mirrors, DEVICE_DATA, Some("GetVariables"))
    }

    fn bytes(entry: &GetVariableDataType) -> usize {
        bytes_of(entry)
    }

    fn call(&mut self, entries: Vec<GetVariableDataType>) -> CallMessage {
        CallMessage::v2(GetVariablesRequest::new(entries))
    }

    fn take(&mut self, answer: AnswerMessage) {
        if let AnswerMessage::V2(answer) = answer
            && let StationResponse::GetVariables(answer) = *answer
        {
            self.results.extend(answer.get_variable_result);
        }
    }

    fn result(&mut self) -> CallResult {
        let results = mem::take(&mut self.results);
        if self.as_settings { crate::csms::v2::settings(results) } else { CallResult::Variables(results) }
    }
}

/// Writes attributes (B05.FR.11).
#[derive(Debug, Default)]
pub(super) struct Write {
    results: Vec<SetVariableResultType>,
}

impl Batch for Write {
    type Entry = SetVariableDataType;

    fn limit(&self, mirrors: &Mirrors) -> MessageLimit {
        mirrors.message_limit(DEVICE_DATA, Some("SetVariables"))
    }

    fn limit_call(&self, mirrors: &Mirrors) -> Option<CallMessage> {
        unknown_limit(mirrors, DEVICE_DATA, Some("SetVariables"))
    }

    fn bytes(entry: &SetVariableDataType) -> usize {
        bytes_of(entry)
    }

    /// B05.FR.13
    fn compatible(one: &SetVariableDataType, other: &SetVariableDataType) -> bool {
        let name = |data: &SetVariableDataType| VariableKey::of(&data.component, &data.variable);
        let kind = |data: &SetVariableDataType| data.attribute_type.clone().unwrap_or(AttributeEnumType::Actual);
        (name(one), kind(one)) != (name(other), kind(other))
    }

    fn call(&mut self, entries: Vec<SetVariableDataType>) -> CallMessage {
        CallMessage::v2(SetVariablesRequest::new(entries))
    }

    fn take(&mut self, answer: AnswerMessage) {
        if let AnswerMessage::V2(answer) = answer
            && let StationResponse::SetVariables(answer) = *answer
        {
            self.results.extend(answer.set_variable_result);
        }
    }

    fn result(&mut self) -> CallResult {
        CallResult::VariablesSet(mem::take(&mut self.results))
    }
}
