//! Getting and keeping a connection (2.1 part 4, 5.4; the same for 1.6, which leaves the back-off open).

use alloc::string::String;
use core::time::Duration;

use ocpp_types::Version;

use super::event::Event;
use super::security::ConnectionFailure;
use super::settings::Key;
use super::{Output, Station};
use crate::time::Instant;

/// The connection, or the way to it.
#[derive(Debug)]
pub(super) struct Connection {
    link: Link,
    network_up: bool,
    /// Attempts that have failed since the last connection.
    failures: u32,
    /// Since when there is none.
    down_since: Option<Instant>,
    /// Version of the last connection, even of an earlier life.
    pub(super) version: Option<Version>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// The next attempt is made at this moment.
    Waiting(Instant),
    /// The network is down: there is nothing to try.
    Off,
    Connecting,
    Up,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self { link: Link::Off, network_up: true, failures: 0, down_since: None, version: None }
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        match self.link {
            Link::Waiting(instant) => Some(instant),
            Link::Off | Link::Connecting | Link::Up => None,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.link == Link::Up
    }
}

impl Station {
    /// The version in use, or the one that was or will be.
    pub(super) fn version(&self) -> Version {
        let preferred = || self.config.versions.first().copied().unwrap_or(Version::V2_1);
        self.connection.version.unwrap_or_else(preferred)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection.is_up()
    }

    pub(super) fn connect(&mut self) {
        self.connection.link = Link::Connecting;
        let request = self.connect_request();
        self.effect(Output::Connect(request));
    }

    /// 1.6 edition 2, 9.1.34; 1.6-J, 7
    pub(super) fn ping_interval(&self) -> Option<Duration> {
        let interval = self.settings.duration(Key::WebSocketPingInterval);
        (!interval.is_zero()).then_some(interval)
    }

    pub(super) fn reconnect_if_due(&mut self) {
        if self.connection.retry_at().is_some_and(|at| at <= self.now.instant) {
            self.connect();
        }
    }

    pub(super) fn connected(&mut self, version: Version) {
        if !self.config.versions.contains(&version) {
            // The CSMS can only choose among what was offered (part 4, 3.1.2): the driver should not have let it.
            self.effect(Output::Close { reason: "the version was not offered" });
            return;
        }
        if !self.access_granted() {
            // What it was made with has changed meanwhile.
            self.effect(Output::Close { reason: "to connect with other credentials" });
            return;
        }
        for failed in self.endpoint.handle_connect(version) {
            self.call_failed(failed);
        }
        let offline = self.connection.down_since.take().map(|since| self.now.instant.saturating_since(since));
        self.connection.link = Link::Up;
        self.connection.failures = 0;
        self.security_log.connected();
        if self.connection.version.replace(version) != Some(version) {
            // What was reported in other words was not reported.
            self.forget_reported_statuses();
            self.save_boot_record();
            // The versions divide their settings differently.
            self.reschedule_samples();
            self.schedule_aligned();
        }
        self.effect(Output::Event(Event::Online { version }));
        self.greet(offline.unwrap_or_default());
        if self.is_access_on_trial() && self.may_send() {
            // Something that the CSMS answers.
            self.heartbeat();
        }
    }

    pub(super) fn connection_failed(&mut self, failure: ConnectionFailure, reason: String) {
        if self.connection.is_up() {
            self.disconnected(reason);
            return;
        }
        self.access_failed(failure, &reason);
        self.effect(Output::Event(Event::Offline { reason }));
        self.wait_for_retry();
    }

    pub(super) fn disconnected(&mut self, reason: String) {
        if self.connection.is_up() {
            self.access_failed(ConnectionFailure::Other, &reason);
            self.effect(Output::Event(Event::Offline { reason }));
            self.connection.down_since = Some(self.now.instant);
            self.connection.link = Link::Off;
            self.journal.forget_frames();
            self.outbox.disconnected();
            self.stop_following_statuses();
            self.forget_questions_of_connection();
            self.progress.disconnected();
            for failed in self.endpoint.handle_disconnect() {
                self.call_failed(failed);
            }
        }
        self.wait_for_retry();
    }

    pub(super) fn network(&mut self, up: bool) {
        self.connection.network_up = up;
        match (up, self.connection.link) {
            (true, Link::Off | Link::Waiting(_)) => self.connect(),
            (false, Link::Waiting(_)) => self.connection.link = Link::Off,
            _ => {}
        }
    }

    /// What the station connects with has changed while it waits for its next attempt.
    pub(super) fn connect_at_once_if_waiting(&mut self) {
        if matches!(self.connection.link, Link::Waiting(_)) {
            self.connect();
        }
    }

    fn wait_for_retry(&mut self) {
        if self.access.is_at_once() && self.connection.network_up {
            self.connect();
            return;
        }
        self.connection.link =
            if self.connection.network_up { Link::Waiting(self.now.instant + self.back_off()) } else { Link::Off };
        self.connection.failures = self.connection.failures.saturating_add(1);
    }

    /// The wait before an attempt: a minimum that doubles with each of the first attempts, and something random, so that
    /// not all stations come back at once (2.1 part 4, 5.4).
    fn back_off(&mut self) -> Duration {
        let minimum = self.settings.duration(Key::RetryBackOffWaitMinimum);
        let range = self.settings.duration(Key::RetryBackOffRandomRange);
        let repeats = u32::try_from(self.settings.integer(Key::RetryBackOffRepeatTimes)).unwrap_or(0);
        let doublings = self.connection.failures.min(repeats).min(30);
        minimum.saturating_mul(1 << doublings) + self.random.below(range)
    }
}
