//! The frames that went over the wire, newest last: the answer to `GET /messages`.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::value::RawValue;

/// How many frames are kept; the oldest is dropped first.
pub const CAPACITY: usize = 10_000;

/// Which way a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the station to the CSMS.
    Sent,
    /// From the CSMS to the station.
    Received,
}

/// One frame.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Frame {
    /// Its number since the process started, from 1, so that a reader notices what was dropped.
    pub number: u64,
    /// When, RFC 3339.
    pub time: String,
    /// Which way.
    pub direction: Direction,
    /// The version of the connection.
    pub version: String,
    /// The text exactly as it went over the wire.
    pub text: String,
    /// The same as JSON; absent where the text is none.
    pub frame: Option<Box<RawValue>>,
}

/// The last [`CAPACITY`] frames.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    frames: VecDeque<Frame>,
    recorded: u64,
}

impl Messages {
    /// Adds one.
    pub(crate) fn record(&mut self, time: jiff::Timestamp, direction: Direction, version: &str, text: &str) {
        self.recorded += 1;
        if self.frames.len() == CAPACITY {
            self.frames.pop_front();
        }
        self.frames.push_back(Frame {
            number: self.recorded,
            time: format!("{time:.3}"),
            direction,
            version: version.to_owned(),
            text: text.to_owned(),
            frame: serde_json::from_str(text).ok(),
        });
    }

    /// What is kept, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter()
    }

    /// All that are kept, oldest first.
    pub(crate) fn all(&self) -> Vec<Frame> {
        self.frames.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_tells_what_was_dropped() {
        let mut messages = Messages::default();
        for number in 0..CAPACITY + 5 {
            messages.record(jiff::Timestamp::UNIX_EPOCH, Direction::Sent, "1.6", &format!("[{number}]"));
        }
        let frames = messages.all();
        assert_eq!(frames.len(), CAPACITY);
        assert_eq!(frames.first().map(|frame| frame.number), Some(6));
        assert_eq!(frames.last().map(|frame| frame.text.as_str()), Some("[10004]"));
    }

    #[test]
    fn a_text_that_is_no_json_is_kept_as_text() {
        let mut messages = Messages::default();
        messages.record(jiff::Timestamp::UNIX_EPOCH, Direction::Received, "2.1", "[2,");
        let json = serde_json::to_value(messages.all()).unwrap();
        assert_eq!(json[0]["text"], "[2,");
        assert_eq!(json[0]["frame"], serde_json::Value::Null);
        assert_eq!(json[0]["time"], "1970-01-01T00:00:00.000Z");
        assert_eq!(json[0]["direction"], "received");
    }
}
