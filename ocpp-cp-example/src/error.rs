//! Why a simulator refuses.

/// Why a command to a running station wasn't carried out. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The station has no such EVSE, connector or setting.
    #[error("{0}")]
    Unknown(String),
    /// It can't be done in the state that the station is in.
    #[error("{0}")]
    NotPossible(String),
    /// What was given makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The station has no such function.
    #[error("{0}")]
    NotSupported(String),
    /// The station has been shut down.
    #[error("the station has been shut down")]
    Stopped,
}

/// Why a station couldn't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration makes no sense.
    #[error("{0}")]
    Configuration(String),
    /// What it kept can't be read or written.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
