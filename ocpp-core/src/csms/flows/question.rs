//! What a station asks that the application, or somebody it knows, must answer: signatures, contracts, revocation, schedules.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use ocpp_types::v2_1::{ChargingNeedsType, ChargingProfileType};

use super::certificates::{CertificateHash, CertificatePurpose};
use crate::csms::identity::{CommandId, TransactionId};

/// A station wants a certificate signed (SignCertificate).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningRequest {
    /// PKCS #10, PEM.
    pub csr: String,
    /// For what.
    pub purpose: CertificatePurpose,
    /// What the station calls this request (2.1).
    pub request_id: Option<i64>,
    /// The root under which it is to be signed (2.1, for ISO 15118).
    pub root: Option<CertificateHash>,
    /// The flow that made the station ask; `None` where it does so by itself (A03).
    pub flow: Option<CommandId>,
}

/// What the certificate authority says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signing {
    /// It signed: PEM, the station's certificate first. The station is told so, and handed the chain.
    Signed {
        /// The chain.
        chain: String,
    },
    /// It takes longer. The station is told that it is under way; the application hands it over with
    /// [`Flow::DeliverCertificate`](super::Flow::DeliverCertificate).
    Later,
    /// It can't be done.
    Refused,
}

/// An EV wants its contract certificate installed or updated (Get15118EVCertificate).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContractRequest {
    /// The schema of the request.
    pub schema_version: String,
    /// Whether it is an update (M02) or an installation (M01).
    pub update: bool,
    /// The raw request of the EV, base64.
    pub exi_request: String,
    /// How many contracts the EV takes (ISO 15118-20).
    pub maximum_chains: Option<i64>,
    /// Which contracts it would like best, eMAIDs in order.
    pub prioritized_emaids: Vec<String>,
}

/// What the contract certificate pool says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContractAnswer {
    /// Raw responses for the EV, base64, best first; not empty. A station of 2.1 that said how many it takes fetches them one after the
    /// other; others get the first.
    Responses(Vec<String>),
    /// There is none; a raw response that says so, base64.
    Failed {
        /// For the EV; may be empty.
        exi_response: String,
    },
}

/// A certificate whose revocation status is asked for (GetCertificateStatus).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspRequest {
    /// Which.
    pub certificate: CertificateHash,
    /// Whom to ask.
    pub responder_url: String,
}

/// A certificate whose revocation status is asked for, with others of its chain (GetCertificateChainStatus, 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainStatusRequest {
    /// Which.
    pub certificate: CertificateHash,
    /// `OCSP` or `CRL`.
    pub source: String,
    /// Whom to ask: any of these.
    pub urls: Vec<String>,
}

/// What came of asking for a revocation status.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainStatus {
    /// A responder answered.
    Ocsp {
        /// `Good`, `Revoked` or `Unknown`.
        status: OcspStatus,
        /// When to ask again.
        next_update: Timestamp,
    },
    /// A list was fetched.
    Crl {
        /// The serial numbers on it, hexadecimal without leading zeros.
        revoked: Vec<String>,
        /// When to fetch it again.
        next_update: Timestamp,
    },
    /// Nobody could be asked.
    Failed,
}

/// What a responder says of a certificate (RFC 6960).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OcspStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// Not known to the responder.
    Unknown,
}

/// What an EV needs (NotifyEVChargingNeeds).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChargingNeeds {
    /// Where.
    pub evse: i64,
    /// The transaction there, as far as known.
    pub transaction: Option<TransactionId>,
    /// What.
    pub needs: Box<ChargingNeedsType>,
    /// How many periods the EV can take in a schedule.
    pub max_schedule_tuples: Option<i64>,
}

/// What the application offers an EV.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ChargingOffer {
    /// This profile, of the purpose `TxProfile` and for the transaction at hand; best with a single schedule (K15.FR.18, K18.FR.18). Sent right after the
    /// station was told that it comes.
    Profile(Box<ChargingProfileType>),
    /// It takes time to compute; the application sends it as a profile later.
    Processing,
    /// None: the station does without (2.0.1: `Rejected`; 2.1: `NoChargingProfile`).
    None,
    /// The energy transfer that the EV asks for is refused: the transaction stops (2.1, K18.FR.22).
    Refused,
}
