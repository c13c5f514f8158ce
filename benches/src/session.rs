//! A whole charging session of a station, recorded once and played back as often as one likes: the same facts at the same
//! moments give the same outputs, so that nothing but the station is measured.

use std::time::Duration;

use ocpp_core::rpc::Frame;
use ocpp_core::station::{EvseConfig, Input, Output, Product, Reading, Station, StationConfig, Token, Vehicle};
use ocpp_core::time::{Instant, Now};
use ocpp_core::types::{Conformance, Decimal, Version, v1_6, v2_0_1, v2_1};
use serde_json::{Value, json};

/// How many readings of the meter a session has.
pub const SAMPLES: u32 = 60;

const SEED: [u8; 32] = [7; 32];

/// The facts of a session.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The version that is spoken.
    pub version: Version,
    config: StationConfig,
    started: Now,
    /// What the station is told, and when.
    pub inputs: Vec<(Now, Input)>,
    /// How many of the inputs make the station booted, connected and idle.
    pub idle_after: usize,
    /// The frames that the station sends.
    pub sent: Vec<String>,
}

impl Recording {
    /// A station with two EVSEs of one connector boots, a vehicle is plugged in, a card starts a transaction, the meter is read
    /// and reported each minute for an hour, the card stops it and the vehicle leaves.
    ///
    /// # Panics
    ///
    /// Where the session doesn't end as told, which the tests of this package would show.
    #[must_use]
    pub fn new(version: Version) -> Self {
        let mut config = StationConfig::new("CP-1", "ws://csms.example/ocpp", Product::new("ACME", "Wallbox"));
        config.versions = vec![version];
        config.evses = vec![EvseConfig::default(); 2];
        let interval = match version {
            Version::V1_6 => "MeterValueSampleInterval",
            _ => "SampledDataCtrlr.TxUpdatedInterval",
        };
        config.settings.push((interval.into(), "60".into()));
        let started = Now::new(Instant::ORIGIN, "2026-11-20T08:00:00Z".parse().expect("a time"));
        let mut recorder = Recorder {
            station: Station::new(config.clone(), SEED, started),
            now: started,
            recording: Self { version, config, started, inputs: Vec::new(), idle_after: 0, sent: Vec::new() },
        };
        recorder.drain();
        recorder.recording.idle_after = recorder.recording.inputs.len();
        recorder.tell(Input::PluggedIn { evse: 1, connector: 1 });
        recorder.tell(Input::TokenPresented { evse: Some(1), token: Token::rfid("04A1B2C3D4E5F6") });
        recorder.tell(Input::Meter { evse: 1, reading: reading(0) });
        recorder.tell(Input::Vehicle { evse: 1, vehicle: Vehicle::ready() });
        for minute in 1..=SAMPLES {
            let next = started.instant + Duration::from_secs(u64::from(minute) * 60);
            recorder.tell_at(next, Input::Meter { evse: 1, reading: reading(minute) });
            recorder.tell(Input::Timeout);
        }
        recorder.tell(Input::TokenPresented { evse: Some(1), token: Token::rfid("04A1B2C3D4E5F6") });
        recorder.tell(Input::Unplugged { evse: 1, connector: 1 });
        recorder.recording
    }

    /// A station that has gone through the first so many inputs. It keeps nothing but its own memory.
    #[must_use]
    pub fn play(&self, inputs: impl IntoIterator<Item = (Now, Input)>) -> Station {
        let mut station = Station::new(self.config.clone(), SEED, self.started);
        while station.poll_output().is_some() {}
        for (now, input) in inputs {
            station.handle(now, input);
            while station.poll_output().is_some() {}
        }
        station
    }

    /// How often a frame of this action was sent.
    #[must_use]
    pub fn count(&self, action: &str) -> usize {
        let mark = format!(",\"{action}\",");
        self.sent.iter().filter(|frame| frame.contains(&mark)).count()
    }

    /// The frames that the station receives.
    pub fn received(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().filter_map(|(_, input)| match input {
            Input::Frame(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// What the codec alone has to do in this session: each frame that is sent is written from its typed message, each one
    /// received is read as a frame. Typed answers would add to it.
    #[must_use]
    pub fn messages(&self) -> Vec<Sent> {
        self.sent.iter().filter_map(|frame| Sent::read(self.version, frame)).collect()
    }
}

/// A request of a station, typed.
#[derive(Debug)]
pub enum Sent {
    /// 1.6
    V1_6(v1_6::StationRequest),
    /// 2.0.1
    V2_0_1(v2_0_1::StationRequest),
    /// 2.1
    V2_1(v2_1::StationRequest),
}

impl Sent {
    fn read(version: Version, frame: &str) -> Option<Self> {
        let Frame::Call { action, payload, .. } = Frame::parse(frame, version).ok()? else { return None };
        Some(match version {
            Version::V1_6 => {
                Self::V1_6(v1_6::StationRequest::decode(&action, payload, Conformance::Strict).ok()?.message)
            }
            Version::V2_0_1 => {
                Self::V2_0_1(v2_0_1::StationRequest::decode(&action, payload, Conformance::Strict).ok()?.message)
            }
            Version::V2_1 => {
                Self::V2_1(v2_1::StationRequest::decode(&action, payload, Conformance::Strict).ok()?.message)
            }
        })
    }

    /// The payload.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Self::V1_6(request) => request.encode(),
            Self::V2_0_1(request) => request.encode(),
            Self::V2_1(request) => request.encode(),
        }
    }
}

fn reading(minute: u32) -> Reading {
    Reading::energy(Decimal::from(minute * 180))
}

struct Recorder {
    station: Station,
    now: Now,
    recording: Recording,
}

impl Recorder {
    fn tell(&mut self, input: Input) {
        self.recording.inputs.push((self.now, input.clone()));
        self.station.handle(self.now, input);
        self.drain();
    }

    /// Lets everything happen that is due until then, and tells this first when the moment has come.
    fn tell_at(&mut self, at: Instant, input: Input) {
        while let Some(deadline) = self.station.poll_timeout().filter(|deadline| deadline.at < at) {
            self.now = self.now + deadline.at.saturating_since(self.now.instant);
            self.tell(Input::Timeout);
        }
        self.now = self.now + at.saturating_since(self.now.instant);
        self.tell(input);
    }

    fn drain(&mut self) {
        while let Some(output) = self.station.poll_output() {
            match output {
                Output::Connect(_) => self.tell(Input::Connected { version: self.recording.version }),
                Output::Store(batch) => self.tell(Input::Stored(batch.id)),
                Output::Transmit(frame) => {
                    let answer = answer(self.now, &frame);
                    self.recording.sent.push(frame);
                    self.tell(Input::Frame(answer));
                }
                _ => {}
            }
        }
    }
}

/// What a CSMS says that accepts everything.
fn answer(now: Now, frame: &str) -> String {
    let call: Value = serde_json::from_str(frame).expect("a station writes JSON");
    let accepted = json!({"status": "Accepted"});
    let payload = match call[2].as_str() {
        Some("BootNotification") => {
            json!({"status": "Accepted", "currentTime": format!("{:.3}", now.utc), "interval": 86_400})
        }
        Some("Heartbeat") => json!({"currentTime": format!("{:.3}", now.utc)}),
        Some("StartTransaction") => json!({"idTagInfo": accepted, "transactionId": 1}),
        Some("Authorize") if call[3].get("idTag").is_some() => json!({"idTagInfo": accepted}),
        Some("Authorize") => json!({"idTokenInfo": accepted}),
        Some("TransactionEvent") if call[3].get("idToken").is_some() => json!({"idTokenInfo": accepted}),
        _ => json!({}),
    };
    json!([3, call[1], payload]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_session_is_whole_in_every_version() {
        for version in [Version::V1_6, Version::V2_0_1, Version::V2_1] {
            let recording = Recording::new(version);
            assert_eq!(recording.count("BootNotification"), 1, "{version}");
            if version == Version::V1_6 {
                assert_eq!(recording.count("StartTransaction"), 1);
                assert_eq!(recording.count("MeterValues"), SAMPLES as usize);
                assert_eq!(recording.count("StopTransaction"), 1);
            } else {
                let events = recording.count("TransactionEvent");
                assert!(events >= SAMPLES as usize + 2, "{version}: {events} events");
            }
            assert_eq!(recording.messages().len(), recording.sent.len());
        }
    }
}
