//! The WebSocket that a handshake led to: plain, or compressed where both sides agreed on it.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::connection::ConnectionConfig;
#[cfg(feature = "deflate")]
use super::deflate::{Agreement, Deflate};
use super::handshake::UpgradeRequest;
use super::tungstenite::Tungstenite;
use super::wire::{WireError, WireMessage};

/// A WebSocket over any byte stream, by the implementation that the handshake needs.
///
/// Without compression it is [`Tungstenite`]. With compression (RFC 7692, feature `deflate`) another implementation takes its place, on the
/// same stream: nothing that uses it sees a difference.
#[derive(Debug)]
pub struct WebSocket<S> {
    inner: Inner<S>,
}

#[derive(Debug)]
// The large one is the one that most connections are.
#[allow(clippy::large_enum_variant)]
enum Inner<S> {
    Plain(Tungstenite<S>),
    /// Boxed, so that those without compression do not hold the room for it.
    #[cfg(feature = "deflate")]
    Deflate(Box<Deflate<S>>),
}

/// What a handshake led to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Agreed {
    pub(super) role: Role,
    #[cfg(feature = "deflate")]
    pub(super) compression: Option<Agreement>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The server's side of a stream on which the handshake was done by somebody else with
    /// [`UpgradeRequest::response`], such as the upgraded stream of an HTTP server.
    pub async fn server(stream: S, request: &UpgradeRequest, config: &ConnectionConfig) -> Self {
        Self::new(stream, Vec::new(), request.agreed(), config).await
    }

    /// `early` is what was read from the stream behind the handshake.
    pub(super) async fn new(stream: S, early: Vec<u8>, agreed: Agreed, config: &ConnectionConfig) -> Self {
        #[cfg(feature = "deflate")]
        if let Some(agreement) = agreed.compression {
            return Self {
                inner: Inner::Deflate(Box::new(Deflate::new(stream, early, agreed.role, agreement, config))),
            };
        }
        Self { inner: Inner::Plain(Tungstenite::new(stream, early, agreed.role, config).await) }
    }

    /// Whether messages are compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        match &self.inner {
            Inner::Plain(_) => false,
            #[cfg(feature = "deflate")]
            Inner::Deflate(_) => true,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<WireMessage, WireError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.get_mut().inner {
            Inner::Plain(wire) => Pin::new(wire).poll_next(context),
            #[cfg(feature = "deflate")]
            Inner::Deflate(wire) => Pin::new(wire).poll_next(context),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<WireMessage> for WebSocket<S> {
    type Error = WireError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        match &mut self.get_mut().inner {
            Inner::Plain(wire) => Pin::new(wire).poll_ready(context),
            #[cfg(feature = "deflate")]
            Inner::Deflate(wire) => Pin::new(wire).poll_ready(context),
        }
    }

    fn start_send(self: Pin<&mut Self>, message: WireMessage) -> Result<(), WireError> {
        match &mut self.get_mut().inner {
            Inner::Plain(wire) => Pin::new(wire).start_send(message),
            #[cfg(feature = "deflate")]
            Inner::Deflate(wire) => Pin::new(wire).start_send(message),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        match &mut self.get_mut().inner {
            Inner::Plain(wire) => Pin::new(wire).poll_flush(context),
            #[cfg(feature = "deflate")]
            Inner::Deflate(wire) => Pin::new(wire).poll_flush(context),
        }
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        match &mut self.get_mut().inner {
            Inner::Plain(wire) => Pin::new(wire).poll_close(context),
            #[cfg(feature = "deflate")]
            Inner::Deflate(wire) => Pin::new(wire).poll_close(context),
        }
    }
}
