//! What a station, or something that is none, should not send: it is answered as the standard says and disturbs nobody else.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::harness::{Csms, Folder, RawStation, soon};

/// A station that goes on working whatever the other one does.
async fn witness(csms: &Csms) -> RawStation {
    csms.enter("WITNESS").await;
    let mut station = csms.station("WITNESS", "ocpp2.0.1").await;
    station.boot("ocpp2.0.1").await;
    station
}

async fn still_works(station: &mut RawStation) {
    assert!(station.call("Heartbeat", json!({})).await["currentTime"].is_string());
}

/// The head of the answer to a handshake, and what follows it until the server closes the connection.
async fn raw_handshake(csms: &Csms, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(csms.server.address()).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: csms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let read = soon("the answer", stream.read(&mut buffer)).await.unwrap();
        answer.extend_from_slice(&buffer[..read]);
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
        // A close frame begins with 0x88; whoever gets one need not wait for more.
        if let Some(end) = end
            && (read == 0 || answer.get(end + 4) == Some(&0x88) || !answer.starts_with(b"HTTP/1.1 101"))
        {
            let rest = answer.split_off(end + 4);
            return (String::from_utf8(answer).unwrap().to_ascii_lowercase(), rest);
        }
        assert_ne!(read, 0, "the server closed the connection without an answer");
    }
}

// 2.1 part 4, 3.3
#[tokio::test]
async fn without_a_common_version_the_handshake_is_completed_and_the_connection_closed() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    for headers in ["Sec-WebSocket-Protocol: ocpp2.0, soap\r\n", ""] {
        let (head, rest) = raw_handshake(&csms, "/ocpp/CS", headers).await;
        assert!(head.starts_with("http/1.1 101"), "{head}");
        assert!(!head.contains("sec-websocket-protocol"), "{head}");
        assert_eq!(rest.first(), Some(&0x88));
    }
}

#[tokio::test]
async fn of_several_versions_the_station_prefers_the_first_that_is_spoken() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = csms.station("CS", "ocpp2.0, ocpp2.0.1, ocpp1.6").await;
    station.call("BootNotification", crate::harness::boot_payload("ocpp2.0.1")).await;
    assert_eq!(csms.get("/api/v1/stations/CS").await["version"], "2.0.1");
}

#[tokio::test]
async fn a_wrong_path_is_not_found() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    for path in ["/ocpp", "/ocpp/", "/ocpp/CS/more", "/ocppp/CS", "/CS", "/ocpp/AA:BB"] {
        let (head, _) = raw_handshake(&csms, path, "Sec-WebSocket-Protocol: ocpp2.1\r\n").await;
        assert!(head.starts_with("http/1.1 404"), "{path}: {head}");
    }
    let (head, _) = raw_handshake(&csms, "/ocpp/%ff", "Sec-WebSocket-Protocol: ocpp2.1\r\n").await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
}

#[tokio::test]
async fn an_identity_is_percent_decoded() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = csms.station("RDAM%7C1%2F2%C3%A9", "ocpp2.1").await;
    station.call("BootNotification", crate::harness::boot_payload("ocpp2.1")).await;
    let stations = csms.get("/api/v1/stations").await;
    assert_eq!(stations[0]["id"], "RDAM|1/2é");
    assert_eq!(csms.get("/api/v1/stations/RDAM%7C1%2F2%C3%A9").await["connected"], true);
}

#[tokio::test]
async fn of_two_connections_with_one_identity_the_old_one_is_closed() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut witness = witness(&csms).await;
    csms.enter("CS").await;
    let mut old = csms.station("CS", "ocpp1.6").await;
    old.boot("ocpp1.6").await;
    let mut new = csms.station("CS", "ocpp2.1").await;
    old.closed().await;
    new.boot("ocpp2.1").await;
    still_works(&mut new).await;
    assert_eq!(csms.get("/api/v1/stations/CS").await["version"], "2.1");
    still_works(&mut witness).await;
}

#[tokio::test]
async fn a_binary_frame_closes_the_connection() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut witness = witness(&csms).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    station.send(Message::binary(vec![1, 2, 3])).await;
    let close = station.closed().await.unwrap();
    assert_eq!(u16::from(close.code), 1003);
    still_works(&mut witness).await;
}

#[tokio::test]
async fn a_frame_of_10_megabytes_closes_the_connection() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut witness = witness(&csms).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    let text = json!([2, "1", "DataTransfer", {"vendorId": "x".repeat(10 << 20)}]).to_string();
    // The server may close the connection before all of it was written.
    let sent = station.try_send(Message::text(text)).await;
    match station.closed().await {
        Some(close) => assert_eq!(u16::from(close.code), 1009),
        None => assert!(sent.is_err()),
    }
    still_works(&mut witness).await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    still_works(&mut station).await;
}

/// Frames that are no messages. The connection survives each of them.
#[tokio::test]
async fn what_is_no_message_disturbs_nothing() {
    let deep = "[".repeat(200_000);
    let frames = [
        "",
        "not JSON",
        "{}",
        "[]",
        "[2]",
        "[7,\"1\",\"Heartbeat\",{}]",
        "[\"2\",\"1\",\"Heartbeat\",{}]",
        "[3,\"nobody-asked\",{}]",
        "[4,\"nobody-asked\",\"InternalError\",\"\",{}]",
        "[2,\"1\",\"Heartbeat\",NaN]",
        "[2,\"1\",\"Heartbeat\",{\"a\":1e400}]",
        "[2,\"1\",\"Heartbeat\",{\"a\":\"\\ud800\"}]",
        deep.as_str(),
    ];
    for subprotocol in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        csms.enter("CS").await;
        let mut station = csms.station("CS", subprotocol).await;
        station.boot(subprotocol).await;
        for frame in frames {
            station.send_text(frame).await;
            still_works(&mut station).await;
        }
        let log = csms.get("/api/v1/stations/CS/messages?limit=1000").await;
        let received = |entry: &&Value| entry["direction"] == "received";
        assert_eq!(log.as_array().unwrap().iter().filter(received).count(), 1 + 2 * frames.len());
    }
}

#[tokio::test]
async fn an_unknown_action_and_a_payload_of_the_wrong_shape_are_answered_with_their_codes() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    for (subprotocol, missing) in [
        ("ocpp1.6", "OccurenceConstraintViolation"),
        ("ocpp2.0.1", "OccurrenceConstraintViolation"),
        ("ocpp2.1", "OccurrenceConstraintViolation"),
    ] {
        let mut station = csms.station("CS", subprotocol).await;
        station.boot(subprotocol).await;
        let answer = station.ask("MakeCoffee", json!({})).await;
        assert_eq!((&answer[0], &answer[2]), (&json!(4), &json!("NotImplemented")), "{answer}");
        let answer = station.ask("StatusNotification", json!({})).await;
        assert_eq!((&answer[0], &answer[2]), (&json!(4), &json!(missing)), "{answer}");
        still_works(&mut station).await;
    }
}

#[tokio::test]
async fn a_station_that_is_let_in_by_nobody_is_told_so_by_http() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.put("/api/v1/stations/CS", json!({"password": "correct-horse-battery"})).await;
    match RawStation::connect(csms.server.address(), "CS", Some("ocpp1.6"), None).await {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 401);
            assert!(response.headers().contains_key("www-authenticate"));
        }
        _ => panic!("a station without its password was let in"),
    }
}
