//! OCPP 1.6, 2.0.1 and 2.1 as pure state machines: a charging station, a CSMS's session with a station, and the conversation
//! between them.
//!
//! Everything with a side effect is a typed output. The engines own no socket, no clock, no disk and no source of randomness:
//! facts go in with [`handle`](station::Station::handle), effects come out of
//! [`poll_output`](station::Station::poll_output), and [`poll_timeout`](station::Station::poll_timeout) says when to call again.
//! So the same code runs in firmware, in a fleet simulator, on a server and in a test where an hour takes no time.
//!
//! # Both sides, in one function
//!
//! A station boots, somebody plugs in and taps a card, and the CSMS learns that a transaction has started. What is missing to the
//! real thing is a socket between the two `Transmit`s, a clock, a database behind `Store` and `Record`, and a charger.
//!
//! ```
//! # #[cfg(feature = "v2_1")] {
//! use std::time::Duration;
//!
//! use ocpp_core::csms::{self, Answer, Authorization, Event, Registration, Session, SessionConfig};
//! use ocpp_core::station::{self, Product, Station, StationConfig, Token};
//! use ocpp_core::time::{Instant, Now};
//! use ocpp_core::types::Version;
//!
//! let mut now = Now::new(Instant::ORIGIN, "2026-11-20T10:00:00Z".parse()?);
//!
//! let product = Product::new("Vendor", "Model");
//! let config = StationConfig::new("CS-1", "ws://csms.example/ocpp", product);
//! let mut station = Station::new(config, [1; 32], now);
//!
//! let mut config = SessionConfig::default();
//! config.registration = Registration::accepted(Duration::from_secs(300));
//! let mut session = Session::new(config, [2; 32], now);
//!
//! // What happens at the charger, after this many seconds.
//! let mut happenings = vec![
//!     (5, station::Input::PluggedIn { evse: 1, connector: 1 }),
//!     (9, station::Input::TokenPresented { evse: Some(1), token: Token::rfid("04A2B3C4") }),
//! ];
//! let mut started = None;
//!
//! for second in 0..20 {
//!     let mut at_station = vec![station::Input::Timeout];
//!     let mut at_session = vec![csms::Input::Timeout];
//!     at_station.extend(happenings.extract_if(.., |(at, _)| *at == second).map(|(_, input)| input));
//!     while !at_station.is_empty() || !at_session.is_empty() {
//!         for input in std::mem::take(&mut at_station) {
//!             station.handle(now, input);
//!         }
//!         while let Some(output) = station.poll_output() {
//!             match output {
//!                 station::Output::Connect(connect) => {
//!                     let version = connect.versions[0];
//!                     at_station.push(station::Input::Connected { version });
//!                     at_session.push(csms::Input::Connected { version });
//!                 }
//!                 station::Output::Transmit(frame) => at_session.push(csms::Input::Frame(frame)),
//!                 // Write the batch to disk, all or nothing, then say so: what depends on it waits for that.
//!                 station::Output::Store(batch) => at_station.push(station::Input::Stored(batch.id)),
//!                 // Close the contactor, lock the plug, show a notice...
//!                 _ => {}
//!             }
//!         }
//!         for input in std::mem::take(&mut at_session) {
//!             session.handle(now, input);
//!         }
//!         while let Some(output) = session.poll_output() {
//!             match output {
//!                 csms::Output::Transmit(frame) => at_station.push(station::Input::Frame(frame)),
//!                 csms::Output::Ask { question, .. } => {
//!                     let answer = Answer::Authorization(Authorization::accepted());
//!                     at_session.push(csms::Input::Answer { question, answer });
//!                 }
//!                 // Billing facts: write them to the database, then say so. The station is not answered before.
//!                 csms::Output::Record { token, events } => {
//!                     for event in events {
//!                         if let Event::TransactionStarted(transaction) = event {
//!                             started = Some(transaction);
//!                         }
//!                     }
//!                     at_session.push(csms::Input::Stored(token));
//!                 }
//!                 _ => {}
//!             }
//!         }
//!     }
//!     now = now + Duration::from_secs(1);
//! }
//!
//! let started = started.expect("the transaction has started");
//! assert_eq!(started.token.expect("by a token").id, "04A2B3C4");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to go next
//!
//! - [`station`]: the contract of a station in full, its inputs and outputs.
//! - [`csms`]: the same for a CSMS's session, with what the application owes it.
//! - [`rpc`]: frames and the conversation alone, for other engines on the same wire.
//! - [`types`]: the messages.
//! - `transport`: WebSocket client and server on tokio, behind the feature of that name.
//! - `pki`: certificates as OCPP uses them, behind the feature of that name.
//! - The programs `ocpp-cp` and `ocpp-csms` in the repository: drivers to copy from.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `std` | yes | `std` for the dependencies; without it the crate needs `alloc` only |
//! | `v1_6`, `v2_0_1`, `v2_1` | yes | that version on both sides; a program that has several negotiates on each connection |
//! | `transport` | no | WebSockets on tokio |
//! | `deflate` | no | compressed WebSockets (permessage-deflate), which 2.0.1 and 2.1 ask of a CSMS; implies `transport` |
//! | `pki` | no | certificates, their chains and hashes, signatures, signing requests (ring) |
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;

pub use ocpp_types as types;

mod certificate_hash;
pub mod csms;
#[cfg(feature = "pki")]
pub mod pki;
pub mod rpc;
pub mod station;
pub mod time;
pub mod transport;

/// The examples of the repository's front page, held to compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
