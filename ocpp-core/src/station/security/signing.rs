//! Certificates that the CSMS signs and sends: asked for, judged, taken over, renewed (A02, A03, M05; 1.6 security, A02, A03, M05).
//!
//! Private keys stay with the integrator (1.6 security, A03.FR.05).

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::SecurityEvent;
use super::certificates::{CertificateFacts, Installed, RootUse, StationCertificate};
use crate::rpc::IncomingId;
use crate::station::calls::Call;
use crate::station::input::Answer;
use crate::station::outbox::Called;
use crate::station::output::QuestionKind;
use crate::station::questions::About;
use crate::station::settings::Key;
use crate::station::{Output, Station};
use crate::time::Instant;

/// How long before its end a certificate is renewed (1.6 security, A03.FR.02), and how long a renewal that came to nothing rests.
const RENEWAL: SignedDuration = SignedDuration::from_hours(30 * 24);
const RENEWAL_REST: SignedDuration = SignedDuration::from_hours(24);
/// How long making a key may take; RSA on a small machine takes minutes.
const KEY_PATIENCE: Duration = Duration::from_secs(600);

/// Whom a certificate is to be for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningRequestWanted {
    /// The organisation (O): the CPO (1.6 security, A02.FR.13, A03.FR.13).
    pub organization: String,
    /// The common name (CN): the unique serial number of the station (A00.FR.511).
    pub common_name: String,
}

/// What is to be judged about a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateToJudge {
    /// A root certificate to install: readable, valid now, its key strong enough (1.6 security, M05.FR.06, A00.FR.501 to 503).
    Root {
        /// In PEM.
        certificate: String,
        /// The root that it must be signed by, in PEM, if any (1.6 security, M05.FR.09).
        signed_by: Option<String>,
    },
    /// A certificate for the station: it belongs to the key, is part of the CPO's hierarchy and has the properties of a station's
    /// certificate (1.6 security, A02.FR.06).
    Station {
        /// In PEM, the station's own first.
        chain: String,
        /// What the integrator called the key that it must belong to.
        key: String,
        /// The roots of the CPO's hierarchy, in PEM. Where there are none, the chain can't be verified and is not.
        roots: Vec<String>,
        /// The CPO, if it is known.
        organization: Option<String>,
        /// Whether one that becomes valid later will do.
        may_be_early: bool,
    },
}

/// A call of the CSMS that waits for a judgement.
#[derive(Debug)]
pub(in crate::station) enum CertificateRequest {
    Install { root_use: RootUse, certificate: String },
    Signed { chain: String, key: String },
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum CertificateOutcome {
    Installed(Installed),
    /// Whether the certificate of the station is accepted.
    Signed(bool),
}

impl CertificateOutcome {
    /// The standard's word.
    pub(in crate::station) const fn as_str(self) -> &'static str {
        match self {
            Self::Installed(installed) => installed.as_str(),
            Self::Signed(true) => "Accepted",
            Self::Signed(false) => "Rejected",
        }
    }
}

/// A request for a certificate that the CSMS has yet to answer with one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::station) struct PendingCertificate {
    csr: String,
    key: String,
    request_id: i64,
    /// The CSMS has it.
    #[serde(default)]
    is_sent: bool,
}

/// The way to a new certificate.
#[derive(Debug, Default)]
pub(in crate::station) struct Signing {
    pending: Option<PendingCertificate>,
    /// One that the CSMS has signed and that becomes valid later (1.6 security, A02.FR.08).
    early: Option<StationCertificate>,
    is_key_asked_for: bool,
    /// The CSMS wants it, so that it may come before the station is accepted.
    is_triggered: bool,
    in_flight: bool,
    repeats: u32,
    retry_at: Option<Instant>,
    renewed_at: Option<Timestamp>,
    /// No repetition before the CSMS asks for one (A02.FR.19, A02.FR.20).
    is_given_up: bool,
}

const PENDING: &str = "signing-request";
const EARLY: &str = "early-certificate";

impl Signing {
    pub(in crate::station) fn restore_pending(&mut self, pending: PendingCertificate) {
        self.pending = Some(pending);
    }

    pub(in crate::station) fn restore_early(&mut self, early: StationCertificate) {
        self.early = Some(early);
    }

    pub(in crate::station) const fn cut_off(&mut self) {
        self.in_flight = false;
    }
}

impl Station {
    /// Begins to get a new certificate for the station: asks for a key pair and its signing request. Returns whether that is possible.
    pub(in crate::station) fn request_certificate(&mut self, is_triggered: bool) -> bool {
        let organization = self.settings.text(Key::OrganizationName).to_string();
        // 1.6 security, 7.5: without the name of the CPO there is nothing to ask for.
        if organization.is_empty() {
            return false;
        }
        self.signing.is_triggered |= is_triggered;
        if !self.signing.is_key_asked_for {
            self.signing.is_key_asked_for = true;
            let serial_number = self.config.product.serial_number.as_ref();
            let common_name = serial_number.unwrap_or(&self.config.identity).clone();
            // A02.FR.02, A02.FR.03; 1.6 security, A02.FR.02/03/13, A03.FR.02/03/13
            let wanted = SigningRequestWanted { organization, common_name };
            self.ask(QuestionKind::SignCsr(wanted), About::SigningRequest, KEY_PATIENCE);
        }
        true
    }

    /// The integrator made a key and its signing request, or failed to.
    pub(in crate::station) fn signing_request_made(&mut self, answer: Answer) {
        self.signing.is_key_asked_for = false;
        let Answer::SigningRequest { csr, key } = answer else { return };
        let request_id = self.signing.pending.as_ref().map_or(1, |pending| pending.request_id.wrapping_add(1).max(1));
        if let Some(old) = self.signing.pending.take().filter(|old| old.key != key) {
            self.effect(Output::ForgetKey { key: old.key });
        }
        let pending = PendingCertificate { csr, key, request_id, is_sent: false };
        self.journal.put(PENDING.into(), &pending);
        self.signing.pending = Some(pending);
        self.signing.repeats = 0;
        self.signing.retry_at = None;
        self.signing.is_given_up = false;
        self.signing.in_flight = false;
    }

    /// Does what has fallen due about certificates.
    pub(in crate::station) fn settle_certificates(&mut self) {
        let now = self.utc();
        if self.signing.early.as_ref().is_some_and(|early| early.facts.not_before <= now)
            && let Some(early) = self.signing.early.take()
        {
            // 1.6 security, A02.FR.08, A03.FR.08
            self.journal.delete(EARLY.into());
            self.take_own_certificate(early);
        }
        // A03.FR.02; 1.6 security, A03.FR.02
        if self.may_send() && self.renewal_at().is_some_and(|at| at <= now) {
            self.signing.renewed_at = Some(now);
            self.request_certificate(false);
        }
        self.signing.retry_at.take_if(|at| *at <= self.now.instant);
        self.send_signing_request();
    }

    fn send_signing_request(&mut self) {
        let signing = &self.signing;
        let Some(pending) = signing.pending.as_ref().filter(|pending| !pending.is_sent) else { return };
        let is_possible = if signing.is_triggered { self.is_connected() } else { self.may_send() };
        if signing.in_flight || signing.retry_at.is_some() || signing.is_given_up || !is_possible {
            return;
        }
        // A02.FR.24; the CSMS of 2.1 says what it answers to.
        let call = Call::SignCertificate { csr: pending.csr.clone(), request_id: pending.request_id };
        if self.call(call) == Called::Yes {
            self.signing.in_flight = true;
        }
    }

    /// The CSMS said whether it will have the certificate signed.
    pub(in crate::station) fn signing_request_answered(&mut self, accepted: bool) {
        self.signing.in_flight = false;
        self.signing.is_triggered = false;
        let Some(mut pending) = self.signing.pending.take() else { return };
        if !accepted {
            self.journal.delete(PENDING.into());
            self.effect(Output::ForgetKey { key: pending.key });
            return;
        }
        if self.version() == Version::V1_6 {
            // 1.6 security, A02: a station should not repeat what the CSMS has accepted, since that doesn't mend it.
            pending.is_sent = true;
            self.journal.put(PENDING.into(), &pending);
            self.signing.pending = Some(pending);
        } else {
            self.signing.pending = Some(pending);
            self.repeat_signing_request();
        }
    }

    /// A02.FR.17, A02.FR.18, A02.FR.19
    fn repeat_signing_request(&mut self) {
        let limit = self.settings.integer(Key::CertSigningRepeatTimes);
        let wait = self.settings.duration(Key::CertSigningWaitMinimum).max(Duration::from_secs(1));
        if i64::from(self.signing.repeats) >= limit {
            self.signing.is_given_up = true;
            return;
        }
        self.signing.retry_at = Some(self.now.instant + wait.saturating_mul(1 << self.signing.repeats.min(20)));
        self.signing.repeats += 1;
    }

    /// The CSMS gave no answer that helps.
    pub(in crate::station) fn signing_request_failed(&mut self) {
        self.signing.in_flight = false;
        self.repeat_signing_request();
    }

    /// The CSMS sends a certificate for the station. `Err` where it is refused without a look at it.
    pub(in crate::station) fn certificate_signed(
        &mut self,
        chain: String,
        request_id: Option<i64>,
    ) -> Result<Box<CertificateRequest>, ()> {
        let limit = usize::try_from(self.settings.integer(Key::CertificateSignedMaxChainSize)).unwrap_or(0);
        let pending = self.signing.pending.as_ref();
        // A02.FR.26
        let is_meant = request_id.is_none_or(|id| pending.is_some_and(|pending| pending.request_id == id));
        let own = self.certificates.own.as_ref().map(|own| own.key.clone());
        let key = pending.map(|pending| pending.key.clone()).or(own);
        match key {
            // A02.FR.16; 1.6 security, 7.3
            Some(key) if is_meant && chain.len() <= limit => Ok(Box::new(CertificateRequest::Signed { chain, key })),
            _ => {
                self.certificate_refused("there is no request for it");
                Err(())
            }
        }
    }

    /// A02.FR.07, A02.FR.20; 1.6 security, A02.FR.07, A03.FR.07
    fn certificate_refused(&mut self, info: &str) {
        self.signing.retry_at = None;
        self.signing.is_given_up = true;
        self.security_event(SecurityEvent::InvalidStationCertificate, Some(info));
    }

    /// Has the integrator judge a certificate. The answer to the call follows from his.
    pub(in crate::station) fn ask_about_certificate(&mut self, request: Box<CertificateRequest>, call: IncomingId) {
        let judged = match &*request {
            CertificateRequest::Install { root_use, certificate } => CertificateToJudge::Root {
                certificate: certificate.clone(),
                signed_by: self.root_to_replace(*root_use),
            },
            CertificateRequest::Signed { chain, key } => CertificateToJudge::Station {
                chain: chain.clone(),
                key: key.clone(),
                roots: self.certificates.roots(RootUse::Csms).map(ToString::to_string).collect(),
                organization: Some(self.settings.text(Key::OrganizationName).to_string())
                    .filter(|name| !name.is_empty()),
                may_be_early: self.version() == Version::V1_6,
            },
        };
        let patience = self.patience();
        self.ask(QuestionKind::Certificate(judged), About::Certificate { call, request }, patience);
    }

    /// The integrator has judged, or `None` in time.
    pub(in crate::station) fn certificate_judged(
        &mut self,
        request: CertificateRequest,
        answer: Option<&Answer>,
    ) -> CertificateOutcome {
        let facts = if let Some(Answer::Certificate(facts)) = answer { Some(facts.clone()) } else { None };
        match request {
            // 1.6 security, M05.FR.04; M05.FR.03
            CertificateRequest::Install { .. } if answer.is_none() => CertificateOutcome::Installed(Installed::Failed),
            CertificateRequest::Install { root_use, certificate } => {
                CertificateOutcome::Installed(self.install_root(root_use, certificate, facts))
            }
            CertificateRequest::Signed { chain, key } => {
                CertificateOutcome::Signed(self.own_certificate_judged(chain, key, facts))
            }
        }
    }

    /// A02.FR.06 to A02.FR.08; 1.6 security, A02.FR.06/07/08/09, A03.FR.06/07/08/09
    fn own_certificate_judged(&mut self, chain: String, key: String, facts: Option<CertificateFacts>) -> bool {
        let now = self.utc();
        let may_be_early = self.version() == Version::V1_6;
        let is_usable = |facts: &CertificateFacts| now <= facts.not_after && (facts.not_before <= now || may_be_early);
        let Some(facts) = facts.filter(is_usable) else {
            self.certificate_refused("not valid");
            return false;
        };
        let signed = StationCertificate::new(chain, key, facts);
        if self.signing.pending.take_if(|pending| pending.key == signed.key).is_some() {
            self.journal.delete(PENDING.into());
        }
        self.signing.retry_at = None;
        if signed.facts.not_before <= now {
            self.take_own_certificate(signed);
        } else {
            self.journal.put(EARLY.into(), &signed);
            self.signing.early = Some(signed);
        }
        true
    }

    /// When the certificate in use is to be renewed.
    fn renewal_at(&self) -> Option<Timestamp> {
        if self.signing.pending.is_some() || self.signing.early.is_some() || self.signing.is_key_asked_for {
            return None;
        }
        let own = self.certificates.own.as_ref()?;
        let due = own.facts.not_after.checked_sub(RENEWAL).ok()?;
        match self.signing.renewed_at {
            Some(last) => Some(due.max(last.checked_add(RENEWAL_REST).ok()?)),
            None => Some(due),
        }
    }

    /// When something about certificates falls due.
    pub(in crate::station) fn certificate_deadline(&self) -> Option<Instant> {
        let early = self.signing.early.as_ref().map(|early| early.facts.not_before);
        let renewal = self.renewal_at().filter(|_| self.may_send());
        let wait = early.into_iter().chain(renewal).min().map(|at| {
            let wait = at.duration_since(self.utc());
            self.now.instant + Duration::try_from(wait).unwrap_or_default()
        });
        let retry = self.signing.retry_at.filter(|_| self.may_send());
        wait.into_iter().chain(retry).min()
    }
}
