//! The stream under a WebSocket: encrypted or not.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[cfg(feature = "tls")]
use super::tls::TlsStream;

/// A stream of bytes in both directions, whichever it is.
pub(super) trait Bytes: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Bytes for S {}

/// Makes a stream of a type that has one inside.
macro_rules! reads_and_writes_what_is_inside {
    ($type:ident) => {
        impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for $type<S> {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.get_mut().inside().poll_read(context, buffer)
            }
        }

        impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for $type<S> {
            fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
                self.get_mut().inside().poll_write(context, bytes)
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().inside().poll_flush(context)
            }

            fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().inside().poll_shutdown(context)
            }
        }
    };
}
#[cfg(feature = "tls")]
pub(super) use reads_and_writes_what_is_inside;

/// A stream of bytes that is encrypted (`wss`) or not (`ws`).
#[derive(Debug)]
pub enum Channel<S> {
    /// As it is.
    Plain(S),
    /// By TLS.
    #[cfg(feature = "tls")]
    Tls(TlsStream<S>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    fn inside(&mut self) -> Pin<&mut (dyn Bytes + '_)> {
        match self {
            Self::Plain(stream) => Pin::new(stream),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Pin::new(stream),
        }
    }
}

reads_and_writes_what_is_inside!(Channel);
