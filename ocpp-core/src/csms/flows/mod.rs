//! Flows: what takes several messages, or a while, as one command with progress and a defined end; and what stations ask that
//! somebody else must answer.
//!
//! A [`Flow`] is started by [`Command::Flow`](super::Command::Flow). It makes calls, waits for what the station tells, and comes to exactly
//! one [`FlowEnd`], whatever is refused, lost, cancelled or never answered. One that waits for the station goes on after the connection ended, and
//! after the CSMS restarted from a [`Snapshot`](super::Snapshot); one with a call under way ends as
//! [`FlowEnd::Interrupted`] then, because nobody knows whether the station acted.

mod asking;
mod call;
mod certificates;
mod contracts;
mod customer;
mod firmware;
mod flow;
mod held;
mod installed;
mod local_list;
mod log;
mod monitors;
mod needs;
mod network;
mod parts;
mod password;
mod question;
mod renewal;
mod revocation;
mod secret;
mod single;
mod state;
mod steps;
mod streams;
mod time;
#[cfg(feature = "v1_6")]
mod v1_6;
mod v2;

use alloc::boxed::Box;
use alloc::vec::Vec;

use ocpp_types::v2_1::{
    ClosePeriodicEventStreamResponse, GenericStatusEnumType, NotifyEventRequest, OpenPeriodicEventStreamRequest,
    OpenPeriodicEventStreamResponse, StationRequest,
};
use serde::{Deserialize, Serialize};

pub(super) use asking::Asking;
pub use certificates::{CertificateHash, CertificatePurpose, InstalledCertificate};
pub use flow::{
    Awaited, CertificateDelivery, CertificateInstallation, CertificateRenewal, Completion, Customer, CustomerQuery,
    FirmwarePublication, FirmwareSignature, FirmwareUpdate, Flow, FlowEnd, LocalListSynchronisation, LogRetrieval,
    MonitoringQuery, NetworkSwitch, PasswordChange, ProfileUpgrade, Progress,
};
pub(super) use network::forbids;
pub use question::{
    ChainStatus, ChainStatusRequest, ChargingNeeds, ChargingOffer, ContractAnswer, ContractRequest, OcspRequest,
    OcspStatus, Signing, SigningRequest,
};
pub use secret::Secret;
pub(super) use state::{FlowOperation, SavedFlow};
pub use steps::{Authentication, PasswordUsed};
pub(super) use steps::{Exclusive, Notice};
pub use streams::{Monitor, MonitoringEvent, StreamValues};

use self::contracts::Contracts;
use self::held::HeldList;
use self::installed::Certificates;
use self::streams::Monitors;
use super::config::RegistrationStatus;
use super::event::Event;
use super::identity::CommandId;
use super::message::{AnswerMessage, CallMessage, ReplyMessage, RequestMessage};
use super::output::Output;
use super::request::{Reply, Request};
use super::session::Session;
use crate::rpc::IncomingId;
use crate::time::Now;

/// What flows share.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// How the station proved who it is on this connection.
    authentication: Option<Authentication>,
    /// The same of the connection that comes next.
    announced: Option<Authentication>,
    /// The lowest security profile that the station may still come by.
    least_profile: u8,
    certificates: Certificates,
    monitors: Monitors,
    contracts: Contracts,
    list: HeldList,
}

/// What of them outlives the node.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct SavedFlows {
    running: Vec<SavedFlow>,
    request_id: i64,
    least_profile: u8,
    certificates: Certificates,
    monitors: Monitors,
}

impl Flows {
    /// Whether the station showed an expired certificate on this connection.
    pub(super) fn certificate_expired(&self) -> bool {
        self.authentication.is_some_and(|authentication| authentication.certificate_expired)
    }
}

impl Session {
    /// The certificates that the station reported, or that were installed and deleted since.
    pub fn installed_certificates(&self) -> &[InstalledCertificate] {
        &self.flows.certificates.installed
    }

    /// The monitors of the station, as far as known.
    pub fn monitors(&self) -> impl Iterator<Item = &Monitor> {
        self.flows.monitors.all()
    }

    /// The lowest security profile that the station may connect by: what [`Flow::UpgradeProfile`] reached (A05.FR.07). 0 before.
    #[must_use]
    pub const fn least_security_profile(&self) -> u8 {
        self.flows.least_profile
    }

    /// Whether a flow is under way. An application that lets go of the session of a station without a connection stores the
    /// [`Snapshot`](super::Snapshot) first, then.
    #[must_use]
    pub fn has_flows(&self) -> bool {
        !self.operations.saved().is_empty()
    }

    /// The commands whose flows are under way.
    pub fn running_flows(&self) -> impl Iterator<Item = CommandId> {
        self.operations.saved().into_iter().filter_map(|flow| flow.command())
    }

    pub(super) fn save_flows(&self) -> SavedFlows {
        SavedFlows {
            running: self.operations.saved(),
            request_id: self.operations.request_id,
            least_profile: self.flows.least_profile,
            certificates: self.flows.certificates.clone(),
            monitors: self.flows.monitors.clone(),
        }
    }

    /// Goes on with what was under way when the snapshot was taken. What can't go on ends here.
    pub(super) fn restore_flows(&mut self, now: Now, saved: SavedFlows) {
        let SavedFlows { running, request_id, least_profile, certificates, monitors } = saved;
        self.operations.request_id = self.operations.request_id.max(request_id);
        self.flows.least_profile = least_profile;
        self.flows.certificates = certificates;
        self.flows.monitors = monitors;
        for flow in running {
            match flow.restore(now) {
                Ok(restored) => {
                    self.resume(now, restored.command, Box::new(restored.operation), restored.rest);
                }
                Err(told) => self.outputs.extend(told.map(|event| Output::Event(*event))),
            }
        }
    }

    /// The station is about to connect like this. `false` where it may not.
    pub(super) fn admit(&mut self) -> bool {
        self.flows.contracts.clear();
        self.flows.authentication = self.flows.announced.take();
        let Some(authentication) = self.flows.authentication else { return true };
        // A05.FR.07; 1.6 security, A05.FR.09
        if authentication.security_profile < self.flows.least_profile {
            let reason = "the station came by a lower security profile than it reached before".into();
            self.outputs.push_back(Output::Close { reason });
            return false;
        }
        true
    }

    /// How the station that connects next proved who it is.
    pub(super) fn handle_authenticated(&mut self, authentication: Authentication) {
        self.flows.announced = Some(authentication);
    }

    /// A00.FR.429, A00.FR.807: the station may do nothing but renew its certificate, and is asked to at once.
    pub(super) fn renew_certificate(&mut self, now: Now) {
        let purpose = CertificatePurpose::ChargingStation;
        if !self.operations.is_occupied(Exclusive::Certificate(purpose)) {
            let flow = Flow::RenewCertificate(CertificateRenewal::new(purpose));
            // Where that comes to nothing, its next boot asks again.
            let _ = self.start(now, None, Box::new(FlowOperation::new(flow)));
        }
    }

    /// The station rebooted: its monitors may have other ids now (N04.FR.19).
    pub(super) fn flows_booted(&mut self, now: Now) {
        let accepted = self.registration() == RegistrationStatus::Accepted;
        if self.flows.monitors.rebooted() && accepted {
            let flow = Flow::GetMonitors(MonitoringQuery::default());
            // Where that comes to nothing, the application asks when it needs them.
            let _ = self.start(now, None, Box::new(FlowOperation::new(flow)));
        }
    }

    /// What is not answered: values of a stream (N15.FR.02).
    pub(super) fn take_send(&mut self, request: &Request) {
        if let Request::Message { message: RequestMessage::V2(request), .. } = request
            && let StationRequest::NotifyPeriodicEventStream(message) = &**request
            && let Some(values) = self.flows.monitors.values(message)
        {
            self.event(Event::StreamValues(Box::new(values)));
        }
    }

    /// Takes in what a call came to, whoever made it.
    pub(super) fn observe_flows(&mut self, call: &CallMessage, answer: &AnswerMessage) {
        self.flows.certificates.observe(call, answer);
        self.flows.list.observe(call, answer);
        #[cfg_attr(not(feature = "v1_6"), allow(irrefutable_let_patterns))]
        if let (CallMessage::V2(call), AnswerMessage::V2(answer)) = (call, answer) {
            self.flows.monitors.observe(call, answer);
        }
    }

    /// NotifyMonitoringReport: who asked for it is told elsewhere.
    pub(super) fn take_monitors(&mut self, monitors: &[ocpp_types::v2_1::MonitoringDataType]) {
        self.flows.monitors.reported(monitors);
    }

    /// NotifyEvent (N07, N08).
    pub(super) fn tell_monitoring_events(&mut self, request: &NotifyEventRequest) {
        for data in &request.event_data {
            self.event(Event::Monitored(Box::new(MonitoringEvent::from(data))));
        }
    }

    /// OpenPeriodicEventStream (N11).
    pub(super) fn open_stream(&mut self, id: IncomingId, request: &OpenPeriodicEventStreamRequest) {
        let monitor = self.flows.monitors.open(request).cloned();
        let status = match monitor {
            Some(_) => GenericStatusEnumType::Accepted,
            None => GenericStatusEnumType::Rejected,
        };
        let response = OpenPeriodicEventStreamResponse::new(status);
        self.reply(id, &Reply::Message(ReplyMessage::v2(response)));
        let data = &request.constant_stream_data;
        self.event(Event::StreamOpened {
            stream: data.id,
            monitor: data.variable_monitoring_id,
            accepted: monitor.is_some(),
        });
    }

    /// ClosePeriodicEventStream (N13).
    pub(super) fn close_stream(&mut self, id: IncomingId, stream: i64) {
        self.reply(id, &Reply::Message(ReplyMessage::v2(ClosePeriodicEventStreamResponse::new())));
        if self.flows.monitors.close(stream) {
            self.event(Event::StreamClosed { stream });
        }
    }
}
