//! Logs that stations upload (2.1 part 2, N01; 1.6 edition 2, 5.9; 1.6 security, N01).

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use ocpp_core::csms::flows::{Completion, Flow, FlowEnd, LogRetrieval};
use ocpp_core::csms::{CallOutcome, Command};
use ocpp_core::types::Version;
use uuid::Uuid;

use super::MaintenanceError;
use super::address::{Purpose, base};
use super::files::{self, Limit};
use crate::access::Actor;
use crate::server::Csms;
use crate::store::{LogFile, LogKind, LogRequest, LogState};

/// How long a URL is good.
const GOOD_FOR: Duration = Duration::from_secs(6 * 3600);
/// How often a station tries, and how long it waits in between.
const RETRIES: (i64, Duration) = (3, Duration::from_secs(60));

/// Which log of which station.
#[derive(Debug, Clone)]
pub struct LogDemand {
    /// The station.
    pub station: String,
    /// Which log.
    pub kind: LogKind,
    /// From when on.
    pub oldest: Option<Timestamp>,
    /// Until when.
    pub latest: Option<Timestamp>,
    /// Whether a 1.6 station is asked for its diagnostics by the GetLog of the security whitepaper, and not by GetDiagnostics.
    pub by_get_log: bool,
}

/// Asks a station to upload a log here. How it goes on is seen in the request that is returned.
///
/// # Errors
/// When there is no such station, it is not connected, or the range makes no sense.
pub async fn request(csms: &Csms, actor: &Actor, demand: LogDemand) -> Result<LogRequest, MaintenanceError> {
    let LogDemand { station, kind, oldest, latest, by_get_log } = demand;
    if oldest.zip(latest).is_some_and(|(oldest, latest)| oldest >= latest) {
        return Err(MaintenanceError::Invalid("oldest is not before latest: turn them around".to_owned()));
    }
    csms.store().station(&station).await?.ok_or_else(|| MaintenanceError::unknown("station", &station))?;
    let connection = csms.stations().live(&station).connection.ok_or(MaintenanceError::NotConnected)?;
    if kind == LogKind::DataCollector && connection.version != Version::V2_1 {
        return Err(MaintenanceError::Invalid(
            "only stations of OCPP 2.1 have the log of a data collector: ask for diagnostics or security".to_owned(),
        ));
    }
    let base = base(csms, &station)?;
    let now = Timestamp::now();
    let request = LogRequest {
        id: Uuid::now_v7().to_string(),
        station: station.clone(),
        kind,
        oldest,
        latest,
        requested_at: now,
        requested_by: actor.name().to_owned(),
        expires_at: now + GOOD_FOR,
        state: LogState::Requested,
        changed_at: now,
        status: None,
        detail: None,
        file: None,
    };
    csms.store().put_log_request(&request).await?;
    csms.audit(actor, "log.requested", &request.id, format!("{kind} of {station}")).await;
    let name = match kind {
        LogKind::Diagnostics if connection.version == Version::V1_6 && !by_get_log => None,
        LogKind::Diagnostics => Some("DiagnosticsLog"),
        LogKind::Security => Some("SecurityLog"),
        LogKind::DataCollector => Some("DataCollectorLog"),
    };
    let secret = csms.maintenance().key().secret(Purpose::Upload, &request.id);
    // A folder: the station adds the name of the file (1.6 edition 2, 5.9; N01.FR.27).
    let location = format!("{base}/{}/{}/{secret}/", Purpose::Upload.segment(), request.id);
    let mut retrieval = LogRetrieval::new(name, location);
    (retrieval.oldest, retrieval.latest) = (oldest, latest);
    (retrieval.retries, retrieval.retry_interval) = (Some(RETRIES.0), Some(RETRIES.1));
    let (csms, id) = (csms.clone(), request.id.clone());
    tokio::spawn(async move {
        let outcome = csms.stations().call(&station, Command::Flow(Box::new(Flow::GetLog(retrieval)))).await;
        let end = match outcome {
            Ok(outcome) => end_of(&outcome),
            // The conversation goes on when the station is back: what it says then is taken in as it comes.
            Err(_) => None,
        };
        if let Some((state, detail)) = end
            && let Err(error) = csms.store().end_log_request(&id, state, Some(&detail), Timestamp::now()).await
        {
            tracing::error!(%station, %error, "the end of a request for a log cannot be kept");
        }
    });
    Ok(request)
}

/// What the end of the conversation means for the request; `None` where the file itself says it, or something may still come.
fn end_of(outcome: &CallOutcome) -> Option<(LogState, String)> {
    let failed = |detail: String| Some((LogState::Failed, detail));
    match outcome {
        CallOutcome::Flow(end) => match &**end {
            FlowEnd::Completed(Completion::Nothing) => {
                Some((LogState::Nothing, "the station has no such log".to_owned()))
            }
            FlowEnd::Completed(_) => {
                failed("the station says that it uploaded the log, but nothing arrived".to_owned())
            }
            FlowEnd::Refused { status, reason } => {
                let reason = reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                failed(format!("the station refused: {status}{reason}"))
            }
            FlowEnd::CallFailed { action, outcome } => failed(format!("{action} failed: {}", told(outcome))),
            FlowEnd::Failed { status } => failed(format!("the station failed to upload: {status}")),
            FlowEnd::Superseded => Some((LogState::Superseded, "a newer request took its place".to_owned())),
            FlowEnd::NotAllowed { rule } => failed(format!("not allowed: {rule}")),
            FlowEnd::TimedOut { .. } => failed("the station said nothing for hours".to_owned()),
            // It may upload all the same.
            _ => None,
        },
        CallOutcome::ConnectionLost | CallOutcome::TimedOut => None,
        other => failed(told(other)),
    }
}

/// Why a call came to nothing, for people.
pub(super) fn told(outcome: &CallOutcome) -> String {
    match outcome {
        CallOutcome::Error(error) => format!("the station answered {}: {}", error.code, error.description),
        CallOutcome::NotConnected => "the station is not connected".to_owned(),
        CallOutcome::ConnectionLost => "the connection was lost".to_owned(),
        CallOutcome::TimedOut => "the station did not answer in time".to_owned(),
        CallOutcome::QueueFull => "too many calls wait for the station".to_owned(),
        CallOutcome::NotAllowed { rule } => format!("it may not be sent now ({rule})"),
        CallOutcome::NotSupported => "the version of the station has no such message".to_owned(),
        CallOutcome::Invalid { findings } => {
            let words: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
            format!("it cannot be said in the version of the station: {}", words.join("; "))
        }
        CallOutcome::MalformedAnswer { .. } => "the answer of the station is not understood".to_owned(),
        _ => "it ended otherwise than expected".to_owned(),
    }
}

/// Where the file of a request is.
pub(super) fn path(csms: &Csms, id: &str) -> PathBuf {
    csms.config().files.folder.join("logs").join(id)
}

pub(super) fn limit(csms: &Csms) -> Limit {
    Limit { bytes: csms.config().files.max_log, setting: "max_log_size" }
}

/// A log that is here: the request, and the open file.
///
/// # Errors
/// When there is none, or it cannot be read.
pub async fn open(csms: &Csms, id: &str) -> Result<(LogRequest, LogFile, tokio::fs::File), MaintenanceError> {
    let request = csms.store().log_request(id).await?.ok_or_else(|| MaintenanceError::unknown("log", id))?;
    let Some(file) = request.file.clone() else {
        return Err(MaintenanceError::Conflict(format!(
            "the log is not here: the request is {}{}",
            request.state,
            request.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default()
        )));
    };
    let path = path(csms, id);
    let opened =
        tokio::fs::File::open(&path).await.map_err(|source| super::FileError::Disk { path: path.clone(), source })?;
    Ok((request, file, opened))
}

/// Removes a log and its request. An upload that is under way comes to nothing.
///
/// # Errors
/// When there is none.
pub async fn delete(csms: &Csms, actor: &Actor, id: &str) -> Result<(), MaintenanceError> {
    let request = csms.store().log_request(id).await?.ok_or_else(|| MaintenanceError::unknown("log", id))?;
    csms.store().delete_log_request(id).await?;
    files::remove(&path(csms, id)).await;
    csms.audit(actor, "log.deleted", id, format!("{} of {}", request.kind, request.station)).await;
    Ok(())
}

/// Ends what is overdue and removes what is old.
pub(super) async fn tidy(csms: &Csms) -> Result<(), MaintenanceError> {
    let now = Timestamp::now();
    csms.store().expire_log_requests(now).await?;
    let keep = csms.config().files.keep_logs;
    let before = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
    for id in csms.store().old_log_requests(before).await? {
        csms.store().delete_log_request(&id).await?;
        files::remove(&path(csms, &id)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(end: FlowEnd) -> Option<LogState> {
        end_of(&CallOutcome::Flow(Box::new(end))).map(|(state, _)| state)
    }

    #[test]
    fn what_may_still_come_is_waited_for() {
        assert_eq!(flow(FlowEnd::Interrupted), None);
        assert_eq!(end_of(&CallOutcome::ConnectionLost), None);
        assert_eq!(flow(FlowEnd::Completed(Completion::Nothing)), Some(LogState::Nothing));
        assert_eq!(flow(FlowEnd::Superseded), Some(LogState::Superseded));
        assert_eq!(flow(FlowEnd::Failed { status: "UploadFailure".to_owned() }), Some(LogState::Failed));
        assert_eq!(end_of(&CallOutcome::NotSupported).map(|(state, _)| state), Some(LogState::Failed));
    }
}
