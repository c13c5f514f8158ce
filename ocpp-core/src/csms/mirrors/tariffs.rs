//! Which content the tariffs had that were sent to the station, so that an id never stands for two (2.1 part 2, I08.FR.08).

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use ocpp_types::v2_1::TariffType;
use serde::{Deserialize, Serialize};

use crate::csms::transactions::fingerprint;

/// The most tariffs that are remembered.
const MAX_TARIFFS: usize = 200;

/// The contents of tariffs by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::csms) struct Tariffs(BTreeMap<String, u64>);

impl Tariffs {
    /// Whether the id stands for another content.
    pub(in crate::csms) fn contradicts(&self, tariff: &TariffType) -> bool {
        self.0.get(tariff.tariff_id.as_str()).is_some_and(|known| *known != content(tariff))
    }

    /// The tariff is sent to the station.
    pub(super) fn note(&mut self, tariff: &TariffType) {
        if self.0.len() < MAX_TARIFFS || self.0.contains_key(tariff.tariff_id.as_str()) {
            self.0.insert(tariff.tariff_id.to_string(), content(tariff));
        }
    }
}

fn content(tariff: &TariffType) -> u64 {
    // When it begins to hold is no matter of content.
    let mut tariff = tariff.clone();
    tariff.valid_from = None;
    fingerprint([&*serde_json::to_string(&tariff).unwrap_or_default()])
}
