//! The authority of this installation as stations know it: it signs what they ask for (A02, A03), under the root that the port trusts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use ocpp_core::pki::{self, RequestError, Serial, Terms, Validity};

use super::authority::{Authority, AuthorityError};

/// How long a station's certificate lasts; the station renews it a month before (A03.FR.02).
const VALIDITY: SignedDuration = SignedDuration::from_hours(365 * 24);
/// A station's clock may be late (A02.FR.06).
const TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// Where the authority of this installation is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityFolder {
    /// The folder; made when it is needed first.
    pub folder: PathBuf,
    /// Who owns the certificates.
    pub organization: String,
    /// The organisation that stations have to name; any without it (A00.FR.509).
    pub operator: Option<String>,
}

/// Why a certificate is not signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// Another authority signs for this installation.
    #[error("the stations of this installation have certificates of another authority (tls client_ca)")]
    NoAuthority,
    /// The authority cannot be used.
    #[error(transparent)]
    Folder(#[from] AuthorityError),
    /// The request is not one that this station may make.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// Signs the certificates of stations.
#[derive(Debug)]
pub(crate) struct Signer {
    kept: Option<AuthorityFolder>,
    /// Read when it is needed first.
    authority: Mutex<Option<Arc<pki::Authority>>>,
}

impl Signer {
    /// Without an authority nothing is signed.
    pub(crate) fn new(kept: Option<AuthorityFolder>) -> Self {
        Self { kept, authority: Mutex::default() }
    }

    /// Signs a station's request if it is for one of its names. PEM, the station's certificate first.
    pub(crate) fn sign(&self, request: &str, names: &[&str], now: Timestamp) -> Result<String, SigningError> {
        let kept = self.kept.as_ref().ok_or(SigningError::NoAuthority)?;
        let authority = self.authority(kept)?;
        let from = now.checked_sub(TOLERANCE).unwrap_or(now);
        let until = now.checked_add(VALIDITY).unwrap_or(now);
        let mut refused = RequestError::CommonName { expected: String::new(), found: None };
        for name in names {
            // The version bits of the number are not random; what is left is enough (RFC 5280, 4.1.2.2).
            let mut terms =
                Terms::new(name, "", Validity { from, until }, Serial::from_random(*uuid::Uuid::new_v4().as_bytes()));
            terms.organization = kept.operator.as_deref();
            match authority.sign(request, &terms) {
                Ok(issued) => return Ok(issued.chain),
                Err(error @ RequestError::CommonName { .. }) => refused = error,
                Err(error) => return Err(error.into()),
            }
        }
        Err(refused.into())
    }

    fn authority(&self, kept: &AuthorityFolder) -> Result<Arc<pki::Authority>, SigningError> {
        let mut known = self.authority.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(authority) = &*known {
            return Ok(Arc::clone(authority));
        }
        let authority = Authority::open(&kept.folder, &kept.organization)?;
        let authority = Arc::new(authority.stations(&kept.folder)?);
        *known = Some(Arc::clone(&authority));
        Ok(authority)
    }
}
