//! A log of everything that a station was told, from which its life can be lived again: what happened in the field happens
//! on the desk, output for output.
//!
//! An integrator writes an [`Entry`] for each thing that he does to his station, and after it an [`Entry::Outputs`] with what he
//! got out of it, each as a line of JSON. [`Replay`] reads such lines, does the same to a station of its own, and compares.
//!
//! The log holds what the station was told, secrets included: passwords, keys of certificates, tokens of drivers. Without them
//! the same would not happen again. Keep it like the storage of the station itself. Outputs are in it as digests alone.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::input::Input;
use super::local_authorization::TokenEntry;
use super::output::Output;
use super::settings::SettingName;
use super::store::Record;
use super::{Station, StationConfig};
use crate::time::{Instant, Now};

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    monotonic: Duration,
    #[serde(with = "super::serial::time")]
    utc: Timestamp,
}

impl From<Now> for Moment {
    fn from(now: Now) -> Self {
        Self { monotonic: now.instant.since_origin(), utc: now.utc }
    }
}

impl From<Moment> for Now {
    fn from(moment: Moment) -> Self {
        Self::new(Instant::ORIGIN + moment.monotonic, moment.utc)
    }
}

/// Something that was done to a station, or what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// It was started: [`Station::new`] without records, [`Station::restore`] with them.
    Start(Box<Start>),
    /// It was told a fact: [`Station::handle`].
    Input {
        /// When.
        now: Moment,
        /// What.
        input: Input,
    },
    /// A setting was changed at the station: [`Station::change_setting`].
    Setting {
        /// When.
        now: Moment,
        /// Which.
        name: SettingName,
        /// To what; `None` for what it is worth at first.
        value: Option<String>,
    },
    /// A token was put into the authorization cache: [`Station::put_into_authorization_cache`].
    CachedToken {
        /// When.
        now: Moment,
        /// Which.
        entry: TokenEntry,
    },
    /// A token was put into the local list: [`Station::put_into_local_list`].
    ListedToken {
        /// When.
        now: Moment,
        /// Which.
        entry: TokenEntry,
    },
    /// The security log was cleared: [`Station::clear_security_log`].
    ClearedSecurityLog {
        /// When.
        now: Moment,
    },
    /// What [`Station::poll_output`] gave since the entry before.
    Outputs(Digest),
}

/// How a station was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// When.
    pub now: Moment,
    /// What it was made of.
    pub config: StationConfig,
    /// What its random choices grew from.
    pub seed: [u8; 32],
    /// What was stored; `None` at its first start.
    pub stored: Option<Vec<Record>>,
}

/// What a number of outputs comes to: two series of outputs with the same digest are the same, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    count: u64,
    sum: u64,
}

impl Default for Digest {
    fn default() -> Self {
        // The offset basis of FNV-1a with 64 bits.
        Self { count: 0, sum: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Digest {
    /// Takes the next output in.
    pub fn add(&mut self, output: &Output) {
        self.count += 1;
        for byte in format!("{output:?}\n").bytes() {
            self.sum = (self.sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// How many outputs it stands for.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }
}

impl Entry {
    /// The entry as a line of the log, without the end of the line.
    #[must_use]
    pub fn to_line(&self) -> String {
        // Its parts have no map keys but texts and no failing members, so that this always succeeds.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Why a log can't be replayed any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The line is no entry: the log is damaged, or of another version of this library.
    #[error("line {line} is no entry of a log: {reason}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Something was done to a station before one was started: the beginning of the log is missing.
    #[error("line {line} does something to a station before one is started")]
    NotStarted {
        /// Which line, from 1.
        line: usize,
    },
    /// A record that was stored can't be read.
    #[error("line {line} starts a station with a record that can't be read: {reason}")]
    Restore {
        /// Which line, from 1.
        line: usize,
        /// Which record, and what is wrong with it.
        reason: String,
    },
    /// The station did something else than it did when the log was written: this is another version of the library, or the
    /// station depends on something that is not in the log.
    #[error("line {line}: the station gave {given} outputs, and they are not the {expected} of the log")]
    Different {
        /// Which line, from 1.
        line: usize,
        /// How many outputs the log has.
        expected: u64,
        /// How many there were.
        given: u64,
    },
}

/// Lives a station's life again.
#[derive(Debug, Default)]
pub struct Replay {
    station: Option<Station>,
    line: usize,
    given: Digest,
}

impl Replay {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The station as it is after the last line.
    #[must_use]
    pub fn station(&self) -> Option<&Station> {
        self.station.as_ref()
    }

    /// Does what the next line of the log says, and gives what the station wants done.
    ///
    /// # Errors
    /// The line can't be followed, or what came of the lines before is not what the log says.
    pub fn line(&mut self, text: &str) -> Result<Vec<Output>, ReplayError> {
        self.line += 1;
        let line = self.line;
        let entry: Entry =
            serde_json::from_str(text).map_err(|error| ReplayError::Line { line, reason: error.to_string() })?;
        if let Entry::Outputs(expected) = entry {
            let given = core::mem::take(&mut self.given);
            return if given == expected {
                Ok(Vec::new())
            } else {
                Err(ReplayError::Different { line, expected: expected.count, given: given.count })
            };
        }
        self.apply(entry)?;
        let mut outputs = Vec::new();
        while let Some(output) = self.station.as_mut().and_then(Station::poll_output) {
            self.given.add(&output);
            outputs.push(output);
        }
        Ok(outputs)
    }

    fn apply(&mut self, entry: Entry) -> Result<(), ReplayError> {
        let line = self.line;
        if let Entry::Start(start) = entry {
            let now = start.now.into();
            self.station = Some(match start.stored {
                None => Station::new(start.config, start.seed, now),
                Some(stored) => Station::restore(start.config, start.seed, now, stored.into_iter())
                    .map_err(|error| ReplayError::Restore { line, reason: error.to_string() })?,
            });
            return Ok(());
        }
        let station = self.station.as_mut().ok_or(ReplayError::NotStarted { line })?;
        // What was refused then is refused again.
        match entry {
            Entry::Input { now, input } => station.handle(now.into(), input),
            Entry::Setting { now, name, value } => {
                let _ = station.change_setting(now.into(), &name, value.as_deref());
            }
            Entry::CachedToken { now, entry } => {
                let _ = station.put_into_authorization_cache(now.into(), &entry);
            }
            Entry::ListedToken { now, entry } => {
                let _ = station.put_into_local_list(now.into(), &entry);
            }
            Entry::ClearedSecurityLog { now } => station.clear_security_log(now.into()),
            Entry::Start(_) | Entry::Outputs(_) => {}
        }
        Ok(())
    }
}
