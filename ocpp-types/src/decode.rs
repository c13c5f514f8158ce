//! Decoding in one pass: every check is made while the text is read, and what is off is only noted.
//!
//! Generated types implement [`Decode`] instead of `Deserialize`, because a decoder has to tell the caller *that* something
//! departs from the schema without failing. Where it is, is computed afterwards, and only then (see [`crate::decode()`]).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

use crate::finding::DecodeError;
use crate::json::{Extra, Json};
pub use crate::reader::{Reader, Unreadable};
use crate::schema::{Kind, ObjectSchema, Walk};
use crate::version::Version;

/// A type that can be read from JSON text, noting departures from the schema in the [`Reader`].
pub trait Decode: Sized {
    /// Reads a value. Fails only where no value can be had at all.
    ///
    /// # Errors
    /// The text is not JSON, a value of another JSON type, or an object without a required member.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable>;

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

/// Reads a value that is all of a text.
pub(crate) fn read_all<T: Decode>(reader: &mut Reader<'_>) -> Result<T, Unreadable> {
    let value = T::read(reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads the value of an optional member into its place.
#[inline]
pub(crate) fn optional_member<T: Decode>(
    reader: &mut Reader<'_>,
    name: &'static str,
    kind: &'static Kind,
    place: &mut Option<T>,
    extra: &mut Extra,
) -> Result<(), Unreadable> {
    reader.expect(b':')?;
    if reader.is_careful() || place.is_some() {
        return unusual_member(reader, name, kind, place, extra);
    }
    if reader.peek() == Some(b'n') {
        return empty_member(reader, name, extra);
    }
    let value = T::read(reader)?;
    if !value.conforms(kind) {
        reader.note();
    }
    *place = Some(value);
    Ok(())
}

/// Reads the value of a required member into its place. There is no message where it is `null`, so nobody looks for that.
#[inline]
pub(crate) fn required_member<T: Decode>(
    reader: &mut Reader<'_>,
    name: &'static str,
    kind: &'static Kind,
    place: &mut Option<T>,
    extra: &mut Extra,
) -> Result<(), Unreadable> {
    reader.expect(b':')?;
    if reader.is_careful() || place.is_some() {
        return unusual_member(reader, name, kind, place, extra);
    }
    let value = T::read(reader)?;
    if !value.conforms(kind) {
        reader.note();
    }
    *place = Some(value);
    Ok(())
}

/// An empty optional member shall be left out (2.1 part 4, 4.1.5).
#[cold]
fn empty_member(reader: &mut Reader<'_>, name: &str, extra: &mut Extra) -> Result<(), Unreadable> {
    reader.null()?;
    reader.note();
    extra.push(name, Json::null());
    Ok(())
}

/// A second occurrence, which is kept raw, or a member of a message that is known to hold something unusable.
#[cold]
fn unusual_member<T: Decode>(
    reader: &mut Reader<'_>,
    name: &str,
    kind: &Kind,
    place: &mut Option<T>,
    extra: &mut Extra,
) -> Result<(), Unreadable> {
    let raw = reader.raw()?;
    if place.is_none()
        && let Ok(value) = read_all::<T>(&mut Reader::careful(raw.get()))
    {
        if !value.conforms(kind) {
            reader.note();
        }
        *place = Some(value);
    } else {
        reader.note();
        extra.push(name, Json::from_raw(raw.to_owned()));
    }
    Ok(())
}

/// Keeps a member that the schema does not define. An open object may have it.
#[cold]
pub(crate) fn unknown_member(
    reader: &mut Reader<'_>,
    schema: &ObjectSchema,
    extra: &mut Extra,
) -> Result<(), Unreadable> {
    let name = reader.string(|_, name| Ok(name))?;
    if schema.members.iter().any(|member| member.name == name) {
        // Known, but written with escapes. That is read again without them.
        return Err(Unreadable);
    }
    if !schema.open {
        reader.note();
    }
    reader.expect(b':')?;
    extra.push(&*name, Json::from_raw(reader.raw()?.to_owned()));
    Ok(())
}

/// Reads an object for serde, from whatever it reads: without findings, and an error only where there is no message.
pub(crate) fn deserialize_object<'de, T: Decode, D: Deserializer<'de>>(
    deserializer: D,
    schema: &ObjectSchema,
) -> Result<T, D::Error> {
    let text = serde_json::Value::deserialize(deserializer)?.to_string();
    read_all(&mut Reader::new(&text)).map_err(|_| {
        // What an integer is, is all that differs between the versions, and that in no way that a message fails for.
        D::Error::custom(DecodeError::violations(Walk::findings(&text, schema, Version::V2_1)))
    })
}

impl<T: Decode> Decode for Box<T> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        T::read(reader).map(Self::new)
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

impl<T: Decode> Decode for Vec<T> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        reader.expect(b'[')?;
        let mut list = Self::new();
        let mut first = true;
        while reader.next_part(b']', &mut first)? {
            list.push(T::read(reader)?);
        }
        Ok(list)
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

#[inline]
pub(crate) fn enumeration<T: Enumeration>(reader: &mut Reader<'_>) -> Result<T, Unreadable> {
    reader.string(|reader, text| {
        Ok(T::known(&text).unwrap_or_else(|| {
            reader.note();
            T::unknown(&text)
        }))
    })
}
