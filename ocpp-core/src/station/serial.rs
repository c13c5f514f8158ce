//! How exact numbers and times look in records and snapshots: numbers as JSON numbers, times as RFC 3339 texts.

/// A [`Decimal`](rust_decimal::Decimal) as a JSON number with all its digits.
pub(super) mod decimal {
    use alloc::boxed::Box;
    use alloc::string::ToString;

    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
    use serde_json::value::RawValue;

    pub(crate) fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(value.to_string()).map_err(ser::Error::custom)?.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(de::Error::custom)
    }
}

/// An optional [`Decimal`](rust_decimal::Decimal) as a JSON number or `null`.
pub(super) mod optional_decimal {
    use alloc::boxed::Box;

    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serializer, de};
    use serde_json::value::RawValue;

    pub(crate) fn serialize<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::decimal::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get() {
            "null" => Ok(None),
            number => number.parse().map(Some).map_err(de::Error::custom),
        }
    }
}

/// A [`Timestamp`](jiff::Timestamp) as an RFC 3339 text.
pub(super) mod time {
    use alloc::string::String;

    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(value: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// An optional [`Timestamp`](jiff::Timestamp) as an RFC 3339 text or `null`.
pub(super) mod optional_time {
    use alloc::string::String;

    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(value: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::time::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
    }
}

/// A version by its number, such as `2.0.1`.
pub(super) mod version {
    use alloc::string::String;

    use ocpp_types::Version;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(value: &Version, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.number())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        let number = String::deserialize(deserializer)?;
        let known = Version::ALL.into_iter().find(|version| version.number() == number);
        known.ok_or_else(|| de::Error::custom("there is no such version"))
    }
}

/// Versions by their numbers.
pub(super) mod versions {
    use alloc::vec::Vec;

    use ocpp_types::Version;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Numbered(#[serde(with = "super::version")] Version);

    pub(crate) fn serialize<S: Serializer>(value: &[Version], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(value.iter().map(|version| Numbered(*version)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Version>, D::Error> {
        Ok(Vec::<Numbered>::deserialize(deserializer)?.into_iter().map(|Numbered(version)| version).collect())
    }
}
