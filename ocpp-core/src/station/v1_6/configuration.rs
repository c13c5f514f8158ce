//! Configuration keys (1.6 edition 2, 5.3, 5.8, chapter 9).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::v1_6::{
    ChangeConfigurationRequest, ChangeConfigurationResponse, ConfigurationStatus, GetConfigurationRequest,
    GetConfigurationResponse, KeyValue,
};
use ocpp_types::{Text, encode};

use crate::rpc::{CallError, ErrorCode};
use crate::station::dialect::Answered;
use crate::station::settings::{Access, Definition, Key, rows};
use crate::station::{SettingChange, SettingError, Station};

/// What this key of the signed meter values is called, before the number of its connector.
const METER_PUBLIC_KEY: &str = "MeterPublicKey";

/// The row of a key, whatever its case.
fn row(station: &Station, key: &str) -> Option<&'static Definition> {
    rows().find(|row| row.v1_6.is_some_and(|name| name.eq_ignore_ascii_case(key)) && station.has_setting(row))
}

/// 1.6 edition 2, 5.3
pub(super) fn change(station: &mut Station, request: &ChangeConfigurationRequest) -> ChangeConfigurationResponse {
    let changed = match row(station, &request.key) {
        Some(row) => station.change_by_csms(row, &request.value),
        None if meter_public_key(station, &request.key).is_some() => {
            Err(SettingError::ReadOnly(request.key.as_str().into()))
        }
        None => station.change_vendor_setting_by_csms(&request.key, &request.value),
    };
    ChangeConfigurationResponse::new(match changed {
        Ok(SettingChange::Applied) => ConfigurationStatus::Accepted,
        Ok(SettingChange::RebootRequired) => ConfigurationStatus::RebootRequired,
        Err(SettingError::Unknown(_)) => ConfigurationStatus::NotSupported,
        Err(_) => ConfigurationStatus::Rejected,
    })
}

/// 1.6 edition 2, 5.8
pub(super) fn get(station: &Station, request: &GetConfigurationRequest) -> Answered {
    let asked = request.key.as_deref().unwrap_or_default();
    let mut response = GetConfigurationResponse::new();
    if asked.is_empty() {
        response.configuration_key = Some(all(station));
        return Answered::Now(encode(&response));
    }
    // 1.6 edition 2, 9.1.9
    let most = station.settings.integer(Key::GetConfigurationMaxKeys);
    if i64::try_from(asked.len()).unwrap_or(i64::MAX) > most {
        let description = format!("at most {most} keys can be asked for at once");
        return Answered::Refuse(CallError::new(ErrorCode::OccurrenceConstraintViolation, description));
    }
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for key in asked {
        match find(station, key) {
            Some(value) => known.push(value),
            None => unknown.push(key.clone()),
        }
    }
    response.configuration_key = (!known.is_empty()).then_some(known);
    response.unknown_key = (!unknown.is_empty()).then_some(unknown);
    Answered::Now(encode(&response))
}

fn find(station: &Station, key: &str) -> Option<KeyValue> {
    row(station, key)
        .map(|row| of_row(station, row))
        .or_else(|| meter_public_key(station, key))
        .or_else(|| station.vendor_setting(key).map(|found| pair(&found.name, found.access, || found.value.clone())))
}

fn all(station: &Station) -> Vec<KeyValue> {
    let of_rows = rows().filter(|row| row.v1_6.is_some() && station.has_setting(row)).map(|row| of_row(station, row));
    let of_meters = station.meter_public_keys().into_iter().map(|(number, key)| of_meter(number, key));
    let of_vendor = station.vendor_settings().map(|found| pair(&found.name, found.access, || found.value.clone()));
    of_rows.chain(of_meters).chain(of_vendor).collect()
}

fn of_row(station: &Station, row: &Definition) -> KeyValue {
    pair(row.v1_6.unwrap_or_default(), station.access_of(row), || station.value_of(row))
}

fn of_meter(number: u32, key: &str) -> KeyValue {
    pair(&format!("{METER_PUBLIC_KEY}{number}"), Access::ReadOnly, || key.into())
}

/// "Signed meter values in OCPP", 3.3.1
fn meter_public_key(station: &Station, key: &str) -> Option<KeyValue> {
    let place = METER_PUBLIC_KEY.len();
    let number = key.get(place..).filter(|_| key[..place].eq_ignore_ascii_case(METER_PUBLIC_KEY))?;
    let keys = station.meter_public_keys();
    keys.into_iter().find(|(known, _)| *number == format!("{known}")).map(|(number, key)| of_meter(number, key))
}

fn pair(name: &str, access: Access, value: impl FnOnce() -> String) -> KeyValue {
    let mut pair = KeyValue::new(Text::truncated(name), access == Access::ReadOnly);
    // A secret is named without its value (1.6-J errata 3.12).
    pair.value = (access != Access::WriteOnly).then(|| Text::truncated(&value()));
    pair
}
