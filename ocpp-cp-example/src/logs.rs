//! The logs of a simulated station as files: lines of JSON.

use jiff::Timestamp;
use ocpp_core::station::{LogKind, LogWanted, SecurityLogEntry};
use ocpp_core::types::Version;
use serde_json::json;

use crate::messages::Frame;

/// Settings whose values no log shows.
const SECRETS: [&str; 2] = ["AuthorizationKey", "BasicAuthPassword"];

/// The name of a file; `None` where the station keeps no such log.
pub(crate) fn file_name(station: &str, kind: LogKind, at: Timestamp) -> Option<String> {
    let kind = match kind {
        LogKind::Diagnostics => "diagnostics",
        LogKind::Security => "security",
        _ => return None,
    };
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
    let station: String = station.chars().map(|character| if is_plain(character) { character } else { '_' }).collect();
    Some(format!("{station}-{kind}-{}.jsonl", at.strftime("%Y%m%dT%H%M%SZ")))
}

fn is_wanted(log: &LogWanted, at: Timestamp) -> bool {
    log.oldest.is_none_or(|oldest| oldest <= at) && log.latest.is_none_or(|latest| at <= latest)
}

/// The frames that went over the wire, within the time that was asked for. Frames with secrets are named and left out.
pub(crate) fn diagnostics<'a>(log: &LogWanted, frames: impl Iterator<Item = &'a Frame>) -> Vec<u8> {
    lines(frames.filter(|frame| frame.time.parse().is_ok_and(|at| is_wanted(log, at))).map(|frame| {
        let has_secret = SECRETS.iter().any(|secret| frame.text.contains(secret));
        let text = if has_secret { "(left out: it has a secret)" } else { &frame.text };
        json!({"time": frame.time, "direction": frame.direction, "version": frame.version, "text": text})
    }))
}

/// The security events, within the time that was asked for.
pub(crate) fn security<'a>(
    log: &LogWanted,
    version: Version,
    entries: impl Iterator<Item = &'a SecurityLogEntry>,
) -> Vec<u8> {
    lines(entries.filter(|entry| is_wanted(log, entry.at)).map(
        |entry| json!({"time": format!("{:.3}", entry.at), "type": entry.event.name(version), "info": entry.info}),
    ))
}

fn lines(entries: impl Iterator<Item = serde_json::Value>) -> Vec<u8> {
    let mut text = String::new();
    for entry in entries {
        text.push_str(&entry.to_string());
        text.push('\n');
    }
    text.into_bytes()
}
