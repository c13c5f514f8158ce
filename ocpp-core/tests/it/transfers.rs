//! What an integrator does with firmware and logs, simulated: files are moved, checked and installed.

use std::collections::VecDeque;
use std::time::Duration;

use ocpp_core::station::{Answer, Download, FirmwareFact, Upload, UploadOutcome};

use crate::harness::World;

/// How that goes.
pub struct Transfers {
    /// How long each step takes.
    pub duration: Duration,
    /// Whether anything is ever moved.
    pub moves: bool,
    /// What becomes of the next downloads; all later ones succeed.
    pub downloads: VecDeque<FirmwareFact>,
    /// What becomes of every installation.
    pub installation: FirmwareFact,
    /// What is said about signing certificates.
    pub certificate: Answer,
    /// What is said about signatures.
    pub signature: Answer,
    /// What is said about logs.
    pub log: Answer,
    /// What becomes of the next uploads; all later ones succeed.
    pub uploads: VecDeque<UploadOutcome>,
    /// Every download that was asked for.
    pub downloaded: Vec<Download>,
    /// Every upload that was asked for.
    pub uploaded: Vec<Upload>,
    /// How many installations were asked for.
    pub installs: u32,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(10),
            moves: true,
            downloads: VecDeque::new(),
            installation: FirmwareFact::RestartNeeded,
            certificate: Answer::Done,
            signature: Answer::Done,
            log: Answer::File("diagnostics.log".into()),
            uploads: VecDeque::new(),
            downloaded: Vec::new(),
            uploaded: Vec::new(),
            installs: 0,
        }
    }
}

impl Transfers {
    pub fn download(&mut self, download: &Download) -> FirmwareFact {
        self.downloaded.push(download.clone());
        self.downloads.pop_front().unwrap_or(FirmwareFact::Downloaded)
    }

    pub fn upload(&mut self, upload: &Upload) -> UploadOutcome {
        self.uploaded.push(upload.clone());
        self.uploads.pop_front().unwrap_or(UploadOutcome::Uploaded)
    }

    /// The version that runs after an installation, if that succeeds.
    pub fn install(&self) -> Option<String> {
        matches!(self.installation, FirmwareFact::RestartNeeded | FirmwareFact::Installed).then(|| "2.0.0".into())
    }
}

impl<P> World<P> {
    /// Lets every download fail, this often.
    pub fn downloads_fail(&mut self, times: usize) {
        let failed = FirmwareFact::DownloadFailed { reason: "not found".into() };
        self.transfers.downloads.extend(std::iter::repeat_n(failed, times));
    }
}
