//! What happened to the security of the station, and how each version calls it and values it (1.6 security, 8; 2.1 part 2 appendices,
//! 1; A04).

use alloc::borrow::Cow;
use alloc::string::String;

use ocpp_types::Version;
use serde::{Deserialize, Serialize};

/// Something that concerns the security of the station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SecurityEvent {
    /// The firmware was updated.
    FirmwareUpdated,
    /// The CSMS refused the station's password or certificate.
    FailedToAuthenticateAtCsms,
    /// The station refused what the CSMS proved its identity with.
    CsmsFailedToAuthenticate,
    /// The time of the station was changed.
    SettingSystemTime,
    /// The station has started.
    StartupOfTheDevice,
    /// The station was restarted.
    ResetOrReboot,
    /// The security log was cleared.
    SecurityLogWasCleared,
    /// Keys, certificates or the security profile were changed.
    ReconfigurationOfSecurityParameters,
    /// Memory or storage is getting full.
    MemoryExhaustion,
    /// Messages came that are not valid.
    InvalidMessages,
    /// A message was replayed.
    AttemptedReplayAttacks,
    /// A tamper sensor was triggered.
    TamperDetectionActivated,
    /// The signature of a firmware is not valid.
    InvalidFirmwareSignature,
    /// The certificate that signed a firmware is not valid.
    InvalidFirmwareSigningCertificate,
    /// The certificate of the CSMS is not valid.
    InvalidCsmsCertificate,
    /// The signed certificate that the CSMS sent for the station is not valid.
    InvalidStationCertificate,
    /// The renewed certificate of the station didn't work and was discarded.
    DiscardedRenewedClientCertificate,
    /// The CSMS speaks only versions of TLS that are too old.
    InvalidTlsVersion,
    /// The CSMS has only cipher suites that are not allowed.
    InvalidTlsCipherSuite,
    /// Somebody logged in for maintenance.
    MaintenanceLoginAccepted,
    /// Somebody failed to log in for maintenance.
    MaintenanceLoginFailed,
    /// The maker's own, by a name of at most 50 characters.
    Other {
        /// The name.
        name: String,
        /// Whether the CSMS is to be told.
        is_critical: bool,
    },
}

/// How one version calls and values an event.
#[derive(Debug, Clone, Copy)]
struct Row {
    v1_6: (&'static str, bool),
    v2: (&'static str, bool),
}

const fn row(v1_6: (&'static str, bool), v2: (&'static str, bool)) -> Row {
    Row { v1_6, v2 }
}

/// The same in all versions.
const fn same(name: &'static str, is_critical: bool) -> Row {
    row((name, is_critical), (name, is_critical))
}

/// The same name, but only 2.x tells the CSMS.
const fn critical_in_2(name: &'static str) -> Row {
    row((name, false), (name, true))
}

impl SecurityEvent {
    /// The name in a version, at most 50 characters are sent.
    #[must_use]
    pub fn name(&self, version: Version) -> Cow<'_, str> {
        match (self.row(), version) {
            (None, _) => match self {
                Self::Other { name, .. } => Cow::Borrowed(name),
                _ => Cow::Borrowed(""),
            },
            (Some(row), Version::V1_6) => Cow::Borrowed(row.v1_6.0),
            (Some(row), _) => Cow::Borrowed(row.v2.0),
        }
    }

    /// Whether the CSMS is told (A04.FR.01), or the event only goes into the log.
    #[must_use]
    pub fn is_critical(&self, version: Version) -> bool {
        match (self.row(), version) {
            (None, _) => matches!(self, Self::Other { is_critical: true, .. }),
            (Some(row), Version::V1_6) => row.v1_6.1,
            (Some(row), _) => row.v2.1,
        }
    }

    const fn row(&self) -> Option<Row> {
        Some(match self {
            Self::FirmwareUpdated => same("FirmwareUpdated", true),
            Self::FailedToAuthenticateAtCsms => {
                row(("FailedToAuthenticateAtCentralSystem", false), ("FailedToAuthenticateAtCsms", false))
            }
            Self::CsmsFailedToAuthenticate => {
                row(("CentralSystemFailedToAuthenticate", false), ("CsmsFailedToAuthenticate", false))
            }
            Self::SettingSystemTime => same("SettingSystemTime", true),
            Self::StartupOfTheDevice => same("StartupOfTheDevice", true),
            Self::ResetOrReboot => same("ResetOrReboot", true),
            Self::SecurityLogWasCleared => same("SecurityLogWasCleared", true),
            Self::ReconfigurationOfSecurityParameters => same("ReconfigurationOfSecurityParameters", false),
            Self::MemoryExhaustion => same("MemoryExhaustion", true),
            Self::InvalidMessages => same("InvalidMessages", false),
            Self::AttemptedReplayAttacks => same("AttemptedReplayAttacks", false),
            Self::TamperDetectionActivated => same("TamperDetectionActivated", true),
            Self::InvalidFirmwareSignature => critical_in_2("InvalidFirmwareSignature"),
            Self::InvalidFirmwareSigningCertificate => critical_in_2("InvalidFirmwareSigningCertificate"),
            Self::InvalidCsmsCertificate => {
                row(("InvalidCentralSystemCertificate", false), ("InvalidCsmsCertificate", true))
            }
            Self::InvalidStationCertificate => {
                row(("InvalidChargePointCertificate", false), ("InvalidChargingStationCertificate", true))
            }
            Self::DiscardedRenewedClientCertificate => same("DiscardedRenewedClientCertificate", true),
            Self::InvalidTlsVersion => critical_in_2("InvalidTLSVersion"),
            Self::InvalidTlsCipherSuite => critical_in_2("InvalidTLSCipherSuite"),
            Self::MaintenanceLoginAccepted => same("MaintenanceLoginAccepted", true),
            Self::MaintenanceLoginFailed => same("MaintenanceLoginFailed", true),
            Self::Other { .. } => return None,
        })
    }
}
