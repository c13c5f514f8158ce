//! The security profiles at the door of a CSMS.

use http::StatusCode;

use super::authority::{Authority, owned_by};
use super::{Outcome, PASSWORD, Server, server_of, station_of};
use crate::pki::{Certificate, SubjectError};
use crate::transport::{
    AcceptError, AuthenticationError, ConnectError, Credentials, HandshakeRules, KnownStation, SecurityProfile,
    TlsPeer, TlsServer, UpgradeRequest, authenticate, connect,
};

use SecurityProfile::{Basic, None as Nothing, TlsWithBasic, TlsWithCertificate};

/// The request of the station `CS001` with these credentials.
fn request(credentials: Option<(&str, &[u8])>) -> UpgradeRequest {
    let mut headers = http::HeaderMap::new();
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw=="),
        ("sec-websocket-protocol", "ocpp2.1"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    if let Some((user, password)) = credentials {
        let credentials = Credentials { user: user.into(), password: password.to_vec() };
        headers.insert("authorization", credentials.header().parse().unwrap());
    }
    let uri = "/ocpp/CS001".parse().unwrap();
    UpgradeRequest::read(&http::Method::GET, &uri, &headers, &HandshakeRules::default()).unwrap()
}

fn peer(certificate: Option<&str>) -> TlsPeer {
    let certificate = certificate.map(|pem| Certificate::from_pem(pem).unwrap());
    TlsPeer { version: "TLSv1.3", cipher_suite: "TLS_AES_256_GCM_SHA384".into(), certificate, has_expired: false }
}

fn judge(
    profile: SecurityProfile,
    credentials: Option<(&str, &[u8])>,
    tls: Option<&TlsPeer>,
) -> Result<SecurityProfile, AuthenticationError> {
    let is_password = |sent: &[u8]| sent == PASSWORD;
    let mut known = KnownStation::new(profile, &is_password);
    known.operator = Some("Example CPO");
    authenticate(&known, &request(credentials), tls)
}

// A00.FR.001, A00.FR.002, A00.FR.004, A00.FR.005, A05.FR.07; 1.6 security, A00.FR.001/002/004/005, A05.FR.09
#[test]
fn a_station_is_let_in_with_its_profile_or_a_higher_one_and_never_with_a_lower_one() {
    let authority = Authority::new();
    let chain = authority.station("CS001").chain;
    let password = Some(("CS001", PASSWORD));
    let (tls, with_certificate) = (peer(None), peer(Some(&chain)));
    let ways = [
        (Nothing, None, None),
        (Basic, password, None),
        (TlsWithBasic, password, Some(&tls)),
        (TlsWithCertificate, None, Some(&with_certificate)),
    ];
    for profile in [Basic, TlsWithBasic, TlsWithCertificate] {
        for (offered, credentials, tls) in ways {
            match judge(profile, credentials, tls) {
                Ok(proven) => assert!(offered >= profile && proven == offered, "{profile} {offered}"),
                Err(error) => assert!(offered < profile, "{profile} {offered} {error}"),
            }
        }
    }
    for (_, credentials, tls) in ways {
        assert_eq!(judge(Nothing, credentials, tls), Ok(Nothing));
    }
}

// A00.FR.002, A05.FR.07; 1.6 security, A00.FR.002, A05.FR.09
#[test]
fn a_profile_that_is_too_low_is_told_apart_from_a_missing_password() {
    let (tls, password) = (peer(None), Some(("CS001", PASSWORD)));
    let too_low = |required, offered| Err(AuthenticationError::ProfileTooLow { required, offered });
    assert_eq!(judge(TlsWithBasic, password, None), too_low(TlsWithBasic, Basic));
    assert_eq!(judge(TlsWithCertificate, password, Some(&tls)), too_low(TlsWithCertificate, TlsWithBasic));
    assert_eq!(judge(TlsWithCertificate, None, Some(&tls)), too_low(TlsWithCertificate, Nothing));
    assert_eq!(judge(TlsWithBasic, None, Some(&tls)), Err(AuthenticationError::NoCredentials));
    assert_eq!(judge(Basic, None, Some(&tls)), Err(AuthenticationError::NoCredentials));
    assert_eq!(judge(Basic, None, None), Err(AuthenticationError::NoCredentials));
    assert_eq!(judge(TlsWithBasic, None, None).unwrap_err().refused().status(), StatusCode::FORBIDDEN);
    assert_eq!(judge(Basic, None, None).unwrap_err().refused().status(), StatusCode::UNAUTHORIZED);
}

// A00.FR.202, A00.FR.203, A00.FR.204, A00.FR.207, A00.FR.301, A00.FR.302, A00.FR.303, A00.FR.324;
// 1.6 security, A00.FR.202/203/204/301/302/303
#[test]
fn user_name_and_password_have_to_be_those_of_the_station() {
    let tls = peer(None);
    for (profile, tls) in [(Basic, None), (TlsWithBasic, Some(&tls))] {
        assert_eq!(judge(profile, Some(("CS001", PASSWORD)), tls), Ok(profile));
        let other = judge(profile, Some(("CS002", PASSWORD)), tls).unwrap_err();
        assert_eq!(other, AuthenticationError::OtherUser("CS002".into()));
        let wrong = judge(profile, Some(("CS001", b"0123456789abcdeF")), tls).unwrap_err();
        assert_eq!(wrong, AuthenticationError::WrongPassword);
        assert_eq!(wrong.security_event(), "FailedToAuthenticateAtCsms");
        assert_eq!(wrong.refused().status(), StatusCode::UNAUTHORIZED);
    }
}

// A00.FR.001
#[test]
fn a_certificate_does_not_make_up_for_a_wrong_password_nor_a_password_for_a_wrong_certificate() {
    let authority = Authority::new();
    let own = peer(Some(&authority.station("CS001").chain));
    let other = peer(Some(&authority.station("CS002").chain));
    let wrong = Some(("CS001", &b"wrong"[..]));
    assert_eq!(judge(TlsWithBasic, wrong, Some(&own)), Err(AuthenticationError::WrongPassword));
    assert_eq!(judge(TlsWithCertificate, wrong, Some(&own)), Ok(TlsWithCertificate));
    let judged = judge(TlsWithCertificate, Some(("CS001", PASSWORD)), Some(&other));
    assert_eq!(judged, Err(AuthenticationError::OtherStation("CS002".into())));
    assert_eq!(judge(TlsWithBasic, None, Some(&other)), Err(AuthenticationError::OtherStation("CS002".into())));
}

// A00.FR.405, A00.FR.427, A00.FR.511; 1.6 security, A00.FR.405/427/429/511
#[test]
fn a_certificate_names_the_identity_or_contains_the_serial_number_of_its_station() {
    let authority = Authority::new();
    let judge = |common_name: &str, serial_number: Option<&str>| {
        let no_password = |_: &[u8]| false;
        let mut known = KnownStation::new(TlsWithCertificate, &no_password);
        known.serial_number = serial_number;
        let tls = peer(Some(&authority.station(common_name).chain));
        authenticate(&known, &request(None), Some(&tls))
    };
    assert!(judge("CS001", None).is_ok());
    assert!(judge("SN-7", Some("SN-7")).is_ok());
    assert!(judge("Maker SN-7", Some("SN-7")).is_ok());
    for (common_name, serial_number) in
        [("CS0011", None), ("SN-7", None), ("SN-77", Some("SN-7")), ("CS002", Some("")), ("cs001", Some("SN-7"))]
    {
        let error = judge(common_name, serial_number).unwrap_err();
        assert_eq!(error, AuthenticationError::OtherStation(common_name.to_owned()));
        assert_eq!(error.security_event(), "InvalidChargingStationCertificate");
    }
}

// A00.FR.404, A00.FR.509; 1.6 security, A00.FR.404/509
#[test]
fn a_certificate_contains_the_name_of_the_operator() {
    let authority = Authority::new();
    let judge = |organization: &str| {
        let certificate = authority.station_with("CS001", owned_by(organization));
        judge(TlsWithCertificate, None, Some(&peer(Some(&certificate.chain))))
    };
    assert_eq!(judge("Example CPO"), Ok(TlsWithCertificate));
    assert_eq!(judge("Example CPO Ltd."), Ok(TlsWithCertificate));
    assert_eq!(judge("Other CPO"), Err(AuthenticationError::Subject(SubjectError::Organization)));
}

// A00.FR.501, A00.FR.502; 1.6 security, A00.FR.501/502
#[test]
fn a_certificate_with_a_weak_key_proves_nothing() {
    let weak = include_str!("../../../pki/vectors/weak.pem");
    let error = judge(TlsWithCertificate, None, Some(&peer(Some(weak)))).unwrap_err();
    assert_eq!(error, AuthenticationError::Subject(SubjectError::WeakKey));
}

// A00.FR.006, A00.FR.405, A00.FR.407, A00.FR.409, A00.FR.410, A00.FR.415; 1.6 security, A00.FR.006/405/407/409/410/415
#[tokio::test]
async fn one_port_lets_each_station_in_as_its_profile_asks_for() {
    let authority = Authority::new();
    let tls = TlsServer::new(server_of(&authority)).unwrap();
    let password = Some(PASSWORD.to_vec());
    for (profile, certificate, password, status) in [
        (TlsWithBasic, None, password.clone(), None),
        (TlsWithBasic, None, Some(b"wrong".to_vec()), Some(401)),
        (TlsWithCertificate, Some("CS001"), None, None),
        (TlsWithCertificate, Some("CS002"), None, Some(403)),
        (TlsWithCertificate, None, password, Some(403)),
    ] {
        let server = Server::with_profile(&tls, profile).await;
        let mut request = server.request(station_of(&authority, certificate.map(|name| authority.station(name))));
        request.password = password;
        let connected = connect(&request).await;
        match (connected, server.outcome().await, status) {
            (Ok(_), Outcome::Accepted(_), None) => {}
            (Err(ConnectError::Unauthorized), Outcome::Refused(AcceptError::Refused { .. }), Some(401))
            | (Err(ConnectError::Forbidden), Outcome::Refused(AcceptError::Refused { .. }), Some(403)) => {}
            (connected, outcome, status) => panic!("{profile} {status:?}: {:?} {outcome:?}", connected.err()),
        }
    }
}
