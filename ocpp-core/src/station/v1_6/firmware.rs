//! Firmware updates for a 1.6 CSMS (edition 2, 4.5 and 5.19; 1.6 security, L01).

use alloc::string::{String, ToString};

use ocpp_types::encode;
use ocpp_types::v1_6::{
    FirmwareStatus, FirmwareStatusEnumType, FirmwareStatusNotificationRequest, SignedFirmwareStatusNotificationRequest,
    SignedUpdateFirmwareRequest, SignedUpdateFirmwareResponse, StationRequest, UpdateFirmwareRequest,
    UpdateFirmwareResponse, UpdateFirmwareStatusEnumType,
};

use crate::rpc::{CallError, ErrorCode};
use crate::station::attempts::Attempts;
use crate::station::dialect::Answered;
use crate::station::firmware::{Judgement, Signed, UpdateOutcome, UpdateRequest};
use crate::station::progress::FirmwareReport;
use crate::station::{FirmwareUpdates, Station};

/// Longest location. 1.6 has no limit for a URL (edition 2, 6.55), 2.1 has this one.
pub(super) const LOCATION: usize = 2_000;

/// 1.6 edition 2, 5.19 and 6.55; 1.6 errata 3.63
pub(super) fn update_firmware(station: &mut Station, request: &UpdateFirmwareRequest) -> Answered {
    if station.config.firmware_updates == FirmwareUpdates::Signed {
        // 1.6 security, L01.FR.20
        return refuse(ErrorCode::NotSupported, "this station takes signed firmware only: use SignedUpdateFirmware");
    }
    if request.location.chars().count() > LOCATION {
        return refuse(ErrorCode::PropertyConstraintViolation, "location is longer than 2,000 characters");
    }
    let wanted = UpdateRequest {
        request_id: None,
        location: request.location.clone(),
        retrieve_at: request.retrieve_date.timestamp(),
        install_at: None,
        attempts: Attempts::new(request.retries, request.retry_interval),
        signed: None,
    };
    match station.update_firmware(wanted) {
        // The answer has no room for a refusal.
        Judgement::Now(UpdateOutcome::Rejected("InvalidURL")) => {
            refuse(ErrorCode::PropertyConstraintViolation, "location is none of SupportedFileTransferProtocols")
        }
        Judgement::Now(UpdateOutcome::Rejected(_)) => {
            refuse(ErrorCode::GenericError, "new firmware is being installed")
        }
        _ => Answered::Now(encode(&UpdateFirmwareResponse::new())),
    }
}

fn refuse(code: ErrorCode, description: &'static str) -> Answered {
    Answered::Refuse(CallError::new(code, description))
}

/// 1.6 security, L01 and 5.21
pub(super) fn signed_update_firmware(station: &mut Station, request: &SignedUpdateFirmwareRequest) -> Answered {
    if station.config.firmware_updates == FirmwareUpdates::Unsigned {
        return refuse(ErrorCode::NotSupported, "this station cannot check signatures: use UpdateFirmware");
    }
    let firmware = &request.firmware;
    let wanted = UpdateRequest {
        request_id: Some(request.request_id),
        location: firmware.location.to_string(),
        retrieve_at: firmware.retrieve_date_time.timestamp(),
        install_at: firmware.install_date_time.map(|at| at.timestamp()),
        attempts: Attempts::new(request.retries, request.retry_interval),
        signed: Some(Signed {
            certificate: firmware.signing_certificate.to_string(),
            signature: Some(firmware.signature.to_string()).filter(|signature| !signature.is_empty()),
        }),
    };
    match station.update_firmware(wanted) {
        Judgement::Now(outcome) => Answered::Now(update_firmware_answer(outcome)),
        Judgement::AfterSigningCertificate(wanted) => Answered::AfterSigningCertificate(wanted),
    }
}

/// 1.6 security, 6.18
pub(in crate::station) fn update_firmware_answer(outcome: UpdateOutcome) -> String {
    encode(&SignedUpdateFirmwareResponse::new(match outcome {
        UpdateOutcome::Accepted => UpdateFirmwareStatusEnumType::Accepted,
        UpdateOutcome::AcceptedCanceled => UpdateFirmwareStatusEnumType::AcceptedCanceled,
        UpdateOutcome::Rejected(_) => UpdateFirmwareStatusEnumType::Rejected,
        UpdateOutcome::InvalidCertificate => UpdateFirmwareStatusEnumType::InvalidCertificate,
        UpdateOutcome::RevokedCertificate => UpdateFirmwareStatusEnumType::RevokedCertificate,
    }))
}

/// A status, in the message of the request that began the update. `None` where that has no word for it.
pub(super) fn status(report: &FirmwareReport) -> Option<StationRequest> {
    if report.signed {
        // 1.6 security, L01.FR.21
        let mut request =
            SignedFirmwareStatusNotificationRequest::new(FirmwareStatusEnumType::from(report.status.as_str()));
        request.request_id = report.request_id;
        return Some(request.into());
    }
    let status = report.status.plain()?;
    Some(FirmwareStatusNotificationRequest::new(FirmwareStatus::from(status.as_str())).into())
}
