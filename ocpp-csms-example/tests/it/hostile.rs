//! Peers that send too much, too little, or not what they seem to: bounded, and no other station notices.

use ocpp_core::transport::{CloseFrame, Closed, Compression, ConnectRequest, Incoming, connect};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Csms, Folder, RawStation, boot_payload, soon};

async fn witness(csms: &Csms) -> RawStation {
    csms.enter("WITNESS").await;
    let mut station = csms.station("WITNESS", "ocpp2.0.1").await;
    station.boot("ocpp2.0.1").await;
    station
}

async fn still_works(station: &mut RawStation) {
    assert!(station.call("Heartbeat", json!({})).await["currentTime"].is_string());
}

fn request(csms: &Csms, station: &str, compression: Compression) -> ConnectRequest {
    let mut request = ConnectRequest::new(format!("ws://{}/ocpp", csms.server.address()), station);
    request.compression = compression;
    request
}

/// Waits until the server closes a connection that never became one of a station.
async fn ended(mut stream: TcpStream) {
    let mut bytes = Vec::new();
    // It may be reset, as well.
    let _ = soon("the end of the connection", stream.read_to_end(&mut bytes)).await;
}

// 2.1 part 4, 3.4
#[tokio::test]
async fn a_station_that_offers_compression_gets_it_and_one_that_does_not_goes_without() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    for (offer, compressed) in
        [(Compression::Off, false), (Compression::EachMessage, true), (Compression::Continuous, true)]
    {
        let mut station = connect(&request(&csms, "CS", offer)).await.unwrap();
        assert_eq!(station.wire().is_compressed(), compressed);
        station.send(json!([2, "1", "BootNotification", boot_payload("ocpp2.1")]).to_string());
        let Incoming::Text(answer) = soon("an answer", station.next()).await else { panic!("no answer") };
        assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()[2]["status"], "Accepted");
    }
    let log = csms.get("/api/v1/stations/CS/messages?limit=1000").await;
    assert_eq!(log.as_array().unwrap().len(), 6, "the log has them inflated: {log}");
}

#[tokio::test]
async fn compression_can_be_switched_off() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.compression = Some(false)).await;
    csms.enter("CS").await;
    let station = connect(&request(&csms, "CS", Compression::EachMessage)).await.unwrap();
    assert!(!station.wire().is_compressed());
}

#[tokio::test]
async fn a_compression_bomb_is_cut_at_the_limit() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut witness = witness(&csms).await;
    csms.enter("CS").await;
    let mut station = connect(&request(&csms, "CS", Compression::EachMessage)).await.unwrap();
    // 15 KB on the wire.
    station.send("0".repeat(15 << 20));
    let closed = soon("the end of the connection", station.next()).await;
    let Incoming::Closed(Closed::ByPeer(Some(frame))) = closed else { panic!("{closed:?}") };
    assert_eq!(frame.code, CloseFrame::TOO_BIG);
    still_works(&mut witness).await;
}

#[tokio::test]
async fn a_request_that_trickles_is_not_waited_for() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.handshake_timeout = Some(1)).await;
    let mut witness = witness(&csms).await;
    let silent = TcpStream::connect(csms.server.address()).await.unwrap();
    let (mut reader, mut writer) = TcpStream::connect(csms.server.address()).await.unwrap().into_split();
    let trickle = tokio::spawn(async move {
        let head = b"GET /ocpp/CS HTTP/1.1\r\nHost: csms\r\n";
        for byte in head.iter().chain(b"X-Filler: x\r\n".iter().cycle()) {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    still_works(&mut witness).await;
    ended(silent).await;
    let mut answer = Vec::new();
    let _ = soon("the end of the connection", reader.read_to_end(&mut answer)).await;
    drop(reader);
    trickle.abort();
    still_works(&mut witness).await;
}

#[tokio::test]
async fn only_so_many_connections_from_one_address_are_taken() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.max_connections_per_address = Some(4);
        file.handshake_timeout = Some(60);
    })
    .await;
    // The test's own client holds one.
    let mut witness = witness(&csms).await;
    let held = [
        TcpStream::connect(csms.server.address()).await.unwrap(),
        TcpStream::connect(csms.server.address()).await.unwrap(),
    ];
    ended(TcpStream::connect(csms.server.address()).await.unwrap()).await;
    still_works(&mut witness).await;
    drop(held);
    csms.enter("CS").await;
    let again = async {
        loop {
            // The server has to notice first that the others are gone.
            if let Ok(station) = RawStation::connect(csms.server.address(), "CS", Some("ocpp2.1"), None).await {
                return station;
            }
        }
    };
    soon("room for a station", again).await.boot("ocpp2.1").await;
}

#[tokio::test]
async fn a_station_that_floods_is_slowed_down_and_answered_all_the_same() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.messages_per_second = Some(20)).await;
    let mut witness = witness(&csms).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    for number in 0..80 {
        station.send_text(json!([2, format!("flood-{number}"), "Heartbeat", {}]).to_string()).await;
    }
    still_works(&mut witness).await;
    for number in 0..80 {
        assert_eq!(station.frame().await[1], format!("flood-{number}"));
    }
}

#[tokio::test]
async fn a_station_that_does_not_read_its_answers_holds_nobody() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.messages_per_second = Some(1_000_000)).await;
    let mut witness = witness(&csms).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    let mut sent = 0;
    let flood = async {
        loop {
            let call = json!([2, format!("{sent:0>36}"), "DataTransfer", {"vendorId": "x".repeat(255)}]);
            if station.try_send(Message::text(call.to_string())).await.is_err() {
                break;
            }
            sent += 1;
        }
    };
    // Until the network holds no more, because the server does not read on.
    let watch = async {
        for _ in 0..200 {
            still_works(&mut witness).await;
        }
    };
    tokio::select! {
        () = flood => panic!("the station was closed"),
        () = watch => {}
    }
    assert!(sent > 64, "{sent}");
    assert_eq!(station.frame().await[1], format!("{:0>36}", 0));
}

#[tokio::test]
async fn the_end_of_the_server_is_told_to_its_stations() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut stations = [witness(&csms).await, csms.station("OTHER", "ocpp1.6").await];
    let Csms { server, .. } = csms;
    let closed = async {
        for station in &mut stations {
            let close = station.closed().await.unwrap();
            assert_eq!(u16::from(close.code), CloseFrame::GOING_AWAY);
        }
    };
    let ((), ()) = tokio::join!(server.shut_down(), closed);
}
