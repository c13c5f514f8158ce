//! Typed messages of OCPP 1.6, 2.0.1 and 2.1.
#![no_std]
extern crate alloc;

mod version;

pub use version::Version;
