//! Bounded text.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::ops::Deref;

use serde::Serializer;

use crate::decode::{Decode, Encode, Reader, Unreadable};

/// Text of at most `MAX` characters, counted as Unicode scalar values: `é` is one, however many bytes it takes
/// (1.6 errata 3.58 to 3.62: a length is the most there may be).
///
/// What is built here keeps the bound. What a peer sent may not: decoding keeps over-long text whole and reports it as a
/// finding, so [`Text::is_within_limit`] can be false for decoded text.
///
/// ```
/// use ocpp_types::Text;
/// let tag = Text::<20>::new("04A2B3C4D5E6F7")?;
/// assert_eq!(&*tag, "04A2B3C4D5E6F7");
/// assert!(Text::<3>::new("four").is_err());
/// # Ok::<(), ocpp_types::TextTooLong>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<const MAX: usize>(String);

/// The text is longer than its member allows. Shorten it, or use [`Text::truncated`] where a cut does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text has {length} characters where {max} are allowed; shorten it")]
pub struct TextTooLong {
    /// The number of characters that are allowed.
    pub max: usize,
    /// The number of characters that the text has.
    pub length: usize,
}

fn is_within(text: &str, max: usize) -> bool {
    // Bytes first: a text is never longer in characters than in bytes, so most texts need no count.
    text.len() <= max || text.chars().count() <= max
}

impl<const MAX: usize> Text<MAX> {
    /// The number of characters that are allowed.
    pub const MAX: usize = MAX;

    /// Takes a text that keeps the bound.
    ///
    /// # Errors
    /// The text is longer than `MAX` characters.
    pub fn new(text: impl Into<String>) -> Result<Self, TextTooLong> {
        let text = text.into();
        if is_within(&text, MAX) { Ok(Self(text)) } else { Err(TextTooLong { max: MAX, length: text.chars().count() }) }
    }

    /// Takes the first `MAX` characters of a text.
    #[must_use]
    pub fn truncated(text: &str) -> Self {
        Self(match text.char_indices().nth(MAX) {
            Some((end, _)) => text[..end].to_owned(),
            None => text.to_owned(),
        })
    }

    /// Takes a text that another version of the protocol has under another limit.
    #[cfg(all(feature = "v2_0_1", feature = "v2_1"))]
    pub(crate) fn unchecked(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The same text under another limit, kept or not.
    #[cfg(all(feature = "v2_0_1", feature = "v2_1"))]
    pub(crate) fn resize<const OTHER: usize>(self) -> Text<OTHER> {
        Text(self.0)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether the bound is kept; decoded text may exceed it.
    #[must_use]
    pub fn is_within_limit(&self) -> bool {
        is_within(&self.0, MAX)
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> AsRef<str> for Text<MAX> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> PartialEq<str> for Text<MAX> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl<const MAX: usize> PartialEq<&str> for Text<MAX> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl<const MAX: usize> TryFrom<&str> for Text<MAX> {
    type Error = TextTooLong;

    fn try_from(text: &str) -> Result<Self, TextTooLong> {
        Self::new(text)
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextTooLong;

    fn try_from(text: String) -> Result<Self, TextTooLong> {
        Self::new(text)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl Decode for String {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        reader.string(|_, text| Ok(text.into_owned()))
    }

    fn conforms(&self, kind: &crate::schema::Kind) -> bool {
        !matches!(kind, crate::schema::Kind::Uri) || is_uri(self)
    }
}

impl Encode for String {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<const MAX: usize> Decode for Text<MAX> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let text = String::read(reader)?;
        if !is_within(&text, MAX) {
            reader.note();
        }
        Ok(Self(text))
    }
}

impl<const MAX: usize> Encode for Text<MAX> {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Whether a text is a URI as RFC 3986 has them: a scheme, a colon, and only characters that a URI may hold.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut scheme = scheme.bytes();
    if !scheme.next().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    if !scheme.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
        return false;
    }
    let mut bytes = rest.bytes();
    while let Some(byte) = bytes.next() {
        let allowed = match byte {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())),
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte),
        };
        if !allowed {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    // 1.6 errata 3.58 to 3.62
    #[test]
    fn length_is_counted_in_characters_not_in_bytes() {
        let text = "é".repeat(20);
        assert!(Text::<20>::new(text.clone()).is_ok());
        assert_eq!(Text::<19>::new(text), Err(TextTooLong { max: 19, length: 20 }));
    }

    #[test]
    fn truncation_keeps_whole_characters() {
        assert_eq!(&*Text::<3>::truncated("ééééé"), "ééé");
        assert_eq!(&*Text::<9>::truncated("short"), "short");
    }

    #[test]
    fn a_uri_needs_a_scheme_and_allowed_characters() {
        for good in ["ftp://user:pw@host/path", "https://[::1]:8443/x?y=1#z", "urn:a", "a:%41"] {
            assert!(is_uri(good), "{good}");
        }
        for bad in ["", "no scheme", "1http://x", "http://a b", "http://%4", "http://{x}", "://x", "/relative"] {
            assert!(!is_uri(bad), "{bad}");
        }
    }
}
