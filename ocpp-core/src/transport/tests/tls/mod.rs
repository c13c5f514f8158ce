//! TLS between both sides of this crate, and with certificates that are wrong in every way.

mod authentication;
mod authority;
mod certificates;
#[cfg(feature = "tls-openssl")]
mod openssl;
mod protocol;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::authority::Authority;
use crate::transport::{
    AcceptError, CertificateAndKey, ConnectError, ConnectRequest, ConnectionConfig, HandshakeRules, KnownStation,
    Secured, SecurityProfile, TlsClient, TlsClientOptions, TlsError, TlsPeer, TlsRefused, TlsServer, TlsServerOptions,
    UpgradeRequest, accept, authenticate, connect,
};

/// What became of a connection at the server.
#[derive(Debug)]
enum Outcome {
    /// A station that was let in, with what is known of its TLS.
    Accepted(TlsPeer),
    NoTls(TlsRefused),
    Refused(AcceptError),
}

/// A CSMS of an operator `Example CPO` for one connection, on the loopback interface.
struct Server {
    address: SocketAddr,
    outcome: JoinHandle<Outcome>,
}

impl Server {
    /// Lets in whoever gets through TLS.
    async fn start(tls: &TlsServer) -> Self {
        Self::authorizing(tls, |_, _| Ok(())).await
    }

    /// Lets in whoever is the station `CS001`, as this profile asks for.
    async fn with_profile(tls: &TlsServer, profile: SecurityProfile) -> Self {
        Self::authorizing(tls, move |request, peer| {
            let is_password = |sent: &[u8]| sent == PASSWORD;
            let mut known = KnownStation::new(profile, &is_password);
            known.operator = Some("Example CPO");
            authenticate(&known, request, Some(peer)).map(|_| ()).map_err(|error| error.refused())
        })
        .await
    }

    async fn authorizing(
        tls: &TlsServer,
        authorize: impl FnOnce(&UpgradeRequest, &TlsPeer) -> Result<(), crate::transport::Refused> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = tls.clone();
        let outcome = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let Secured { stream, peer } = match tls.accept(stream).await {
                Ok(secured) => secured,
                Err(refused) => return Outcome::NoTls(refused),
            };
            let config = ConnectionConfig::default();
            let authorized = async |request: &UpgradeRequest| authorize(request, &peer);
            match accept(stream, &HandshakeRules::default(), config, authorized).await {
                Ok(_) => Outcome::Accepted(peer),
                Err(error) => Outcome::Refused(error),
            }
        });
        Self { address, outcome }
    }

    /// The request of the station `CS001` for a TLS connection by these options, to the server's name `csms.example.com`.
    fn request(&self, mut options: TlsClientOptions) -> ConnectRequest {
        options.server_name = Some("csms.example.com".into());
        let mut request = ConnectRequest::new(format!("wss://{}/ocpp", self.address), "CS001");
        request.tls = Some(TlsClient::new(&options).unwrap());
        request
    }

    async fn outcome(self) -> Outcome {
        self.outcome.await.unwrap()
    }
}

const PASSWORD: &[u8] = b"0123456789abcdef";

/// The errors of both sides.
struct Failure {
    station: ConnectError,
    csms: Outcome,
}

/// Connects, which has to fail.
async fn failure(server: Server, options: TlsClientOptions) -> Failure {
    let request = server.request(options);
    let station = connect(&request).await.map(|_| ()).unwrap_err();
    Failure { station, csms: server.outcome().await }
}

/// Connects, which has to succeed.
async fn success(server: Server, options: TlsClientOptions) -> TlsPeer {
    let request = server.request(options);
    let station = connect(&request).await.unwrap();
    let Outcome::Accepted(peer) = server.outcome().await else { panic!("not let in") };
    drop(station);
    peer
}

/// A server with a certificate of this authority, which asks stations for certificates of it as well.
fn server_of(authority: &Authority) -> TlsServerOptions {
    let mut options = TlsServerOptions::new(authority.csms());
    options.client_roots = Some(authority.pem());
    options
}

/// A station that believes this authority, and shows this certificate.
fn station_of(authority: &Authority, certificate: Option<CertificateAndKey>) -> TlsClientOptions {
    let mut options = TlsClientOptions::new(authority.pem());
    options.certificate = certificate;
    options
}

fn tls_error(error: ConnectError) -> TlsError {
    match error {
        ConnectError::Tls(error) => error,
        error => panic!("{error:?}"),
    }
}
