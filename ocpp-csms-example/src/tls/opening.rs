//! The beginning of a connection: encrypted or not, as its first byte says.

use std::io;

use tokio::net::TcpStream;

/// The kind of a TLS record that belongs to a handshake (RFC 8446, 5.1). No HTTP request begins with it.
const HANDSHAKE: u8 = 0x16;

/// Whether a client begins with TLS. Nothing of what it sent is taken.
///
/// # Errors
/// When the client closes the connection without having sent anything.
pub(crate) async fn begins_with_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first == [HANDSHAKE]),
    }
}
