//! Compression, against a peer that is made of nothing but RFC 7692.

use flate2::{Compress, Compression as Level, Decompress, FlushCompress, FlushDecompress};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use ocpp_types::Version;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::Server;
use crate::transport::{
    CloseFrame, Closed, Compression, ConnectError, Connection, ConnectionConfig, HandshakeRules, Incoming,
    UpgradeRequest, WebSocket, Wire, connect,
};

type Ours = Connection<WebSocket<DuplexStream>>;

/// A client that compresses as its terms say.
struct Peer {
    stream: DuplexStream,
    deflate: Compress,
    inflate: Decompress,
    resets: bool,
    server_resets: bool,
}

/// The server's side after a handshake in which the client offered this.
async fn server(stream: DuplexStream, compression: Compression, offer: &str, config: ConnectionConfig) -> Ours {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw=="),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "ocpp2.1"),
        ("sec-websocket-extensions", offer),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let rules = HandshakeRules { compression, ..HandshakeRules::default() };
    let request = UpgradeRequest::read(&Method::GET, &Uri::from_static("/ocpp/CS001"), &headers, &rules).unwrap();
    Connection::new(WebSocket::server(stream, &request, &config).await, Version::V2_1, config)
}

async fn pair(compression: Compression, config: ConnectionConfig, capacity: usize) -> (Ours, Peer) {
    let (ours, theirs) = duplex(capacity);
    let resets = compression == Compression::EachMessage;
    let peer = Peer {
        stream: theirs,
        deflate: Compress::new(Level::default(), false),
        inflate: Decompress::new(false),
        resets,
        server_resets: resets,
    };
    (server(ours, compression, "permessage-deflate", config).await, peer)
}

impl Peer {
    fn compress(&mut self, data: &[u8]) -> Vec<u8> {
        if self.resets {
            self.deflate.reset();
        }
        let mut out = Vec::with_capacity(data.len() + 1024);
        self.deflate.compress_vec(data, &mut out, FlushCompress::Sync).unwrap();
        if out.is_empty() {
            // Nothing to say, and nothing that was not said yet (RFC 7692, 7.2.3.6).
            return vec![0];
        }
        assert!(out.ends_with(&[0, 0, 0xFF, 0xFF]));
        out.truncate(out.len() - 4);
        out
    }

    /// A masked frame (RFC 6455, 5.2).
    async fn frame(&mut self, first: u8, data: &[u8]) {
        let mut frame = vec![first];
        match data.len() {
            length @ 0..126 => frame.push(0x80 | length as u8),
            length @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        let mask = [0x12, 0x34, 0x56, 0x78];
        frame.extend_from_slice(&mask);
        frame.extend(data.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&frame).await.unwrap();
    }

    /// A text in fragments, with a ping between them.
    async fn send(&mut self, text: &str, fragments: usize, compressed: bool) {
        let data = if compressed { self.compress(text.as_bytes()) } else { text.as_bytes().to_vec() };
        let mut first = if compressed { 0x41 } else { 0x01 };
        let chunks: Vec<&[u8]> = match data.len().div_ceil(fragments) {
            0 => vec![&[]],
            size => data.chunks(size).collect(),
        };
        for (number, chunk) in chunks.iter().enumerate() {
            let is_last = number + 1 == chunks.len();
            self.frame(first | if is_last { 0x80 } else { 0 }, chunk).await;
            if !is_last {
                self.frame(0x89, b"are you there").await;
            }
            first = 0;
        }
    }

    /// The next frame: its first byte and its data.
    async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.stream.read_u8().await.ok()?;
        let length = match self.stream.read_u8().await.unwrap() {
            126 => usize::from(self.stream.read_u16().await.unwrap()),
            127 => usize::try_from(self.stream.read_u64().await.unwrap()).unwrap(),
            length => usize::from(length),
        };
        let mut data = vec![0; length];
        self.stream.read_exact(&mut data).await.unwrap();
        Some((first, data))
    }

    /// The next text, and whether it was compressed.
    async fn receive(&mut self) -> (String, bool) {
        loop {
            let (first, mut data) = self.read().await.unwrap();
            match first {
                0x81 => return (String::from_utf8(data).unwrap(), false),
                0xC1 => {
                    data.extend_from_slice(&[0, 0, 0xFF, 0xFF]);
                    if self.server_resets {
                        self.inflate.reset(false);
                    }
                    let mut out = Vec::with_capacity(1 << 21);
                    self.inflate.decompress_vec(&data, &mut out, FlushDecompress::Sync).unwrap();
                    return (String::from_utf8(out).unwrap(), true);
                }
                0x89 | 0x8A => {}
                other => panic!("a frame that begins with {other:x}"),
            }
        }
    }

    /// The status of the close frame, before the end of the stream.
    async fn status(&mut self) -> Option<u16> {
        while let Some((first, data)) = self.read().await {
            if first == 0x88 {
                return Some(u16::from_be_bytes([data[0], data[1]]));
            }
        }
        None
    }
}

fn small(limit: usize) -> ConnectionConfig {
    ConnectionConfig { frame_limit: limit, ..ConnectionConfig::default() }
}

fn text() -> impl Strategy<Value = String> {
    (any::<String>(), 0_usize..200).prop_map(|(text, times)| text.repeat(times))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // 2.1 part 4, 3.4; RFC 7692, 6 and 7.2
    #[test]
    fn any_texts_in_any_fragments_go_both_ways(
        messages in proptest::collection::vec((text(), 1_usize..20, any::<bool>()), 1..8),
        continuous in any::<bool>(),
    ) {
        let compression = if continuous { Compression::Continuous } else { Compression::EachMessage };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (mut ours, mut peer) = pair(compression, ConnectionConfig::default(), 1 << 22).await;
            for (text, fragments, compressed) in &messages {
                peer.send(text, *fragments, *compressed).await;
                assert_eq!(&ours.next().await, &Incoming::Text(text.clone()));
                ours.send(text.clone());
                let received = tokio::select! {
                    received = peer.receive() => received,
                    incoming = ours.next() => panic!("{incoming:?}"),
                };
                assert_eq!(received, (text.clone(), text.len() >= 64));
            }
        });
    }
}

#[tokio::test]
async fn a_bomb_is_cut_at_the_limit_and_closes_the_connection_with_1009() {
    for fragments in [1, 7] {
        let (mut ours, mut peer) = pair(Compression::EachMessage, small(1 << 20), 1 << 20).await;
        // 15 KB that inflate to 15 MB.
        peer.send(&"0".repeat(15 << 20), fragments, true).await;
        let (closed, status) = tokio::join!(async { ours.next().await }, async {
            let status = peer.status().await;
            peer.stream.shutdown().await.unwrap();
            status
        });
        assert!(matches!(closed, Incoming::Closed(Closed::TooBig(_))), "{closed:?}");
        assert_eq!(status, Some(CloseFrame::TOO_BIG));
        assert_eq!(ours.next().await, closed, "it is reported once, and stays so");
    }
}

#[tokio::test]
async fn the_limit_is_that_of_the_text_and_not_of_what_it_is_compressed_to() {
    for fragments in [1, 3] {
        let (mut ours, mut peer) = pair(Compression::EachMessage, small(1000), 1 << 20).await;
        peer.send(&"x".repeat(1000), fragments, true).await;
        assert_eq!(ours.next().await, Incoming::Text("x".repeat(1000)));
        peer.send(&"x".repeat(1001), fragments, true).await;
        let (closed, status) = tokio::join!(ours.next(), async {
            let status = peer.status().await;
            peer.stream.shutdown().await.unwrap();
            status
        });
        assert!(matches!(closed, Incoming::Closed(Closed::TooBig(_))), "{closed:?}");
        assert_eq!(status, Some(CloseFrame::TOO_BIG));
    }
}

#[tokio::test]
async fn a_message_without_end_is_cut_off_under_compression_too() {
    let (mut ours, mut peer) = pair(Compression::EachMessage, small(1000), 1 << 16).await;
    let (closed, ()) = tokio::join!(ours.next(), async {
        peer.frame(0x01, b"x").await;
        for _ in 0..4000 {
            peer.frame(0x00, b"").await;
        }
        assert!(peer.status().await.is_some());
        peer.stream.shutdown().await.unwrap();
    });
    assert!(matches!(closed, Incoming::Closed(Closed::TooBig(_))), "{closed:?}");
}

#[tokio::test]
async fn what_does_not_inflate_closes_the_connection() {
    let (mut ours, mut peer) = pair(Compression::EachMessage, small(1000), 1 << 16).await;
    // A block of the type that RFC 1951 reserves.
    peer.frame(0xC1, &[0x07, 0xFF, 0xFF]).await;
    let (closed, status) = tokio::join!(ours.next(), async {
        let status = peer.status().await;
        peer.stream.shutdown().await.unwrap();
        status
    });
    assert!(matches!(closed, Incoming::Closed(Closed::Protocol(_))), "{closed:?}");
    assert!(status.is_some());
}

// 2.1 part 4, 4.1.2
#[tokio::test]
async fn what_inflates_to_other_than_utf_8_closes_the_connection_with_1007() {
    let (mut ours, mut peer) = pair(Compression::EachMessage, small(1000), 1 << 16).await;
    let data = peer.compress(&[0xFF; 100]);
    peer.frame(0xC1, &data).await;
    let (closed, status) = tokio::join!(ours.next(), async {
        let status = peer.status().await;
        peer.stream.shutdown().await.unwrap();
        status
    });
    assert_eq!(closed, Incoming::Closed(Closed::NotUtf8));
    assert_eq!(status, Some(CloseFrame::INVALID));
}

// RFC 6455, 5.2: without an extension that gives it a meaning, the bit must not be set.
#[tokio::test]
async fn a_peer_that_compresses_without_having_agreed_on_it_is_closed_with_1002() {
    let (ours, theirs) = duplex(1 << 16);
    let mut ours = server(ours, Compression::EachMessage, "x-other", small(1000)).await;
    assert!(!ours.wire().is_compressed());
    let (deflate, inflate) = (Compress::new(Level::default(), false), Decompress::new(false));
    let mut peer = Peer { stream: theirs, deflate, inflate, resets: true, server_resets: true };
    peer.send("x", 1, true).await;
    let (closed, status) = tokio::join!(ours.next(), async {
        let status = peer.status().await;
        peer.stream.shutdown().await.unwrap();
        status
    });
    assert!(matches!(closed, Incoming::Closed(Closed::Protocol(_))), "{closed:?}");
    assert_eq!(status, Some(CloseFrame::PROTOCOL));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_pings_and_reads_no_pongs_is_given_up_under_compression_too() {
    let unlimited = ConnectionConfig { message_rate: None, ..ConnectionConfig::default() };
    let (mut ours, peer) = pair(Compression::EachMessage, unlimited, 1024).await;
    let (_reader, mut writer) = tokio::io::split(peer.stream);
    let mut ping = vec![0x89, 0x80 | 100, 0, 0, 0, 0];
    ping.extend_from_slice(&[0; 100]);
    let lost = async {
        let closed = ours.next().await;
        drop(ours);
        closed
    };
    let (closed, sent) = tokio::join!(lost, async {
        let mut sent = 0_u64;
        while writer.write_all(&ping).await.is_ok() {
            sent += 1;
        }
        sent
    });
    assert_eq!(closed, Incoming::Closed(Closed::WriteTimeout));
    // Some kilobytes of buffers, and no more.
    assert!(sent < 300, "{sent} pings were taken");
}

#[tokio::test]
async fn closing_works_from_both_sides() {
    let (mut ours, mut peer) = pair(Compression::EachMessage, small(1000), 1 << 16).await;
    ours.send("last words".repeat(20));
    ours.close(CloseFrame::new(CloseFrame::GOING_AWAY, "restart"));
    let (closed, ()) = tokio::join!(ours.next(), async {
        assert_eq!(peer.receive().await.0, "last words".repeat(20));
        assert_eq!(peer.status().await, Some(CloseFrame::GOING_AWAY));
        peer.frame(0x88, &CloseFrame::GOING_AWAY.to_be_bytes()).await;
    });
    assert_eq!(closed, Incoming::Closed(Closed::ByUs(CloseFrame::new(CloseFrame::GOING_AWAY, "restart"))));

    let (mut ours, mut peer) = pair(Compression::EachMessage, small(1000), 1 << 16).await;
    peer.frame(0x88, &[0x03, 0xE9, b'b', b'y', b'e']).await;
    let (closed, status) = tokio::join!(ours.next(), peer.status());
    assert_eq!(closed, Incoming::Closed(Closed::ByPeer(Some(CloseFrame::new(1001, "bye")))));
    assert_eq!(status, Some(CloseFrame::GOING_AWAY));

    let (mut ours, peer) = pair(Compression::EachMessage, small(1000), 1 << 16).await;
    drop(peer);
    assert!(matches!(ours.next().await, Incoming::Closed(Closed::Lost(_))));
}

async fn carry(from: &mut Connection<impl Wire>, to: &mut Connection<impl Wire>, text: &str) {
    from.send(text.to_owned());
    let received = tokio::select! {
        received = to.next() => received,
        incoming = from.next() => panic!("{incoming:?}"),
    };
    assert_eq!(received, Incoming::Text(text.to_owned()));
}

/// A station that offers `station` to a CSMS that does `csms`.
async fn connected(station: Compression, csms: Compression) -> (super::StationConnection, super::TcpConnection) {
    let rules = HandshakeRules { compression: csms, ..HandshakeRules::default() };
    let server = Server::start(rules, ConnectionConfig::default()).await;
    let mut request = server.request("CS001");
    request.compression = station;
    let client = connect(&request).await.unwrap();
    (client, server.outcome().await.unwrap().connection)
}

// 2.1 part 4, 3.4; 1.6-J, 5.1: compression where both want it; the connection goes on without where one does not.
#[tokio::test]
async fn messages_are_compressed_where_station_and_csms_both_want_it() {
    use Compression::{Continuous, EachMessage, Off};
    for (station, csms, compressed) in [
        (Off, EachMessage, false),
        (EachMessage, Off, false),
        (EachMessage, EachMessage, true),
        (Continuous, EachMessage, true),
        (Continuous, Continuous, true),
        (EachMessage, Continuous, true),
    ] {
        let (mut client, mut server) = connected(station, csms).await;
        assert_eq!((client.wire().is_compressed(), server.wire().is_compressed()), (compressed, compressed));
        for text in ["x".repeat(5000), "{}".into(), "y".repeat(100)] {
            carry(&mut client, &mut server, &text).await;
            carry(&mut server, &mut client, &text).await;
        }
    }
}

#[tokio::test]
async fn a_server_that_compresses_unasked_is_left() {
    const COMPRESSING: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
        sec-websocket-accept: {accept}\r\nsec-websocket-protocol: ocpp2.1\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n";
    let mut request = super::loopback::foreign_server(COMPRESSING).await;
    for compression in [Compression::Off, Compression::EachMessage] {
        request.compression = compression;
        assert!(matches!(connect(&request).await.unwrap_err(), ConnectError::ExtensionNotOffered));
        request = super::loopback::foreign_server(COMPRESSING).await;
    }
    request.compression = Compression::Continuous;
    assert!(connect(&request).await.unwrap().wire().is_compressed());
}
