//! Firmware and logs: what the station wants fetched, checked, installed and sent away. Each is a task of its own, and ends as a fact.

use std::path::PathBuf;

use ocpp_core::pki::{self, Certificate, ChainError, Purpose};
use ocpp_core::station::{
    Answer, Download, FirmwareFact, Input, Install, LogKind, LogWanted, QuestionId, RootUse, UpdateId, Upload,
    UploadFailure, UploadId, UploadOutcome,
};
use ocpp_core::types::Version;
use tokio::task::{AbortHandle, JoinSet};

use super::Driver;
use crate::config::version_named;
use crate::logs;
use crate::transfer::{self, Failure, Limits, TransferError};

/// What is going on.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    tasks: JoinSet<Input>,
    download: Option<(UpdateId, AbortHandle)>,
    upload: Option<(UploadId, AbortHandle)>,
}

impl Transfers {
    /// What came of one of them. Cancel-safe.
    pub(super) async fn next(&mut self) -> Input {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(input)) => return input,
                // It was stopped.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Stops everything, as a restart does.
    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }
}

impl Driver {
    pub(super) fn download(&mut self, download: Download) {
        let Download { update, location, attempt, .. } = download;
        tracing::info!(station = %self.config.id, "firmware update {}: download, attempt {attempt}", update.0);
        self.firmware.forget_others(update);
        let image = self.firmware.image(update);
        let station = self.config.id.clone();
        let task = self.transfers.tasks.spawn(async move {
            let fact = match transfer::download(&location, &image, Limits::default()).await {
                Ok(length) => {
                    tracing::info!(%station, "firmware update {}: {length} bytes", update.0);
                    FirmwareFact::Downloaded
                }
                Err(error) => {
                    tracing::warn!(%station, "firmware update {}: {error}", update.0);
                    FirmwareFact::DownloadFailed { reason: error.to_string() }
                }
            };
            Input::Firmware { update, fact }
        });
        self.transfers.download = Some((update, task));
    }

    pub(super) fn cancel_download(&mut self, update: UpdateId) {
        if let Some((_, task)) = self.transfers.download.take_if(|(known, _)| *known == update) {
            task.abort();
        }
    }

    pub(super) fn install(&mut self, install: &Install) {
        let update = install.update;
        tracing::info!(station = %self.config.id, "firmware update {}: installation", update.0);
        let installation = self.firmware.installation(update, &install.location);
        self.transfers.tasks.spawn_blocking(move || Input::Firmware { update, fact: installation() });
    }

    pub(super) fn upload(&mut self, upload: Upload) {
        let Upload { upload: id, log, location, file_name, attempt, .. } = upload;
        tracing::info!(station = %self.config.id, "upload {} of {file_name}, attempt {attempt}", id.0);
        let content = match log.kind {
            LogKind::Security => {
                let version = version_named(self.connection.version()).unwrap_or(Version::V2_1);
                logs::security(&log, version, self.station.security_log())
            }
            _ => logs::diagnostics(&log, self.messages.iter()),
        };
        let station = self.config.id.clone();
        let task = self.transfers.tasks.spawn(async move {
            let outcome = match transfer::upload(&location, &file_name, content, Limits::default()).await {
                Ok(()) => UploadOutcome::Uploaded,
                Err(error) => {
                    tracing::warn!(%station, "upload {}: {error}", id.0);
                    UploadOutcome::Failed(failure(&error))
                }
            };
            Input::Log { upload: id, outcome }
        });
        self.transfers.upload = Some((id, task));
    }

    pub(super) fn cancel_upload(&mut self, upload: UploadId) {
        if let Some((_, task)) = self.transfers.upload.take_if(|(known, _)| *known == upload) {
            task.abort();
        }
    }

    /// Whether there is such a log.
    pub(super) fn find_log(&self, log: &LogWanted) -> Answer {
        logs::file_name(&self.config.id, log.kind, jiff::Timestamp::now()).map_or(Answer::Failed, Answer::File)
    }

    /// Whether firmware may be signed with this certificate: one of the manufacturer's roots vouches for it.
    pub(super) fn judge_signing_certificate(&self, certificate: &str) -> Answer {
        let roots: Vec<Certificate> =
            self.manufacturer_roots().filter_map(|pem| Certificate::chain_from_pem(pem).ok()).flatten().collect();
        let chain = match Certificate::chain_from_pem(certificate) {
            Ok(chain) => chain,
            Err(error) => {
                tracing::warn!(station = %self.config.id, "the signing certificate can't be read: {error}");
                return Answer::Failed;
            }
        };
        match pki::verify_chain(&chain, &roots, jiff::Timestamp::now(), Purpose::FirmwareSigning, &[]) {
            Ok(()) => Answer::Done,
            Err(error) => {
                tracing::warn!(station = %self.config.id, "the signing certificate is not valid: {error}");
                if error == ChainError::Revoked { Answer::Revoked } else { Answer::Failed }
            }
        }
    }

    /// The manufacturer's roots: those that the station was built with, and those that a CSMS has installed (M05).
    fn manufacturer_roots(&self) -> impl Iterator<Item = &str> {
        let installed = self.station.root_certificates(RootUse::Manufacturer);
        self.config.manufacturer_roots.iter().map(String::as_str).chain(installed)
    }

    /// Checks the signature of an image, and answers the question when that is done.
    pub(super) fn check_signature(
        &mut self,
        question: QuestionId,
        update: UpdateId,
        certificate: String,
        signature: String,
    ) {
        let image = self.firmware.image(update);
        let station = self.config.id.clone();
        self.transfers.tasks.spawn_blocking(move || {
            let answer = match is_signed(&image, &certificate, &signature) {
                Ok(()) => Answer::Done,
                Err(error) => {
                    tracing::warn!(%station, "firmware update {}: {error}", update.0);
                    Answer::Failed
                }
            };
            Input::Answer { question, answer }
        });
    }
}

fn is_signed(image: &PathBuf, certificate: &str, signature: &str) -> Result<(), String> {
    let signer = Certificate::chain_from_pem(certificate).map_err(|error| error.to_string())?;
    let signer = signer.first().ok_or("there is no certificate")?;
    let content = std::fs::read(image).map_err(|error| error.to_string())?;
    pki::verify_signature(signer, &content, signature).map_err(|error| error.to_string())
}

fn failure(error: &TransferError) -> UploadFailure {
    match error.kind {
        Failure::BadMessage => UploadFailure::BadMessage,
        Failure::NotSupported => UploadFailure::NotSupportedOperation,
        Failure::PermissionDenied => UploadFailure::PermissionDenied,
        Failure::Other => UploadFailure::Other,
    }
}
