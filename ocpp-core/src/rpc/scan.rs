//! Reading the few elements before the payload, without looking at the payload.

use alloc::borrow::Cow;
use alloc::string::String;

/// A position in the text of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn skip_whitespace(&mut self) {
        self.rest = trim_start(self.rest);
    }

    /// Takes one character of punctuation, with the whitespace before it.
    pub(super) fn punctuation(&mut self, expected: u8) -> Option<()> {
        self.skip_whitespace();
        let (first, _) = self.rest.as_bytes().split_first()?;
        (*first == expected).then(|| self.rest = &self.rest[1..])
    }

    /// Takes a JSON integer; a fraction or an exponent is not one.
    pub(super) fn integer(&mut self) -> Option<i64> {
        self.skip_whitespace();
        let length =
            self.rest.bytes().take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')).count();
        let (number, rest) = self.rest.split_at(length);
        let value = match number.as_bytes() {
            // The type of a message is a single digit.
            [digit @ b'0'..=b'9'] => i64::from(digit - b'0'),
            _ => serde_json::from_str(number).ok()?,
        };
        self.rest = rest;
        Some(value)
    }

    /// Takes a JSON string: borrowed, unless it contains escapes.
    pub(super) fn string(&mut self) -> Option<Cow<'a, str>> {
        self.skip_whitespace();
        let inner = self.rest.strip_prefix('"')?;
        let end = inner.find('"')?;
        if !is_plain(&inner[..end]) {
            return self.escaped_string();
        }
        self.rest = &inner[end + 1..];
        Some(Cow::Borrowed(&inner[..end]))
    }

    /// Takes a JSON string that contains an escape, or a control character, which no string may contain.
    #[cold]
    fn escaped_string(&mut self) -> Option<Cow<'a, str>> {
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        let end = loop {
            match *bytes.get(at)? {
                b'"' => break at,
                b'\\' => at += 2,
                0..=0x1F => return None,
                _ => at += 1,
            }
        };
        // Both ends are quotation marks, so these are character boundaries.
        let value = serde_json::from_str::<String>(&self.rest[..=end]).ok()?;
        self.rest = &self.rest[end + 1..];
        Some(Cow::Owned(value))
    }

    /// Takes everything up to the closing bracket of the frame: unread, whatever is in it.
    pub(super) fn rest_of_array(&mut self) -> Option<&'a str> {
        let inner = trim_end(self.rest).strip_suffix(']')?;
        self.rest = "";
        Some(trim_end(trim_start(inner)))
    }
}

/// Whether a text stands between quotation marks as it is.
pub(super) fn is_plain(text: &str) -> bool {
    // No early exit: so the compiler makes it look at many bytes at once.
    text.bytes().fold(true, |plain, byte| plain & (byte >= 0x20) & (byte != b'"') & (byte != b'\\'))
}

fn is_whitespace(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_whitespace)
}

fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_string_is_unescaped() {
        let mut scanner = Scanner::new(r#" "a\"\u00e9\\" rest"#);
        assert_eq!(scanner.string().unwrap(), "a\"é\\");
        assert_eq!(scanner.rest, " rest");
    }

    #[test]
    fn strings_that_json_forbids_are_not_read() {
        for text in ["\"a", "\"a\nb\"", "\"\\ud800\"", "\"\\", "\"\\x\"", "a", ""] {
            assert_eq!(Scanner::new(text).string(), None, "{text:?}");
        }
    }

    #[test]
    fn only_integers_are_message_types() {
        assert_eq!(Scanner::new(" 2,").integer(), Some(2));
        assert_eq!(Scanner::new("-1 ").integer(), Some(-1));
        for text in ["2.0", "2e0", "02", "\"2\"", "", "99999999999999999999", "-"] {
            assert_eq!(Scanner::new(text).integer(), None, "{text:?}");
        }
    }
}
