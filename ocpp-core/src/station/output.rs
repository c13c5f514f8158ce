//! Outputs: effects that the integrator carries out.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use jiff::Timestamp;
use ocpp_types::Version;

use super::event::Event;
use super::firmware::{Download, Install, UpdateId};
use super::logs::{LogWanted, Upload, UploadId};
use super::security::{CertificateToJudge, ClientCertificate, Password, SigningRequestWanted};
use super::smart_charging::{Limit, OfferedSchedule};
use super::store::Batch;
use super::vendor_messages::VendorMessage;
use crate::time::Instant;

/// An effect. Carry them out in the order in which [`poll_output`](super::Station::poll_output) gives them.
///
/// None waits for another: what depends on a stored batch is given only after [`Input::Stored`](super::Input::Stored).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Open a WebSocket to the CSMS, then report `Connected` or `ConnectionFailed`. The time to do it is now: waiting
    /// between attempts is the station's concern. Any older connection is to be forgotten.
    Connect(Connect),
    /// Close the connection, then report `Disconnected`.
    Close {
        /// Why, for the log and the close frame.
        reason: &'static str,
    },
    /// Send a text frame.
    Transmit(String),
    /// Apply the whole batch to durable storage, or nothing of it, then report `Stored` with its number.
    Store(Batch),
    /// Permit energy to flow to the vehicle, or forbid it. A permission comes after the transaction that it belongs to is
    /// stored; the end of one comes at once.
    PermitEnergy {
        /// Which EVSE.
        evse: u32,
        /// Whether energy may flow.
        permitted: bool,
    },
    /// Let no more than this flow to the vehicle. It holds until the next one; before the first one there is no limit, and
    /// a power cut or restart lifts it.
    SetLimit {
        /// Which EVSE.
        evse: u32,
        /// The limit; `None` for as much as the hardware gives.
        limit: Option<Limit>,
    },
    /// Hand the vehicle a schedule, as ISO 15118 says. Report what it says to it with
    /// [`Input::VehiclePlan`](super::Input::VehiclePlan). Only given for a vehicle whose needs were reported.
    OfferSchedule {
        /// Which EVSE.
        evse: u32,
        /// What to offer.
        offered: OfferedSchedule,
    },
    /// Lock the plug. Report `LockFailed` if it doesn't lock.
    Lock {
        /// Which EVSE.
        evse: u32,
        /// Which of its connectors.
        connector: u32,
    },
    /// Release the plug.
    Unlock {
        /// Which EVSE.
        evse: u32,
        /// Which of its connectors.
        connector: u32,
    },
    /// Restart: drop the station and [`restore`](super::Station::restore) it from what was stored. Report `RestartFailed` if that
    /// can't be done.
    Restart {
        /// Which EVSE's electronics; `None` for the whole station, the only case in which the engine itself is dropped.
        evse: Option<u32>,
    },
    /// Ping the CSMS this often from now on, on the connection that stands; `None` for never.
    SetPingInterval(Option<core::time::Duration>),
    /// Let the station's lamps shine so from now on. Only a station whose configuration gives `LightIntensity` or `BlinkRepeat` a
    /// value is told.
    SetLighting(Lighting),
    /// Fetch a firmware image. The time to do it is now: waiting for a date or between attempts is the station's concern.
    Download(Download),
    /// Give an update up: stop fetching its image, or forget it.
    CancelDownload {
        /// Which update.
        update: UpdateId,
    },
    /// Install a firmware image. Nobody charges while it goes on.
    Install(Install),
    /// Upload a log. The time to do it is now.
    Upload(Upload),
    /// Stop an upload.
    CancelUpload {
        /// Which upload.
        upload: UploadId,
    },
    /// Set the machine's clock. The station has already taken the time over for itself, whether this is done or not.
    SetClock(Timestamp),
    /// Show this to the driver.
    Display {
        /// At which EVSE; `None` for the whole station.
        evse: Option<u32>,
        /// What to show, in a form that every integrator can translate.
        notice: Notice,
    },
    /// Do something whose outcome the CSMS waits for, then report `Answer`.
    Ask(Question),
    /// Destroy a private key: its certificate is no longer used.
    ForgetKey {
        /// What the integrator called it.
        key: String,
    },
    /// Something happened that is worth knowing; nothing has to be done.
    Event(Event),
}

/// How to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connect {
    /// Address of the CSMS without the identity.
    pub csms_url: String,
    /// The station's identity: to be percent-encoded and appended to the address as its last segment.
    pub identity: String,
    /// Security profile, 0 for none. From 2 on the connection is one by TLS, and `csms_url` says so.
    pub security_profile: u8,
    /// Password for HTTP basic authentication; the identity is the user name.
    pub password: Option<Password>,
    /// The root certificates that the certificate of the CSMS may lead to, in PEM. Empty where none was installed: a station that uses
    /// TLS without a security profile trusts whom its integrator trusts.
    pub csms_roots: Vec<String>,
    /// The certificate to show, in security profile 3.
    pub certificate: Option<ClientCertificate>,
    /// Versions to offer as sub-protocols, the preferred one first.
    pub versions: Vec<Version>,
    /// How often to send a WebSocket ping; `None` for never.
    pub ping_interval: Option<core::time::Duration>,
}

/// How the lamps of a station shine (1.6 edition 2, 9.1.4 and 9.1.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Lighting {
    /// How brightly, in percent of the most; `None` where that can't be set.
    pub intensity: Option<u32>,
    /// How often to blink for a signal; `None` where that can't be set.
    pub blink_repeat: Option<u32>,
}

/// Number of a batch; they count up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct BatchId(pub u64);

/// Number of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct QuestionId(pub u64);

/// Something to do whose outcome the CSMS waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Question {
    /// To be given back with the answer.
    pub id: QuestionId,
    /// What to do.
    pub kind: QuestionKind,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuestionKind {
    /// Release the plug now, on behalf of the CSMS.
    Unlock {
        /// Which EVSE.
        evse: u32,
        /// Which of its connectors.
        connector: u32,
    },
    /// Whether firmware may be signed with this certificate: it is valid now, and issued by the manufacturer's root
    /// certificate. `Done` if so, `Revoked`, or `Failed` for everything else (L01.FR.21; 1.6 security, L01.FR.23).
    SigningCertificate {
        /// PEM, at most 5,500 characters.
        certificate: String,
    },
    /// Whether this is the signature of the whole image that was downloaded, with SHA-256 and RSA-PSS or ECSchnorr
    /// (L01.FR.04; 1.6 security, L01.FR.04). `Done` if so, and otherwise `Failed`. Ten minutes are there for it.
    FirmwareSignature {
        /// Which update.
        update: UpdateId,
        /// The certificate that was asked about before, PEM.
        certificate: String,
        /// The signature, Base64, at most 800 characters.
        signature: String,
    },
    /// Make a new key pair, keep it, and make a signing request for it: [`Answer::SigningRequest`](super::Answer::SigningRequest), or `Failed`.
    /// The private key never leaves the integrator (1.6 security, A02.FR.05).
    SignCsr(SigningRequestWanted),
    /// Judge a certificate: [`Answer::Certificate`](super::Answer::Certificate) with what is known about it, or `Failed`. With the feature `pki`,
    /// `pki::judge` does it.
    Certificate(CertificateToJudge),
    /// Whether there is such a log: [`Answer::File`](super::Answer::File), or `Failed` (N01.FR.01, N01.FR.05).
    Log(LogWanted),
    /// Answer a vendor's message, with [`Answer::VendorMessage`](super::Answer::VendorMessage).
    VendorMessage(VendorMessage),
}

/// What a driver should be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The token is being checked.
    Authorizing,
    /// The token may charge.
    Authorized,
    /// The token may not charge.
    NotAuthorized,
    /// The plug was expected and did not come.
    ConnectionTimedOut,
    /// A token was expected and did not come.
    AuthorizationTimedOut,
    /// Charging goes on; only its own token or group can stop it.
    InUse,
    /// Nothing says what priority charging would be, so that there is none (2.1, K22.FR.01).
    NoPriorityCharging,
}

/// When to report [`Input::Timeout`](super::Input::Timeout), and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    /// When.
    pub at: Instant,
    /// What falls due.
    pub timer: Timer,
}

/// What a station waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Timer {
    /// The next attempt to connect.
    Reconnect,
    /// The next `BootNotification`.
    BootRetry,
    /// The next `Heartbeat`.
    Heartbeat,
    /// An answer of the CSMS.
    Call,
    /// The next attempt to deliver a transaction's message.
    Redelivery,
    /// The next request for a certificate, the renewal of one, or its beginning.
    Certificate,
    /// The next attempt to deliver a security event.
    SecurityEvent,
    /// The plug after the token (`EVConnectionTimeOut`).
    EvConnection {
        /// Which EVSE; 0 for a token presented to the whole station.
        evse: u32,
    },
    /// The token after the plug (1.6, `ConnectionTimeOut`).
    Token {
        /// Which EVSE.
        evse: u32,
    },
    /// A connector's status that has to last before it is told (1.6, `MinimumStatusDuration`).
    Status,
    /// The next sampled meter values.
    Sample {
        /// Which EVSE.
        evse: u32,
    },
    /// The next change of a charging limit.
    ChargingLimit,
    /// A schedule that a vehicle waits for (K15.FR.08).
    VehicleSchedule,
    /// The next question for the values of a dynamic charging profile (2.1, K28.FR.10).
    ChargingValues,
    /// The end of a reservation.
    Reservation,
    /// The next clock-aligned meter values.
    ClockAligned,
    /// The meter after a power cut.
    Recovery {
        /// Which EVSE.
        evse: u32,
    },
    /// The answer of the integrator.
    Question,
    /// A restart that waits until its messages are delivered.
    Restart,
    /// The download or the installation of firmware.
    Firmware,
    /// The next attempt to upload a log.
    Log,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
