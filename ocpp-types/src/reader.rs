//! Reads the JSON text of messages.
//!
//! It takes what messages are made of without detours: names of members as the schema has them, short texts without escapes, small
//! numbers. What is rare, it hands to `serde_json`: escapes, and values that are kept as they are. It says no more than that a text
//! cannot be read, and that something is off: what that is and where, is found by a second pass ([`crate::decode()`]).

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use serde_json::value::RawValue;

/// A position in a JSON text, and whether something in the text before it departs from the schema.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    noted: bool,
    careful: bool,
}

/// The text is not JSON, not of the type that was asked for, or an object without a required member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text cannot be read")
    }
}

impl core::error::Error for Unreadable {}

type Result<T> = core::result::Result<T, Unreadable>;

impl<'a> Reader<'a> {
    /// Reads a text from its beginning.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, noted: false, careful: false }
    }

    /// Reads a JSON text of which it is known that something cannot be used: optional members that fail are kept raw.
    /// There may be no escapes in the names of members: see [`without_escapes_in_names`].
    pub(crate) fn careful(text: &'a str) -> Self {
        Self { careful: true, ..Self::new(text) }
    }

    /// Notes that something departs from the schema.
    pub(crate) fn note(&mut self) {
        self.noted = true;
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.noted
    }

    pub(crate) fn is_careful(&self) -> bool {
        self.careful
    }

    /// Checks that nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<()> {
        if self.peek().is_none() { Ok(()) } else { Err(Unreadable) }
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The next byte that is not white space, not taken.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        match self.byte(self.at) {
            Some(byte) if byte > b' ' => Some(byte),
            _ => self.peek_past_white_space(),
        }
    }

    fn peek_past_white_space(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.byte(self.at) {
            self.at += 1;
        }
        self.byte(self.at)
    }

    /// Takes a byte of punctuation.
    #[inline]
    pub(crate) fn expect(&mut self, punctuation: u8) -> Result<()> {
        if self.peek() == Some(punctuation) {
            self.at += 1;
            Ok(())
        } else {
            Err(Unreadable)
        }
    }

    /// Takes the comma before a part of an object or a list, or the bracket after the last one; whether there is a part.
    #[inline]
    pub(crate) fn next_part(&mut self, closing: u8, first: &mut bool) -> Result<bool> {
        let is_first = core::mem::replace(first, false);
        match self.peek() {
            Some(b',') if !is_first => {
                self.at += 1;
                self.peek();
                Ok(true)
            }
            Some(byte) if byte == closing => {
                self.at += 1;
                Ok(false)
            }
            _ if is_first => Ok(true),
            _ => Err(Unreadable),
        }
    }

    /// Takes a text, if it comes next, quotation marks and all.
    #[inline]
    pub(crate) fn takes(&mut self, text: &str) -> bool {
        let comes = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()));
        if comes {
            self.at += text.len();
        }
        comes
    }

    /// Takes `null`.
    pub(crate) fn null(&mut self) -> Result<()> {
        self.peek();
        if self.takes("null") { Ok(()) } else { Err(Unreadable) }
    }

    /// Takes `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Result<bool> {
        let value = self.peek() == Some(b't');
        if self.takes(if value { "true" } else { "false" }) { Ok(value) } else { Err(Unreadable) }
    }

    /// Takes a string, if it has no escapes.
    #[inline]
    pub(crate) fn plain_string(&mut self) -> Option<&'a str> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let start = self.at + 1;
        let end = end_of_plain_text(self.text.as_bytes(), start);
        if self.byte(end) != Some(b'"') {
            return None;
        }
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// Takes a string, and makes a value of it.
    #[inline]
    pub(crate) fn string<T>(&mut self, make: impl Fn(&mut Self, Cow<'a, str>) -> Result<T>) -> Result<T> {
        match self.plain_string() {
            Some(text) => make(self, Cow::Borrowed(text)),
            None => {
                let text = self.escaped_string()?;
                make(self, Cow::Owned(text))
            }
        }
    }

    #[cold]
    fn escaped_string(&mut self) -> Result<String> {
        self.expect(b'"')?;
        let start = self.at - 1;
        let end = end_of_string(self.text.as_bytes(), self.at).ok_or(Unreadable)?;
        self.at = end;
        serde_json::from_str(self.text.get(start..end).ok_or(Unreadable)?).map_err(|_| Unreadable)
    }

    /// Takes an integer of at most 18 digits; `None`, and nothing taken, for any other number.
    #[inline]
    pub(crate) fn small_integer(&mut self) -> Option<i64> {
        self.peek();
        let negative = self.byte(self.at) == Some(b'-');
        let start = self.at + usize::from(negative);
        let mut at = start;
        let mut value = 0_i64;
        while let Some(digit @ b'0'..=b'9') = self.byte(at)
            && at < start + 18
        {
            value = value * 10 + i64::from(digit - b'0');
            at += 1;
        }
        let is_padded = self.byte(start) == Some(b'0') && at > start + 1;
        if at == start || is_padded || matches!(self.byte(at), Some(b'0'..=b'9' | b'.' | b'e' | b'E')) {
            return None;
        }
        self.at = at;
        Some(if negative { -value } else { value })
    }

    /// Takes a number, as JSON allows it.
    pub(crate) fn number(&mut self) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        let mut at = start + usize::from(self.byte(start) == Some(b'-'));
        at = match self.byte(at) {
            Some(b'0') => at + 1,
            _ => self.digits(at)?,
        };
        if self.byte(at) == Some(b'.') {
            at = self.digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = self.byte(at) {
            let sign = usize::from(matches!(self.byte(at + 1), Some(b'+' | b'-')));
            at = self.digits(at + 1 + sign)?;
        }
        self.at = at;
        self.text.get(start..at).ok_or(Unreadable)
    }

    /// The end of at least one digit.
    #[inline]
    fn digits(&self, start: usize) -> Result<usize> {
        let mut at = start;
        while self.byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
            at += 1;
        }
        if at > start { Ok(at) } else { Err(Unreadable) }
    }

    /// Takes any value, as it is.
    pub(crate) fn raw(&mut self) -> Result<&'a RawValue> {
        let rest = self.text.get(self.at..).ok_or(Unreadable)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let value = values.next().ok_or(Unreadable)?.map_err(|_| Unreadable)?;
        self.at += values.byte_offset();
        Ok(value)
    }
}

/// Where a text without escapes ends: at the first quotation mark, backslash or control character, or at the end of everything.
#[inline]
fn end_of_plain_text(bytes: &[u8], start: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let mut at = start;
    // Eight bytes at a time. Subtracting a limit from each borrows from the high bit of those that are less. A borrow goes on upwards
    // only, so that the lowest byte found is right. The limit takes in the space and the exclamation mark, which are looked at again.
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let quotation_or_less = word.wrapping_sub(ONES * (b'"' as u64 + 1));
        let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
        let found = (quotation_or_less | backslash) & !word & HIGHS;
        if found == 0 {
            at += 8;
            continue;
        }
        at += found.trailing_zeros() as usize / 8;
        if !matches!(bytes.get(at), Some(b' ' | b'!')) {
            return at;
        }
        at += 1;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}

/// The position behind the closing quotation mark of a string, from behind the opening one.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at = end_of_plain_text(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}

/// A JSON text with the same names of members, written without escapes: a reader looks for names as the schema has them.
#[cold]
pub(crate) fn without_escapes_in_names(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut written, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(start) = bytes.iter().skip(at).position(|byte| *byte == b'"').map(|distance| at + distance) {
        let Some(end) = end_of_string(bytes, start + 1) else { break };
        at = end;
        let (Some(quoted), Some(rest)) = (text.get(start..end), text.get(end..)) else { break };
        if !quoted.contains('\\') || !rest.trim_start().starts_with(':') {
            continue;
        }
        if let Ok(name) = serde_json::from_str::<String>(quoted)
            && let Ok(name) = serde_json::to_string(&name)
        {
            written.push_str(text.get(copied..start).unwrap_or_default());
            written.push_str(&name);
            copied = end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    written.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn a_plain_text_ends_where_it_ends_byte_by_byte() {
        let slow =
            |bytes: &[u8]| bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(bytes.len());
        for length in 0..40 {
            for place in 0..=length {
                for special in 0..=255_u8 {
                    for filling in [b'a', b' ', b'!', b'#', 0x7F, 0x80, 0xA2, 0xDC, 0xFF] {
                        let mut bytes = [filling; 40];
                        bytes[place] = special;
                        let bytes = &bytes[..length];
                        assert_eq!(end_of_plain_text(bytes, 0), slow(bytes), "{bytes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_integers_that_json_allows_are_small_integers() {
        for (text, value) in
            [("0", 0), ("-7,", -7), (" 12]", 12), ("-0", 0), ("123456789012345678", 123_456_789_012_345_678)]
        {
            assert_eq!(Reader::new(text).small_integer(), Some(value), "{text}");
        }
        for text in ["", "-", "01", "-01", "1.0", "1e3", "1E3", "1234567890123456789", "+1", "\"1\"", "null"] {
            let mut reader = Reader::new(text);
            assert_eq!(reader.small_integer(), None, "{text}");
            assert_eq!(reader.at, 0, "{text}");
        }
    }

    #[test]
    fn numbers_are_taken_by_the_grammar_of_json() {
        for text in ["0", "-0", "10", "1.50", "0.0", "1e3", "1E+3", "-1.5e-30"] {
            let followed = format!("{text},");
            assert_eq!(Reader::new(&followed).number(), Ok(text));
        }
        for text in ["", "-", ".5", "1.", "1.e3", "1e", "1e+", "+1", "NaN"] {
            assert_eq!(Reader::new(text).number(), Err(Unreadable), "{text}");
        }
        // What stands behind the zero belongs to nothing, and so is found by whoever reads on.
        assert_eq!(Reader::new("01").number(), Ok("0"));
    }

    #[test]
    fn names_lose_their_escapes_and_values_do_not() {
        let text = r#"{"\u0061":"\u0061","b\"":[{"c" : "d\\","\u00e9" :1}],"\ud800":0}"#;
        assert_eq!(without_escapes_in_names(text), r#"{"a":"\u0061","b\"":[{"c" : "d\\","é" :1}],"\ud800":0}"#);
        assert!(matches!(without_escapes_in_names(r#"{"a":"\n"}"#), Cow::Borrowed(_)));
    }
}
