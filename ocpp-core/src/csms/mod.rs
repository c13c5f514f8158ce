//! A CSMS's side of the conversation with one station, as a pure state machine.
//!
//! A [`Session`] accompanies a station for as long as the CSMS knows it, over many connections and versions. It gates the boot,
//! keeps transactions whole however their messages arrive, and translates between the three versions and one set of
//! [`Event`]s, [`Question`]s and [`Command`]s. It has no socket, no clock and no database: everything comes in as an
//! [`Input`] with [`Now`](crate::time::Now), and goes out as an [`Output`].
//!
//! The loop around it:
//! 1. call [`Session::handle`] with whatever happened;
//! 2. take **all** of [`Session::poll_output`] and carry it out;
//! 3. sleep until something happens or [`Session::poll_timeout`] is due, then hand in [`Input::Timeout`].
//!
//! ```
//! # #[cfg(feature = "v2_1")] {
//! use core::time::Duration;
//! use ocpp_core::csms::{Answer, Authorization, Event, Input, Output, Registration, Session, SessionConfig};
//! use ocpp_core::time::{Instant, Now};
//! use ocpp_core::types::Version;
//!
//! # let now = Now::new(Instant::ORIGIN, "2026-11-20T10:00:00Z".parse().unwrap());
//! let mut config = SessionConfig::default();
//! config.registration = Registration::accepted(Duration::from_secs(300));
//! let mut session = Session::new(config, [7; 32], now);
//!
//! // What the station sends: it boots, then starts a transaction.
//! # let boot = r#"[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}]"#;
//! # let started = r#"[2,"2","TransactionEvent",{"eventType":"Started","timestamp":"2026-11-20T10:00:00Z","seqNo":0,
//! #     "triggerReason":"Authorized","transactionInfo":{"transactionId":"tx"},"idToken":{"idToken":"TAG","type":"Central"}}]"#;
//! let mut inputs = vec![
//!     Input::Frame(started.into()),
//!     Input::Frame(boot.into()),
//!     Input::Connected { version: Version::V2_1 },
//! ];
//! let mut database = Vec::new();
//! let mut socket = Vec::new();
//! while let Some(input) = inputs.pop() {
//!     session.handle(now, input);
//!     while let Some(output) = session.poll_output() {
//!         match output {
//!             Output::Transmit(text) => socket.push(text),
//!             Output::Event(Event::Booted(boot)) => assert_eq!(boot.vendor, "V"),
//!             Output::Event(_) => {}
//!             Output::Record { token, events } => {
//!                 // In one database transaction:
//!                 database.push((events, session.snapshot()));
//!                 inputs.push(Input::Stored(token));
//!             }
//!             Output::Ask { question, .. } => {
//!                 let answer = Answer::Authorization(Authorization::accepted());
//!                 inputs.push(Input::Answer { question, answer });
//!             }
//!             _ => {}
//!         }
//!     }
//! }
//! assert!(matches!(&*database[0].0, [Event::TransactionStarted(_)]));
//! assert_eq!(socket[1], r#"[3,"2",{"idTokenInfo":{"status":"Accepted"}}]"#);
//! # }
//! ```
//!
//! # What the application owes
//!
//! - An [`Output::Record`] is acknowledged when it is stored for good, because the station is not answered before. One batch is
//!   outstanding at a time. [`Session::snapshot`], stored with it in one database transaction, makes that each fact is told
//!   exactly once, whatever node dies when.
//! - An [`Output::Ask`] is answered in time, because otherwise the station is told what is safe.
//! - A transaction is identified by the station and its [`TransactionId`] together.
//!
//! # What the session sees to
//!
//! - Each call of a station is answered exactly once, in order, with what its version asks for.
//! - A repeated message changes nothing and gets the answer it had, be it 1.6, where content tells, or 2.x, where the sequence
//!   number helps. Messages that are late, missing or contradictory are told as what they are.
//! - What a station is asked for and told is kept to what it takes at once, split and joined; what it has (variables, keys, charging
//!   profiles, messages, the version of its list) is mirrored ([`Mirrors`]). A command that breaks a rule of the standard, or
//!   exceeds what the station says it can do, is kept back with the rule.
//! - Each [`Command`] comes to exactly one [`CallOutcome`]; one call at a time is sent. What takes several messages, or a while, is a
//!   [flow](flows).

// A version that is compiled out leaves parts of the rest unused.
#![cfg_attr(not(all(feature = "v1_6", feature = "v2_0_1", feature = "v2_1")), allow(unused))]

mod authorization;
mod calls;
mod command;
mod config;
mod dialect;
mod dispatch;
mod display;
mod event;
mod findings;
pub mod flows;
mod gate;
mod identity;
mod input;
mod inventory;
mod message;
mod metering;
mod mirrors;
mod network;
mod operations;
mod output;
mod recording;
mod request;
mod reservations;
mod session;
mod settlement;
mod smart_charging;
mod snapshot;
mod stored;
mod transactions;
#[cfg(feature = "v1_6")]
mod v1_6;
mod v2;
mod wire;
mod work;

pub use authorization::{Authorization, AuthorizationStatus, CertificateStatus};
pub use command::{CallAnswer, CallError, CallOutcome, CallResult, Command, Report, ResetKind, Setting};
pub use config::{Registration, RegistrationStatus, SessionConfig};
pub use event::{Boot, ConnectorStatus, Event, Finding, TransactionEvent, TransactionGaps};
pub use identity::{AdditionalInfo, CommandId, Place, QuestionId, StoreToken, Token, TransactionId};
pub use input::{Answer, DataTransferStatus, Input};
pub use metering::{MeterReading, Sample, SampleValue};
pub use mirrors::{
    Attribute, Characteristics, ChargingLimit, ChargingProfiles, ConfigurationKeys, DeviceModel, DisplayMessages,
    InstalledProfile, LocalList, Mirror, Mirrors, Variable, VariableKey,
};
pub use ocpp_types::Conformance;
pub use output::{CertificateHashes, ContractCertificates, Deadline, DeadlineReason, Output, Question};
pub use reservations::Reservation;
pub use session::Session;
pub use settlement::{Address, PaymentStatus, Receipt, Settlement};
pub use snapshot::Snapshot;
pub use transactions::{DriverMessage, TransactionAnswer, TransactionLimit};
