//! A stream whose first part is the head of an HTTP message.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Gives the head to whoever does the handshake, and keeps what came behind it for the one who goes on.
#[derive(Debug)]
pub(super) struct HeadFirst<S> {
    stream: S,
    end: End,
    rest: Vec<u8>,
}

/// How much of the end of the head has been seen: an empty line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    InLine,
    Newline,
    NewlineAndReturn,
    Seen,
}

impl End {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Seen, _) => Self::Seen,
            (Self::Newline | Self::NewlineAndReturn, b'\n') => Self::Seen,
            (Self::Newline, b'\r') => Self::NewlineAndReturn,
            (_, b'\n') => Self::Newline,
            _ => Self::InLine,
        }
    }
}

impl<S> HeadFirst<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self { stream, end: End::InLine, rest: Vec::new() }
    }

    /// The stream, and what was read from it behind the head.
    pub(super) fn into_parts(self) -> (S, Vec<u8>) {
        (self.stream, self.rest)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadFirst<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        let came = buffer.filled().get(before..).unwrap_or_default();
        let mut length = 0;
        for byte in came {
            if this.end == End::Seen {
                break;
            }
            this.end = this.end.after(*byte);
            length += 1;
        }
        this.rest.extend_from_slice(came.get(length..).unwrap_or_default());
        buffer.set_filled(before + length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadFirst<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn what_follows_the_empty_line_is_kept() {
        for (text, head) in [
            (&b"HTTP/1.1 101 S\r\na: b\r\n\r\n\x81\x01x\r\n\r\n"[..], 24),
            (b"HTTP/1.1 101 S\na: b\n\n\x81\x01x", 21),
            (b"HTTP/1.1 101 S\r\na: b\r\n\r\n", 24),
        ] {
            let mut stream = HeadFirst::new(text);
            let mut given = vec![0; 100];
            let length = stream.read(&mut given).await.unwrap();
            assert_eq!(length, head);
            let (left, rest) = stream.into_parts();
            assert!(left.is_empty());
            assert_eq!([&given[..length], &rest].concat(), text);
        }
    }
}
