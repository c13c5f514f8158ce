//! The stream of events.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, TOKEN, soon};

/// A reader of the stream.
pub struct Reader {
    response: reqwest::Response,
    text: String,
}

impl Reader {
    pub async fn open(csms: &Csms, query: &str, last: Option<u64>) -> Self {
        let mut request = reqwest::Client::new().get(csms.url(&format!("/api/v1/events{query}"))).bearer_auth(TOKEN);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = soon("the stream", request.send()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Self { response, text: String::new() }
    }

    /// The kind and the data of the next event.
    pub async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let member = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim().to_owned())
                };
                let found = member("event:").zip(member("data:"));
                self.text = rest.to_owned();
                if let Some((kind, data)) = found {
                    return (kind, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let chunk = soon("an event", self.response.chunk()).await.unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn what_happens_is_told_in_order_and_to_who_comes_back() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    csms.enter("OTHER").await;
    let mut all = Reader::open(&csms, "?station=CS", None).await;
    let mut statuses = Reader::open(&csms, "?kind=connector.*,transaction.started", None).await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let _other = csms.station("OTHER", "ocpp1.6").await;
    let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Available"});
    station.call("StatusNotification", status).await;
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "2026-06-01T10:00:00Z"});
    station.call("StartTransaction", start).await;
    let (kind, connected) = all.next().await;
    assert_eq!((kind.as_str(), &connected["station"]), ("station.connected", &json!("CS")));
    assert_eq!(connected["data"]["version"], "1.6");
    let mut kinds = Vec::new();
    let mut numbers = vec![connected["id"].as_u64().unwrap()];
    for _ in 0..3 {
        let (kind, event) = all.next().await;
        assert_eq!(kind, event["kind"]);
        numbers.push(event["id"].as_u64().unwrap());
        kinds.push(kind);
    }
    assert_eq!(kinds, ["station.booted", "connector.status", "transaction.started"]);
    assert!(numbers.is_sorted());
    assert_eq!(statuses.next().await.0, "connector.status");
    let (kind, event) = statuses.next().await;
    assert_eq!((kind.as_str(), &event["data"]["token"]), ("transaction.started", &json!("TAG")));

    // Whoever read up to the boot gets the rest.
    let mut back = Reader::open(&csms, "?station=CS", Some(numbers[1])).await;
    assert_eq!(back.next().await.0, "connector.status");
    assert_eq!(back.next().await.0, "transaction.started");
    // Whoever read something that is not remembered is told so.
    assert_eq!(Reader::open(&csms, "", Some(1)).await.next().await.0, "gap");
}

#[tokio::test]
async fn a_kind_that_does_not_exist_is_named() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let (status, problem) = csms.request(Method::GET, "/api/v1/events?kind=station.danced", None).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().unwrap().contains("station.connected"), "{problem}");
}

/// A reader that takes nothing any more: the server holds its connection for no longer than it has to, and everybody else reads on.
#[tokio::test]
async fn a_reader_that_does_not_read_is_dropped_and_holds_nobody() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.stall_timeout = Some(2)).await;
    csms.enter("CS").await;
    let mut other = Reader::open(&csms, "?kind=variable.alert", None).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    // So that little is on the way.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut slow = socket.connect(csms.server.address()).await.unwrap();
    let request = format!("GET /api/v1/events HTTP/1.1\r\nHost: csms\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    slow.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    soon("the head of the stream", slow.read_exact(&mut head)).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    let event = |number: usize| {
        json!({"eventId": number, "timestamp": "2026-06-01T10:00:00Z", "trigger": "Delta", "actualValue": "x".repeat(2500),
            "eventNotificationType": "CustomMonitor", "component": {"name": "Display"}, "variable": {"name": "Text"}})
    };
    // Much more than the reader has room for: 500 KB.
    let (messages, events) = (20, 10);
    let floods = async {
        for message in 0..messages {
            let data: Vec<Value> = (0..events).map(|number| event(message * events + number)).collect();
            let payload = json!({"generatedAt": "2026-06-01T10:00:00Z", "seqNo": 0, "eventData": data});
            station.call("NotifyEvent", payload).await;
        }
        let mut last = event(0);
        last["variable"]["name"] = json!("Last");
        let payload = json!({"generatedAt": "2026-06-01T10:00:00Z", "seqNo": 0, "eventData": [last]});
        station.call("NotifyEvent", payload).await;
    };
    let reads = async {
        // It may be told of a gap, and gets all after it.
        while other.next().await.1["data"]["variable"] != "Display.Last" {}
    };
    tokio::join!(reads, floods);
    // For longer than it may.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let mut rest = Vec::new();
    // Its connection ends before everything was written.
    let ended = soon("the end of the connection", slow.read_to_end(&mut rest)).await;
    assert!(ended.is_err() || rest.len() < messages * events * 2500, "{ended:?}: {} bytes", rest.len());
    assert!(!String::from_utf8_lossy(&rest).contains("Display.Last"));
}
