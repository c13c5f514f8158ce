//! Inputs: facts that the integrator reports.

use alloc::string::String;

use ocpp_types::Version;

use super::facts::{Fault, LocalStop, Token, Vehicle};
use super::firmware::{FirmwareFact, UpdateId};
use super::logs::{UploadId, UploadOutcome};
use super::output::{BatchId, QuestionId};
use super::reading::Reading;
use super::security::{CertificateFacts, ConnectionFailure, SecurityEvent};
use super::smart_charging::{ExternalLimit, VehicleNeeds, VehiclePlan};
use super::vendor_messages::{VendorAnswer, VendorMessage};
use crate::certificate_hash::CertificateHashData;

/// A fact. None of them can fail: what the station can't use, it reports as an [`Event`](super::Event).
///
/// EVSEs and the connectors of an EVSE are numbered from 1. Unless a fact names its connector, it is about the whole EVSE.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Input {
    /// A moment named by [`poll_timeout`](super::Station::poll_timeout) has come. Too early or superfluous is harmless.
    Timeout,

    /// The connection asked for by [`Output::Connect`](super::Output::Connect) stands, and both sides speak this version.
    Connected {
        /// What the CSMS chose among the offered versions.
        #[serde(with = "super::serial::version")]
        version: Version,
    },
    /// The certificate of the CSMS leads to this root. If it is known, say so after `Connected`: a root that is in use can't be deleted.
    CsmsVerified {
        /// The root, in the station's own name for it.
        root: CertificateHashData,
    },
    /// The connection asked for could not be made.
    ConnectionFailed {
        /// What kind of failure it was.
        failure: ConnectionFailure,
        /// What went wrong, for the log.
        reason: String,
    },
    /// The connection is gone, whoever closed it.
    Disconnected {
        /// What is known about it, for the log.
        reason: String,
    },
    /// The network interface came up or went down. While it is down the station doesn't try to connect.
    Network {
        /// Whether it is up.
        up: bool,
    },
    /// A text frame came from the CSMS.
    Frame(String),
    /// Everything in this batch, and in every batch before it, is on durable storage.
    Stored(BatchId),
    /// The answer to a question.
    Answer {
        /// Which question.
        question: QuestionId,
        /// The answer. One that doesn't fit the question counts as a failure.
        answer: Answer,
    },

    /// A cable now connects a vehicle with the EVSE.
    PluggedIn {
        /// Which EVSE.
        evse: u32,
        /// Which of its connectors.
        connector: u32,
    },
    /// No cable connects a vehicle with the EVSE any more.
    Unplugged {
        /// Which EVSE.
        evse: u32,
        /// Which of its connectors.
        connector: u32,
    },
    /// Somebody presented a token.
    TokenPresented {
        /// The EVSE whose reader it was; `None` for a reader that serves the whole station.
        evse: Option<u32>,
        /// What was read.
        token: Token,
    },
    /// Charging is to end for a reason found at the station, such as a button.
    StopPressed {
        /// Which EVSE.
        evse: u32,
        /// Why.
        reason: LocalStop,
    },
    /// What the vehicle says now.
    Vehicle {
        /// Which EVSE.
        evse: u32,
        /// What it says.
        vehicle: Vehicle,
    },
    /// What the meter says now.
    Meter {
        /// Which EVSE; 0 for the main meter of the station.
        evse: u32,
        /// The values.
        reading: Reading,
    },
    /// Somebody who tries things out doesn't want to wait: clock-aligned meter values are to be taken now, as if one of
    /// their moments had come. The next moment stays where it is.
    ClockAligned,
    /// Something is wrong.
    Fault {
        /// Which EVSE; `None` for the whole station.
        evse: Option<u32>,
        /// Which of its connectors; `None` for all of them.
        connector: Option<u32>,
        /// What is wrong.
        fault: Fault,
    },
    /// Nothing is wrong any more.
    FaultCleared {
        /// Which EVSE; `None` for the whole station.
        evse: Option<u32>,
        /// Which of its connectors; `None` for all of them.
        connector: Option<u32>,
    },
    /// A lock that was told to close did not: the station must not charge through this connector.
    LockFailed {
        /// Which EVSE.
        evse: u32,
        /// Which of its connectors.
        connector: u32,
    },
    /// A vehicle entered or left the parking bay.
    ParkingBay {
        /// Which EVSE.
        evse: u32,
        /// Whether the bay is occupied.
        occupied: bool,
    },
    /// Somebody at the station wants it restarted.
    LocalReset,
    /// Something happened to the security of the station that it can't know itself, such as an opened housing. It goes into the
    /// security log, and to the CSMS if it is critical.
    SecurityEvent {
        /// What happened.
        event: SecurityEvent,
        /// What is known about it, at most 255 characters. No secrets: it is sent and logged.
        info: Option<String>,
    },
    /// There is something to say to the CSMS that the standard has no words for. What comes of it is told by
    /// [`Event::VendorMessageAnswered`](super::Event::VendorMessageAnswered).
    VendorMessage {
        /// To tell the answers apart.
        id: u64,
        /// What to say.
        message: VendorMessage,
    },
    /// Somebody else than the CSMS has set a limit, or released one (K11 to K13, K27).
    ChargingLimit(ExternalLimit),
    /// A vehicle with a transaction says what it needs, as ISO 15118-2 has it (`ChargeParameterDiscoveryReq`): at first, and whenever
    /// it negotiates anew (K15, K17).
    VehicleNeeds {
        /// Which EVSE.
        evse: u32,
        /// What it needs.
        needs: VehicleNeeds,
    },
    /// A vehicle says what it is going to take (ISO 15118-2, `PowerDeliveryReq`). Whether it may is told by
    /// [`Event::VehiclePlanJudged`](super::Event::VehiclePlanJudged).
    VehiclePlan {
        /// Which EVSE.
        evse: u32,
        /// What it is going to take.
        plan: VehiclePlan,
    },
    /// A driver wants his transaction to have priority, or no longer (2.1, K22).
    PriorityCharging {
        /// Which EVSE.
        evse: u32,
        /// Whether it is to have it.
        wanted: bool,
    },
    /// The restart asked for by [`Output::Restart`](super::Output::Restart) did not happen: the station runs on.
    RestartFailed,
    /// Something happened to a firmware update.
    Firmware {
        /// Which update, as [`Output::Download`](super::Output::Download) or [`Output::Install`](super::Output::Install) said.
        update: UpdateId,
        /// What happened.
        fact: FirmwareFact,
    },
    /// An upload of a log has ended.
    Log {
        /// Which upload, as [`Output::Upload`](super::Output::Upload) said.
        upload: UploadId,
        /// How.
        outcome: UploadOutcome,
    },
}

/// An answer to [`Output::Ask`](super::Output::Ask).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Answer {
    /// It was done.
    Done,
    /// It was tried and failed, or what was asked about is not so.
    Failed,
    /// The signing request for a new key.
    SigningRequest {
        /// PEM (RFC 2986), at most 5,500 characters.
        csr: String,
        /// What the key is called from now on: the station gives the name back with the certificate.
        key: String,
    },
    /// The certificate is what it should be.
    Certificate(CertificateFacts),
    /// The certificate was revoked.
    Revoked,
    /// There is such a log, and it will be uploaded as a file of this name: at most 255 characters, without a path.
    File(String),
    /// What to answer to a vendor's message.
    VendorMessage(VendorAnswer),
}
