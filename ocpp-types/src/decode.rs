//! Decoding in one pass: every check is made while the text is read, and what is off is only noted.
//!
//! Generated types implement [`Decode`] instead of `Deserialize`, because a decoder has to tell the caller *that* something
//! departs from the schema without failing. Where it is, is computed afterwards, and only then (see [`crate::decode()`]).

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::{Extra, Json};
use crate::schema::Kind;

/// What a decoder is told, and what it has noted.
#[derive(Debug)]
pub struct Context {
    noted: Cell<bool>,
    careful: bool,
    text: bool,
}

impl Context {
    /// For JSON text in memory: numbers are taken from the text, digit by digit.
    pub(crate) fn text() -> Self {
        Self { noted: Cell::new(false), careful: false, text: true }
    }

    /// For JSON text in memory of which it is known that something cannot be used: optional members that fail are kept raw.
    pub(crate) fn careful() -> Self {
        Self { noted: Cell::new(false), careful: true, text: true }
    }

    /// For any deserializer.
    #[must_use]
    pub fn plain() -> Self {
        Self { noted: Cell::new(false), careful: false, text: false }
    }

    /// Notes that something departs from the schema.
    pub fn note(&self) {
        self.noted.set(true);
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.noted.get()
    }

    pub(crate) fn reads_text(&self) -> bool {
        self.text
    }
}

/// A type that can be read from JSON, noting departures from the schema in a [`Context`].
pub trait Decode<'de>: Sized {
    /// Reads a value. Fails only where no value can be had at all.
    ///
    /// # Errors
    /// The deserializer's, for a value of a wrong JSON type and for an object without a required member.
    fn decode<D: Deserializer<'de>>(deserializer: D, context: &Context) -> Result<Self, D::Error>;

    /// Whether the value keeps the limits that its member sets and its type does not: ranges and numbers of items.
    fn conforms(&self, kind: &Kind) -> bool {
        let _ = kind;
        true
    }
}

/// A type that can be written as JSON.
pub trait Encode {
    /// Writes the value.
    ///
    /// # Errors
    /// The serializer's.
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// Makes what can be encoded serialisable.
pub(crate) struct Wire<'a, T>(pub(crate) &'a T);

impl<T: Encode> Serialize for Wire<'_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.encode(serializer)
    }
}

/// Decodes with a context where serde passes a seed on.
pub(crate) struct Seed<'c, T>(&'c Context, PhantomData<T>);

impl<'c, T> Seed<'c, T> {
    fn new(context: &'c Context) -> Self {
        Self(context, PhantomData)
    }
}

impl<'de, T: Decode<'de>> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::decode(deserializer, self.0)
    }
}

/// Like [`Seed`], with `null` told apart.
struct NullableSeed<'c, T>(&'c Context, PhantomData<T>);

impl<'de, T: Decode<'de>> DeserializeSeed<'de> for NullableSeed<'_, T> {
    type Value = Option<T>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Decode<'de>> Visitor<'de> for NullableSeed<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::decode(deserializer, self.0).map(Some)
    }
}

/// Reads the value of an optional member into its place.
#[inline]
pub(crate) fn optional_member<'de, A: MapAccess<'de>, T: Decode<'de>>(
    map: &mut A,
    context: &Context,
    name: &'static str,
    kind: &'static Kind,
    place: &mut Option<T>,
    extra: &mut Extra,
) -> Result<(), A::Error> {
    if context.careful || place.is_some() {
        return unusual_member(map, context, name, kind, place, extra);
    }
    match map.next_value_seed(NullableSeed(context, PhantomData))? {
        Some(value) => {
            if !T::conforms(&value, kind) {
                context.note();
            }
            *place = Some(value);
        }
        None => {
            // An empty optional member shall be left out (2.1 part 4, 4.1.5).
            context.note();
            extra.push(name, Json::null());
        }
    }
    Ok(())
}

/// Reads the value of a required member into its place. There is no message where it is `null`, so nobody looks for that.
#[inline]
pub(crate) fn required_member<'de, A: MapAccess<'de>, T: Decode<'de>>(
    map: &mut A,
    context: &Context,
    name: &'static str,
    kind: &'static Kind,
    place: &mut Option<T>,
    extra: &mut Extra,
) -> Result<(), A::Error> {
    if context.careful || place.is_some() {
        return unusual_member(map, context, name, kind, place, extra);
    }
    let value = map.next_value_seed(Seed::<T>::new(context))?;
    if !value.conforms(kind) {
        context.note();
    }
    *place = Some(value);
    Ok(())
}

/// A second occurrence, which is kept raw, or a member of a message that is known to hold something unusable.
#[cold]
fn unusual_member<'de, A: MapAccess<'de>, T: Decode<'de>>(
    map: &mut A,
    context: &Context,
    name: &'static str,
    kind: &'static Kind,
    place: &mut Option<T>,
    extra: &mut Extra,
) -> Result<(), A::Error> {
    if place.is_some() || !context.text {
        context.note();
        extra.push(name, Json::from_raw(map.next_value::<Box<RawValue>>()?));
        return Ok(());
    }
    let raw: &'de RawValue = map.next_value()?;
    match T::decode(&mut serde_json::Deserializer::from_str(raw.get()), context) {
        Ok(value) => {
            if !value.conforms(kind) {
                context.note();
            }
            *place = Some(value);
        }
        Err(_) => {
            context.note();
            extra.push(name, Json::from_raw(raw.to_owned()));
        }
    }
    Ok(())
}

/// Keeps a member that the schema does not define. An open object may have it.
#[cold]
pub(crate) fn unknown_member<'de, A: MapAccess<'de>>(
    map: &mut A,
    context: &Context,
    name: &str,
    open: bool,
    extra: &mut Extra,
) -> Result<(), A::Error> {
    if !open {
        context.note();
    }
    extra.push(name, Json::from_raw(map.next_value::<Box<RawValue>>()?));
    Ok(())
}

/// The name of a member, borrowed where the text has no escapes.
pub(crate) struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    #[inline]
    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.into()))
    }
}

impl<'de, T: Decode<'de>> Decode<'de> for Box<T> {
    fn decode<D: Deserializer<'de>>(deserializer: D, context: &Context) -> Result<Self, D::Error> {
        T::decode(deserializer, context).map(Self::new)
    }

    fn conforms(&self, kind: &Kind) -> bool {
        T::conforms(self, kind)
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode(self, serializer)
    }
}

struct ListVisitor<'c, T>(&'c Context, PhantomData<T>);

impl<'de, T: Decode<'de>> Visitor<'de> for ListVisitor<'_, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Seed::<T>::new(self.0))? {
            list.push(item);
        }
        Ok(list)
    }
}

impl<'de, T: Decode<'de>> Decode<'de> for Vec<T> {
    fn decode<D: Deserializer<'de>>(deserializer: D, context: &Context) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(context, PhantomData))
    }

    fn conforms(&self, kind: &Kind) -> bool {
        match kind {
            Kind::List { item, minimum, maximum } => {
                self.len() >= *minimum
                    && maximum.is_none_or(|maximum| self.len() <= maximum)
                    && self.iter().all(|value| value.conforms(item))
            }
            _ => true,
        }
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Wire))
    }
}

/// The values of an enumeration, told apart by their text.
pub(crate) trait Enumeration: Sized {
    /// The value of this text, `None` for texts that the standard does not have.
    fn known(text: &str) -> Option<Self>;

    /// Keeps a text that the standard does not have.
    fn unknown(text: &str) -> Self;
}

struct EnumerationVisitor<'c, T>(&'c Context, PhantomData<T>);

impl<T: Enumeration> Visitor<'_> for EnumerationVisitor<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of an enumeration")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(T::known(text).unwrap_or_else(|| {
            self.0.note();
            T::unknown(text)
        }))
    }
}

pub(crate) fn enumeration<'de, D: Deserializer<'de>, T: Enumeration>(
    deserializer: D,
    context: &Context,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(EnumerationVisitor(context, PhantomData))
}
