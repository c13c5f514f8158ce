//! A log to be uploaded (N01; security whitepaper, N01), or 1.6's diagnostics (edition 2, 5.9).

use alloc::string::String;
use core::time::Duration;

use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::call::{FlowAnswer, FlowCall};
use super::flow::{Awaited, Completion, FlowEnd, LogRetrieval, Progress};
use super::steps::{Context, Exclusive, Next, Notice, Steps};

/// How it goes: the station takes the request and names the file, tells each state by a notification, and the last of them is the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Upload {
    #[serde(skip)]
    log: Option<LogRetrieval>,
    /// `None` where notifications carry none: 1.6's diagnostics.
    request_id: Option<i64>,
    silence: Duration,
}

impl Upload {
    pub(super) fn new(log: LogRetrieval) -> Self {
        let silence = log.silence;
        Self { log: Some(log), request_id: None, silence }
    }
}

impl Steps for Upload {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        let Some(log) = self.log.take() else { return Next::End(FlowEnd::Interrupted) };
        // N01.FR.27
        if log.location.contains('#') {
            return Next::not_allowed("the URL for an upload has no fragment");
        }
        // N01.FR.28
        if log.location.split_once('?').is_some_and(|(_, query)| query.ends_with('/')) {
            return Next::not_allowed("the query of the URL for an upload does not end in a slash");
        }
        let request_id = context.request_id();
        let anonymous = context.version == Some(Version::V1_6) && log.kind.is_none();
        self.request_id = (!anonymous).then_some(request_id);
        Next::Call(FlowCall::GetLog { request_id, log })
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match answer {
            FlowAnswer::Status { status, file, .. } if status == "Accepted" || status == "AcceptedCanceled" => {
                // N01.FR.12
                context.transfer_accepted(status, self.request_id, Exclusive::Log);
                if let Some(name) = file {
                    context.tell(Progress::File { name });
                }
                Next::Wait(self.silence)
            }
            // 1.6 edition 2, 5.9: without a name there is nothing to upload.
            FlowAnswer::Status { status, .. } if status == "NoFile" => {
                Next::End(FlowEnd::Completed(Completion::Nothing))
            }
            answer => Next::refused(answer),
        }
    }

    fn noticed(&mut self, notice: &Notice<'_>, context: &mut Context<'_>) -> Option<Next> {
        let Notice::Log { status, request_id } = notice else { return None };
        // N01.FR.07. Without an id 2.x breaks N01.FR.13, and 1.6 tells of diagnostics.
        if !context.is_about(*request_id, self.request_id) {
            return None;
        }
        match *status {
            "Idle" => None,
            "Uploaded" => Some(Next::End(FlowEnd::Completed(Completion::Done))),
            "AcceptedCanceled" => Some(Next::End(FlowEnd::Superseded)),
            "BadMessage" | "NotSupportedOperation" | "PermissionDenied" | "UploadFailure" | "UploadFailed" => {
                Some(Next::End(FlowEnd::Failed { status: String::from(*status) }))
            }
            status => {
                context.tell(Progress::Status { status: status.into() });
                Some(Next::Wait(self.silence))
            }
        }
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::timed_out(Awaited::Status)
    }
}
