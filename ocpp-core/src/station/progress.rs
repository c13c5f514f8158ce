//! What the CSMS is told about firmware and logs: in order, and kept until it has been told.
//!
//! Every new state is reported (L01.FR.01, N01.FR.08 to 10), so that a report waits for a connection, and for the next start.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::Station;
use super::calls::Call;
use super::event::Event;
use super::firmware::FirmwareStatus;
use super::logs::LogStatus;
use super::outbox::Called;
use super::output::Output;

/// Most reports that wait. An update has at most a dozen; only a CSMS that asks for one after the other and takes no report
/// fills it, and loses the oldest.
const LIMIT: usize = 50;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ProgressReport {
    Firmware(FirmwareReport),
    Log(LogReport),
}

/// `FirmwareStatusNotification`, or 1.6's `SignedFirmwareStatusNotification`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FirmwareReport {
    pub(super) status: FirmwareStatus,
    pub(super) request_id: Option<i64>,
    /// Whether 1.6 has its signed message for it.
    pub(super) signed: bool,
}

/// `LogStatusNotification`, or 1.6's `DiagnosticsStatusNotification`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogReport {
    pub(super) status: LogStatus,
    pub(super) request_id: Option<i64>,
    /// Whether `GetDiagnostics` asked for it (1.6).
    pub(super) diagnostics: bool,
}

/// The reports that wait.
#[derive(Debug, Default)]
pub(super) struct ProgressReports {
    waiting: VecDeque<(u64, ProgressReport)>,
    next: u64,
    in_flight: bool,
    /// The last report about firmware that was sent (L01.FR.25, L01.FR.26; 1.6 security, L01.FR.28/29).
    last_firmware: Option<FirmwareReport>,
}

/// Numbers sort as texts, too.
fn record(number: u64) -> String {
    format!("progress/{number:020}")
}

/// Key of the last report about firmware.
pub(super) const LAST: &str = "progress-last";

impl ProgressReports {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn last_firmware(&self) -> Option<&FirmwareReport> {
        self.last_firmware.as_ref()
    }

    pub(super) fn disconnected(&mut self) {
        self.in_flight = false;
    }

    /// Takes over what a predecessor stored; call it in the order of the numbers.
    pub(super) fn restore(&mut self, number: u64, report: ProgressReport) {
        self.next = self.next.max(number + 1);
        self.waiting.push_back((number, report));
    }

    pub(super) fn restore_last(&mut self, report: FirmwareReport) {
        self.last_firmware = Some(report);
    }
}

impl Station {
    /// Has something reported.
    pub(super) fn report_progress(&mut self, report: ProgressReport) {
        match &report {
            ProgressReport::Firmware(FirmwareReport { status, request_id, .. }) => {
                let event = Event::FirmwareStatus { status: *status, request_id: *request_id };
                self.effect(Output::Event(event));
            }
            ProgressReport::Log(LogReport { status, request_id, .. }) => {
                let event = Event::LogStatus { status: *status, request_id: *request_id };
                self.effect(Output::Event(event));
            }
        }
        let number = self.progress.next;
        self.progress.next += 1;
        self.journal.put(record(number), &report);
        self.progress.waiting.push_back((number, report));
        if self.progress.waiting.len() > LIMIT {
            // The first one may be on its way.
            let place = usize::from(self.progress.in_flight);
            if let Some((number, _)) = self.progress.waiting.remove(place) {
                self.journal.delete(record(number));
            }
        }
    }

    /// Sends the oldest report, if the CSMS is there.
    pub(super) fn send_progress(&mut self) {
        while self.may_send() && !self.progress.in_flight {
            let Some((number, report)) = self.progress.waiting.front().cloned() else { return };
            match self.request(Call::Progress { number: Some(number), report: report.clone() }) {
                Called::Yes => {
                    self.progress.in_flight = true;
                    self.firmware_reported(report);
                }
                Called::NotNow => return,
                // 1.6 has fewer words.
                Called::NotInThisVersion => self.forget_progress(number),
            }
        }
    }

    /// Reports what a trigger asked for. Whether it can be said.
    pub(super) fn report_now(&mut self, report: ProgressReport) -> bool {
        self.call(Call::Progress { number: None, report }) == Called::Yes
    }

    fn firmware_reported(&mut self, report: ProgressReport) {
        if let ProgressReport::Firmware(report) = report {
            self.journal.put(LAST.into(), &report);
            self.progress.last_firmware = Some(report);
        }
    }

    fn forget_progress(&mut self, number: u64) {
        self.progress.waiting.retain(|(known, _)| *known != number);
        self.journal.delete(record(number));
    }

    /// The CSMS has answered a report, if only with an error: it would have no other answer the second time.
    pub(super) fn progress_answered(&mut self, number: Option<u64>) {
        if let Some(number) = number {
            self.progress.in_flight = false;
            self.forget_progress(number);
        }
    }
}
