//! What an integrator says about the station before it runs.

use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::Version;
use rust_decimal::Decimal;

use super::firmware::FirmwareUpdates;
use super::reading::Measurand;
use super::security::{RootCertificate, StationCertificate};
use super::settings::{SettingName, VendorSetting};

/// Who the station is, what it is made of and how it starts out.
///
/// Everything that a CSMS may change later is a setting; `settings` only says what a setting is worth until somebody
/// changes it. A changed setting is stored and stands above this configuration at the next start.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct StationConfig {
    /// Identity of the station at the CSMS: the last segment of the address it connects to. At most 48 characters
    /// (2.1 part 2, `SecurityCtrlr.Identity`).
    pub identity: String,
    /// Address of the CSMS without the identity, such as `wss://csms.example/ocpp`.
    pub csms_url: String,
    /// Versions to offer, the preferred one first. The CSMS chooses; [`Input::Connected`](super::Input::Connected) says what.
    #[serde(with = "super::serial::versions")]
    pub versions: Vec<Version>,
    /// Address of the CSMS for security profiles 2 and 3, if it differs from `csms_url` by more than the scheme `wss`.
    pub secure_csms_url: Option<String>,
    /// Password for HTTP basic authentication, if the CSMS asks for one.
    pub password: Option<String>,
    /// What `BootNotification` says about the make.
    pub product: Product,
    /// The EVSEs; the first one is EVSE 1.
    pub evses: Vec<EvseConfig>,
    /// Voltage between a phase and neutral that the area is set to, in V: what converts between A and W
    /// (1.6 edition 2, 7.12).
    pub line_voltage: u32,
    /// What the meters can measure; a list that wants anything else is refused. All measurands unless told otherwise.
    pub measurands: Vec<Measurand>,
    /// Which firmware updates the station takes. Signed ones only unless told otherwise.
    pub firmware_updates: FirmwareUpdates,
    /// Why the station starts, if the integrator knows: a watchdog, a local reset. Without it the station says
    /// what it stored before it restarted itself, and otherwise that the power came on.
    pub boot_reason: Option<BootReason>,
    /// Root certificates that the station is delivered with. Taken over at the first start that has any.
    pub root_certificates: Vec<RootCertificate>,
    /// The certificate that the station is delivered with, likewise.
    pub station_certificate: Option<StationCertificate>,
    /// Values that settings have until they are changed. `LightIntensity` and `BlinkRepeat` exist only with a value here: a
    /// station that says nothing about them has no lamps that could be told how to shine.
    pub settings: Vec<(SettingName, String)>,
    /// Vendors whose messages the integrator answers when he is asked
    /// ([`QuestionKind::VendorMessage`](super::QuestionKind::VendorMessage)); those of all others are refused.
    pub vendor_ids: Vec<String>,
    /// Settings that the standard doesn't know.
    pub vendor_settings: Vec<VendorSetting>,
}

impl StationConfig {
    /// A station of one EVSE with one connector that offers every version this build speaks, the newest first.
    #[must_use]
    pub fn new(identity: impl Into<String>, csms_url: impl Into<String>, product: Product) -> Self {
        let versions = [
            (cfg!(feature = "v2_1"), Version::V2_1),
            (cfg!(feature = "v2_0_1"), Version::V2_0_1),
            (cfg!(feature = "v1_6"), Version::V1_6),
        ];
        Self {
            identity: identity.into(),
            csms_url: csms_url.into(),
            versions: versions.into_iter().filter(|(built, _)| *built).map(|(_, version)| version).collect(),
            secure_csms_url: None,
            password: None,
            product,
            evses: alloc::vec![EvseConfig::default()],
            line_voltage: 230,
            measurands: Measurand::all().collect(),
            firmware_updates: FirmwareUpdates::default(),
            boot_reason: None,
            root_certificates: Vec::new(),
            station_certificate: None,
            settings: Vec::new(),
            vendor_ids: Vec::new(),
            vendor_settings: Vec::new(),
        }
    }
}

/// What `BootNotification` says about the make of the station.
///
/// Longer texts than a version allows are cut to fit; lengths are in characters.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Product {
    /// Who built it. At most 20 characters in 1.6, 50 in 2.x.
    pub vendor_name: String,
    /// Which product it is. At most 20 characters.
    pub model: String,
    /// Serial number, at most 25 characters.
    pub serial_number: Option<String>,
    /// Version of the firmware, at most 50 characters. After a restart for new firmware it must be another one, see
    /// [`FirmwareFact::RestartNeeded`](super::FirmwareFact::RestartNeeded).
    pub firmware_version: Option<String>,
    /// Identity of the SIM card (ICCID), at most 20 characters.
    pub iccid: Option<String>,
    /// Identity of the subscriber (IMSI), at most 20 characters.
    pub imsi: Option<String>,
    /// Type of the main meter, 1.6 only. At most 25 characters.
    pub meter_type: Option<String>,
    /// Serial number of the main meter, 1.6 only. At most 25 characters.
    pub meter_serial_number: Option<String>,
}

impl Product {
    /// A product of which only the maker and the model are known.
    #[must_use]
    pub fn new(vendor_name: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            vendor_name: vendor_name.into(),
            model: model.into(),
            serial_number: None,
            firmware_version: None,
            iccid: None,
            imsi: None,
            meter_type: None,
            meter_serial_number: None,
        }
    }
}

/// One EVSE: a part of the station that charges one vehicle at a time.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct EvseConfig {
    /// Number of connectors, at least one. Only one of them is in use at a time. In 1.6, which knows no EVSE, the
    /// connectors of all EVSEs are numbered through.
    pub connectors: u32,
    /// Whether the vehicle's cable is a plug that the station can lock, as opposed to a cable fixed to the station.
    pub detachable_cable: bool,
    /// Type of its connectors in the standard's words of 2.x, such as `cType2`, if known. A reservation can ask for it.
    pub connector_type: Option<String>,
    /// Most power that the EVSE gives, in W, if known.
    #[serde(with = "super::serial::optional_decimal")]
    pub max_power: Option<Decimal>,
    /// Public key of its meter, if the meter signs: base64, as "Signed meter values in OCPP" (3.2.2) says. A 1.6 CSMS reads it as
    /// `MeterPublicKey` and the number of the connector, if it has at most 500 characters.
    pub meter_public_key: Option<String>,
    /// Number of phases that feed it, 1 to 3 (2.1 part 2, `EVSE.SupplyPhases`).
    pub supply_phases: u32,
}

impl Default for EvseConfig {
    fn default() -> Self {
        Self {
            connectors: 1,
            detachable_cable: true,
            connector_type: None,
            max_power: None,
            meter_public_key: None,
            supply_phases: 3,
        }
    }
}

impl EvseConfig {
    /// An EVSE with this many connectors.
    #[must_use]
    pub fn with_connectors(connectors: u32) -> Self {
        Self { connectors, ..Self::default() }
    }
}

/// Why a station starts (2.1 part 2, `BootReasonEnumType`). 1.6 has no place for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum BootReason {
    /// The application restarted by itself.
    ApplicationReset,
    /// New firmware was installed.
    FirmwareUpdate,
    /// Somebody at the station restarted it.
    LocalReset,
    /// The power came on.
    PowerUp,
    /// The CSMS asked for it, at once.
    RemoteReset,
    /// The CSMS asked for it, when idle.
    ScheduledReset,
    /// A trigger asked for the message, not a start.
    Triggered,
    /// Nobody knows.
    Unknown,
    /// A watchdog restarted it.
    Watchdog,
}
