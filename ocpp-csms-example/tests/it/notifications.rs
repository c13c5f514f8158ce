//! Who wants to know is told: by webhook and mail.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ocpp_csms::notifications::{MailFile, MailSecurity};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::harness::{Csms, Folder, RawStation, soon};

const SECRET: &str = "a-secret-of-the-tests";

type Received = (HeaderMap, String);

/// Answers these statuses, one after the other, and the last for ever.
#[derive(Clone)]
struct Hook {
    answers: Arc<Mutex<Vec<StatusCode>>>,
    received: mpsc::UnboundedSender<Received>,
}

async fn take(State(hook): State<Hook>, headers: HeaderMap, body: String) -> StatusCode {
    let mut answers = hook.answers.lock().unwrap();
    let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
    hook.received.send((headers, body)).unwrap();
    answer
}

/// A stand-in for somebody who wants to know.
async fn listen(listener: TcpListener, answers: &[StatusCode]) -> mpsc::UnboundedReceiver<Received> {
    let (received, receiver) = mpsc::unbounded_channel();
    let hook = Hook { answers: Arc::new(Mutex::new(answers.to_vec())), received };
    let app = Router::new().route("/hook", post(take)).with_state(hook);
    tokio::spawn(async move { axum::serve(listener, app).await });
    receiver
}

async fn port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    (listener, url)
}

async fn start(database: &Path) -> Csms {
    Csms::start_with(database, |file| file.notifications.private_addresses = Some(true)).await
}

async fn subscribe(csms: &Csms, target: &str, kinds: &[&str]) -> Value {
    let body = json!({"target": target, "kinds": kinds, "secret": SECRET});
    let (status, made) = csms.request(Method::POST, "/api/v1/event-subscriptions", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made
}

async fn booted(csms: &Csms) -> RawStation {
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    station
}

async fn start_transaction(station: &mut RawStation) -> Value {
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "2026-06-01T10:00:00Z"});
    station.call("StartTransaction", start).await["transactionId"].clone()
}

fn is_signed(headers: &HeaderMap, body: &str) -> bool {
    let signature = headers["webhook-signature"].to_str().unwrap();
    let (seconds, signed) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.chain_update(format!("{seconds}.{body}")).verify_slice(&hex::decode(signed).unwrap()).is_ok()
}

#[tokio::test]
async fn a_webhook_is_signed_and_repeated_until_it_is_taken() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let (listener, url) = port().await;
    let mut hook = listen(listener, &[StatusCode::INTERNAL_SERVER_ERROR, StatusCode::OK]).await;
    let made = subscribe(&csms, &url, &["transaction.*"]).await;
    let mut station = booted(&csms).await;
    let transaction = start_transaction(&mut station).await;
    let (headers, body) = soon("a webhook", hook.recv()).await.unwrap();
    assert!(is_signed(&headers, &body));
    assert!(!is_signed(&headers, &body.replace("TAG", "TAX")));
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&event["kind"], &event["station"]), (&json!("transaction.started"), &json!("CS")));
    assert_eq!(event["data"]["transaction"], transaction.to_string());
    let (again, same) = soon("the same again", hook.recv()).await.unwrap();
    assert_eq!((&again["webhook-id"], &same), (&headers["webhook-id"], &body));
    let path = format!("/api/v1/event-subscriptions/{}/deliveries", made["id"].as_str().unwrap());
    let known = csms.get_until(&path, |known| known[0]["state"] == "delivered").await;
    assert_eq!(known.as_array().unwrap().len(), 1, "nobody asked for the boot: {known}");
    assert_eq!(known[0]["attempts"], 2);
    assert!(!csms.get("/api/v1/event-subscriptions").await.to_string().contains(SECRET));
}

#[tokio::test]
async fn what_was_to_be_told_when_the_server_ended_is_told_by_the_next() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    let csms = start(&database).await;
    let (listener, url) = port().await;
    let address: SocketAddr = listener.local_addr().unwrap();
    drop(listener);
    subscribe(&csms, &url, &["transaction.started", "fault.opened"]).await;
    let mut station = booted(&csms).await;
    start_transaction(&mut station).await;
    let faulted = json!({"connectorId": 1, "errorCode": "OverVoltage", "status": "Faulted"});
    station.call("StatusNotification", faulted).await;
    // Nobody listens, and the server goes.
    csms.shut_down(&mut station).await;
    let _csms = start(&database).await;
    let mut hook = listen(TcpListener::bind(address).await.unwrap(), &[StatusCode::NO_CONTENT]).await;
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let (headers, body) = soon("a webhook", hook.recv()).await.unwrap();
        assert!(is_signed(&headers, &body));
        kinds.push(headers["webhook-event"].to_str().unwrap().to_owned());
    }
    kinds.sort();
    assert_eq!(kinds, ["fault.opened", "transaction.started"]);
}

#[tokio::test]
async fn what_nobody_takes_is_given_up_in_the_end() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.notifications.private_addresses = Some(true);
        file.notifications.give_up_after = Some(1);
    })
    .await;
    let (listener, url) = port().await;
    let _hook = listen(listener, &[StatusCode::NOT_FOUND]).await;
    let made = subscribe(&csms, &url, &["station.connected"]).await;
    let _station = booted(&csms).await;
    let path = format!("/api/v1/event-subscriptions/{}/deliveries", made["id"].as_str().unwrap());
    let known = csms.get_until(&path, |known| known[0]["state"] == "given_up").await;
    assert!(known[0]["last_answer"].as_str().unwrap().contains("404"), "{known}");
    assert_eq!(known[0]["next_attempt_at"], Value::Null);
}

#[tokio::test]
async fn who_fails_again_and_again_is_switched_off_which_is_a_fault_until_it_is_switched_on() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.notifications.private_addresses = Some(true);
        file.notifications.disable_after = Some(2);
    })
    .await;
    let (listener, url) = port().await;
    let broken = StatusCode::INTERNAL_SERVER_ERROR;
    let mut hook = listen(listener, &[broken, broken, StatusCode::OK]).await;
    let made = subscribe(&csms, &url, &["transaction.*", "station.booted"]).await;
    let path = format!("/api/v1/event-subscriptions/{}", made["id"].as_str().unwrap());
    let mut station = booted(&csms).await;
    start_transaction(&mut station).await;
    let is_off = |known: &Value| known[0]["active"] == false;
    let known = csms.get_until("/api/v1/event-subscriptions", is_off).await;
    assert_eq!(known[0]["failures"], 2, "{known}");
    // Several wait, and only two attempts were made: what is sent there next would hardly fare better.
    let waiting = csms.get(&format!("{path}/deliveries")).await;
    let attempts: i64 = waiting.as_array().unwrap().iter().map(|known| known["attempts"].as_i64().unwrap()).sum();
    assert_eq!((waiting.as_array().unwrap().len(), attempts), (2, 2), "{waiting}");
    let faults = csms.get_until("/api/v1/faults?kind=notification", |known| known[0]["state"] == "open").await;
    let detail = faults[0]["detail"].as_str().unwrap();
    assert!(detail.contains("500") && detail.contains("switch it on again"), "{detail}");
    for _ in 0..2 {
        hook.recv().await.unwrap();
    }
    let (status, changed) = csms.request(Method::PATCH, &path, Some(json!({"active": true}))).await;
    assert_eq!((status, &changed["failures"]), (StatusCode::OK, &json!(0)), "{changed}");
    for _ in 0..2 {
        soon("what waited", hook.recv()).await.unwrap();
    }
    csms.get_until("/api/v1/faults?kind=notification", |known| known[0]["state"] == "closed").await;
    let is_told = |known: &Value| known.as_array().unwrap().iter().all(|known| known["state"] == "delivered");
    csms.get_until(&format!("{path}/deliveries"), is_told).await;
}

#[tokio::test]
async fn a_webhook_does_not_go_where_only_the_server_gets() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    for (target, words) in [
        ("http://127.0.0.1:80/", "private"),
        ("http://[::1]/", "private"),
        ("ftp://example.com/", "target"),
        ("mailto:somebody@example.com", "mail is not set up"),
        ("mailto:nobody", "target"),
    ] {
        let body = json!({"target": target, "kinds": ["*"]});
        let (status, problem) = csms.request(Method::POST, "/api/v1/event-subscriptions", Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{target}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    // A name that leads there is found out when it is looked up.
    let made = subscribe(&csms, "http://localhost:9/", &["station.connected"]).await;
    let _station = booted(&csms).await;
    let path = format!("/api/v1/event-subscriptions/{}/deliveries", made["id"].as_str().unwrap());
    let known = csms.get_until(&path, |known| known[0]["attempts"].as_i64() > Some(0)).await;
    assert!(known[0]["last_answer"].as_str().unwrap().contains("public"), "{known}");
}

#[tokio::test]
async fn a_subscription_is_changed_and_ended() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let (listener, url) = port().await;
    let mut hook = listen(listener, &[StatusCode::OK]).await;
    let made = subscribe(&csms, &url, &["*"]).await;
    let path = format!("/api/v1/event-subscriptions/{}", made["id"].as_str().unwrap());
    let change = json!({"kinds": ["transaction.started"]});
    assert_eq!(csms.request(Method::PATCH, &path, Some(change)).await.1["kinds"], json!(["transaction.started"]));
    let (status, problem) = csms.request(Method::PATCH, &path, Some(json!({"kinds": ["dance"]}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    let mut station = booted(&csms).await;
    start_transaction(&mut station).await;
    let (headers, _) = soon("a webhook", hook.recv()).await.unwrap();
    assert_eq!(headers["webhook-event"], "transaction.started");
    assert_eq!(csms.request(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(csms.request(Method::DELETE, &path, None).await.0, StatusCode::NOT_FOUND);
}

/// A mail server that takes everything; each mail as it was sent.
async fn mail_server() -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mails, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mails = mails.clone();
            tokio::spawn(async move {
                let (reader, mut writer) = socket.split();
                let mut lines = BufReader::new(reader).lines();
                writer.write_all(b"220 test\r\n").await.unwrap();
                let mut mail: Option<String> = None;
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer = match (&mut mail, line.as_str()) {
                        (Some(_), ".") => {
                            mails.send(mail.take().unwrap()).unwrap();
                            "250 taken\r\n"
                        }
                        (Some(mail), line) => {
                            mail.push_str(line);
                            mail.push('\n');
                            continue;
                        }
                        (None, "DATA") => {
                            mail = Some(String::new());
                            "354 go on\r\n"
                        }
                        (None, "QUIT") => "221 bye\r\n",
                        _ => "250 ok\r\n",
                    };
                    if writer.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, receiver)
}

#[tokio::test]
async fn a_mail_tells_of_a_fault_and_what_happens_meanwhile_comes_in_one() {
    let folder = Folder::new();
    let (port, mut mails) = mail_server().await;
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.notifications.mail = Some(MailFile {
            server: "127.0.0.1".into(),
            port: Some(port),
            security: MailSecurity::None,
            user: None,
            password: None,
            from: "CSMS <csms@example.com>".into(),
            interval: Some(2),
        });
    })
    .await;
    subscribe(&csms, "mailto:operator@example.com", &["fault.*"]).await;
    let mut station = booted(&csms).await;
    let status =
        |connector: i64, error: &str| json!({"connectorId": connector, "errorCode": error, "status": "Faulted"});
    station.call("StatusNotification", status(1, "GroundFailure")).await;
    let first = soon("a mail", mails.recv()).await.unwrap();
    assert!(first.contains("To: operator@example.com") && first.contains("From: CSMS <csms@example.com>"), "{first}");
    assert!(first.contains("Subject: CS: fault.opened") && first.contains("GroundFailure"), "{first}");
    for connector in 2..7 {
        station.call("StatusNotification", status(connector, "OverVoltage")).await;
    }
    let second = soon("another mail", mails.recv()).await.unwrap();
    assert!(second.contains("Subject: 5 events"), "{second}");
}
