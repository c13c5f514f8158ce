//! Logs for a 1.6 CSMS (edition 2, 4.4 and 5.9; 1.6 security, N01).

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use ocpp_types::v1_6::{
    DiagnosticsStatus, DiagnosticsStatusNotificationRequest, GetDiagnosticsRequest, GetDiagnosticsResponse,
    GetLogRequest, GetLogResponse, LogEnumType, LogStatusEnumType, LogStatusNotificationRequest, StationRequest,
    UploadLogStatusEnumType,
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
        log: LogWanted {
            kind: LogKind::Diagnostics,
            oldest: request.start_time.map(|time| time.timestamp()),
            latest: request.stop_time.map(|time| time.timestamp()),
        },
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
    let kind = match request.log_type {
        LogEnumType::DiagnosticsLog => LogKind::Diagnostics,
        LogEnumType::SecurityLog => LogKind::Security,
        _ => return Answered::Now(log_answer(&LogOutcome::Rejected)),
    };
    if !station.can_fetch(&request.log.remote_location) {
        return Answered::Now(log_answer(&LogOutcome::Rejected));
    }
    Answered::AfterLog(Box::new(LogRequest {
        request_id: Some(request.request_id),
        location: request.log.remote_location.to_string(),
        log: LogWanted {
            kind,
            oldest: request.log.oldest_timestamp.map(|time| time.timestamp()),
            latest: request.log.latest_timestamp.map(|time| time.timestamp()),
        },
        attempts: Attempts::new(request.retries, request.retry_interval),
    }))
}

/// 1.6 security, N01.FR.01 and 5.10
pub(in crate::station) fn log_answer(outcome: &LogOutcome) -> String {
    let mut response = GetLogResponse::new(match outcome {
        LogOutcome::Accepted(_) => LogStatusEnumType::Accepted,
        LogOutcome::AcceptedCanceled(_) => LogStatusEnumType::AcceptedCanceled,
        LogOutcome::Rejected => LogStatusEnumType::Rejected,
    });
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
