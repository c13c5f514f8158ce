//! What a CSMS asks for, and how it is answered.

use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::station::attempts::Attempts;

/// A wish for new firmware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::station) struct UpdateRequest {
    /// The number that reports carry; 1.6's `UpdateFirmware` has none.
    pub(in crate::station) request_id: Option<i64>,
    pub(in crate::station) location: String,
    #[serde(with = "crate::station::serial::time")]
    pub(in crate::station) retrieve_at: Timestamp,
    #[serde(with = "crate::station::serial::optional_time", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::station) install_at: Option<Timestamp>,
    pub(in crate::station) attempts: Attempts,
    /// What the image has to be signed with; `None` for L02 and 1.6's `UpdateFirmware`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::station) signed: Option<Signed>,
}

/// How an image is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::station) struct Signed {
    /// PEM.
    pub(in crate::station) certificate: String,
    /// Base64.
    pub(in crate::station) signature: Option<String>,
}

/// When it shows what becomes of the wish.
#[derive(Debug)]
pub(in crate::station) enum Judgement {
    Now(UpdateOutcome),
    /// When the integrator has judged the signing certificate.
    AfterSigningCertificate(Box<UpdateRequest>),
}

/// What becomes of the wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum UpdateOutcome {
    Accepted,
    /// An earlier one is given up for it.
    AcceptedCanceled,
    /// With the reason code of 2.x.
    Rejected(&'static str),
    InvalidCertificate,
    RevokedCertificate,
}

/// How long the integrator may take to check the signature of an image.
pub(in crate::station) const SIGNATURE_PATIENCE: Duration = Duration::from_secs(600);
