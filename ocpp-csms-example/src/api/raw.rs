//! Texts of stations inside of answers to programs.

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// The text as JSON with every digit as received, if any program can read it; else as a JSON string.
///
/// Numbers that no float holds, lone surrogates and bottomless nesting are JSON by its grammar, but would make the whole answer
/// unreadable for most programs.
pub(super) fn json_or_text(text: &str) -> Box<RawValue> {
    let is_readable = serde_json::from_str::<Value>(text).is_ok();
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) if is_readable => value.to_owned(),
        _ => to_raw_value(text).unwrap_or_else(|_| RawValue::NULL.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readable_json_stays_as_it_is() {
        for text in ["[2,\"1\",\"Heartbeat\",{}]", "{\"value\":12.3000000000000000000001}", "1.50"] {
            assert_eq!(json_or_text(text).get(), text);
        }
    }

    #[test]
    fn what_would_make_the_answer_unreadable_becomes_a_string() {
        let deep = ["[".repeat(1000), "]".repeat(1000)].concat();
        for text in ["not JSON", "", "{\"a\":1e400}", "\"\\ud800\"", "NaN", deep.as_str()] {
            assert_eq!(serde_json::from_str::<String>(json_or_text(text).get()).unwrap(), text);
        }
    }
}
