//! Meter values: which measurands go into which message, and when (2.1 part 2, block J; 1.6 edition 2, 3.16, 4.7;
//! 1.6 errata 3.14 and 3.15).

mod aligned;
mod collected;
mod sampled;
mod signed;

use alloc::vec::Vec;

use jiff::Timestamp;
use ocpp_types::Version;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Station;
use super::calls::Call;
use super::outbox::{Called, Queued};
use super::reading::{Location, Measurand, Reading, Sample};
use super::settings::Key;
use crate::time::Instant;

pub(super) use aligned::Aligned;
pub(super) use collected::Collected;
pub(super) use signed::strip_public_keys;

/// Why values were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Context {
    Begin,
    Clock,
    End,
    Periodic,
    Requested,
}

/// Values that were taken at one moment for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MeterValue {
    #[serde(with = "super::serial::time")]
    pub(super) at: Timestamp,
    pub(super) context: Context,
    pub(super) samples: Vec<Sample>,
}

/// The meter of the station as a whole, if it has one: connector 0 of 1.6, EVSE 0 of 2.x.
#[derive(Debug, Default)]
pub(super) struct MainMeter {
    reading: Reading,
    /// Before this moment the next sample is too early.
    next_sample: Option<Instant>,
}

/// The register of the energy that vehicles were given.
pub(super) fn register(reading: &Reading) -> Option<Decimal> {
    reading.value(Measurand::EnergyActiveImportRegister)
}

/// Lists whose measurands a transaction's last message tells at its beginning and end. 1.6 tells those of both (errata 4.0,
/// 3.14: section 3.16.6), 2.x those of the sampled ones (E06.FR.11).
const fn lists_of_end(version: Version) -> &'static [Key] {
    match version {
        Version::V1_6 => &[Key::TxEndedMeasurands, Key::AlignedTxEndedMeasurands],
        Version::V2_0_1 | Version::V2_1 => &[Key::TxEndedMeasurands],
    }
}

impl Station {
    /// The last reading of an EVSE, as far as a setting asks for it. `None` where nothing is left: a message without
    /// samples is not allowed to have a meter value.
    pub(super) fn meter_value(&self, at: usize, key: Key, context: Context) -> Option<MeterValue> {
        self.value_at(at, &[key], context, self.utc())
    }

    /// What the last message of a transaction tells of its beginning or end.
    pub(super) fn end_value(&self, at: usize, context: Context) -> Option<MeterValue> {
        self.value_at(at, lists_of_end(self.version()), context, self.utc())
    }

    fn value_at(&self, at: usize, keys: &[Key], context: Context, time: Timestamp) -> Option<MeterValue> {
        let evse = self.evses.get(at)?;
        self.select(&evse.reading, keys, context, time, evse.transaction.is_some())
    }

    /// What lists of measurands leave of a reading, each value once.
    fn select(
        &self,
        reading: &Reading,
        keys: &[Key],
        context: Context,
        at: Timestamp,
        in_transaction: bool,
    ) -> Option<MeterValue> {
        // 2.1 part 2, `SampledDataCtrlr.RegisterValuesWithoutPhases`
        let is_total = self.settings.boolean(Key::SampledRegisterValuesWithoutPhases);
        let is_dropped = |sample: &Sample| {
            is_total && sample.measurand == Measurand::EnergyActiveImportRegister && sample.phase.is_some()
        };
        let mut samples: Vec<Sample> = Vec::new();
        for key in keys {
            // What is asked for is told, switched off or not.
            if context != Context::Requested && !self.settings.boolean(switch_of(*key)) {
                continue;
            }
            let is_signed = self.signs(*key, in_transaction);
            for (measurand, phase) in self.settings.measurands(*key) {
                // 2.x has no words for them.
                let is_of_1_6 = matches!(measurand, Measurand::Rpm | Measurand::Temperature);
                if is_of_1_6 && self.version() != Version::V1_6 {
                    continue;
                }
                // Every phase and location of it where the list names none (1.6 edition 2, 3.16.3; J01.FR.14).
                let wanted =
                    |sample: &&Sample| sample.measurand == measurand && (phase.is_none() || sample.phase == phase);
                for sample in reading.samples.iter().filter(wanted).filter(|sample| !is_dropped(sample)) {
                    let mut sample = sample.clone();
                    sample.signed.take_if(|_| !is_signed);
                    if !samples.contains(&sample) {
                        samples.push(sample);
                    }
                }
            }
        }
        (!samples.is_empty()).then_some(MeterValue { at, context, samples })
    }

    /// A meter said something: that of an EVSE, or with EVSE 0 that of the station.
    pub(super) fn meter_read(&mut self, evse: u32, reading: &Reading) {
        if evse == 0 {
            let at_inlet = |sample: &Sample| {
                let location = sample.location.unwrap_or(Location::Inlet);
                sample.clone().at_location(location)
            };
            let samples = reading.samples.iter().map(at_inlet).collect();
            self.main_meter.reading.merge(&Reading { samples });
            return;
        }
        let Some(at) = self.position(evse) else { return self.ignore("a meter of an EVSE that doesn't exist") };
        self.evses[at].reading.merge(reading);
        self.evses[at].meter_spoke = true;
        self.recover(at, false);
        self.check_energy_limit(at);
    }

    /// Tells what meters say outside of transactions, now or not at all.
    fn tell_values(&mut self, evse: u32, connector: u32, csms_id: Option<i64>, mut value: MeterValue) -> Called {
        strip_public_keys(&self.settings, core::slice::from_mut(&mut value), None);
        self.call(Call::MeterValues { evse, connector, csms_id, value, entry: None })
    }

    /// Tells what meters say outside of transactions in their rhythm. To 1.6 these are messages like those about
    /// transactions: they come in order with them, and wait for a connection (edition 2, 3.7).
    fn tell_in_rhythm(&mut self, evse: u32, connector: u32, mut value: MeterValue) {
        if self.version() != Version::V1_6 {
            if self.may_send() {
                self.tell_values(evse, connector, None, value);
            }
        } else if self.provisioning.was_accepted() {
            strip_public_keys(&self.settings, core::slice::from_mut(&mut value), None);
            self.enqueue(Queued::Values { evse, connector, value });
        }
    }

    /// What the main meter says, as far as a list asks for it.
    fn main_meter_value(&self, key: Key, context: Context, at: Timestamp) -> Option<MeterValue> {
        self.select(&self.main_meter.reading, &[key], context, at, false)
    }

    /// F06.FR.06; 1.6 edition 2, 5.17
    pub(super) fn trigger_meter_values(&mut self, place: Option<(u32, Option<u32>)>) -> bool {
        let key = match self.version() {
            Version::V1_6 => Key::TxUpdatedMeasurands,
            Version::V2_0_1 | Version::V2_1 => Key::AlignedMeasurands,
        };
        let mut sent = false;
        if place.is_none_or(|(evse, _)| evse == 0)
            && let Some(value) = self.main_meter_value(key, Context::Requested, self.utc())
        {
            sent |= self.tell_values(0, 0, None, value) == Called::Yes;
        }
        for at in self.meant(place) {
            let Some(value) = self.meter_value(at, key, Context::Requested) else { continue };
            let evse = &self.evses[at];
            let transaction = evse.transaction.as_ref().and_then(|transaction| self.outbox.csms_id(&transaction.id));
            let connector = evse.plugged.or(place.and_then(|(_, connector)| connector)).unwrap_or(1);
            sent |= self.tell_values(evse.id, connector, transaction, value) == Called::Yes;
        }
        sent
    }
}

/// The setting that switches a list off (2.1 part 2, `AlignedDataCtrlr.Enabled` and `SampledDataCtrlr.Enabled`).
const fn switch_of(key: Key) -> Key {
    match key {
        Key::AlignedMeasurands | Key::AlignedTxEndedMeasurands => Key::AlignedEnabled,
        _ => Key::SampledEnabled,
    }
}
