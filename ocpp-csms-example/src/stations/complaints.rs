//! What is wrong with what a station sent: gathered, so that each bad message is logged once, with everything there is to say.

use std::fmt::Write as _;

use ocpp_core::csms::{Event, Finding};

/// Lines that a connection may be worth. A station that does everything wrong does not fill the log.
const LINES: u32 = 20;
/// Characters of a message in the log.
const EXCERPT: usize = 200;

/// What one message of a station gave reason to.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    findings: Vec<(String, Finding)>,
    malformed: Vec<(String, String)>,
}

impl Complaints {
    /// Takes the event if it is a complaint, and gives it back otherwise.
    pub(super) fn take(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Finding { action, finding } => self.findings.push((action, finding)),
            Event::Malformed { reason, text } => self.malformed.push((reason, text)),
            other => return Some(other),
        }
        None
    }

    /// Logs what was gathered: a line for each message that is not understood, else one line for all departures from the schema.
    pub(super) fn log(self, station: &str, complained: &mut u32) {
        if self.malformed.is_empty() && self.findings.is_empty() {
            return;
        }
        *complained = complained.saturating_add(1);
        if *complained > LINES {
            return;
        }
        let findings = list(&self.findings);
        for (reason, text) in &self.malformed {
            let text: String = text.chars().take(EXCERPT).collect();
            tracing::warn!(%station, text, findings, "not understood: {reason}");
        }
        if self.malformed.is_empty() && !self.findings.is_empty() {
            tracing::warn!(%station, "departs from the schema: {findings}");
        }
        if *complained == LINES {
            tracing::warn!(%station, "more of the kind is not logged before the station connects anew; see its OCPP log");
        }
    }
}

fn list(findings: &[(String, Finding)]) -> String {
    let mut text = String::new();
    for (action, finding) in findings {
        let separator = if text.is_empty() { "" } else { "; " };
        // Writing to a String does not fail.
        let _ = write!(text, "{separator}{action}{} {}: {}", finding.path, finding.code, finding.message);
    }
    text
}
