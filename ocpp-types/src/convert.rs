//! What the generated conversions between versions are made of.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rust_decimal::Decimal;

use crate::decode::Enumeration;
use crate::text::Text;

/// A message of 2.1 says something that 2.0.1 cannot say. Leave it out, or speak 2.1 with this peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} {reason}")]
pub struct ConversionError {
    /// Where: a JSON Pointer (RFC 6901) into the message.
    pub path: String,
    /// Why it cannot be said.
    pub reason: ConversionErrorReason,
}

/// Why a message of 2.1 cannot be said in 2.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConversionErrorReason {
    /// 2.0.1 has no such member, or no such action.
    #[error("has no place in 2.0.1")]
    NoPlace,
    /// 2.0.1 has the enumeration but not the value.
    #[error("has a value that 2.0.1 does not have")]
    NoSuchValue,
    /// 2.0.1 has an integer where 2.1 has a number.
    #[error("is an integer in 2.0.1")]
    Fraction,
    /// 2.0.1 requires what 2.1 does not.
    #[error("is required in 2.0.1")]
    Missing,
    /// The text or list is longer than 2.0.1 allows.
    #[error("is longer than 2.0.1 allows")]
    TooLong,
}

impl ConversionError {
    fn new(name: &str, reason: ConversionErrorReason) -> Self {
        Self { path: if name.is_empty() { String::new() } else { format!("/{name}") }, reason }
    }

    pub(crate) fn no_place(name: &str) -> Self {
        Self::new(name, ConversionErrorReason::NoPlace)
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::new(name, ConversionErrorReason::Missing)
    }

    pub(crate) fn no_such_value() -> Self {
        Self::new("", ConversionErrorReason::NoSuchValue)
    }

    fn too_long() -> Self {
        Self::new("", ConversionErrorReason::TooLong)
    }

    pub(crate) fn within(mut self, name: &str) -> Self {
        self.path.insert_str(0, name);
        self.path.insert(0, '/');
        self
    }
}

pub(crate) fn down_text<const OLD: usize, const NEW: usize>(text: Text<NEW>) -> Result<Text<OLD>, ConversionError> {
    let within_new = text.is_within_limit();
    let text: Text<OLD> = text.resize();
    // What is too long in both versions was so when it came in, and stays a finding.
    if within_new && !text.is_within_limit() { Err(ConversionError::too_long()) } else { Ok(text) }
}

/// 2.1 opened some enumerations to any text; 2.0.1 has them still.
pub(crate) fn down_value<E: Enumeration>(text: &str) -> Result<E, ConversionError> {
    E::known(text).ok_or_else(ConversionError::no_such_value)
}

pub(crate) fn down_integer(number: Decimal) -> Result<i64, ConversionError> {
    if !number.fract().is_zero() {
        return Err(ConversionError::new("", ConversionErrorReason::Fraction));
    }
    i64::try_from(number.trunc()).map_err(|_| ConversionError::no_such_value())
}

pub(crate) fn down_list<Old, New>(
    list: Vec<New>,
    maximum: Option<usize>,
    convert: impl Fn(New) -> Result<Old, ConversionError>,
) -> Result<Vec<Old>, ConversionError> {
    if maximum.is_some_and(|maximum| list.len() > maximum) {
        return Err(ConversionError::too_long());
    }
    list.into_iter()
        .enumerate()
        .map(|(index, item)| convert(item).map_err(|error| error.within(&index.to_string())))
        .collect()
}
