//! Transactions: when they begin and end, and what is told about them (2.1 part 2, block E; 1.6 edition 2, 4.8 and 4.10).
//!
//! In 1.6 a transaction is one, whether or not energy flows (1.6 edition 2, 3.6).

mod message;
mod recovery;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use jiff::Timestamp;
use ocpp_types::Version;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::authorization::Authorization;
use super::event::Event;
use super::facts::{Fault, LocalStop, Token};
use super::metering::{Context, MeterValue, register, strip_public_keys};
use super::outbox::Queued;
use super::reading::Reading;
use super::settings::Key;
use super::{Output, Station};

pub(super) use message::{ChargingState, Stage, StoppedReason, TransactionMessage, Trigger};
use message::{of_fault, of_local_stop};

/// A transaction that has begun and not ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transaction {
    /// The id in 2.x, unique for ever (E01.FR.08). A 1.6 CSMS gives it another one.
    pub(super) id: String,
    /// Number of the next message.
    next_seq_no: u32,
    #[serde(with = "super::serial::time")]
    pub(super) started_at: Timestamp,
    /// When energy could flow for the first time: somebody was authorised, and a vehicle plugged in (K01.FR.42).
    #[serde(with = "super::serial::optional_time", default)]
    pub(super) ready_at: Option<Timestamp>,
    /// Whether it is allowed more than others (2.1, K21.FR.04), and what the CSMS was told about that.
    #[serde(default)]
    pub(super) has_priority: bool,
    #[serde(default)]
    pub(super) told_priority: bool,
    #[serde(with = "super::serial::optional_decimal", default)]
    pub(super) meter_start: Option<Decimal>,
    /// Which conditions held at any time; the end of one of them may be the end of the transaction.
    reached: Points,
    /// State of charging that was last told.
    told_state: ChargingState,
    told_evse: bool,
    /// Whether the values of the beginning wait for the EVSE to be known (E01.FR.17).
    told_begin: bool,
    /// What the meter said at the beginning, for the end (E06.FR.11).
    #[serde(default)]
    begin: Option<MeterValue>,
    /// Whether the public key of a meter has been told.
    #[serde(default)]
    told_public_key: bool,
    /// Who began it; stays when the authorisation ends.
    pub(super) token: Option<Token>,
    /// Why the authorisation ended, for the end of the transaction.
    stopped_by: Option<StoppedReason>,
    /// The station withholds energy (C15.FR.06, E17.FR.12).
    pub(super) barred: bool,
    /// Register at which it begins to (C15.FR.07).
    #[serde(with = "super::serial::optional_decimal", default)]
    pub(super) barred_at: Option<Decimal>,
    /// It goes on after the restart that is about to come, however long that takes (B13.FR.23).
    #[serde(default)]
    pub(super) resumes: bool,
    /// What was known when the record was written, for the time after a power cut.
    reading: Reading,
    #[serde(with = "super::serial::time")]
    seen_at: Timestamp,
}

impl Transaction {
    /// Whether somebody was authorised at any time.
    pub(super) fn was_authorized(&self) -> bool {
        self.reached.authorized
    }
}

/// What is kept of an EVSE with a transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredTransaction {
    transaction: Transaction,
    authorization: Option<Authorization>,
}

/// Which conditions hold (2.1 part 2, 2.7.6.1). `PowerPathClosed` is two of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Points {
    bay_occupied: bool,
    connected: bool,
    pub(super) authorized: bool,
    energy: bool,
}

impl Points {
    fn join(self, other: Self) -> Self {
        Self {
            bay_occupied: self.bay_occupied || other.bay_occupied,
            connected: self.connected || other.connected,
            authorized: self.authorized || other.authorized,
            energy: self.energy || other.energy,
        }
    }

    fn has(self, point: &str) -> bool {
        match point {
            "ParkingBayOccupancy" => self.bay_occupied,
            "EVConnected" => self.connected,
            "Authorized" => self.authorized,
            "PowerPathClosed" => self.connected && self.authorized,
            "EnergyTransfer" => self.energy,
            _ => false,
        }
    }
}

/// Something that happened to a transaction, or that may begin one.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    trigger: Trigger,
    /// Why the transaction would end by it.
    reason: StoppedReason,
    /// The token that did it.
    token: Option<Token>,
    /// Whether it ends the transaction whatever the settings say.
    final_: bool,
}

impl Happening {
    pub(super) fn new(trigger: Trigger, reason: StoppedReason) -> Self {
        Self { trigger, reason, token: None, final_: false }
    }

    pub(super) fn by(self, token: Option<Token>) -> Self {
        Self { token, ..self }
    }

    pub(super) fn at_once(self) -> Self {
        Self { final_: true, ..self }
    }
}

impl Station {
    pub(super) fn points(&self, at: usize) -> Points {
        let evse = &self.evses[at];
        Points {
            bay_occupied: evse.bay_occupied,
            connected: evse.plugged.is_some(),
            authorized: evse.authorization.is_some(),
            energy: evse.charging_state() == ChargingState::Charging,
        }
    }

    /// Whether one of the conditions that begin a transaction holds. 1.6 has one: all that charging needs (edition 2, 4.8).
    fn start_point_holds(&self, points: Points) -> bool {
        match self.version() {
            Version::V1_6 => points.has("PowerPathClosed"),
            Version::V2_0_1 | Version::V2_1 => self.settings.items(Key::TxStartPoint).any(|point| points.has(point)),
        }
    }

    /// Whether a condition that kept the transaction going holds no longer (E06.FR.01 to 07).
    fn stop_point_passed(&self, reached: Points, points: Points) -> bool {
        let passed = |point: &str| reached.has(point) && !points.has(point);
        match self.version() {
            Version::V1_6 => passed("Authorized") || (self.stops_on_disconnect() && passed("EVConnected")),
            Version::V2_0_1 | Version::V2_1 => self.settings.items(Key::TxStopPoint).any(|point| match point {
                // "Not" of an AND is an OR (2.1 part 2, 2.7.6.2).
                "PowerPathClosed" => passed("EVConnected") || passed("Authorized"),
                point => passed(point),
            }),
        }
    }

    /// Draws the conclusions from something that happened: `before` is what held before it.
    pub(super) fn happen(&mut self, at: usize, before: Points, happening: Happening) {
        let points = self.points(at);
        if self.evses[at].recover_by.is_some() {
            return;
        }
        let Some(transaction) = &mut self.evses[at].transaction else {
            // Only what is new begins a transaction: the cable that is still plugged after one doesn't begin the next.
            let is_new = (points.connected && !before.connected)
                || (points.authorized && !before.authorized)
                || (points.energy && !before.energy)
                || (points.bay_occupied
                    && !before.bay_occupied
                    && self.settings.has(Key::TxStartPoint, "ParkingBayOccupancy"));
            // Who has begun before may go on.
            let is_held = self.is_held_for_firmware() && !points.authorized;
            if is_new && !is_held && self.start_point_holds(points) {
                self.start_transaction(at, happening.trigger);
            }
            return;
        };
        if before.authorized && !points.authorized {
            transaction.stopped_by.get_or_insert(happening.reason);
        } else if points.authorized && !before.authorized {
            transaction.stopped_by = None;
        }
        transaction.reached = transaction.reached.join(points);
        let reached = transaction.reached;
        if happening.final_ || self.stop_point_passed(reached, points) {
            self.end_transaction(at, happening);
        } else if happening.trigger == Trigger::ChargingStateChanged {
            self.charging_state_changed(at);
        } else {
            self.tell(at, Stage::Updated, happening.trigger, happening.token, None, Vec::new());
            self.charging_state_changed(at);
        }
    }

    fn start_transaction(&mut self, at: usize, trigger: Trigger) {
        self.end_reservation_by_use(at);
        let id = self.random.uuid();
        let now = self.utc();
        let reached = self.points(at);
        let evse = &mut self.evses[at];
        evse.finishing = false;
        let authorization = evse.authorization.as_ref();
        evse.transaction = Some(Transaction {
            id: id.clone(),
            next_seq_no: 0,
            started_at: now,
            ready_at: None,
            has_priority: false,
            told_priority: false,
            meter_start: register(&evse.reading),
            reached,
            told_state: ChargingState::Idle,
            told_evse: false,
            told_begin: false,
            begin: None,
            told_public_key: false,
            token: authorization.map(|authorization| authorization.token.clone()),
            stopped_by: None,
            barred: false,
            barred_at: None,
            resumes: false,
            reading: evse.reading.clone(),
            seen_at: now,
        });
        let evse = evse.id;
        self.effect(Output::Event(Event::TransactionStarted { evse, transaction: id }));
        self.tell(at, Stage::Started, trigger, None, None, Vec::new());
        if self.version() == Version::V1_6
            && let Some(value) = self.meter_value(at, Key::StartTxnSampledData, Context::Begin)
        {
            // "Signed meter values in OCPP", 3.3.4
            self.update_transaction(at, Trigger::MeterValuePeriodic, Some(value));
        }
        self.schedule_sample(at);
        self.charging_state_changed(at);
    }

    /// Ends the transaction of an EVSE, and with it the authorisation that it had.
    pub(super) fn end_transaction(&mut self, at: usize, happening: Happening) {
        let stopped_by = self.evses[at].transaction.as_ref().and_then(|transaction| transaction.stopped_by);
        let reason = stopped_by.unwrap_or(happening.reason);
        self.evses[at].authorization = None;
        // E06.FR.11: with the values of the beginning, so that the message tells the whole energy.
        let begin = self.evses[at].transaction.as_mut().and_then(|transaction| transaction.begin.take());
        let collected = self.take_collected(at);
        let end = self.end_value(at, Context::End);
        let values = begin.into_iter().chain(collected).chain(end).collect();
        self.tell(at, Stage::Ended, happening.trigger, happening.token, Some(reason), values);
        let evse = &mut self.evses[at];
        let Some(transaction) = evse.transaction.take() else { return };
        evse.finishing = evse.plugged.is_some();
        evse.connect_by = None;
        evse.sample_at = None;
        evse.end_sample_at = None;
        evse.recover_by = None;
        let id = evse.id;
        self.journal.delete(format!("transaction/{id}"));
        let event =
            Event::TransactionEnded { evse: id, transaction: transaction.id, reason: reason.as_str().to_string() };
        self.effect(Output::Event(event));
    }

    /// The state of charging may be another one: the CSMS is told if so (E01.FR.18).
    pub(super) fn charging_state_changed(&mut self, at: usize) {
        let before = self.evses[at].transaction.as_ref().map(|transaction| transaction.told_state);
        let state = self.evses[at].charging_state();
        let Some(before) = before else {
            // Energy that begins to flow may begin a transaction (E01.FR.06).
            let points = self.points(at);
            if points.energy && self.start_point_holds(points) && self.settings.has(Key::TxStartPoint, "EnergyTransfer")
            {
                self.start_transaction(at, Trigger::ChargingStateChanged);
            }
            return;
        };
        if before == state || self.evses[at].recover_by.is_some() {
            return;
        }
        let points = self.points(at);
        if let Some(transaction) = &mut self.evses[at].transaction {
            transaction.reached = transaction.reached.join(points);
            let reached = transaction.reached;
            if self.stop_point_passed(reached, points) {
                let reason =
                    if state == ChargingState::SuspendedEv { StoppedReason::StoppedByEv } else { StoppedReason::Other };
                self.end_transaction(at, Happening::new(Trigger::ChargingStateChanged, reason));
            } else {
                self.tell(at, Stage::Updated, Trigger::ChargingStateChanged, None, None, Vec::new());
            }
        }
    }

    /// Tells something in the course of a transaction.
    pub(super) fn update_transaction(&mut self, at: usize, trigger: Trigger, value: Option<MeterValue>) {
        self.tell(at, Stage::Updated, trigger, None, None, value.into_iter().collect());
    }

    /// Puts a message about a transaction into the outbox, and keeps the transaction as it then is.
    fn tell(
        &mut self,
        at: usize,
        stage: Stage,
        trigger: Trigger,
        token: Option<Token>,
        reason: Option<StoppedReason>,
        mut values: Vec<MeterValue>,
    ) {
        let state = self.state_to_tell(at, stage, trigger);
        let now = self.utc();
        let offline = !self.is_connected();
        let begin = self.meter_value(at, Key::TxStartedMeasurands, Context::Begin);
        let begin_for_end = self.end_value(at, Context::Begin);
        let evse = &mut self.evses[at];
        let Some(transaction) = &mut evse.transaction else { return };
        let mut trigger = trigger;
        let mut token = token;
        let mut remote_start_id = None;
        let mut reservation = None;
        if let Some(authorization) = &mut evse.authorization {
            // E01.FR.10: the message that follows the authorisation says whose it is.
            if !core::mem::replace(&mut authorization.told, true) {
                token.get_or_insert_with(|| authorization.token.clone());
                // H01.FR.15; 1.6 edition 2, 5.13
                reservation = authorization.reservation;
                // F01.FR.19, F01.FR.25: the first message after a remote start says so.
                if let Some(remote) = authorization.remote_start_id {
                    remote_start_id = Some(remote);
                    if matches!(trigger, Trigger::Authorized | Trigger::CablePluggedIn) {
                        trigger = Trigger::RemoteStart;
                    }
                }
                transaction.token = Some(authorization.token.clone());
            }
        }
        if !transaction.told_begin && evse.plugged.is_some() {
            // E01.FR.09, E01.FR.17
            transaction.told_begin = true;
            transaction.begin = begin_for_end;
            transaction.meter_start = register(&evse.reading).or(transaction.meter_start);
            if stage != Stage::Ended {
                values.splice(0..0, begin);
            }
        }
        if evse.plugged.is_some() && evse.authorization.is_some() {
            transaction.ready_at.get_or_insert(now);
        }
        strip_public_keys(&self.settings, &mut values, Some(&mut transaction.told_public_key));
        // E01.FR.16: the EVSE is told once it is certain, and again where it is not told yet.
        let names_evse = !core::mem::replace(&mut transaction.told_evse, evse.plugged.is_some());
        transaction.told_state = state;
        transaction.reading = evse.reading.clone();
        transaction.seen_at = now;
        let message = TransactionMessage {
            transaction: transaction.id.clone(),
            seq_no: transaction.next_seq_no,
            stage,
            trigger,
            at: now,
            offline,
            evse: evse.id,
            connector: evse.plugged,
            names_evse,
            token: token.or_else(|| transaction.token.clone().filter(|_| stage == Stage::Started)),
            remote_start_id,
            reservation,
            charging_state: state,
            reason,
            values,
            register: register(&evse.reading),
        };
        transaction.next_seq_no += 1;
        self.save_transaction(at);
        self.enqueue(Queued::Transaction(message));
    }

    /// What is told of the state of charging: charging that begins with the same event gets a message of its own, so that
    /// no event hides another (E03.FR.12).
    fn state_to_tell(&self, at: usize, stage: Stage, trigger: Trigger) -> ChargingState {
        let evse = &self.evses[at];
        let state = evse.charging_state();
        let before = evse.transaction.as_ref().map_or(ChargingState::Idle, |transaction| transaction.told_state);
        let begins =
            matches!(state, ChargingState::Charging | ChargingState::SuspendedEv | ChargingState::SuspendedEvse)
                && matches!(before, ChargingState::Idle | ChargingState::EvConnected);
        match trigger {
            Trigger::ChargingStateChanged | Trigger::TxResumed | Trigger::Requested => state,
            _ if stage != Stage::Ended && begins => ChargingState::EvConnected,
            _ => state,
        }
    }

    pub(super) fn save_transaction(&mut self, at: usize) {
        let evse = &self.evses[at];
        if let Some(transaction) = &evse.transaction {
            let stored =
                StoredTransaction { transaction: transaction.clone(), authorization: evse.authorization.clone() };
            self.journal.put(format!("transaction/{}", evse.id), &stored);
        }
    }

    /// Somebody at the station wants charging to end (E07; the reasons of E06.FR.16).
    pub(super) fn stop_pressed(&mut self, at: usize, stop: LocalStop) {
        let (trigger, reason) = of_local_stop(stop);
        let happening = Happening::new(trigger, reason);
        let is_final = trigger == Trigger::AbnormalCondition;
        self.end_authorization(at, if is_final { happening.at_once() } else { happening });
    }

    /// A fault that keeps an EVSE from charging ends its transaction (E06.FR.16).
    pub(super) fn stop_for_fault(&mut self, at: usize, fault: &Fault) {
        let happening = Happening::new(Trigger::AbnormalCondition, of_fault(fault.code));
        self.end_authorization(at, happening.at_once());
    }
}
