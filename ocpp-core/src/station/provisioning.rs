//! Boot and heartbeat (2.1 part 2, B01 to B04 and G02; 1.6 edition 2, 4.2 and 4.6).

use core::time::Duration;

use jiff::Timestamp;
use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::calls::Call;
use super::clock::seconds;
use super::config::BootReason;
use super::event::{Event, Registration};
use super::outbox::Called;
use super::settings::Key;
use super::{Output, Station};
use crate::time::Instant;

/// First wait where the CSMS leaves it to the station, and the longest one (B02.FR.07).
const OWN_INTERVAL: Duration = Duration::from_secs(30);
const LONGEST_OWN_INTERVAL: Duration = Duration::from_secs(3_600);
/// A heartbeat at least this often, for the sake of the clock (G02.FR.07; 1.6-J, 5.3).
const DAY: Duration = Duration::from_secs(86_400);

/// How the CSMS takes the station.
#[derive(Debug)]
pub(super) struct Provisioning {
    /// What the CSMS last said since the start.
    pub(super) registration: Option<Registration>,
    /// Why this start happened.
    pub(super) reason: BootReason,
    /// The CSMS has accepted the station on this connection.
    accepted_here: bool,
    /// A CSMS has accepted the station at any time, even in an earlier life.
    accepted_before: bool,
    in_flight: bool,
    pub(super) retry_at: Option<Instant>,
    own_intervals: u32,
    pub(super) heartbeat_at: Option<Instant>,
    heartbeat_in_flight: bool,
    last_heartbeat: Instant,
}

/// What is kept about starts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct BootRecord {
    /// Why the next start will happen, if it is known already.
    pub(super) next_reason: Option<BootReason>,
    accepted: bool,
    version: Option<alloc::string::String>,
}

impl Provisioning {
    pub(super) fn new(reason: BootReason, now: Instant) -> Self {
        Self {
            registration: None,
            reason,
            accepted_here: false,
            accepted_before: false,
            in_flight: false,
            retry_at: None,
            own_intervals: 0,
            heartbeat_at: None,
            heartbeat_in_flight: false,
            last_heartbeat: now,
        }
    }

    pub(super) fn was_accepted(&self) -> bool {
        self.accepted_before
    }
}

impl Station {
    /// Whether the station may say what it wants to say (B01.FR.08, B02.FR.02, B03.FR.02; 1.6 edition 2, 4.2).
    pub(super) fn may_send(&self) -> bool {
        self.is_connected() && self.provisioning.registration == Some(Registration::Accepted)
    }

    /// Whether a trigger may bring a `BootNotification` (F06.FR.17; 1.6 errata 3.35: in 1.6 until the connection ends).
    pub(super) fn may_be_triggered_to_boot(&self) -> bool {
        match self.version() {
            Version::V1_6 => !self.provisioning.accepted_here,
            Version::V2_0_1 | Version::V2_1 => self.provisioning.registration != Some(Registration::Accepted),
        }
    }

    /// The connection stands: the first word is a `BootNotification`, unless the CSMS has accepted one since the start
    /// (1.6-J, 5.4).
    pub(super) fn greet(&mut self, offline: Duration) {
        self.provisioning.accepted_here = false;
        if self.may_send() {
            self.report_after_offline(offline);
            self.schedule_heartbeat();
        } else if self.provisioning.retry_at.is_none_or(|at| at <= self.now.instant) {
            // B02.FR.04: a new connection is no reason to come earlier than the CSMS said.
            self.boot(self.provisioning.reason);
        }
    }

    pub(super) fn boot(&mut self, reason: BootReason) {
        if !self.provisioning.in_flight && self.call(Call::Boot(reason)) == Called::Yes {
            self.provisioning.in_flight = true;
            self.provisioning.retry_at = None;
        }
    }

    pub(super) fn boot_if_due(&mut self) {
        if self.provisioning.retry_at.is_some_and(|at| at <= self.now.instant) {
            self.provisioning.retry_at = None;
            self.boot(self.provisioning.reason);
        }
    }

    pub(super) fn boot_answered(&mut self, status: Registration, interval: i64, current_time: Option<Timestamp>) {
        self.provisioning.in_flight = false;
        if let Some(current_time) = current_time {
            self.synchronize_clock(current_time);
        }
        self.provisioning.registration = Some(status);
        self.effect(Output::Event(Event::Registration { status, interval }));
        if status == Registration::Accepted {
            self.provisioning.own_intervals = 0;
            self.provisioning.accepted_here = true;
            self.provisioning.accepted_before = true;
            if interval > 0 {
                self.take_heartbeat_interval(interval);
            }
            self.save_boot_record();
            // B01.FR.05
            self.forget_reported_statuses();
            self.provisioning.last_heartbeat = self.now.instant;
            self.schedule_heartbeat();
        } else {
            self.provisioning.heartbeat_at = None;
            let wait = if interval > 0 { seconds(interval) } else { self.own_interval() };
            self.provisioning.retry_at = Some(self.now.instant + wait);
        }
    }

    /// No answer, or none that can be read.
    pub(super) fn boot_failed(&mut self) {
        self.provisioning.in_flight = false;
        if self.is_connected() {
            self.provisioning.retry_at = Some(self.now.instant + self.own_interval());
        }
    }

    /// A wait that the station chooses itself, longer each time (B02.FR.07, B03.FR.05).
    fn own_interval(&mut self) -> Duration {
        let doublings = self.provisioning.own_intervals.min(10);
        self.provisioning.own_intervals = doublings + 1;
        OWN_INTERVAL.saturating_mul(1 << doublings).min(LONGEST_OWN_INTERVAL) + self.random.below(OWN_INTERVAL)
    }

    /// A heartbeat is due when nothing was sent for its interval (G02.FR.05; 1.6 edition 2, 9.1.10), and once a day.
    pub(super) fn schedule_heartbeat(&mut self) {
        let interval = self.settings.duration(Key::HeartbeatInterval);
        let silent_until = self.now.instant + interval;
        self.provisioning.heartbeat_at =
            self.may_send().then(|| silent_until.min((self.provisioning.last_heartbeat + DAY).max(self.now.instant)));
    }

    pub(super) fn heartbeat_if_due(&mut self) {
        if self.provisioning.heartbeat_at.is_some_and(|at| at <= self.now.instant) {
            self.heartbeat();
            self.schedule_heartbeat();
        }
    }

    pub(super) fn heartbeat(&mut self) {
        if !self.provisioning.heartbeat_in_flight && self.call(Call::Heartbeat) == Called::Yes {
            self.provisioning.heartbeat_in_flight = true;
            self.provisioning.last_heartbeat = self.now.instant;
        }
    }

    pub(super) fn heartbeat_answered(&mut self, current_time: Option<Timestamp>) {
        self.provisioning.heartbeat_in_flight = false;
        if let Some(current_time) = current_time {
            self.synchronize_clock(current_time);
        }
    }

    /// Keeps what the next start has to know.
    pub(super) fn save_boot_record(&mut self) {
        self.save_boot_record_for(None);
    }

    pub(super) fn save_boot_record_for(&mut self, next_reason: Option<BootReason>) {
        let version = self.connection.version.map(|version| version.number().into());
        let record = BootRecord { next_reason, accepted: self.provisioning.accepted_before, version };
        self.journal.put("boot".into(), &record);
    }

    pub(super) fn restore_boot_record(&mut self, record: BootRecord) {
        self.provisioning.accepted_before = record.accepted;
        self.connection.version =
            self.config.versions.iter().copied().find(|known| record.version.as_deref() == Some(known.number()));
        if let Some(reason) = record.next_reason
            && self.config.boot_reason.is_none()
        {
            self.provisioning.reason = reason;
        }
        if record.next_reason.is_some() {
            // It was the reason of one start.
            self.save_boot_record();
        }
    }
}
