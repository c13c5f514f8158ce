//! Whom either side believes, whichever implementation asks.

use jiff::Timestamp;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;

use super::error::{CertificateFault, TlsOptionsError};
use super::options::{TlsClientOptions, TlsServerOptions, TrustRoots};
use crate::pki::{Certificate, ChainError, Purpose, RevocationList, verify_chain};

/// Trusted roots, and what was revoked.
#[derive(Debug)]
pub(super) struct Judgement {
    roots: Vec<Certificate>,
    revoked: Vec<RevocationList>,
    purpose: Purpose,
    /// Common names of those whose certificate may have expired.
    may_have_expired: Vec<String>,
}

impl Judgement {
    fn new(roots: Vec<Certificate>, revocation_lists: &[String], purpose: Purpose) -> Result<Self, TlsOptionsError> {
        let revoked = revocation_lists
            .iter()
            .map(|list| RevocationList::parse(list.as_bytes()))
            .collect::<Result<_, _>>()
            .map_err(|error| TlsOptionsError::Pem { what: "revocation list", reason: error.to_string() })?;
        Ok(Self { roots, revoked, purpose, may_have_expired: Vec::new() })
    }

    /// Judges what a server shows: its path, then its name (A00.FR.309, A00.FR.412), among the subjectAltNames as is usual, or as the
    /// standard has it.
    pub(super) fn server(&self, chain: &[Certificate], name: &str, at: Timestamp) -> Result<(), CertificateFault> {
        self.path(chain, at)?;
        let leaf = chain.first().ok_or(CertificateFault::Missing)?;
        let host = server_name(name).ok_or(CertificateFault::WrongName)?;
        let der = CertificateDer::from(leaf.der());
        let parsed = ParsedCertificate::try_from(&der).map_err(|error| CertificateFault::Invalid(error.to_string()))?;
        if verify_server_name(&parsed, &host).is_ok() || is_common_name_of(leaf, name) {
            Ok(())
        } else {
            Err(CertificateFault::WrongName)
        }
    }

    fn may_have_expired(&self, leaf: &Certificate) -> bool {
        leaf.common_name().is_some_and(|name| self.may_have_expired.iter().any(|known| known == name))
    }

    pub(super) fn roots(&self) -> &[Certificate] {
        &self.roots
    }

    /// Verifies the path to a root (A00.FR.308, A00.FR.403, A00.FR.411; 1.6 security, A00.FR.307, A00.FR.403, A00.FR.411) and that nothing
    /// on it was revoked (A00.FR.705; 1.6 security, A00.FR.704).
    pub(super) fn path(&self, chain: &[Certificate], at: Timestamp) -> Result<(), CertificateFault> {
        let verify = |at| verify_chain(chain, &self.roots, at, self.purpose, &self.revoked);
        let judged = match (verify(at), chain.first()) {
            // A00.FR.429, A00.FR.807: everything else about it has to be right, as of when it was valid.
            (Err(ChainError::Expired), Some(leaf)) if self.may_have_expired(leaf) => verify(at.min(leaf.not_after())),
            (judged, _) => judged,
        };
        judged.map_err(|error| match error {
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

/// Whom a client believes.
pub(super) fn server_roots(options: &TlsClientOptions) -> Result<Judgement, TlsOptionsError> {
    let roots = match &options.roots {
        TrustRoots::System => system_roots()?,
        TrustRoots::Pem(pem) => certificates(pem, "root certificates")?,
    };
    Judgement::new(roots, &options.revocation_lists, Purpose::Csms)
}

/// Whom a server believes; `None`: it asks nobody for a certificate.
pub(super) fn client_roots(options: &TlsServerOptions) -> Result<Option<Judgement>, TlsOptionsError> {
    let Some(pem) = &options.client_roots else { return Ok(None) };
    let roots = certificates(pem, "root certificates of clients")?;
    let judgement = Judgement::new(roots, &options.revocation_lists, Purpose::Station)?;
    Ok(Some(Judgement { may_have_expired: options.may_have_expired.clone(), ..judgement }))
}

fn system_roots() -> Result<Vec<Certificate>, TlsOptionsError> {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<_> = found.certs.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
    if roots.is_empty() {
        let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        return Err(TlsOptionsError::NoSystemRoots(reasons.join("; ")));
    }
    Ok(roots)
}

/// A moment as TLS has it. Later than can be written is never.
pub(super) fn moment(time: UnixTime) -> Timestamp {
    let seconds = i64::try_from(time.as_secs()).ok();
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX)
}

/// A name of a server as TLS knows it; `None` when it can be none.
pub(super) fn server_name(name: &str) -> Option<ServerName<'static>> {
    // An IPv6 address comes in brackets when it comes from a URL.
    ServerName::try_from(name.trim_start_matches('[').trim_end_matches(']').to_owned()).ok()
}

/// The certificates of a PEM text, at least one.
pub(super) fn certificates(pem: &str, what: &'static str) -> Result<Vec<Certificate>, TlsOptionsError> {
    Certificate::chain_from_pem(pem).map_err(|error| TlsOptionsError::Pem { what, reason: error.to_string() })
}

/// Whether a certificate is that of a host. The standard wants its name in the common name and advises against a subjectAltName (A00.FR.309,
/// A00.FR.412, A00.FR.510), so that one without such a name is judged by its common name.
fn is_common_name_of(certificate: &Certificate, host: &str) -> bool {
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
