//! Values that wait for the last message of their transaction (2.1 part 2, J02.FR.17 to 20; 1.6 edition 2, 3.16.5, 9.1.25 and 9.1.27).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::MeterValue;
use crate::station::Station;
use crate::station::settings::Key;

/// Most samples that wait, so that many measurands don't need more memory than one; a signed one counts as several.
const SAMPLES: usize = 2_000;
/// What a signed sample counts.
const SIGNED: usize = 20;

/// The values of one transaction, each with the number of its record.
#[derive(Debug, Default)]
pub(in crate::station) struct Collected {
    values: Vec<(u32, MeterValue)>,
    next: u32,
}

fn record(evse: u32, number: u32) -> String {
    format!("transaction-data/{evse}/{number:010}")
}

fn weight(value: &MeterValue) -> usize {
    value.samples.iter().map(|sample| if sample.signed.is_some() { SIGNED } else { 1 }).sum()
}

impl Collected {
    fn is_too_much(&self, limit: usize) -> bool {
        let samples: usize = self.values.iter().map(|(_, value)| weight(value)).sum();
        self.values.len() > 1 && (self.values.len() > limit || samples > SAMPLES)
    }

    fn restore(&mut self, number: u32, value: MeterValue) {
        self.next = self.next.max(number.saturating_add(1));
        let place = self.values.partition_point(|(known, _)| *known < number);
        self.values.insert(place, (number, value));
    }
}

impl Station {
    /// Keeps a value for the end of the transaction, if there is one.
    pub(super) fn collect(&mut self, at: usize, value: MeterValue) {
        // The values of the beginning and of the end are always told as well.
        let limit = usize::try_from(self.settings.integer(Key::StopTransactionMaxMeterValues)).unwrap_or(0);
        let limit = limit.saturating_sub(2);
        let evse = &mut self.evses[at];
        if evse.transaction.is_none() {
            return;
        }
        let number = evse.collected.next;
        evse.collected.next = number.saturating_add(1);
        self.journal.put(record(evse.id, number), &value);
        evse.collected.values.push((number, value));
        while evse.collected.is_too_much(limit) {
            // J02.FR.20: the second, the fourth, the sixth …; 1.6 errata 3.91
            let mut place = 0;
            let (journal, id) = (&mut self.journal, evse.id);
            evse.collected.values.retain(|(number, _)| {
                place += 1;
                let is_kept = place % 2 == 1;
                if !is_kept {
                    journal.delete(record(id, *number));
                }
                is_kept
            });
        }
    }

    /// Gives what waited for the end of the transaction.
    pub(in crate::station) fn take_collected(&mut self, at: usize) -> Vec<MeterValue> {
        let evse = &mut self.evses[at];
        let collected = core::mem::take(&mut evse.collected);
        for (number, _) in &collected.values {
            self.journal.delete(record(evse.id, *number));
        }
        collected.values.into_iter().map(|(_, value)| value).collect()
    }

    /// Takes over what a predecessor stored, under the name `EVSE/NUMBER`.
    pub(in crate::station) fn restore_collected(&mut self, name: &str, value: MeterValue) {
        let Some((evse, number)) = name.split_once('/') else { return };
        let (Ok(evse), Ok(number)) = (evse.parse(), number.parse()) else { return };
        if let Some(at) = self.position(evse) {
            self.evses[at].collected.restore(number, value);
        }
    }
}
