//! Exact decimals as JSON numbers.

use rust_decimal::Decimal;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::{PartialSchema, ToSchema};

/// A decimal that is written as a JSON number with all of its digits: 12.30 stays 12.30. For `serde_json` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(pub Decimal);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl PartialSchema for Number {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Number)
            .description(Some("an exact decimal"))
            .into()
    }
}

impl ToSchema for Number {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_written_as_a_number() {
        for text in ["12.30", "0.1", "79228162514264337593543950335", "0"] {
            let number = Number(text.parse().unwrap());
            assert_eq!(serde_json::to_string(&[number]).unwrap(), format!("[{text}]"));
        }
    }
}
