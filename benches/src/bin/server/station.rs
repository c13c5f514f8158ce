//! The stations: as little as it takes to speak.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use benches::machine::tcp;
use futures_util::{SinkExt as _, StreamExt as _};
use jiff::{Timestamp, ToSpan as _};
use ocpp_core::transport::{
    Compression, ConnectRequest, Connection, Incoming, TlsClient, TlsStream, WebSocket, connect_over,
};
use ocpp_core::types::Version;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::serve::Subject;

/// Buffers and limits as small as ours, on both sides of the comparison.
pub(crate) fn websocket() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_message_size(Some(1 << 20))
        .max_frame_size(Some(1 << 20))
}

/// The identity of a station.
pub(crate) fn identity(number: usize) -> String {
    format!("S{number:06}")
}

/// How a station connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Plain,
    Deflate,
    /// Plain WebSockets over TLS; by what the server's process has left.
    Tls,
}

/// A station that is connected.
pub(crate) struct Station {
    socket: Socket,
    /// Whether what it is sent is its own calls.
    is_echoed: bool,
    calls: u64,
    transaction: i64,
}

enum Socket {
    Plain(Box<WebSocketStream<TcpStream>>),
    Deflate(Box<Connection<WebSocket<TcpStream>>>),
    Tls(Box<WebSocketStream<TlsStream<TcpStream>>>),
}

fn request(subject: Subject, address: SocketAddr, identity: &str) -> anyhow::Result<Request> {
    let mut request = format!("ws://{address}/ocpp/{identity}").into_client_request()?;
    if subject != Subject::Echo {
        request.headers_mut().insert("sec-websocket-protocol", "ocpp1.6".parse()?);
    }
    Ok(request)
}

impl Station {
    pub(crate) async fn connect(
        subject: Subject,
        address: SocketAddr,
        number: usize,
        way: Way,
    ) -> anyhow::Result<Self> {
        Self::connect_as(subject, address, number, &identity(number), way).await
    }

    pub(crate) async fn connect_as(
        subject: Subject,
        address: SocketAddr,
        number: usize,
        identity: &str,
        way: Way,
    ) -> anyhow::Result<Self> {
        let stream = tcp(address, number).await?;
        let socket = match way {
            Way::Plain => {
                let (socket, _) =
                    client_async_with_config(request(subject, address, identity)?, stream, Some(websocket())).await?;
                Socket::Plain(Box::new(socket))
            }
            Way::Tls => bail!("TLS needs to know the server's root"),
            Way::Deflate => {
                let mut request = ConnectRequest::new(format!("ws://{address}/ocpp"), identity);
                request.versions = vec![Version::V1_6];
                request.compression = Compression::EachMessage;
                request.connection.ping_interval = None;
                let connection = connect_over(stream, &request).await?;
                anyhow::ensure!(connection.wire().is_compressed(), "nothing is compressed");
                Socket::Deflate(Box::new(connection))
            }
        };
        Ok(Self { socket, is_echoed: subject == Subject::Echo, calls: 0, transaction: 0 })
    }

    /// Connects under TLS.
    pub(crate) async fn connect_by_tls(address: SocketAddr, number: usize, tls: &TlsClient) -> anyhow::Result<Self> {
        let stream = tls.connect(tcp(address, number).await?, "localhost").await?;
        let request = request(Subject::LibraryTls, address, &identity(number))?;
        let (socket, _) = client_async_with_config(request, stream, Some(websocket())).await?;
        Ok(Self { socket: Socket::Tls(Box::new(socket)), is_echoed: false, calls: 0, transaction: 0 })
    }

    pub(crate) async fn send(&mut self, text: String) -> anyhow::Result<()> {
        match &mut self.socket {
            Socket::Plain(socket) => Ok(socket.send(Message::text(text)).await?),
            Socket::Tls(socket) => Ok(socket.send(Message::text(text)).await?),
            Socket::Deflate(connection) => {
                connection.send(text);
                Ok(())
            }
        }
    }

    /// The next answer to a call; what a server asks for is refused meanwhile.
    pub(crate) async fn receive(&mut self) -> anyhow::Result<String> {
        loop {
            let text = self.next_text().await?;
            if self.is_echoed || !text.starts_with("[2,") {
                return Ok(text);
            }
            let call: Value = serde_json::from_str(&text)?;
            self.send(json!([4, call[1], "NotSupported", "", {}]).to_string()).await?;
        }
    }

    async fn next_text(&mut self) -> anyhow::Result<String> {
        loop {
            match &mut self.socket {
                Socket::Plain(socket) => {
                    if let Some(text) = text_of(socket.next().await)? {
                        return Ok(text);
                    }
                }
                Socket::Tls(socket) => {
                    if let Some(text) = text_of(socket.next().await)? {
                        return Ok(text);
                    }
                }
                Socket::Deflate(connection) => match connection.next().await {
                    Incoming::Text(text) => return Ok(text),
                    Incoming::Binary => {}
                    Incoming::Closed(reason) => bail!("{reason}"),
                },
            }
        }
    }

    /// Sends a call and waits for what comes back.
    pub(crate) async fn call(&mut self, call: Call) -> anyhow::Result<String> {
        self.calls += 1;
        let text = call.text(self.calls, self.transaction);
        self.send(text).await?;
        self.receive().await
    }

    /// Boots, and is accepted by whoever is more than an echo.
    pub(crate) async fn boot(&mut self, subject: Subject) -> anyhow::Result<()> {
        let answer = self.call(Call::Boot).await?;
        let is_accepted = subject == Subject::Echo || answer.contains("Accepted");
        anyhow::ensure!(is_accepted, "the boot was answered with {answer}");
        Ok(())
    }

    /// Starts a transaction, and uses its id from then on.
    pub(crate) async fn start_transaction(&mut self, subject: Subject) -> anyhow::Result<()> {
        let answer: Value = serde_json::from_str(&self.call(Call::Start).await?)?;
        if subject != Subject::Echo {
            self.transaction = answer[2]["transactionId"].as_i64().with_context(|| answer.to_string())?;
        }
        Ok(())
    }
}

/// The text of a message that came, if it is one.
fn text_of(came: Option<tungstenite::Result<Message>>) -> anyhow::Result<Option<String>> {
    match came.context("the connection ended")?? {
        Message::Text(text) => Ok(Some(text.as_str().to_owned())),
        Message::Close(close) => bail!("closed: {close:?}"),
        _ => Ok(None),
    }
}

/// What a station says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Boot,
    Heartbeat,
    Start,
    /// Ten samples that belong to no transaction: nothing is stored.
    Readings,
    /// The same ten of a transaction: stored before they are answered.
    MeterValues,
}

impl Call {
    pub(crate) const MEASURED: [(Self, &'static str); 3] = [
        (Self::Heartbeat, "Heartbeat"),
        (Self::Readings, "MeterValues, 10 samples, of no transaction"),
        (Self::MeterValues, "MeterValues, 10 samples, of a transaction: stored"),
    ];

    pub(crate) fn text(self, number: u64, transaction: i64) -> String {
        let id = format!("0194c9a4-2f3b-7c51-9d1e-{number:012}");
        let action = match self {
            Self::Boot => {
                r#""BootNotification",{"chargePointVendor":"VendorX","chargePointModel":"SingleSocketCharger","chargePointSerialNumber":"VX.2025.000417","firmwareVersion":"4.11.2-rc3"}"#.to_owned()
            }
            Self::Heartbeat => r#""Heartbeat",{}"#.to_owned(),
            Self::Start => {
                r#""StartTransaction",{"connectorId":1,"idTag":"TAG","meterStart":0,"timestamp":"2026-01-31T08:15:30Z"}"#.to_owned()
            }
            Self::Readings => meter_values(number, ""),
            Self::MeterValues => meter_values(number, &format!(r#""transactionId":{transaction},"#)),
        };
        format!(r#"[2,"{id}",{action}]"#)
    }
}

fn meter_values(number: u64, transaction: &str) -> String {
    let start: Timestamp = Timestamp::from_second(1_780_000_000).unwrap_or_default();
    let at = start.saturating_add(i64::try_from(number).unwrap_or(0).seconds()).unwrap_or(start);
    let samples = include_str!("samples.json").trim();
    format!(
        r#""MeterValues",{{"connectorId":1,{transaction}"meterValue":[{{"timestamp":"{at}","sampledValue":{samples}}}]}}"#
    )
}
