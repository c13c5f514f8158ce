//! Why something about access was not done.

use std::time::Duration;

use crate::store::StoreError;

use super::NoEntropy;

/// Why something about access was not done, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Name and password do not belong together, or the account may not sign in. Which, is not told.
    #[error("the name or the password is wrong, or the account is disabled: try again, or ask for a new link")]
    WrongPassword,
    /// Too many wrong passwords.
    #[error("too many wrong passwords: try again in {} s", .0.as_secs() + 1)]
    TooManyAttempts(Duration),
    /// Too many people sign in at once.
    #[error("too many people sign in at this moment: try again in a few seconds")]
    Busy,
    /// The new password is too short or too long.
    #[error("a password has 10 to 200 characters: choose another one")]
    WeakPassword,
    /// A name is missing, too long, or has control characters.
    #[error("{0} has 1 to {1} characters and no control characters")]
    Text(&'static str, usize),
    /// A driver's login is neither an address nor a number.
    #[error(
        "a driver signs in with an e-mail address, such as ada@example.org, or a telephone number, such as +250788123456"
    )]
    Login,
    /// Somebody has that name already.
    #[error("there is an account of this name already: choose another name")]
    Taken,
    /// Nobody has it.
    #[error("there is no {0} {1:?}")]
    Unknown(&'static str, String),
    /// Nobody could administer any more.
    #[error("this is the last admin who can sign in: make another one first")]
    LastAdmin,
    /// The link is over.
    #[error("this link was used already, or is over: ask an admin for another one")]
    Link,
    /// Drivers do not register themselves here.
    #[error("drivers do not register themselves here: ask the operator for an account")]
    Closed,
    /// Drivers need an invitation here.
    #[error("registering needs an invitation: ask the operator for a link")]
    InvitationNeeded,
    /// A token pays from a balance, and nobody has one.
    #[error("a token that pays from a balance belongs to a driver: name the driver")]
    BalanceOfNobody,
    /// An API token may not have these scopes.
    #[error("an API token has at least one of the scopes view, operate, account, administer")]
    Scopes,
    /// An end that is over already.
    #[error("expires_at is over already: choose a moment to come, or none")]
    Expiry,
    /// There is nobody signed in.
    #[error("this needs somebody who signed in: sign in first")]
    NotSignedIn,
    /// A hash could not be made.
    #[error("the password could not be hashed: try again")]
    Hashing,
    /// There is nothing to make secrets of.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The database failed.
    #[error("the database failed; the log of the server says how")]
    Store(#[from] StoreError),
}
