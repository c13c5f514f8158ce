//! The local authorization list, sent in as many messages as the station needs (2.1 part 2, D01; 1.6 edition 2, 5.15).

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::Version;
use ocpp_types::v2_1::{AuthorizationData, SendLocalListRequest, StationResponse, UpdateEnumType};

use super::split::{chunk, read};
use super::variables::bytes_of;
use super::{Happened, Next, Operation, Scene};
use crate::csms::command::{CallAnswer, CallOutcome, CallResult};
use crate::csms::message::{AnswerMessage, CallMessage};
use crate::csms::mirrors::{MessageLimit, limit_keys};
use crate::csms::wire::invalid;

/// The component that tells how much of a list fits into a message.
const LOCAL_LIST: &str = "LocalAuthListCtrlr";

/// The key of 1.6 that does (1.6 edition 2, 9.2.3).
#[cfg(feature = "v1_6")]
const MAX_LENGTH: &str = "SendLocalListMaxLength";

/// Sends a list.
#[derive(Debug)]
pub(super) struct SendList {
    version: i64,
    update: UpdateEnumType,
    entries: VecDeque<AuthorizationData>,
    /// The whole list, to be sent where a station can't take the changes.
    whole: Option<Vec<AuthorizationData>>,
    /// The version of the message that was sent last.
    sent: Option<i64>,
    asking: bool,
    asked: bool,
}

impl SendList {
    pub(super) fn new(
        version: i64,
        update: UpdateEnumType,
        entries: Vec<AuthorizationData>,
        whole: Option<Vec<AuthorizationData>>,
    ) -> Self {
        Self { version, update, entries: entries.into(), whole, sent: None, asking: false, asked: false }
    }

    /// How much fits into a message, and how to find out where that isn't known.
    fn limit(scene: &Scene<'_>) -> (MessageLimit, CallMessage) {
        let mirrors = scene.session.mirrors();
        #[cfg(feature = "v1_6")]
        if scene.version() == Some(Version::V1_6) {
            use ocpp_types::Text;
            let items = mirrors.configuration().integer(MAX_LENGTH).and_then(|items| usize::try_from(items).ok());
            let mut request = ocpp_types::v1_6::GetConfigurationRequest::new();
            request.key = Some([Text::truncated(MAX_LENGTH)].into());
            return (MessageLimit { items: items.filter(|items| *items > 0), bytes: None }, CallMessage::v1_6(request));
        }
        let [items, _] = limit_keys(LOCAL_LIST, None);
        (mirrors.message_limit(LOCAL_LIST, None), read(&items))
    }

    fn next(&mut self, scene: &Scene<'_>, payload: String) -> Next {
        if self.entries.is_empty()
            && let Some(version) = self.sent
        {
            let result = CallResult::LocalListSent { version };
            return Next::End(CallOutcome::Answered(CallAnswer { payload, result }));
        }
        let (limit, question) = Self::limit(scene);
        if limit.items.is_none() && self.entries.len() > 1 && !self.asked {
            (self.asked, self.asking) = (true, true);
            return Next::Call(question);
        }
        // D01.FR.11
        let compatible = |_: &AuthorizationData, _: &AuthorizationData| true;
        let Some(part) = chunk(&mut self.entries, limit, bytes_of, compatible) else {
            return Next::End(invalid("", "one entry alone is more than the station takes in a message"));
        };
        // Of a list in several messages the first is the update that was asked for, the others add to it (D01.FR.03). Each
        // has a version of its own, because a station refuses changes to the version that it has.
        let (update, version) = match self.sent {
            None => (self.update.clone(), self.version),
            Some(version) => (UpdateEnumType::Differential, version + 1),
        };
        self.sent = Some(version);
        match write(scene.version(), version, update, part) {
            Ok(call) => Next::Call(call),
            Err(outcome) => Next::End(outcome),
        }
    }

    fn answered(&mut self, scene: &Scene<'_>, message: &AnswerMessage, payload: String) -> Next {
        let Some((status, reason)) = status(message) else { return Next::End(CallOutcome::NotSupported) };
        if status == "Accepted" {
            return self.next(scene, payload);
        }
        // D01.FR.03: a list that doesn't take the changes is sent as a whole; once.
        let mismatch = status == "Failed" || status == "VersionMismatch";
        match self.whole.take() {
            Some(whole) if mismatch && self.update == UpdateEnumType::Differential => {
                self.entries = whole.into();
                self.update = UpdateEnumType::Full;
                self.sent = None;
                self.next(scene, payload)
            }
            _ => {
                let result = CallResult::Refused { status, reason };
                Next::End(CallOutcome::Answered(CallAnswer { payload, result }))
            }
        }
    }
}

/// A message of a list, in the words of the version.
pub(in crate::csms) fn write(
    version: Option<Version>,
    list_version: i64,
    update: UpdateEnumType,
    entries: Vec<AuthorizationData>,
) -> Result<CallMessage, CallOutcome> {
    #[cfg(feature = "v1_6")]
    if version == Some(Version::V1_6) {
        return crate::csms::v1_6::local_list(list_version, &update, &entries).map(CallMessage::v1_6);
    }
    let _ = version;
    let mut request = SendLocalListRequest::new(list_version, update);
    request.local_authorization_list = (!entries.is_empty()).then_some(entries);
    Ok(CallMessage::v2(request))
}

fn status(message: &AnswerMessage) -> Option<(String, Option<String>)> {
    match message {
        #[cfg(feature = "v1_6")]
        AnswerMessage::V1_6(answer) => match &**answer {
            ocpp_types::v1_6::StationResponse::SendLocalList(answer) => Some((answer.status.as_str().into(), None)),
            _ => None,
        },
        AnswerMessage::V2(answer) => match &**answer {
            StationResponse::SendLocalList(answer) => {
                let reason = answer.status_info.as_ref().map(crate::csms::v2::reason);
                Some((answer.status.as_str().into(), reason))
            }
            _ => None,
        },
    }
}

impl Operation for SendList {
    fn advance(&mut self, scene: &mut Scene<'_>, happened: Happened<'_>) -> Next {
        match happened {
            Happened::Begun => self.next(scene, String::new()),
            Happened::Answered { .. } | Happened::Failed(CallOutcome::Error(_)) if self.asking => {
                self.asking = false;
                self.next(scene, String::new())
            }
            Happened::Answered { message, payload } => self.answered(scene, &message, payload),
            Happened::Failed(outcome) => Next::End(outcome),
            _ => Next::Stay,
        }
    }
}
