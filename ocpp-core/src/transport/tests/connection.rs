use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use ocpp_types::Version;
use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::pair;
use crate::transport::{
    CloseFrame, Closed, ConnectRequest, Connection, ConnectionConfig, HandshakeRules, Incoming, Tungstenite, accept,
    connect_over,
};

/// A connection, and a bare WebSocket as its peer, over a pipe that holds `capacity` bytes. Virtual time works with it.
async fn piped(
    config: ConnectionConfig,
    capacity: usize,
) -> (Connection<Tungstenite<DuplexStream>>, WebSocketStream<DuplexStream>) {
    let (ours, theirs) = duplex(capacity);
    let wire = Tungstenite::server(ours, &config).await;
    let peer = WebSocketStream::from_raw_socket(theirs, Role::Client, Some(WebSocketConfig::default())).await;
    (Connection::new(wire, Version::V2_1, config), peer)
}

fn config(change: impl FnOnce(&mut ConnectionConfig)) -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    change(&mut config);
    config
}

/// The status of the close frame that the peer gets before it goes.
async fn status(mut peer: WebSocketStream<DuplexStream>) -> Option<u16> {
    while let Some(message) = peer.next().await {
        if let Message::Close(frame) = message.unwrap() {
            return frame.map(|frame| frame.code.into());
        }
    }
    None
}

#[tokio::test]
async fn a_message_that_is_too_big_closes_the_connection_with_1009() {
    let (mut connection, mut peer) = piped(config(|config| config.frame_limit = 1000), 1 << 20).await;
    peer.send(Message::text("x".repeat(1000))).await.unwrap();
    assert_eq!(connection.next().await, Incoming::Text("x".repeat(1000)));
    peer.send(Message::text("x".repeat(1001))).await.unwrap();
    let (closed, status) = tokio::join!(connection.next(), status(peer));
    assert!(matches!(closed, Incoming::Closed(Closed::TooBig(_))), "{closed:?}");
    assert_eq!(status, Some(CloseFrame::TOO_BIG));
}

#[tokio::test]
async fn a_sender_of_ten_megabytes_gets_to_read_why_it_is_cut_off() {
    // Nobody's patience ends before the closing handshake does.
    let patient = config(|config| config.close_timeout = Duration::from_secs(3600));
    let (mut station, mut csms) = pair(patient.clone(), patient).await;
    station.send("x".repeat(10_000_000));
    let at_station = async move { station.next().await };
    let (at_station, at_csms) = tokio::join!(at_station, csms.next());
    assert!(matches!(at_csms, Incoming::Closed(Closed::TooBig(_))), "{at_csms:?}");
    let Incoming::Closed(Closed::ByPeer(Some(frame))) = at_station else { panic!("{at_station:?}") };
    assert_eq!(frame.code, CloseFrame::TOO_BIG);
}

// RFC 6455, 7.4.1
#[tokio::test]
async fn a_binary_message_is_reported_and_closes_the_connection_with_1003() {
    let (mut connection, mut peer) = piped(ConnectionConfig::default(), 1 << 16).await;
    peer.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(connection.next().await, Incoming::Binary);
    let (closed, status) = tokio::join!(connection.next(), status(peer));
    assert_eq!(closed, Incoming::Closed(Closed::Binary));
    assert_eq!(status, Some(CloseFrame::UNSUPPORTED));
}

// 2.1 part 4, 4.1.2; 1.6-J, 4.1.2
#[tokio::test]
async fn text_that_is_not_utf_8_closes_the_connection_with_1007() {
    let (mut connection, mut peer) = piped(ConnectionConfig::default(), 1 << 16).await;
    // A masked text frame (RFC 6455, 5.2) with one byte that UTF-8 does not have.
    peer.get_mut().write_all(&[0x81, 0x81, 0, 0, 0, 0, 0xFF]).await.unwrap();
    let (closed, status) = tokio::join!(connection.next(), status(peer));
    assert_eq!(closed, Incoming::Closed(Closed::NotUtf8));
    assert_eq!(status, Some(CloseFrame::INVALID));
}

#[tokio::test]
async fn a_breach_of_the_websocket_protocol_closes_the_connection_with_1002() {
    let (mut connection, mut peer) = piped(ConnectionConfig::default(), 1 << 16).await;
    // A client has to mask its frames (RFC 6455, 5.1).
    peer.get_mut().write_all(&[0x81, 0x01, b'x']).await.unwrap();
    let (closed, status) = tokio::join!(connection.next(), status(peer));
    assert!(matches!(closed, Incoming::Closed(Closed::Protocol(_))), "{closed:?}");
    assert_eq!(status, Some(CloseFrame::PROTOCOL));
}

#[tokio::test]
async fn closing_sends_what_is_queued_first() {
    let (mut connection, mut peer) = piped(ConnectionConfig::default(), 1 << 16).await;
    connection.send("last words".into());
    connection.close(CloseFrame::new(CloseFrame::GOING_AWAY, "restart"));
    connection.send("too late".into());
    let (closed, words) = tokio::join!(connection.next(), async {
        let words = peer.next().await.unwrap().unwrap();
        assert!(matches!(peer.next().await, Some(Ok(Message::Close(Some(_))))));
        drop(peer);
        words
    });
    assert_eq!(words, Message::text("last words"));
    assert_eq!(closed, Incoming::Closed(Closed::ByUs(CloseFrame::new(CloseFrame::GOING_AWAY, "restart"))));
    assert_eq!(connection.next().await, closed);
}

#[tokio::test]
async fn a_close_of_the_peer_is_acknowledged_and_reported() {
    let (mut connection, mut peer) = piped(ConnectionConfig::default(), 1 << 16).await;
    let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: 1001.into(), reason: "bye".into() };
    peer.close(Some(frame)).await.unwrap();
    let (closed, status) = tokio::join!(connection.next(), status(peer));
    assert_eq!(closed, Incoming::Closed(Closed::ByPeer(Some(CloseFrame::new(1001, "bye")))));
    assert_eq!(status, Some(1001));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_finishes_the_closing_handshake_is_left() {
    let (mut connection, _peer) = piped(ConnectionConfig::default(), 1 << 16).await;
    connection.close(CloseFrame::new(CloseFrame::NORMAL, ""));
    assert!(matches!(connection.next().await, Incoming::Closed(Closed::ByUs(_))));
}

// 1.6-J errata 3.11
#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_no_ping_is_dead() {
    let (mut connection, _peer) = piped(ConnectionConfig::default(), 1 << 16).await;
    let started = tokio::time::Instant::now();
    assert_eq!(connection.next().await, Incoming::Closed(Closed::PongTimeout));
    // The interval and the timeout of the default, in virtual time.
    assert_eq!(started.elapsed().as_secs(), 90);
}

// 1.6-J errata 3.11
#[tokio::test(start_paused = true)]
async fn a_station_that_vanishes_without_a_word_is_given_up_by_the_server() {
    for says in [None, Some(r#"[2,"1","Heartbeat",{}]"#)] {
        let (ours, theirs) = duplex(1 << 16);
        let rules = HandshakeRules::default();
        let request = ConnectRequest::new("ws://csms.example.com/ocpp", "CS001");
        let (accepted, station) = tokio::join!(
            accept(ours, &rules, ConnectionConfig::default(), async |_| Ok(())),
            connect_over(theirs, &request)
        );
        let mut connection = accepted.unwrap().connection;
        let mut station = station.unwrap();
        if let Some(text) = says {
            station.send(text.to_owned());
            let received = tokio::select! { received = connection.next() => received, other = station.next() => other };
            assert_eq!(received, Incoming::Text(text.to_owned()));
        }
        // From here on nothing comes of it, not even the end of the stream, and what it is sent goes nowhere.
        connection.send(r#"[3,"1",{"currentTime":"2026-11-20T10:00:00Z"}]"#.to_owned());
        let began = tokio::time::Instant::now();
        assert_eq!(connection.next().await, Incoming::Closed(Closed::PongTimeout));
        assert_eq!(began.elapsed().as_secs(), 90, "the interval and the time for a pong");
        drop(station);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_pings_lives() {
    let (mut connection, mut peer) = piped(ConnectionConfig::default(), 1 << 16).await;
    let pings = async {
        for _ in 0..10 {
            // Reading is what makes the peer's WebSocket answer.
            assert!(matches!(peer.next().await, Some(Ok(Message::Ping(_)))));
        }
        peer.send(Message::text("alive")).await.unwrap();
    };
    let (incoming, ()) = tokio::join!(connection.next(), pings);
    assert_eq!(incoming, Incoming::Text("alive".into()));
}

#[tokio::test(start_paused = true)]
async fn a_pong_counts_that_came_in_time_and_is_read_late() {
    let (mut connection, mut peer) = piped(ConnectionConfig::default(), 1 << 16).await;
    let minute = Duration::from_secs(61);
    let (waited, ping) = tokio::join!(tokio::time::timeout(minute, connection.next()), peer.next());
    assert!(waited.is_err() && matches!(ping, Some(Ok(Message::Ping(_)))));
    // Lets the peer's WebSocket send the pong, while the run loop is busy with something else.
    assert!(tokio::time::timeout(minute, peer.next()).await.is_err());
    let second = Duration::from_secs(1);
    assert!(tokio::time::timeout(second, connection.next()).await.is_err(), "it is still open");
}

// 2.1 part 4, 8.4: 0 switches it off
#[tokio::test(start_paused = true)]
async fn without_an_interval_nobody_is_pinged_until_it_is_set() {
    let (mut connection, mut peer) = piped(config(|config| config.ping_interval = None), 1 << 16).await;
    let day = Duration::from_secs(86_400);
    assert!(tokio::time::timeout(day, connection.next()).await.is_err());
    connection.set_ping_interval(Some(Duration::from_secs(5)));
    let (closed, message) = tokio::join!(connection.next(), peer.next());
    assert_eq!(closed, Incoming::Closed(Closed::PongTimeout));
    assert!(matches!(message, Some(Ok(Message::Ping(_)))), "{message:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_left_when_its_time_is_over() {
    let (mut connection, _peer) = piped(config(|config| config.ping_interval = None), 1024).await;
    connection.send("x".repeat(10_000));
    assert_eq!(connection.next().await, Incoming::Closed(Closed::WriteTimeout));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_too_slowly_is_left_when_the_backlog_is_full() {
    let (mut connection, _peer) = piped(config(|config| config.backlog_limit = 4), 64).await;
    for _ in 0..4 {
        connection.send("x".repeat(100));
    }
    assert!(tokio::time::timeout(Duration::from_secs(1), connection.next()).await.is_err());
    for _ in 0..4 {
        connection.send("x".repeat(100));
    }
    assert_eq!(connection.next().await, Incoming::Closed(Closed::Backlog));
}

#[tokio::test(start_paused = true)]
async fn a_peer_gets_no_more_to_answer_while_it_does_not_read() {
    let (mut connection, mut peer) = piped(config(|config| config.backlog_limit = 4), 4096).await;
    for _ in 0..4 {
        connection.send("x".repeat(4000));
    }
    let (sink, stream) = (&mut peer, Duration::from_secs(1));
    sink.send(Message::text("more")).await.unwrap();
    assert!(tokio::time::timeout(stream, connection.next()).await.is_err(), "nothing is read");
    let (incoming, ()) = tokio::join!(connection.next(), async {
        for _ in 0..2 {
            assert!(matches!(peer.next().await, Some(Ok(Message::Text(_)))));
        }
    });
    assert_eq!(incoming, Incoming::Text("more".into()));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_but_steadily_is_kept() {
    let impatient = config(|config| {
        config.ping_interval = Some(Duration::from_secs(10));
        config.pong_timeout = Duration::from_secs(25);
        // The peer may find two frames at a time in its own buffer.
        config.write_timeout = Duration::from_secs(45);
        config.backlog_limit = 8;
    });
    let (mut connection, mut peer) = piped(impatient, 64).await;
    for _ in 0..8 {
        connection.send("x".repeat(100));
    }
    let slow = async {
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_secs(20)).await;
            assert!(matches!(peer.next().await, Some(Ok(Message::Text(_)))));
        }
        assert!(matches!(peer.next().await, Some(Ok(Message::Ping(_)))));
        peer.send(Message::text("done")).await.unwrap();
    };
    // Whichever ends first: the peer waits for ever where the connection is given up.
    tokio::select! {
        incoming = connection.next() => assert_eq!(incoming, Incoming::Text("done".into())),
        () = slow => assert_eq!(connection.next().await, Incoming::Text("done".into())),
    }
}

#[tokio::test(start_paused = true)]
async fn a_pong_that_waits_behind_a_backlog_is_not_missed() {
    let impatient = config(|config| {
        config.ping_interval = Some(Duration::from_secs(10));
        config.pong_timeout = Duration::from_secs(5);
        config.backlog_limit = 4;
    });
    let (mut connection, mut peer) = piped(impatient, 256).await;
    // The ping goes out …
    let (waited, ping) = tokio::join!(tokio::time::timeout(Duration::from_secs(11), connection.next()), peer.next());
    assert!(waited.is_err() && matches!(ping, Some(Ok(Message::Ping(_)))));
    // … and then so much that the pong is not read before the peer has read some of it.
    for _ in 0..4 {
        connection.send("x".repeat(300));
    }
    assert!(tokio::time::timeout(Duration::from_secs(8), connection.next()).await.is_err(), "it is still open");
}
