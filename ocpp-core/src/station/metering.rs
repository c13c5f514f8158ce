//! Meter values: which measurands go into which message, and when (2.1 part 2, block J; 1.6 edition 2, 3.16 and 4.7).

use alloc::vec::Vec;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Station;
use super::reading::{Measurand, Reading, Sample};
use super::settings::Key;
use super::transactions::Trigger;

/// Why values were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Context {
    Begin,
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

/// The register of the energy that vehicles were given.
pub(super) fn register(reading: &Reading) -> Option<Decimal> {
    reading.value(Measurand::EnergyActiveImportRegister)
}

impl Station {
    /// The last reading of an EVSE, as far as a setting asks for it. `None` where nothing is left: a message without
    /// samples is not allowed to have a meter value.
    pub(super) fn meter_value(&self, at: usize, key: Key, context: Context) -> Option<MeterValue> {
        let reading = &self.evses.get(at)?.reading;
        self.select(reading, key, context, self.utc())
    }

    pub(super) fn select(&self, reading: &Reading, key: Key, context: Context, at: Timestamp) -> Option<MeterValue> {
        let mut samples: Vec<Sample> = Vec::new();
        for (measurand, phase) in self.settings.measurands(key) {
            let wanted = |sample: &&Sample| sample.measurand == measurand && (phase.is_none() || sample.phase == phase);
            for sample in reading.samples.iter().filter(wanted) {
                if !samples.contains(sample) {
                    samples.push(*sample);
                }
            }
        }
        (!samples.is_empty()).then_some(MeterValue { at, context, samples })
    }

    /// The meter of an EVSE said something.
    pub(super) fn meter_read(&mut self, at: usize, reading: &Reading) {
        self.evses[at].reading.merge(reading);
        self.evses[at].meter_spoke = true;
        self.recover(at, false);
        self.check_energy_limit(at);
    }

    /// Begins to take samples, or ends it: a transaction began or ended, or the interval was changed.
    pub(super) fn schedule_sample(&mut self, at: usize) {
        let interval = self.settings.duration(Key::TxUpdatedInterval);
        let evse = &mut self.evses[at];
        // An interval of 0 switches sampling off (J02.FR.11; 1.6 edition 2, 9.1.19).
        evse.sample_at = (evse.transaction.is_some() && !interval.is_zero()).then(|| self.now.instant + interval);
    }

    pub(super) fn reschedule_samples(&mut self) {
        for at in 0..self.evses.len() {
            self.schedule_sample(at);
        }
    }

    /// The moment of a sample has come.
    pub(super) fn take_samples(&mut self) {
        let interval = self.settings.duration(Key::TxUpdatedInterval);
        for at in 0..self.evses.len() {
            let Some(due) = self.evses[at].sample_at.filter(|due| *due <= self.now.instant) else { continue };
            // The rhythm is kept even if the timer comes late; moments that have passed altogether are left out.
            let next = due + interval;
            self.evses[at].sample_at = Some(if next > self.now.instant { next } else { self.now.instant + interval });
            if let Some(value) = self.meter_value(at, Key::TxUpdatedMeasurands, Context::Periodic) {
                self.update_transaction(at, Trigger::MeterValuePeriodic, Some(value));
            }
        }
    }
}
