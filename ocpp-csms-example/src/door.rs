//! The door of the port: who may connect at all, and how long a connection may take to say what it wants.
//!
//! Everything behind it is bounded here: connections in all, connections from one address, and the time until the head of a request has
//! come. A connection counts until its socket is closed, so a station counts for as long as it is connected.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ocpp_core::transport::{Channel, Secured, TlsPeer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use crate::logging::Sparingly;
use crate::proxy::Proxies;
use crate::stations::Stations;
use crate::tls::{Tls, begins_with_tls};

/// Bytes of the buffer that the head of a request has to fit into.
const HEAD_LIMIT: usize = 16 * 1024;
/// Headers of a request.
const HEADERS: usize = 64;
/// How long nothing is accepted after the system could not give a connection, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// How many connections there may be, and how long they may take to say what they want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// In all.
    pub total: u32,
    /// From one address. `None`: 1000, and any number from this machine, where a proxy connects for all stations, and from proxies that
    /// are trusted.
    pub per_address: Option<u32>,
    /// How long a connection may take from its beginning, or from its last request, to the end of the head of the next one.
    pub handshake: Duration,
    /// How long the other side of a connection may take nothing of what waits for it.
    pub stall: Duration,
}

impl ConnectionLimits {
    fn of(self, address: IpAddr, proxies: &Proxies) -> u32 {
        match self.per_address {
            Some(limit) => limit,
            None if address.is_loopback() || proxies.trust(address) => u32::MAX,
            None => 1000,
        }
    }
}

/// What is behind the door, and what it takes to get there.
#[derive(Debug, Clone)]
pub(crate) struct Entrance {
    /// What is served.
    pub(crate) app: Router,
    /// Whom.
    pub(crate) limits: ConnectionLimits,
    /// Who connects for many.
    pub(crate) proxies: Arc<Proxies>,
    /// TLS, for those who begin with it.
    pub(crate) tls: Option<Tls>,
    /// Who is told of a failed handshake.
    pub(crate) stations: Stations,
}

/// Accepts connections and serves them in tasks of their own, until it is stopped; then waits for the requests that are under way.
pub(crate) async fn serve(listener: TcpListener, entrance: Entrance, stop: CancellationToken) {
    let limits = entrance.limits;
    let guests = Guests { limits, proxies: Arc::clone(&entrance.proxies), count: Arc::default() };
    let refused = Sparingly::default();
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_connection(&error) => continue,
            Err(error) => {
                if refused.may_log(None) {
                    tracing::error!(%error, "no connection can be accepted");
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(guest) = guests.admit(remote.ip()) else {
            if refused.may_log(Some(remote.ip())) {
                tracing::warn!(%remote, "a connection is refused: too many from there, or in all; see max_connections");
            }
            continue;
        };
        // A frame is small and awaited: it is not held back to be sent with the next one.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "frames may be delayed");
        }
        if let Err(error) = end_when_stalled(&stream, limits.stall) {
            tracing::debug!(%error, "a peer that takes nothing is not noticed soon");
        }
        tasks.spawn(enter(Counted { stream, _guest: guest }, remote, entrance.clone(), stop.clone()));
    }
    tasks.close();
    tasks.wait().await;
}

/// Finds out whether a connection begins with TLS, does the handshake if so, and serves it.
async fn enter(stream: Counted, remote: SocketAddr, entrance: Entrance, stop: CancellationToken) {
    let Entrance { app, limits, tls, stations, .. } = entrance;
    let Some(tls) = tls else {
        return connection(Channel::Plain(stream), None, remote, app, limits.handshake, stop).await;
    };
    let begins = tokio::select! {
        begins = timeout(limits.handshake, begins_with_tls(&stream.stream)) => begins,
        () = stop.cancelled() => return,
    };
    let (stream, peer) = match begins {
        Ok(Ok(false)) => (Channel::Plain(stream), None),
        Ok(Ok(true)) => {
            let opened = tokio::select! {
                opened = tls.server().accept(stream) => opened,
                () = stop.cancelled() => return,
            };
            match opened {
                Ok(Secured { stream, peer, .. }) => (Channel::Tls(stream), Some(Arc::new(peer))),
                Err(refused) => {
                    stations.metrics().refused.inc();
                    return stations.security().tls_refused(&refused, remote.ip()).await;
                }
            }
        }
        // Whoever sends nothing is not worth a line.
        Ok(Err(_)) | Err(_) => return,
    };
    connection(stream, peer, remote, app, limits.handshake, stop).await;
}

/// Serves HTTP on a connection until it ends, or becomes a WebSocket.
async fn connection(
    stream: Channel<Counted>,
    peer: Option<Arc<TlsPeer>>,
    remote: SocketAddr,
    app: Router,
    handshake: Duration,
    stop: CancellationToken,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(remote));
        if let Some(peer) = &peer {
            request.extensions_mut().insert(Arc::clone(peer));
        }
        // A router is always ready.
        let response = app.clone().call(request.map(Body::new));
        async move { Ok::<_, Infallible>(response.await.unwrap_or_else(|never| match never {})) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(handshake).max_buf_size(HEAD_LIMIT).max_headers(HEADERS);
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Whoever sends no request, or none that is understood, is not worth a line in the log of every day.
        tracing::debug!(%remote, %error, "a connection ended");
    }
}

/// Has the system end a connection whose other side takes nothing for so long, be it gone or only not reading: what waits for it is in
/// the buffers of the system, where nobody here sees that it waits.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn end_when_stalled(stream: &TcpStream, stall: Duration) -> io::Result<()> {
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(stall))
}

/// Elsewhere the system's own limit counts.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn end_when_stalled(_: &TcpStream, _: Duration) -> io::Result<()> {
    Ok(())
}

/// Errors of one connection, which say nothing about the next.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[derive(Debug, Clone)]
struct Guests {
    limits: ConnectionLimits,
    proxies: Arc<Proxies>,
    count: Arc<Mutex<Count>>,
}

#[derive(Debug, Default)]
struct Count {
    total: u32,
    by_address: HashMap<IpAddr, u32>,
}

impl Guests {
    fn admit(&self, address: IpAddr) -> Option<Guest> {
        // An IPv4 address is the same one however the socket shows it.
        let address = address.to_canonical();
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let from_there = count.by_address.get(&address).copied().unwrap_or(0);
        if count.total >= self.limits.total || from_there >= self.limits.of(address, &self.proxies) {
            return None;
        }
        count.total += 1;
        count.by_address.insert(address, from_there + 1);
        drop(count);
        Some(Guest { address, count: Arc::clone(&self.count) })
    }
}

/// One connection that counts.
#[derive(Debug)]
struct Guest {
    address: IpAddr,
    count: Arc<Mutex<Count>>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.total = count.total.saturating_sub(1);
        if let Entry::Occupied(mut from_there) = count.by_address.entry(self.address) {
            *from_there.get_mut() -= 1;
            if *from_there.get() == 0 {
                from_there.remove();
            }
        }
    }
}

/// A stream that counts as a connection for as long as it is held.
#[derive(Debug)]
struct Counted {
    stream: TcpStream,
    _guest: Guest,
}

impl AsyncRead for Counted {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::ProxyFile;

    #[test]
    fn connections_are_counted_until_they_end() {
        let limits =
            ConnectionLimits { total: 3, per_address: Some(2), handshake: Duration::ZERO, stall: Duration::ZERO };
        let guests = Guests { limits, proxies: Arc::default(), count: Arc::default() };
        let [one, other, another] = ["10.0.0.1", "10.0.0.2", "::ffff:10.0.0.1"].map(|text| text.parse().unwrap());
        let first = guests.admit(one).unwrap();
        let _second = guests.admit(another).unwrap();
        assert!(guests.admit(one).is_none(), "two from one address");
        let _third = guests.admit(other).unwrap();
        assert!(guests.admit(other).is_none(), "three in all");
        drop(first);
        assert!(guests.admit(one).is_some());
    }

    #[test]
    fn a_proxy_may_connect_for_everybody() {
        let (nobody, unset) = (
            Proxies::default(),
            ConnectionLimits { total: 10, per_address: None, handshake: Duration::ZERO, stall: Duration::ZERO },
        );
        let [far, here] = ["10.0.0.1", "127.0.0.1"].map(|text| text.parse().unwrap());
        assert_eq!(unset.of(far, &nobody), 1000);
        assert_eq!(unset.of(here, &nobody), u32::MAX);
        let trusted = ProxyFile { trusted: vec!["10.0.0.0/24".to_owned()], ..ProxyFile::default() }.check().unwrap();
        assert_eq!(unset.of(far, &trusted), u32::MAX);
        let set = ConnectionLimits { per_address: Some(5), ..unset };
        assert_eq!(set.of(here, &trusted), 5);
    }
}
