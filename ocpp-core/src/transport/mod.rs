//! From bytes to frames and back: WebSocket connections for the engines, on tokio.
//!
//! The engines know no socket. A run loop owns one `Connection` and one engine, and carries texts from one to the other:
//!
//! - a station calls `connect`, again and again, with the waits that [`Backoff`] computes;
//! - a CSMS with a port of its own calls `accept` for each TCP connection;
//! - a CSMS whose port also serves pages reads the request with `UpgradeRequest::read` in its HTTP server, answers with
//!   `UpgradeRequest::response`, and wraps the upgraded stream with `WebSocket::server` (or, where there is no common
//!   version, hands it to `refuse_version`);
//! - any other WebSocket implementation takes part by a `Stream` and `Sink` of `WireMessage` (`Wire`).
//!
//! `Connection` then does what every WebSocket needs whatever it carries: it pings, notices a dead or a slow peer,
//! bounds what it reads and what it queues, and closes with the right status.
//!
//! All of it needs the feature `transport`; [`Backoff`] alone does not. `wss` and security profiles 2 and 3 need the feature `tls`.
//! With the feature `deflate`, messages are compressed where both sides want it (permessage-deflate), which 2.0.1 and 2.1 ask of a CSMS.

//!
//! # TLS
//!
//! A CSMS asks every station for a certificate and requires one of those that have security profile 3; a station believes the roots
//! that it was given. Both sides of profile 3:
//!
//! ```
//! # #[cfg(feature = "tls")]
//! # fn options(csms_chain: &str, csms_key: &str, chain: &str, key: &str, root: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use ocpp_core::transport::{
//!     CertificateAndKey, ConnectRequest, ConnectionConfig, HandshakeRules, KnownStation, SecurityProfile, TlsClient,
//!     TlsClientOptions, TlsServer, TlsServerOptions, accept, authenticate, connect,
//! };
//!
//! let mut options = TlsServerOptions::new(CertificateAndKey::new(csms_chain, csms_key));
//! options.client_roots = Some(root.to_owned());
//! let csms = TlsServer::new(options)?;
//! let rules = HandshakeRules::default();
//! let serving = async |stream: tokio::net::TcpStream| {
//!     let secured = csms.accept(stream).await?;
//!     let accepted = accept(secured.stream, &rules, ConnectionConfig::default(), async |request| {
//!         // What the database knows of request.station.
//!         let is_password = |password: &[u8]| password == b"a-long-random-password";
//!         let mut known = KnownStation::new(SecurityProfile::TlsWithCertificate, &is_password);
//!         known.operator = Some("Example CPO");
//!         authenticate(&known, request, Some(&secured.peer)).map(|_| ()).map_err(|error| error.refused())
//!     });
//!     Ok::<_, Box<dyn std::error::Error>>(accepted.await?.connection)
//! };
//!
//! let mut options = TlsClientOptions::new(root);
//! options.certificate = Some(CertificateAndKey::new(chain, key));
//! let mut request = ConnectRequest::new("wss://csms.example.com/ocpp", "CS001");
//! request.tls = Some(TlsClient::new(&options)?);
//! let connecting = async || connect(&request).await;
//! # let _ = (serving, connecting);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "tls")]
mod authentication;
mod backoff;
#[cfg(feature = "transport")]
mod channel;
#[cfg(feature = "transport")]
mod client;
#[cfg(feature = "transport")]
mod connection;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(feature = "transport")]
mod handshake;
#[cfg(feature = "transport")]
mod head;
#[cfg(feature = "transport")]
mod inlet;
#[cfg(feature = "transport")]
mod password;
#[cfg(feature = "transport")]
mod server;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "transport")]
mod tungstenite;
#[cfg(feature = "transport")]
mod web_socket;
#[cfg(feature = "transport")]
mod wire;

#[cfg(test)]
#[cfg(feature = "transport")]
mod tests;

#[cfg(feature = "tls")]
pub use authentication::{AuthenticationError, KnownStation, SecurityProfile, authenticate};
pub use backoff::{Backoff, BackoffConfig};
#[cfg(feature = "transport")]
pub use channel::Channel;
#[cfg(feature = "transport")]
pub use client::{ConnectError, ConnectRequest, connect, connect_over};
#[cfg(feature = "transport")]
pub use connection::{Closed, Connection, ConnectionConfig, Incoming, MessageRate};
#[cfg(feature = "deflate")]
pub use deflate::Compression;
#[cfg(feature = "transport")]
pub use handshake::{Credentials, HandshakeRules, Refused, UpgradeRequest};
#[cfg(feature = "transport")]
pub use server::{AcceptError, Accepted, accept, refuse_version};
#[cfg(feature = "tls")]
pub use tls::{
    CertificateAndKey, CertificateFault, Secured, TlsBackend, TlsClient, TlsClientOptions, TlsError, TlsOptionsError,
    TlsPeer, TlsRefused, TlsServer, TlsServerOptions, TlsStream, TrustRoots,
};
#[cfg(feature = "transport")]
pub use tungstenite::Tungstenite;
#[cfg(feature = "transport")]
pub use web_socket::WebSocket;
#[cfg(feature = "transport")]
pub use wire::{CloseFrame, Wire, WireError, WireMessage};
