//! Who is let in: the decision about a connection before it is made.
//!
//! Who is turned away for a reason of security is noted as a security event (1.6 security, A00.FR.323).

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;
use ocpp_core::csms::flows::PasswordUsed;
use ocpp_core::transport::{AuthenticationError, KnownStation, SecurityProfile, TlsPeer, UpgradeRequest, authenticate};

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
    /// It did not prove who it is as its security profile asks for.
    #[error("{0}")]
    Authentication(AuthenticationError),
    /// Too many wrong passwords came from its address.
    #[error("too many wrong passwords: the next attempt counts in {} s", .0.as_secs() + 1)]
    TooManyAttempts(Duration),
    /// Nobody decided how it must prove who it is, and the configuration does not let it in without.
    #[error(
        "the station has no password, and stations without one are not let in: give it one, set its security_profile to 0, \
         or set allow_no_security"
    )]
    NoSecurity,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A station that is let in.
#[derive(Debug)]
pub(super) struct Admission {
    /// What it was let in by.
    pub(super) station: Station,
    /// The security profile with which it came.
    pub(super) profile: SecurityProfile,
    /// Which of two passwords it came with, while there are two.
    pub(super) password: Option<PasswordUsed>,
}

/// Decides about a connection from what the operator entered.
///
/// A station that is rejected is let in: it learns so by the answer to its boot.
///
/// # Errors
/// When the station is not let in; the error says why and what the operator can do.
pub(super) async fn admit(
    store: &Store,
    key: &PasswordKey,
    config: &Config,
    request: &UpgradeRequest,
    tls: Option<&TlsPeer>,
) -> Result<Admission, Refusal> {
    let id = &*request.station;
    check_id(id)?;
    let known = store.station(id).await?;
    // Only a station with a password is ever given another.
    let new = match &known {
        Some(station) if station.password_hash.is_some() => store.new_password(id).await?.filter(|new| new.usable),
        _ => None,
    };
    let (profile, password) = {
        let used = Cell::new(None);
        let proof = |profile, station: Option<&Station>| {
            let hash = station.and_then(|station| station.password_hash.as_deref());
            let is_password = |sent: &[u8]| {
                if hash.is_some_and(|hash| key.verify(id, sent, hash)) {
                    used.set(new.as_ref().map(|_| PasswordUsed::Old));
                    return true;
                }
                let is_new = new.as_ref().is_some_and(|new| key.verify(id, sent, &new.password_hash));
                if is_new {
                    used.set(Some(PasswordUsed::New));
                }
                is_new
            };
            let mut known = KnownStation::new(profile, &is_password);
            known.operator = config.operator.as_deref();
            known.serial_number = station.and_then(|station| station.certificate_name.as_deref());
            authenticate(&known, request, tls)
        };
        let number = known.as_ref().and_then(|station| station.security_profile);
        let profile = match number
            .map(|number| SecurityProfile::from_number(number).unwrap_or(SecurityProfile::TlsWithCertificate))
        {
            // A00.FR.001, A00.FR.002, A05.FR.07; 1.6 security, A00.FR.001/002, A05.FR.09
            Some(required) => proof(required, known.as_ref()).map_err(Refusal::Authentication)?,
            // A valid certificate in its own name proves who it is, also before anybody decided.
            None => match proof(SecurityProfile::TlsWithCertificate, known.as_ref()) {
                Ok(proven) => proven,
                Err(_) if config.allow_no_security => SecurityProfile::None,
                Err(_) => match known {
                    None if config.unknown_stations == UnknownStations::Reject => return Err(Refusal::Unknown),
                    _ => return Err(Refusal::NoSecurity),
                },
            },
        };
        (profile, used.get())
    };
    let station = match known {
        Some(station) => station,
        None => onboard(store, config, id).await?,
    };
    Ok(Admission { station, profile, password })
}

async fn onboard(store: &Store, config: &Config, id: &str) -> Result<Station, Refusal> {
    let registration = match config.unknown_stations {
        UnknownStations::Accept => Registration::Accepted,
        UnknownStations::Pending => Registration::Pending,
        UnknownStations::Reject => return Err(Refusal::Unknown),
    };
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
