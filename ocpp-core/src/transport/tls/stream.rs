//! A TLS connection as a stream of bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::channel::{Bytes, reads_and_writes_what_is_inside};

/// An encrypted stream over any other.
#[derive(Debug)]
pub struct TlsStream<S>(pub(super) Inner<S>);

#[derive(Debug)]
pub(super) enum Inner<S> {
    Rustls(Box<tokio_rustls::TlsStream<S>>),
    #[cfg(feature = "tls-openssl")]
    OpenSsl(Box<tokio_openssl::SslStream<S>>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    fn inside(&mut self) -> Pin<&mut (dyn Bytes + '_)> {
        match &mut self.0 {
            Inner::Rustls(stream) => Pin::new(&mut **stream),
            #[cfg(feature = "tls-openssl")]
            Inner::OpenSsl(stream) => Pin::new(&mut **stream),
        }
    }
}

reads_and_writes_what_is_inside!(TlsStream);
