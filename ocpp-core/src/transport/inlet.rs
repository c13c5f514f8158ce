//! Where bytes come in: a stream that begins with what the handshake has read already, and that carries no message without end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::connection::ConnectionConfig;
use super::wire::WireError;

/// Bytes of a control frame beside its data: two of the header, four of the mask (RFC 6455, 5.2).
const CONTROL_FRAME: usize = 2 + 4;
/// What the frames of one message may add to twice the message itself.
const FRAMING: usize = 16 * 1024;

/// Bytes of one message that are read before somebody else has a turn. A message may consist of thousands of frames that are hardly
/// more than their headers.
const TURN: usize = 16 * 1024;

/// A byte stream under a WebSocket.
///
/// A WebSocket implementation limits how long a message gets, but not how many empty frames it is made of, nor how long it takes. Both
/// are seen here, by the bytes that came since the last complete message.
#[derive(Debug)]
pub(super) struct Inlet<S> {
    stream: S,
    /// Came behind the handshake and was not taken yet.
    early: Vec<u8>,
    progress: Progress,
    limit: usize,
    patience: Duration,
    began: Instant,
    /// Bytes of the message that were read in this turn.
    turn: usize,
    /// Nothing more is written.
    ended: bool,
}

/// The bytes that came since the last complete message. Clones see the same ones.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<AtomicUsize>);

impl Progress {
    /// A message is complete.
    pub(super) fn message(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// A control frame came, which belongs to no message.
    pub(super) fn control(&self, data: usize) {
        let unfinished = self.0.load(Ordering::Relaxed);
        self.0.store(unfinished.saturating_sub(CONTROL_FRAME + data), Ordering::Relaxed);
    }
}

/// What the peer does wrong with its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Endless {
    #[error("a message of more frames than it has room for")]
    TooBig,
    #[error("a message that does not end in time")]
    TooSlow,
}

impl<S> Inlet<S> {
    pub(super) fn new(stream: S, early: Vec<u8>, config: &ConnectionConfig) -> (Self, Progress) {
        let progress = Progress(Arc::default());
        let inlet = Self {
            stream,
            early,
            progress: progress.clone(),
            limit: config.frame_limit.saturating_mul(2).saturating_add(FRAMING),
            patience: config.message_timeout,
            began: Instant::now(),
            turn: 0,
            ended: false,
        };
        (inlet, progress)
    }

    fn count(&mut self, bytes: usize) -> io::Result<()> {
        let before = self.progress.0.fetch_add(bytes, Ordering::Relaxed);
        if before == 0 {
            self.began = Instant::now();
            self.turn = 0;
        } else if self.began.elapsed() > self.patience {
            return Err(io::Error::other(Endless::TooSlow));
        }
        if before + bytes > self.limit {
            return Err(io::Error::other(Endless::TooBig));
        }
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Inlet<S> {
    /// Says that nothing more is written, and reads to the end of the stream.
    ///
    /// A socket that is closed with unread data resets the connection, and the peer may lose the close frame that was sent before.
    pub(super) fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.ended {
            // The end of the stream is what a peer waits for whose acknowledgement is not read.
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            self.ended = true;
        }
        self.early = Vec::new();
        self.poll_discard(context).map(Ok)
    }

    /// Reads to the end of the stream without keeping anything.
    pub(super) fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

/// What an error of the stream is for a connection.
pub(super) fn wire_error(error: io::Error) -> WireError {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(endless @ Endless::TooBig) => WireError::TooBig(endless.to_string()),
        Some(endless @ Endless::TooSlow) => WireError::TooSlow(endless.to_string()),
        None => WireError::Io(error),
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Inlet<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.turn >= TURN {
            this.turn = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        if this.early.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        } else {
            let taken = this.early.len().min(buffer.remaining());
            buffer.put_slice(this.early.get(..taken).unwrap_or_default());
            this.early.drain(..taken);
            if this.early.is_empty() {
                this.early = Vec::new();
            }
        }
        let came = buffer.filled().len() - before;
        this.turn += came;
        Poll::Ready(if came == 0 { Ok(()) } else { this.count(came) })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Inlet<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_end(context)
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
