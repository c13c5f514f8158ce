//! Somebody who reads a frame into a typed message and writes it back.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// One way from frame to message and back, or the reason why there is none.
pub struct Candidate {
    /// The crate.
    pub name: &'static str,
    /// `Err` says why it does not take part.
    pub path: Result<Box<dyn Path>, String>,
}

/// From frame to message and back.
pub trait Path {
    /// Reads a frame so many times; the message is dropped each time.
    fn decode(&self, frame: &str, times: u32) -> Duration;
    /// Writes the message of a frame so many times.
    fn encode(&self, frame: &str, times: u32) -> Duration;
    /// Reads a frame and writes what was read.
    ///
    /// # Errors
    /// Why the frame was refused.
    fn round_trip(&self, frame: &str) -> Result<String, String>;
}

struct Functions<D, E>(D, E);

impl<M, D: Fn(&str) -> Result<M, String>, E: Fn(&M) -> String> Path for Functions<D, E> {
    fn decode(&self, frame: &str, times: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..times {
            let _ = black_box((self.0)(black_box(frame)));
        }
        start.elapsed()
    }

    fn encode(&self, frame: &str, times: u32) -> Duration {
        let Ok(message) = (self.0)(frame) else { return Duration::ZERO };
        let start = Instant::now();
        for _ in 0..times {
            black_box((self.1)(black_box(&message)));
        }
        start.elapsed()
    }

    fn round_trip(&self, frame: &str) -> Result<String, String> {
        (self.0)(frame).map(|message| (self.1)(&message))
    }
}

impl Candidate {
    /// Takes the two directions, and tries them on a frame that keeps the schema.
    pub fn new<M: 'static>(
        name: &'static str,
        frame: &str,
        decode: impl Fn(&str) -> Result<M, String> + 'static,
        encode: impl Fn(&M) -> String + 'static,
    ) -> Self {
        let path = match decode(frame) {
            Ok(_) => Ok(Box::new(Functions(decode, encode)) as Box<dyn Path>),
            Err(error) => Err(format!("refuses the frame: {error}")),
        };
        Self { name, path }
    }

    /// Somebody who does not have this message.
    #[must_use]
    pub fn absent(name: &'static str, reason: &str) -> Self {
        Self { name, path: Err(reason.to_owned()) }
    }
}
