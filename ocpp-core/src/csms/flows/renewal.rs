//! A new key and certificate for the station, by request of the CSMS (A02) or by its own will (A03).

use core::time::Duration;

use alloc::string::String;

use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::call::{FlowAnswer, FlowCall};
use super::certificates::CertificatePurpose;
use super::flow::{Awaited, CertificateDelivery, CertificateRenewal, Completion, FlowEnd, Progress};
use super::steps::{Context, Next, Notice, Steps};
use crate::csms::command::Command;
use crate::csms::identity::Place;

/// How it goes: the station is asked to ask, asks, the authority signs, the station is handed the chain and takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Renewal {
    purpose: CertificatePurpose,
    evse: Option<i64>,
    within: Duration,
    /// What the station calls its request (2.1).
    request_id: Option<i64>,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum State {
    Triggering,
    /// The station is asked to ask, or did so before it answered.
    Requesting {
        asked: bool,
    },
    /// The authority has the request.
    Signing,
    Delivering,
}

impl Renewal {
    pub(super) fn new(renewal: CertificateRenewal) -> Self {
        let CertificateRenewal { purpose, evse, within } = renewal;
        Self { purpose, evse, within, request_id: None, state: State::Triggering }
    }

    pub(super) const fn purpose(&self) -> CertificatePurpose {
        self.purpose
    }

    /// Whether it waits for the station to ask for this certificate.
    pub(super) fn awaits(&self, purpose: CertificatePurpose) -> bool {
        self.purpose == purpose && !matches!(self.state, State::Delivering)
    }
}

impl Steps for Renewal {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        let v1_6 = context.version == Some(Version::V1_6);
        if v1_6 && self.purpose != CertificatePurpose::ChargingStation {
            return Next::not_allowed("1.6 knows only the certificate of the charge point");
        }
        // 1.6 security, A02: ExtendedTriggerMessage, whose name for it is another.
        let message = if v1_6 { "SignChargePointCertificate" } else { self.purpose.trigger() };
        self.state = State::Requesting { asked: false };
        let place = self.evse.map(Place::evse);
        Next::Call(FlowCall::Command(Command::TriggerMessage { message: message.into(), place }))
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match (&self.state, answer) {
            (State::Requesting { .. } | State::Signing, FlowAnswer::Status { status, .. }) if status == "Accepted" => {
                context.tell(Progress::Accepted { status });
                Next::Wait(self.within)
            }
            (State::Delivering, FlowAnswer::Status { status, .. }) if status == "Accepted" => {
                Next::End(FlowEnd::Completed(Completion::Done))
            }
            (_, answer) => Next::refused(answer),
        }
    }

    fn noticed(&mut self, notice: &Notice<'_>, context: &mut Context<'_>) -> Option<Next> {
        match notice {
            Notice::CertificateRequested { purpose, request_id } if self.awaits(*purpose) => {
                self.request_id = *request_id;
                self.state = State::Signing;
                context.tell(Progress::CertificateRequested);
                Some(Next::Wait(self.within))
            }
            Notice::Signed { purpose, chain } if *purpose == self.purpose && self.state == State::Signing => {
                let Some(chain) = chain else { return Some(Next::End(FlowEnd::NotSigned)) };
                context.tell(Progress::CertificateSigned);
                self.state = State::Delivering;
                let (purpose, request_id) = (self.purpose, self.request_id);
                let delivery = CertificateDelivery { purpose, chain: (*chain).into(), request_id };
                Some(Next::Call(FlowCall::CertificateSigned(delivery)))
            }
            Notice::Delivered { purpose, end } if *purpose == self.purpose && self.state == State::Signing => {
                Some(Next::End((*end).clone()))
            }
            _ => None,
        }
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::timed_out(match self.state {
            State::Signing => Awaited::Signature,
            _ => Awaited::CertificateRequest,
        })
    }
}

/// A certificate on its way to the station.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Delivery {
    purpose: CertificatePurpose,
    #[serde(skip)]
    chain: String,
    request_id: Option<i64>,
}

impl Delivery {
    pub(super) fn new(delivery: CertificateDelivery) -> Self {
        let CertificateDelivery { purpose, chain, request_id } = delivery;
        Self { purpose, chain, request_id }
    }

    pub(super) const fn purpose(&self) -> CertificatePurpose {
        self.purpose
    }

    pub(super) const fn request_id(&self) -> Option<i64> {
        self.request_id
    }
}

impl Steps for Delivery {
    fn begin(&mut self, _: &mut Context<'_>) -> Next {
        let (purpose, request_id) = (self.purpose, self.request_id);
        let chain = core::mem::take(&mut self.chain);
        Next::Call(FlowCall::CertificateSigned(CertificateDelivery { purpose, chain, request_id }))
    }

    fn answered(&mut self, answer: FlowAnswer, _: &mut Context<'_>) -> Next {
        match answer {
            FlowAnswer::Status { status, .. } if status == "Accepted" => {
                Next::End(FlowEnd::Completed(Completion::Done))
            }
            answer => Next::refused(answer),
        }
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::End(FlowEnd::Interrupted)
    }
}
