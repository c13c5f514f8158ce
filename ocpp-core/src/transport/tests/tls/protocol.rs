//! Versions, cipher suites, and peers that speak no TLS.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{CipherSuite, ClientConfig, RootCertStore};

use super::authority::Authority;
use super::{Outcome, Server, server_of, station_of, tls_error};
use crate::transport::{
    Channel, ConnectError, ConnectRequest, TlsClient, TlsClientOptions, TlsError, TlsServer, TlsServerOptions, connect,
};

/// A client that nobody here wrote, which offers only this suite.
async fn offering(server: Server, authority: &Authority, suite: CipherSuite) -> Outcome {
    let mut provider = ring::default_provider();
    provider.cipher_suites.retain(|known| known.suite() == suite);
    let mut roots = RootCertStore::empty();
    let root = tokio_rustls::rustls::pki_types::CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let config = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("csms.example.com").unwrap();
    let stream = TlsConnector::from(std::sync::Arc::new(config)).connect(name, stream).await.unwrap();
    let request = ConnectRequest::new("wss://csms.example.com/ocpp", "CS001");
    let connection = crate::transport::connect_over(stream, &request).await.unwrap();
    let outcome = server.outcome().await;
    drop(connection);
    outcome
}

fn with_host_name(parameters: &mut rcgen::CertificateParams) {
    parameters.subject_alt_names = vec![rcgen::SanType::DnsName("csms.example.com".try_into().unwrap())];
}

// A00.FR.317, A00.FR.318, A00.FR.319, A00.FR.420, A00.FR.421, A00.FR.422; 1.6 security, A00.FR.316/317/318/420/421/422
#[tokio::test]
async fn the_suites_with_forward_secrecy_are_spoken_and_the_certificate_goes_with_them() {
    let authority = Authority::new();
    let mut options = TlsServerOptions::new(authority.csms_with(with_host_name));
    options.certificates.insert(0, authority.csms_rsa_with(with_host_name));
    let tls = TlsServer::new(options).unwrap();
    for suite in [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ] {
        let Outcome::Accepted(peer) = offering(Server::start(&tls).await, &authority, suite).await else { panic!() };
        assert_eq!((peer.version, peer.cipher_suite), ("TLSv1.2", format!("{suite:?}")));
    }
}

/// The first message of a client of this version of TLS with these suites. From TLS 1.2 on it names a signature: ECDSA with SHA-256.
pub(super) fn client_hello(version: [u8; 2], suites: &[u16]) -> Vec<u8> {
    let mut body = [&version[..], &[7; 32], &[0]].concat();
    body.extend(u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
    suites.iter().for_each(|suite| body.extend(suite.to_be_bytes()));
    body.extend([1, 0]);
    if version >= [3, 3] {
        body.extend([0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    }
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let handshake = [&[1], &length[1..], &body].concat();
    let length = u16::try_from(handshake.len()).unwrap().to_be_bytes();
    [&[0x16, 3, 1], &length[..], &handshake].concat()
}

/// What a server answers to these bytes, and what it says became of them.
pub(super) async fn answer(options: TlsServerOptions, bytes: &[u8]) -> (Vec<u8>, TlsError) {
    let server = Server::start(&TlsServer::new(options).unwrap()).await;
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let Outcome::NoTls(refused) = server.outcome().await else { panic!() };
    (answer, refused.error)
}

/// A fatal alert.
fn alert(description: u8) -> [u8; 7] {
    [0x15, 3, 3, 0, 2, 2, description]
}

// A00.FR.313, A00.FR.314, A00.FR.315, A00.FR.416, A00.FR.417, A00.FR.418; 1.6 security, A00.FR.312/313/314/416/417/418
#[tokio::test]
async fn a_client_that_speaks_only_an_older_version_of_tls_is_refused() {
    let authority = Authority::new();
    for version in [[3, 0], [3, 1], [3, 2]] {
        let hello = client_hello(version, &[0xC02B, 0xC02F, 0x009C, 0x002F]);
        let (answer, error) = answer(server_of(&authority), &hello).await;
        assert!(matches!(error, TlsError::NoCommonVersion), "{error:?}");
        // handshake_failure, or protocol_version
        assert!([alert(40), alert(70)].iter().any(|alert| *alert == *answer), "{answer:?}");
    }
}

// A00.FR.320, A00.FR.322, A00.FR.423, A00.FR.425; 1.6 security, A00.FR.319/321/423/425
#[tokio::test]
async fn a_client_that_has_only_legacy_suites_is_refused() {
    let authority = Authority::new();
    // TLS_RSA_WITH_RC4_128_SHA, TLS_RSA_WITH_3DES_EDE_CBC_SHA
    let hello = client_hello([3, 3], &[0x0005, 0x000A]);
    let (answer, error) = answer(server_of(&authority), &hello).await;
    assert!(matches!(error, TlsError::NoCommonCipherSuite), "{error:?}");
    assert_eq!(answer[0], 0x15);
}

/// A server that answers whatever comes with these bytes.
async fn foreign_server(answer: Vec<u8>) -> ConnectError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut request = ConnectRequest::new(format!("wss://{}/ocpp", listener.local_addr().unwrap()), "CS001");
    request.tls = Some(TlsClient::new(&TlsClientOptions::new(Authority::new().pem())).unwrap());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).await.unwrap();
        let mut hello = vec![0; usize::from(u16::from_be_bytes([hello[3], hello[4]]))];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(&answer).await.unwrap();
        stream.shutdown().await.unwrap();
        // Until the client has read it.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    let (error, ()) = tokio::join!(connect(&request), server);
    error.map(|_| ()).unwrap_err()
}

/// What a server chooses.
fn server_hello(version: [u8; 2], suite: u16) -> Vec<u8> {
    let body = [&version[..], &[7; 32], &[0], &suite.to_be_bytes(), &[0]].concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let handshake = [&[2], &length[1..], &body].concat();
    let length = u16::try_from(handshake.len()).unwrap().to_be_bytes();
    [&[0x16], &version[..], &length[..], &handshake].concat()
}

// A00.FR.316, A00.FR.419; 1.6 security, A00.FR.315/419
#[tokio::test]
async fn a_station_tells_that_the_server_speaks_only_an_older_version_of_tls() {
    for answer in [alert(70).to_vec(), server_hello([3, 1], 0x002F), server_hello([3, 2], 0xC013)] {
        assert!(matches!(tls_error(foreign_server(answer).await), TlsError::NoCommonVersion));
    }
}

// A00.FR.319, A00.FR.323, A00.FR.426; 1.6 security, A00.FR.318/322/426
#[tokio::test]
async fn a_station_tells_that_the_server_has_no_suite_that_may_be_used() {
    for answer in [alert(40).to_vec(), alert(71).to_vec(), server_hello([3, 3], 0x0005)] {
        assert!(matches!(tls_error(foreign_server(answer).await), TlsError::NoCommonCipherSuite));
    }
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart() {
    let error = foreign_server(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    assert!(matches!(tls_error(error), TlsError::Handshake(_)));
    assert!(matches!(foreign_server(Vec::new()).await, ConnectError::Io(_)));
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_handshake_is_given_up() {
    let mut options = server_of(&Authority::new());
    options.handshake_timeout = std::time::Duration::from_millis(1);
    let tls = TlsServer::new(options).unwrap();
    let (_silent, stream) = tokio::io::duplex(64);
    assert!(matches!(tls.accept(stream).await.unwrap_err().error, TlsError::Timeout));
}

// A00.FR.312, A00.FR.415; 1.6 security, A00.FR.311/415
#[tokio::test]
async fn frames_go_both_ways_over_tls() {
    let authority = Authority::new();
    let tls = TlsServer::new(server_of(&authority)).unwrap();
    let (station, csms) = tokio::io::duplex(1024);
    let client = TlsClient::new(&station_of(&authority, None)).unwrap();
    let accepting = async {
        let secured = tls.accept(csms).await.unwrap();
        let rules = crate::transport::HandshakeRules::default();
        crate::transport::accept(secured.stream, &rules, Default::default(), async |_: &_| Ok(())).await.unwrap()
    };
    let connecting = async {
        let channel = Channel::Tls(client.connect(station, "csms.example.com").await.unwrap());
        let request = ConnectRequest::new("wss://csms.example.com/ocpp", "CS001");
        crate::transport::connect_over(channel, &request).await.unwrap()
    };
    let (mut csms, mut station) = tokio::join!(accepting, connecting);
    station.send("é".repeat(100_000));
    let csms = &mut csms.connection;
    let received = tokio::select! { received = csms.next() => received, unexpected = station.next() => unexpected };
    assert_eq!(received, crate::transport::Incoming::Text("é".repeat(100_000)));
}
