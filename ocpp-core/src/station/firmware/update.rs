//! The steps of an update, and what each of them waits for.

use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::request::{Judgement, SIGNATURE_PATIENCE, Signed, UpdateOutcome, UpdateRequest};
use super::{Download, FirmwareFact, FirmwareStatus, FirmwareUpdates, Install, UpdateId};
use crate::rpc::IncomingId;
use crate::station::config::BootReason;
use crate::station::input::Answer;
use crate::station::output::QuestionKind;
use crate::station::progress::{FirmwareReport, ProgressReport};
use crate::station::questions::About;
use crate::station::security::SecurityEvent;
use crate::station::settings::Key;
use crate::station::{Output, Station};
use crate::time::Instant;

/// Key of the record of the update at hand.
const RECORD: &str = "firmware";

/// The update at hand.
#[derive(Debug, Default)]
pub(in crate::station) struct Firmware {
    update: Option<Update>,
    last: UpdateId,
    /// When the next attempt to download is made.
    retry_at: Option<Instant>,
}

/// What is kept of it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::station) struct FirmwareRecord {
    last: UpdateId,
    update: Option<Update>,
}

/// An update that is under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Update {
    id: UpdateId,
    request: UpdateRequest,
    step: Step,
    /// The version that ran when it was asked for: another one at the next start is the new one.
    replaces: Option<String>,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// Nothing, until it is time to download.
    Scheduled,
    Downloading,
    /// Something more important.
    Paused,
    /// Nothing, until it is time for the next attempt.
    Retrying,
    /// The signature is checked.
    Verifying,
    /// Nothing, until it is time to install and no transaction runs.
    Ready,
    Installing,
    /// The station restarts, and the new firmware will be at work.
    Restarting,
}

/// Why free connectors can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// The installation waits for transactions to end.
    Pending,
    Installing,
}

impl Firmware {
    /// Whether the firmware is being replaced, which nothing must disturb.
    pub(in crate::station) fn is_installing(&self) -> bool {
        self.update.as_ref().is_some_and(|update| matches!(update.step, Step::Installing | Step::Restarting))
    }

    pub(in crate::station) fn restore(&mut self, record: FirmwareRecord) {
        self.last = record.last;
        self.update = record.update;
    }

    fn step(&self) -> Option<Step> {
        self.update.as_ref().map(|update| update.step)
    }
}

impl Station {
    /// The CSMS wants new firmware.
    /// 1.6 errata 3.47
    pub(in crate::station) fn update_firmware(&mut self, request: UpdateRequest) -> Judgement {
        let takes = self.config.firmware_updates;
        Judgement::Now(match &request.signed {
            Some(_) if takes == FirmwareUpdates::Unsigned => UpdateOutcome::Rejected("UnsupportedParam"),
            None if takes == FirmwareUpdates::Signed => UpdateOutcome::Rejected("MissingParam"),
            _ if !self.can_fetch(&request.location) => UpdateOutcome::Rejected("InvalidURL"),
            // L01.FR.21; 1.6 security, L01.FR.23
            Some(_) => return Judgement::AfterSigningCertificate(Box::new(request)),
            None => self.begin_update(request),
        })
    }

    /// Whether the station can move files to or from there, as far as the scheme tells.
    pub(in crate::station) fn can_fetch(&self, location: &str) -> bool {
        let scheme = location.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| {
            self.settings.items(Key::FileTransferProtocols).any(|known| known.eq_ignore_ascii_case(scheme))
        })
    }

    /// Asks the integrator about the signing certificate; the answer to the call follows from his answer.
    pub(in crate::station) fn ask_about_signing_certificate(&mut self, request: Box<UpdateRequest>, call: IncomingId) {
        let certificate = request.signed.as_ref().map(|signed| signed.certificate.clone()).unwrap_or_default();
        let about = About::SigningCertificate { call, request };
        self.ask(QuestionKind::SigningCertificate { certificate }, about, self.patience());
    }

    /// The integrator has judged the signing certificate. One that can't be judged is not valid (L01).
    pub(in crate::station) fn signing_certificate_judged(
        &mut self,
        request: UpdateRequest,
        answer: &Answer,
    ) -> UpdateOutcome {
        match answer {
            Answer::Done => return self.begin_update(request),
            // L01.FR.02; 1.6 security, L01.FR.02. The update that is under way goes on: this request is none.
            _ => self.security_event_to_tell(SecurityEvent::InvalidFirmwareSigningCertificate, None),
        }
        match answer {
            // 1.6 security, L01.FR.25
            Answer::Revoked => UpdateOutcome::RevokedCertificate,
            // L01.FR.22; 1.6 security, L01.FR.24
            _ => UpdateOutcome::InvalidCertificate,
        }
    }

    fn begin_update(&mut self, request: UpdateRequest) -> UpdateOutcome {
        // L01.FR.27, L02.FR.18; 1.6 security, L01.FR.27
        if self.firmware.is_installing() {
            return UpdateOutcome::Rejected("FwUpdateInProgress");
        }
        // L01.FR.24, L02.FR.15; 1.6 security, L01.FR.26
        let canceled = self.firmware.update.take();
        if let Some(canceled) = &canceled {
            self.effect(Output::CancelDownload { update: canceled.id });
            self.questions.retain(|pending| !matches!(pending.about, About::FirmwareSignature));
        }
        self.firmware.retry_at = None;
        self.firmware.last = UpdateId(self.firmware.last.0 + 1);
        let is_early = request.retrieve_at > self.utc();
        self.firmware.update = Some(Update {
            id: self.firmware.last,
            request,
            step: Step::Scheduled,
            replaces: self.config.product.firmware_version.clone(),
        });
        self.save_firmware();
        if is_early {
            // L01.FR.13, L02.FR.07; 1.6 security, L01.FR.13
            self.firmware_status(FirmwareStatus::DownloadScheduled);
        }
        if canceled.is_some() { UpdateOutcome::AcceptedCanceled } else { UpdateOutcome::Accepted }
    }

    fn save_firmware(&mut self) {
        let record = FirmwareRecord { last: self.firmware.last, update: self.firmware.update.clone() };
        self.journal.put(RECORD.into(), &record);
    }

    fn take_step(&mut self, step: Step) {
        if let Some(update) = &mut self.firmware.update {
            update.step = step;
            self.save_firmware();
        }
    }

    /// Tells the CSMS (L01.FR.01, L01.FR.10, L02.FR.01, L02.FR.06; 1.6 security, L01.FR.01/10; 1.6 errata 3.12).
    fn firmware_status(&mut self, status: FirmwareStatus) {
        let Some(update) = &self.firmware.update else { return };
        let report =
            FirmwareReport { status, request_id: update.request.request_id, signed: update.request.signed.is_some() };
        self.report_progress(ProgressReport::Firmware(report));
    }

    /// The update is over.
    fn end_update(&mut self, status: FirmwareStatus) {
        self.firmware_status(status);
        self.firmware.update = None;
        self.firmware.retry_at = None;
        self.save_firmware();
    }

    /// Something happened to the firmware.
    pub(in crate::station) fn firmware_fact(&mut self, id: UpdateId, fact: FirmwareFact) {
        let Some(update) = self.firmware.update.as_mut().filter(|update| update.id == id) else {
            return self.ignore("a firmware update that is not under way");
        };
        match (update.step, fact) {
            (Step::Downloading | Step::Paused, FirmwareFact::Downloaded) => self.downloaded(),
            (Step::Downloading | Step::Paused, FirmwareFact::DownloadFailed { .. }) => {
                match update.request.attempts.fail() {
                    Some(wait) => {
                        self.firmware.retry_at = Some(self.now.instant + wait);
                        self.take_step(Step::Retrying);
                    }
                    // L01.FR.30, L02.FR.19
                    None => self.end_update(FirmwareStatus::DownloadFailed),
                }
            }
            (Step::Downloading, FirmwareFact::DownloadPaused) => {
                self.take_step(Step::Paused);
                // L01.FR.14, L02.FR.08; 1.6 security, L01.FR.14
                self.firmware_status(FirmwareStatus::DownloadPaused);
            }
            (Step::Paused, FirmwareFact::DownloadResumed) => {
                self.take_step(Step::Downloading);
                self.firmware_status(FirmwareStatus::Downloading);
            }
            (Step::Installing, FirmwareFact::Installed) => self.firmware_installed(),
            (Step::Installing, FirmwareFact::RestartNeeded) => {
                self.take_step(Step::Restarting);
                // L01.FR.15, L01.FR.32, L02.FR.09, L02.FR.21; 1.6 security, L01.FR.15
                self.firmware_status(FirmwareStatus::InstallRebooting);
                self.restart_for_firmware();
            }
            (Step::Installing, FirmwareFact::InstallationFailed { .. }) => {
                self.end_update(FirmwareStatus::InstallationFailed);
            }
            // L01.FR.29
            (Step::Installing | Step::Verifying | Step::Ready, FirmwareFact::VerificationFailed { .. }) => {
                self.end_update(FirmwareStatus::InstallVerificationFailed);
            }
            _ => self.ignore("a step of a firmware update that is not being taken"),
        }
    }

    fn downloaded(&mut self) {
        self.firmware_status(FirmwareStatus::Downloaded);
        let signed = self.firmware.update.as_ref().and_then(|update| update.request.signed.clone());
        match signed {
            // L01.FR.04, L01.FR.12; 1.6 security, L01.FR.04/12
            Some(signed) => {
                self.take_step(Step::Verifying);
                self.ask_about_signature(signed);
            }
            None => self.ready(),
        }
    }

    fn ask_about_signature(&mut self, signed: Signed) {
        let Some(update) = self.firmware.update.as_ref().map(|update| update.id) else { return };
        match signed.signature {
            Some(signature) => {
                let kind = QuestionKind::FirmwareSignature { update, certificate: signed.certificate, signature };
                self.ask(kind, About::FirmwareSignature, SIGNATURE_PATIENCE);
            }
            // L01: a signature that is missing is not valid.
            None => self.signature_judged(&Answer::Failed),
        }
    }

    /// The integrator has checked the signature of the image.
    pub(in crate::station) fn signature_judged(&mut self, answer: &Answer) {
        if self.firmware.step() != Some(Step::Verifying) {
            return;
        }
        if *answer == Answer::Done {
            self.firmware_status(FirmwareStatus::SignatureVerified);
            self.ready();
        } else {
            // L01.FR.03; 1.6 security, L01.FR.03
            self.end_update(FirmwareStatus::InvalidSignature);
            self.security_event_to_tell(SecurityEvent::InvalidFirmwareSignature, None);
        }
    }

    fn ready(&mut self) {
        self.take_step(Step::Ready);
        // L01.FR.16, L02.FR.10, L01.FR.34, L02.FR.23; 1.6 security, L01.FR.16
        if self.install_at().is_some_and(|at| at > self.utc()) || !self.is_idle() {
            self.firmware_status(FirmwareStatus::InstallScheduled);
        }
    }

    fn install_at(&self) -> Option<Timestamp> {
        self.firmware.update.as_ref().and_then(|update| update.request.install_at)
    }

    /// Whether nobody charges, or is about to.
    fn is_idle(&self) -> bool {
        self.evses
            .iter()
            .all(|evse| evse.transaction.is_none() && evse.authorization.is_none() && evse.authorizing.is_none())
    }

    fn hold(&self) -> Option<Hold> {
        match self.firmware.step()? {
            Step::Ready if self.install_at().is_none_or(|at| at <= self.utc()) => Some(Hold::Pending),
            Step::Installing | Step::Restarting => Some(Hold::Installing),
            _ => None,
        }
    }

    /// Whether nobody new may charge because of new firmware (L01.FR.07, L02.FR.04; 1.6 security, L01.FR.07/19;
    /// 1.6 errata 3.49).
    pub(in crate::station) fn is_held_for_firmware(&self) -> bool {
        match self.hold() {
            Some(Hold::Pending) => !self.settings.boolean(Key::AllowNewSessionsPendingFirmwareUpdate),
            Some(Hold::Installing) => true,
            None => false,
        }
    }

    /// Takes the steps that are due.
    pub(in crate::station) fn settle_firmware(&mut self) {
        let Some(update) = &self.firmware.update else { return };
        let (id, attempt) = (update.id, update.request.attempts.number());
        match update.step {
            Step::Scheduled if update.request.retrieve_at <= self.utc() => {
                self.firmware_status(FirmwareStatus::Downloading);
                self.download(id, attempt);
            }
            // L01.FR.30: a retry is no new state.
            Step::Retrying if self.firmware.retry_at.is_none_or(|at| at <= self.now.instant) => {
                self.download(id, attempt);
            }
            // The restart is a part of it that nobody may be torn out of either (L01.FR.33, L02.FR.22).
            // L01.FR.05, L01.FR.06, L02.FR.02, L02.FR.03; 1.6 security, L01.FR.05/06/17/18; 1.6 errata 3.48
            Step::Ready if self.hold().is_some() && self.is_idle() && self.restart.is_none() => {
                self.take_step(Step::Installing);
                self.firmware_status(FirmwareStatus::Installing);
                self.install();
            }
            _ => {}
        }
    }

    fn download(&mut self, update: UpdateId, attempt: u32) {
        self.firmware.retry_at = None;
        self.take_step(Step::Downloading);
        let location = self.firmware.update.as_ref().map(|update| update.request.location.clone()).unwrap_or_default();
        self.effect(Output::Download(Download { update, location, attempt }));
    }

    /// The station could not be restarted, so that the old firmware goes on.
    pub(in crate::station) fn firmware_restart_given_up(&mut self) {
        if self.firmware.step() == Some(Step::Restarting) {
            self.end_update(FirmwareStatus::InstallationFailed);
        }
    }

    fn install(&mut self) {
        if let Some(update) = &self.firmware.update {
            let install = Install { update: update.id, location: update.request.location.clone() };
            self.effect(Output::Install(install));
        }
    }

    /// When something is due.
    pub(in crate::station) fn firmware_deadline(&self) -> Option<Instant> {
        let update = self.firmware.update.as_ref()?;
        let at = match update.step {
            Step::Scheduled => update.request.retrieve_at,
            Step::Retrying => return self.firmware.retry_at,
            Step::Ready => update.request.install_at.filter(|at| *at > self.utc())?,
            _ => return None,
        };
        Some(self.now.instant + Duration::try_from(at.duration_since(self.utc())).unwrap_or_default())
    }

    /// Goes on where the predecessor was interrupted.
    pub(in crate::station) fn take_up_firmware(&mut self) {
        let Some(update) = &self.firmware.update else { return };
        let (id, attempt, step) = (update.id, update.request.attempts.number(), update.step);
        let is_new = update.replaces != self.config.product.firmware_version
            || self.config.boot_reason == Some(BootReason::FirmwareUpdate);
        match step {
            Step::Installing | Step::Restarting if is_new => {
                self.provisioning.reason = BootReason::FirmwareUpdate;
                self.firmware_installed();
            }
            // The restart brought the old firmware back.
            Step::Restarting => self.end_update(FirmwareStatus::InstallationFailed),
            Step::Installing => self.install(),
            Step::Downloading | Step::Paused => self.download(id, attempt),
            Step::Verifying => {
                if let Some(signed) = update.request.signed.clone() {
                    self.ask_about_signature(signed);
                }
            }
            Step::Scheduled | Step::Retrying | Step::Ready => {}
        }
    }

    /// L01.FR.28, L01.FR.31, L02.FR.20
    fn firmware_installed(&mut self) {
        self.end_update(FirmwareStatus::Installed);
        self.security_event_to_tell(SecurityEvent::FirmwareUpdated, None);
    }

    /// What a trigger for the message of L01 gives (L01.FR.25, L01.FR.26, L02.FR.16, L02.FR.17; 1.6
    /// security, L01.FR.28/29).
    pub(in crate::station) fn firmware_report_on_trigger(&self) -> FirmwareReport {
        let last = self.progress.last_firmware().filter(|last| last.status != FirmwareStatus::Installed);
        // L01.FR.20: without an update there is no number.
        last.cloned().unwrap_or(FirmwareReport { status: FirmwareStatus::Idle, request_id: None, signed: true })
    }

    /// What a trigger for 1.6's `FirmwareStatusNotification` gives: what is being done (1.6 edition 2, 4.5).
    pub(in crate::station) fn plain_firmware_report_on_trigger(&self) -> FirmwareReport {
        let status = match self.firmware.step() {
            None | Some(Step::Scheduled) => FirmwareStatus::Idle,
            Some(Step::Downloading | Step::Paused | Step::Retrying) => FirmwareStatus::Downloading,
            Some(Step::Verifying | Step::Ready) => FirmwareStatus::Downloaded,
            Some(Step::Installing | Step::Restarting) => FirmwareStatus::Installing,
        };
        FirmwareReport { status, request_id: None, signed: false }
    }
}
