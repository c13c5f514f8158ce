//! OCPP as pure state machines.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;

pub use ocpp_types as types;

pub mod csms;
pub mod rpc;
pub mod station;
pub mod time;
pub mod transport;
