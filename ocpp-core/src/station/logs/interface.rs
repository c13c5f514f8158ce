//! What the engine and the integrator say to each other about logs.

use alloc::string::String;

use jiff::Timestamp;
use ocpp_types::DateTime;
use serde::{Deserialize, Serialize};

/// Number of an upload. A later one has a higher number; it outlives restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct UploadId(pub u64);

/// Which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LogKind {
    /// What helps to find out what is wrong, in a form of the integrator's choice (N01.FR.04; 1.6 edition 2, 5.9).
    Diagnostics,
    /// The security events (N01.FR.03).
    Security,
    /// What the data collector measured (2.1, N01.FR.24).
    DataCollector,
}

impl LogKind {
    /// The kind of this name (2.1 part 2, `LogEnumType`).
    pub(in crate::station) fn from_name(name: &str) -> Option<Self> {
        match name {
            "DiagnosticsLog" => Some(Self::Diagnostics),
            "SecurityLog" => Some(Self::Security),
            "DataCollectorLog" => Some(Self::DataCollector),
            _ => None,
        }
    }
}

/// A log, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogWanted {
    /// Which log.
    pub kind: LogKind,
    /// Nothing older than this.
    #[serde(with = "crate::station::serial::optional_time", default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// Nothing newer than this.
    #[serde(with = "crate::station::serial::optional_time", default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Timestamp>,
}

impl LogWanted {
    /// What is between two moments, as far as they are given.
    pub(in crate::station) fn between(kind: LogKind, oldest: Option<DateTime>, latest: Option<DateTime>) -> Self {
        let moment = |time: DateTime| time.timestamp();
        Self { kind, oldest: oldest.map(moment), latest: latest.map(moment) }
    }
}

/// Upload a log as a single file, then report [`Input::Log`](super::super::Input::Log).
///
/// After a restart in the middle of it the same upload is asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upload {
    /// Which upload.
    pub upload: UploadId,
    /// Which log.
    pub log: LogWanted,
    /// Where to: a URL, at most 2,000 characters, possibly with user and password. Where the CSMS named a folder, with a slash at
    /// the end, the name of the file is appended already (N01.FR.21). Redirects are not to be followed (N01.FR.30).
    pub location: String,
    /// Name of the file, as the CSMS was told.
    pub file_name: String,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// What became of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum UploadOutcome {
    /// The file is there, whole.
    Uploaded,
    /// This attempt failed; the engine decides whether there is another one.
    Failed(UploadFailure),
}

/// Why an upload failed (2.1 part 2, `UploadLogStatusEnumType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum UploadFailure {
    /// The two sides did not understand each other.
    BadMessage,
    /// The server has no such operation.
    NotSupportedOperation,
    /// The server doesn't let the station do it.
    PermissionDenied,
    /// Anything else, redirects included.
    Other,
}

/// Status of an upload, in the standard's words (2.1 part 2, `UploadLogStatusEnumType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LogStatus {
    /// The two sides did not understand each other. The end.
    BadMessage,
    /// There is no upload. Only ever said on request.
    Idle,
    /// The server has no such operation. The end.
    NotSupportedOperation,
    /// The server doesn't let the station do it. The end.
    PermissionDenied,
    /// The file is there. The end.
    Uploaded,
    /// The file could not be uploaded. The end.
    UploadFailure,
    /// The file is being uploaded.
    Uploading,
    /// Given up for another one. The end, in 2.x.
    AcceptedCanceled,
}

impl LogStatus {
    /// The standard's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadMessage => "BadMessage",
            Self::Idle => "Idle",
            Self::NotSupportedOperation => "NotSupportedOperation",
            Self::PermissionDenied => "PermissionDenied",
            Self::Uploaded => "Uploaded",
            Self::UploadFailure => "UploadFailure",
            Self::Uploading => "Uploading",
            Self::AcceptedCanceled => "AcceptedCanceled",
        }
    }
}

impl From<UploadFailure> for LogStatus {
    fn from(failure: UploadFailure) -> Self {
        match failure {
            UploadFailure::BadMessage => Self::BadMessage,
            UploadFailure::NotSupportedOperation => Self::NotSupportedOperation,
            UploadFailure::PermissionDenied => Self::PermissionDenied,
            UploadFailure::Other => Self::UploadFailure,
        }
    }
}
