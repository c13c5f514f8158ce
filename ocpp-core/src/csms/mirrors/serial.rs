//! How exact numbers and the standard's objects look in snapshots: as texts, which every format has.

/// The most bytes that one object takes in a mirror. A profile or message of the standard's size takes a tenth of it.
const MAX_OBJECT: usize = 16 * 1024;

/// Whether an object is larger than is kept. Lenient peers may send what they like.
pub(super) fn is_too_large<T: serde::Serialize>(object: &T) -> bool {
    serde_json::to_string(object).is_ok_and(|text| text.len() > MAX_OBJECT)
}

/// An optional number, with all its digits.
pub(super) mod decimal {
    use alloc::string::{String, ToString};

    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub(in crate::csms::mirrors) fn serialize<S: Serializer>(
        value: &Option<Decimal>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(|value| value.to_string()).serialize(serializer)
    }

    pub(in crate::csms::mirrors) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
    }
}

/// An object of the standard, as its JSON text.
pub(super) mod json {
    use alloc::string::String;

    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

    pub(in crate::csms::mirrors) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serde_json::to_string(value).map_err(ser::Error::custom)?.serialize(serializer)
    }

    pub(in crate::csms::mirrors) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
