//! Security profiles on the socket.

use ocpp_core::station::{Connect, ConnectionFailure};
use ocpp_core::transport::{
    CertificateAndKey, ConnectError, TlsClient, TlsClientOptions, TlsError, TlsOptionsError, TrustRoots,
};

use super::keys::Keys;

/// What a connection by TLS needs; `None` for one without.
pub(super) fn client(connect: &Connect, keys: &Keys) -> Result<Option<TlsClient>, TlsOptionsError> {
    if !connect.csms_url.starts_with("wss:") {
        return Ok(None);
    }
    let mut options = TlsClientOptions::default();
    // Without a security profile a station trusts whom its operating system trusts.
    if connect.security_profile > 0 || !connect.csms_roots.is_empty() {
        options.roots = TrustRoots::Pem(connect.csms_roots.concat());
    }
    options.certificate = connect.certificate.as_ref().map(|certificate| {
        let key = keys.pem(&certificate.key).unwrap_or_default();
        CertificateAndKey::new(certificate.chain.clone(), key)
    });
    TlsClient::new(&options).map(Some)
}

/// What kind of failure it is to the station.
pub(super) fn failure(error: &ConnectError) -> ConnectionFailure {
    match error {
        ConnectError::Unauthorized | ConnectError::Forbidden | ConnectError::Tls(TlsError::OwnCertificate(_)) => {
            ConnectionFailure::Unauthorized
        }
        ConnectError::Tls(TlsError::Certificate(_)) => ConnectionFailure::CsmsCertificate,
        ConnectError::Tls(TlsError::NoCommonVersion) => ConnectionFailure::TlsVersion,
        ConnectError::Tls(TlsError::NoCommonCipherSuite) => ConnectionFailure::TlsCipherSuite,
        _ => ConnectionFailure::Other,
    }
}
