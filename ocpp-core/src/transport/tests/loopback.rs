use ocpp_types::Version;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Server, pair, rules};
use crate::transport::{
    AcceptError, Closed, ConnectError, ConnectRequest, ConnectionConfig, HandshakeRules, Incoming, Refused, connect,
};

#[tokio::test]
async fn frames_go_both_ways() {
    let (mut station, mut csms) = pair(ConnectionConfig::default(), ConnectionConfig::default()).await;
    station.send(r#"[2,"1","Heartbeat",{}]"#.into());
    let to_csms = async { csms.next().await };
    // Writing happens while the next frame is awaited.
    let received = tokio::select! { received = to_csms => received, unexpected = station.next() => unexpected };
    assert_eq!(received, Incoming::Text(r#"[2,"1","Heartbeat",{}]"#.into()));
    csms.send("é".repeat(100_000));
    let received = tokio::select! { received = station.next() => received, unexpected = csms.next() => unexpected };
    assert_eq!(received, Incoming::Text("é".repeat(100_000)));
}

#[tokio::test]
async fn one_port_serves_several_versions() {
    for version in Version::ALL {
        let server = Server::start(HandshakeRules::default(), ConnectionConfig::default()).await;
        let mut request = server.request("CS001");
        request.versions = vec![version];
        assert_eq!(connect(&request).await.unwrap().version(), version);
        assert_eq!(server.outcome().await.unwrap().connection.version(), version);
    }
}

// 2.1 part 4, 3.1.2
#[tokio::test]
async fn both_sides_agree_on_the_first_offer_that_the_server_speaks() {
    let server = Server::start(rules(&[Version::V1_6, Version::V2_0_1]), ConnectionConfig::default()).await;
    let request = server.request("CS001");
    assert_eq!(connect(&request).await.unwrap().version(), Version::V2_0_1);
    let accepted = server.outcome().await.unwrap();
    assert_eq!(accepted.connection.version(), Version::V2_0_1);
    assert_eq!(accepted.request.offered, ["ocpp2.1", "ocpp2.0.1", "ocpp1.6"]);
}

// 2.1 part 4, 3.1.1
#[tokio::test]
async fn an_identity_with_special_characters_arrives_as_it_is() {
    for identity in ["RDAM|123", "RDAM 123", "a/b?c#d%e", "é+@=*"] {
        let server = Server::start(HandshakeRules::default(), ConnectionConfig::default()).await;
        let _station = connect(&server.request(identity)).await.unwrap();
        assert_eq!(server.outcome().await.unwrap().request.station, identity);
    }
}

// 2.1 part 4, 3.3
#[tokio::test]
async fn without_a_common_version_both_sides_say_so() {
    let server = Server::start(rules(&[Version::V1_6]), ConnectionConfig::default()).await;
    let mut request = server.request("CS001");
    request.versions = vec![Version::V2_1];
    assert!(matches!(connect(&request).await.unwrap_err(), ConnectError::NoCommonVersion));
    let AcceptError::NoCommonVersion { station, offered } = server.outcome().await.unwrap_err() else { panic!() };
    assert_eq!((&*station, offered), ("CS001", vec!["ocpp2.1".to_owned()]));
}

const REQUEST: &str = "GET /ocpp/CS001 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n";

/// What a server sends until it closes, as bytes.
async fn answer_to(server: &Server, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

// 2.1 part 4, 3.3
#[tokio::test]
async fn without_a_common_version_the_handshake_is_completed_and_the_connection_closed() {
    let server = Server::start(rules(&[Version::V2_1]), ConnectionConfig::default()).await;
    let answer = answer_to(&server, &format!("{REQUEST}Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n")).await;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.contains("\r\nSec-WebSocket-Accept: "), "{head}");
    assert!(!head.to_ascii_lowercase().contains("sec-websocket-protocol"), "{head}");
    // A close frame (RFC 6455, 5.5.1) with status 1002.
    assert_eq!((answer[end], &answer[end + 2..end + 4]), (0x88, &[0x03, 0xEA][..]));
}

#[tokio::test]
async fn frames_that_come_right_behind_the_request_are_not_lost() {
    let server = Server::start(HandshakeRules::default(), ConnectionConfig::default()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut bytes = format!("{REQUEST}Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n").into_bytes();
    // A masked text frame of two characters (RFC 6455, 5.2) whose mask is zero.
    bytes.extend_from_slice(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
    stream.write_all(&bytes).await.unwrap();
    let mut accepted = server.outcome().await.unwrap();
    assert_eq!(accepted.connection.next().await, Incoming::Text("hi".into()));
}

// 2.1 part 4, 3.3
#[tokio::test]
async fn a_station_that_is_not_known_gets_404() {
    let server = Server::authorizing(HandshakeRules::default(), ConnectionConfig::default(), |request| {
        if request.station == "CS002" { Ok(()) } else { Err(Refused::unknown_station()) }
    });
    let server = server.await;
    assert!(matches!(connect(&server.request("CS001")).await.unwrap_err(), ConnectError::UnknownStation));
    let AcceptError::Refused { refused, station } = server.outcome().await.unwrap_err() else { panic!() };
    assert_eq!((refused, station), (Refused::unknown_station(), Some("CS001".into())));
}

#[tokio::test]
async fn a_wrong_path_gets_404() {
    let server = Server::start(HandshakeRules::default(), ConnectionConfig::default()).await;
    let request = ConnectRequest::new(format!("ws://{}/other", server.address), "CS001");
    assert!(matches!(connect(&request).await.unwrap_err(), ConnectError::UnknownStation));
    let AcceptError::Refused { station, .. } = server.outcome().await.unwrap_err() else { panic!() };
    assert_eq!(station, None);
}

// A00.FR.204, A00.FR.205
#[tokio::test]
async fn credentials_decide_about_the_connection() {
    for (password, welcome) in
        [(Some(b"0123456789abcdef".to_vec()), true), (Some(b"wrong".to_vec()), false), (None, false)]
    {
        let server = Server::authorizing(HandshakeRules::default(), ConnectionConfig::default(), |request| {
            let credentials = request.credentials.as_ref().ok_or(Refused::unauthorized())?;
            let matches = credentials.user == request.station && credentials.password == b"0123456789abcdef";
            matches.then_some(()).ok_or(Refused::unauthorized())
        });
        let server = server.await;
        let mut request = server.request("CS001");
        request.password = password;
        match connect(&request).await {
            Ok(_) => assert!(welcome),
            Err(error) => assert!(matches!(error, ConnectError::Unauthorized) && !welcome, "{error}"),
        }
        assert_eq!(server.outcome().await.is_ok(), welcome);
    }
}

#[tokio::test]
async fn what_is_not_http_is_told_apart() {
    let server = Server::start(HandshakeRules::default(), ConnectionConfig::default()).await;
    assert!(answer_to(&server, "\u{1}\u{2}\u{3} hello\r\n\r\n").await.is_empty());
    assert!(matches!(server.outcome().await.unwrap_err(), AcceptError::NotHttp(_)));

    let server = Server::start(HandshakeRules::default(), ConnectionConfig::default()).await;
    assert!(answer_to(&server, "GET /ocpp/CS001 HTTP/1.1\r\n").await.is_empty());
    assert!(matches!(server.outcome().await.unwrap_err(), AcceptError::Io(_)));

    let server = Server::start(HandshakeRules::default(), ConnectionConfig::default()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The server may be gone before all of it is sent.
    let _ = stream.write_all(format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(64 * 1024)).as_bytes()).await;
    assert!(matches!(server.outcome().await.unwrap_err(), AcceptError::NotHttp(_)));
}

/// Answers one request with this text.
pub(super) async fn foreign_server(answer: &'static str) -> ConnectRequest {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ocpp", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        let key = request.split("\r\n").find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        stream.write_all(answer.replace("{accept}", &accept).as_bytes()).await.unwrap();
    });
    ConnectRequest::new(url, "CS001")
}

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n";

// RFC 6455, 4.1
#[tokio::test]
async fn a_version_that_was_not_offered_is_not_accepted() {
    let mut request = foreign_server(SWITCHING).await;
    request.versions = vec![Version::V2_1];
    assert!(matches!(connect(&request).await.unwrap_err(), ConnectError::NotOffered));
    let mut request = foreign_server(SWITCHING).await;
    request.versions = vec![Version::V1_6];
    assert_eq!(connect(&request).await.unwrap().version(), Version::V1_6);
}

#[tokio::test]
async fn other_answers_of_a_server_have_their_own_errors() {
    let request = foreign_server("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
    assert!(matches!(connect(&request).await.unwrap_err(), ConnectError::Http(status) if status == 503));
    let request = foreign_server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    assert!(matches!(connect(&request).await.unwrap_err(), ConnectError::Http(status) if status == 200));
    let request = foreign_server("SSH-2.0-OpenSSH\r\n\r\n").await;
    assert!(matches!(connect(&request).await.unwrap_err(), ConnectError::Handshake(_)));
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_an_io_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ocpp", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(connect(&ConnectRequest::new(url, "CS001")).await.unwrap_err(), ConnectError::Io(_)));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut request = ConnectRequest::new(format!("ws://{}/ocpp", listener.local_addr().unwrap()), "CS001");
    request.timeout = std::time::Duration::from_millis(1);
    assert!(matches!(connect(&request).await.unwrap_err(), ConnectError::Timeout));
}

// 2.1 part 4, 3.1.1
#[test]
fn the_connection_url_is_the_endpoint_url_with_the_encoded_identity() {
    let url = |url: &str, station: &str| ConnectRequest::new(url, station).connection_url().map(|url| url.to_string());
    let is = |result: Result<String, ConnectError>, expected: &str| assert_eq!(result.unwrap(), expected);
    is(url("ws://csms.example.com/ocpp", "CS001"), "ws://csms.example.com/ocpp/CS001");
    is(url("wss://csms.example.com/ocppj/", "RDAM|123"), "wss://csms.example.com/ocppj/RDAM%7C123");
    is(url("ws://[::1]:8180/ocpp?tenant=1", "a b"), "ws://[::1]:8180/ocpp/a%20b?tenant=1");
    is(url("ws://csms.example.com", "CS001"), "ws://csms.example.com/CS001");
    for wrong in
        ["http://x/ocpp", "csms.example.com", "ws://", "ws:///ocpp", "ws://user:secret@x/ocpp", "", "ws://a b/"]
    {
        assert!(matches!(url(wrong, "CS001").unwrap_err(), ConnectError::Url(_)), "{wrong}");
    }
    assert!(matches!(url("ws://x/ocpp", "").unwrap_err(), ConnectError::Identity(_)));
    assert!(matches!(url("ws://x/ocpp", "a:b").unwrap_err(), ConnectError::Identity(_)));
}

#[tokio::test]
async fn a_request_that_cannot_be_made_is_an_error_of_the_configuration() {
    let mut request = ConnectRequest::new("ws://127.0.0.1:1/ocpp", "CS001");
    request.url = "wss://127.0.0.1:1/ocpp".into();
    assert!(matches!(connect(&request).await.unwrap_err(), ConnectError::NoTls));
    let (stream, _) = tokio::io::duplex(64);
    request.versions.clear();
    let error = crate::transport::connect_over(stream, &request).await.unwrap_err();
    assert!(matches!(error, ConnectError::NothingOffered));
}

#[tokio::test]
async fn the_end_of_the_process_on_the_other_side_is_noticed() {
    let (station, mut csms) = pair(ConnectionConfig::default(), ConnectionConfig::default()).await;
    drop(station);
    assert!(matches!(csms.next().await, Incoming::Closed(Closed::Lost(_))));
}
