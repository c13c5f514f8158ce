//! Certificates that are right, and wrong, of both sides.

use super::authority::{Authority, expired, not_yet_valid, numbered};
use super::{Outcome, Server, failure, server_of, station_of, success, tls_error};
use crate::transport::{
    CertificateAndKey, CertificateFault, TlsClient, TlsClientOptions, TlsError, TlsOptionsError, TlsServer,
    TlsServerOptions,
};

// A00.FR.306, A00.FR.307, A00.FR.308, A00.FR.309, A00.FR.312, A00.FR.510; 1.6 security, A00.FR.305/306/307/308/311/510
#[tokio::test]
async fn a_server_whose_common_name_is_its_host_is_believed_by_who_trusts_its_root() {
    let authority = Authority::new();
    let tls = TlsServer::new(TlsServerOptions::new(authority.csms())).unwrap();
    let peer = success(Server::start(&tls).await, TlsClientOptions::new(authority.pem())).await;
    assert_eq!((peer.version, &*peer.cipher_suite), ("TLSv1.3", "TLS_AES_256_GCM_SHA384"));
    assert_eq!(peer.certificate, None);
}

// A00.FR.511: a subjectAltName, where there is one, counts instead
#[tokio::test]
async fn a_server_may_have_several_names() {
    let authority = Authority::new();
    let named = |names: &[&str]| {
        let names = names.iter().map(|name| rcgen::SanType::DnsName((*name).try_into().unwrap())).collect();
        authority.csms_with(|parameters| parameters.subject_alt_names = names)
    };
    let tls = TlsServer::new(TlsServerOptions::new(named(&["vpn.example.com", "csms.example.com"]))).unwrap();
    success(Server::start(&tls).await, TlsClientOptions::new(authority.pem())).await;
    let tls = TlsServer::new(TlsServerOptions::new(named(&["vpn.example.com"]))).unwrap();
    let failure = failure(Server::start(&tls).await, TlsClientOptions::new(authority.pem())).await;
    assert!(matches!(tls_error(failure.station), TlsError::Certificate(CertificateFault::WrongName)));
}

// A00.FR.308, A00.FR.309, A00.FR.310, A00.FR.311, A00.FR.411, A00.FR.412, A00.FR.413, A00.FR.414;
// 1.6 security, A00.FR.307/308/309/310/411/412/413/414
#[tokio::test]
async fn a_station_tells_what_is_wrong_with_the_certificate_of_the_server_and_breaks_off() {
    let authority = Authority::new();
    let revoking = |mut options: TlsClientOptions| {
        options.revocation_lists = vec![authority.revocation_list(&[7])];
        options
    };
    let believing = || TlsClientOptions::new(authority.pem());
    for (certificate, options, fault) in [
        (authority.csms_with(expired), believing(), CertificateFault::Expired),
        (authority.csms_with(not_yet_valid), believing(), CertificateFault::NotYetValid),
        (authority.station("csms.example.org"), believing(), CertificateFault::WrongName),
        (authority.csms(), TlsClientOptions::new(Authority::new().pem()), CertificateFault::UnknownIssuer),
        (authority.csms_with(numbered(7)), revoking(believing()), CertificateFault::Revoked),
    ] {
        let tls = TlsServer::new(TlsServerOptions::new(certificate)).unwrap();
        let failure = failure(Server::start(&tls).await, options).await;
        let TlsError::Certificate(found) = tls_error(failure.station) else { panic!("{fault}") };
        assert_eq!(found, fault);
        // The alert says it to the server.
        let Outcome::NoTls(refused) = failure.csms else { panic!("{:?}", failure.csms) };
        assert!(matches!(refused.error, TlsError::OwnCertificate(_)), "{refused}");
    }
}

// A00.FR.401, A00.FR.402, A00.FR.403; 1.6 security, A00.FR.401/402/403
#[tokio::test]
async fn the_certificate_of_a_station_is_asked_for_and_known_when_it_is_valid() {
    let authority = Authority::new();
    let tls = TlsServer::new(server_of(&authority)).unwrap();
    let shown = Some(authority.station("CS001"));
    let peer = success(Server::start(&tls).await, station_of(&authority, shown)).await;
    let certificate = peer.certificate.unwrap();
    assert_eq!((certificate.common_name(), certificate.organization()), (Some("CS001"), Some("Example CPO")));
    // Profile 2 on the same port.
    let peer = success(Server::start(&tls).await, station_of(&authority, None)).await;
    assert_eq!(peer.certificate, None);
}

// A00.FR.403, A00.FR.407, A00.FR.408, A00.FR.702, A00.FR.705; 1.6 security, A00.FR.403/407/408/702/704
#[tokio::test]
async fn a_certificate_of_a_station_that_is_not_valid_ends_the_connection_with_an_alert() {
    let authority = Authority::new();
    let mut options = server_of(&authority);
    options.revocation_lists = vec![authority.revocation_list(&[7])];
    let tls = TlsServer::new(options).unwrap();
    for (shown, fault) in [
        (authority.station_with("CS001", expired), CertificateFault::Expired),
        (authority.station_with("CS001", numbered(7)), CertificateFault::Revoked),
        (Authority::new().station("CS001"), CertificateFault::UnknownIssuer),
    ] {
        let failure = failure(Server::start(&tls).await, station_of(&authority, Some(shown))).await;
        let TlsError::OwnCertificate(told) = tls_error(failure.station) else { panic!("{fault}") };
        let Outcome::NoTls(refused) = failure.csms else { panic!("{:?}", failure.csms) };
        let TlsError::Certificate(found) = refused.error else { panic!("{refused}") };
        assert_eq!((&told, &found), (&fault, &fault));
        // Whose certificate it is said to be, for the security event.
        assert_eq!(refused.certificate.unwrap().common_name(), Some("CS001"));
    }
}

// A00.FR.429, A00.FR.807
#[tokio::test]
async fn a_station_is_let_in_with_an_expired_certificate_only_where_it_is_named() {
    let authority = Authority::new();
    let mut options = server_of(&authority);
    options.revocation_lists = vec![authority.revocation_list(&[7])];
    options.may_have_expired = vec!["CS001".to_owned()];
    let tls = TlsServer::new(options).unwrap();
    let of = |certificate| station_of(&authority, Some(certificate));
    let peer = success(Server::start(&tls).await, of(authority.station_with("CS001", expired))).await;
    assert!(peer.has_expired);
    let peer = success(Server::start(&tls).await, of(authority.station("CS001"))).await;
    assert!(!peer.has_expired);
    let expired_and_revoked = authority.station_with("CS001", |parameters| {
        expired(parameters);
        numbered(7)(parameters);
    });
    for (shown, fault) in [
        (authority.station_with("CS002", expired), CertificateFault::Expired),
        (expired_and_revoked, CertificateFault::Revoked),
        (Authority::new().station_with("CS001", expired), CertificateFault::UnknownIssuer),
    ] {
        let failure = failure(Server::start(&tls).await, of(shown)).await;
        let Outcome::NoTls(refused) = failure.csms else { panic!("{:?}", failure.csms) };
        assert!(matches!(refused.error, TlsError::Certificate(found) if found == fault), "{fault}");
    }
}

// A00.FR.704, A00.FR.705
#[tokio::test]
async fn what_is_reloaded_counts_from_the_next_connection_on() {
    let authority = Authority::new();
    let tls = TlsServer::new(server_of(&authority)).unwrap();
    let station = station_of(&authority, Some(authority.station_with("CS001", numbered(7))));
    success(Server::start(&tls).await, station.clone()).await;

    let mut options = server_of(&authority);
    options.revocation_lists = vec![authority.revocation_list(&[7])];
    tls.reload(options).unwrap();
    let refused = failure(Server::start(&tls).await, station.clone()).await;
    assert!(matches!(tls_error(refused.station), TlsError::OwnCertificate(CertificateFault::Revoked)));

    let renewed = Authority::new();
    tls.reload(server_of(&renewed)).unwrap();
    let refused = failure(Server::start(&tls).await, station.clone()).await;
    assert!(matches!(tls_error(refused.station), TlsError::Certificate(CertificateFault::UnknownIssuer)));

    let mut broken = server_of(&renewed);
    broken.certificates[0].key = authority.csms().key;
    assert!(matches!(tls.reload(broken).unwrap_err(), TlsOptionsError::Key(_)));
    success(Server::start(&tls).await, station_of(&renewed, None)).await;
}

#[test]
fn options_that_cannot_be_used_are_errors_of_the_configuration() {
    let authority = Authority::new();
    let other_key = CertificateAndKey::new(authority.csms().chain, authority.csms().key);
    assert!(matches!(TlsServer::new(TlsServerOptions::new(other_key)).unwrap_err(), TlsOptionsError::Key(_)));
    let no_key = CertificateAndKey::new(authority.csms().chain, "no key");
    assert!(matches!(TlsServer::new(TlsServerOptions::new(no_key)).unwrap_err(), TlsOptionsError::Pem { .. }));
    let mut none = server_of(&authority);
    none.certificates.clear();
    assert_eq!(TlsServer::new(none).unwrap_err(), TlsOptionsError::NoCertificate);
    assert!(matches!(
        TlsClient::new(&TlsClientOptions::new("no certificate")).unwrap_err(),
        TlsOptionsError::Pem { .. }
    ));
    let mut nameless = TlsClientOptions::new(authority.pem());
    nameless.server_name = Some("a name with spaces".into());
    assert!(matches!(TlsClient::new(&nameless).unwrap_err(), TlsOptionsError::ServerName(_)));
    assert!(!format!("{:?}", authority.csms()).contains("PRIVATE"), "a key does not get into a log");
}
