//! Connecting a station to a CSMS.

use std::io;
use std::time::Duration;

#[cfg(feature = "deflate")]
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use http::{StatusCode, Uri};
use ocpp_types::Version;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError, SubProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::channel::Channel;
use super::connection::{Connection, ConnectionConfig};
#[cfg(feature = "deflate")]
use super::deflate::{Agreement, Compression};
use super::handshake::Credentials;
use super::head::HeadFirst;
#[cfg(feature = "tls")]
use super::tls::{CertificateFault, TlsClient, TlsError};
use super::web_socket::{Agreed, WebSocket};

/// Everything but the unreserved characters of RFC 3986, 2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a station asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectRequest {
    /// The OCPP-J endpoint URL, to which the identity is appended (2.1 part 4, 3.1.1): `ws://csms.example.com/ocpp`.
    pub url: String,
    /// The identity of the station.
    pub station: String,
    /// The versions it offers, in its order of preference (2.1 part 4, 3.1.2; 1.6-J, 3.1.2).
    pub versions: Vec<Version>,
    /// The password for HTTP Basic authentication, whose user name is the identity (A00.FR.204). None is sent without.
    pub password: Option<Vec<u8>>,
    /// What a `wss` URL needs: security profiles 2 and 3. Not used for a `ws` URL.
    #[cfg(feature = "tls")]
    pub tls: Option<TlsClient>,
    /// How long the connection and its handshake may take. 30 seconds.
    pub timeout: Duration,
    /// How it offers to compress messages (2.1 part 4, 3.4). [`Compression::Off`]: not at all.
    #[cfg(feature = "deflate")]
    pub compression: Compression,
    /// The limits of the connection.
    pub connection: ConnectionConfig,
}

impl ConnectRequest {
    /// Offers all versions, the newest first, and no password.
    #[must_use]
    pub fn new(url: impl Into<String>, station: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            station: station.into(),
            versions: Version::ALL.into(),
            password: None,
            #[cfg(feature = "tls")]
            tls: None,
            timeout: Duration::from_secs(30),
            #[cfg(feature = "deflate")]
            compression: Compression::Off,
            connection: ConnectionConfig::default(),
        }
    }

    /// The connection URL: the endpoint URL, a slash and the percent-encoded identity (2.1 part 4, 3.1.1; 1.6-J, 3.1.1).
    ///
    /// # Errors
    /// The endpoint URL is no URL with a host and the scheme `ws` or `wss`, or the identity is empty or has a colon.
    pub fn connection_url(&self) -> Result<Uri, ConnectError> {
        if self.station.is_empty() || self.station.contains(':') {
            return Err(ConnectError::Identity(self.station.clone()));
        }
        let invalid = || ConnectError::Url(self.url.clone());
        let (endpoint, query) = match self.url.split_once('?') {
            Some((endpoint, query)) => (endpoint, format!("?{query}")),
            None => (&*self.url, String::new()),
        };
        let station = utf8_percent_encode(&self.station, ENCODED);
        let url: Uri = format!("{}/{station}{query}", endpoint.trim_end_matches('/')).parse().map_err(|_| invalid())?;
        let is_websocket = matches!(url.scheme_str(), Some("ws" | "wss"));
        // Credentials belong into the password; a URL ends up in logs.
        let has_user = url.authority().is_some_and(|authority| authority.as_str().contains('@'));
        if is_websocket && url.host().is_some_and(|host| !host.is_empty()) && !has_user {
            Ok(url)
        } else {
            Err(invalid())
        }
    }

    fn http_request(&self) -> Result<Request, ConnectError> {
        let invalid = |_| ConnectError::Url(self.url.clone());
        let mut request = self.connection_url()?.into_client_request().map_err(invalid)?;
        let offer = self.versions.iter().map(|version| version.subprotocol()).collect::<Vec<_>>().join(", ");
        let offer = HeaderValue::from_str(&offer).ok().filter(|offer| !offer.is_empty());
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, offer.ok_or(ConnectError::NothingOffered)?);
        #[cfg(feature = "deflate")]
        if let Some(offer) = Agreement::offer(self.compression) {
            request.headers_mut().insert(SEC_WEBSOCKET_EXTENSIONS, offer);
        }
        if let Some(password) = &self.password {
            let credentials = Credentials { user: self.station.clone(), password: password.clone() };
            if let Ok(mut value) = HeaderValue::from_str(&credentials.header()) {
                value.set_sensitive(true);
                request.headers_mut().insert(AUTHORIZATION, value);
            }
        }
        Ok(request)
    }
}

/// Why a station is not connected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The configuration is wrong: this is no endpoint URL.
    #[error("{0:?} is no URL such as ws://host:port/path; credentials do not belong into it")]
    Url(String),
    /// The configuration is wrong: no station can have this identity (2.1 part 4, 3.1.1).
    #[error("{0:?} cannot be the identity of a station: it is empty or has a colon")]
    Identity(String),
    /// The configuration is wrong: no version is offered.
    #[error("no version is offered")]
    NothingOffered,
    /// The configuration is wrong: the URL is a `wss` one, and the request has no `tls` (or this is built without the feature
    /// `tls`).
    #[error("wss:// needs TLS options")]
    NoTls,
    /// There is no TLS connection.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(TlsError),
    /// The network or the CSMS is not there: try again, after [`Backoff`](super::Backoff).
    #[error("cannot connect: {0}")]
    Io(io::Error),
    /// The CSMS did not answer in time: try again.
    #[error("no connection in time")]
    Timeout,
    /// The CSMS does not know the station (404; 2.1 part 4, 3.3). OCPP-J 1.6 errata, 3.4: try again, with back-off.
    #[error("the CSMS does not know this station")]
    UnknownStation,
    /// The CSMS does not accept the credentials (401).
    #[error("the CSMS does not accept the credentials of this station")]
    Unauthorized,
    /// The CSMS knows the station, but does not let it in like this (403): its security profile is too low, or its certificate is
    /// another station's.
    #[error("the CSMS does not let this station in")]
    Forbidden,
    /// The CSMS answered with another status.
    #[error("the CSMS answered with HTTP status {0}")]
    Http(StatusCode),
    /// The CSMS agrees to none of the offered versions (2.1 part 4, 3.3).
    #[error("the CSMS speaks none of the offered versions")]
    NoCommonVersion,
    /// The CSMS chose a sub-protocol that was not offered (RFC 6455, 4.1 has the connection failed).
    #[error("the CSMS chose a sub-protocol that was not offered")]
    NotOffered,
    /// The CSMS answered with an extension that was not offered, or on other terms (RFC 6455, 4.1 has the connection failed).
    #[error("the CSMS chose an extension that was not offered")]
    ExtensionNotOffered,
    /// The CSMS does not do a WebSocket handshake.
    #[error("the WebSocket handshake failed: {0}")]
    Handshake(String),
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        // TLS 1.3 ends for a client before the server has seen its certificate: that it was refused is read later.
        #[cfg(feature = "tls")]
        let error = match super::tls::tls_error(error) {
            Ok(TlsError::Io(error)) | Err(error) => error,
            // The cipher suite has been agreed on by then.
            Ok(TlsError::NoCommonCipherSuite) => {
                let fault = CertificateFault::Invalid("the server broke off".to_owned());
                return Self::Tls(TlsError::OwnCertificate(fault));
            }
            Ok(error) => return Self::Tls(error),
        };
        Self::Io(error)
    }
}

#[cfg(feature = "tls")]
impl From<TlsError> for ConnectError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Io(error) => Self::Io(error),
            error => Self::Tls(error),
        }
    }
}

/// Connects over TCP to a `ws` or `wss` URL.
///
/// # Errors
/// What went wrong, and so what can be done about it.
pub async fn connect(request: &ConnectRequest) -> Result<Connection<WebSocket<Channel<TcpStream>>>, ConnectError> {
    let url = request.connection_url()?;
    let is_secure = url.scheme_str() == Some("wss");
    #[cfg(feature = "tls")]
    let has_tls = request.tls.is_some();
    #[cfg(not(feature = "tls"))]
    let has_tls = false;
    if is_secure && !has_tls {
        return Err(ConnectError::NoTls);
    }
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = url.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let connecting = async {
        let stream = TcpStream::connect((&*host, port)).await?;
        // Frames are small and waited for.
        stream.set_nodelay(true)?;
        #[cfg(feature = "tls")]
        let channel = match &request.tls {
            Some(tls) if is_secure => Channel::Tls(tls.connect(stream, &host).await?),
            _ => Channel::Plain(stream),
        };
        #[cfg(not(feature = "tls"))]
        let channel = Channel::Plain(stream);
        handshake(channel, request).await
    };
    timeout(request.timeout, connecting).await.map_err(|_| ConnectError::Timeout)?
}

/// Does the handshake over a stream that is connected already, such as one of TLS.
///
/// # Errors
/// What went wrong, and so what can be done about it.
pub async fn connect_over<S>(stream: S, request: &ConnectRequest) -> Result<Connection<WebSocket<S>>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    timeout(request.timeout, handshake(stream, request)).await.map_err(|_| ConnectError::Timeout)?
}

async fn handshake<S>(stream: S, request: &ConnectRequest) -> Result<Connection<WebSocket<S>>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (socket, response) =
        client_async(request.http_request()?, HeadFirst::new(stream)).await.map_err(connect_error)?;
    let chosen = response.headers().get(SEC_WEBSOCKET_PROTOCOL).and_then(|name| name.to_str().ok());
    let version = chosen.and_then(Version::from_subprotocol).filter(|version| request.versions.contains(version));
    let version = version.ok_or(ConnectError::NotOffered)?;
    let agreed = Agreed {
        role: Role::Client,
        #[cfg(feature = "deflate")]
        compression: Agreement::of_response(response.headers(), request.compression)
            .map_err(|_| ConnectError::ExtensionNotOffered)?,
    };
    let (stream, early) = socket.into_inner().into_parts();
    let wire = WebSocket::new(stream, early, agreed, &request.connection).await;
    Ok(Connection::new(wire, version, request.connection.clone()))
}

fn connect_error(error: Error) -> ConnectError {
    use SubProtocolError::{InvalidSubProtocol, NoSubProtocol, ServerSentSubProtocolNoneRequested};
    match error {
        Error::Io(error) => error.into(),
        Error::Http(response) => match response.status() {
            StatusCode::NOT_FOUND => ConnectError::UnknownStation,
            StatusCode::UNAUTHORIZED => ConnectError::Unauthorized,
            StatusCode::FORBIDDEN => ConnectError::Forbidden,
            status => ConnectError::Http(status),
        },
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(error)) => match error {
            NoSubProtocol => ConnectError::NoCommonVersion,
            InvalidSubProtocol | ServerSentSubProtocolNoneRequested => ConnectError::NotOffered,
        },
        error => ConnectError::Handshake(error.to_string()),
    }
}
