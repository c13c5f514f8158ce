//! Tests of the whole: real sockets on the loopback interface, port 0.

mod connection;
#[cfg(feature = "deflate")]
mod deflate;
mod handshake;
mod limits;
mod loopback;
#[cfg(feature = "tls")]
mod tls;

use std::net::SocketAddr;

use ocpp_types::Version;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{
    AcceptError, Accepted, Channel, ConnectRequest, ConnectionConfig, HandshakeRules, Refused, UpgradeRequest,
    WebSocket, accept,
};

type Outcome = Result<Accepted<TcpStream>, AcceptError>;
type TcpConnection = super::Connection<WebSocket<TcpStream>>;
type StationConnection = super::Connection<WebSocket<Channel<TcpStream>>>;

/// A server for one connection.
struct Server {
    address: SocketAddr,
    outcome: JoinHandle<Outcome>,
}

impl Server {
    async fn start(rules: HandshakeRules, config: ConnectionConfig) -> Self {
        Self::authorizing(rules, config, |_| Ok(())).await
    }

    async fn authorizing(
        rules: HandshakeRules,
        config: ConnectionConfig,
        authorize: impl FnOnce(&UpgradeRequest) -> Result<(), Refused> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let outcome = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let authorize = async |request: &UpgradeRequest| {
                // As a look into a database would.
                tokio::task::yield_now().await;
                authorize(request)
            };
            accept(stream, &rules, config, authorize).await
        });
        Self { address, outcome }
    }

    fn request(&self, station: &str) -> ConnectRequest {
        ConnectRequest::new(format!("ws://{}/ocpp", self.address), station)
    }

    async fn outcome(self) -> Outcome {
        self.outcome.await.unwrap()
    }
}

/// A station and a CSMS that are connected.
async fn pair(station: ConnectionConfig, csms: ConnectionConfig) -> (StationConnection, TcpConnection) {
    let server = Server::start(HandshakeRules::default(), csms).await;
    let mut request = server.request("CS001");
    request.connection = station;
    let client = super::connect(&request).await.unwrap();
    (client, server.outcome().await.unwrap().connection)
}

fn rules(versions: &[Version]) -> HandshakeRules {
    HandshakeRules { versions: versions.to_vec(), ..HandshakeRules::default() }
}
