//! The station as its users meet it: over loopback sockets, against a scripted CSMS, through the control interface and the
//! command line.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod bad_input;
mod bench;
mod charging;
mod control;
mod csms;
mod interruptions;
mod kill;
mod program;
mod replay;
mod security;
mod sigkill;
mod transfers;
mod validate;
