//! A report for a person: `ocpp-cp validate FILE…`.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use ocpp_core::rpc::Frame;
use ocpp_core::types::{Conformance, Version};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::judge::{Judgement, MessageKind, judge};
use crate::config::version_named;

/// How many lines were of which kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines with a message that passes.
    pub valid: usize,
    /// Lines with a message that doesn't, or with none at all.
    pub invalid: usize,
}

/// A line of the other form: a message with its version and action.
#[derive(Deserialize)]
struct Line<'a> {
    version: String,
    action: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// Judges a file with one frame or one message a line, and writes a line for each and one for each finding.
///
/// A frame is `[2,"id","Action",{…}]` and needs `default`, the version of the connection that it was on; a CALLRESULT belongs
/// to the last CALL with its id in the same file. A message is an object as `--jsonl` takes it. Blank lines are skipped.
///
/// # Errors
/// The input can't be read or the output can't be written.
pub fn run(
    name: &str,
    input: impl BufRead,
    output: &mut impl Write,
    default: Option<Version>,
    conformance: Conformance,
) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let mut calls = BTreeMap::new();
    for (number, line) in (1..).zip(input.split(b'\n')) {
        let line = line?;
        let verdict = match std::str::from_utf8(&line).map(str::trim) {
            Ok("") => continue,
            Ok(text) if text.starts_with('[') => frame(text, default, conformance, &mut calls),
            Ok(text) => message(text, conformance),
            Err(error) => Err(format!("not UTF-8: {error}")),
        };
        match verdict {
            Err(problem) => {
                tally.invalid += 1;
                writeln!(output, "{name}:{number}: invalid: {problem}")?;
            }
            Ok((title, judgement)) => {
                let word = if judgement.valid { "valid" } else { "invalid" };
                if judgement.valid {
                    tally.valid += 1
                } else {
                    tally.invalid += 1
                }
                writeln!(output, "{name}:{number}: {word}: {title}")?;
                for finding in &judgement.findings {
                    let path = if finding.path.is_empty() { "(payload)" } else { &finding.path };
                    writeln!(output, "    {path}: {} ({})", finding.message, finding.code)?;
                }
            }
        }
    }
    Ok(tally)
}

/// A title and a judgement, or why there is no message.
type Verdict = Result<(String, Judgement), String>;

fn frame(
    text: &str,
    version: Option<Version>,
    conformance: Conformance,
    calls: &mut BTreeMap<String, String>,
) -> Verdict {
    let version = version.ok_or("a frame doesn't say its version: give --version 1.6, 2.0.1 or 2.1")?;
    let good = |title: String| (title, Judgement { valid: true, findings: Vec::new(), payload: None });
    match Frame::parse(text, version).map_err(|error| error.problem.to_string())? {
        Frame::Call { id, action, payload } => {
            calls.insert(id.into_owned(), action.clone().into_owned());
            let judgement = judge(version, MessageKind::Request, &action, payload, conformance);
            Ok((format!("{version} {action} request"), judgement))
        }
        Frame::Send { action, payload, .. } => {
            let judgement = judge(version, MessageKind::Request, &action, payload, conformance);
            Ok((format!("{version} {action}"), judgement))
        }
        Frame::CallResult { id, payload } => {
            let action =
                calls.get(&*id).ok_or_else(|| format!("no CALL with the id `{id}` comes before this CALLRESULT"))?;
            let judgement = judge(version, MessageKind::Response, action, payload, conformance);
            Ok((format!("{version} {action} response"), judgement))
        }
        Frame::CallError { id, code, .. } => {
            let action = calls.get(&*id).map_or("a call that isn't here", String::as_str);
            Ok(good(format!("{version} CALLERROR {code} to {action}")))
        }
        Frame::CallResultError { code, .. } => Ok(good(format!("{version} CALLRESULTERROR {code}"))),
        other => Err(format!("a frame of the kind {:?} can't be judged", other.message_type())),
    }
}

fn message(text: &str, conformance: Conformance) -> Verdict {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| {
        format!("neither a frame `[2,…]` nor a message {{\"version\",\"action\",\"type\",\"payload\"}}: {error}")
    })?;
    let version = version_named(&line.version)
        .ok_or_else(|| format!("the version `{}` is not known: give 1.6, 2.0.1 or 2.1", line.version))?;
    let kind = match line.kind.as_str() {
        "request" => MessageKind::Request,
        "response" => MessageKind::Response,
        other => return Err(format!("the type `{other}` is not known: give request or response")),
    };
    let judgement = judge(version, kind, &line.action, line.payload.get(), conformance);
    Ok((format!("{version} {} {}", line.action, line.kind), judgement))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(input: &str, version: Option<Version>) -> (String, Tally) {
        let mut output = Vec::new();
        let tally = run("log", input.as_bytes(), &mut output, version, Conformance::Strict).unwrap();
        (String::from_utf8(output).unwrap(), tally)
    }

    #[test]
    fn a_log_of_frames_is_judged_with_answers_matched_to_their_calls() {
        let log = concat!(
            "[2,\"1\",\"Heartbeat\",{}]\n",
            "\n",
            "[3,\"1\",{\"currentTime\":\"2026-11-20T10:00:00.000Z\"}]\n",
            "[3,\"2\",{}]\n",
            "[2,\"3\",\"StatusNotification\",{\"connectorId\":\"1\"}]\r\n",
            "[4,\"3\",\"TypeConstraintViolation\",\"\",{}]\n",
            "[9,\"3\"]\n",
        );
        let (text, tally) = report(log, Some(Version::V1_6));
        assert_eq!(tally, Tally { valid: 3, invalid: 3 });
        assert!(text.contains("log:1: valid: 1.6 Heartbeat request\n"), "{text}");
        assert!(text.contains("log:3: valid: 1.6 Heartbeat response\n"), "{text}");
        assert!(text.contains("log:4: invalid: no CALL with the id `2`"), "{text}");
        assert!(text.contains("    /connectorId: "), "{text}");
        assert!(text.contains("log:6: valid: 1.6 CALLERROR TypeConstraintViolation to StatusNotification\n"), "{text}");
    }

    #[test]
    fn a_frame_needs_a_version_and_a_message_brings_its_own() {
        let (text, tally) = report("[2,\"1\",\"Heartbeat\",{}]\n", None);
        assert_eq!(tally.invalid, 1);
        assert!(text.contains("--version"), "{text}");
        let (text, tally) = report(r#"{"version":"2.1","action":"Heartbeat","type":"request","payload":{}}"#, None);
        assert_eq!(tally.valid, 1, "{text}");
    }
}
