//! A CSMS you can run: OCPP 1.6, 2.0.1 and 2.1 on one port, a REST interface, a page for the operator, an SQLite file.
//!
//! This is where policy lives: who may charge, what it costs, what is kept. What any CSMS needs is in
//! [`ocpp_core::csms`]; a task for each connection ([`stations`]) owns the socket and the clock, drives the session of that
//! crate, answers its questions from the [`store`] and acknowledges what it has kept.

pub mod access;
pub mod api;
mod cli;
pub mod config;
pub mod demo;
mod door;
pub mod faults;
pub mod ledger;
pub mod logging;
pub mod maintenance;
mod metrics;
pub mod notifications;
pub mod payments;
pub mod proxy;
pub mod reports;
mod server;
pub mod sessions;
pub mod sites;
pub mod stations;
pub mod store;
pub mod tariffs;
pub mod tls;
pub mod web;

pub use cli::run;
pub use door::ConnectionLimits;
pub use server::{Csms, Server, StartError};
