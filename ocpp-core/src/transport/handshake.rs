//! The server's half of the opening handshake, without I/O.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
#[cfg(feature = "deflate")]
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::header::{
    AUTHORIZATION, CONNECTION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE, WWW_AUTHENTICATE,
};
use http::{Method, Response, StatusCode, Uri};
use ocpp_types::Version;
use percent_encoding::percent_decode_str;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

#[cfg(feature = "deflate")]
use super::deflate::{Agreement, Compression};
use super::web_socket::Agreed;

/// Characters that a station's identity may have (2.1 part 4, 3.1.1).
const MAX_IDENTITY: usize = 48;

/// What a CSMS accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandshakeRules {
    /// The path of the OCPP-J endpoint URL, to which a station appends a slash and its identity. `/ocpp`.
    pub path: String,
    /// The versions that are spoken. The station's order of preference decides among them.
    pub versions: Vec<Version>,
    /// The version that is spoken with a station that offers no sub-protocol at all, which the standard forbids
    /// (2.1 part 4, 3.1.2). `None`: it is treated as one with which there is no common version.
    pub without_offer: Option<Version>,
    /// How messages are compressed if the station offers to (2.1 part 4, 3.4). [`Compression::EachMessage`].
    #[cfg(feature = "deflate")]
    pub compression: Compression,
}

impl Default for HandshakeRules {
    fn default() -> Self {
        Self {
            path: "/ocpp".into(),
            versions: Version::ALL.into(),
            without_offer: None,
            #[cfg(feature = "deflate")]
            compression: Compression::EachMessage,
        }
    }
}

/// HTTP Basic credentials (A00.FR.204; OCPP-J 1.6, 6.2.2). The user name is to be the identity of the station.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub user: String,
    /// The password. In 1.6 it may be any bytes.
    pub password: Vec<u8>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Credentials {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Basic") {
            return None;
        }
        let decoded = STANDARD.decode(encoded.trim()).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let user = String::from_utf8(decoded[..colon].to_vec()).ok()?;
        Some(Self { user, password: decoded[colon + 1..].to_vec() })
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> String {
        let mut plain = self.user.clone().into_bytes();
        plain.push(b':');
        plain.extend_from_slice(&self.password);
        format!("Basic {}", STANDARD.encode(plain))
    }
}

/// A station's request for a connection, understood.
///
/// An HTTP server hands over what it has parsed, sends the response, and gives the upgraded stream to
/// [`WebSocket::server`](super::WebSocket::server) and [`Connection::new`](super::Connection::new):
///
/// ```
/// use http::{HeaderMap, Method, Uri};
/// use ocpp_core::transport::{HandshakeRules, Refused, UpgradeRequest};
/// use ocpp_core::types::Version;
///
/// fn decide(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<UpgradeRequest, Refused> {
///     let request = UpgradeRequest::read(method, uri, headers, &HandshakeRules::default())?;
///     if request.station != "RDAM|123" {
///         return Err(Refused::unknown_station());
///     }
///     Ok(request)
/// }
///
/// let mut headers = HeaderMap::new();
/// for (name, value) in [
///     ("connection", "Upgrade"),
///     ("upgrade", "websocket"),
///     ("sec-websocket-version", "13"),
///     ("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw=="),
///     ("sec-websocket-protocol", "ocpp2.1, ocpp2.0.1"),
/// ] {
///     headers.insert(name, value.parse()?);
/// }
/// let request = decide(&Method::GET, &"/ocpp/RDAM%7C123".parse()?, &headers)?;
/// assert_eq!(request.version, Some(Version::V2_1));
/// assert_eq!(request.response().status(), 101);
///
/// let refused = decide(&Method::GET, &"/ocpp/CS002".parse()?, &headers).unwrap_err();
/// assert_eq!(refused.response().status(), 404);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpgradeRequest {
    /// The identity of the station, percent-decoded.
    pub station: String,
    /// The sub-protocols it offers, in its order of preference.
    pub offered: Vec<String>,
    /// The version of the connection. `None`: there is no common one; the handshake is still completed, and the
    /// connection closed at once (2.1 part 4, 3.3; 1.6-J, 3.2).
    pub version: Option<Version>,
    /// Its credentials; `None` where it sent none, or some that cannot be read.
    pub credentials: Option<Credentials>,
    accept: String,
    #[cfg(feature = "deflate")]
    compression: Option<Agreement>,
    /// Whether the response names the sub-protocol: only one that was offered may be named.
    names_subprotocol: bool,
}

impl UpgradeRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// The response to send instead, where this is no WebSocket handshake, or not for a path with the identity of a
    /// station.
    pub fn read(method: &Method, uri: &Uri, headers: &HeaderMap, rules: &HandshakeRules) -> Result<Self, Refused> {
        let station = identity(uri.path(), &rules.path)?;
        let accept = accept_key(method, headers)?;
        let offered: Vec<String> = headers
            .get_all(SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        let spoken = |name: &String| Version::from_subprotocol(name).filter(|found| rules.versions.contains(found));
        let version = if offered.is_empty() { rules.without_offer } else { offered.iter().find_map(spoken) };
        let names_subprotocol = !offered.is_empty();
        let credentials = Credentials::read(headers);
        Ok(Self {
            station,
            offered,
            version,
            credentials,
            accept,
            #[cfg(feature = "deflate")]
            compression: Agreement::of_offers(headers, rules.compression),
            names_subprotocol,
        })
    }

    /// What the WebSocket has to be like.
    pub(super) fn agreed(&self) -> Agreed {
        Agreed {
            role: Role::Server,
            #[cfg(feature = "deflate")]
            compression: self.compression,
        }
    }

    /// The response that completes the handshake: 101.
    #[must_use]
    pub fn response(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(version) = self.version.filter(|_| self.names_subprotocol) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(version.subprotocol()));
        }
        #[cfg(feature = "deflate")]
        if let Some(Ok(terms)) = self.compression.map(|terms| HeaderValue::from_str(&terms.to_string())) {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, terms);
        }
        response
    }
}

/// A request that does not become a connection, as the response that says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {reason}")]
pub struct Refused {
    status: StatusCode,
    reason: &'static str,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refused {
    fn new(status: StatusCode, reason: &'static str) -> Self {
        Self { status, reason, header: None }
    }

    /// 404: the CSMS does not know the station (2.1 part 4, 3.3; 1.6-J, 3.2).
    #[must_use]
    pub fn unknown_station() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no such station")
    }

    /// 401: the station has to authenticate itself with the right credentials (A00.FR.205).
    #[must_use]
    pub fn unauthorized() -> Self {
        let challenge = HeaderValue::from_static("Basic realm=\"ocpp\", charset=\"UTF-8\"");
        let header = Some((WWW_AUTHENTICATE, challenge));
        Self { header, ..Self::new(StatusCode::UNAUTHORIZED, "wrong credentials") }
    }

    /// 403: the station is known but not let in.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "not allowed")
    }

    /// 429: too many attempts failed; the next one counts after this time.
    #[must_use]
    pub fn too_many_requests(wait: Duration) -> Self {
        // In whole seconds, rounded up (RFC 9110, 10.2.3).
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        let header = Some((RETRY_AFTER, HeaderValue::from(seconds)));
        Self { header, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too many attempts failed") }
    }

    /// 503: the CSMS cannot take connections now.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not available")
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The response to send.
    #[must_use]
    pub fn response(&self) -> Response<String> {
        let mut response = Response::new(format!("{}\n", self.reason));
        *response.status_mut() = self.status;
        if let Some((name, value)) = &self.header {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }
}

/// The identity in a path. What cannot be one is not found (2.1 part 4, 3.3), what is not even text is a bad request.
fn identity(path: &str, prefix: &str) -> Result<String, Refused> {
    let not_found = |reason| Refused::new(StatusCode::NOT_FOUND, reason);
    let segment = path
        .strip_prefix(prefix.trim_end_matches('/'))
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or(not_found("no such path"))?;
    if segment.contains('/') {
        return Err(not_found("no such path"));
    }
    let bad = Refused::new(StatusCode::BAD_REQUEST, "the identity of the station is not percent-encoded UTF-8");
    if !is_percent_encoded(segment) {
        return Err(bad);
    }
    let identity = percent_decode_str(segment).decode_utf8().map_err(|_| bad)?;
    if identity.is_empty() {
        return Err(not_found("the identity of the station is missing"));
    }
    if identity.chars().count() > MAX_IDENTITY {
        return Err(not_found("the identity of the station is longer than 48 characters"));
    }
    if identity.chars().any(|character| character == ':' || character.is_control()) {
        return Err(not_found("the identity of the station has a colon or a control character"));
    }
    Ok(identity.into_owned())
}

/// Whether every percent sign begins an encoded byte.
fn is_percent_encoded(segment: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = segment.as_bytes();
    (0..bytes.len())
        .filter(|place| bytes[*place] == b'%')
        .all(|place| is_digit(bytes.get(place + 1)) && is_digit(bytes.get(place + 2)))
}

/// The value of `Sec-WebSocket-Accept` (RFC 6455, 4.2).
fn accept_key(method: &Method, headers: &HeaderMap) -> Result<String, Refused> {
    let has_token = |name: HeaderName, token: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(token))
    };
    if method != Method::GET {
        return Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, "a WebSocket handshake is a GET"));
    }
    if !has_token(CONNECTION, "upgrade") || !has_token(UPGRADE, "websocket") {
        let header = Some((UPGRADE, HeaderValue::from_static("websocket")));
        return Err(Refused { header, ..Refused::new(StatusCode::UPGRADE_REQUIRED, "this path is for WebSockets") });
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let header = Some((SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
        return Err(Refused { header, ..Refused::new(StatusCode::UPGRADE_REQUIRED, "WebSocket version 13 only") });
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
    let key = key.filter(|key| STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16));
    let key = key.ok_or(Refused::new(StatusCode::BAD_REQUEST, "the WebSocket key is missing or not 16 bytes"))?;
    Ok(derive_accept_key(key))
}
