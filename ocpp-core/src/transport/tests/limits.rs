//! Peers that send too much, too slowly, or without end.

use std::future::poll_fn;
use std::num::NonZeroU32;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::transport::{
    AcceptError, CloseFrame, Closed, Connection, ConnectionConfig, HandshakeRules, Incoming, MessageRate, Tungstenite,
    accept,
};
use ocpp_types::Version;

/// The first byte of a frame (RFC 6455, 5.2): text that goes on, what goes on with it, and a ping.
const TEXT: u8 = 0x01;
const CONTINUATION: u8 = 0x00;
const PING: u8 = 0x89;

type Raw = Connection<Tungstenite<DuplexStream>>;

fn config(change: impl FnOnce(&mut ConnectionConfig)) -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    change(&mut config);
    config
}

/// A connection, and the bytes of its peer.
async fn raw(config: ConnectionConfig, capacity: usize) -> (Raw, DuplexStream) {
    let (ours, theirs) = duplex(capacity);
    (Connection::new(Tungstenite::server(ours, &config).await, Version::V2_1, config), theirs)
}

async fn websocket(stream: DuplexStream) -> WebSocketStream<DuplexStream> {
    WebSocketStream::from_raw_socket(stream, Role::Client, Some(WebSocketConfig::default())).await
}

/// A masked frame.
fn frame(first: u8, data: &[u8]) -> Vec<u8> {
    assert!(data.len() < 126);
    let mut frame = vec![first, 0x80 | data.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(data);
    frame
}

/// The status of the close frame among what is read to the end of the stream.
async fn status(stream: &mut DuplexStream) -> Option<u16> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let close = bytes.iter().position(|byte| *byte == 0x88)?;
    Some(u16::from_be_bytes([*bytes.get(close + 2)?, *bytes.get(close + 3)?]))
}

fn rate(per_second: u32, burst: u32) -> Option<MessageRate> {
    NonZeroU32::new(per_second).zip(NonZeroU32::new(burst)).map(|(per_second, burst)| MessageRate { per_second, burst })
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_more_than_its_rate_is_read_at_its_rate() {
    let (mut connection, peer) = raw(config(|config| config.message_rate = rate(10, 5)), 1 << 20).await;
    let mut peer = websocket(peer).await;
    for number in 0..25 {
        peer.send(Message::text(number.to_string())).await.unwrap();
    }
    let started = Instant::now();
    let mut came = Vec::new();
    for number in 0..25 {
        assert_eq!(connection.next().await, Incoming::Text(number.to_string()));
        came.push(started.elapsed().as_millis() / 10);
    }
    // Five at once, then one every tenth of a second; in virtual time.
    assert_eq!(came[..6], [0, 0, 0, 0, 0, 10]);
    assert_eq!(came[24], 200);
    assert!(connection.was_slowed_down());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_keeps_to_its_rate_is_never_slowed_down() {
    let (mut connection, peer) = raw(config(|config| config.message_rate = rate(10, 2)), 1 << 20).await;
    let mut peer = websocket(peer).await;
    for _ in 0..50 {
        peer.send(Message::text("x")).await.unwrap();
        assert_eq!(connection.next().await, Incoming::Text("x".into()));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // After a silence, two at once.
    tokio::time::sleep(Duration::from_secs(10)).await;
    for _ in 0..2 {
        peer.send(Message::text("x")).await.unwrap();
        assert_eq!(connection.next().await, Incoming::Text("x".into()));
    }
    assert!(!connection.was_slowed_down());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_slowed_down_is_not_taken_for_dead() {
    let slow = config(|config| {
        config.message_rate = rate(1, 1);
        config.ping_interval = Some(Duration::from_secs(2));
        config.pong_timeout = Duration::from_millis(500);
    });
    let (mut connection, peer) = raw(slow, 1 << 20).await;
    let mut peer = websocket(peer).await;
    for _ in 0..10 {
        peer.send(Message::text("x")).await.unwrap();
    }
    for _ in 0..10 {
        assert_eq!(connection.next().await, Incoming::Text("x".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn pings_count_as_messages() {
    let (mut connection, mut peer) = raw(config(|config| config.message_rate = rate(1, 10)), 1 << 20).await;
    for _ in 0..30 {
        peer.write_all(&frame(PING, b"")).await.unwrap();
    }
    peer.write_all(&frame(0x80 | TEXT, b"last")).await.unwrap();
    let started = Instant::now();
    assert_eq!(connection.next().await, Incoming::Text("last".into()));
    assert_eq!(started.elapsed().as_secs(), 21);
    drop(peer);
}

// A WebSocket answers each ping: the answers would fill the memory.
#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_pings_and_reads_no_pongs_is_not_read_any_more_and_given_up() {
    let (mut connection, peer) = raw(config(|config| config.message_rate = None), 1024).await;
    let (mut reader, mut writer) = tokio::io::split(peer);
    let flood = async {
        let mut sent = 0_u64;
        while writer.write_all(&frame(PING, &[0; 100])).await.is_ok() {
            sent += 1;
        }
        sent
    };
    let lost = async {
        let closed = connection.next().await;
        drop(connection);
        closed
    };
    let (closed, sent) = tokio::join!(lost, flood);
    assert_eq!(closed, Incoming::Closed(Closed::WriteTimeout));
    // As many as fit into the two pipes and the buffer of one read.
    assert!(sent < 100, "{sent} pings were taken");
    assert!(reader.read_u8().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_message_of_endless_empty_frames_closes_the_connection_with_1009() {
    let (mut connection, mut peer) = raw(config(|config| config.frame_limit = 1000), 1 << 16).await;
    let (closed, status) = tokio::join!(connection.next(), async {
        peer.write_all(&frame(TEXT, b"x")).await.unwrap();
        // More than twice the limit and the room for framing.
        for _ in 0..4000 {
            peer.write_all(&frame(CONTINUATION, b"")).await.unwrap();
        }
        status(&mut peer).await
    });
    assert!(matches!(closed, Incoming::Closed(Closed::TooBig(_))), "{closed:?}");
    assert_eq!(status, Some(CloseFrame::TOO_BIG));
}

#[tokio::test]
async fn a_message_of_many_frames_lets_others_have_their_turn() {
    let frames = frame(CONTINUATION, b"").repeat(20_000);
    let begin = frame(TEXT, b"x");
    let (mut connection, mut peer) = raw(ConnectionConfig::default(), frames.len() + begin.len()).await;
    peer.write_all(&begin).await.unwrap();
    peer.write_all(&frames).await.unwrap();
    let mut next = pin!(connection.next());
    assert!(poll_fn(|context| Poll::Ready(next.as_mut().poll(context).is_pending())).await);
    // As much as was taken from the pipe in that one turn has room in it again.
    let taken = peer.write(&frames).await.unwrap();
    assert!((4096..=32 * 1024).contains(&taken), "{taken}");
}

#[tokio::test(start_paused = true)]
async fn pings_between_its_frames_do_not_let_a_message_go_on_for_ever() {
    let (mut connection, mut peer) = raw(
        config(|config| {
            config.frame_limit = 1000;
            config.message_rate = None;
        }),
        1 << 16,
    )
    .await;
    let (mut reader, mut writer) = tokio::io::split(&mut peer);
    let write = async {
        writer.write_all(&frame(TEXT, b"")).await.unwrap();
        for _ in 0..5000 {
            let _ = writer.write_all(&frame(CONTINUATION, b"")).await;
            let _ = writer.write_all(&frame(PING, &[0; 125])).await;
        }
    };
    let read = async {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await.unwrap();
    };
    let closed = async {
        let closed = connection.next().await;
        drop(connection);
        closed
    };
    let (closed, (), ()) = tokio::join!(closed, read, write);
    assert!(matches!(closed, Incoming::Closed(Closed::TooBig(_))), "{closed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_takes_too_long_closes_the_connection_with_1008() {
    let (mut connection, mut peer) = raw(ConnectionConfig::default(), 1 << 16).await;
    let (closed, status) = tokio::join!(connection.next(), async {
        let bytes = frame(0x80 | TEXT, &[b'x'; 100]);
        for byte in bytes {
            peer.write_all(&[byte]).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        status(&mut peer).await
    });
    assert!(matches!(closed, Incoming::Closed(Closed::TooSlow(_))), "{closed:?}");
    assert_eq!(status, Some(CloseFrame::POLICY));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_pings_inside_of_a_message_does_not_hold_it_open() {
    let (mut connection, peer) = raw(ConnectionConfig::default(), 1 << 16).await;
    let mut peer = websocket(peer).await;
    peer.get_mut().write_all(&frame(TEXT, b"begun")).await.unwrap();
    let started = Instant::now();
    let (closed, ()) = tokio::join!(connection.next(), async {
        // Reading is what makes this WebSocket answer pings.
        while let Some(Ok(_)) = peer.next().await {}
    });
    assert!(matches!(closed, Incoming::Closed(Closed::TooSlow(_))), "{closed:?}");
    // At the first pong after its time: pings come every minute.
    assert_eq!(started.elapsed().as_secs() / 60, 2);
}

#[tokio::test(start_paused = true)]
async fn silence_between_messages_is_no_slow_message() {
    let (mut connection, peer) = raw(ConnectionConfig::default(), 1 << 16).await;
    let mut peer = websocket(peer).await;
    let talk = async {
        for _ in 0..3 {
            peer.send(Message::text("x")).await.unwrap();
            // Answers pings for ten minutes.
            let _ = timeout(Duration::from_secs(600), async { while peer.next().await.is_some() {} }).await;
        }
    };
    let listen = async {
        for _ in 0..3 {
            assert_eq!(connection.next().await, Incoming::Text("x".into()));
        }
        let _ = timeout(Duration::from_secs(300), connection.next()).await;
    };
    tokio::join!(talk, listen);
}

const REQUEST: &[u8] = b"GET /ocpp/CS001 HTTP/1.1\r\nHost: csms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Protocol: ocpp2.1\r\n\r\n";

/// What becomes of a client whose stream holds so many bytes, and that sends one byte in each of these times.
async fn trickling(capacity: usize, pace: Duration) -> (Result<(), AcceptError>, Duration) {
    let (server, mut client) = duplex(capacity);
    let started = Instant::now();
    let sending = async {
        for byte in REQUEST {
            if client.write_all(&[*byte]).await.is_err() {
                return client;
            }
            tokio::time::sleep(pace).await;
        }
        client
    };
    let accepting = async {
        let outcome = accept(server, &HandshakeRules::default(), ConnectionConfig::default(), async |_| Ok(())).await;
        (outcome.map(drop), started.elapsed())
    };
    let (outcome, client) = tokio::join!(accepting, sending);
    drop(client);
    outcome
}

#[tokio::test(start_paused = true)]
async fn a_request_that_trickles_byte_by_byte_is_given_up() {
    let (outcome, took) = trickling(1024, Duration::from_millis(100)).await;
    assert!(matches!(outcome, Err(AcceptError::Timeout)), "{outcome:?}");
    assert_eq!(took.as_secs(), 10);
    let (outcome, _) = trickling(1024, Duration::from_millis(10)).await;
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_the_answer_to_its_request_is_given_up() {
    let (outcome, _) = trickling(16, Duration::ZERO).await;
    assert!(matches!(outcome, Err(AcceptError::Timeout)), "{outcome:?}");
}
