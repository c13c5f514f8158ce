//! Every setting there is: its names, its type, its range and what it is worth at first.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::Version;

use super::super::authorization_cache;
use super::super::reading::{Measurand, Phase};

/// A setting, whatever a version calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::station) enum Key {
    AlignedAvailable,
    AlignedEnabled,
    AlignedInterval,
    AlignedMeasurands,
    AlignedMeasurandsMaxLength,
    AlignedSendDuringIdle,
    AlignedSignReadings,
    AlignedSignUpdatedReadings,
    AlignedTxEndedInterval,
    AlignedTxEndedMeasurands,
    AlignedTxEndedMeasurandsMaxLength,
    AuthCacheAvailable,
    AuthCacheDisablePostAuthorize,
    AuthCacheEnabled,
    AuthCacheLifeTime,
    AuthCachePolicy,
    AuthCacheStorage,
    AuthorizeRemoteStart,
    BasicAuthPassword,
    ChargingProfileMaxStackLevel,
    ChargingProfiles,
    ChargingRateUnits,
    DateTime,
    DisableRemoteAuthorization,
    EvConnectionTimeOut,
    GetConfigurationMaxKeys,
    HeartbeatInterval,
    Identity,
    ItemsPerGetReport,
    ItemsPerGetVariables,
    ItemsPerSetVariables,
    LocalAuthorizeOffline,
    LocalListAvailable,
    LocalListBytesPerMessage,
    LocalListDisablePostAuthorize,
    LocalListEnabled,
    LocalListEntries,
    LocalListItemsPerMessage,
    LocalListMaxLength,
    LocalListSupportsExpiry,
    LocalPreAuthorize,
    MasterPassGroupId,
    MaxEnergyOnInvalidId,
    MessageAttemptInterval,
    MessageAttempts,
    MessageTimeout,
    NumberOfConnectors,
    OfflineThreshold,
    OfflineTxForUnknownId,
    PeriodsPerSchedule,
    PhaseSwitching,
    PublicKeyWithSignedMeterValue,
    ReservationAvailable,
    ReservationEnabled,
    ReservationNonEvseSpecific,
    ResetRetries,
    RetryBackOffRandomRange,
    RetryBackOffRepeatTimes,
    RetryBackOffWaitMinimum,
    SampledAvailable,
    SampledEnabled,
    SampledRegisterValuesWithoutPhases,
    SampledSignReadings,
    SampledSignStartedReadings,
    SampledSignUpdatedReadings,
    StartTxnSampledData,
    StopTransactionMaxMeterValues,
    StopTxOnEvSideDisconnect,
    StopTxOnInvalidId,
    SupportedFeatureProfiles,
    TimeSource,
    TxAllowEnergyTransferResumption,
    TxEndedInterval,
    TxEndedMeasurands,
    TxEndedMeasurandsMaxLength,
    TxResumptionTimeout,
    TxStartPoint,
    TxStartedMeasurands,
    TxStopPoint,
    TxUpdatedInterval,
    TxUpdatedMeasurands,
    TxUpdatedMeasurandsMaxLength,
    UnlockOnEvSideDisconnect,
    WebSocketPingInterval,
}

/// What values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum Kind {
    Boolean,
    Integer {
        minimum: i64,
        maximum: i64,
    },
    /// At most this many characters.
    Text {
        maximum: usize,
    },
    /// Measurands, each with a phase if wanted, separated by commas; at most [`MEASURANDS`] of them.
    Measurands,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Points of a transaction, separated by commas.
    Points,
    DateTime,
}

/// Who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum Access {
    ReadWrite,
    ReadOnly,
    WriteOnly,
}

/// Name of a variable in 2.x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) struct Variable {
    pub(in crate::station) component: &'static str,
    pub(in crate::station) variable: &'static str,
    pub(in crate::station) instance: Option<&'static str>,
}

/// One row of the table.
#[derive(Debug)]
pub(in crate::station) struct Definition {
    pub(in crate::station) key: Key,
    pub(in crate::station) v1_6: Option<&'static str>,
    pub(in crate::station) v2: Option<Variable>,
    /// Whether 2.0.1 doesn't know the variable.
    pub(in crate::station) since_2_1: bool,
    pub(in crate::station) kind: Kind,
    pub(in crate::station) access: Access,
    pub(in crate::station) unit: Option<&'static str>,
    pub(in crate::station) default: &'static str,
}

/// The points of a transaction that a station without signing meter can tell (2.1 part 2, 2.7.6.1).
pub(super) const POINTS: &[&str] =
    &["ParkingBayOccupancy", "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer"];

/// Most measurands of a list. The longest names with their phases fit into the 500 characters of a 1.6 value.
const MEASURANDS: usize = 13;
const MEASURANDS_TEXT: &str = "13";

const SECONDS: Kind = Kind::Integer { minimum: 0, maximum: i32::MAX as i64 };
const DAY: Kind = Kind::Integer { minimum: 0, maximum: 86_400 };
/// Most tokens of a local list (1.6 edition 2, 9.2.2; D01.FR.12).
const LOCAL_LIST_LENGTH: i64 = 1_000;
const COUNT: Kind = Kind::Integer { minimum: 0, maximum: 1_000 };

const fn row(
    key: Key,
    v1_6: Option<&'static str>,
    v2: Option<Variable>,
    kind: Kind,
    default: &'static str,
) -> Definition {
    Definition { key, v1_6, v2, since_2_1: false, kind, access: Access::ReadWrite, unit: None, default }
}

const fn variable(component: &'static str, variable: &'static str) -> Option<Variable> {
    Some(Variable { component, variable, instance: None })
}

const fn instance(component: &'static str, variable: &'static str, instance: &'static str) -> Option<Variable> {
    Some(Variable { component, variable, instance: Some(instance) })
}

impl Definition {
    const fn read_only(self) -> Self {
        Self { access: Access::ReadOnly, ..self }
    }

    const fn write_only(self) -> Self {
        Self { access: Access::WriteOnly, ..self }
    }

    const fn unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    const fn since_2_1(self) -> Self {
        Self { since_2_1: true, ..self }
    }
}

/// The table. 1.6 names are from chapter 9 of edition 2, the others from part 2, "referenced components and variables".
pub(in crate::station) const TABLE: &[Definition] = &[
    row(Key::AlignedAvailable, None, variable("AlignedDataCtrlr", "Available"), Kind::Boolean, "true").read_only(),
    row(Key::AlignedEnabled, None, variable("AlignedDataCtrlr", "Enabled"), Kind::Boolean, "true"),
    row(Key::AlignedInterval, Some("ClockAlignedDataInterval"), variable("AlignedDataCtrlr", "Interval"), DAY, "0")
        .unit("s"),
    row(
        Key::AlignedMeasurands,
        Some("MeterValuesAlignedData"),
        variable("AlignedDataCtrlr", "Measurands"),
        Kind::Measurands,
        "Energy.Active.Import.Register",
    ),
    row(Key::AlignedMeasurandsMaxLength, Some("MeterValuesAlignedDataMaxLength"), None, COUNT, MEASURANDS_TEXT)
        .read_only(),
    row(Key::AlignedSendDuringIdle, None, variable("AlignedDataCtrlr", "SendDuringIdle"), Kind::Boolean, "false"),
    row(
        Key::AlignedSignReadings,
        Some("AlignedDataSignReadings"),
        variable("AlignedDataCtrlr", "SignReadings"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::AlignedSignUpdatedReadings,
        Some("AlignedDataSignUpdatedReadings"),
        variable("AlignedDataCtrlr", "SignUpdatedReadings"),
        Kind::Boolean,
        "false",
    ),
    row(Key::AlignedTxEndedInterval, None, variable("AlignedDataCtrlr", "TxEndedInterval"), DAY, "0").unit("s"),
    row(
        Key::AlignedTxEndedMeasurands,
        Some("StopTxnAlignedData"),
        variable("AlignedDataCtrlr", "TxEndedMeasurands"),
        Kind::Measurands,
        "",
    ),
    row(Key::AlignedTxEndedMeasurandsMaxLength, Some("StopTxnAlignedDataMaxLength"), None, COUNT, MEASURANDS_TEXT)
        .read_only(),
    row(Key::AuthCacheAvailable, None, variable("AuthCacheCtrlr", "Available"), Kind::Boolean, "true").read_only(),
    row(
        Key::AuthCacheDisablePostAuthorize,
        None,
        variable("AuthCacheCtrlr", "DisablePostAuthorize"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::AuthCacheEnabled,
        Some("AuthorizationCacheEnabled"),
        variable("AuthCacheCtrlr", "Enabled"),
        Kind::Boolean,
        "false",
    ),
    // 0 for no end.
    row(Key::AuthCacheLifeTime, None, variable("AuthCacheCtrlr", "LifeTime"), SECONDS, "0").unit("s"),
    row(Key::AuthCachePolicy, None, variable("AuthCacheCtrlr", "Policy"), Kind::OneOf(&["LRU", "LFU", "FIFO"]), "LRU"),
    row(
        Key::AuthCacheStorage,
        None,
        variable("AuthCacheCtrlr", "Storage"),
        Kind::Integer { minimum: 0, maximum: authorization_cache::CAPACITY as i64 },
        "0",
    )
    .read_only()
    .unit("B"),
    row(
        Key::BasicAuthPassword,
        Some("AuthorizationKey"),
        variable("SecurityCtrlr", "BasicAuthPassword"),
        Kind::Text { maximum: 64 },
        "",
    )
    .write_only(),
    row(
        Key::AuthorizeRemoteStart,
        Some("AuthorizeRemoteTxRequests"),
        variable("AuthCtrlr", "AuthorizeRemoteStart"),
        Kind::Boolean,
        "false",
    ),
    row(Key::ChargingProfileMaxStackLevel, Some("ChargeProfileMaxStackLevel"), None, COUNT, "9").read_only(),
    row(Key::ChargingProfiles, Some("MaxChargingProfilesInstalled"), None, COUNT, "20").read_only(),
    row(
        Key::ChargingRateUnits,
        Some("ChargingScheduleAllowedChargingRateUnit"),
        None,
        Kind::Text { maximum: 20 },
        "Current,Power",
    )
    .read_only(),
    row(Key::DateTime, None, variable("ClockCtrlr", "DateTime"), Kind::DateTime, "").read_only(),
    row(
        Key::DisableRemoteAuthorization,
        None,
        variable("AuthCtrlr", "DisableRemoteAuthorization"),
        Kind::Boolean,
        "false",
    ),
    row(Key::EvConnectionTimeOut, Some("ConnectionTimeOut"), variable("TxCtrlr", "EVConnectionTimeOut"), SECONDS, "60")
        .unit("s"),
    row(Key::GetConfigurationMaxKeys, Some("GetConfigurationMaxKeys"), None, COUNT, "100").read_only(),
    row(
        Key::HeartbeatInterval,
        Some("HeartbeatInterval"),
        variable("OCPPCommCtrlr", "HeartbeatInterval"),
        Kind::Integer { minimum: 1, maximum: i32::MAX as i64 },
        "86400",
    )
    .unit("s"),
    row(Key::Identity, None, variable("SecurityCtrlr", "Identity"), Kind::Text { maximum: 48 }, "").read_only(),
    row(Key::ItemsPerGetReport, None, instance("DeviceDataCtrlr", "ItemsPerMessage", "GetReport"), COUNT, "100")
        .read_only(),
    row(Key::ItemsPerGetVariables, None, instance("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"), COUNT, "100")
        .read_only(),
    row(Key::ItemsPerSetVariables, None, instance("DeviceDataCtrlr", "ItemsPerMessage", "SetVariables"), COUNT, "100")
        .read_only(),
    row(
        Key::LocalAuthorizeOffline,
        Some("LocalAuthorizeOffline"),
        variable("AuthCtrlr", "LocalAuthorizeOffline"),
        Kind::Boolean,
        "true",
    ),
    row(Key::LocalListAvailable, None, variable("LocalAuthListCtrlr", "Available"), Kind::Boolean, "true").read_only(),
    row(
        Key::LocalListBytesPerMessage,
        None,
        variable("LocalAuthListCtrlr", "BytesPerMessage"),
        Kind::Integer { minimum: 0, maximum: 1_048_576 },
        "131072",
    )
    .read_only(),
    row(
        Key::LocalListDisablePostAuthorize,
        None,
        variable("LocalAuthListCtrlr", "DisablePostAuthorize"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::LocalListEnabled,
        Some("LocalAuthListEnabled"),
        variable("LocalAuthListCtrlr", "Enabled"),
        Kind::Boolean,
        "true",
    ),
    row(
        Key::LocalListEntries,
        None,
        variable("LocalAuthListCtrlr", "Entries"),
        Kind::Integer { minimum: 0, maximum: LOCAL_LIST_LENGTH },
        "0",
    )
    .read_only(),
    row(
        Key::LocalListItemsPerMessage,
        Some("SendLocalListMaxLength"),
        variable("LocalAuthListCtrlr", "ItemsPerMessage"),
        Kind::Integer { minimum: 1, maximum: LOCAL_LIST_LENGTH },
        "250",
    )
    .read_only(),
    row(
        Key::LocalListMaxLength,
        Some("LocalAuthListMaxLength"),
        None,
        Kind::Integer { minimum: 1, maximum: LOCAL_LIST_LENGTH },
        "1000",
    )
    .read_only(),
    row(
        Key::LocalListSupportsExpiry,
        None,
        variable("LocalAuthListCtrlr", "SupportsExpiryDateTime"),
        Kind::Boolean,
        "true",
    )
    .read_only(),
    row(
        Key::LocalPreAuthorize,
        Some("LocalPreAuthorize"),
        variable("AuthCtrlr", "LocalPreAuthorize"),
        Kind::Boolean,
        "false",
    ),
    row(Key::MasterPassGroupId, None, variable("AuthCtrlr", "MasterPassGroupId"), Kind::Text { maximum: 36 }, ""),
    row(
        Key::MaxEnergyOnInvalidId,
        Some("MaxEnergyOnInvalidId"),
        variable("TxCtrlr", "MaxEnergyOnInvalidId"),
        Kind::Integer { minimum: 0, maximum: i32::MAX as i64 },
        "0",
    )
    .unit("Wh"),
    row(
        Key::MessageAttemptInterval,
        Some("TransactionMessageRetryInterval"),
        instance("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent"),
        SECONDS,
        "60",
    )
    .unit("s"),
    row(
        Key::MessageAttempts,
        Some("TransactionMessageAttempts"),
        instance("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent"),
        Kind::Integer { minimum: 1, maximum: 1_000 },
        "3",
    ),
    row(
        Key::MessageTimeout,
        None,
        instance("OCPPCommCtrlr", "MessageTimeout", "Default"),
        Kind::Integer { minimum: 1, maximum: 3_600 },
        "30",
    )
    .unit("s"),
    row(Key::NumberOfConnectors, Some("NumberOfConnectors"), None, COUNT, "1").read_only(),
    row(Key::OfflineThreshold, None, variable("OCPPCommCtrlr", "OfflineThreshold"), SECONDS, "60").unit("s"),
    row(
        Key::OfflineTxForUnknownId,
        Some("AllowOfflineTxForUnknownId"),
        variable("AuthCtrlr", "OfflineTxForUnknownIdEnabled"),
        Kind::Boolean,
        "false",
    ),
    row(Key::PeriodsPerSchedule, Some("ChargingScheduleMaxPeriods"), None, COUNT, "100").read_only(),
    row(Key::PhaseSwitching, Some("ConnectorSwitch3to1PhaseSupported"), None, Kind::Boolean, "false").read_only(),
    row(
        Key::PublicKeyWithSignedMeterValue,
        Some("PublicKeyWithSignedMeterValue"),
        variable("OCPPCommCtrlr", "PublicKeyWithSignedMeterValue"),
        Kind::OneOf(&["Never", "OncePerTransaction", "EveryMeterValue"]),
        "EveryMeterValue",
    ),
    row(Key::ReservationAvailable, None, variable("ReservationCtrlr", "Available"), Kind::Boolean, "true").read_only(),
    row(Key::ReservationEnabled, None, variable("ReservationCtrlr", "Enabled"), Kind::Boolean, "true"),
    row(
        Key::ReservationNonEvseSpecific,
        Some("ReserveConnectorZeroSupported"),
        variable("ReservationCtrlr", "NonEvseSpecific"),
        Kind::Boolean,
        "true",
    )
    .read_only(),
    row(Key::ResetRetries, Some("ResetRetries"), variable("OCPPCommCtrlr", "ResetRetries"), COUNT, "0"),
    row(Key::RetryBackOffRandomRange, None, variable("OCPPCommCtrlr", "RetryBackOffRandomRange"), SECONDS, "10")
        .unit("s"),
    row(Key::RetryBackOffRepeatTimes, None, variable("OCPPCommCtrlr", "RetryBackOffRepeatTimes"), COUNT, "5"),
    row(Key::RetryBackOffWaitMinimum, None, variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum"), SECONDS, "10")
        .unit("s"),
    row(Key::SampledAvailable, None, variable("SampledDataCtrlr", "Available"), Kind::Boolean, "true").read_only(),
    row(Key::SampledEnabled, None, variable("SampledDataCtrlr", "Enabled"), Kind::Boolean, "true"),
    row(
        Key::SampledRegisterValuesWithoutPhases,
        None,
        variable("SampledDataCtrlr", "RegisterValuesWithoutPhases"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::SampledSignReadings,
        Some("SampledDataSignReadings"),
        variable("SampledDataCtrlr", "SignReadings"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::SampledSignStartedReadings,
        Some("SampledDataSignStartedReadings"),
        variable("SampledDataCtrlr", "SignStartedReadings"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::SampledSignUpdatedReadings,
        Some("SampledDataSignUpdatedReadings"),
        variable("SampledDataCtrlr", "SignUpdatedReadings"),
        Kind::Boolean,
        "false",
    ),
    row(Key::StartTxnSampledData, Some("StartTxnSampledData"), None, Kind::Measurands, ""),
    row(Key::StopTransactionMaxMeterValues, Some("StopTransactionMaxMeterValues"), None, COUNT, "500").read_only(),
    row(
        Key::StopTxOnEvSideDisconnect,
        Some("StopTransactionOnEVSideDisconnect"),
        variable("TxCtrlr", "StopTxOnEVSideDisconnect"),
        Kind::Boolean,
        "true",
    ),
    row(
        Key::StopTxOnInvalidId,
        Some("StopTransactionOnInvalidId"),
        variable("TxCtrlr", "StopTxOnInvalidId"),
        Kind::Boolean,
        "true",
    ),
    row(
        Key::SupportedFeatureProfiles,
        Some("SupportedFeatureProfiles"),
        None,
        Kind::Text { maximum: 500 },
        "Core,LocalAuthListManagement,RemoteTrigger,Reservation,SmartCharging",
    )
    .read_only(),
    row(Key::TimeSource, None, variable("ClockCtrlr", "TimeSource"), Kind::Text { maximum: 500 }, "Heartbeat")
        .read_only(),
    row(
        Key::TxAllowEnergyTransferResumption,
        None,
        variable("TxCtrlr", "TxAllowEnergyTransferResumption"),
        Kind::Boolean,
        "true",
    )
    .since_2_1(),
    row(Key::TxEndedInterval, None, variable("SampledDataCtrlr", "TxEndedInterval"), SECONDS, "0").unit("s"),
    row(
        Key::TxEndedMeasurands,
        Some("StopTxnSampledData"),
        variable("SampledDataCtrlr", "TxEndedMeasurands"),
        Kind::Measurands,
        "Energy.Active.Import.Register",
    ),
    row(Key::TxEndedMeasurandsMaxLength, Some("StopTxnSampledDataMaxLength"), None, COUNT, MEASURANDS_TEXT).read_only(),
    row(Key::TxResumptionTimeout, None, variable("TxCtrlr", "TxResumptionTimeout"), SECONDS, "0").unit("s").since_2_1(),
    row(Key::TxStartPoint, None, variable("TxCtrlr", "TxStartPoint"), Kind::Points, "PowerPathClosed"),
    row(
        Key::TxStartedMeasurands,
        None,
        variable("SampledDataCtrlr", "TxStartedMeasurands"),
        Kind::Measurands,
        "Energy.Active.Import.Register",
    ),
    row(Key::TxStopPoint, None, variable("TxCtrlr", "TxStopPoint"), Kind::Points, "EVConnected,Authorized"),
    row(
        Key::TxUpdatedInterval,
        Some("MeterValueSampleInterval"),
        variable("SampledDataCtrlr", "TxUpdatedInterval"),
        SECONDS,
        "60",
    )
    .unit("s"),
    row(
        Key::TxUpdatedMeasurands,
        Some("MeterValuesSampledData"),
        variable("SampledDataCtrlr", "TxUpdatedMeasurands"),
        Kind::Measurands,
        "Energy.Active.Import.Register",
    ),
    row(Key::TxUpdatedMeasurandsMaxLength, Some("MeterValuesSampledDataMaxLength"), None, COUNT, MEASURANDS_TEXT)
        .read_only(),
    row(
        Key::UnlockOnEvSideDisconnect,
        Some("UnlockConnectorOnEVSideDisconnect"),
        variable("OCPPCommCtrlr", "UnlockOnEVSideDisconnect"),
        Kind::Boolean,
        "true",
    ),
    row(
        Key::WebSocketPingInterval,
        Some("WebSocketPingInterval"),
        variable("OCPPCommCtrlr", "WebSocketPingInterval"),
        SECONDS,
        "60",
    )
    .unit("s"),
];

impl Kind {
    /// A value as this kind writes it, or what is wrong with it.
    pub(super) fn normalize(self, value: &str) -> Result<String, String> {
        match self {
            Self::Boolean if value.eq_ignore_ascii_case("true") => Ok("true".to_owned()),
            Self::Boolean if value.eq_ignore_ascii_case("false") => Ok("false".to_owned()),
            Self::Boolean => Err("must be true or false".to_owned()),
            Self::Integer { minimum, maximum } => match value.parse::<i64>() {
                Ok(number) if (minimum..=maximum).contains(&number) => Ok(number.to_string()),
                _ => Err(format!("must be a whole number from {minimum} to {maximum}")),
            },
            Self::Text { maximum } if value.chars().count() <= maximum => Ok(value.to_owned()),
            Self::Text { maximum } => Err(format!("must have at most {maximum} characters")),
            Self::OneOf(words) => match words.iter().find(|word| word.eq_ignore_ascii_case(value)) {
                Some(word) => Ok((*word).to_owned()),
                None => Err(format!("must be one of {}", words.join(", "))),
            },
            // 1.6 edition 2, 9.1.16, 9.1.18, 9.1.26 and 9.1.28
            Self::Measurands if list(value).count() > MEASURANDS => {
                Err(format!("must have at most {MEASURANDS} measurands"))
            }
            Self::Measurands => match list(value).find(|item| measurand(item).is_none()) {
                Some(item) => Err(format!("`{item}` is no measurand of this station")),
                None => Ok(list(value).collect::<Vec<_>>().join(",")),
            },
            Self::Points => match list(value).find(|item| !POINTS.contains(item)) {
                Some(item) => Err(format!("`{item}` is no point that this station can tell")),
                None => Ok(list(value).collect::<Vec<_>>().join(",")),
            },
            Self::DateTime => Ok(value.to_owned()),
        }
    }
}

/// The items of a list that are separated by commas.
pub(in crate::station) fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// A measurand, with a phase if one is appended (1.6 edition 2, 9.1.17: `Voltage.L1`).
pub(in crate::station) fn measurand(item: &str) -> Option<(Measurand, Option<Phase>)> {
    if let Some(measurand) = Measurand::from_name(item) {
        return Some((measurand, None));
    }
    let (name, phase) = item.rsplit_once('.')?;
    Some((Measurand::from_name(name)?, Some(Phase::from_name(phase)?)))
}

impl Definition {
    /// Whether this version of 2.x has the variable.
    pub(in crate::station) fn is_variable_of(&self, version: Version) -> bool {
        self.v2.is_some() && (version == Version::V2_1 || !self.since_2_1)
    }
}

impl Kind {
    /// The values that a list may have, separated by commas.
    pub(in crate::station) fn values(self) -> Option<String> {
        match self {
            Self::Measurands => Some(Measurand::names().collect::<Vec<_>>().join(",")),
            Self::Points => Some(POINTS.join(",")),
            Self::OneOf(words) => Some(words.join(",")),
            _ => None,
        }
    }
}
