//! A server on a free port, and a station that says exactly what a test tells it to.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use futures_util::{SinkExt as _, StreamExt as _};
use ocpp_csms::Server;
use ocpp_csms::config::ConfigFile;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::place;

/// The bearer token of every server under test.
pub const TOKEN: &str = "the-token-of-the-tests";
/// Nothing takes this long unless it never comes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that must come.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

/// A place for a database, removed with everything SQLite puts beside it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("ocpp-csms-test-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running server.
pub struct Csms {
    pub server: Server,
    client: reqwest::Client,
}

impl Csms {
    /// With the default configuration, in a new database.
    pub async fn start(folder: &Folder) -> Self {
        Self::start_with(&folder.file("csms.sqlite"), |_| {}).await
    }

    pub async fn start_with(database: &Path, change: impl FnOnce(&mut ConfigFile)) -> Self {
        let mut file = ConfigFile {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            database: Some(place::database(database).await),
            price_per_kwh: Some("0.40".parse().unwrap()),
            // Stations that say exactly what a test tells them to are not asked for what the test is not about.
            inventory: Some(false),
            ..ConfigFile::default()
        };
        // Beside the file, also where the database is none.
        file.tls.folder = Some(database.with_extension("tls"));
        file.files = Some(database.with_extension("files"));
        change(&mut file);
        let server = Server::start(file.check().unwrap(), Some(TOKEN)).await.unwrap();
        Self { server, client: reqwest::Client::new() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    pub async fn request(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.client.request(method, self.url(path)).bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = soon("an answer of the server", request.send()).await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.request(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub async fn put(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.request(Method::PUT, path, Some(body)).await;
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    pub async fn call(&self, station: &str, body: Value) -> (StatusCode, Value) {
        self.request(Method::POST, &format!("/api/v1/stations/{station}/calls"), Some(body)).await
    }

    /// Enters a station that needs no password, and the token `TAG`.
    pub async fn enter(&self, station: &str) {
        self.put(&format!("/api/v1/stations/{station}"), json!({"security_profile": 0})).await;
        self.put("/api/v1/tokens/TAG", json!({})).await;
    }

    /// Asks again and again until the answer is as it should be.
    pub async fn get_until(&self, path: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                let body = self.get(path).await;
                if condition(&body) {
                    return body;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        soon(&format!("the expected state of {path}"), wait).await
    }

    /// Ends the server, with a station that answers its farewell: for one that does not it waits.
    pub async fn shut_down(self, station: &mut RawStation) {
        tokio::join!(self.server.shut_down(), station.closed());
    }

    pub async fn station(&self, id: &str, subprotocol: &str) -> RawStation {
        RawStation::connect(self.server.address(), id, Some(subprotocol), None).await.unwrap()
    }
}

/// A station that writes and reads frames as they are.
pub struct RawStation {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u32,
    /// What the server wrote meanwhile.
    waiting: Vec<Value>,
}

impl RawStation {
    /// `basic` is the user name and the password.
    pub async fn connect(
        address: SocketAddr,
        id: &str,
        subprotocol: Option<&str>,
        basic: Option<(&str, &[u8])>,
    ) -> Result<Self, Error> {
        let mut request = format!("ws://{address}/ocpp/{id}").into_client_request()?;
        if let Some(subprotocol) = subprotocol {
            request.headers_mut().insert("sec-websocket-protocol", subprotocol.parse().unwrap());
        }
        if let Some((user, password)) = basic {
            let credentials = [user.as_bytes(), b":", password].concat();
            let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials));
            request.headers_mut().insert("authorization", value.parse().unwrap());
        }
        let (socket, _) = soon("the handshake", connect_async(request)).await?;
        Ok(Self::of(socket))
    }

    /// Speaks over a connection that was made already.
    pub fn of(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self { socket, next_id: 0, waiting: Vec::new() }
    }

    pub async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub async fn try_send(&mut self, message: Message) -> Result<(), Error> {
        self.socket.send(message).await
    }

    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.send(Message::text(text.into())).await;
    }

    /// The next frame.
    pub async fn frame(&mut self) -> Value {
        if !self.waiting.is_empty() {
            return self.waiting.remove(0);
        }
        self.read().await
    }

    async fn read(&mut self) -> Value {
        loop {
            match soon("a frame", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("a frame was expected: {other:?}"),
            }
        }
    }

    /// Sends a CALL; whatever answers it.
    pub async fn ask(&mut self, action: &str, payload: Value) -> Value {
        self.next_id += 1;
        let id = format!("station-{}", self.next_id);
        self.send_text(json!([2, id, action, payload]).to_string()).await;
        loop {
            let frame = self.read().await;
            if frame[1] == id {
                return frame;
            }
            self.waiting.push(frame);
        }
    }

    /// Sends a CALL; the payload of its CALLRESULT.
    pub async fn call(&mut self, action: &str, payload: Value) -> Value {
        let frame = self.ask(action, payload).await;
        assert_eq!(frame[0], 3, "{action}: {frame}");
        frame[2].clone()
    }

    /// The next CALL of the server: its id and payload.
    pub async fn expect_call(&mut self, action: &str) -> (String, Value) {
        let frame = self.frame().await;
        assert_eq!((&frame[0], &frame[2]), (&json!(2), &json!(action)), "{frame}");
        (frame[1].as_str().unwrap().to_owned(), frame[3].clone())
    }

    pub async fn answer(&mut self, id: &str, payload: Value) {
        self.send_text(json!([3, id, payload]).to_string()).await;
    }

    /// Waits until the server closes the connection, and answers its farewell: the server waits for that.
    pub async fn closed(&mut self) -> Option<CloseFrame> {
        let mut farewell = None;
        loop {
            match soon("the end of the connection", self.socket.next()).await {
                Some(Ok(Message::Close(frame))) => farewell = frame,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return farewell,
            }
        }
    }

    /// Boots and is accepted.
    pub async fn boot(&mut self, subprotocol: &str) {
        let answer = self.call("BootNotification", boot_payload(subprotocol)).await;
        assert_eq!(answer["status"], "Accepted", "{answer}");
    }
}

pub fn boot_payload(subprotocol: &str) -> Value {
    match subprotocol {
        "ocpp1.6" => json!({"chargePointVendor": "Maker", "chargePointModel": "Model"}),
        _ => json!({"reason": "PowerUp", "chargingStation": {"vendorName": "Maker", "model": "Model"}}),
    }
}
