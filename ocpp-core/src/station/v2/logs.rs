//! Logs for a 2.x CSMS (N01).

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use ocpp_types::v2_1::{
    GetLogRequest, GetLogResponse, LogEnumType, LogStatusEnumType, LogStatusNotificationRequest, StatusInfoType,
    UploadLogStatusEnumType,
};
use ocpp_types::{Text, encode};

use crate::station::attempts::Attempts;
use crate::station::dialect::Answered;
use crate::station::logs::{LogOutcome, LogRequest};
use crate::station::progress::LogReport;
use crate::station::{LogKind, LogStatus, LogWanted, Station};

/// N01
pub(super) fn get_log(station: &Station, request: &GetLogRequest) -> Answered {
    let kind = match request.log_type {
        LogEnumType::DiagnosticsLog => LogKind::Diagnostics,
        LogEnumType::SecurityLog => LogKind::Security,
        LogEnumType::DataCollectorLog => LogKind::DataCollector,
        _ => return Answered::Now(log_answer(&LogOutcome::Rejected)),
    };
    if !station.can_fetch(&request.log.remote_location) {
        let mut response = GetLogResponse::new(LogStatusEnumType::Rejected);
        response.status_info = Some(StatusInfoType::new(Text::truncated("InvalidURL")));
        return Answered::Now(encode(&response));
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

/// N01.FR.01, N01.FR.05
pub(in crate::station) fn log_answer(outcome: &LogOutcome) -> String {
    let mut response = GetLogResponse::new(match outcome {
        LogOutcome::Accepted(_) => LogStatusEnumType::Accepted,
        LogOutcome::AcceptedCanceled(_) => LogStatusEnumType::AcceptedCanceled,
        LogOutcome::Rejected => LogStatusEnumType::Rejected,
    });
    response.filename = outcome.file_name().map(Text::truncated);
    encode(&response)
}

/// A status. `None` where it can't be said: the number may be missing from `Idle` only (N01.FR.13).
pub(super) fn status(report: &LogReport) -> Option<LogStatusNotificationRequest> {
    if report.request_id.is_none() && report.status != LogStatus::Idle {
        return None;
    }
    let mut request = LogStatusNotificationRequest::new(UploadLogStatusEnumType::from(report.status.as_str()));
    request.request_id = report.request_id;
    Some(request)
}
