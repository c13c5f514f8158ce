//! The yardstick: `derive(Deserialize)` and `derive(Serialize)` on plain structures with the same types of fields as ours (decimal,
//! timestamp, string, strict enumeration), and no check at all.
#![allow(missing_docs)]

use serde::{Deserialize, Serialize};

use crate::candidate::Candidate;
use crate::inputs::{ID, Message};

pub mod v1_6;
pub mod v2_1;

macro_rules! enumeration {
    ($name:ident { $($variant:ident = $text:literal,)* }) => {
        #[derive(Debug, Serialize, Deserialize)]
        enum $name { $(#[serde(rename = $text)] $variant,)* }
    };
}
use enumeration;

/// A decimal as `rust_decimal` itself reads and writes it as a float, without the text in between.
mod decimal {
    use rust_decimal::Decimal;
    use rust_decimal::prelude::ToPrimitive;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        Decimal::try_from(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    pub(super) fn serialize<S: serde::Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(value.to_f64().unwrap_or(f64::NAN))
    }
}

/// Reads a whole CALL as one tuple.
///
/// # Errors
/// What serde_json says.
pub fn decode<'de, M: Deserialize<'de>>(text: &'de str) -> Result<M, serde_json::Error> {
    let (_, _, _, message): (u8, &str, &str, M) = serde_json::from_str(text)?;
    Ok(message)
}

/// Writes a whole CALL as one tuple.
///
/// # Errors
/// What serde_json says.
pub fn encode<M: Serialize>(id: &str, action: &str, message: &M) -> Result<String, serde_json::Error> {
    serde_json::to_string(&(2_u8, id, action, message))
}

/// The path of a message.
#[must_use]
pub fn candidate(message: Message) -> Candidate {
    match message {
        Message::BootNotification16 => path::<v1_6::BootNotificationRequest>(message, "BootNotification"),
        Message::MeterValues16 => path::<v1_6::MeterValuesRequest>(message, "MeterValues"),
        Message::BootNotification21 => path::<v2_1::BootNotificationRequest>(message, "BootNotification"),
        Message::TransactionEvent21 => path::<v2_1::TransactionEventRequest>(message, "TransactionEvent"),
    }
}

fn path<M: Serialize + for<'de> Deserialize<'de> + 'static>(message: Message, action: &'static str) -> Candidate {
    Candidate::new(
        "bare serde",
        message.frame(),
        |text| decode::<M>(text).map_err(|error| error.to_string()),
        move |message| encode(ID, action, message).unwrap_or_default(),
    )
}
