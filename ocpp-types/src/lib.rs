//! Typed messages of OCPP 1.6, 2.0.1 and 2.1.
#![cfg_attr(not(feature = "std"), no_std)]
// Without any version there are no messages, and nothing uses what they are made of.
#![cfg_attr(
    not(any(feature = "v1_6", feature = "v2_0_1", feature = "v2_1")),
    allow(dead_code, unused_macros, unused_imports)
)]
extern crate alloc;

#[cfg(all(feature = "v2_0_1", feature = "v2_1"))]
mod convert;
pub mod decode;
mod error_code;
mod finding;
mod json;
#[macro_use]
mod macros;
mod message;
pub mod number;
pub mod schema;
mod text;
mod time;
mod unlisted_value;
mod version;

#[cfg(feature = "v1_6")]
#[rustfmt::skip]
pub mod v1_6;
#[cfg(feature = "v2_0_1")]
#[rustfmt::skip]
pub mod v2_0_1;
#[cfg(feature = "v2_1")]
#[rustfmt::skip]
pub mod v2_1;

#[cfg(all(feature = "v2_0_1", feature = "v2_1"))]
pub use convert::{ConversionError, ConversionErrorReason};
pub use error_code::ErrorCode;
pub use finding::{DecodeError, DecodeErrorKind, Finding, FindingKind};
pub use json::{Extra, Json};
#[cfg(feature = "std")]
pub use message::encode_into;
pub use message::{Conformance, Decoded, Direction, Message, OneWay, Request, Response, decode, encode, findings};
pub use rust_decimal::Decimal;
pub use text::{Text, TextTooLong};
pub use time::{DateTime, DateTimeError};
pub use unlisted_value::UnlistedValue;
pub use version::Version;
