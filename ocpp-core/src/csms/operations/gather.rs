//! Data that a station sends in messages of its own after it was asked, until it says that there is no more: charging profiles,
//! display messages, DER controls (2.1 part 2, K09, O03, O04, R04).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::mem;

use ocpp_types::v2_1::{
    ChargingProfileCriterionType, GetChargingProfilesRequest, GetDERControlRequest, GetDisplayMessagesRequest,
    MessageInfoType, ReportDERControlRequest, StationRequest, StationResponse, StatusInfoType,
};

use super::{Happened, Next, Operation, Scene};
use crate::csms::command::{CallAnswer, CallOutcome, CallResult};
use crate::csms::event::Event;
use crate::csms::message::{AnswerMessage, CallMessage, RequestMessage};
use crate::csms::mirrors::{InstalledProfile, Mirror};
use crate::csms::request::Request;

/// The most entries that are gathered.
const MAX_GATHERED: usize = 1000;

/// The most bytes that are gathered; what comes after is not kept.
pub(super) const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What is asked for, and what has come of it.
pub(super) trait Source: Debug + Send + Sync {
    /// The call that asks.
    fn call(&mut self, request_id: i64) -> CallMessage;

    /// How the station takes it: its status, and whether there is something to send, or nothing.
    fn status<'a>(&self, answer: &'a StationResponse) -> Option<(&'a str, Option<&'a StatusInfoType>)>;

    /// Reads a part: whose it is, and whether more follow. It's only kept where it's of this request.
    fn part(&mut self, request: &StationRequest, request_id: i64) -> Option<bool>;

    /// What was gathered. `complete` says whether the last part came.
    fn finish(&mut self, scene: &mut Scene<'_>, complete: bool) -> CallResult;
}

/// The answers that mean that nothing fits the question.
const NOTHING: [&str; 4] = ["NoProfiles", "Unknown", "NotFound", "EmptyResultSet"];

/// Asks, and gathers what comes.
#[derive(Debug)]
pub(super) struct Gather<S: Source> {
    source: S,
    request_id: i64,
    accepted: bool,
    done: bool,
    payload: String,
    bytes: usize,
    overflowed: bool,
}

impl<S: Source> Gather<S> {
    pub(super) fn new(source: S) -> Self {
        Self {
            source,
            request_id: 0,
            accepted: false,
            done: false,
            payload: String::new(),
            bytes: 0,
            overflowed: false,
        }
    }

    fn end(&mut self, scene: &mut Scene<'_>, complete: bool) -> Next {
        let complete = complete && !self.overflowed;
        let (payload, result) = (mem::take(&mut self.payload), self.source.finish(scene, complete));
        Next::End(CallOutcome::Answered(CallAnswer { payload, result }))
    }
}

impl<S: Source> Operation for Gather<S> {
    fn advance(&mut self, scene: &mut Scene<'_>, happened: Happened<'_>) -> Next {
        match happened {
            Happened::Begun => {
                self.request_id = scene.session.next_request_id(scene.now);
                Next::Call(self.source.call(self.request_id))
            }
            Happened::Answered { message, payload } => {
                self.payload = payload;
                #[allow(irrefutable_let_patterns)]
                let AnswerMessage::V2(answer) = *message else { return Next::End(CallOutcome::NotSupported) };
                match self.source.status(&answer) {
                    Some(("Accepted", _)) if self.done => self.end(scene, true),
                    Some(("Accepted", _)) => {
                        self.accepted = true;
                        Next::Wait(scene.session.config.report_timeout)
                    }
                    Some((status, _)) if NOTHING.contains(&status) => self.end(scene, true),
                    Some((status, info)) => {
                        let reason = info.map(crate::csms::v2::reason);
                        let result = CallResult::Refused { status: status.into(), reason };
                        let payload = mem::take(&mut self.payload);
                        Next::End(CallOutcome::Answered(CallAnswer { payload, result }))
                    }
                    None => Next::End(CallOutcome::NotSupported),
                }
            }
            Happened::Failed(outcome) => Next::End(outcome),
            Happened::Request(Request::Message { message: RequestMessage::V2(request), payload }) => {
                if self.bytes + payload.len() > MAX_BYTES {
                    self.overflowed = true;
                    return Next::Stay;
                }
                let part = self.source.part(request, self.request_id);
                self.bytes += part.map_or(0, |_| payload.len());
                match part {
                    None => Next::Stay,
                    Some(more) => {
                        self.done |= !more;
                        match (self.accepted, self.done) {
                            (true, true) => self.end(scene, true),
                            (true, false) => Next::Wait(scene.session.config.report_timeout),
                            // A part can overtake the answer to the request.
                            (false, _) => Next::Stay,
                        }
                    }
                }
            }
            Happened::TimedOut => self.end(scene, false),
            _ => Next::Stay,
        }
    }
}

/// Charging profiles (K09).
#[derive(Debug)]
pub(super) struct Profiles {
    pub(super) evse: Option<i64>,
    pub(super) criterion: ChargingProfileCriterionType,
    pub(super) gathered: Vec<InstalledProfile>,
}

impl Source for Profiles {
    fn call(&mut self, request_id: i64) -> CallMessage {
        let mut request = GetChargingProfilesRequest::new(request_id, self.criterion.clone());
        request.evse_id = self.evse;
        CallMessage::v2(request)
    }

    fn status<'a>(&self, answer: &'a StationResponse) -> Option<(&'a str, Option<&'a StatusInfoType>)> {
        let StationResponse::GetChargingProfiles(answer) = answer else { return None };
        Some((answer.status.as_str(), answer.status_info.as_ref()))
    }

    fn part(&mut self, request: &StationRequest, request_id: i64) -> Option<bool> {
        let StationRequest::ReportChargingProfiles(part) = request else { return None };
        if part.request_id != request_id {
            return None;
        }
        let room = MAX_GATHERED.saturating_sub(self.gathered.len());
        let installed =
            part.charging_profile.iter().take(room).map(|profile| {
                InstalledProfile::new(part.evse_id, part.charging_limit_source.as_str(), profile.clone())
            });
        self.gathered.extend(installed);
        Some(part.tbc.unwrap_or(false))
    }

    fn finish(&mut self, scene: &mut Scene<'_>, complete: bool) -> CallResult {
        if complete {
            scene.session.mirrors.charging_profiles.reported(self.evse, &self.criterion, &self.gathered);
            scene.event(Event::MirrorChanged(Mirror::ChargingProfiles));
        }
        CallResult::ChargingProfiles { profiles: mem::take(&mut self.gathered), complete }
    }
}

/// Display messages (O03, O04).
#[derive(Debug)]
pub(super) struct DisplayMessages {
    pub(super) request: GetDisplayMessagesRequest,
    pub(super) gathered: Vec<MessageInfoType>,
}

impl Source for DisplayMessages {
    fn call(&mut self, request_id: i64) -> CallMessage {
        self.request.request_id = request_id;
        CallMessage::v2(self.request.clone())
    }

    fn status<'a>(&self, answer: &'a StationResponse) -> Option<(&'a str, Option<&'a StatusInfoType>)> {
        let StationResponse::GetDisplayMessages(answer) = answer else { return None };
        Some((answer.status.as_str(), answer.status_info.as_ref()))
    }

    fn part(&mut self, request: &StationRequest, request_id: i64) -> Option<bool> {
        let StationRequest::NotifyDisplayMessages(part) = request else { return None };
        if part.request_id != request_id {
            return None;
        }
        let room = MAX_GATHERED.saturating_sub(self.gathered.len());
        self.gathered.extend(part.message_info.iter().flatten().take(room).cloned());
        Some(part.tbc.unwrap_or(false))
    }

    fn finish(&mut self, scene: &mut Scene<'_>, complete: bool) -> CallResult {
        let request = &self.request;
        let all = request.id.is_none() && request.priority.is_none() && request.state.is_none();
        if complete && all {
            // O03.FR.02: all messages that there are.
            scene.session.mirrors.display_messages.replace(&self.gathered);
            scene.event(Event::MirrorChanged(Mirror::DisplayMessages));
        }
        CallResult::DisplayMessages { messages: mem::take(&mut self.gathered), complete }
    }
}

/// DER controls (R04).
#[derive(Debug)]
pub(super) struct Controls {
    pub(super) request: GetDERControlRequest,
    pub(super) gathered: Vec<ReportDERControlRequest>,
}

impl Source for Controls {
    fn call(&mut self, request_id: i64) -> CallMessage {
        self.request.request_id = request_id;
        CallMessage::v2(self.request.clone())
    }

    fn status<'a>(&self, answer: &'a StationResponse) -> Option<(&'a str, Option<&'a StatusInfoType>)> {
        let StationResponse::GetDERControl(answer) = answer else { return None };
        Some((answer.status.as_str(), answer.status_info.as_ref()))
    }

    fn part(&mut self, request: &StationRequest, request_id: i64) -> Option<bool> {
        let StationRequest::ReportDERControl(part) = request else { return None };
        if part.request_id != request_id {
            return None;
        }
        if self.gathered.len() < MAX_GATHERED {
            self.gathered.push(part.clone());
        }
        Some(part.tbc.unwrap_or(false))
    }

    fn finish(&mut self, _: &mut Scene<'_>, complete: bool) -> CallResult {
        CallResult::DERControls { reports: mem::take(&mut self.gathered), complete }
    }
}
