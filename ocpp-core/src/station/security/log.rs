//! The security log, and the way of its critical entries to the CSMS (A04; 1.6 security, A04.FR.01/02/04, N01.FR.05).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use core::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::SecurityEvent;
use crate::rpc::{CallError, ErrorCode};
use crate::station::calls::Call;
use crate::station::outbox::Called;
use crate::station::settings::Key;
use crate::station::{Event, Output, Station};
use crate::time::{Instant, Now};

/// Entries that are kept; the log rolls (1.6 security, A04.FR.04).
const LIMIT: usize = 128;
/// The same of these again within this time is no news: a peer that goes wrong goes wrong a thousand times a minute, and storage wears out.
const REPEAT: SignedDuration = SignedDuration::from_secs(60);
/// Most characters of what is known about an event (`techInfo`).
const INFO: usize = 255;

/// An entry of the security log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecurityLogEntry {
    /// When it happened, by the station's time.
    pub at: Timestamp,
    /// What happened.
    pub event: SecurityEvent,
    /// What is known about it, at most 255 characters.
    pub info: Option<Box<str>>,
    number: u64,
    /// The CSMS has yet to be told.
    is_due: bool,
    attempts: u32,
}

/// An entry as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::station) struct SecurityRecord {
    #[serde(with = "crate::station::serial::time")]
    at: Timestamp,
    event: SecurityEvent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    info: Option<Box<str>>,
    #[serde(default)]
    is_due: bool,
}

/// What happened to the security of the station.
#[derive(Debug, Default)]
pub(in crate::station) struct SecurityLog {
    entries: VecDeque<SecurityLogEntry>,
    next: u64,
    in_flight: Option<u64>,
    pub(in crate::station) retry_at: Option<Instant>,
    /// The CSMS has no message for security events, it said.
    is_unheard: bool,
}

impl SecurityLog {
    /// Takes over what a predecessor stored; call it in the order of the numbers.
    pub(in crate::station) fn restore(&mut self, number: u64, record: SecurityRecord) {
        let SecurityRecord { at, event, info, is_due } = record;
        self.next = self.next.max(number + 1);
        self.entries.push_back(SecurityLogEntry { at, event, info, number, is_due, attempts: 0 });
        self.entries.make_contiguous().sort_by_key(|entry| entry.number);
    }

    pub(in crate::station) fn connected(&mut self) {
        self.is_unheard = false;
        self.retry_at = None;
    }

    pub(in crate::station) fn cut_off(&mut self) {
        self.in_flight = None;
    }
}

/// Numbers sort as texts, too.
fn record(number: u64) -> String {
    format!("security-event/{number:020}")
}

impl Station {
    /// The security log, the oldest entry first: what `GetLog` for a `SecurityLog` uploads. It keeps the last 128 entries, through
    /// power cuts too.
    pub fn security_log(&self) -> impl Iterator<Item = &SecurityLogEntry> {
        self.security_log.entries.iter()
    }

    /// Notes a security event, and tells the CSMS if it is critical.
    pub(in crate::station) fn security_event(&mut self, event: SecurityEvent, info: Option<&str>) {
        let is_due = event.is_critical(self.version());
        self.note_security_event(event, info, is_due);
    }

    /// Notes a security event and tells the CSMS, critical or not: another rule wants it told.
    pub(in crate::station) fn security_event_to_tell(&mut self, event: SecurityEvent, info: Option<&str>) {
        self.note_security_event(event, info, true);
    }

    fn note_security_event(&mut self, event: SecurityEvent, info: Option<&str>, is_due: bool) {
        let at = self.utc();
        let is_repeated = |known: &SecurityLogEntry| known.event == event && at.duration_since(known.at).abs() < REPEAT;
        if matches!(event, SecurityEvent::InvalidMessages) && self.security_log.entries.iter().any(is_repeated) {
            return;
        }
        self.effect(Output::Event(Event::Security {
            event: event.clone(),
            info: info.map(ToString::to_string),
            is_critical: is_due,
        }));
        self.make_room_for_entry();
        let number = self.security_log.next;
        self.security_log.next += 1;
        let info = info.map(|info| info.chars().take(INFO).collect::<String>().into_boxed_str());
        let entry = SecurityLogEntry { at, event, info, number, is_due, attempts: 0 };
        self.save_entry(&entry);
        self.security_log.entries.push_back(entry);
    }

    /// The oldest entry goes that nobody waits for; where all are waited for, the oldest.
    fn make_room_for_entry(&mut self) {
        while self.security_log.entries.len() >= LIMIT {
            let place = self.security_log.entries.iter().position(|entry| !entry.is_due).unwrap_or(0);
            if let Some(entry) = self.security_log.entries.remove(place) {
                self.journal.delete(record(entry.number));
                self.security_log.in_flight.take_if(|number| *number == entry.number);
            }
        }
    }

    fn save_entry(&mut self, entry: &SecurityLogEntry) {
        let SecurityLogEntry { at, event, info, is_due, .. } = entry;
        let stored = SecurityRecord { at: *at, event: event.clone(), info: info.clone(), is_due: *is_due };
        self.journal.put(record(entry.number), &stored);
    }

    /// Empties the security log on behalf of the local operator, which is an event itself. What the CSMS has yet to be told stays.
    ///
    /// This is an input like any other: drain `poll_output` afterwards, and keep it in a log that is to be replayed.
    pub fn clear_security_log(&mut self, now: Now) {
        self.now = now;
        // What the CSMS has yet to hear is kept for it (A04.FR.02).
        let journal = &mut self.journal;
        self.security_log.entries.retain(|entry| {
            if !entry.is_due {
                journal.delete(record(entry.number));
            }
            entry.is_due
        });
        self.security_event(SecurityEvent::SecurityLogWasCleared, None);
        self.settle();
    }

    /// Tells the CSMS the oldest critical event that it has not heard of: in order, one at a time.
    pub(in crate::station) fn send_security_events(&mut self) {
        let log = &self.security_log;
        if log.in_flight.is_some() || log.is_unheard || log.retry_at.is_some() || !self.may_send() {
            return;
        }
        let Some(entry) = log.entries.iter().find(|entry| entry.is_due) else { return };
        let call = Call::SecurityEvent {
            number: entry.number,
            event: entry.event.clone(),
            at: entry.at,
            info: entry.info.clone(),
        };
        let number = entry.number;
        if self.request(call) == Called::Yes {
            self.security_log.in_flight = Some(number);
        }
    }

    /// The CSMS has heard of it (A04.FR.03), or will never want to.
    pub(in crate::station) fn security_event_delivered(&mut self, number: u64) {
        self.security_log.in_flight.take_if(|in_flight| *in_flight == number);
        let Some(entry) = self.security_log.entries.iter_mut().find(|entry| entry.number == number) else { return };
        entry.is_due = false;
        let entry = entry.clone();
        self.save_entry(&entry);
    }

    /// The CSMS did not take it. Delivery is guaranteed (1.6 security, A04.FR.02), so it is told again: for ever if it doesn't answer, and as
    /// often as a message about a transaction if it answers with an error, so that none blocks those behind it.
    pub(in crate::station) fn security_event_failed(&mut self, number: u64, refusal: Option<&CallError>) {
        if self.security_log.in_flight.take_if(|in_flight| *in_flight == number).is_none() {
            return;
        }
        if refusal.is_some_and(|error| matches!(error.code, ErrorCode::NotImplemented | ErrorCode::NotSupported)) {
            // A CSMS without the whitepaper; the next one may have it.
            self.security_log.is_unheard = true;
            return;
        }
        let limit = self.settings.integer(Key::MessageAttempts);
        let wait = self.settings.duration(Key::MessageAttemptInterval).max(Duration::from_secs(1));
        let Some(entry) = self.security_log.entries.iter_mut().find(|entry| entry.number == number) else { return };
        entry.attempts = entry.attempts.saturating_add(1);
        if refusal.is_some() && i64::from(entry.attempts) >= limit {
            self.security_event_delivered(number);
            return;
        }
        let wait = wait.saturating_mul(entry.attempts.min(16));
        self.security_log.retry_at = Some(self.now.instant + wait);
    }
}
