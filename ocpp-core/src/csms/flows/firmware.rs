//! Firmware: updated (L01, L02; 1.6 edition 2, 5.19; security whitepaper, L01) and published (L03).

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::call::{FlowAnswer, FlowCall};
use super::flow::{Awaited, Completion, FirmwarePublication, FirmwareUpdate, FlowEnd, Progress};
use super::steps::{Context, Exclusive, Next, Notice, Steps};
use super::time::Moment;

/// How it goes: the station takes the request, tells each state by a notification, and the last of them is the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Update {
    #[serde(skip)]
    update: Option<FirmwareUpdate>,
    /// `None` where notifications carry none: 1.6's unsigned update.
    request_id: Option<i64>,
    /// From when on its silence counts.
    starts: Moment,
    silence: Duration,
}

impl Update {
    pub(super) fn new(update: FirmwareUpdate) -> Self {
        let starts = Moment::at(update.install_at.unwrap_or(update.retrieve_at).max(update.retrieve_at));
        let silence = update.silence;
        Self { update: Some(update), request_id: None, starts, silence }
    }

    /// A station that is to begin later may say nothing until then.
    fn patience(&self, context: &Context<'_>) -> Next {
        Next::Wait(self.starts.since(context.utc).saturating_add(self.silence))
    }
}

impl Steps for Update {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        let Some(update) = self.update.take() else { return Next::End(FlowEnd::Interrupted) };
        let request_id = context.request_id();
        let anonymous = context.version == Some(Version::V1_6) && update.signature.is_none();
        self.request_id = (!anonymous).then_some(request_id);
        Next::Call(FlowCall::UpdateFirmware { request_id, update })
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match answer {
            FlowAnswer::Status { status, .. } if status == "Accepted" || status == "AcceptedCanceled" => {
                // L01.FR.24: the update before is canceled.
                context.transfer_accepted(status, self.request_id, Exclusive::Firmware);
                self.patience(context)
            }
            answer => Next::refused(answer),
        }
    }

    fn noticed(&mut self, notice: &Notice<'_>, context: &mut Context<'_>) -> Option<Next> {
        let Notice::Firmware { status, request_id } = notice else { return None };
        // L01.FR.10, L02.FR.06. Without an id 2.x breaks L01.FR.20, and 1.6 tells of an unsigned update.
        if !context.is_about(*request_id, self.request_id) {
            return None;
        }
        match *status {
            "Idle" => None,
            "Installed" => Some(Next::End(FlowEnd::Completed(Completion::Done))),
            "DownloadFailed"
            | "InstallationFailed"
            | "InvalidSignature"
            | "InstallVerificationFailed"
            | "InvalidCertificate"
            | "RevokedCertificate" => Some(Next::End(FlowEnd::Failed { status: String::from(*status) })),
            status => {
                context.tell(Progress::Status { status: status.into() });
                Some(self.patience(context))
            }
        }
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::timed_out(Awaited::Status)
    }
}

/// A local controller publishes firmware: it fetches, checks and publishes it, and tells where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Publication {
    #[serde(skip)]
    publication: Option<FirmwarePublication>,
    request_id: i64,
    silence: Duration,
}

impl Publication {
    pub(super) fn new(publication: FirmwarePublication) -> Self {
        let silence = publication.silence;
        Self { publication: Some(publication), request_id: 0, silence }
    }
}

impl Steps for Publication {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        let Some(publication) = self.publication.take() else { return Next::End(FlowEnd::Interrupted) };
        self.request_id = context.request_id();
        Next::Call(FlowCall::PublishFirmware { request_id: self.request_id, publication })
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match answer {
            FlowAnswer::Status { status, .. } if status == "Accepted" => {
                context.tell(Progress::Accepted { status });
                Next::Wait(self.silence)
            }
            // L03.FR.05
            answer => Next::refused(answer),
        }
    }

    fn noticed(&mut self, notice: &Notice<'_>, context: &mut Context<'_>) -> Option<Next> {
        let Notice::Published { status, locations, request_id } = notice else { return None };
        if request_id.is_some_and(|id| id != self.request_id) {
            return None;
        }
        match *status {
            "Idle" => None,
            // L03.FR.04, L03.FR.09
            "Published" => {
                Some(Next::End(FlowEnd::Completed(Completion::Published { locations: Vec::from(*locations) })))
            }
            // L03.FR.06, L03.FR.07, L03.FR.08
            "DownloadFailed" | "InvalidChecksum" | "PublishFailed" => {
                Some(Next::End(FlowEnd::Failed { status: String::from(*status) }))
            }
            // L03.FR.01
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
