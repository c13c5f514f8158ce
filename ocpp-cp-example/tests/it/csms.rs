//! A scripted CSMS: a bare WebSocket server that accepts everything and writes down what it is sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ocpp_core::transport::TlsServer;
use ocpp_core::types::Version;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

/// How long anything may take. Only a test that fails waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A call of the station: its action and payload.
pub(crate) type Call = (String, Value);

/// The server, and all that it was sent.
#[derive(Clone)]
pub(crate) struct Csms {
    pub(crate) address: SocketAddr,
    seen: watch::Receiver<Seen>,
    out: Calls,
}

/// What was seen so far, over all connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) calls: Vec<Call>,
    /// The path and `Authorization` of each connection that was asked for.
    pub(crate) requests: Vec<(String, Option<String>)>,
    /// Connections that are over.
    pub(crate) closed: usize,
}

impl Seen {
    pub(crate) fn payloads(&self, action: &str) -> Vec<&Value> {
        self.calls.iter().filter(|(name, _)| name == action).map(|(_, payload)| payload).collect()
    }
}

impl Seen {
    /// Which of the different starts of 1.6 this is, counted from 0.
    fn place_of_start(&self, start: &Value) -> usize {
        let mut known: Vec<&Value> = Vec::new();
        for payload in self.payloads("StartTransaction") {
            if !known.contains(&payload) {
                known.push(payload);
            }
        }
        known.iter().position(|known| *known == start).unwrap_or(known.len())
    }
}

enum Outgoing {
    Call { action: String, payload: Value, answer: oneshot::Sender<Value> },
    Raw(Message),
}

/// How the server answers the request for a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Door {
    /// With this version.
    Open(Version),
    /// With this status.
    Shut(StatusCode),
}

impl Csms {
    /// Listens on a port of its own.
    pub(crate) async fn start(door: Door) -> Self {
        Self::guarded(door, None).await
    }

    /// The same, behind a guard, who serves TLS and plain connections on the one port.
    pub(crate) async fn guarded(door: Door, guard: Option<Guard>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = watch::channel(Seen::default());
        let sender = Arc::new(sender);
        let out = Arc::new(Mutex::new(None));
        let current = Arc::clone(&out);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, current, guard) = (Arc::clone(&sender), Arc::clone(&current), guard.clone());
                tokio::spawn(async move {
                    let mut first = [0];
                    let is_tls = stream.peek(&mut first).await.is_ok() && first == [0x16];
                    let admission = |certificate| Admission { guard: guard.clone(), is_tls, certificate };
                    match guard.as_ref().filter(|_| is_tls) {
                        None => serve(stream, door, sender, current, admission(false)).await,
                        Some(known) => {
                            let Ok(secured) = known.tls.accept(stream).await else { return };
                            let certificate = secured.peer.certificate.is_some();
                            serve(secured.stream, door, sender, current, admission(certificate)).await;
                        }
                    }
                });
            }
        });
        Self { address, seen, out }
    }

    /// The endpoint URL, as `--csms` takes it.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ocpp", self.address)
    }

    /// Waits until what was seen satisfies the condition.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.clone();
        let found = tokio::time::timeout(PATIENCE, seen.wait_for(condition)).await;
        match found {
            Ok(seen) => seen.unwrap().clone(),
            Err(_) => panic!("never happened: {what}; seen: {:#?}", self.seen.borrow().calls),
        }
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Calls the station on its newest connection, and gives the whole frame of its answer.
    pub(crate) async fn call(&self, action: &str, payload: Value) -> Value {
        let (answer, answered) = oneshot::channel();
        let sender = self.out.lock().unwrap().clone().unwrap();
        sender.send(Outgoing::Call { action: action.to_owned(), payload, answer }).ok().unwrap();
        tokio::time::timeout(PATIENCE, answered).await.expect("the station answers in time").unwrap()
    }

    /// Sends a message as it is.
    pub(crate) fn send(&self, message: Message) {
        self.out.lock().unwrap().clone().unwrap().send(Outgoing::Raw(message)).ok().unwrap();
    }
}

/// Who is let in by what he shows.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) tls: TlsServer,
    /// The security profile that is demanded; a station may raise it.
    pub(crate) profile: Arc<Mutex<u8>>,
    /// The header that proves the password.
    pub(crate) authorization: Arc<Mutex<String>>,
}

/// What is known of a connection before its first request.
struct Admission {
    guard: Option<Guard>,
    is_tls: bool,
    certificate: bool,
}

impl Admission {
    fn is_granted(&self, authorization: Option<&str>) -> bool {
        let Some(guard) = &self.guard else { return true };
        let password = authorization == Some(guard.authorization.lock().unwrap().as_str());
        match *guard.profile.lock().unwrap() {
            1 => !self.is_tls && password,
            2 => self.is_tls && password,
            _ => self.is_tls && self.certificate,
        }
    }
}

type Calls = Arc<Mutex<Option<mpsc::UnboundedSender<Outgoing>>>>;

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    door: Door,
    seen: Arc<watch::Sender<Seen>>,
    current: Calls,
    admission: Admission,
) {
    #[expect(clippy::result_large_err, reason = "the signature is the library's")]
    let callback = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        let authorization = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let is_granted = admission.is_granted(authorization.as_deref());
        seen.send_modify(|seen| seen.requests.push((request.uri().path().to_owned(), authorization)));
        match door {
            Door::Open(_) if !is_granted => {
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = StatusCode::UNAUTHORIZED;
                Err(refusal)
            }
            Door::Shut(status) => {
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = status;
                Err(refusal)
            }
            Door::Open(version) => {
                let name = HeaderValue::from_static(version.subprotocol());
                response.headers_mut().insert("sec-websocket-protocol", name);
                Ok(response)
            }
        }
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, callback).await else { return };
    let Door::Open(version) = door else { return };
    let (calls, mut outgoing) = mpsc::unbounded_channel();
    *current.lock().unwrap() = Some(calls);
    let mut waiting = BTreeMap::new();
    let mut number = 0;
    loop {
        tokio::select! {
            Some(outgoing) = outgoing.recv() => {
                let message = match outgoing {
                    Outgoing::Raw(message) => message,
                    Outgoing::Call { action, payload, answer } => {
                        number += 1;
                        let id = format!("csms-{number}");
                        waiting.insert(id.clone(), answer);
                        Message::text(json!([2, id, action, payload]).to_string())
                    }
                };
                socket.send(message).await.unwrap();
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    // What can't be answered by its id is answered without one.
                    let id = frame[1].as_str().unwrap_or("-1").to_owned();
                    if frame[0] == 2 {
                        let action = frame[2].as_str().unwrap().to_owned();
                        let mut answer = answer(version, &action, &frame[3]);
                        if action == "StartTransaction" {
                            // The same start has the same number, however often it is told.
                            answer["transactionId"] = json!(77 + seen.borrow().place_of_start(&frame[3]));
                        }
                        // What was seen has been answered: whoever waits for it may go on.
                        let sent = socket.send(Message::text(json!([3, id, answer]).to_string())).await;
                        seen.send_modify(|seen| seen.calls.push((action, frame[3].clone())));
                        if sent.is_err() {
                            // The station is gone, before it could hear it.
                            seen.send_modify(|seen| seen.closed += 1);
                            return;
                        }
                    } else if let Some(answer) = waiting.remove(&id) {
                        answer.send(frame).unwrap();
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => {
                    seen.send_modify(|seen| seen.closed += 1);
                    return;
                }
            },
        }
    }
}

/// What an operator answers who accepts everything but the token `BAD`.
fn answer(version: Version, action: &str, payload: &Value) -> Value {
    let token = match version {
        Version::V1_6 => &payload["idTag"],
        Version::V2_0_1 | Version::V2_1 => &payload["idToken"]["idToken"],
    };
    let status = if token == "BAD" { "Blocked" } else { "Accepted" };
    let time = format!("{:.3}", jiff::Timestamp::now());
    match (version, action) {
        (_, "BootNotification") => json!({"currentTime": time, "interval": 300, "status": "Accepted"}),
        (_, "SignCertificate") => json!({"status": "Accepted"}),
        (_, "Heartbeat") => json!({"currentTime": time}),
        (Version::V1_6, "Authorize") => json!({"idTagInfo": {"status": status}}),
        (Version::V1_6, "StartTransaction") => json!({"transactionId": 77, "idTagInfo": {"status": status}}),
        (_, "Authorize") => json!({"idTokenInfo": {"status": status}}),
        (_, "TransactionEvent") if !token.is_null() => json!({"idTokenInfo": {"status": status}}),
        _ => json!({}),
    }
}
