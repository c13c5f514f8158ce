//! The generated messages against the schemas they were generated from.
//!
//! Instances are made from the files under `schemas/` and judged by an independent validator, so that an error of the generator
//! cannot hide behind itself.
// Helpers of tests may unwrap as tests may.
#![allow(clippy::unwrap_used)]
#![cfg(all(feature = "v1_6", feature = "v2_0_1", feature = "v2_1"))]

mod bad_input;
mod codec;
mod conversions;
mod instances;
mod round_trips;
mod schemas;
mod violations;
