//! Typed messages of OCPP 1.6, 2.0.1 and 2.1.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;

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
mod unknown_value;
mod version;

pub use error_code::ErrorCode;
pub use finding::{DecodeError, DecodeErrorKind, Finding, FindingKind};
pub use json::{Extra, Json};
#[cfg(feature = "std")]
pub use message::encode_into;
pub use message::{Conformance, Decoded, Direction, Message, OneWay, Request, Response, decode, encode, findings};
pub use rust_decimal::Decimal;
pub use text::{Text, TextTooLong};
pub use time::{DateTime, DateTimeError};
pub use unknown_value::UnknownValue;
pub use version::Version;
