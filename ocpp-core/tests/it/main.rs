//! A station and a session of a CSMS, each by itself and wired back to back, in virtual time.

// What clippy.toml allows in tests, it does not allow in their helpers.
#![allow(clippy::unwrap_used)]

mod csms_authorization;
mod csms_boot;
mod csms_commands;
mod csms_conformance;
mod csms_properties;
mod csms_station;
mod csms_storage;
mod csms_support;
mod csms_transactions;
