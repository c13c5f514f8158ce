//! Which values are told as the meter signed them ("Signed meter values in OCPP", 3.3 and 4.3; J01.FR.21, J02.FR.21).

use super::MeterValue;
use crate::station::Station;
use crate::station::settings::{Key, Settings};

impl Station {
    /// Whether the values of a list are told with their signatures.
    pub(super) fn signs(&self, key: Key, in_transaction: bool) -> bool {
        let on = |key: Key| self.settings.boolean(key);
        match key {
            // 3.3.5
            Key::StartTxnSampledData | Key::TxStartedMeasurands => {
                on(Key::SampledSignReadings) && on(Key::SampledSignStartedReadings)
            }
            // 3.3.6
            Key::TxUpdatedMeasurands => on(Key::SampledSignReadings) && on(Key::SampledSignUpdatedReadings),
            // 3.3.8; J01.FR.21 outside of transactions
            Key::AlignedMeasurands => {
                on(Key::AlignedSignReadings) && (!in_transaction || on(Key::AlignedSignUpdatedReadings))
            }
            // 3.3.7
            Key::AlignedTxEndedMeasurands => on(Key::AlignedSignReadings),
            // 3.3.3
            _ => on(Key::SampledSignReadings),
        }
    }
}

/// Leaves out the public keys that a setting doesn't want (3.3.2). `told` says whether the transaction that the values
/// belong to has told one.
pub(in crate::station) fn strip_public_keys(
    settings: &Settings,
    values: &mut [MeterValue],
    mut told: Option<&mut bool>,
) {
    let mode = settings.text(Key::PublicKeyWithSignedMeterValue);
    if mode == "EveryMeterValue" {
        return;
    }
    for signed in values.iter_mut().flat_map(|value| &mut value.samples).filter_map(|sample| sample.signed.as_mut()) {
        let is_first = told.as_deref_mut().is_some_and(|told| !core::mem::replace(told, true));
        if mode == "Never" || !is_first {
            signed.public_key.clear();
        }
    }
}
