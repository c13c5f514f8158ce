//! Reports on variables: asked for, their parts joined (2.1 part 2, B07 and B08).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use ocpp_types::v2_1::{
    ComponentCriterionEnumType, ComponentVariableType, GenericDeviceModelStatusEnumType, GetBaseReportRequest,
    GetReportRequest, NotifyReportRequest, ReportBaseEnumType, StationRequest, StationResponse, StatusInfoType,
};

use super::gather::MAX_BYTES;
use super::split::chunk;
use super::variables::{DEVICE_DATA, bytes_of, unknown_limit};
use super::{Happened, Next, Operation, Scene};
use crate::csms::command::{CallAnswer, CallOutcome, CallResult, Report};
use crate::csms::event::Event;
use crate::csms::message::{AnswerMessage, CallMessage, RequestMessage};
use crate::csms::mirrors::Mirror;
use crate::csms::request::Request;
use crate::csms::session::Session;
use crate::csms::transactions::sequence::Sequence;
use crate::csms::wire::invalid;
use crate::rpc::IncomingId;

/// The most variables that are joined into one report.
const MAX_REPORTED: usize = 4000;

impl Session {
    /// The station reports variables, asked for or not.
    pub(in crate::csms) fn receive_report(&mut self, id: IncomingId, request: NotifyReportRequest) {
        let variables = request.report_data.unwrap_or_default();
        self.mirrors.device_model.merge(&variables);
        let (request_id, sequence) = (request.request_id, request.seq_no);
        let last = !request.tbc.unwrap_or(false);
        self.take_note(id, Event::VariablesReported { request_id, sequence, last, variables });
        self.event(Event::MirrorChanged(Mirror::DeviceModel));
    }
}

/// What is asked for.
#[derive(Debug)]
pub(super) enum Wanted {
    Base(ReportBaseEnumType),
    Some { criteria: Vec<ComponentCriterionEnumType>, variables: VecDeque<ComponentVariableType> },
}

/// Asks for a report, or for several where it's too much to name for one message.
#[derive(Debug)]
pub(super) struct AskForReport {
    wanted: Wanted,
    request_id: i64,
    /// Whether the present request was accepted.
    accepted: bool,
    asking_limit: bool,
    asked_limit: bool,
    /// What was sent for the present request.
    parts: Sequence,
    last: Option<i64>,
    report: Report,
    payload: String,
    bytes: usize,
}

impl AskForReport {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            request_id: 0,
            accepted: false,
            asking_limit: false,
            asked_limit: false,
            parts: Sequence::default(),
            last: None,
            report: Report { complete: true, ..Report::default() },
            payload: String::new(),
            bytes: 0,
        }
    }

    fn ask(&mut self, scene: &mut Scene<'_>) -> Next {
        self.request_id = scene.session.next_request_id(scene.now);
        self.accepted = false;
        self.parts = Sequence::default();
        self.last = None;
        let limit = scene.session.mirrors().message_limit(DEVICE_DATA, Some("GetReport"));
        match &mut self.wanted {
            Wanted::Base(base) => Next::Call(CallMessage::v2(GetBaseReportRequest::new(self.request_id, base.clone()))),
            Wanted::Some { criteria, variables } => {
                if limit.items.is_none() && variables.len() > 1 && !mem::replace(&mut self.asked_limit, true) {
                    self.asking_limit = true;
                    if let Some(call) = unknown_limit(scene.session.mirrors(), DEVICE_DATA, Some("GetReport")) {
                        return Next::Call(call);
                    }
                }
                // B08.FR.06
                let Some(chunk) = chunk(variables, limit, bytes_of, |_, _| true) else {
                    return Next::End(invalid("", "one entry alone is more than the station takes in a message"));
                };
                let mut request = GetReportRequest::new(self.request_id);
                request.component_variable = (!chunk.is_empty()).then_some(chunk);
                request.component_criteria = (!criteria.is_empty()).then(|| criteria.clone());
                Next::Call(CallMessage::v2(request))
            }
        }
    }

    /// Takes in how the station takes the request.
    fn answered(&mut self, scene: &mut Scene<'_>, message: AnswerMessage, payload: String) -> Next {
        let (status, info): (_, Option<StatusInfoType>) = match message {
            AnswerMessage::V2(answer) => match *answer {
                StationResponse::GetBaseReport(answer) => (answer.status, answer.status_info),
                StationResponse::GetReport(answer) => (answer.status, answer.status_info),
                _ => return self.ask(scene),
            },
            #[allow(unreachable_patterns)]
            _ => return Next::End(CallOutcome::NotSupported),
        };
        self.payload = payload;
        match status {
            GenericDeviceModelStatusEnumType::Accepted => {
                self.accepted = true;
                self.go_on(scene)
            }
            // B08.FR.15
            GenericDeviceModelStatusEnumType::EmptyResultSet => self.finish_request(scene),
            other => {
                let reason = info.as_ref().map(crate::csms::v2::reason);
                let result = CallResult::Refused { status: other.as_str().into(), reason };
                let payload = mem::take(&mut self.payload);
                Next::End(CallOutcome::Answered(CallAnswer { payload, result }))
            }
        }
    }

    fn receive(&mut self, scene: &mut Scene<'_>, part: &NotifyReportRequest, bytes: usize) -> Next {
        // B07.FR.04, B08.FR.04
        if part.request_id != self.request_id {
            return Next::Stay;
        }
        // A part that was sent twice tells nothing new.
        if !self.parts.contains(part.seq_no) {
            self.parts.insert(part.seq_no);
            self.bytes += bytes;
            let room = MAX_REPORTED.saturating_sub(self.report.variables.len());
            let data = part.report_data.as_deref().unwrap_or_default();
            self.report.complete &= data.len() <= room;
            self.report.variables.extend(data.iter().take(room).cloned());
        }
        if !part.tbc.unwrap_or(false) {
            self.last = Some(part.seq_no);
        }
        // A part can overtake the answer to the request.
        if self.accepted { self.go_on(scene) } else { Next::Stay }
    }

    /// The numbers of the parts that have not come, as far as that can be said.
    fn missing(&self) -> Vec<core::ops::RangeInclusive<i64>> {
        // B07.FR.10, B08.FR.14: parts are counted from 0.
        let mut parts = self.parts.clone();
        parts.insert(-1);
        parts.missing()
    }

    fn go_on(&mut self, scene: &mut Scene<'_>) -> Next {
        if self.bytes > MAX_BYTES {
            // A report without end is ended here.
            self.report.complete = false;
            self.report.missing = self.missing();
            return self.end();
        }
        if self.last.is_some() && self.missing().is_empty() {
            return self.finish_request(scene);
        }
        Next::Wait(scene.session.config.report_timeout)
    }

    fn finish_request(&mut self, scene: &mut Scene<'_>) -> Next {
        if let Wanted::Some { variables, .. } = &self.wanted
            && !variables.is_empty()
        {
            return self.ask(scene);
        }
        // B07.FR.07: all variables that there are.
        if matches!(self.wanted, Wanted::Base(ReportBaseEnumType::FullInventory)) && self.report.complete {
            scene.session.mirrors.device_model.replace(&self.report.variables);
        }
        self.end()
    }

    fn end(&mut self) -> Next {
        let (report, payload) = (mem::take(&mut self.report), mem::take(&mut self.payload));
        let result = CallResult::Report(Box::new(report));
        Next::End(CallOutcome::Answered(CallAnswer { payload, result }))
    }
}

impl Operation for AskForReport {
    fn advance(&mut self, scene: &mut Scene<'_>, happened: Happened<'_>) -> Next {
        match happened {
            Happened::Begun => self.ask(scene),
            Happened::Answered { .. } if mem::take(&mut self.asking_limit) => self.ask(scene),
            Happened::Failed(CallOutcome::Error(_)) if mem::take(&mut self.asking_limit) => self.ask(scene),
            Happened::Answered { message, payload } => self.answered(scene, *message, payload),
            Happened::Failed(outcome) => Next::End(outcome),
            Happened::Request(Request::Message { message: RequestMessage::V2(request), payload }) => match &**request {
                StationRequest::NotifyReport(part) => self.receive(scene, part, payload.len()),
                _ => Next::Stay,
            },
            Happened::TimedOut => {
                self.report.complete = false;
                self.report.missing = self.missing();
                self.end()
            }
            _ => Next::Stay,
        }
    }
}
