//! The names that the application and the session use for transactions, tokens, places and conversations.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

/// A transaction's name, unique for its station. In 2.x the station chooses it (36 characters at most); in 1.6 the CSMS does,
/// and this is the integer in decimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransactionId(String);

impl TransactionId {
    /// A transaction of this name.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The integer that a 1.6 station knows the transaction by; `None` for the names of 2.x.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl From<i64> for TransactionId {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a driver identifies with. Compared without regard to case (2.1 part 2, IdTokenType; 1.6 edition 2, 7.28).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The identifier itself, as received.
    pub id: String,
    /// The kind in the standard's words, such as `ISO14443`, `Central`, `eMAID` or `NoAuthorization`. 1.6 knows no kinds.
    pub kind: Option<String>,
    /// What else is known of it, such as the last digits of the card of a `DirectPayment` (2.x; 2.1 part 2, C18.FR.06).
    #[serde(default)]
    pub additional_info: Vec<AdditionalInfo>,
}

/// One thing that is known of a token besides its identifier (2.x, AdditionalInfoType).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdditionalInfo {
    /// What kind of thing it is, as agreed between the parties (50 characters).
    pub kind: String,
    /// The thing itself (255 characters; 36 in 2.0.1).
    pub value: String,
}

impl Token {
    /// A token without a kind, as 1.6 has them. Sent to a 2.x station, it is taken to be of the kind `Central`.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), kind: None, additional_info: Vec::new() }
    }

    /// A token of a kind, in the standard's words.
    pub fn with_kind(id: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { id: id.into(), kind: Some(kind.into()), additional_info: Vec::new() }
    }
}

/// A place at a station. In 1.6 every connector stands for an EVSE of its own: connector 2 is EVSE 2, connector 1 of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The EVSE, counted from 1.
    pub evse: i64,
    /// The connector of the EVSE, counted from 1; `None` where the station doesn't say.
    pub connector: Option<i64>,
}

impl Place {
    /// An EVSE, whichever connector.
    #[must_use]
    pub const fn evse(evse: i64) -> Self {
        Self { evse, connector: None }
    }

    /// A connector of an EVSE.
    #[must_use]
    pub const fn connector(evse: i64, connector: i64) -> Self {
        Self { evse, connector: Some(connector) }
    }
}

/// Names a command; chosen by the application, returned with the result. The session gives it no meaning. Where flows are to outlive the
/// node, it must be another one in each life of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommandId(pub u64);

/// Names a question; chosen by the session, returned with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub u64);

/// Names a batch of facts to store; chosen by the session, returned by the acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreToken(pub u64);
