//! What a flow is made of: steps, each of which is a call, a time to wait, or the end.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use jiff::Timestamp;
use ocpp_types::Version;
use ocpp_types::v2_1::{NotifyCustomerInformationRequest, NotifyMonitoringReportRequest};
use serde::{Deserialize, Serialize};

use super::call::{FlowAnswer, FlowCall};
use super::certificates::CertificatePurpose;
use super::flow::{Awaited, FlowEnd, Progress};
use super::held::HeldList;
use super::installed::Certificates;
use crate::csms::command::CallOutcome;
use crate::csms::mirrors::Mirrors;
use crate::csms::operations::Operations;
use crate::time::Now;

/// One flow: it goes on with what happened, and says what comes next.
pub(super) trait Steps {
    /// The first step.
    fn begin(&mut self, context: &mut Context<'_>) -> Next;

    /// The station answered the flow's call.
    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next;

    /// The flow's call came to nothing. `None` ends the flow with that.
    fn failed(&mut self, outcome: &CallOutcome, context: &mut Context<'_>) -> Option<Next> {
        let _ = (outcome, context);
        None
    }

    /// Something happened that the flow may be waiting for. `None` where it isn't.
    fn noticed(&mut self, notice: &Notice<'_>, context: &mut Context<'_>) -> Option<Next> {
        let _ = (notice, context);
        None
    }

    /// The application does not want the flow any more; `sent` where its call was sent, and not answered. It ends, whatever is told here.
    fn cancelled(&mut self, sent: bool, context: &mut Context<'_>) {
        let _ = (sent, context);
    }

    /// What it waited for did not happen in time.
    fn overdue(&mut self, context: &mut Context<'_>) -> Next;
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    Call(FlowCall),
    /// Until something happens, at most this long.
    Wait(Duration),
    End(FlowEnd),
}

impl Next {
    pub(super) fn timed_out(awaited: Awaited) -> Self {
        Self::End(FlowEnd::TimedOut { awaited })
    }

    pub(super) fn not_allowed(rule: &'static str) -> Self {
        Self::End(FlowEnd::NotAllowed { rule })
    }

    /// The station's answer was not the one that it takes to go on.
    pub(super) fn refused(answer: FlowAnswer) -> Self {
        let (status, reason) = match answer {
            FlowAnswer::Status { status, reason, .. } => (status, reason),
            _ => (String::new(), None),
        };
        Self::End(FlowEnd::Refused { status, reason })
    }
}

/// What a flow sees of the session.
pub(super) struct Context<'a> {
    pub(super) version: Option<Version>,
    pub(super) now: Now,
    pub(super) utc: Timestamp,
    /// How the station proved who it is on this connection.
    pub(super) authentication: Option<Authentication>,
    /// What the application is to be told, in order.
    pub(super) progress: Vec<Progress>,
    /// Set by a flow that ended others of its kind.
    pub(super) supersedes: Option<Exclusive>,
    /// The security profile that the station reached: it may not come by a lower one any more.
    pub(super) reached_profile: Option<u8>,
    /// The certificates that the station reported.
    pub(super) certificates: &'a Certificates,
    /// What is in its local authorization list.
    pub(super) list: &'a HeldList,
    /// What is known of the station's variables.
    pub(super) mirrors: &'a Mirrors,
    pub(super) operations: &'a mut Operations,
}

impl Context<'_> {
    pub(super) fn request_id(&mut self) -> i64 {
        self.operations.next_request_id(self.now)
    }

    pub(super) fn tell(&mut self, progress: Progress) {
        self.progress.push(progress);
    }

    /// The station accepted a transfer, and maybe gave up another for it; of two without an id, only the newer can be told apart.
    pub(super) fn transfer_accepted(&mut self, status: String, request_id: Option<i64>, kind: Exclusive) {
        if status == "AcceptedCanceled" || request_id.is_none() {
            self.supersedes = Some(kind);
        }
        self.tell(Progress::Accepted { status });
    }

    /// Whether what the station tells with an id, or without one, is about the transfer with this id. 2.x without an id breaks a rule, and is
    /// taken for the transfer at hand; in 1.6 there are transfers without.
    pub(super) fn is_about(&self, told: Option<i64>, request_id: Option<i64>) -> bool {
        told == request_id || (told.is_none() && self.version != Some(Version::V1_6))
    }
}

/// What may be under way once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::csms) enum Exclusive {
    /// The way the station connects: password, profile, network.
    Connection,
    Certificate(CertificatePurpose),
    /// New ones take the place of old ones.
    Firmware,
    Log,
    Publication,
    LocalList,
}

impl Exclusive {
    /// Whether a second one is refused; else it takes the place of the first, where the station says so.
    pub(super) const fn refuses(self) -> bool {
        matches!(self, Self::Connection | Self::Certificate(_) | Self::LocalList)
    }
}

/// What happened, as flows may be waiting for it.
#[derive(Debug)]
pub(in crate::csms) enum Notice<'a> {
    /// The station connected.
    Connected,
    Booted,
    Firmware {
        status: &'a str,
        request_id: Option<i64>,
    },
    Log {
        status: &'a str,
        request_id: Option<i64>,
    },
    Published {
        status: &'a str,
        locations: &'a [String],
        request_id: Option<i64>,
    },
    Customer(&'a NotifyCustomerInformationRequest),
    Monitors(&'a NotifyMonitoringReportRequest),
    /// The station asks for a certificate.
    CertificateRequested {
        purpose: CertificatePurpose,
        request_id: Option<i64>,
    },
    /// The authority signed; `None` if it refused.
    Signed {
        purpose: CertificatePurpose,
        chain: Option<&'a str>,
    },
    /// A newer flow took the place of those of its kind.
    Superseded(Exclusive),
    /// The station was handed a certificate that was long in coming.
    Delivered {
        purpose: CertificatePurpose,
        end: &'a FlowEnd,
    },
}

/// How a station proved who it is, told before it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Authentication {
    /// The security profile of the connection: 0 (none), 1, 2 or 3.
    pub security_profile: u8,
    /// Which password it was, while there are two.
    pub password: Option<PasswordUsed>,
    /// Whether it showed a certificate that has expired. It is kept pending then, and has to renew it at once (A00.FR.429, A00.FR.807).
    #[serde(default)]
    pub certificate_expired: bool,
}

impl Authentication {
    /// A connection of this security profile.
    #[must_use]
    pub const fn new(security_profile: u8) -> Self {
        Self { security_profile, password: None, certificate_expired: false }
    }
}

/// Which of two passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PasswordUsed {
    /// The one that it had before.
    Old,
    /// The one that [`Flow::ChangePassword`](super::Flow::ChangePassword) gave it.
    New,
}
