//! Starting a station, for the first time and again.

use ocpp_core::station::replay::{Entry, Start};
use ocpp_core::station::{EvseConfig, Product, Record, SettingName, Station, StationConfig};
use ocpp_core::time::Now;
use rust_decimal::Decimal;

use super::Driver;
use super::credentials::Credentials;
use crate::config::Config;
use crate::firmware::Firmware;
use crate::hardware::{Evse, Hardware, MAX_POWER_W};
use crate::recording::Recording;

/// The setting that says for how many seconds an interrupted transaction can be resumed; 0 ends it (2.1 part 2, E17).
const RESUMPTION: &str = "TxCtrlr.TxResumptionTimeout";

impl Driver {
    /// Starts the station again from what is stored: all that it had only in mind is gone.
    ///
    /// `resume` says whether it goes on with the transactions that were running, whatever its setting for that says; with
    /// `None` the setting decides.
    pub(super) async fn start_again(&mut self, resume: Option<bool>) {
        // Without electronics no contactor stays closed.
        self.hardware.advance(self.clock.now().instant);
        self.hardware.power_cut();
        self.save_hardware();
        let found = match self.disk.load().await {
            Ok(found) => found,
            Err(error) => {
                self.broken = Some(error);
                return;
            }
        };
        self.inbox.clear();
        self.transfers.stop();
        let now = self.clock.now();
        let (station, unreadable) =
            restore(&self.config, &self.credentials, &self.firmware, now, found.records, &mut self.recording);
        self.station = station;
        self.set_aside(unreadable);
        let resumption = resume.map(|resume| self.override_resumption(resume));
        self.tell_everything();
        if let Some(before) = resumption {
            self.set_resumption(Some(before.as_str()).filter(|before| *before != "0"));
        }
    }

    /// Has the station go on with its transactions, or end them. Gives what its setting was worth before.
    fn override_resumption(&mut self, resume: bool) -> String {
        let before = self.station.setting(&SettingName::from(RESUMPTION)).unwrap_or_default();
        self.set_resumption(Some(if resume { "86400" } else { "0" }));
        before
    }

    fn set_resumption(&mut self, seconds: Option<&str>) {
        if let Err(error) = self.change_setting(&SettingName::from(RESUMPTION), seconds) {
            tracing::warn!(station = %self.config.id, "{error}: what becomes of transactions after a power cut can't be chosen");
        }
        self.carry_on();
    }

    /// Keeps records that can't be read where they don't disturb.
    pub(super) fn set_aside(&mut self, unreadable: Vec<Record>) {
        for record in unreadable {
            if let Err(error) = self.disk.set_aside(record) {
                self.broken = Some(error);
            }
        }
    }
}

/// A station from what was stored, and the records that it can't use.
pub(super) fn restore(
    config: &Config,
    credentials: &Credentials,
    firmware: &Firmware,
    now: Now,
    mut records: Vec<Record>,
    recording: &mut Recording,
) -> (Station, Vec<Record>) {
    let station_config = || station_config(config, credentials, firmware);
    let mut unreadable = Vec::new();
    loop {
        let seed = rand::random();
        let stored = (!records.is_empty()).then(|| records.clone());
        let started = match &stored {
            None => Ok(Station::new(station_config(), seed, now)),
            Some(records) => Station::restore(station_config(), seed, now, records.iter().cloned()),
        };
        match started {
            Ok(station) => {
                recording.entry(|| {
                    Entry::Start(Box::new(Start { now: now.into(), config: station_config(), seed, stored }))
                });
                return (station, unreadable);
            }
            Err(error) => {
                tracing::error!(station = %config.id, "{error}; it is set aside");
                match records.iter().position(|record| record.key == error.key) {
                    Some(position) => unreadable.push(records.remove(position)),
                    // It names none of them: without all of them the station starts for certain.
                    None => unreadable.append(&mut records),
                }
            }
        }
    }
}

/// Puts the hardware back as it was saved. What can't be read starts afresh.
pub(super) fn put_back(hardware: &mut Hardware, saved: &[(u32, String)]) {
    for (id, json) in saved {
        match serde_json::from_str::<Evse>(json) {
            Ok(evse) => hardware.put_back(*id, evse),
            Err(error) => tracing::error!("what was saved of EVSE {id} can't be read: {error}; it starts afresh"),
        }
    }
}

fn station_config(config: &Config, credentials: &Credentials, firmware: &Firmware) -> StationConfig {
    let mut product = Product::new(config.vendor.clone(), config.model.clone());
    product.serial_number = Some(config.id.chars().take(25).collect());
    product.firmware_version = Some(firmware.version());
    let mut evse = EvseConfig::with_connectors(config.connectors);
    evse.max_power = Some(Decimal::from(MAX_POWER_W));
    let mut station = StationConfig::new(config.id.clone(), config.csms.to_string(), product);
    station.versions.clone_from(&config.versions);
    station.firmware_updates = config.firmware_updates;
    station.password.clone_from(&config.password);
    station.evses = vec![evse; config.evses as usize];
    credentials.equip(&config.security, &mut station);
    station
}
