//! The application's judgement of a token.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use ocpp_types::v2_1::TariffType;
use serde::{Deserialize, Serialize};

use super::identity::Token;

/// Whether a token may charge (2.1 part 2, AuthorizationStatusEnumType). 1.6 knows the first five; there `NoCredit`,
/// `NotAllowedTypeEVSE`, `NotAtThisLocation` and `NotAtThisTime` read `Blocked`, and `Unknown` reads `Invalid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AuthorizationStatus {
    /// It may.
    Accepted,
    /// It is known and locked.
    Blocked,
    /// It was valid once.
    Expired,
    /// It is not valid.
    Invalid,
    /// It is in use in another transaction.
    ConcurrentTx,
    /// Its account is empty.
    NoCredit,
    /// It may not charge at this kind of EVSE.
    NotAllowedTypeEVSE,
    /// It may not charge at this place.
    NotAtThisLocation,
    /// It may not charge at this time.
    NotAtThisTime,
    /// Nobody knows it.
    Unknown,
}

/// Whether a vehicle's contract certificate is good (2.1 part 2, AuthorizeCertificateStatusEnumType).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CertificateStatus {
    /// It and its chain are valid.
    Accepted,
    /// Its signature is wrong.
    SignatureError,
    /// It or a certificate of its chain has expired.
    CertificateExpired,
    /// It or a certificate of its chain was revoked.
    CertificateRevoked,
    /// There is none.
    NoCertificateAvailable,
    /// Its chain cannot be verified.
    CertChainError,
    /// It is valid, and its contract is not.
    ContractCancelled,
}

/// The answer about a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Authorization {
    /// Whether it may charge.
    pub status: AuthorizationStatus,
    /// The group it belongs to: tokens of a group may stop each other's transactions.
    pub group: Option<Token>,
    /// Until when the answer may be kept by the station. Now, where it may not be kept at all, as for prepaid accounts
    /// (2.1 part 2, C17.FR.01, C17.FR.02).
    #[serde(with = "super::stored::time")]
    pub cache_expires_at: Option<Timestamp>,
    /// The EVSEs where it may charge; empty where it may at all of them (2.x, C01.FR.19, C01.FR.20).
    pub evses: Vec<i64>,
    /// Words to show to the driver (2.x, 512 characters; longer text is cut).
    pub message: Option<String>,
    /// The language of the message, and the one that the driver likes best, such as `de` (2.x, 8 characters).
    pub language: Option<String>,
    /// The language that the driver likes second best (2.x, 8 characters).
    pub second_language: Option<String>,
    /// The priority that the driver is to have when power is short, -9 to 9; 0 is the default (2.x).
    pub charging_priority: Option<i64>,
    /// Whether the certificates of [`Question::AuthorizeContract`](super::Question::AuthorizeContract) are good. Without it they
    /// count as not verified. The session sees to it that both verdicts go together (2.1 part 2, C07.FR.13 to C07.FR.17).
    pub certificate: Option<CertificateStatus>,
    /// The driver's own tariff (2.1, I08). It has no `validFrom` on the wire, because it holds from now on.
    pub tariff: Option<Box<TariffType>>,
    /// The ways in which the vehicle may be charged, in the standard's words; empty where it is not said (2.1, ISO 15118 only).
    pub allowed_energy_transfer: Vec<String>,
    /// The id that a 1.6 transaction gets; without it the session takes the next of its own. Must never have been given to
    /// this station before: a number that was is replaced by the session's own.
    pub transaction_id: Option<i64>,
}

impl Authorization {
    /// An answer with nothing but the status.
    #[must_use]
    pub const fn new(status: AuthorizationStatus) -> Self {
        Self {
            status,
            group: None,
            cache_expires_at: None,
            evses: Vec::new(),
            message: None,
            language: None,
            second_language: None,
            charging_priority: None,
            certificate: None,
            tariff: None,
            allowed_energy_transfer: Vec::new(),
            transaction_id: None,
        }
    }

    /// The token may charge.
    #[must_use]
    pub const fn accepted() -> Self {
        Self::new(AuthorizationStatus::Accepted)
    }

    /// The answer about a contract: what is said of the token agrees with what is said of its certificate.
    pub(super) fn of_contract(mut self) -> Self {
        use AuthorizationStatus::{Blocked, Expired, Invalid, Unknown};
        let certificate = self.certificate.unwrap_or(CertificateStatus::CertChainError);
        match certificate {
            // C07.FR.13: the certificate is valid, but the contract is not.
            CertificateStatus::Accepted | CertificateStatus::ContractCancelled
                if matches!(self.status, Blocked | Expired | Invalid | Unknown) =>
            {
                self.certificate = Some(CertificateStatus::ContractCancelled);
            }
            // C07.FR.14
            CertificateStatus::Accepted => {}
            CertificateStatus::ContractCancelled => self.status = Invalid,
            // C07.FR.15
            CertificateStatus::CertificateExpired => self.status = Expired,
            // C07.FR.16
            CertificateStatus::CertificateRevoked => self.status = Invalid,
            // C07.FR.17
            CertificateStatus::SignatureError
            | CertificateStatus::NoCertificateAvailable
            | CertificateStatus::CertChainError => {
                self.certificate = Some(CertificateStatus::CertChainError);
                self.status = Invalid;
            }
        }
        self
    }
}
