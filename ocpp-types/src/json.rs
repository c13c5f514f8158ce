//! JSON that is passed on as it came.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use crate::decode::{Decode, Encode, Reader, Unreadable};

/// Any JSON value, kept as the text that it is: no number loses a digit, no object its order.
///
/// Used where the standard leaves the shape open (`DataTransfer.data`) and for what a schema does not know ([`Extra`]).
/// Two values are equal when their texts are.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Takes a JSON text, checked for syntax.
    ///
    /// # Errors
    /// The text is not one JSON value.
    pub fn parse(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text.into()).map(Self)
    }

    /// Writes any serialisable value as JSON.
    ///
    /// # Errors
    /// The value's own `Serialize` fails, or it has map keys that are not strings.
    pub fn from_serialize(value: &(impl Serialize + ?Sized)) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// The JSON text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Reads the value into a type of yours.
    ///
    /// # Errors
    /// The value does not have the type's shape.
    pub fn to<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.get())
    }

    pub(crate) fn from_raw(raw: Box<RawValue>) -> Self {
        Self(raw)
    }

    pub(crate) fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

impl Decode for Json {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        reader.raw().map(|raw| Self(raw.to_owned()))
    }
}

impl Encode for Json {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

/// The members of an object that its type has no place for, in the order they came.
///
/// These are members that the schema does not define, explicit `null`s, second occurrences of a member, and, in lenient
/// decoding, optional members whose value could not be used. They are written again on encoding, after the known members.
/// One pointer wide when empty.
#[derive(Clone, Default, PartialEq, Eq)]
#[allow(clippy::box_collection)] // one pointer, where a list is three, in every object
pub struct Extra(Option<Box<Vec<Entry>>>);

type Entry = (Box<str>, Json);

impl Extra {
    /// Nothing extra.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Whether there is nothing extra.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The members, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().flat_map(|members| members.iter()).map(|(name, value)| (&**name, value))
    }

    /// The first member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Adds a member at the end.
    pub fn push(&mut self, name: impl Into<Box<str>>, value: Json) {
        self.0.get_or_insert_default().push((name.into(), value));
    }

    pub(crate) fn write_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
