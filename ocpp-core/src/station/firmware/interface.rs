//! What the engine and the integrator say to each other about firmware.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// Number of a firmware update. A later update has a higher number; it outlives restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct UpdateId(pub u64);

/// Which firmware updates a station takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum FirmwareUpdates {
    /// Only those whose signature can be checked: `SignedUpdateFirmware` in 1.6, where `UpdateFirmware` is refused
    /// (1.6 security, L01.FR.20), and in 2.x those with a signing certificate (L01.FR.09; 1.6 security, L01.FR.09).
    #[default]
    Signed,
    /// Only those without a signature: `UpdateFirmware` in 1.6 (edition 2, 5.19) and L02 in 2.x.
    Unsigned,
    /// Both: a signature is checked where there is one. For a fleet that is being moved from one to the other, and for tests.
    Either,
}

/// Fetch a firmware image and keep it where a restart doesn't lose it. Then report [`FirmwareFact::Downloaded`] or
/// [`FirmwareFact::DownloadFailed`] with [`Input::Firmware`](super::super::Input::Firmware).
///
/// After a restart in the middle of it the same download is asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Download {
    /// Which update.
    pub update: UpdateId,
    /// Where the image is: a URL, at most 2,000 characters, possibly with user and password. Nothing else is known about it.
    pub location: String,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// Install the image that was downloaded. Then report [`FirmwareFact::Installed`], [`FirmwareFact::RestartNeeded`] or one of the
/// failures.
///
/// After a restart in the middle of it, with the firmware that ran before, the same installation is asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Install {
    /// Which update.
    pub update: UpdateId,
    /// Where the image came from.
    pub location: String,
}

/// What becomes of a firmware update.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum FirmwareFact {
    /// The image is here, whole.
    Downloaded,
    /// This attempt failed; the engine decides whether there is another one.
    DownloadFailed {
        /// Why, for the log.
        reason: String,
    },
    /// Something more important has to be done first (L01.FR.14).
    DownloadPaused,
    /// The download goes on.
    DownloadResumed,
    /// The new firmware is installed and at work, without a restart.
    Installed,
    /// The new firmware is in place, and a restart makes it work (L01.FR.32). The engine asks for the restart when it has told the
    /// CSMS. The next start has the new `firmware_version` in its [`Product`](super::super::Product), or
    /// [`BootReason::FirmwareUpdate`](super::super::BootReason::FirmwareUpdate) as its reason: otherwise the update has failed.
    RestartNeeded,
    /// The installation failed; the station goes on with the firmware that it has.
    InstallationFailed {
        /// Why, for the log.
        reason: String,
    },
    /// The image is not what it should be, by a checksum or other means, and was not installed (L01.FR.29).
    VerificationFailed {
        /// Why, for the log.
        reason: String,
    },
}

/// Status of a firmware update, in the standard's words (2.1 part 2, `FirmwareStatusEnumType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FirmwareStatus {
    /// The image is here.
    Downloaded,
    /// The image could not be downloaded. The end.
    DownloadFailed,
    /// The image is being downloaded.
    Downloading,
    /// The download has been put off.
    DownloadScheduled,
    /// The download pauses.
    DownloadPaused,
    /// There is no update. Only ever said on request.
    Idle,
    /// The installation failed. The end.
    InstallationFailed,
    /// The image is being installed.
    Installing,
    /// The new firmware is at work. The end.
    Installed,
    /// The station is about to restart for the new firmware.
    InstallRebooting,
    /// The installation has been put off.
    InstallScheduled,
    /// The image is not what it should be. The end.
    InstallVerificationFailed,
    /// The signature doesn't fit the image. The end.
    InvalidSignature,
    /// The signature fits the image.
    SignatureVerified,
}

impl FirmwareStatus {
    /// The standard's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Downloaded => "Downloaded",
            Self::DownloadFailed => "DownloadFailed",
            Self::Downloading => "Downloading",
            Self::DownloadScheduled => "DownloadScheduled",
            Self::DownloadPaused => "DownloadPaused",
            Self::Idle => "Idle",
            Self::InstallationFailed => "InstallationFailed",
            Self::Installing => "Installing",
            Self::Installed => "Installed",
            Self::InstallRebooting => "InstallRebooting",
            Self::InstallScheduled => "InstallScheduled",
            Self::InstallVerificationFailed => "InstallVerificationFailed",
            Self::InvalidSignature => "InvalidSignature",
            Self::SignatureVerified => "SignatureVerified",
        }
    }

    /// What 1.6's `FirmwareStatusNotification` has for it (edition 2, 7.25), which knows fewer steps.
    pub(in crate::station) const fn plain(self) -> Option<Self> {
        match self {
            Self::Downloaded
            | Self::DownloadFailed
            | Self::Downloading
            | Self::Idle
            | Self::InstallationFailed
            | Self::Installing
            | Self::Installed => Some(self),
            Self::InstallVerificationFailed | Self::InvalidSignature => Some(Self::InstallationFailed),
            Self::DownloadScheduled
            | Self::DownloadPaused
            | Self::InstallRebooting
            | Self::InstallScheduled
            | Self::SignatureVerified => None,
        }
    }
}
