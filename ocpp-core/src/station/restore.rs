//! Starting again from what was stored.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str::FromStr;

use serde::de::DeserializeOwned;

use super::store::{Record, RestoreError};
use super::{Station, StationConfig};
use crate::time::Now;

/// Reads the value of a record.
fn read<T: DeserializeOwned>(record: &Record) -> Result<T, RestoreError> {
    serde_json::from_str(&record.value)
        .map_err(|error| RestoreError { key: record.key.clone(), reason: error.to_string() })
}

/// Reads the number that ends the key of a record.
fn number<T: FromStr>(record: &Record, name: &str) -> Result<T, RestoreError> {
    let error = |_| RestoreError { key: record.key.clone(), reason: "the key has no number".to_string() };
    name.parse().map_err(error)
}

impl Station {
    /// A station that starts again, from what its predecessor had stored. Report afterwards what is plugged in, what the
    /// vehicles say, and last what the meters say: interrupted transactions end, or go on, with the meter's word.
    ///
    /// Whether they go on is a setting, `TxCtrlr.TxResumptionTimeout`: the longest interruption in seconds, 0 for never.
    ///
    /// # Errors
    /// A record can't be read. It is the storage that is to blame, see [`RestoreError`].
    pub fn restore(
        config: StationConfig,
        seed: [u8; 32],
        now: Now,
        stored: impl Iterator<Item = Record>,
    ) -> Result<Self, RestoreError> {
        let mut station = Self::prepare(config, seed, now);
        let mut records: Vec<Record> = stored.collect();
        records.sort_by(|one, other| one.key.cmp(&other.key));
        for record in &records {
            station.restore_record(record)?;
        }
        station.start();
        Ok(station)
    }

    /// Takes over one record. One that this version doesn't know belongs to an older or newer one and is left alone.
    fn restore_record(&mut self, record: &Record) -> Result<(), RestoreError> {
        let (kind, name) = record.key.split_once('/').unwrap_or((&record.key, ""));
        match kind {
            "authorization-cache" => self.authorization_cache.restore(number(record, name)?, read(record)?),
            "availability" => self.restore_availability(name),
            "boot" => self.restore_boot_record(read(record)?),
            "charging-profile" => self.restore_profile(read(record)?),
            "csms-id" => self.outbox.restore_csms_id(name.to_string(), read(record)?),
            "firmware" => self.firmware.restore(read(record)?),
            "local-list" if name == "version" => self.local_list.restore_version(&read(record)?),
            "local-list" => self.local_list.restore(number(record, name)?, read(record)?),
            "log" => self.logs.restore(read(record)?),
            "outbox" => self.outbox.restore(number(record, name)?, read(record)?),
            "progress" => self.progress.restore(number(record, name)?, read(record)?),
            "progress-last" => self.progress.restore_last(read(record)?),
            "reservation" => self.reservations.restore(read(record)?),
            "provisioned" => self.certificates.restore_provisioned(),
            "root-certificate" => self.certificates.restore_root(number(record, name)?, read(record)?),
            "station-certificate" => self.certificates.restore_own(read(record)?),
            "way-back" => self.access.restore(read(record)?),
            "early-certificate" => self.signing.restore_early(read(record)?),
            "signing-request" => self.signing.restore_pending(read(record)?),
            "security-event" => self.security_log.restore(number(record, name)?, read(record)?),
            "setting" => self.restore_setting(name, read::<String>(record)?),
            "vendor-setting" => self.restore_vendor_setting(name, &read::<String>(record)?),
            "transaction-data" => self.restore_collected(name, read(record)?),
            "transaction" => self.restore_transaction(number(record, name)?, read(record)?),
            _ => {}
        }
        Ok(())
    }
}
