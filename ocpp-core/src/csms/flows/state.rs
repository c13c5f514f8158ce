//! All flows as one kind of operation.

use alloc::boxed::Box;
use alloc::vec::Vec;

#[cfg(feature = "v1_6")]
use ocpp_types::v1_6;
use ocpp_types::v2_1::StationRequest;
use serde::{Deserialize, Serialize};

use super::call::{self, FlowCall};
use super::certificates::CertificatePurpose;
use super::customer::Information;
use super::firmware::{Publication, Update};
use super::flow::{CertificateDelivery, Flow, FlowEnd};
use super::local_list::Synchronisation;
use super::log::Upload;
use super::monitors::{Clearing, Report, Setting};
use super::network::Network;
use super::password::Password;
use super::renewal::{Delivery, Renewal};
use super::single::{Listing, Single};
use super::steps::{Context, Exclusive, Next, Notice, Steps};
use super::time::Moment;
use crate::csms::command::CallOutcome;
use crate::csms::event::Event;
use crate::csms::identity::CommandId;
use crate::csms::message::RequestMessage;
use crate::csms::operations::{self, Happened, Operation, Scene};
use crate::csms::request::Request;
use crate::time::Now;

/// A flow under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum State {
    Password(Password),
    Network(Network),
    Renewal(Renewal),
    Delivery(Delivery),
    Listing(Listing),
    Single(Single),
    Update(Update),
    Publication(Publication),
    Upload(Upload),
    Information(Information),
    #[serde(skip)]
    Setting(Setting),
    #[serde(skip)]
    Clearing(Clearing),
    Report(Report),
    #[serde(skip)]
    LocalList(Synchronisation),
}

impl State {
    fn new(flow: Flow) -> Self {
        match flow {
            Flow::ChangePassword(change) => Self::Password(Password::new(change)),
            Flow::UpgradeProfile(upgrade) => Self::Network(Network::upgrade(upgrade)),
            Flow::SwitchNetwork(switch) => Self::Network(Network::switch(switch)),
            Flow::RenewCertificate(renewal) => Self::Renewal(Renewal::new(renewal)),
            Flow::DeliverCertificate(delivery) => Self::Delivery(Delivery::new(delivery)),
            Flow::InstallCertificate(installation) => {
                Self::Single(Single::new(FlowCall::InstallCertificate(installation)))
            }
            Flow::DeleteCertificate { certificate } => Self::Listing(Listing::delete(certificate)),
            Flow::ListCertificates { kinds } => Self::Listing(Listing::new(kinds)),
            Flow::UpdateFirmware(update) => Self::Update(Update::new(update)),
            Flow::PublishFirmware(publication) => Self::Publication(Publication::new(publication)),
            Flow::UnpublishFirmware { checksum } => Self::Single(Single::new(FlowCall::UnpublishFirmware { checksum })),
            Flow::GetLog(log) => Self::Upload(Upload::new(log)),
            Flow::CustomerInformation(query) => Self::Information(Information::new(query)),
            Flow::SetMonitoringBase { base } => Self::Single(Single::new(FlowCall::SetMonitoringBase { base })),
            Flow::SetMonitoringLevel { severity } => {
                Self::Single(Single::new(FlowCall::SetMonitoringLevel { severity }))
            }
            Flow::SetMonitors { monitors } => Self::Setting(Setting::new(monitors)),
            Flow::ClearMonitors { ids } => Self::Clearing(Clearing::new(ids)),
            Flow::GetMonitors(query) => Self::Report(Report::new(query)),
            Flow::AdjustEventStream { id, interval, values } => {
                Self::Single(Single::new(FlowCall::AdjustEventStream { id, interval, values }))
            }
            Flow::SynchroniseLocalList(wanted) => Self::LocalList(Synchronisation::new(wanted)),
            Flow::GetEventStreams => Self::Single(Single::new(FlowCall::GetEventStreams)),
        }
    }

    fn steps(&mut self) -> &mut dyn Steps {
        match self {
            Self::Password(flow) => flow,
            Self::Network(flow) => flow,
            Self::Renewal(flow) => flow,
            Self::Delivery(flow) => flow,
            Self::Listing(flow) => flow,
            Self::Single(flow) => flow,
            Self::Update(flow) => flow,
            Self::Publication(flow) => flow,
            Self::Upload(flow) => flow,
            Self::Information(flow) => flow,
            Self::Setting(flow) => flow,
            Self::Clearing(flow) => flow,
            Self::Report(flow) => flow,
            Self::LocalList(flow) => flow,
        }
    }

    fn exclusive(&self) -> Option<Exclusive> {
        match self {
            Self::Password(_) | Self::Network(_) => Some(Exclusive::Connection),
            Self::Renewal(renewal) => Some(Exclusive::Certificate(renewal.purpose())),
            Self::Update(_) => Some(Exclusive::Firmware),
            Self::Publication(_) => Some(Exclusive::Publication),
            Self::Upload(_) => Some(Exclusive::Log),
            Self::LocalList(_) => Some(Exclusive::LocalList),
            _ => None,
        }
    }
}

/// A flow under way, as an operation of the session.
#[derive(Debug)]
pub(in crate::csms) struct FlowOperation {
    state: State,
    /// The action of the call that is under way.
    action: &'static str,
    /// Until when it waits for the station; `None` while a call is under way.
    waits_until: Option<Moment>,
}

/// A flow as a snapshot has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::csms) struct SavedFlow {
    command: Option<CommandId>,
    /// `None` where it can't go on: a call was under way.
    waiting: Option<(State, Moment)>,
    /// The certificate that it renews.
    #[serde(default)]
    renews: Option<CertificatePurpose>,
}

impl FlowOperation {
    pub(in crate::csms) fn new(flow: Flow) -> Self {
        Self { state: State::new(flow), action: "", waits_until: None }
    }

    /// The certificate that a station asked for by its own will.
    pub(super) fn delivery(delivery: CertificateDelivery) -> Self {
        Self { state: State::Delivery(Delivery::new(delivery)), action: "", waits_until: None }
    }

    fn go_on(
        &mut self,
        scene: &mut Scene<'_>,
        step: impl FnOnce(&mut dyn Steps, &mut Context<'_>) -> Option<Next>,
    ) -> operations::Next {
        let session = &mut *scene.session;
        let mut context = Context {
            version: session.connected(),
            now: scene.now,
            utc: scene.now.utc,
            authentication: session.flows.authentication,
            progress: Vec::new(),
            supersedes: None,
            reached_profile: None,
            certificates: &session.flows.certificates,
            list: &session.flows.list,
            mirrors: &session.mirrors,
            operations: &mut session.operations,
        };
        let next = step(self.state.steps(), &mut context);
        let Context { progress, supersedes, reached_profile, .. } = context;
        if let Some(profile) = reached_profile {
            session.flows.least_profile = session.flows.least_profile.max(profile);
        }
        for progress in progress {
            match (scene.command, &self.state) {
                (Some(command), _) => scene.session.event(Event::FlowProgress { command, progress }),
                (None, State::Renewal(renewal)) => {
                    scene.session.event(Event::CertificateRenewing { purpose: renewal.purpose(), progress });
                }
                _ => {}
            }
        }
        if let Some(exclusive) = supersedes {
            scene.session.tell_flows(scene.now, &Notice::Superseded(exclusive));
        }
        match next {
            None => operations::Next::Stay,
            Some(next) => self.next(scene, next),
        }
    }

    fn next(&mut self, scene: &mut Scene<'_>, next: Next) -> operations::Next {
        match next {
            Next::Wait(time) => {
                self.waits_until = Some(Moment::later(scene.now.utc, time));
                operations::Next::Wait(time)
            }
            Next::End(end) => self.end(scene, end),
            Next::Call(call) => {
                let Some(version) = scene.version() else {
                    return self.failed(scene, CallOutcome::NotConnected);
                };
                match call::write(version, &call) {
                    Ok(message) => {
                        self.action = message.action();
                        self.waits_until = None;
                        operations::Next::Call(message)
                    }
                    Err(outcome) => self.failed(scene, outcome),
                }
            }
        }
    }

    fn failed(&mut self, scene: &mut Scene<'_>, outcome: CallOutcome) -> operations::Next {
        let action = self.action.into();
        let of_outcome = outcome.clone();
        let call_failed = FlowEnd::CallFailed { action, outcome };
        self.go_on(scene, |steps, context| Some(steps.failed(&of_outcome, context).unwrap_or(Next::End(call_failed))))
    }

    fn end(&mut self, scene: &mut Scene<'_>, end: FlowEnd) -> operations::Next {
        if let State::Delivery(delivery) = &self.state {
            let (purpose, request_id) = (delivery.purpose(), delivery.request_id());
            scene.session.tell_flows(scene.now, &Notice::Delivered { purpose, end: &end });
            if scene.command.is_none() {
                scene.session.event(Event::CertificateDelivered { purpose, request_id, end: end.clone() });
            }
        }
        if let (State::Renewal(renewal), None) = (&self.state, scene.command) {
            scene.session.event(Event::CertificateRenewed { purpose: renewal.purpose(), end: end.clone() });
        }
        operations::Next::End(CallOutcome::Flow(Box::new(end)))
    }
}

impl Operation for FlowOperation {
    fn advance(&mut self, scene: &mut Scene<'_>, happened: Happened<'_>) -> operations::Next {
        match happened {
            Happened::Begun => {
                if let Some(exclusive) = self.state.exclusive().filter(|exclusive| exclusive.refuses())
                    && scene.session.operations.is_occupied(exclusive)
                {
                    let rule = "another flow of this kind is under way";
                    return self.end(scene, FlowEnd::NotAllowed { rule });
                }
                self.go_on(scene, |steps, context| Some(steps.begin(context)))
            }
            Happened::Answered { message, .. } => {
                let answer = call::read(*message);
                self.go_on(scene, |steps, context| Some(steps.answered(answer, context)))
            }
            Happened::Failed(outcome) => self.failed(scene, outcome),
            Happened::Cancelled { sent } => self.go_on(scene, |steps, context| {
                steps.cancelled(sent, context);
                Some(Next::End(FlowEnd::Cancelled))
            }),
            Happened::TimedOut => self.go_on(scene, |steps, context| Some(steps.overdue(context))),
            Happened::Connected => self.notice(scene, &Notice::Connected),
            Happened::Request(request) => self.requested(scene, request),
            Happened::Flow(notice) => self.notice(scene, notice),
            Happened::Disconnected => operations::Next::Stay,
        }
    }

    fn outlives_connection(&self) -> bool {
        true
    }

    fn exclusive(&self) -> Option<Exclusive> {
        self.state.exclusive()
    }

    fn renews(&self, purpose: CertificatePurpose) -> bool {
        matches!(&self.state, State::Renewal(renewal) if renewal.awaits(purpose))
    }

    fn saved(&self, command: Option<CommandId>) -> Option<SavedFlow> {
        let waiting = self.waits_until.map(|until| (self.state.clone(), until));
        let renews = match &self.state {
            State::Renewal(renewal) => Some(renewal.purpose()),
            _ => None,
        };
        Some(SavedFlow { command, waiting, renews })
    }
}

impl FlowOperation {
    fn notice(&mut self, scene: &mut Scene<'_>, notice: &Notice<'_>) -> operations::Next {
        if let Notice::Superseded(exclusive) = notice {
            return match self.state.exclusive() {
                Some(mine) if mine == *exclusive => self.end(scene, FlowEnd::Superseded),
                _ => operations::Next::Stay,
            };
        }
        self.go_on(scene, |steps, context| steps.noticed(notice, context))
    }

    /// What the station called for, as flows may be waiting for it.
    fn requested(&mut self, scene: &mut Scene<'_>, request: &Request) -> operations::Next {
        match request {
            Request::Boot(_) => self.notice(scene, &Notice::Booted),
            Request::FirmwareStatus { status, request_id } => {
                self.notice(scene, &Notice::Firmware { status, request_id: *request_id })
            }
            Request::LogStatus { status, request_id } => {
                self.notice(scene, &Notice::Log { status, request_id: *request_id })
            }
            Request::Message { message, .. } => match message {
                #[cfg(feature = "v1_6")]
                RequestMessage::V1_6(request) => match &**request {
                    v1_6::StationRequest::SignCertificate(_) => {
                        let purpose = CertificatePurpose::ChargingStation;
                        self.notice(scene, &Notice::CertificateRequested { purpose, request_id: None })
                    }
                    _ => operations::Next::Stay,
                },
                RequestMessage::V2(request) => self.requested_v2(scene, request),
            },
            _ => operations::Next::Stay,
        }
    }

    fn requested_v2(&mut self, scene: &mut Scene<'_>, request: &StationRequest) -> operations::Next {
        match request {
            StationRequest::NotifyCustomerInformation(part) => self.notice(scene, &Notice::Customer(part)),
            StationRequest::NotifyMonitoringReport(part) => self.notice(scene, &Notice::Monitors(part)),
            StationRequest::PublishFirmwareStatusNotification(request) => {
                let locations: Vec<_> =
                    request.location.iter().flatten().map(|location| location.as_str().into()).collect();
                let status = request.status.as_str();
                self.notice(scene, &Notice::Published { status, locations: &locations, request_id: request.request_id })
            }
            StationRequest::SignCertificate(request) => {
                let purpose = super::asking::purpose(request);
                self.notice(scene, &Notice::CertificateRequested { purpose, request_id: request.request_id })
            }
            _ => operations::Next::Stay,
        }
    }
}

impl SavedFlow {
    /// The command that began it; `None` where the session began it by itself.
    pub(super) fn command(&self) -> Option<CommandId> {
        self.command
    }

    /// Whether it goes on: it waited for the station.
    ///
    /// # Errors
    /// What the application is told where it does not.
    pub(in crate::csms) fn restore(self, now: Now) -> Result<Restored, Option<Box<Event>>> {
        let Self { command, waiting, renews } = self;
        let Some((state, end)) = waiting else {
            let end = FlowEnd::Interrupted;
            let told = match (command, renews) {
                (Some(command), _) => Some(Event::CallFinished { command, outcome: CallOutcome::Flow(Box::new(end)) }),
                (None, Some(purpose)) => Some(Event::CertificateRenewed { purpose, end }),
                (None, None) => None,
            };
            return Err(told.map(Box::new));
        };
        let rest = end.since(now.utc);
        let operation = FlowOperation { state, action: "", waits_until: Some(end) };
        Ok(Restored { command, operation, rest })
    }
}

/// A flow that goes on after a restart.
#[derive(Debug)]
pub(in crate::csms) struct Restored {
    pub(in crate::csms) command: Option<CommandId>,
    pub(in crate::csms) operation: FlowOperation,
    /// How long it still waits.
    pub(in crate::csms) rest: core::time::Duration,
}
