//! What the application can have done that takes more than one message, and how it goes.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use jiff::Timestamp;
use ocpp_types::v2_1::{
    AuthorizationData, ClearMonitoringResultType, ComponentVariableType, ConstantStreamDataType,
    MonitoringCriterionEnumType, MonitoringDataType, NetworkConnectionProfileType, SetMonitoringDataType,
    SetMonitoringResultType,
};
use serde::{Deserialize, Serialize};

use super::certificates::{CertificateHash, CertificatePurpose, InstalledCertificate};
use super::secret::Secret;
use crate::csms::command::CallOutcome;
use crate::csms::identity::Token;

/// Something that takes the station several messages, or a while. Started with
/// [`Command::Flow`](crate::csms::Command::Flow); how it goes is told by
/// [`Event::FlowProgress`](crate::csms::Event::FlowProgress), and its end, exactly once like that of every command, by
/// [`Event::CallFinished`](crate::csms::Event::CallFinished) with [`CallOutcome::Flow`].
///
/// [`Input::Cancel`](crate::csms::Input::Cancel) ends it early. A flow that waits for the station outlives connections and, by the [`Snapshot`](crate::csms::Snapshot), the node; one whose call is
/// under way when the node dies ends as [`FlowEnd::Interrupted`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Flow {
    /// Give the station another password (A01).
    ChangePassword(PasswordChange),
    /// Let the station connect more securely (A05).
    UpgradeProfile(ProfileUpgrade),
    /// Let the station connect by another network profile (B09, B10). 2.x only.
    SwitchNetwork(NetworkSwitch),
    /// Let the station make a new key and ask for its certificate (A02).
    RenewCertificate(CertificateRenewal),
    /// Hand the station a certificate whose signing took longer than the answer to its question (A02, A03).
    DeliverCertificate(CertificateDelivery),
    /// Install a root certificate (M05).
    InstallCertificate(CertificateInstallation),
    /// Delete a certificate (M04).
    DeleteCertificate {
        /// Which, by the hashes that the station reported.
        certificate: CertificateHash,
    },
    /// Ask which certificates are installed (M03).
    ListCertificates {
        /// Kinds in the standard's words, such as `CSMSRootCertificate`; none for all. 1.6 knows `CentralSystemRootCertificate` and
        /// `ManufacturerRootCertificate`.
        kinds: Vec<String>,
    },
    /// Update the firmware (L01, L02; 1.6 UpdateFirmware and SignedUpdateFirmware).
    UpdateFirmware(FirmwareUpdate),
    /// Let a local controller publish firmware (L03). 2.x only.
    PublishFirmware(FirmwarePublication),
    /// Let a local controller stop publishing firmware (L04). 2.x only.
    UnpublishFirmware {
        /// The MD5 checksum that it was published with.
        checksum: String,
    },
    /// Have a log uploaded (N01; 1.6 GetLog and GetDiagnostics).
    GetLog(LogRetrieval),
    /// Ask what the station knows of a customer, or have it forgotten (N09, N10). 2.x only.
    CustomerInformation(CustomerQuery),
    /// Choose the set of monitors (N05). 2.x only.
    SetMonitoringBase {
        /// `All`, `FactoryDefault` or `HardWiredOnly`.
        base: String,
    },
    /// Choose which events are worth telling (N03). 2.x only.
    SetMonitoringLevel {
        /// The least severe that is told: 0 (danger) to 9 (debug).
        severity: i64,
    },
    /// Set monitors (N04), in as many messages as the station needs. 2.x only.
    SetMonitors {
        /// Which.
        monitors: Vec<SetMonitoringDataType>,
    },
    /// Clear monitors (N06), in as many messages as the station needs. 2.x only.
    ClearMonitors {
        /// By their ids.
        ids: Vec<i64>,
    },
    /// Ask for the monitors (N02). 2.x only.
    GetMonitors(MonitoringQuery),
    /// Change how often a periodic event stream sends (N14). 2.1 only.
    AdjustEventStream {
        /// The stream.
        id: i64,
        /// Seconds between messages.
        interval: Option<i64>,
        /// Values that make a message.
        values: Option<i64>,
    },
    /// Ask which periodic event streams are open (N12). 2.1 only.
    GetEventStreams,
    /// Bring the local authorization list to a wanted state (D01, D02; 1.6 edition 2, 5.10, 5.15).
    SynchroniseLocalList(LocalListSynchronisation),
}

/// How long the station may take to come back with what it was given.
const TO_RECONNECT: Duration = Duration::from_secs(15 * 60);

/// How long the station may take to send what it was asked for.
const TO_REPORT: Duration = Duration::from_secs(5 * 60);

/// How long a transfer may go without a word.
const TO_TRANSFER: Duration = Duration::from_secs(6 * 60 * 60);

/// Another password. The application keeps the old one until it is told [`Progress::PasswordSuperseded`], and lets the new one in from
/// [`Progress::PasswordAccepted`] or [`Progress::PasswordUncertain`] on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PasswordChange {
    /// The new password. 1.6: 16 to 20 bytes, sent as hexadecimal digits; 2.0.1: 16 to 40 characters; 2.1: 16 to 64.
    pub password: Secret,
    /// How long the old one goes on being good after the station accepted, unless the station comes with the new one before. The
    /// standard allows no time (A01.FR.03); a station that accepts and then forgets is locked out for good. Default: zero.
    pub keep_old: Duration,
    /// How long the station may take to come with the new one. Default: 15 min.
    pub within: Duration,
}

impl PasswordChange {
    /// A change as the standard has it.
    #[must_use]
    pub fn new(password: Secret) -> Self {
        Self { password, keep_old: Duration::ZERO, within: TO_RECONNECT }
    }
}

/// The local authorization list that the station is to have.
///
/// The station is asked which version it has. Where that is the wanted one, nothing is sent ([`Completion::Nothing`]); where the session
/// knows the list of that version, what differs is sent, else the whole list, in as many messages as the station needs. The last of them
/// has the wanted version, for which the station is asked again. Changes that it can't take are followed by the whole list, once.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LocalListSynchronisation {
    /// The version, greater than 0. Each message has a version of its own below it: where lists may take several, it is to be counted up by
    /// the length of the list, or to be a time in seconds.
    pub version: i64,
    /// All tokens, none twice, each with its information. None for an empty list.
    pub entries: Vec<AuthorizationData>,
}

impl LocalListSynchronisation {
    /// The list that is wanted.
    #[must_use]
    pub fn new(version: i64, entries: Vec<AuthorizationData>) -> Self {
        Self { version, entries }
    }
}

/// A higher security profile.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProfileUpgrade {
    /// The profile: 1, 2 or 3, and higher than the one in use.
    pub profile: u8,
    /// The network profile that has it, in 2.x. 1.6 has one connection and takes none.
    pub network: Option<NetworkSwitch>,
    /// How long the station may take to come by it. Default: 15 min.
    pub within: Duration,
}

impl ProfileUpgrade {
    /// An upgrade of a 1.6 station.
    #[must_use]
    pub fn new(profile: u8) -> Self {
        Self { profile, network: None, within: TO_RECONNECT }
    }
}

/// Another way for the station to connect.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NetworkSwitch {
    /// The configuration slot to be used.
    pub slot: i64,
    /// What to write into the slot; `None` where it is written already.
    pub profile: Option<Box<NetworkConnectionProfileType>>,
    /// The slots to fall back to, best first; the one in use should be among them.
    pub fall_back: Vec<i64>,
    /// How long the station may take to reset and come by it. Default: 15 min.
    pub within: Duration,
}

impl NetworkSwitch {
    /// A switch to this slot, with these to fall back to.
    #[must_use]
    pub fn new(slot: i64, fall_back: Vec<i64>) -> Self {
        Self { slot, profile: None, fall_back, within: TO_RECONNECT }
    }
}

/// A new key and certificate for the station.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CertificateRenewal {
    /// For what.
    pub purpose: CertificatePurpose,
    /// Whose, where each EVSE has its own (2.x).
    pub evse: Option<i64>,
    /// How long the station may take to ask, and the authority to sign. Default: 5 min.
    pub within: Duration,
}

impl CertificateRenewal {
    /// The certificate of the whole station.
    #[must_use]
    pub fn new(purpose: CertificatePurpose) -> Self {
        Self { purpose, evse: None, within: TO_REPORT }
    }
}

/// A signed certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateDelivery {
    /// For what.
    pub purpose: CertificatePurpose,
    /// PEM, the station's certificate first. 10,000 characters at most, or what the station's MaxCertificateChainSize says.
    pub chain: String,
    /// What the station called its request (2.1).
    pub request_id: Option<i64>,
}

/// A root certificate to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateInstallation {
    /// The kind in the standard's words, such as `CSMSRootCertificate`; 1.6's names are understood in all versions.
    pub kind: String,
    /// PEM; 5,500 characters at most in 1.6 and 2.0.1, 10,000 in 2.1.
    pub certificate: String,
}

/// New firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirmwareUpdate {
    /// Where it is: a URL.
    pub location: String,
    /// When to fetch it.
    pub retrieve_at: Timestamp,
    /// When to install it; at once where absent. 1.6's unsigned update has none.
    pub install_at: Option<Timestamp>,
    /// Who signed it and how; without it 1.6 makes an unsigned update.
    pub signature: Option<FirmwareSignature>,
    /// How often to try.
    pub retries: Option<i64>,
    /// How long to wait between tries.
    pub retry_interval: Option<Duration>,
    /// How long the station may say nothing. Counted from `retrieve_at` or `install_at` where that is later. Default: 6 h.
    pub silence: Duration,
}

impl FirmwareUpdate {
    /// Firmware to be fetched and installed at this time.
    #[must_use]
    pub fn new(location: impl Into<String>, retrieve_at: Timestamp) -> Self {
        Self {
            location: location.into(),
            retrieve_at,
            install_at: None,
            signature: None,
            retries: None,
            retry_interval: None,
            silence: TO_TRANSFER,
        }
    }
}

/// The proof of where firmware is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareSignature {
    /// The signing certificate, PEM (5,500 characters at most).
    pub certificate: String,
    /// The signature over the firmware, base64 (800 characters at most).
    pub signature: String,
}

/// Firmware that a local controller publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirmwarePublication {
    /// Where it is: a URL.
    pub location: String,
    /// MD5 of the whole file, 32 hexadecimal digits.
    pub checksum: String,
    /// How often to try.
    pub retries: Option<i64>,
    /// How long to wait between tries.
    pub retry_interval: Option<Duration>,
    /// How long the controller may say nothing. Default: 6 h.
    pub silence: Duration,
}

impl FirmwarePublication {
    /// Firmware with this checksum.
    pub fn new(location: impl Into<String>, checksum: impl Into<String>) -> Self {
        let (location, checksum) = (location.into(), checksum.into());
        Self { location, checksum, retries: None, retry_interval: None, silence: TO_TRANSFER }
    }
}

/// A log to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRetrieval {
    /// Which: `DiagnosticsLog` or `SecurityLog` (2.1: also `DataCollectorLog`). `None` is 1.6's GetDiagnostics, in 2.x the diagnostics log.
    pub kind: Option<String>,
    /// Where to: the URL of a directory, without a fragment, its query not ending in a slash (N01.FR.27, N01.FR.28).
    pub location: String,
    /// From when on.
    pub oldest: Option<Timestamp>,
    /// Until when.
    pub latest: Option<Timestamp>,
    /// How often to try.
    pub retries: Option<i64>,
    /// How long to wait between tries.
    pub retry_interval: Option<Duration>,
    /// How long the station may say nothing. Default: 6 h.
    pub silence: Duration,
}

impl LogRetrieval {
    /// The whole log.
    pub fn new(kind: Option<&str>, location: impl Into<String>) -> Self {
        Self {
            kind: kind.map(String::from),
            location: location.into(),
            oldest: None,
            latest: None,
            retries: None,
            retry_interval: None,
            silence: TO_TRANSFER,
        }
    }
}

/// Which customer, and what about them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CustomerQuery {
    /// Who.
    pub customer: Customer,
    /// Whether to be told.
    pub report: bool,
    /// Whether the station is to forget.
    pub clear: bool,
    /// How long the station may say nothing. Default: 5 min.
    pub silence: Duration,
}

impl CustomerQuery {
    /// What the station knows of someone (N09.FR.01).
    #[must_use]
    pub fn report(customer: Customer) -> Self {
        Self { customer, report: true, clear: false, silence: TO_REPORT }
    }

    /// The station forgets someone, and says what it forgot.
    #[must_use]
    pub fn clear(customer: Customer) -> Self {
        Self { customer, report: true, clear: true, silence: TO_REPORT }
    }
}

/// A reference to a customer: exactly one, as N09.FR.04 and N10.FR.08 ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Customer {
    /// By token.
    Token(Token),
    /// By certificate, with the hashes that the station reported.
    Certificate(CertificateHash),
    /// By whatever the station's maker agreed on (64 characters at most).
    Identifier(String),
}

/// Which monitors.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MonitoringQuery {
    /// Of these kinds; none for all.
    pub criteria: Vec<MonitoringCriterionEnumType>,
    /// Of these variables; none for all.
    pub variables: Vec<ComponentVariableType>,
    /// How long the station may say nothing. Default: 5 min.
    pub silence: Duration,
}

impl Default for MonitoringQuery {
    fn default() -> Self {
        Self { criteria: Vec::new(), variables: Vec::new(), silence: TO_REPORT }
    }
}

/// How a flow goes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The station took the new password: let it in with either from now on.
    PasswordAccepted,
    /// The station may have taken the new password, the answer is lost: let it in with either from now on.
    PasswordUncertain,
    /// The old password is good no more.
    PasswordSuperseded,
    /// The station took what it was told, and is expected to reconnect.
    Accepted {
        /// The status in the station's words.
        status: String,
    },
    /// The station asked for its certificate.
    CertificateRequested,
    /// The station is handed its certificate.
    CertificateSigned,
    /// The station told how far it is.
    Status {
        /// In its words, such as `Downloading`.
        status: String,
    },
    /// The station told the name of the file that it uploads.
    File {
        /// The name.
        name: String,
    },
    /// Some parts of a report, or of what is sent, are through.
    Parts {
        /// How many so far.
        count: usize,
    },
}

/// How a flow ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FlowEnd {
    /// It is done.
    Completed(Completion),
    /// The station refused.
    Refused {
        /// The status in the station's words.
        status: String,
        /// The reason in the station's words (2.x statusInfo: the code, and words after a colon).
        reason: Option<String>,
    },
    /// One of its calls came to nothing.
    CallFailed {
        /// The action.
        action: String,
        /// How it ended.
        outcome: CallOutcome,
    },
    /// The station tried and failed.
    Failed {
        /// The status in the station's words, such as `DownloadFailed`.
        status: String,
    },
    /// The station came back the way it was before.
    WentBack,
    /// The certificate authority did not sign.
    NotSigned,
    /// The station did not do in time what it was to do.
    TimedOut {
        /// What was waited for.
        awaited: Awaited,
    },
    /// A newer flow of its kind took its place.
    Superseded,
    /// The application did not want it any more. What the station was told before is not taken back: it may still do what it accepted, and of
    /// two passwords both stay good unless [`Progress::PasswordSuperseded`] was told.
    Cancelled,
    /// The CSMS restarted while a call was under way: whether the station acted is not known.
    Interrupted,
    /// A rule forbids it; nothing was sent.
    NotAllowed {
        /// The rule.
        rule: &'static str,
    },
    /// Parts of a report are missing or came twice with different content.
    Incomplete,
    /// The station accepted all of the local authorization list, and says that it has another version.
    OtherVersion {
        /// The version that it says.
        version: i64,
    },
}

/// What a flow waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Awaited {
    /// The station's return.
    Reconnection,
    /// The station's request for a certificate.
    CertificateRequest,
    /// The certificate authority's signature.
    Signature,
    /// The station's word on how far it is.
    Status,
    /// The next part of a report.
    Report,
}

/// What a flow came to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Completion {
    /// What was asked for.
    Done,
    /// There is nothing of what was asked for, or nothing to do: no log to upload, no change of a list.
    Nothing,
    /// The installed certificates.
    Certificates(Vec<InstalledCertificate>),
    /// Firmware is published here.
    Published {
        /// URLs, one a protocol.
        locations: Vec<String>,
    },
    /// What the station knows of a customer, its parts joined.
    Customer {
        /// As the station writes it.
        data: String,
    },
    /// The monitors, the parts joined.
    Monitors(Vec<MonitoringDataType>),
    /// What became of each monitor to set, in the order of the request.
    MonitorsSet(Vec<SetMonitoringResultType>),
    /// What became of each monitor to clear, in the order of the request.
    MonitorsCleared(Vec<ClearMonitoringResultType>),
    /// The open streams.
    EventStreams(Vec<ConstantStreamDataType>),
}
