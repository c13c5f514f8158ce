//! Who is let in: the decision about a connection before it is made.

use jiff::Timestamp;
use ocpp_core::transport::Credentials;

use crate::access::PasswordKey;
use crate::config::{Config, UnknownStations};
use crate::store::{Registration, Station, Store, StoreError};

/// Identities are this long at most (2.1 part 4, 3.1.1).
const MAX_ID: usize = 48;

/// An identity that no station can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a station's identity has 1 to 48 characters, none of them a colon or a control character")]
pub struct StationIdError;

/// Checks the form of an identity (2.1 part 4, 3.1.1).
///
/// # Errors
/// When no station can be called so.
pub fn check_id(id: &str) -> Result<(), StationIdError> {
    let barred = |character: char| character == ':' || character.is_control();
    let fits = !id.is_empty() && id.chars().count() <= MAX_ID && !id.chars().any(barred);
    if fits { Ok(()) } else { Err(StationIdError) }
}

/// Why a station is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Its identity has no valid form.
    #[error(transparent)]
    Id(#[from] StationIdError),
    /// Nobody entered it, and unknown stations are refused.
    #[error("the station is not known: enter it with PUT /api/v1/stations/{{id}}, or allow unknown stations")]
    Unknown,
    /// Nobody entered it, and too many like it are waiting.
    #[error("too many stations that nobody entered are waiting: enter this one, or raise max_unknown_stations")]
    TooManyUnknown,
    /// It came without a password, or with a wrong one.
    #[error("the password is missing or wrong")]
    Unauthorized,
    /// Nobody decided how it must prove who it is, and the configuration does not let it in without.
    #[error(
        "the station has no password, and stations without one are not let in: give it one, set its security_profile to 0, \
         or set allow_no_security"
    )]
    NoSecurity,
    /// Its security profile asks for TLS, and the connection has none.
    #[error("security profile {0} asks for TLS, and this connection has none")]
    NeedsTls(u8),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Decides about a connection without TLS from what the operator entered.
///
/// A station that is rejected is let in: it learns so by the answer to its boot.
///
/// # Errors
/// When the station is not let in; the error says why and what the operator can do.
pub(super) async fn admit(
    store: &Store,
    key: &PasswordKey,
    config: &Config,
    id: &str,
    credentials: Option<&Credentials>,
) -> Result<Station, Refusal> {
    check_id(id)?;
    let station = match store.station(id).await? {
        Some(station) => station,
        None => onboard(store, config, id).await?,
    };
    match station.security_profile {
        // A00.FR.204, A00.FR.304: the user name is the identity.
        Some(1) => match (&station.password_hash, credentials.filter(|credentials| credentials.user == id)) {
            (Some(hash), Some(credentials)) if key.verify(id, &credentials.password, hash) => Ok(station),
            _ => Err(Refusal::Unauthorized),
        },
        Some(profile @ 2..) => Err(Refusal::NeedsTls(profile)),
        Some(_) => Ok(station),
        None if config.allow_no_security => Ok(station),
        None => Err(Refusal::NoSecurity),
    }
}

async fn onboard(store: &Store, config: &Config, id: &str) -> Result<Station, Refusal> {
    let registration = match config.unknown_stations {
        UnknownStations::Accept => Registration::Accepted,
        UnknownStations::Pending => Registration::Pending,
        UnknownStations::Reject => return Err(Refusal::Unknown),
    };
    if !config.allow_no_security {
        return Err(Refusal::NoSecurity);
    }
    store.onboard_station(id, registration, config.max_unknown_stations, Timestamp::now()).await?;
    // Asked for again rather than made up: the operator may have entered it at this very moment.
    store.station(id).await?.ok_or(Refusal::TooManyUnknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_counted_in_characters() {
        assert!(check_id(&"é".repeat(48)).is_ok());
        assert!(check_id(&"e".repeat(49)).is_err());
        assert!(check_id("").is_err());
        assert!(check_id("a\nb").is_err());
        assert!(check_id("a:b").is_err());
        assert!(check_id("RDAM|123").is_ok());
    }
}
