//! The published crates, each by the path that its own documentation shows.

use std::borrow::Cow;

use codetics_ocpp_core::rpc as codetics;
use ocpp_kit::Version;
use ocpp_kit::decode::DecodeOptions;
use ocpp_kit::rpc::Frame as KitFrame;
use ocpp_kit::types::MessageId;
use peer_ocpp_types::{Action, Call};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::candidate::Candidate;
use crate::inputs::{ID, Message};

/// Those who may have this message.
#[must_use]
pub fn candidates(message: Message) -> Vec<Candidate> {
    vec![ocpp_kit(message), codetics(message), ocpp_rs(message), ocpp_types(message), rust_ocpp(message)]
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// `Frame::parse`, then `CsRequest::decode` with its strict options; back through `RawValue`, which its frame carries.
fn ocpp_kit(message: Message) -> Candidate {
    macro_rules! version {
        ($version:ident, $number:ident) => {
            Candidate::new(
                "ocpp-kit 0.3.0",
                message.frame(),
                |frame| {
                    let frame = KitFrame::parse(frame, Version::$number).map_err(|error| format!("{error:?}"))?;
                    let KitFrame::Call { action, payload, .. } = &frame else { return Err("no CALL".to_owned()) };
                    let action = ocpp_kit::$version::Action::from_wire(action).ok_or("no such action")?;
                    ocpp_kit::$version::CsRequest::decode(action, payload, &DecodeOptions::strict()).map_err(text)
                },
                |request| {
                    let payload = serde_json::value::to_raw_value(request).unwrap_or_default();
                    let frame = KitFrame::Call {
                        id: MessageId::new(ID).unwrap_or_else(|_| unreachable!("the id has 36 characters")),
                        action: Cow::Borrowed(request.action().as_str()),
                        payload: Cow::Owned(payload),
                    };
                    frame.to_json(Version::$number).unwrap_or_default()
                },
            )
        };
    }
    match message {
        Message::BootNotification16 | Message::MeterValues16 => version!(v1_6, V1_6),
        Message::BootNotification21 | Message::TransactionEvent21 => version!(v2_1, V2_1),
    }
}

/// `Frame::parse`, then `StationCall::decode`, which validates; back with `encode_call`.
fn codetics(message: Message) -> Candidate {
    macro_rules! version {
        ($name:literal $package:ident $($variant:ident)*) => {
            Candidate::new(
                $name,
                message.frame(),
                |frame| {
                    let frame = codetics::Frame::parse(frame).map_err(text)?;
                    let codetics::Frame::Call { action, payload, .. } = &frame else { return Err("no CALL".to_owned()) };
                    $package::StationCall::decode(action, payload.get()).map_err(|error| format!("{error:?}"))
                },
                |call| match call {
                    $($package::StationCall::$variant(request) => {
                        codetics::encode_call(ID, stringify!($variant), request).unwrap_or_default()
                    })*
                    _ => String::new(),
                },
            )
        };
    }
    match message {
        Message::BootNotification16 | Message::MeterValues16 => {
            version!("codetics-ocpp16 0.1.0" codetics_ocpp16 BootNotification MeterValues)
        }
        Message::BootNotification21 | Message::TransactionEvent21 => {
            version!("codetics-ocpp21 0.1.0" codetics_ocpp21 BootNotification TransactionEvent)
        }
    }
}

/// `deserialize_to_message`, which checks bounds with its feature `schema_validate`; back with `serialize_message`.
fn ocpp_rs(message: Message) -> Candidate {
    macro_rules! version {
        ($version:ident) => {
            Candidate::new(
                "ocpp_rs 0.4.2",
                message.frame(),
                |frame| ::ocpp_rs::$version::parse::deserialize_to_message(frame).map_err(|error| format!("{error:?}")),
                |message| ::ocpp_rs::$version::parse::serialize_message(message).unwrap_or_default(),
            )
        };
    }
    match message {
        Message::BootNotification16 | Message::MeterValues16 => version!(v16),
        Message::BootNotification21 | Message::TransactionEvent21 => version!(v21),
    }
}

/// `serde_json_core` into `Call<T>`, whose type the caller has to know, then `validate`; back into a buffer.
fn ocpp_types(message: Message) -> Candidate {
    fn path<M>(message: Message) -> Candidate
    where
        M: Action + Serialize + DeserializeOwned + peer_ocpp_types::validate::Validate + 'static,
    {
        Candidate::new(
            "ocpp-types 0.3.0",
            message.frame(),
            |frame| {
                let (call, _) = serde_json_core::from_str::<Call<M>>(frame).map_err(text)?;
                call.payload.validate().map_err(text)?;
                Ok(call)
            },
            |call| {
                let mut buffer = vec![0; 4096];
                let length = serde_json_core::to_slice(call, &mut buffer).unwrap_or_default();
                buffer.truncate(length);
                String::from_utf8(buffer).unwrap_or_default()
            },
        )
    }
    match message {
        Message::BootNotification16 => path::<peer_ocpp_types::v16::BootNotificationRequest>(message),
        Message::MeterValues16 => path::<peer_ocpp_types::v16::MeterValuesRequest>(message),
        Message::BootNotification21 => path::<peer_ocpp_types::v21::BootNotificationRequest>(message),
        Message::TransactionEvent21 => path::<peer_ocpp_types::v21::TransactionEventRequest>(message),
    }
}

/// It has no frames: a tuple of serde_json around the type, which the caller has to know, then `validate` where there is one.
fn rust_ocpp(message: Message) -> Candidate {
    fn path<M: Serialize + DeserializeOwned + 'static>(
        message: Message,
        action: &'static str,
        validate: impl Fn(&M) -> Result<(), validator::ValidationErrors> + 'static,
    ) -> Candidate {
        Candidate::new(
            "rust-ocpp 3.0.4",
            message.frame(),
            move |frame| {
                let (_, _, _, message): (u8, &str, &str, M) = serde_json::from_str(frame).map_err(text)?;
                validate(&message).map_err(text)?;
                Ok(message)
            },
            move |message| serde_json::to_string(&(2_u8, ID, action, message)).unwrap_or_default(),
        )
    }
    use ::rust_ocpp::v1_6::messages::{boot_notification, meter_values};
    match message {
        Message::BootNotification16 => path::<boot_notification::BootNotificationRequest>(
            message,
            "BootNotification",
            validator::Validate::validate,
        ),
        Message::MeterValues16 => path::<meter_values::MeterValuesRequest>(message, "MeterValues", |_| Ok(())),
        Message::BootNotification21 | Message::TransactionEvent21 => {
            Candidate::absent("rust-ocpp 3.0.4", "its manifest lacks the feature `v2_1` that its module needs")
        }
    }
}
