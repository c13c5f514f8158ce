//! Whom either side believes, whichever implementation asks.

use jiff::Timestamp;

use super::error::{CertificateFault, TlsOptionsError};
use crate::pki::{Certificate, ChainError, Purpose, RevocationList, verify_chain};

/// Trusted roots, and what was revoked.
#[derive(Debug)]
pub(super) struct Judgement {
    roots: Vec<Certificate>,
    revoked: Vec<RevocationList>,
    purpose: Purpose,
}

impl Judgement {
    pub(super) fn new(
        roots: Vec<Certificate>,
        revocation_lists: &[String],
        purpose: Purpose,
    ) -> Result<Self, TlsOptionsError> {
        let revoked = revocation_lists
            .iter()
            .map(|list| RevocationList::parse(list.as_bytes()))
            .collect::<Result<_, _>>()
            .map_err(|error| TlsOptionsError::Pem { what: "revocation list", reason: error.to_string() })?;
        Ok(Self { roots, revoked, purpose })
    }

    pub(super) fn roots(&self) -> &[Certificate] {
        &self.roots
    }

    /// Verifies the path to a root (A00.FR.308, A00.FR.403, A00.FR.411; 1.6 security, A00.FR.307, A00.FR.403, A00.FR.411) and that nothing
    /// on it was revoked (A00.FR.705; 1.6 security, A00.FR.704).
    pub(super) fn path(&self, chain: &[Certificate], at: Timestamp) -> Result<(), CertificateFault> {
        verify_chain(chain, &self.roots, at, self.purpose, &self.revoked).map_err(|error| match error {
            ChainError::Empty => CertificateFault::Missing,
            ChainError::NotYetValid => CertificateFault::NotYetValid,
            ChainError::Expired => CertificateFault::Expired,
            // A root of the same name that did not sign it is another root.
            ChainError::UnknownIssuer | ChainError::BadSignature => CertificateFault::UnknownIssuer,
            ChainError::Revoked => CertificateFault::Revoked,
            error => CertificateFault::Invalid(error.to_string()),
        })
    }
}

/// The certificates of a PEM text, at least one.
pub(super) fn certificates(pem: &str, what: &'static str) -> Result<Vec<Certificate>, TlsOptionsError> {
    Certificate::chain_from_pem(pem).map_err(|error| TlsOptionsError::Pem { what, reason: error.to_string() })
}

/// Whether a certificate is that of a host. The standard wants its name in the common name and advises against a subjectAltName (A00.FR.309,
/// A00.FR.412, A00.FR.510), so that one without such a name is judged by its common name.
pub(super) fn is_common_name_of(certificate: &Certificate, host: &str) -> bool {
    certificate.dns_names().next().is_none() && certificate.common_name().is_some_and(|name| names(name, host))
}

/// Whether a common name is that of the host, or covers it by an asterisk for its first label (RFC 6125, 6.4.3).
fn names(common_name: &str, host: &str) -> bool {
    let is_covered = |suffix: &str| host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(suffix));
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let wildcard = common_name.strip_prefix("*.").filter(|suffix| suffix.contains('.') && !is_address);
    common_name.eq_ignore_ascii_case(host) || wildcard.is_some_and(is_covered)
}

#[cfg(test)]
mod tests {
    use super::names;

    // A00.FR.309, A00.FR.412; 1.6 security, A00.FR.308, A00.FR.412
    #[test]
    fn a_common_name_is_compared_as_a_host() {
        for (common_name, host, same) in [
            ("csms.example.com", "CSMS.example.com", true),
            ("*.example.com", "csms.example.com", true),
            ("*.example.com", "a.csms.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.com", "example.com", false),
            ("*", "csms", false),
            ("csms.example.com", "csms.example.com.evil.example", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("*.0.0.1", "127.0.0.1", false),
        ] {
            assert_eq!(names(common_name, host), same, "{common_name} {host}");
        }
    }
}
