//! Which version speaks: the one place that knows them all.

use alloc::boxed::Box;
use alloc::string::String;

use ocpp_types::Version;

use super::Station;
use super::calls::{Call, Reply};
use super::firmware::{UpdateOutcome, UpdateRequest};
use super::logs::{LogOutcome, LogRequest};
use super::security::{CertificateOutcome, CertificateRequest};
#[cfg(feature = "v1_6")]
use super::v1_6;
#[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
use super::v2;
use super::vendor_messages::{VendorAnswer, VendorMessage};
use crate::rpc::CallError;

/// How a call of the CSMS is answered.
#[derive(Debug)]
pub(super) enum Answered {
    /// With this payload.
    Now(String),
    /// With what comes of releasing this plug.
    Unlock { evse: u32, connector: u32 },
    /// When the signing certificate is judged.
    AfterSigningCertificate(Box<UpdateRequest>),
    /// When the certificate is judged.
    AfterCertificate(Box<CertificateRequest>),
    /// When it is known whether there is such a log.
    AfterLog(Box<LogRequest>),
    /// With what the integrator says to it.
    VendorMessage(VendorMessage),
    /// With an error.
    Refuse(CallError),
}

/// Action and payload of a call, `None` where the version has no message for it.
pub(super) fn encode(station: &Station, call: &Call) -> Option<(&'static str, String)> {
    match station.version() {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => v1_6::encode(station, call),
        #[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
        version @ (Version::V2_0_1 | Version::V2_1) => v2::encode(station, v2::Rules::of(version), call),
        #[allow(unreachable_patterns, reason = "with every feature, every version is spoken")]
        _ => {
            let _ = call;
            None
        }
    }
}

/// Reads the answer to a call, with a description of what is wrong with it though it can be used, or of why it can't.
pub(super) fn reply(version: Version, call: &Call, payload: &str) -> Result<(Reply, Option<String>), String> {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => v1_6::reply(call, payload),
        #[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
        Version::V2_0_1 | Version::V2_1 => v2::reply(call, payload),
        #[allow(unreachable_patterns, reason = "with every feature, every version is spoken")]
        _ => {
            let _ = (call, payload);
            Err("the version is not spoken".into())
        }
    }
}

/// Does what the CSMS wants and answers it.
pub(super) fn answer(station: &mut Station, action: &str, payload: &str) -> Answered {
    match station.version() {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => v1_6::answer(station, action, payload),
        #[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
        version @ (Version::V2_0_1 | Version::V2_1) => v2::answer(station, v2::Rules::of(version), action, payload),
        #[allow(unreachable_patterns, reason = "with every feature, every version is spoken")]
        _ => {
            let _ = payload;
            Answered::Refuse(CallError::new(crate::rpc::ErrorCode::NotImplemented, action))
        }
    }
}

/// The answer to a call that wanted a plug released.
pub(super) fn unlock_answer(version: Version, unlocked: bool) -> Option<String> {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => Some(v1_6::unlock_answer(unlocked)),
        #[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
        Version::V2_0_1 | Version::V2_1 => Some(v2::unlock_answer(unlocked)),
        #[allow(unreachable_patterns, reason = "with every feature, every version is spoken")]
        _ => {
            let _ = unlocked;
            None
        }
    }
}

/// The answer to a call that brought a certificate.
pub(super) fn certificate_answer(version: Version, outcome: CertificateOutcome) -> Option<String> {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => Some(v1_6::certificate_answer(outcome)),
        #[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
        Version::V2_0_1 | Version::V2_1 => Some(v2::certificate_answer(outcome)),
        #[allow(unreachable_patterns, reason = "with every feature, every version is spoken")]
        _ => {
            let _ = outcome;
            None
        }
    }
}

/// The answer to a call that wanted signed firmware.
pub(super) fn update_firmware_answer(version: Version, outcome: UpdateOutcome) -> Option<String> {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => Some(v1_6::update_firmware_answer(outcome)),
        #[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
        Version::V2_0_1 | Version::V2_1 => Some(v2::update_firmware_answer(outcome)),
        #[allow(unreachable_patterns, reason = "with every feature, every version is spoken")]
        _ => {
            let _ = outcome;
            None
        }
    }
}

/// The answer to a call that wanted a log, or with `is_diagnostics` to 1.6's `GetDiagnostics`.
pub(super) fn log_answer(version: Version, is_diagnostics: bool, outcome: &LogOutcome) -> Option<String> {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 if is_diagnostics => Some(v1_6::diagnostics_answer(outcome)),
        #[cfg(feature = "v1_6")]
        Version::V1_6 => Some(v1_6::log_answer(outcome)),
        #[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
        Version::V2_0_1 | Version::V2_1 => Some(v2::log_answer(outcome)),
        #[allow(unreachable_patterns, reason = "with every feature, every version is spoken")]
        _ => {
            let _ = (is_diagnostics, outcome);
            None
        }
    }
}

/// The answer to a vendor's message.
pub(super) fn vendor_answer(version: Version, answer: &VendorAnswer) -> Option<String> {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => Some(v1_6::vendor_answer(answer)),
        #[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
        Version::V2_0_1 | Version::V2_1 => Some(v2::vendor_answer(answer)),
        #[allow(unreachable_patterns, reason = "with every feature, every version is spoken")]
        _ => {
            let _ = answer;
            None
        }
    }
}
