//! What the generated types are made of. The generator writes the facts, these macros write the code.

/// An object of the standard: its schema, constructor, decoder and encoder.
macro_rules! object {
    (
        $type:ident $name:literal $open:literal
        required { $($required:ident: $required_type:ty = $required_name:literal $required_kind:expr;)* }
        optional { $($optional:ident: $optional_type:ty = $optional_name:literal $optional_kind:expr;)* }
    ) => {
        impl $type {
            /// The schema, as data.
            pub const SCHEMA: &'static $crate::schema::ObjectSchema = &$crate::schema::ObjectSchema {
                name: $name,
                members: &[
                    $($crate::schema::Member { name: $required_name, required: true, kind: $required_kind },)*
                    $($crate::schema::Member { name: $optional_name, required: false, kind: $optional_kind },)*
                ],
                open: $open,
            };

            /// Makes one of what is required; everything optional is left out.
            #[must_use]
            #[allow(clippy::too_many_arguments, clippy::new_without_default)]
            pub fn new($($required: $required_type),*) -> Self {
                Self { $($required,)* $($optional: None,)* extra: $crate::Extra::new() }
            }
        }

        impl $crate::decode::Decode for $type {
            fn read(reader: &mut $crate::decode::Reader<'_>) -> Result<Self, $crate::decode::Unreadable> {
                $(let mut $required: Option<$required_type> = None;)*
                $(let mut $optional: Option<$optional_type> = None;)*
                let mut extra = $crate::Extra::new();
                reader.expect(b'{')?;
                let mut first = true;
                while reader.next_part(b'}', &mut first)? {
                    // Each name is compared with what comes next, so that nobody has to look for its end.
                    $(if reader.takes(concat!("\"", $required_name, "\"")) {
                        const KIND: &$crate::schema::Kind = &$required_kind;
                        $crate::decode::required_member(reader, $required_name, KIND, &mut $required, &mut extra)?;
                        continue;
                    })*
                    $(if reader.takes(concat!("\"", $optional_name, "\"")) {
                        const KIND: &$crate::schema::Kind = &$optional_kind;
                        $crate::decode::optional_member(reader, $optional_name, KIND, &mut $optional, &mut extra)?;
                        continue;
                    })*
                    $crate::decode::unknown_member(reader, Self::SCHEMA, &mut extra)?;
                }
                Ok($type {
                    $($required: $required.ok_or($crate::decode::Unreadable)?,)*
                    $($optional,)*
                    extra,
                })
            }
        }

        impl $crate::decode::Encode for $type {
            fn encode<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $(map.serialize_entry($required_name, &$crate::decode::Wire(&self.$required))?;)*
                $(if let Some(value) = &self.$optional {
                    map.serialize_entry($optional_name, &$crate::decode::Wire(value))?;
                })*
                self.extra.write_into(&mut map)?;
                map.end()
            }
        }

        $crate::macros::plain_serde!($type deserializer => $crate::decode::deserialize_object(deserializer, Self::SCHEMA));
    };
}

/// An enumeration of the standard, open to texts that the standard does not have.
macro_rules! enumeration {
    ($(#[$attribute:meta])* $type:ident $name:literal { $($(#[$doc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $($(#[$doc])* $variant,)*
            /// A text that the standard does not have, as the peer sent it.
            Unlisted($crate::UnlistedValue),
        }

        impl $type {
            /// The schema, as data.
            pub const SCHEMA: &'static $crate::schema::EnumSchema =
                &$crate::schema::EnumSchema { name: $name, values: &[$($value),*] };

            /// The text on the wire, `None` for one that the standard does not have.
            #[must_use]
            pub const fn as_listed(&self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some($value),)*
                    Self::Unlisted(_) => None,
                }
            }

            /// The text on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    Self::Unlisted(text) => text,
                    listed => listed.as_listed().unwrap_or_default(),
                }
            }
        }

        impl $crate::decode::Enumeration for $type {
            fn known(text: &str) -> Option<Self> {
                Some(match text {
                    $($value => Self::$variant,)*
                    _ => return None,
                })
            }

            fn unknown(text: &str) -> Self {
                Self::Unlisted(text.into())
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                use $crate::decode::Enumeration;
                Self::known(text).unwrap_or_else(|| Self::unknown(text))
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::decode::Decode for $type {
            fn read(reader: &mut $crate::decode::Reader<'_>) -> Result<Self, $crate::decode::Unreadable> {
                $crate::decode::enumeration(reader)
            }
        }

        impl $crate::decode::Encode for $type {
            fn encode<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        $crate::macros::plain_serde!($type deserializer => {
            let text: alloc::borrow::Cow<'_, str> = serde::Deserialize::deserialize(deserializer)?;
            Ok(Self::from(&*text))
        });
    };
}

/// Serde's own traits on top of ours, for those who want them: lenient, and without findings.
macro_rules! plain_serde {
    ($type:ident $deserializer:ident => $deserialize:expr) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>($deserializer: D) -> Result<Self, D::Error> {
                $deserialize
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::decode::Encode::encode(self, serializer)
            }
        }
    };
}

/// What an object is as a message.
macro_rules! message {
    (@message $type:ident $action:literal $version:ident) => {
        impl $crate::Message for $type {
            const NAME: &'static str = Self::SCHEMA.name;
            const ACTION: &'static str = $action;
            const VERSION: $crate::Version = $crate::Version::$version;
            const SCHEMA: &'static $crate::schema::ObjectSchema = Self::SCHEMA;
        }
    };
    ($version:ident $direction:ident $action:literal $request:ident => $response:ident) => {
        $crate::macros::message!(@message $request $action $version);
        $crate::macros::message!(@message $response $action $version);

        impl $crate::Request for $request {
            type Response = $response;
            const DIRECTION: $crate::Direction = $crate::Direction::$direction;
        }

        impl $crate::Response for $response {}
    };
    ($version:ident $direction:ident $action:literal $one_way:ident) => {
        $crate::macros::message!(@message $one_way $action $version);

        impl $crate::OneWay for $one_way {
            const DIRECTION: $crate::Direction = $crate::Direction::$direction;
        }
    };
}

/// A sum of messages to dispatch on.
macro_rules! sum {
    ($(#[$attribute:meta])* $sum:ident other { $($other:literal)* } { $($variant:ident($message:ident) = $action:literal,)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant)]
        pub enum $sum {
            $(#[doc = concat!("`", stringify!($message), "`")] $variant($message),)*
        }

        impl $sum {
            /// The actions, in alphabetical order.
            pub const ACTIONS: &'static [&'static str] = &[$($action),*];

            /// The action.
            #[must_use]
            pub fn action(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $action,)*
                }
            }

            /// The schema of an action's message.
            #[must_use]
            pub fn schema(action: &str) -> Option<&'static $crate::schema::ObjectSchema> {
                match action {
                    $($action => Some($message::SCHEMA),)*
                    _ => None,
                }
            }

            /// Reads the message of an action from the JSON text of its payload; see [`decode`]($crate::decode()).
            ///
            /// # Errors
            /// The action is unknown or sent in the other direction, the text is not JSON, or it departs from the schema in
            /// a way that the conformance does not accept.
            pub fn decode(
                action: &str,
                payload: &str,
                conformance: $crate::Conformance,
            ) -> Result<$crate::Decoded<Self>, $crate::DecodeError> {
                match action {
                    $($action => Ok($crate::decode::<$message>(payload, conformance)?.map(Self::$variant)),)*
                    $($other => Err($crate::DecodeError::wrong_direction(action)),)*
                    _ => Err($crate::DecodeError::unknown_action(action)),
                }
            }

            /// Writes the payload as compact JSON.
            #[must_use]
            pub fn encode(&self) -> alloc::string::String {
                match self {
                    $(Self::$variant(message) => $crate::encode(message),)*
                }
            }
        }

        $(impl From<$message> for $sum {
            fn from(message: $message) -> Self {
                Self::$variant(message)
            }
        })*
    };
}

/// An enumeration that both versions of 2.x have.
#[cfg(all(feature = "v2_0_1", feature = "v2_1"))]
macro_rules! enumeration_conversion {
    ($type:ident) => {
        impl From<v2_0_1::$type> for v2_1::$type {
            fn from(old: v2_0_1::$type) -> Self {
                old.as_str().into()
            }
        }

        impl TryFrom<v2_1::$type> for v2_0_1::$type {
            type Error = ConversionError;

            fn try_from(new: v2_1::$type) -> Result<Self, ConversionError> {
                let old = Self::from(new.as_str());
                match (&old, &new) {
                    (Self::Unlisted(_), v2_1::$type::Unlisted(_)) => Ok(old),
                    (Self::Unlisted(_), _) => Err(ConversionError::no_such_value()),
                    _ => Ok(old),
                }
            }
        }
    };
}

/// A sum of messages that both versions of 2.x have.
#[cfg(all(feature = "v2_0_1", feature = "v2_1"))]
macro_rules! sum_conversion {
    ($sum:ident { $($variant:ident)* }) => {
        impl From<v2_0_1::$sum> for v2_1::$sum {
            fn from(old: v2_0_1::$sum) -> Self {
                match old {
                    $(v2_0_1::$sum::$variant(message) => Self::$variant(message.into()),)*
                }
            }
        }

        impl TryFrom<v2_1::$sum> for v2_0_1::$sum {
            type Error = ConversionError;

            fn try_from(new: v2_1::$sum) -> Result<Self, ConversionError> {
                match new {
                    $(v2_1::$sum::$variant(message) => message.try_into().map(Self::$variant),)*
                    _ => Err(ConversionError::no_place("")),
                }
            }
        }
    };
}

pub(crate) use {message, plain_serde};
