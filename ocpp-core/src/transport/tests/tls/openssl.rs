//! The other implementation, and the cipher suites for which it is there.

use std::pin::Pin;

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use tokio_openssl::SslStream;

use super::authority::{Authority, expired, not_yet_valid, numbered};
use super::protocol::{answer, client_hello};
use super::{Outcome, Server, failure, server_of, station_of, success, tls_error};
use crate::transport::{
    CertificateFault, ConnectError, ConnectRequest, TlsBackend, TlsError, TlsServer, TlsServerOptions, connect_over,
};

/// A CSMS with a certificate of each kind of key.
fn options(authority: &Authority, backend: TlsBackend) -> TlsServerOptions {
    let mut options = server_of(authority);
    options.certificates.push(authority.csms_rsa_with(|_| {}));
    options.backend = backend;
    options
}

/// A client that nobody here wrote, which offers only this suite of TLS 1.2.
async fn offering(server: Server, authority: &Authority, suite: &str) -> Result<(), openssl::ssl::Error> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    builder.set_cipher_list(suite).unwrap();
    builder.cert_store_mut().add_cert(X509::from_pem(authority.pem().as_bytes()).unwrap()).unwrap();
    builder.set_verify(SslVerifyMode::PEER);
    let ssl = builder.build().configure().unwrap().into_ssl("csms.example.com").unwrap();
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let mut stream = SslStream::new(ssl, stream).unwrap();
    Pin::new(&mut stream).connect().await?;
    let request = ConnectRequest::new("wss://csms.example.com/ocpp", "CS001");
    connect_over(stream, &request).await.unwrap();
    let Outcome::Accepted(peer) = server.outcome().await else { panic!("{suite}") };
    assert_eq!(peer.version, "TLSv1.2");
    let name = match suite {
        "ECDHE-ECDSA-AES128-GCM-SHA256" => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384" => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "AES128-GCM-SHA256" => "TLS_RSA_WITH_AES_128_GCM_SHA256",
        _ => "TLS_RSA_WITH_AES_256_GCM_SHA384",
    };
    assert_eq!(peer.cipher_suite, name);
    Ok(())
}

// A00.FR.317, A00.FR.318, A00.FR.319, A00.FR.420, A00.FR.421, A00.FR.422; 1.6 security, A00.FR.316/317/318/420/421/422
#[tokio::test]
async fn the_four_suites_of_the_standard_are_spoken_with_the_certificate_that_goes_with_each() {
    let authority = Authority::new();
    let tls = TlsServer::new(options(&authority, TlsBackend::OpenSsl)).unwrap();
    for suite in
        ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-GCM-SHA384"]
    {
        offering(Server::start(&tls).await, &authority, suite).await.unwrap();
    }
}

#[tokio::test]
async fn the_suites_without_forward_secrecy_are_what_rustls_has_not() {
    let authority = Authority::new();
    let tls = TlsServer::new(options(&authority, TlsBackend::Rustls)).unwrap();
    let server = Server::start(&tls).await;
    offering(server, &authority, "AES128-GCM-SHA256").await.unwrap_err();
}

// A00.FR.403; 1.6 security, A00.FR.403
#[tokio::test]
async fn both_implementations_understand_each_other() {
    let authority = Authority::new();
    for (server, client) in [
        (TlsBackend::OpenSsl, TlsBackend::Rustls),
        (TlsBackend::Rustls, TlsBackend::OpenSsl),
        (TlsBackend::OpenSsl, TlsBackend::OpenSsl),
    ] {
        let tls = TlsServer::new(options(&authority, server)).unwrap();
        let mut station = station_of(&authority, Some(authority.station("CS001")));
        station.backend = client;
        let peer = success(Server::start(&tls).await, station.clone()).await;
        assert_eq!(peer.version, "TLSv1.3");
        assert_eq!(peer.certificate.unwrap().common_name(), Some("CS001"));
        station.certificate = None;
        assert_eq!(success(Server::start(&tls).await, station).await.certificate, None);
    }
}

// A00.FR.403, A00.FR.407, A00.FR.705; 1.6 security, A00.FR.403/407/704
#[tokio::test]
async fn a_certificate_of_a_station_that_is_not_valid_ends_the_connection() {
    let authority = Authority::new();
    let mut options = options(&authority, TlsBackend::OpenSsl);
    options.revocation_lists = vec![authority.revocation_list(&[7])];
    let tls = TlsServer::new(options).unwrap();
    for (shown, fault) in [
        (authority.station_with("CS001", expired), CertificateFault::Expired),
        (authority.station_with("CS001", numbered(7)), CertificateFault::Revoked),
        (Authority::new().station("CS001"), CertificateFault::UnknownIssuer),
    ] {
        let failure = failure(Server::start(&tls).await, station_of(&authority, Some(shown))).await;
        assert!(matches!(failure.station, ConnectError::Tls(TlsError::OwnCertificate(_))), "{:?}", failure.station);
        let Outcome::NoTls(refused) = failure.csms else { panic!("{:?}", failure.csms) };
        let TlsError::Certificate(found) = refused.error else { panic!("{refused}") };
        assert_eq!(found, fault);
        assert_eq!(refused.certificate.unwrap().common_name(), Some("CS001"));
    }
}

// A00.FR.308, A00.FR.309, A00.FR.411, A00.FR.412; 1.6 security, A00.FR.307/308/411/412
#[tokio::test]
async fn a_station_tells_what_is_wrong_with_the_certificate_of_the_server() {
    let authority = Authority::new();
    for (certificate, roots, fault) in [
        (authority.csms_with(expired), &authority, CertificateFault::Expired),
        (authority.csms_with(not_yet_valid), &authority, CertificateFault::NotYetValid),
        (authority.station("csms.example.org"), &authority, CertificateFault::WrongName),
        (authority.csms(), &Authority::new(), CertificateFault::UnknownIssuer),
    ] {
        let tls = TlsServer::new(TlsServerOptions::new(certificate)).unwrap();
        let mut station = station_of(roots, None);
        station.backend = TlsBackend::OpenSsl;
        let failure = failure(Server::start(&tls).await, station).await;
        let TlsError::Certificate(found) = tls_error(failure.station) else { panic!("{fault}") };
        assert_eq!(found, fault);
    }
}

// A00.FR.313, A00.FR.315, A00.FR.320, A00.FR.322, A00.FR.416, A00.FR.418, A00.FR.423, A00.FR.425;
// 1.6 security, A00.FR.312/314/319/321/416/418/423/425
#[tokio::test]
async fn older_versions_and_legacy_suites_are_refused() {
    let authority = Authority::new();
    for version in [[3, 1], [3, 2]] {
        let hello = client_hello(version, &[0xC02B, 0xC02F, 0x009C, 0x002F]);
        let (answer, error) = answer(options(&authority, TlsBackend::OpenSsl), &hello).await;
        assert!(matches!(error, TlsError::NoCommonVersion), "{error:?}");
        assert_eq!(answer[0], 0x15);
    }
    let (answer, error) =
        answer(options(&authority, TlsBackend::OpenSsl), &client_hello([3, 3], &[0x0005, 0x000A])).await;
    assert!(matches!(error, TlsError::NoCommonCipherSuite), "{error:?}");
    assert_eq!(answer[0], 0x15);
}
