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
//! Two rules bind the application: an [`Output::Record`] is acknowledged when it is stored for good, because the station is not
//! answered before; and an [`Output::Ask`] is answered in time, because otherwise the station is told what is safe.

// A version that is compiled out leaves parts of the rest unused.
#![cfg_attr(not(all(feature = "v1_6", feature = "v2_0_1", feature = "v2_1")), allow(unused))]

mod authorization;
mod calls;
mod command;
mod config;
mod dialect;
mod event;
mod findings;
mod gate;
mod identity;
mod input;
mod metering;
mod output;
mod request;
mod session;
mod snapshot;
mod transactions;
#[cfg(feature = "v1_6")]
mod v1_6;
#[cfg(any(feature = "v2_0_1", feature = "v2_1"))]
mod v2;
mod wire;
mod work;

pub use authorization::{Authorization, AuthorizationStatus};
pub use command::{CallAnswer, CallError, CallOutcome, CallResult, Command, ResetKind, Setting};
pub use config::{Registration, RegistrationStatus, SessionConfig};
pub use event::{Boot, ConnectorStatus, Event, Finding, TransactionEvent};
pub use identity::{CommandId, Place, QuestionId, StoreToken, Token, TransactionId};
pub use input::{Answer, DataTransferStatus, Input};
pub use metering::{MeterReading, Sample, SampleValue};
pub use ocpp_types::Conformance;
pub use output::{Deadline, DeadlineReason, Output, Question};
pub use session::Session;
pub use snapshot::Snapshot;
