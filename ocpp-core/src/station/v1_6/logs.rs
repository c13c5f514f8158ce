//! Logs for a 1.6 CSMS (edition 2, 4.4 and 5.9; 1.6 security, N01).

use alloc::boxed::Box;
use alloc::string::String;

use ocpp_types::v1_6::{
    DiagnosticsStatus, DiagnosticsStatusNotificationRequest, GetDiagnosticsRequest, GetDiagnosticsResponse,
    GetLogRequest, GetLogResponse, LogStatusNotificationRequest, StationRequest, UploadLogStatusEnumType,
};
use ocpp_types::{Text, encode};

use super::firmware::LOCATION;
use crate::rpc::{CallError, ErrorCode};
use crate::station::LogKind;
use crate::station::LogStatus;
use crate::station::attempts::Attempts;
use crate::station::dialect::Answered;
use crate::station::logs::{LogOutcome, LogRequest};
use crate::station::progress::LogReport;
use crate::station::{LogWanted, Station};

/// 1.6 edition 2, 5.9 and 6.25
pub(super) fn get_diagnostics(request: &GetDiagnosticsRequest) -> Answered {
    if request.location.chars().count() > LOCATION {
        let description = "location is longer than 2,000 characters";
        return Answered::Refuse(CallError::new(ErrorCode::PropertyConstraintViolation, description));
    }
    Answered::AfterLog(Box::new(LogRequest {
        request_id: None,
        location: request.location.clone(),
        log: LogWanted::between(LogKind::Diagnostics, request.start_time, request.stop_time),
        // 1.6 errata 3.50
        attempts: Attempts::new(request.retries, request.retry_interval),
    }))
}

/// The file is named, or there is none (1.6 edition 2, 5.9).
pub(in crate::station) fn diagnostics_answer(outcome: &LogOutcome) -> String {
    let mut response = GetDiagnosticsResponse::new();
    response.file_name = outcome.file_name().map(Text::truncated);
    encode(&response)
}

/// 1.6 security, N01 and 5.9
pub(super) fn get_log(station: &Station, request: &GetLogRequest) -> Answered {
    let (kind, log) = (LogKind::from_name(request.log_type.as_str()), &request.log);
    let Some(kind) = kind.filter(|_| station.can_fetch(&log.remote_location)) else {
        return Answered::Now(log_answer(&LogOutcome::Rejected));
    };
    let wanted = LogWanted::between(kind, log.oldest_timestamp, log.latest_timestamp);
    let attempts = Attempts::new(request.retries, request.retry_interval);
    Answered::AfterLog(LogRequest::new(request.request_id, &log.remote_location, wanted, attempts))
}

/// 1.6 security, N01.FR.01 and 5.10
pub(in crate::station) fn log_answer(outcome: &LogOutcome) -> String {
    let mut response = GetLogResponse::new(outcome.as_str().into());
    response.filename = outcome.file_name().map(Text::truncated);
    encode(&response)
}

/// A status, in the message of the request that began the upload. `None` where that has no word for it.
pub(super) fn status(report: &LogReport) -> Option<StationRequest> {
    if report.diagnostics {
        // 1.6 edition 2, 7.24
        let status = match report.status {
            LogStatus::Idle => DiagnosticsStatus::Idle,
            LogStatus::Uploaded => DiagnosticsStatus::Uploaded,
            LogStatus::Uploading => DiagnosticsStatus::Uploading,
            _ => DiagnosticsStatus::UploadFailed,
        };
        return Some(DiagnosticsStatusNotificationRequest::new(status).into());
    }
    if report.status == LogStatus::AcceptedCanceled {
        return None;
    }
    let mut request = LogStatusNotificationRequest::new(UploadLogStatusEnumType::from(report.status.as_str()));
    request.request_id = report.request_id;
    Some(request.into())
}
