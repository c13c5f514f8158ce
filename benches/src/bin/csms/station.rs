//! A station that charges: as many messages as a session takes, in 1.6 or 2.1.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use benches::machine::tcp;
use futures_util::{SinkExt as _, StreamExt as _};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// The token that all of them charge with.
pub(crate) const TAG: &str = "TAG";

/// The identity of a station.
pub(crate) fn identity(number: usize) -> String {
    format!("S{number:06}")
}

/// How a station speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1_6,
    V2_1,
}

/// A station that is connected.
pub(crate) struct Station {
    socket: WebSocketStream<TcpStream>,
    version: Version,
    number: usize,
    calls: u64,
    /// Of its sessions.
    sessions: u64,
    /// What the CSMS (1.6) or the station (2.1) calls the one that runs.
    transaction: Value,
    readings: i64,
    clock: Timestamp,
}

impl Station {
    /// Connects and boots. Every other station speaks 2.1.
    pub(crate) async fn connect(address: SocketAddr, number: usize) -> anyhow::Result<Self> {
        let version = if number.is_multiple_of(2) { Version::V1_6 } else { Version::V2_1 };
        let mut request = format!("ws://{address}/ocpp/{}", identity(number)).into_client_request()?;
        let subprotocol = match version {
            Version::V1_6 => "ocpp1.6",
            Version::V2_1 => "ocpp2.1",
        };
        request.headers_mut().insert("sec-websocket-protocol", subprotocol.parse()?);
        let buffers = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let (socket, _) = client_async_with_config(request, tcp(address, number).await?, Some(buffers)).await?;
        let clock = Timestamp::now();
        let mut station =
            Self { socket, version, number, calls: 0, sessions: 0, transaction: Value::Null, readings: 0, clock };
        let boot = match version {
            Version::V1_6 => json!({"chargePointVendor": "VendorX", "chargePointModel": "SingleSocketCharger"}),
            Version::V2_1 => json!({
                "reason": "PowerUp", "chargingStation": {"vendorName": "VendorX", "model": "SingleSocketCharger"}
            }),
        };
        let answer = station.call("BootNotification", &boot).await?;
        ensure!(answer["status"] == "Accepted", "the boot was answered with {answer}");
        Ok(station)
    }

    /// Sends a CALL; the payload of its CALLRESULT. What the CSMS asks meanwhile is not known here.
    async fn call(&mut self, action: &str, payload: &Value) -> anyhow::Result<Value> {
        self.calls += 1;
        let id = format!("{:06}-{}", self.number, self.calls);
        self.socket.send(Message::text(format!(r#"[2,"{id}","{action}",{payload}]"#))).await?;
        loop {
            let text = match self.socket.next().await.context("the connection ended")?? {
                Message::Text(text) => text,
                Message::Close(close) => bail!("closed: {close:?}"),
                _ => continue,
            };
            let mut frame: Value = serde_json::from_str(&text)?;
            match frame[0].as_i64() {
                Some(3) if frame[1] == *id => return Ok(frame[2].take()),
                Some(2) => {
                    let answer = json!([4, frame[1], "NotImplemented", "", {}]);
                    self.socket.send(Message::text(answer.to_string())).await?;
                }
                _ => bail!("{action} was answered with {text}"),
            }
        }
    }

    /// Waits, and answers meanwhile what the CSMS asks: also whether it is still there.
    pub(crate) async fn wait_until(&mut self, due: Instant) -> anyhow::Result<()> {
        let alarm = tokio::time::sleep_until(due.into());
        tokio::pin!(alarm);
        loop {
            let message = tokio::select! {
                () = alarm.as_mut() => return Ok(()),
                message = self.socket.next() => message.context("the connection ended")??,
            };
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(&text)?;
            if frame[0] == 2 {
                let answer = json!([4, frame[1], "NotImplemented", "", {}]);
                self.socket.send(Message::text(answer.to_string())).await?;
            }
        }
    }

    /// Asks whether the token may charge, and starts.
    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        self.sessions += 1;
        (self.readings, self.clock) = (0, self.clock.max(Timestamp::now()));
        let at = self.clock;
        match self.version {
            Version::V1_6 => {
                let answer = self.call("Authorize", &json!({"idTag": TAG})).await?;
                ensure!(answer["idTagInfo"]["status"] == "Accepted", "{answer}");
                let start = json!({"connectorId": 1, "idTag": TAG, "meterStart": 0, "timestamp": at.to_string()});
                let mut answer = self.call("StartTransaction", &start).await?;
                ensure!(answer["idTagInfo"]["status"] == "Accepted", "{answer}");
                self.transaction = answer["transactionId"].take();
            }
            Version::V2_1 => {
                let token = json!({"idToken": TAG, "type": "ISO14443"});
                let answer = self.call("Authorize", &json!({"idToken": token})).await?;
                ensure!(answer["idTokenInfo"]["status"] == "Accepted", "{answer}");
                self.transaction = format!("{}-{}", self.number, self.clock.as_microsecond()).into();
                let mut event = self.event("Started", "Authorized");
                event["idToken"] = token;
                let answer = self.call("TransactionEvent", &event).await?;
                ensure!(answer["idTokenInfo"]["status"] == "Accepted", "{answer}");
            }
        }
        Ok(())
    }

    /// Tells ten samples of one moment. Moments differ, however fast they follow each other.
    pub(crate) async fn tell_readings(&mut self) -> anyhow::Result<()> {
        self.readings += 1;
        self.clock = self.clock.checked_add(1.second())?;
        match self.version {
            Version::V1_6 => {
                let value = json!({"timestamp": self.clock.to_string(), "sampledValue": self.samples()});
                let payload = json!({"connectorId": 1, "transactionId": self.transaction, "meterValue": [value]});
                self.call("MeterValues", &payload).await?;
            }
            Version::V2_1 => {
                let event = self.event("Updated", "MeterValuePeriodic");
                self.call("TransactionEvent", &event).await?;
            }
        }
        Ok(())
    }

    /// Ends the session: what the CSMS answers to that it has billed.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        self.readings += 1;
        self.clock = self.clock.checked_add(1.second())?;
        match self.version {
            Version::V1_6 => {
                let stop = json!({
                    "transactionId": self.transaction, "meterStop": self.energy(), "reason": "EVDisconnected",
                    "timestamp": self.clock.to_string()
                });
                self.call("StopTransaction", &stop).await?;
            }
            Version::V2_1 => {
                let mut event = self.event("Ended", "EVDeparted");
                event["transactionInfo"]["stoppedReason"] = "EVDisconnected".into();
                self.call("TransactionEvent", &event).await?;
            }
        }
        Ok(())
    }

    /// What was charged so far, in Wh.
    fn energy(&self) -> i64 {
        self.readings * 180
    }

    fn event(&self, kind: &str, reason: &str) -> Value {
        json!({
            "eventType": kind, "timestamp": self.clock.to_string(), "triggerReason": reason, "seqNo": self.readings,
            "transactionInfo": {"transactionId": self.transaction, "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": self.clock.to_string(), "sampledValue": self.samples()}],
        })
    }

    /// Ten samples, as stations with three phases tell them.
    fn samples(&self) -> Value {
        let of_phases = |measurand: &'static str, value: i64, unit: &'static str| {
            ["L1", "L2", "L3"].into_iter().map(move |phase| (measurand, value, unit, Some(phase)))
        };
        let samples = [
            ("Energy.Active.Import.Register", self.energy(), "Wh", None),
            ("Power.Active.Import", 10_800, "W", None),
            ("SoC", 20 + self.readings % 80, "Percent", None),
        ];
        let voltages = of_phases("Voltage", 230, "V");
        let samples = samples.into_iter().chain(voltages).chain(of_phases("Current.Import", 16, "A"));
        let samples = samples.chain([("Temperature", 31, "Celsius", None)]);
        let sample = |(measurand, value, unit, phase): (&str, i64, &str, Option<&str>)| {
            let mut sample = match self.version {
                Version::V1_6 => json!({"value": value.to_string(), "measurand": measurand, "unit": unit}),
                Version::V2_1 => json!({"value": value, "measurand": measurand, "unitOfMeasure": {"unit": unit}}),
            };
            if let Some(phase) = phase {
                sample["phase"] = phase.into();
            }
            sample
        };
        samples.map(sample).collect()
    }
}
