//! What stations say about their uploads and updates.

use jiff::Timestamp;
use ocpp_core::csms::Event;

use crate::store::{LogState, Store, StoreError, UpdateState};

/// Takes in what a station reported, if it is about a log or firmware.
pub(crate) async fn observe(store: &Store, station: &str, event: &Event) {
    let kept = match event {
        Event::LogStatus { status, request_id } => log_status(store, station, *request_id, status).await,
        Event::FirmwareStatus { status, request_id } => firmware_status(store, station, *request_id, status).await,
        Event::Booted(boot) => match &boot.firmware_version {
            Some(version) => store.update_booted(station, version, Timestamp::now()).await,
            None => return,
        },
        _ => return,
    };
    if let Err(error) = kept {
        tracing::error!(%station, %error, "what the station says about its upload or update cannot be kept");
    }
}

async fn log_status(store: &Store, station: &str, request_id: Option<i64>, status: &str) -> Result<(), StoreError> {
    let state = match status {
        // It does nothing, and so it may be after a restart with an upload to come (N01.FR.13).
        "Idle" => return Ok(()),
        "AcceptedCanceled" => LogState::Superseded,
        "BadMessage" | "NotSupportedOperation" | "PermissionDenied" | "UploadFailure" | "UploadFailed" => {
            LogState::Failed
        }
        // The file itself says when it is here.
        _ => LogState::Uploading,
    };
    store.log_status(station, request_id, status, state, Timestamp::now()).await
}

async fn firmware_status(
    store: &Store,
    station: &str,
    request_id: Option<i64>,
    status: &str,
) -> Result<(), StoreError> {
    let state = match status {
        "Idle" => return Ok(()),
        "Downloaded" | "SignatureVerified" => UpdateState::Downloaded,
        "InstallScheduled" | "Installing" | "InstallRebooting" => UpdateState::Installing,
        "Installed" => UpdateState::Installed,
        "DownloadFailed"
        | "InstallationFailed"
        | "InvalidSignature"
        | "InstallVerificationFailed"
        | "InvalidCertificate"
        | "RevokedCertificate" => UpdateState::Failed,
        _ => UpdateState::Downloading,
    };
    store.update_status(station, request_id, status, state, Timestamp::now()).await
}
