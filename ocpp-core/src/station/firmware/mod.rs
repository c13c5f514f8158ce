//! Firmware updates (2.1 part 2, L01 and L02; 1.6 edition 2, 4.5 and 5.19; 1.6 security, L01).
//!
//! The engine owns the schedule, the attempts, the order of the steps and what the CSMS is told of them. The integrator moves
//! the bytes, checks certificates and signatures, and installs.

mod interface;
mod request;
mod update;

pub use interface::{Download, FirmwareFact, FirmwareStatus, FirmwareUpdates, Install, UpdateId};
#[cfg(any(feature = "v1_6", feature = "v2_0_1", feature = "v2_1"))]
pub(super) use request::{Judgement, Signed};
pub(super) use request::{UpdateOutcome, UpdateRequest};
pub(super) use update::Firmware;
