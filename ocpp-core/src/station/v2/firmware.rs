//! Firmware updates for a 2.x CSMS (L01, L02).

use alloc::string::{String, ToString};

use ocpp_types::v2_1::{
    FirmwareStatusEnumType, FirmwareStatusNotificationRequest, StatusInfoType, UpdateFirmwareRequest,
    UpdateFirmwareResponse, UpdateFirmwareStatusEnumType,
};
use ocpp_types::{Text, encode};

use crate::station::Station;
use crate::station::attempts::Attempts;
use crate::station::dialect::Answered;
use crate::station::firmware::{FirmwareStatus, Judgement, Signed, UpdateOutcome, UpdateRequest};
use crate::station::progress::FirmwareReport;

/// L01, L02
pub(super) fn update_firmware(station: &mut Station, request: &UpdateFirmwareRequest) -> Answered {
    let firmware = &request.firmware;
    let signature = firmware.signature.as_deref().filter(|signature| !signature.is_empty()).map(ToString::to_string);
    let signed = match &firmware.signing_certificate {
        Some(certificate) => Some(Signed { certificate: certificate.to_string(), signature }),
        // A signature whose maker nobody names can't be checked.
        None if signature.is_some() => Some(Signed { certificate: String::new(), signature }),
        None => None,
    };
    let wanted = UpdateRequest {
        request_id: Some(request.request_id),
        location: firmware.location.to_string(),
        retrieve_at: firmware.retrieve_date_time.timestamp(),
        install_at: firmware.install_date_time.map(|at| at.timestamp()),
        attempts: Attempts::new(request.retries, request.retry_interval),
        signed,
    };
    match station.update_firmware(wanted) {
        Judgement::Now(outcome) => Answered::Now(update_firmware_answer(outcome)),
        Judgement::AfterSigningCertificate(wanted) => Answered::AfterSigningCertificate(wanted),
    }
}

/// 2.1 part 2, `UpdateFirmwareStatusEnumType`
pub(in crate::station) fn update_firmware_answer(outcome: UpdateOutcome) -> String {
    let status = match outcome {
        UpdateOutcome::Accepted => UpdateFirmwareStatusEnumType::Accepted,
        UpdateOutcome::AcceptedCanceled => UpdateFirmwareStatusEnumType::AcceptedCanceled,
        UpdateOutcome::Rejected(_) => UpdateFirmwareStatusEnumType::Rejected,
        UpdateOutcome::InvalidCertificate => UpdateFirmwareStatusEnumType::InvalidCertificate,
        UpdateOutcome::RevokedCertificate => UpdateFirmwareStatusEnumType::RevokedCertificate,
    };
    let mut response = UpdateFirmwareResponse::new(status);
    if let UpdateOutcome::Rejected(reason) = outcome {
        response.status_info = Some(StatusInfoType::new(Text::truncated(reason)));
    }
    encode(&response)
}

/// A status. `None` where it can't be said: the number may be missing from `Idle` only (L01.FR.20, L02.FR.14).
pub(super) fn status(report: &FirmwareReport) -> Option<FirmwareStatusNotificationRequest> {
    if report.request_id.is_none() && report.status != FirmwareStatus::Idle {
        return None;
    }
    let mut request = FirmwareStatusNotificationRequest::new(FirmwareStatusEnumType::from(report.status.as_str()));
    request.request_id = report.request_id;
    Some(request)
}
