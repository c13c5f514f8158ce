//! A station on the bench: connected to a scripted CSMS, driven over HTTP.

use ocpp_core::types::Version;
use ocpp_cp::{Config, Simulator, control};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::csms::{Csms, Door, PATIENCE, Seen};

/// All versions, for tests that hold in each.
pub(crate) const VERSIONS: [Version; 3] = Version::ALL;

/// A client for HTTP. Built beside the CSMS, it can speak TLS, and has to know by which implementation.
pub(crate) fn http_client() -> reqwest::Client {
    // An error says that it is known already.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// A station, its CSMS, and the address of its control interface.
pub(crate) struct Bench {
    pub(crate) csms: Csms,
    pub(crate) station: Simulator,
    pub(crate) version: Version,
    url: String,
    client: reqwest::Client,
}

impl Bench {
    /// A station with two EVSEs that offers this version alone and has been accepted.
    pub(crate) async fn start(version: Version) -> Self {
        Self::with(version, |_| {}).await
    }

    /// The same, configured further.
    pub(crate) async fn with(version: Version, configure: impl FnOnce(&mut Config)) -> Self {
        let csms = Csms::start(Door::Open(version)).await;
        let mut config = Config::new(csms.url().parse().unwrap(), "CP 1");
        config.versions = vec![version];
        config.evses = 2;
        config.speed = 3_600;
        configure(&mut config);
        let station = Simulator::start(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = control::router(station.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let bench = Self { csms, station, version, url, client: http_client() };
        bench.until("the boot is accepted", |state| state.is_accepted()).await;
        bench
    }

    /// Asks the control interface.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let request = self.client.request(method, format!("{}{path}", self.url)).body(body.to_owned());
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}")))
    }

    /// Does something that must succeed.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(Method::POST, path, &body.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// Asks for something that must be there.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(Method::GET, path, "").await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// Waits until the station is like that.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&ocpp_cp::State) -> bool) -> ocpp_cp::State {
        match tokio::time::timeout(PATIENCE, self.station.wait_for(condition)).await {
            Ok(state) => state.unwrap(),
            Err(_) => panic!("never happened: {what}; state: {:#?}", self.station.state().await),
        }
    }

    /// Plugs in, taps, and waits until the CSMS has the transaction and energy has flowed.
    pub(crate) async fn charge(&self) {
        self.post("/evses/1/plug", json!({})).await;
        self.post("/evses/1/tap", json!({"token": "GOOD"})).await;
        self.csms.until("the transaction starts", |seen| self.started(seen) == 1).await;
        self.until("energy flows", |state| state.evse(1).is_some_and(|evse| evse.meter_wh > 0)).await;
    }

    /// How many transactions the CSMS has seen begin.
    pub(crate) fn started(&self, seen: &Seen) -> usize {
        self.count(seen, "StartTransaction", "Started")
    }

    /// How many transactions the CSMS has seen end.
    pub(crate) fn ended(&self, seen: &Seen) -> usize {
        self.count(seen, "StopTransaction", "Ended")
    }

    fn count(&self, seen: &Seen, action: &str, event: &str) -> usize {
        match self.version {
            Version::V1_6 => seen.payloads(action).len(),
            Version::V2_0_1 | Version::V2_1 => {
                seen.payloads("TransactionEvent").iter().filter(|payload| payload["eventType"] == event).count()
            }
        }
    }

    /// Why the transaction ended, as the CSMS was told.
    pub(crate) fn stop_reason(&self, seen: &Seen) -> Value {
        match self.version {
            Version::V1_6 => seen.payloads("StopTransaction")[0]["reason"].clone(),
            Version::V2_0_1 | Version::V2_1 => {
                seen.payloads("TransactionEvent").last().unwrap()["transactionInfo"]["stoppedReason"].clone()
            }
        }
    }

    /// Checks that the CSMS was told one whole transaction, with these registers in Wh.
    pub(crate) fn assert_one_transaction(&self, seen: &Seen, start_wh: u64, stop_wh: u64) {
        match self.version {
            Version::V1_6 => {
                let (starts, stops) = (seen.payloads("StartTransaction"), seen.payloads("StopTransaction"));
                assert_eq!((starts.len(), stops.len()), (1, 1));
                assert_eq!(starts[0]["meterStart"], start_wh);
                assert_eq!(stops[0]["meterStop"], stop_wh);
                assert_eq!(stops[0]["transactionId"], 77);
            }
            Version::V2_0_1 | Version::V2_1 => {
                let mut events = seen.payloads("TransactionEvent");
                // One whose answer was lost is told again, which its number shows.
                events.dedup_by_key(|event| event["seqNo"].clone());
                let numbers: Vec<_> = events.iter().map(|event| event["seqNo"].as_u64().unwrap()).collect();
                assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>(), "{events:#?}");
                let kinds: Vec<_> = events.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
                assert_eq!((kinds.first(), kinds.last()), (Some(&"Started"), Some(&"Ended")));
                assert!(kinds[1..kinds.len() - 1].iter().all(|kind| *kind == "Updated"), "{kinds:?}");
                let id = &events[0]["transactionInfo"]["transactionId"];
                assert!(events.iter().all(|event| event["transactionInfo"]["transactionId"] == *id));
                assert_eq!(register(events[0], "Transaction.Begin"), Some(start_wh as f64), "{:#}", events[0]);
                let last = events.last().unwrap();
                assert_eq!(register(last, "Transaction.End"), Some(stop_wh as f64), "{last:#}");
            }
        }
    }
}

/// The register of the energy in a transaction event, in Wh.
fn register(event: &Value, context: &str) -> Option<f64> {
    let values = event["meterValue"].as_array()?.iter().flat_map(|value| value["sampledValue"].as_array().unwrap());
    values
        .filter(|sample| sample["context"] == context)
        .find(|sample| sample.get("measurand").is_none_or(|measurand| measurand == "Energy.Active.Import.Register"))
        .and_then(|sample| sample["value"].as_f64())
}
