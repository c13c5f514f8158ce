//! The session of a CSMS by itself, in memory: what a call of a station costs without a socket and a store.

use std::time::Duration;

use jiff::Timestamp;
use ocpp_core::csms::{Answer, Authorization, Input, Output, Registration, Session, SessionConfig};
use ocpp_core::time::{Instant, Now};
use ocpp_core::types::Version;

use crate::inputs::{ID, Message};

/// What the station says, in 1.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A heartbeat.
    Heartbeat,
    /// Ten samples of no transaction.
    Readings,
    /// Ten samples of a transaction, which are recorded.
    MeterValues,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Heartbeat, Self::Readings, Self::MeterValues];

    /// A frame, which differs from one number to the next where a station's would.
    #[must_use]
    pub fn frame(self, number: usize) -> String {
        let text = match self {
            Self::Heartbeat => format!(r#"[2,"{ID}","Heartbeat",{{}}]"#),
            Self::Readings => Message::MeterValues16.frame().replacen(TRANSACTION, "", 1),
            Self::MeterValues => Message::MeterValues16.frame().replacen(TRANSACTION, r#""transactionId":1,"#, 1),
        };
        let time = format!("2025-01-31T{:02}:{:02}:{:02}", 9 + number / 3600, number / 60 % 60, number % 60);
        text.replacen(&ID[24..], &format!("{number:012}"), 1).replacen("2025-01-31T08:15:30", &time, 1)
    }
}

/// How the measured frame names its transaction.
const TRANSACTION: &str = r#""transactionId":417,"#;

/// A session with a station that has booted and has begun a transaction.
#[derive(Debug)]
pub struct Served {
    session: Session,
    now: Now,
}

impl Served {
    /// A station of 1.6.
    #[must_use]
    pub fn new() -> Self {
        let mut config = SessionConfig::default();
        config.registration = Registration::accepted(Duration::from_secs(300));
        let now = Now::new(Instant::ORIGIN, Timestamp::UNIX_EPOCH);
        let mut served = Self { session: Session::new(config, [7; 32], now), now };
        served.session.handle(now, Input::Connected { version: Version::V1_6 });
        served.drain();
        served.call(Message::BootNotification16.frame().to_owned());
        served.call(
            r#"[2,"start","StartTransaction",{"connectorId":1,"idTag":"TAG","meterStart":0,"timestamp":"2025-01-31T08:00:00Z"}]"#
                .to_owned(),
        );
        served
    }

    /// Takes a call in, and stores and judges as it is asked to; how many bytes were answered.
    pub fn call(&mut self, frame: String) -> usize {
        self.session.handle(self.now, Input::Frame(frame));
        self.drain()
    }

    fn drain(&mut self) -> usize {
        let mut bytes = 0;
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Transmit(text) => bytes += text.len(),
                Output::Record { token, .. } => self.session.handle(self.now, Input::Stored(token)),
                Output::Ask { question, .. } => {
                    let answer = Answer::Authorization(Authorization::accepted());
                    self.session.handle(self.now, Input::Answer { question, answer });
                }
                _ => {}
            }
        }
        bytes
    }
}

impl Default for Served {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_answered_and_none_is_taken_for_a_repetition() {
        for call in Call::ALL {
            let mut served = Served::new();
            let frames: Vec<String> = (0..3).map(|number| call.frame(number)).collect();
            assert!(frames.windows(2).all(|pair| pair[0] != pair[1]), "{call:?}");
            for frame in frames {
                assert!(served.call(frame) > 40, "{call:?}");
            }
        }
    }
}
