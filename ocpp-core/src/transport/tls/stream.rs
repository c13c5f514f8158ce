//! A TLS connection as a stream of bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// An encrypted stream over any other.
#[derive(Debug)]
pub struct TlsStream<S>(pub(super) Inner<S>);

#[derive(Debug)]
pub(super) enum Inner<S> {
    Rustls(Box<tokio_rustls::TlsStream<S>>),
    #[cfg(feature = "tls-openssl")]
    OpenSsl(Box<tokio_openssl::SslStream<S>>),
}

/// Calls a method of the stream inside, whichever it is.
macro_rules! inner {
    ($this:expr, $stream:ident => $call:expr) => {
        match &mut $this.get_mut().0 {
            Inner::Rustls(stream) => {
                let $stream = Pin::new(&mut **stream);
                $call
            }
            #[cfg(feature = "tls-openssl")]
            Inner::OpenSsl(stream) => {
                let $stream = Pin::new(&mut **stream);
                $call
            }
        }
    };
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        inner!(self, stream => stream.poll_read(context, buffer))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        inner!(self, stream => stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        inner!(self, stream => stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        inner!(self, stream => stream.poll_shutdown(context))
    }
}
