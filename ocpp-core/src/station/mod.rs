//! A charging station, without its hardware.
//!
//! [`Station`] decides everything that OCPP lets a station decide. It has no socket, no clock, no disk and no relay: the
//! integrator reports facts with [`Station::handle`], carries out the effects that [`Station::poll_output`] gives, and calls
//! again when [`Station::poll_timeout`] says so. The same facts drive 1.6, 2.0.1 and 2.1.
//!
//! ```
//! # #[cfg(feature = "v2_1")] {
//! use std::collections::BTreeMap;
//! use std::time::Duration;
//!
//! use ocpp_core::station::{Change, Input, Output, Product, Station, StationConfig};
//! use ocpp_core::time::{Instant, Now};
//! use ocpp_core::types::Version;
//!
//! let config = StationConfig::new("CP-1", "wss://csms.example/ocpp", Product::new("ACME", "Wallbox"));
//! let seed = [7; 32]; // from the machine's entropy
//! let mut now = Now::new(Instant::ORIGIN, "2026-11-20T08:00:00Z".parse()?);
//! let mut station = Station::new(config, seed, now);
//! let mut disk = BTreeMap::new();
//! let mut frames = Vec::new();
//!
//! // What has happened and the station doesn't know yet: here the network makes every connection, and somebody plugs in.
//! let mut facts = vec![Input::PluggedIn { evse: 1, connector: 1 }];
//! loop {
//!     while let Some(output) = station.poll_output() {
//!         match output {
//!             Output::Connect(_) => facts.push(Input::Connected { version: Version::V2_1 }),
//!             Output::Store(batch) => {
//!                 for change in batch.changes {
//!                     match change {
//!                         Change::Put(record) => disk.insert(record.key, record.value),
//!                         Change::Delete(key) => disk.remove(&key),
//!                     };
//!                 }
//!                 facts.push(Input::Stored(batch.id));
//!             }
//!             Output::Transmit(frame) => frames.push(frame),
//!             _ => {} // relays, locks, lamps
//!         }
//!     }
//!     if let Some(fact) = facts.pop() {
//!         station.handle(now, fact);
//!     } else if let Some(deadline) = station.poll_timeout() {
//!         # if deadline.at > Instant::ORIGIN + Duration::from_secs(300) { break }
//!         // Nothing to report: sleep until then, unless something happens first.
//!         now = now + deadline.at.saturating_since(now.instant);
//!         station.handle(now, Input::Timeout);
//!     }
//! }
//! assert!(frames[0].contains("BootNotification"));
//! assert!(disk.contains_key("boot"));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The contract
//!
//! - `handle` never fails and never panics, whatever a peer sends. After each call, drain `poll_output`.
//! - `poll_timeout` may name an earlier or later moment after every `handle`; only the last one counts.
//! - Effects come in order. What depends on something stored (a frame that reports it, energy that it permits, a restart)
//!   is given only after [`Input::Stored`] for its batch. A batch reaches the storage whole or not at all.
//! - A power cut is: drop the station, later [`Station::restore`] it from what was stored. So is a restart.
//! - Same configuration, same seed, same inputs: same outputs, byte for byte.

// A file is a concern, in words that belong to no version; `dialect` alone knows all of them. A concern is added in these places:
// what happens comes in through `input` and `Station::handle`; what it keeps goes through `journal` under keys of its own and
// comes back in `restore`; what it says is a `Call` in `calls`, written by `v1_6::calls` and `v2::calls`; what the CSMS asks of it
// is an arm in their `answers`; what it waits for is a line in `timers`; what it is configured by is a row in a file of
// `settings::table`.

#![cfg_attr(
    not(all(feature = "v1_6", feature = "v2_1")),
    allow(dead_code, reason = "a concern serves dialects that a build may leave out")
)]

mod attempts;
mod authorization;
mod authorization_cache;
mod availability;
mod calls;
mod clock;
mod config;
mod connection;
mod conversation;
mod dialect;
mod event;
mod evse;
mod facts;
mod firmware;
mod input;
mod inventory;
mod journal;
mod local_authorization;
mod local_list;
mod logs;
mod metering;
mod outbox;
mod output;
mod plug;
mod progress;
mod provisioning;
mod questions;
mod random;
mod reading;
mod remote;
pub mod replay;
mod report;
mod reservations;
mod reset;
mod restore;
mod security;
mod serial;
mod settings;
pub mod smart_charging;
mod state;
mod status;
mod store;
mod timers;
mod transactions;
#[cfg(feature = "v1_6")]
mod v1_6;
#[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
mod v2;
mod vendor_messages;

pub use crate::certificate_hash::{CertificateHashData, HashAlgorithm};
pub use config::{BootReason, EvseConfig, Product, StationConfig};
pub use event::{ConnectorStatus, Event, Registration};
pub use facts::{Fault, FaultCode, LocalStop, Token, TokenType, Vehicle};
pub use firmware::{Download, FirmwareFact, FirmwareStatus, FirmwareUpdates, Install, UpdateId};
pub use input::{Answer, Input};
pub use local_authorization::{TokenEntry, TokenEntryError};
pub use logs::{LogKind, LogStatus, LogWanted, Upload, UploadFailure, UploadId, UploadOutcome};
pub use output::{BatchId, Connect, Deadline, Lighting, Notice, Output, Question, QuestionId, QuestionKind, Timer};
pub use reading::{Location, Measurand, Phase, Reading, Sample, SignedValue};
pub use security::{
    CertificateFacts, CertificateToJudge, ClientCertificate, ConnectionFailure, Password, RootCertificate, RootUse,
    SecurityEvent, SecurityLogEntry, SigningRequestWanted, StationCertificate,
};
pub use settings::{SettingChange, SettingError, SettingName, ValueType, VendorSetting};
pub use state::{EvseState, StationState, TransactionState};
pub use store::{Batch, Change, Record, RestoreError};
pub use vendor_messages::{VendorAnswer, VendorMessage, VendorStatus};

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use authorization::PendingRemoteStart;
use authorization_cache::AuthorizationCache;
use calls::Call;
use clock::Clock;
use connection::Connection;
use evse::Evse;
use firmware::Firmware;
use journal::Journal;
use local_list::LocalList;
use logs::Logs;
use metering::{Aligned, MainMeter};
use outbox::Outbox;
use progress::ProgressReports;
use provisioning::Provisioning;
use questions::PendingQuestion;
use random::Random;
use reservations::Reservations;
use reset::Restart;
use security::{Access, Certificates, SecurityLog, Signing};
use settings::Settings;
use smart_charging::Charging;
use status::Told;

use crate::rpc::{CallId, Endpoint, EndpointConfig, MessageIds};
use crate::time::Now;

/// A charging station, without its hardware. See the [module](self) for the contract.
#[derive(Debug)]
pub struct Station {
    config: StationConfig,
    /// Both clocks at the input at hand.
    now: Now,
    random: Random,
    clock: Clock,
    settings: Settings,
    journal: Journal,
    endpoint: Endpoint,
    /// Calls that wait for their answers.
    calls: BTreeMap<CallId, Call>,
    connection: Connection,
    provisioning: Provisioning,
    evses: Vec<Evse>,
    charging: Charging,
    main_meter: MainMeter,
    reservations: Reservations,
    aligned: Aligned,
    /// Whether the CSMS lets the station be used.
    operative: bool,
    fault: Option<Fault>,
    station_told: Told,
    outbox: Outbox,
    firmware: Firmware,
    logs: Logs,
    progress: ProgressReports,
    /// Remote starts whose token is being checked, by EVSE.
    remote_starts: BTreeMap<u32, PendingRemoteStart>,
    authorization_cache: AuthorizationCache,
    local_list: LocalList,
    /// The token being checked that was presented to the whole station.
    floating_token: Option<Token>,
    questions: Vec<PendingQuestion>,
    last_question: u64,
    restart: Option<Restart>,
    security_log: SecurityLog,
    access: Access,
    certificates: Certificates,
    signing: Signing,
    /// What a call of the CSMS has the station do once it is answered.
    after_answer: Vec<AfterAnswer>,
}

/// Something that has to wait until a call of the CSMS is answered.
#[derive(Debug)]
enum AfterAnswer {
    Report(report::ReportBase, i64),
    ChargingProfiles(smart_charging::Criteria, i64),
}

impl Station {
    /// A station that starts for the first time. `seed` is what its random choices grow from: give each start another one,
    /// ids of transactions and messages must never repeat.
    #[must_use]
    pub fn new(config: StationConfig, seed: [u8; 32], now: Now) -> Self {
        let mut station = Self::prepare(config, seed, now);
        station.start();
        station
    }

    fn prepare(config: StationConfig, seed: [u8; 32], now: Now) -> Self {
        let mut random = Random::new(seed);
        let message_ids = MessageIds::new(random.bytes());
        let reason = config.boot_reason.unwrap_or(BootReason::PowerUp);
        let evses = config.evses.iter().zip(1..).map(|(config, id)| Evse::new(id, config)).collect();
        let mut station = Self {
            config,
            now,
            random,
            clock: Clock::default(),
            settings: Settings::new(),
            journal: Journal::default(),
            endpoint: Endpoint::new(EndpointConfig::default(), message_ids),
            calls: BTreeMap::new(),
            connection: Connection::new(),
            provisioning: Provisioning::new(reason, now.instant),
            evses,
            charging: Charging::default(),
            main_meter: MainMeter::default(),
            reservations: Reservations::default(),
            aligned: Aligned::default(),
            operative: true,
            fault: None,
            station_told: Told::default(),
            outbox: Outbox::default(),
            firmware: Firmware::default(),
            logs: Logs::default(),
            progress: ProgressReports::default(),
            remote_starts: BTreeMap::new(),
            authorization_cache: AuthorizationCache::default(),
            local_list: LocalList::default(),
            floating_token: None,
            questions: Vec::new(),
            last_question: 0,
            restart: None,
            security_log: SecurityLog::default(),
            access: Access::default(),
            certificates: Certificates::default(),
            signing: Signing::default(),
            after_answer: Vec::new(),
        };
        station.configure_settings();
        station
    }

    fn start(&mut self) {
        self.provision_certificates();
        self.security_event(SecurityEvent::StartupOfTheDevice, None);
        self.light();
        self.connect();
        self.schedule_aligned();
        self.take_up_firmware();
        self.take_up_log();
        self.settle();
    }

    /// Takes a fact in. Never fails: a peer's fault becomes an answer to the peer and an [`Event`].
    pub fn handle(&mut self, now: Now, input: Input) {
        self.now = now;
        match input {
            Input::Timeout => self.time_passed(),
            Input::Connected { version } => self.connected(version),
            Input::CsmsVerified { root } => self.csms_verified(root),
            Input::ConnectionFailed { failure, reason } => self.connection_failed(failure, reason),
            Input::Disconnected { reason } => self.disconnected(reason),
            Input::Network { up } => self.network(up),
            Input::Frame(text) => self.frame(&text),
            Input::Stored(batch) => self.journal.stored(batch),
            Input::Answer { question, answer } => self.answered(question, &answer),
            Input::PluggedIn { evse, connector } => {
                self.with(self.position_of(evse, connector), |station, at| station.plugged_in(at, connector));
            }
            Input::Unplugged { evse, connector } => {
                self.with(self.position_of(evse, connector), |station, at| station.unplugged(at, connector));
            }
            Input::TokenPresented { evse, token } => self.token_presented(evse, token),
            Input::StopPressed { evse, reason } => {
                self.with(self.position(evse), |station, at| station.stop_pressed(at, reason));
            }
            Input::Vehicle { evse, vehicle } => {
                self.with(self.position(evse), |station, at| station.vehicle_says(at, vehicle));
            }
            Input::Meter { evse, reading } => self.meter_read(evse, &reading),
            Input::ClockAligned => self.align_now(),
            Input::Fault { evse, connector, fault } => self.fault(evse, connector, &fault),
            Input::FaultCleared { evse, connector } => self.fault_cleared(evse, connector),
            Input::LockFailed { evse, connector } => {
                self.with(self.position_of(evse, connector), |station, at| station.lock_failed(at, connector));
            }
            Input::ParkingBay { evse, occupied } => {
                self.with(self.position(evse), |station, at| station.bay(at, occupied));
            }
            Input::LocalReset => self.local_reset(),
            Input::SecurityEvent { event, info } => self.security_event(event, info.as_deref()),
            Input::VendorMessage { id, message } => self.send_vendor_message(id, message),
            Input::ChargingLimit(limit) => self.limited_from_outside(&limit),
            Input::VehicleNeeds { evse, needs } => {
                self.with(self.position(evse), |station, at| station.vehicle_needs(at, needs));
            }
            Input::VehiclePlan { evse, plan } => {
                self.with(self.position(evse), |station, at| station.vehicle_plans(at, plan));
            }
            Input::PriorityCharging { evse, wanted } => {
                self.with(self.position(evse), |station, at| station.priority_wanted(at, wanted));
            }
            Input::RestartFailed => self.restart_failed(),
            Input::Firmware { update, fact } => self.firmware_fact(update, fact),
            Input::Log { upload, outcome } => self.upload_ended(upload, outcome),
        }
        self.settle();
    }

    /// The next effect to carry out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.journal.poll()
    }

    fn with(&mut self, at: Option<usize>, happen: impl FnOnce(&mut Self, usize)) {
        match at {
            Some(at) => happen(self, at),
            None => self.ignore("there is no such EVSE or connector"),
        }
    }

    fn ignore(&mut self, reason: &'static str) {
        self.effect(Output::Event(Event::InputIgnored { reason }));
    }

    fn effect(&mut self, effect: Output) {
        self.journal.effect(effect);
    }

    /// Draws the conclusions from an input, whatever it was.
    fn settle(&mut self) {
        self.settle_charging();
        self.settle_reservations();
        self.settle_firmware();
        self.settle_logs();
        self.settle_hardware();
        self.report_statuses();
        self.settle_certificates();
        self.send_security_events();
        self.send_oldest();
        self.send_progress();
        self.transmit();
        self.reconnect_if_changed();
        self.restart_if_ready();
        self.journal.flush();
    }

    fn run_after_answer(&mut self) {
        for after in core::mem::take(&mut self.after_answer) {
            match after {
                AfterAnswer::Report(base, request_id) => self.report(base, request_id),
                AfterAnswer::ChargingProfiles(criteria, request_id) => self.report_profiles(&criteria, request_id),
            }
        }
    }
}
