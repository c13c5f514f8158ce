//! One upload at a time: the newest wish.

use alloc::string::String;
use alloc::{boxed::Box, format};

use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::{LogStatus, LogWanted, Upload, UploadId, UploadOutcome};
use crate::rpc::IncomingId;
use crate::station::attempts::Attempts;
use crate::station::input::Answer;
use crate::station::output::QuestionKind;
use crate::station::progress::{LogReport, ProgressReport};
use crate::station::questions::About;
use crate::station::{Output, Station};
use crate::time::Instant;

/// Key of the record of the upload at hand.
const RECORD: &str = "log";

/// Longest name of a file (N01.FR.01; 1.6 edition 2, 6.26).
const FILE_NAME: usize = 255;

/// A wish for a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::station) struct LogRequest {
    /// The number that reports carry; `GetDiagnostics` has none.
    pub(in crate::station) request_id: Option<i64>,
    pub(in crate::station) location: String,
    pub(in crate::station) log: LogWanted,
    pub(in crate::station) attempts: Attempts,
}

impl LogRequest {
    /// A wish with a number.
    pub(in crate::station) fn new(request_id: i64, location: &str, log: LogWanted, attempts: Attempts) -> Box<Self> {
        Box::new(Self { request_id: Some(request_id), location: location.into(), log, attempts })
    }
}

/// What becomes of the wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::station) enum LogOutcome {
    /// The file of this name is uploaded.
    Accepted(String),
    /// The same, and an earlier upload is given up for it.
    AcceptedCanceled(String),
    /// There is no such log.
    Rejected,
}

impl LogOutcome {
    /// The standard's word (2.1 part 2, `LogStatusEnumType`).
    pub(in crate::station) const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "Accepted",
            Self::AcceptedCanceled(_) => "AcceptedCanceled",
            Self::Rejected => "Rejected",
        }
    }

    /// Name of the file that is uploaded.
    pub(in crate::station) fn file_name(&self) -> Option<&str> {
        match self {
            Self::Accepted(name) | Self::AcceptedCanceled(name) => Some(name),
            Self::Rejected => None,
        }
    }
}

/// The upload at hand.
#[derive(Debug, Default)]
pub(in crate::station) struct Logs {
    upload: Option<Uploading>,
    last: UploadId,
    retry_at: Option<Instant>,
}

/// What is kept of it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::station) struct LogRecord {
    last: UploadId,
    upload: Option<Uploading>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Uploading {
    id: UploadId,
    request: LogRequest,
    file_name: String,
}

impl LogRequest {
    /// Whether 1.6's `GetDiagnostics` made it.
    pub(in crate::station) fn is_diagnostics(&self) -> bool {
        self.request_id.is_none()
    }
}

impl Logs {
    pub(in crate::station) fn restore(&mut self, record: LogRecord) {
        self.last = record.last;
        self.upload = record.upload;
    }

    pub(in crate::station) fn deadline(&self) -> Option<Instant> {
        self.retry_at
    }
}

impl Station {
    /// Asks the integrator for a file; the answer to the call follows from his answer.
    pub(in crate::station) fn ask_for_log(&mut self, request: LogRequest, call: IncomingId) {
        let kind = QuestionKind::Log(request.log.clone());
        self.ask(kind, About::Log { call, request: Box::new(request) }, self.patience());
    }

    /// The integrator has said whether there is such a log.
    pub(in crate::station) fn log_found(&mut self, request: LogRequest, answer: &Answer) -> LogOutcome {
        let file_name = match answer {
            Answer::File(name) if !name.is_empty() => name.chars().take(FILE_NAME).collect::<String>(),
            // N01.FR.05; 1.6 edition 2, 5.9
            _ => return LogOutcome::Rejected,
        };
        // N01.FR.12; 1.6 security, N01.FR.11
        let canceled = self.logs.upload.take();
        if let Some(canceled) = &canceled {
            self.effect(Output::CancelUpload { upload: canceled.id });
            self.report_canceled(&canceled.request, &request);
        }
        self.logs.last = UploadId(self.logs.last.0 + 1);
        self.logs.retry_at = None;
        let id = self.logs.last;
        self.logs.upload = Some(Uploading { id, request, file_name: file_name.clone() });
        self.save_log();
        // N01.FR.08; 1.6 security, N01.FR.08; 1.6 errata 3.31
        self.log_status(LogStatus::Uploading);
        self.upload();
        if canceled.is_some() { LogOutcome::AcceptedCanceled(file_name) } else { LogOutcome::Accepted(file_name) }
    }

    /// Tells what became of the upload that another one takes the place of.
    fn report_canceled(&mut self, canceled: &LogRequest, by: &LogRequest) {
        let status = match self.version() {
            // The answer says it; without one that could, it has failed.
            Version::V1_6 if canceled.is_diagnostics() || by.is_diagnostics() => LogStatus::UploadFailure,
            Version::V1_6 => return,
            // N01.FR.20
            Version::V2_0_1 | Version::V2_1 => LogStatus::AcceptedCanceled,
        };
        self.report_log(canceled.request_id, status);
    }

    fn save_log(&mut self) {
        let record = LogRecord { last: self.logs.last, upload: self.logs.upload.clone() };
        self.journal.put(RECORD.into(), &record);
    }

    /// Tells the CSMS (N01.FR.07; 1.6 security, N01.FR.07).
    fn log_status(&mut self, status: LogStatus) {
        if let Some(upload) = &self.logs.upload {
            self.report_log(upload.request.request_id, status);
        }
    }

    fn report_log(&mut self, request_id: Option<i64>, status: LogStatus) {
        let report = LogReport { status, request_id, diagnostics: request_id.is_none() };
        self.report_progress(ProgressReport::Log(report));
    }

    /// N01.FR.02; 1.6 security, N01.FR.02/03/04
    fn upload(&mut self) {
        let Some(Uploading { id, request, file_name }) = self.logs.upload.clone() else { return };
        // N01.FR.21, N01.FR.29
        let location = match request.location.strip_suffix('/') {
            Some(folder) => format!("{folder}/{file_name}"),
            None => request.location,
        };
        let attempt = request.attempts.number();
        self.effect(Output::Upload(Upload { upload: id, log: request.log, location, file_name, attempt }));
    }

    /// Something happened to an upload.
    pub(in crate::station) fn upload_ended(&mut self, id: UploadId, outcome: UploadOutcome) {
        let now = self.now.instant;
        let Some(upload) = self.logs.upload.as_mut().filter(|upload| upload.id == id) else {
            return self.ignore("an upload that is not under way");
        };
        let status = match outcome {
            // N01.FR.09; 1.6 security, N01.FR.09
            UploadOutcome::Uploaded => LogStatus::Uploaded,
            UploadOutcome::Failed(failure) => match upload.request.attempts.fail() {
                Some(wait) => {
                    self.logs.retry_at = Some(now + wait);
                    return self.save_log();
                }
                // N01.FR.10; 1.6 security, N01.FR.10
                None => failure.into(),
            },
        };
        self.log_status(status);
        self.logs.upload = None;
        self.logs.retry_at = None;
        self.save_log();
    }

    /// Makes the attempt that is due.
    pub(in crate::station) fn settle_logs(&mut self) {
        if self.logs.retry_at.take_if(|at| *at <= self.now.instant).is_some() {
            self.upload();
        }
    }

    /// Goes on where the predecessor was interrupted.
    pub(in crate::station) fn take_up_log(&mut self) {
        self.upload();
    }

    /// What a trigger gives (1.6 security, N01.FR.12; N01.FR.13).
    pub(in crate::station) fn log_report_on_trigger(&self) -> LogReport {
        self.log_report(false)
    }

    /// What a trigger for 1.6's `DiagnosticsStatusNotification` gives (1.6 edition 2, 4.4).
    pub(in crate::station) fn diagnostics_report_on_trigger(&self) -> LogReport {
        self.log_report(true)
    }

    fn log_report(&self, diagnostics: bool) -> LogReport {
        let ongoing = self.logs.upload.as_ref().filter(|upload| upload.request.is_diagnostics() == diagnostics);
        LogReport {
            status: if ongoing.is_some() { LogStatus::Uploading } else { LogStatus::Idle },
            request_id: ongoing.and_then(|upload| upload.request.request_id),
            diagnostics,
        }
    }
}
