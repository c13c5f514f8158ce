//! Accepting stations on a TCP port of its own.

use std::io;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri};
use ocpp_types::Version;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::connection::{Connection, ConnectionConfig, Incoming};
use super::handshake::{HandshakeRules, Refused, UpgradeRequest};
use super::web_socket::WebSocket;
use super::wire::{CloseFrame, Wire};

/// Bytes that the head of a request may have.
const HEAD_LIMIT: usize = 16 * 1024;
/// Headers that a request may have.
const HEADER_LIMIT: usize = 64;
/// How long a client may take to send its request, and then to read the answer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// A station that was let in.
#[derive(Debug)]
#[non_exhaustive]
pub struct Accepted<S> {
    /// What it asked for.
    pub request: UpgradeRequest,
    /// The connection.
    pub connection: Connection<WebSocket<S>>,
}

/// Why a TCP connection did not become a connection with a station. The client has been told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The request was refused.
    #[error("{refused}")]
    Refused {
        /// With this response.
        refused: Refused,
        /// The station, where the request got as far as that.
        station: Option<String>,
    },
    /// There is no common version: the handshake was completed and the connection closed (2.1 part 4, 3.3).
    #[error("station {station} offers {offered:?}, none of which is spoken here")]
    NoCommonVersion {
        /// The station.
        station: String,
        /// What it offers.
        offered: Vec<String>,
    },
    /// The client did not speak HTTP.
    #[error("not an HTTP request: {0}")]
    NotHttp(String),
    /// The client did not send its request in time, or did not read the answer.
    #[error("no request in time")]
    Timeout,
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Does the handshake on a stream that carries nothing but OCPP: `authorize` looks at the request and lets it in, or
/// says how it is to be refused ([`Refused::unknown_station`], [`Refused::unauthorized`]).
///
/// # Errors
/// Whatever keeps this from becoming a connection. The stream is closed.
pub async fn accept<S>(
    mut stream: S,
    rules: &HandshakeRules,
    config: ConnectionConfig,
    authorize: impl AsyncFnOnce(&UpgradeRequest) -> Result<(), Refused>,
) -> Result<Accepted<S>, AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (head, rest) = timeout(HEAD_TIMEOUT, read_head(&mut stream)).await.map_err(|_| AcceptError::Timeout)??;
    let (request, version) = match understand(&head, rules, authorize).await {
        Ok(request) => {
            in_time(write_response(&mut stream, &request.response().map(|()| String::new()))).await?;
            match request.version {
                Some(version) => (request, version),
                None => {
                    refuse_version(WebSocket::server(stream, &request, &config).await, config).await;
                    let UpgradeRequest { station, offered, .. } = request;
                    return Err(AcceptError::NoCommonVersion { station, offered });
                }
            }
        }
        Err((refused, station)) => {
            in_time(async {
                write_response(&mut stream, &refused.response()).await?;
                stream.shutdown().await
            })
            .await?;
            return Err(AcceptError::Refused { refused, station });
        }
    };
    let wire = WebSocket::new(stream, rest, request.agreed(), &config).await;
    Ok(Accepted { request, connection: Connection::new(wire, version, config) })
}

async fn in_time(answered: impl Future<Output = io::Result<()>>) -> Result<(), AcceptError> {
    Ok(timeout(HEAD_TIMEOUT, answered).await.map_err(|_| AcceptError::Timeout)??)
}

struct Head {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

async fn understand(
    head: &Head,
    rules: &HandshakeRules,
    authorize: impl AsyncFnOnce(&UpgradeRequest) -> Result<(), Refused>,
) -> Result<UpgradeRequest, (Refused, Option<String>)> {
    let request =
        UpgradeRequest::read(&head.method, &head.uri, &head.headers, rules).map_err(|refused| (refused, None))?;
    match authorize(&request).await {
        Ok(()) => Ok(request),
        Err(refused) => Err((refused, Some(request.station))),
    }
}

/// Ends a connection without a common version, after its handshake was completed (2.1 part 4, 3.3). For a server that does
/// the handshake itself; [`accept`] has done it already.
pub async fn refuse_version<W: Wire>(wire: W, config: ConnectionConfig) {
    // No frame is exchanged, so that it does not matter which version this is.
    let mut connection = Connection::new(wire, Version::V1_6, config);
    connection.close(CloseFrame::new(CloseFrame::PROTOCOL, "no common OCPP version"));
    while !matches!(connection.next().await, Incoming::Closed(_)) {}
}

/// Reads up to the empty line, and returns what came behind it.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(Head, Vec<u8>), AcceptError> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Some((head, length)) = parse_head(&bytes)? {
            return Ok((head, bytes.split_off(length)));
        }
        if bytes.len() > HEAD_LIMIT {
            return Err(AcceptError::NotHttp("the head of the request is too long".into()));
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, AcceptError> {
    let not_http = |error: &dyn std::fmt::Display| AcceptError::NotHttp(error.to_string());
    let mut fields = [httparse::EMPTY_HEADER; HEADER_LIMIT];
    let mut request = httparse::Request::new(&mut fields);
    let length = match request.parse(bytes).map_err(|error| not_http(&error))? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(length) => length,
    };
    let method = request.method.unwrap_or_default().parse().map_err(|error| not_http(&error))?;
    let uri = request.path.unwrap_or_default().parse().map_err(|error| not_http(&error))?;
    let mut headers = HeaderMap::new();
    for field in &*request.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|error| not_http(&error))?;
        let value = HeaderValue::from_bytes(field.value).map_err(|error| not_http(&error))?;
        headers.append(name, value);
    }
    Ok(Some((Head { method, uri, headers }, length)))
}

/// Header names are case-insensitive, but the clients of small stations do not all know.
fn title_case(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| match (word, word.split_at_checked(1)) {
        ("websocket", _) => "WebSocket".to_owned(),
        ("www", _) => "WWW".to_owned(),
        (_, Some((first, rest))) => first.to_ascii_uppercase() + rest,
        (_, None) => String::new(),
    });
    words.collect::<Vec<_>>().join("-")
}

async fn write_response<S: AsyncWrite + Unpin>(stream: &mut S, response: &Response<String>) -> io::Result<()> {
    let status = response.status();
    let mut text = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
    for (name, value) in response.headers() {
        // All values are ours, or checked by the type that made them.
        text.push_str(&format!("{}: {}\r\n", title_case(name), value.to_str().unwrap_or_default()));
    }
    if !status.is_informational() {
        let length = response.body().len();
        text.push_str(&format!("Content-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(response.body());
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}
