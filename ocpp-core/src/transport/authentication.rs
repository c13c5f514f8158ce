//! Whether a station is who it says it is, as its security profile has it.

use std::fmt;

use super::handshake::{Refused, UpgradeRequest};
use super::tls::TlsPeer;
use crate::pki::{Certificate, SubjectError, check_station_certificate};

/// The security profiles (2.1 part 2, A00, 1.3; 1.6 security, 2.1), from the least secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecurityProfile {
    /// 0: a station need not prove who it is. No profile of the standard; for closed networks and tests.
    None,
    /// 1: a password, not encrypted.
    Basic,
    /// 2: a password over TLS.
    TlsWithBasic,
    /// 3: a certificate over TLS.
    TlsWithCertificate,
}

impl SecurityProfile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Basic, Self::TlsWithBasic, Self::TlsWithCertificate];

    /// The number by which the standard calls it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Basic => 1,
            Self::TlsWithBasic => 2,
            Self::TlsWithCertificate => 3,
        }
    }

    /// The profile with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.number() == number)
    }
}

impl fmt::Display for SecurityProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// What a CSMS knows of the station that a connection claims to be.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct KnownStation<'a> {
    /// The profile that it uses. A higher one is let in, too, if everything about it is right: the station was told to change to it, and
    /// does. The CSMS then keeps the higher one (A05.FR.07; 1.6 security, A05.FR.09).
    pub profile: SecurityProfile,
    /// Whether this is its password. [`UpgradeRequest::credentials`] come in several forms, all of which are asked for.
    pub password: &'a dyn Fn(&[u8]) -> bool,
    /// Its serial number, where the CSMS knows it for certain. Without one its certificate has to name its identity.
    pub serial_number: Option<&'a str>,
    /// The name of the operator, which its certificate has to name. `None`: any.
    pub operator: Option<&'a str>,
}

impl fmt::Debug for KnownStation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownStation")
            .field("profile", &self.profile)
            .field("serial_number", &self.serial_number)
            .field("operator", &self.operator)
            .finish_non_exhaustive()
    }
}

impl<'a> KnownStation<'a> {
    /// A station of which only the profile and the password are known.
    #[must_use]
    pub fn new(profile: SecurityProfile, password: &'a dyn Fn(&[u8]) -> bool) -> Self {
        Self { profile, password, serial_number: None, operator: None }
    }
}

/// Why a station is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticationError {
    /// It comes with a lower security profile than it uses (A00.FR.002, A05.FR.07).
    #[error("security profile {required} is needed, and it came with {offered}")]
    ProfileTooLow {
        /// The one that it uses.
        required: SecurityProfile,
        /// The one that it comes with.
        offered: SecurityProfile,
    },
    /// It sent no credentials (A00.FR.203, A00.FR.302).
    #[error("it sent no password")]
    NoCredentials,
    /// The user name is another one's identity (A00.FR.204, A00.FR.303).
    #[error("the user name {0:?} is not its identity")]
    OtherUser(String),
    /// The password is wrong (A00.FR.207, A00.FR.324).
    #[error("the password is wrong")]
    WrongPassword,
    /// The certificate is another station's (A00.FR.405).
    #[error("its certificate is that of {0:?}")]
    OtherStation(String),
    /// The certificate is not one for a station of this operator (A00.FR.404, A00.FR.501 to A00.FR.503, A00.FR.511).
    #[error("its certificate is not one for a station of this operator: {0}")]
    Subject(#[from] SubjectError),
}

impl AuthenticationError {
    /// The response that refuses the connection: 401 where credentials were expected, 403 where others cannot help.
    #[must_use]
    pub fn refused(&self) -> Refused {
        match self {
            Self::NoCredentials | Self::OtherUser(_) | Self::WrongPassword => Refused::unauthorized(),
            _ => Refused::forbidden(),
        }
    }

    /// The security event that a CSMS logs for it, by its name in the standard (2.1 part 2 appendices, 1; A00.FR.408; 1.6 security,
    /// A00.FR.323/408).
    #[must_use]
    pub const fn security_event(&self) -> &'static str {
        match self {
            Self::OtherStation(_) | Self::Subject(_) => "InvalidChargingStationCertificate",
            _ => "FailedToAuthenticateAtCsms",
        }
    }
}

/// Decides whether a connection is the station that it claims to be, and with which security profile it came. `tls` is what the TLS
/// server found out, `None` for a connection without TLS.
///
/// One profile counts at a time (A00.FR.001): a station that uses a password is let in by the password whatever certificate it shows, and
/// one that uses a certificate by the certificate whatever password it sends. Only who sends no password at all, but a certificate, has
/// changed over to profile 3.
///
/// # Errors
/// Why the connection has to be refused.
pub fn authenticate(
    known: &KnownStation<'_>,
    request: &UpgradeRequest,
    tls: Option<&TlsPeer>,
) -> Result<SecurityProfile, AuthenticationError> {
    let certificate = tls.and_then(|peer| peer.certificate.as_ref());
    let offered = match (&request.credentials, tls, certificate) {
        (_, Some(_), Some(_))
            if known.profile == SecurityProfile::TlsWithCertificate || request.credentials.is_none() =>
        {
            SecurityProfile::TlsWithCertificate
        }
        (Some(_), Some(_), _) => SecurityProfile::TlsWithBasic,
        (Some(_), None, _) => SecurityProfile::Basic,
        (None, ..) => SecurityProfile::None,
    };
    if known.profile == SecurityProfile::None {
        return Ok(SecurityProfile::None);
    }
    match offered {
        // Over TLS or not: what is missing is the password, and the station can be asked for it.
        SecurityProfile::None if known.profile == SecurityProfile::Basic => Err(AuthenticationError::NoCredentials),
        SecurityProfile::None if known.profile == SecurityProfile::TlsWithBasic && tls.is_some() => {
            Err(AuthenticationError::NoCredentials)
        }
        // A00.FR.002, A05.FR.07
        offered if offered < known.profile => {
            Err(AuthenticationError::ProfileTooLow { required: known.profile, offered })
        }
        SecurityProfile::TlsWithCertificate => {
            certificate.map_or(Ok(()), |certificate| owner(known, &request.station, certificate))?;
            Ok(SecurityProfile::TlsWithCertificate)
        }
        offered => {
            password(known, request)?;
            Ok(offered)
        }
    }
}

/// A00.FR.204, A00.FR.207, A00.FR.303, A00.FR.324; 1.6 security, A00.FR.204/303
fn password(known: &KnownStation<'_>, request: &UpgradeRequest) -> Result<(), AuthenticationError> {
    let credentials = request.credentials.as_ref().ok_or(AuthenticationError::NoCredentials)?;
    if credentials.user != request.station {
        return Err(AuthenticationError::OtherUser(credentials.user.clone()));
    }
    let matches = credentials.password_matches(request.version, known.password);
    if matches { Ok(()) } else { Err(AuthenticationError::WrongPassword) }
}

/// Whether a certificate, whose path was verified, belongs to the station.
fn owner(known: &KnownStation<'_>, station: &str, certificate: &Certificate) -> Result<(), AuthenticationError> {
    // A00.FR.404; 1.6 security, A00.FR.404
    check_station_certificate(certificate, known.operator)?;
    // A00.FR.405; 1.6 security, A00.FR.405
    let common_name = certificate.common_name().unwrap_or_default();
    let contains = |serial_number: &str| {
        // A whole word of it: CP-1 is not meant where CP-10 is named.
        !serial_number.is_empty()
            && (common_name == serial_number || common_name.split_whitespace().any(|word| word == serial_number))
    };
    if common_name == station || known.serial_number.is_some_and(contains) {
        Ok(())
    } else {
        Err(AuthenticationError::OtherStation(common_name.to_owned()))
    }
}
