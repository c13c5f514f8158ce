//! The door of the stations: `/ocpp/{station}`, on the port that serves everything else as well.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::any;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use ocpp_core::csms::flows::PasswordUsed;
use ocpp_core::transport::{
    AuthenticationError, Connection, ConnectionConfig, HandshakeRules, Refused, SecurityProfile, TlsPeer,
    UpgradeRequest, WebSocket, refuse_version,
};

use super::admission::{Admission, Refusal, admit};
use super::registry::Stations;
use crate::proxy::came_by_tls;
use crate::store::Station;

/// Characters of a host and port.
const MAX_HOST: usize = 261;

/// A WebSocket on a connection that the HTTP server handed over.
pub(super) type Socket = Connection<WebSocket<TokioIo<Upgraded>>>;

/// A station that was let in, with its connection.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) station: Arc<str>,
    /// What it was let in by.
    pub(super) admitted: Station,
    /// The security profile with which it came.
    pub(super) profile: SecurityProfile,
    /// Which of two passwords it came with, while there are two.
    pub(super) password: Option<PasswordUsed>,
    /// The common name of the certificate that it came with, where that counted.
    pub(super) certificate_name: Option<String>,
    /// That certificate has expired, and is to be renewed.
    pub(super) certificate_expired: bool,
    pub(super) socket: Socket,
    pub(super) remote: SocketAddr,
    /// How it reached this server.
    pub(super) origin: Option<Arc<str>>,
}

/// The route of the stations.
pub fn routes(stations: Stations) -> Router {
    Router::new().route("/ocpp", any(upgrade)).route("/ocpp/{*station}", any(upgrade)).with_state(stations)
}

async fn upgrade(
    State(stations): State<Stations>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let mut rules = HandshakeRules::default();
    rules.compression = stations.config().compression;
    let handshake = match UpgradeRequest::read(request.method(), request.uri(), request.headers(), &rules) {
        Ok(handshake) => handshake,
        Err(refused) => {
            if stations.strangers().may_log(Some(remote.ip())) {
                tracing::warn!(path = request.uri().path(), %remote, "not a station's handshake: {refused}");
            }
            return refused.response().map(Body::from);
        }
    };
    let station: Arc<str> = handshake.station.as_str().into();
    let tls = request.extensions().get::<Arc<TlsPeer>>().cloned();
    let Admission { station: admitted, profile, password } =
        match let_in(&stations, &handshake, tls.as_deref(), remote).await {
            Ok(admission) => admission,
            Err(refusal) => {
                if stations.strangers().may_log(Some(remote.ip())) {
                    tracing::warn!(%station, %remote, "not let in: {refusal}");
                }
                stations.metrics().refused.inc();
                return answer(&refusal).response().map(Body::from);
            }
        };
    let origin = origin(request.headers(), came_by_tls(request.extensions()));
    let certificate_expired =
        profile == SecurityProfile::TlsWithCertificate && tls.as_ref().is_some_and(|peer| peer.has_expired);
    let certificate_name = tls
        .filter(|_| profile == SecurityProfile::TlsWithCertificate)
        .and_then(|peer| peer.certificate.as_ref()?.common_name().map(str::to_owned))
        // A certificate in the name of the identity names no serial number that a boot could be compared with.
        .filter(|name| *name != *station);
    let response = handshake.response().map(|()| Body::empty());
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let stream = match upgraded.await {
            Ok(stream) => TokioIo::new(stream),
            Err(error) => {
                tracing::debug!(%station, %remote, %error, "the connection ended during the handshake");
                return;
            }
        };
        let mut config = ConnectionConfig::default();
        config.message_rate = Some(stations.config().message_rate);
        let wire = WebSocket::server(stream, &handshake, &config).await;
        match handshake.version {
            Some(version) => {
                let socket = Connection::new(wire, version, config);
                stations.attach(Connected {
                    station,
                    admitted,
                    profile,
                    password,
                    certificate_name,
                    certificate_expired,
                    socket,
                    remote,
                    origin,
                });
            }
            None => {
                let offered = handshake.offered.join(", ");
                if stations.strangers().may_log(Some(remote.ip())) {
                    tracing::warn!(%station, %remote, offered, "no common version; spoken are ocpp2.1, ocpp2.0.1 and ocpp1.6");
                }
                refuse_version(wire, config).await;
            }
        }
    });
    response
}

/// Scheme, host and port to which the station connected, as it says itself: what it is given to reach this server again.
fn origin(headers: &HeaderMap, is_tls: bool) -> Option<Arc<str>> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let host: Authority = host.parse().ok()?;
    // A name with a password in front is none of ours.
    let is_plain = !host.as_str().contains('@') && host.as_str().len() <= MAX_HOST;
    is_plain.then(|| format!("{}://{host}", if is_tls { "https" } else { "http" }).into())
}

/// Decides, slows down who guesses passwords, and keeps what went wrong.
async fn let_in(
    stations: &Stations,
    handshake: &UpgradeRequest,
    tls: Option<&TlsPeer>,
    remote: SocketAddr,
) -> Result<Admission, Refusal> {
    let (station, address) = (&*handshake.station, remote.ip());
    if handshake.credentials.is_some() {
        stations.throttle().check(address, station, Instant::now()).map_err(Refusal::TooManyAttempts)?;
    }
    let admitted = admit(stations.store(), stations.key(), stations.config(), handshake, tls).await;
    match &admitted {
        Ok(admission) if admission.profile > SecurityProfile::None => {
            stations.throttle().succeeded(address, station, Instant::now());
        }
        Err(Refusal::Authentication(error)) => {
            if matches!(error, AuthenticationError::WrongPassword | AuthenticationError::OtherUser(_)) {
                stations.throttle().failed(address, station, Instant::now());
            }
            // A first request without credentials is how HTTP clients ask whether some are needed.
            if *error != AuthenticationError::NoCredentials {
                stations.security().seen(error.security_event(), Some(station), address, error.to_string()).await;
            }
        }
        _ => {}
    }
    admitted
}

fn answer(refusal: &Refusal) -> Refused {
    match refusal {
        Refusal::Id(_) | Refusal::Unknown => Refused::unknown_station(),
        Refusal::Authentication(error) => error.refused(),
        Refusal::TooManyAttempts(wait) => Refused::too_many_requests(*wait),
        Refusal::NoSecurity => Refused::unauthorized(),
        Refusal::TooManyUnknown | Refusal::Store(_) => Refused::unavailable(),
    }
}
