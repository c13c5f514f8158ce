//! What the application decides about a station before and while it is connected.

use core::time::Duration;

use ocpp_types::Conformance;
use serde::{Deserialize, Serialize};

/// Whether the CSMS takes the station in (2.1 part 2, B01 to B03; 1.6 edition 2, 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum RegistrationStatus {
    /// The station is known and served.
    Accepted,
    /// The station is to wait: only its boot is answered, and the CSMS may configure it meanwhile.
    #[default]
    Pending,
    /// The station is not taken in; it may ask again after the interval.
    Rejected,
}

/// The answer to a BootNotification, as the application has decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Registration {
    /// Whether the station is taken in.
    pub status: RegistrationStatus,
    /// Accepted: the time between heartbeats. Otherwise: how long the station waits before it boots again; zero lets the
    /// station choose (2.1 part 2, B02.FR.04 and B03.FR.05). Written in whole seconds.
    pub interval: Duration,
}

impl Registration {
    /// The station is served, and sends a heartbeat after this much silence.
    #[must_use]
    pub const fn accepted(heartbeat_interval: Duration) -> Self {
        Self { status: RegistrationStatus::Accepted, interval: heartbeat_interval }
    }

    /// The station is to wait and to boot again after this time.
    #[must_use]
    pub const fn pending(retry_interval: Duration) -> Self {
        Self { status: RegistrationStatus::Pending, interval: retry_interval }
    }

    /// The station is not taken in, and may ask again after this time.
    #[must_use]
    pub const fn rejected(retry_interval: Duration) -> Self {
        Self { status: RegistrationStatus::Rejected, interval: retry_interval }
    }
}

/// How a [`Session`](super::Session) behaves. Start from [`SessionConfig::default`] and change what differs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SessionConfig {
    /// Whether the station is served. Default: pending, with a retry after 60 s, so that a station nobody has decided about
    /// is not served by mistake. Changed at run time with [`Input::Registration`](super::Input::Registration).
    pub registration: Registration,
    /// How strictly the station's messages are judged. Default: lenient. Changed at run time with
    /// [`Input::Conformance`](super::Input::Conformance).
    pub conformance: Conformance,
    /// How long a call to the station may go unanswered. Default: 30 s.
    pub call_timeout: Duration,
    /// How long the application may take to answer a [`Question`](super::Question). After that the session gives the
    /// safe answer: a token is answered with [`SessionConfig::unanswered`], a vendor's data with a refusal. Default: 10 s.
    pub answer_deadline: Duration,
    /// How long the application may take to acknowledge an [`Output::Record`](super::Output::Record). After that the
    /// station is told of an internal error, so that it sends the message again. Default: 20 s.
    pub store_deadline: Duration,
    /// What a token is told about that the application did not judge in time. Default: `Invalid`: no energy is given away.
    pub unanswered: super::AuthorizationStatus,
    /// How long a command waits for the next part of a report of the station. Default: 60 s.
    pub report_timeout: Duration,
    /// Whether the session asks a 2.x station for its full inventory by itself: when the station is first accepted, and whenever it
    /// boots with another firmware (2.1 part 2, B07.FR.14). Default: no.
    pub inventory: bool,
    /// The greatest number of commands that wait for the station. Default: 64.
    pub command_queue: usize,
    /// How long after there was reason to ask a station of 2.x after a transaction it is asked (GetTransactionStatus, E14), so that it
    /// can tell by itself. Default: 30 s.
    pub transaction_inquiry_delay: Duration,
    /// How long the connector of a 1.6 transaction must be free, or another transaction must have gone on there, until its end
    /// counts as lost, if the station was heard in the later half of that time. Default: 10 min.
    pub transaction_lost_after: Duration,
    /// The first transaction id that the session gives to a 1.6 station by itself, where the application's answer names
    /// none. Must be greater than every id the station was ever given; a snapshot takes precedence. Default: 1.
    pub first_transaction_id: i64,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            registration: Registration::pending(Duration::from_secs(60)),
            conformance: Conformance::Lenient,
            call_timeout: Duration::from_secs(30),
            answer_deadline: Duration::from_secs(10),
            store_deadline: Duration::from_secs(20),
            unanswered: super::AuthorizationStatus::Invalid,
            report_timeout: Duration::from_secs(60),
            inventory: false,
            command_queue: 64,
            transaction_inquiry_delay: Duration::from_secs(30),
            transaction_lost_after: Duration::from_secs(600),
            first_transaction_id: 1,
        }
    }
}
