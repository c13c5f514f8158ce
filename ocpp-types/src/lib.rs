//! Typed messages of OCPP 1.6 (with its security extension), 2.0.1 and 2.1: every action, every member, under the standard's
//! own names, decoded losslessly and judged separately.
//!
//! Messages are in [`v1_6`], [`v2_0_1`] and [`v2_1`]. Each is a struct with public fields, made by `new` from what the standard
//! requires:
//!
//! ```
//! # #[cfg(feature = "v2_1")] {
//! use ocpp_types::{Conformance, Decoded, Text, decode, encode, v2_1};
//!
//! // Build a message: what is required by `new`, what is optional by its field.
//! let station = v2_1::ChargingStationType::new(Text::new("Model 3")?, Text::new("Vendor")?);
//! let mut boot = v2_1::BootNotificationRequest::new(station, v2_1::BootReasonEnumType::PowerUp);
//! boot.charging_station.serial_number = Some(Text::new("0815")?);
//! let payload = encode(&boot);
//!
//! // Read one. Strict refuses what departs from the schema, with the error code to answer.
//! let Decoded { message, .. } = decode::<v2_1::BootNotificationRequest>(&payload, Conformance::Strict)?;
//! assert_eq!(message, boot);
//! let error = decode::<v2_1::BootNotificationRequest>(r#"{"reason":"PowerUp"}"#, Conformance::Strict).unwrap_err();
//! assert_eq!(error.to_string(), "/chargingStation: BootNotificationRequest requires this member");
//!
//! // Lenient passes it on, together with what was found, and loses nothing of it.
//! let payload = payload.replace("PowerUp", "Lightning");
//! let decoded = decode::<v2_1::BootNotificationRequest>(&payload, Conformance::Lenient)?;
//! assert_eq!(decoded.message.reason.as_str(), "Lightning");
//! assert_eq!(decoded.findings[0].path, "/reason");
//! assert_eq!(encode(&decoded.message), payload);
//!
//! // Dispatch on the action of a CALL.
//! match v2_1::StationRequest::decode("BootNotification", &payload, Conformance::Lenient)?.message {
//!     v2_1::StationRequest::BootNotification(request) => assert_eq!(&*request.charging_station.model, "Model 3"),
//!     other => unreachable!("{}", other.action()),
//! }
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a message is made of
//!
//! | the standard | here |
//! |---|---|
//! | string with a limit | [`Text`], counted in characters |
//! | string without one | `String` |
//! | dateTime | [`DateTime`]: UTC, the offset understood, written as it came or with milliseconds |
//! | integer | `i64` |
//! | number | [`Decimal`], exact |
//! | enumeration | an `enum` with the variant `Unlisted` for texts that the standard does not have |
//! | object | a struct; optional ones are boxed where they are large |
//! | list | `Vec` |
//! | any JSON (`DataTransfer.data`) | [`Json`], the text as it came |
//! | members that the schema lacks | the field `extra` of every struct, an [`Extra`] |
//!
//! # Judgement
//!
//! [`decode`](decode()) reads a message that keeps its schema in one pass with all checks, and pays for nothing else. What departs is a
//! [`Finding`] with a JSON Pointer and the error code, in the spelling of the version ([`ErrorCode`]).
//!
//! # Between versions
//!
//! Messages of 2.0.1 become those of 2.1 with `From`, without loss, and come back with `TryFrom`, which says what 2.0.1
//! cannot say. So a CSMS can be written once, on 2.1.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `std` | yes | `std` for the dependencies, and [`encode_into`]; without it the crate needs `alloc` only |
//! | `v1_6`, `v2_0_1`, `v2_1` | yes | the messages of that version |
//!
//! A feature adds; none changes what a message means.
//!
//! # Next
//!
//! The engines that give these messages their behaviour are in the crate `ocpp-core`, which re-exports this one.
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
mod reader;
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
