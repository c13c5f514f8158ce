//! The application's judgement of a token.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
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

/// The answer about a token.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Authorization {
    /// Whether it may charge.
    pub status: AuthorizationStatus,
    /// The group it belongs to: tokens of a group may stop each other's transactions.
    pub group: Option<Token>,
    /// Until when the answer may be kept.
    pub cache_expires_at: Option<Timestamp>,
    /// The EVSEs where it may charge; empty where it may at all of them (2.x, C01.FR.19, C01.FR.20).
    pub evses: Vec<i64>,
    /// Words to show to the driver (2.x, 512 characters; longer text is cut).
    pub message: Option<String>,
    /// The language of the message, such as `de` (2.x, 8 characters).
    pub language: Option<String>,
    /// The cost so far of the transaction, in the station's currency, taxes included (2.x, transactions only).
    pub total_cost: Option<rust_decimal::Decimal>,
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
            total_cost: None,
            transaction_id: None,
        }
    }

    /// The token may charge.
    #[must_use]
    pub const fn accepted() -> Self {
        Self::new(AuthorizationStatus::Accepted)
    }
}
