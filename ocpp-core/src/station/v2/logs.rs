//! Logs for a 2.x CSMS (N01).

use alloc::string::String;

use ocpp_types::v2_1::{
    GetLogRequest, GetLogResponse, LogStatusEnumType, LogStatusNotificationRequest, StatusInfoType,
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
    let log = &request.log;
    let Some(kind) = LogKind::from_name(request.log_type.as_str()) else {
        return Answered::Now(log_answer(&LogOutcome::Rejected));
    };
    if !station.can_fetch(&log.remote_location) {
        let mut response = GetLogResponse::new(LogStatusEnumType::Rejected);
        response.status_info = Some(StatusInfoType::new(Text::truncated("InvalidURL")));
        return Answered::Now(encode(&response));
    }
    let wanted = LogWanted::between(kind, log.oldest_timestamp, log.latest_timestamp);
    let attempts = Attempts::new(request.retries, request.retry_interval);
    Answered::AfterLog(LogRequest::new(request.request_id, &log.remote_location, wanted, attempts))
}

/// N01.FR.01, N01.FR.05
pub(in crate::station) fn log_answer(outcome: &LogOutcome) -> String {
    let mut response = GetLogResponse::new(outcome.as_str().into());
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
