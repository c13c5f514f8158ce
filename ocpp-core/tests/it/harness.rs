//! A station and a peer, wired back to back by a network, a clock and a disk that are simulated.

use std::collections::BTreeMap;
use std::time::Duration;

use ocpp_core::station::{
    Answer, Batch, Change, Connect, ConnectionFailure, ConnectorStatus, Event, Input, Output, Product, Question,
    QuestionKind, Reading, Record, Station, StationConfig, Token, UpdateId, Vehicle, VendorMessage,
};
use ocpp_core::time::{Instant, Now};
use ocpp_core::types::{Decimal, Version};

use crate::transfers::Transfers;

pub const VERSIONS: [Version; 3] = [Version::V1_6, Version::V2_0_1, Version::V2_1];

/// The other end of the connection.
pub trait Peer {
    fn connected(&mut self, now: Now, version: Version);
    fn disconnected(&mut self, now: Now);
    fn frame(&mut self, now: Now, text: &str);
    /// Whether a station that shows itself like this gets a connection.
    fn admits(&mut self, connect: &Connect) -> Result<(), ConnectionFailure> {
        let _ = connect;
        Ok(())
    }
    /// The next frame to send.
    fn poll(&mut self, now: Now) -> Option<String>;
    /// When to call `time_passed`.
    fn timeout(&self) -> Option<Instant> {
        None
    }
    fn time_passed(&mut self, now: Now) {
        let _ = now;
    }
}

/// What the network does.
#[derive(Debug, Clone)]
pub struct Network {
    pub up: bool,
    pub latency: Duration,
    /// Each frame takes up to this much longer, without overtaking another one.
    pub jitter: Duration,
    /// The connection is cut at this frame, counted over both directions from 1: it is lost, and what follows.
    pub cut_at: Option<u64>,
    frames: u64,
    seed: u64,
}

impl Network {
    fn next_delay(&mut self) -> Duration {
        // A linear congruential generator is random enough for delays (Knuth's MMIX).
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (self.seed >> 33) as u32;
        self.latency + self.jitter.mul_f64(f64::from(share) / f64::from(u32::MAX))
    }
}

#[derive(Debug)]
enum Delivery {
    Connected(Connect),
    ToStation(String),
    ToPeer(String),
    Disconnected,
    Stored(Batch),
    Answer(Question),
    RestartFailed,
    /// A file has been moved.
    Moved(Input),
    /// Firmware has been installed.
    Installed(UpdateId),
}

/// An integrator's mind.
pub type Judge = Box<dyn FnMut(&Question) -> Option<Answer>>;

/// The whole world of one station.
pub struct World<P> {
    pub now: Now,
    pub config: StationConfig,
    /// `None` while the power is off.
    pub station: Option<Station>,
    pub peer: P,
    /// What the CSMS chooses.
    pub version: Version,
    pub network: Network,
    pub store_latency: Duration,
    pub storage: BTreeMap<String, String>,
    /// Whether a plug can be released.
    pub unlocks: bool,
    /// What is answered to the messages of vendors.
    pub vendor: fn(&VendorMessage) -> Answer,
    /// Whether the hardware answers questions at all.
    pub answers: bool,
    /// What moves files and installs firmware.
    pub transfers: Transfers,
    /// What the integrator answers, where he has more to say than yes or no.
    pub judge: Judge,
    /// Everything that the station had done, with the moment.
    pub outputs: Vec<(Instant, Output)>,
    /// Every fact that the station was told, with both clocks.
    pub inputs: Vec<(Now, Input)>,
    /// Every frame of the station, in the order of sending.
    pub sent: Vec<String>,
    pub restarts: u32,
    /// Whether the station fails to restart.
    pub restarts_fail: bool,
    /// Whether the power goes off before this output, counted from 0.
    pub power_off_at: Option<usize>,
    /// Whether the batch at hand when the power goes off still reaches the disk.
    pub last_batch_survives: bool,
    starts: u8,
    /// From which output on the hardware knows what it was told.
    powered_since: usize,
    connected: bool,
    epoch: u64,
    queue: BTreeMap<(Instant, u64), (u64, Delivery)>,
    deliveries: u64,
    last_to_station: Instant,
    last_to_peer: Instant,
}

pub const STARTED: &str = "2026-11-20T08:00:00Z";

pub fn product() -> Product {
    let mut product = Product::new("ACME", "Wallbox");
    product.serial_number = Some("S-1".into());
    product.firmware_version = Some("1.0.0".into());
    product
}

pub fn config(version: Version) -> StationConfig {
    let mut config = StationConfig::new("CP-1", "ws://csms.example/ocpp", product());
    config.versions = vec![version];
    config
}

impl<P: Peer> World<P> {
    /// A station that starts with an empty disk, and with a CSMS that speaks the first version that it offers.
    pub fn new(config: StationConfig, peer: P) -> Self {
        let now = Now::new(Instant::ORIGIN, STARTED.parse().unwrap());
        let mut world = Self {
            now,
            version: config.versions[0],
            config,
            station: None,
            peer,
            network: Network {
                up: true,
                latency: Duration::from_millis(20),
                jitter: Duration::ZERO,
                cut_at: None,
                frames: 0,
                seed: 1,
            },
            store_latency: Duration::from_millis(5),
            storage: BTreeMap::new(),
            unlocks: true,
            vendor: |_| Answer::Failed,
            answers: true,
            transfers: Transfers::default(),
            judge: Box::new(|_| None),
            outputs: Vec::new(),
            inputs: Vec::new(),
            sent: Vec::new(),
            restarts: 0,
            restarts_fail: false,
            power_off_at: None,
            last_batch_survives: false,
            starts: 0,
            powered_since: 0,
            connected: false,
            epoch: 0,
            queue: BTreeMap::new(),
            deliveries: 0,
            last_to_station: Instant::ORIGIN,
            last_to_peer: Instant::ORIGIN,
        };
        world.power_on();
        world
    }

    pub fn station(&mut self) -> &mut Station {
        self.station.as_mut().expect("the power is on")
    }

    /// Starts the station from what is on the disk.
    pub fn power_on(&mut self) {
        self.starts += 1;
        self.powered_since = self.outputs.len();
        let seed = [self.starts; 32];
        let records = self.storage.iter().map(|(key, value)| Record { key: key.clone(), value: value.clone() });
        let station = match self.starts {
            1 => Station::new(self.config.clone(), seed, self.now),
            _ => Station::restore(self.config.clone(), seed, self.now, records).unwrap(),
        };
        self.station = Some(station);
        self.drain();
    }

    /// Everything that is not on the disk is gone.
    pub fn power_off(&mut self) {
        self.station = None;
        self.queue.retain(|_, (_, delivery)| matches!(delivery, Delivery::ToPeer(_)));
        if self.connected {
            self.connected = false;
            // What was sent before still arrives; then the peer sees the end of the connection.
            self.deliver_to_peer();
            self.peer.disconnected(self.now);
        }
        self.epoch += 1;
    }

    /// What is on its way to the peer arrives.
    fn deliver_to_peer(&mut self) {
        let queue = std::mem::take(&mut self.queue);
        for ((at, number), (epoch, delivery)) in queue {
            match delivery {
                Delivery::ToPeer(text) if epoch == self.epoch => {
                    let now = Now { instant: self.now.instant.max(at), ..self.now };
                    self.peer.frame(now, &text);
                }
                delivery => _ = self.queue.insert((at, number), (epoch, delivery)),
            }
        }
    }

    /// The power is off for a while.
    pub fn power_cut(&mut self, duration: Duration) {
        self.power_off();
        self.now = self.now + duration;
        self.power_on();
    }

    /// The network goes away for both sides at once, and stays away.
    pub fn cut(&mut self) {
        self.network.up = false;
        self.drop_connection();
    }

    /// The connection breaks; the network stays.
    pub fn drop_connection(&mut self) {
        if self.connected {
            self.connected = false;
            self.epoch += 1;
            self.peer.disconnected(self.now);
            self.schedule_in(Duration::ZERO, Delivery::Disconnected);
        }
    }

    fn schedule_in(&mut self, delay: Duration, delivery: Delivery) {
        self.schedule(self.now.instant + delay, delivery);
    }

    fn schedule(&mut self, at: Instant, delivery: Delivery) {
        self.deliveries += 1;
        self.queue.insert((at, self.deliveries), (self.epoch, delivery));
    }

    /// Hands a fact to the station.
    pub fn handle(&mut self, input: Input) {
        let now = self.now;
        if let Some(station) = &mut self.station {
            self.inputs.push((now, input.clone()));
            station.handle(now, input);
        }
        self.drain();
    }

    /// Carries out what the station and the peer want.
    fn drain(&mut self) {
        while let Some(output) = self.station.as_mut().and_then(Station::poll_output) {
            if self.power_off_at == Some(self.outputs.len()) {
                self.power_off_at = None;
                if let (Output::Store(batch), true) = (&output, self.last_batch_survives) {
                    self.apply(batch);
                }
                self.power_off();
                return;
            }
            self.outputs.push((self.now.instant, output.clone()));
            self.carry_out(output);
        }
        self.drain_peer();
    }

    fn drain_peer(&mut self) {
        while let Some(text) = self.peer.poll(self.now) {
            if !self.connected {
                continue;
            }
            if self.is_cut() {
                return;
            }
            let at = (self.now.instant + self.network.next_delay()).max(self.last_to_station);
            self.last_to_station = at;
            self.schedule(at, Delivery::ToStation(text));
        }
    }

    /// How many frames there were so far, in both directions.
    pub fn frames(&self) -> u64 {
        self.network.frames
    }

    /// Counts a frame, and cuts the connection where that is wanted.
    fn is_cut(&mut self) -> bool {
        self.network.frames += 1;
        let cut = self.network.cut_at == Some(self.network.frames);
        if cut {
            self.drop_connection();
        }
        cut
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Connect(connect) => self.schedule_in(self.network.latency, Delivery::Connected(connect)),
            Output::Close { .. } => {
                // A goodbye comes behind what was sent before it.
                self.deliver_to_peer();
                self.drop_connection();
            }
            Output::Transmit(text) => {
                self.sent.push(text.clone());
                if self.connected && !self.is_cut() {
                    let at = (self.now.instant + self.network.next_delay()).max(self.last_to_peer);
                    self.last_to_peer = at;
                    self.schedule(at, Delivery::ToPeer(text));
                }
            }
            Output::Store(batch) => self.schedule_in(self.store_latency, Delivery::Stored(batch)),
            Output::Ask(question) if self.answers => {
                self.schedule_in(Duration::from_millis(100), Delivery::Answer(question))
            }
            Output::Download(download) if self.transfers.moves => {
                let fact = self.transfers.download(&download);
                let input = Input::Firmware { update: download.update, fact };
                self.schedule_in(self.transfers.duration, Delivery::Moved(input));
            }
            Output::CancelDownload { update } => self.queue.retain(|_, (_, delivery)| match delivery {
                Delivery::Moved(Input::Firmware { update: known, .. }) => *known != update,
                _ => true,
            }),
            Output::Install(install) => {
                self.transfers.installs += 1;
                self.schedule_in(self.transfers.duration, Delivery::Installed(install.update));
            }
            Output::Upload(upload) if self.transfers.moves => {
                let outcome = self.transfers.upload(&upload);
                let input = Input::Log { upload: upload.upload, outcome };
                self.schedule_in(self.transfers.duration, Delivery::Moved(input));
            }
            Output::CancelUpload { upload } => self.queue.retain(|_, (_, delivery)| match delivery {
                Delivery::Moved(Input::Log { upload: known, .. }) => *known != upload,
                _ => true,
            }),
            Output::Restart { evse: None } if self.restarts_fail => {
                self.schedule_in(Duration::from_millis(100), Delivery::RestartFailed);
            }
            Output::Restart { evse: None } => {
                self.restarts += 1;
                // The frames before it are sent; the disk has finished.
                self.power_cut(Duration::from_secs(10));
            }
            _ => {}
        }
    }

    fn apply(&mut self, batch: &Batch) {
        for change in &batch.changes {
            match change {
                Change::Put(record) => {
                    self.storage.insert(record.key.clone(), record.value.clone());
                }
                Change::Delete(key) => {
                    self.storage.remove(key);
                }
            }
        }
    }

    fn deliver(&mut self, epoch: u64, delivery: Delivery) {
        let of_this_connection = epoch == self.epoch && self.connected;
        match delivery {
            Delivery::Connected(connect) => {
                let version = self.version;
                let admitted = match self.network.up {
                    true => self.peer.admits(&connect),
                    false => Err(ConnectionFailure::Other),
                };
                if let Err(failure) = admitted {
                    self.handle(Input::ConnectionFailed { failure, reason: "not connected".into() });
                } else if self.station.is_some() {
                    self.connected = true;
                    self.epoch += 1;
                    self.last_to_peer = self.now.instant;
                    self.last_to_station = self.now.instant;
                    self.peer.connected(self.now, version);
                    self.handle(Input::Connected { version });
                }
            }
            Delivery::ToStation(text) if of_this_connection => self.handle(Input::Frame(text)),
            Delivery::ToPeer(text) if of_this_connection => {
                self.peer.frame(self.now, &text);
                self.drain();
            }
            Delivery::ToStation(_) | Delivery::ToPeer(_) => {}
            Delivery::Disconnected => self.handle(Input::Disconnected { reason: "lost".into() }),
            Delivery::RestartFailed => self.handle(Input::RestartFailed),
            Delivery::Stored(batch) => {
                self.apply(&batch);
                self.handle(Input::Stored(batch.id));
            }
            Delivery::Moved(input) => self.handle(input),
            Delivery::Installed(update) => {
                if let Some(version) = self.transfers.install() {
                    self.config.product.firmware_version = Some(version);
                }
                let fact = self.transfers.installation.clone();
                self.handle(Input::Firmware { update, fact });
            }
            Delivery::Answer(question) => {
                let plain = match &question.kind {
                    QuestionKind::VendorMessage(message) => (self.vendor)(message),
                    QuestionKind::Unlock { .. } if self.unlocks => Answer::Done,
                    QuestionKind::SigningCertificate { .. } => self.transfers.certificate.clone(),
                    QuestionKind::FirmwareSignature { .. } => self.transfers.signature.clone(),
                    QuestionKind::Log(_) => self.transfers.log.clone(),
                    _ => Answer::Failed,
                };
                let answer = (self.judge)(&question).unwrap_or(plain);
                self.handle(Input::Answer { question: question.id, answer });
            }
        }
    }

    /// Lets time pass, and everything happen that falls due in it.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now.instant + duration;
        // A world that never comes to rest is a bug of the station: nothing it waits for is due at once for ever.
        let mut steps_at_one_moment = 0;
        loop {
            self.drain();
            let delivery = self.queue.first_key_value().map(|((at, _), _)| *at);
            let timeout = self.station.as_ref().and_then(Station::poll_timeout).map(|deadline| deadline.at);
            let next = [delivery, timeout, self.peer.timeout()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            if next > self.now.instant {
                self.now = self.now + next.saturating_since(self.now.instant);
                steps_at_one_moment = 0;
            }
            steps_at_one_moment += 1;
            assert!(steps_at_one_moment < 100_000, "the world does not come to rest at {}", self.now.instant);
            if delivery.is_some_and(|at| at <= self.now.instant) {
                let ((_, _), (epoch, delivery)) = self.queue.pop_first().unwrap();
                self.deliver(epoch, delivery);
            } else if self.peer.timeout().is_some_and(|at| at <= self.now.instant) {
                self.peer.time_passed(self.now);
            } else {
                self.handle(Input::Timeout);
            }
        }
        self.now = self.now + end.saturating_since(self.now.instant);
    }

    /// Lets a few seconds pass: long enough for every message to be exchanged, too short for most timers.
    pub fn settle(&mut self) {
        self.run(Duration::from_secs(3));
    }

    // What people, vehicles and meters do.

    pub fn plug(&mut self) {
        self.handle(Input::PluggedIn { evse: 1, connector: 1 });
        self.settle();
    }

    pub fn unplug(&mut self) {
        self.handle(Input::Unplugged { evse: 1, connector: 1 });
        self.settle();
    }

    pub fn tap(&mut self, token: &str) {
        self.handle(Input::TokenPresented { evse: Some(1), token: Token::rfid(token) });
        self.settle();
    }

    pub fn meter(&mut self, watt_hours: &str) {
        self.handle(Input::Meter { evse: 1, reading: Reading::energy(decimal(watt_hours)) });
    }

    pub fn vehicle(&mut self, ready: bool) {
        let vehicle = if ready { Vehicle::ready() } else { Vehicle::suspended() };
        self.handle(Input::Vehicle { evse: 1, vehicle });
        self.settle();
    }

    // What can be seen from outside.

    pub fn set(&mut self, name: &str, value: &str) {
        let now = self.now;
        self.station().change_setting(now, &name.into(), Some(value)).unwrap();
        self.drain();
    }

    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.outputs.iter().filter_map(|(_, output)| match output {
            Output::Event(event) => Some(event),
            _ => None,
        })
    }

    /// Whether energy may flow at EVSE 1, as the hardware was last told.
    pub fn energy_permitted(&self) -> bool {
        let told = self.outputs[self.powered_since..].iter().rev().find_map(|(_, output)| match output {
            Output::PermitEnergy { evse: 1, permitted } => Some(*permitted),
            _ => None,
        });
        told.unwrap_or(false)
    }

    /// Whether the plug of EVSE 1 is locked, as the hardware was last told.
    pub fn locked(&self) -> bool {
        let told = self.outputs[self.powered_since..].iter().rev().find_map(|(_, output)| match output {
            Output::Lock { evse: 1, .. } => Some(true),
            Output::Unlock { evse: 1, .. } => Some(false),
            _ => None,
        });
        told.unwrap_or(false)
    }

    pub fn status(&mut self) -> ConnectorStatus {
        let now = self.now;
        self.station().state(now).evses[0].connectors[0]
    }
}

pub fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}
