//! `ocpp-cp run --state` killed at random moments, again and again: every transaction is whole and single at the CSMS.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use ocpp_core::types::Version;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::bench::http_client;
use crate::csms::{Csms, Door, PATIENCE, Seen};

/// How often each station is killed, where somebody wants to know it better than every build does.
const KILLS: &str = "OCPP_CP_TEST_KILLS";
const USUAL_KILLS: u32 = 10;

/// A station as a process, and where it is controlled.
struct Process {
    child: Child,
    control: String,
}

impl Process {
    async fn start(csms: &Csms, version: Version, folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ocpp-cp"))
            .args(["run", "--csms", &csms.url(), "--id", "CP-9", "--version", version.number(), "--speed", "3600"])
            .args(["--control", "127.0.0.1:0", "--state"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("it starts in time");
        let control =
            line.unwrap().expect("it says where it is controlled").strip_prefix("control ").unwrap().to_owned();
        Self { child, control }
    }

    /// Does something to the station. That it can't be done now is no matter.
    async fn act(&self, client: &reqwest::Client, path: &str, body: &'static str) {
        let _ = client.post(format!("{}/evses/1/{path}", self.control)).body(body).send().await;
    }

    async fn state(&self) -> Value {
        let text = http_client().get(format!("{}/state", self.control)).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// Drivers come and go until the process is killed.
async fn drive(station: &Process, client: &reqwest::Client, pause: u64) {
    loop {
        station.act(client, "plug", "").await;
        for _ in 0..2 {
            station.act(client, "tap", r#"{"token":"GOOD"}"#).await;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        station.act(client, "unplug", "").await;
    }
}

/// A transaction as the CSMS knows it: the meter at its beginning and its end, in Wh.
#[derive(Debug, Default)]
struct Told {
    began: Option<i64>,
    ended: Option<i64>,
    numbers: Vec<i64>,
}

/// Takes a fact in that may be told again, but never differently.
fn once(slot: &mut Option<i64>, value: i64, what: &str) {
    assert_eq!(*slot.get_or_insert(value), value, "{what} was told twice, and differently");
}

fn sample(payload: &Value, context: &str) -> i64 {
    let values =
        payload["meterValue"].as_array().unwrap().iter().flat_map(|value| value["sampledValue"].as_array().unwrap());
    let mut values = values.filter(|sample| sample["context"] == context);
    let value = &values.next().unwrap_or_else(|| panic!("no {context} in {payload}"))["value"];
    #[expect(clippy::cast_possible_truncation, reason = "1.6 tells whole Wh, too")]
    let whole = value.as_f64().unwrap() as i64;
    whole
}

/// All transactions in the order of their beginning.
fn transactions(version: Version, seen: &Seen) -> Vec<Told> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut told: Vec<Told> = Vec::new();
    let mut of = |id: String, told: &mut Vec<Told>| {
        *known.entry(id).or_insert_with(|| {
            told.push(Told::default());
            told.len() - 1
        })
    };
    let mut starts: Vec<&Value> = Vec::new();
    for (action, payload) in &seen.calls {
        match (version, action.as_str()) {
            (Version::V1_6, "StartTransaction") => {
                let place = starts.iter().position(|start| *start == payload).unwrap_or_else(|| {
                    starts.push(payload);
                    starts.len() - 1
                });
                let at = of((77 + place).to_string(), &mut told);
                once(&mut told[at].began, payload["meterStart"].as_i64().unwrap(), "a beginning");
            }
            (Version::V1_6, "StopTransaction") => {
                let at = of(payload["transactionId"].to_string(), &mut told);
                once(&mut told[at].ended, payload["meterStop"].as_i64().unwrap(), "an end");
            }
            (_, "TransactionEvent") => {
                let at = of(payload["transactionInfo"]["transactionId"].to_string(), &mut told);
                told[at].numbers.push(payload["seqNo"].as_i64().unwrap());
                match payload["eventType"].as_str().unwrap() {
                    "Started" => once(&mut told[at].began, sample(payload, "Transaction.Begin"), "a beginning"),
                    "Ended" => once(&mut told[at].ended, sample(payload, "Transaction.End"), "an end"),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    told
}

/// Some number below `most`: when a process is killed is to be another moment each time.
fn random(most: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) % most
}

async fn kill_again_and_again(version: Version) {
    let kills = std::env::var(KILLS).map_or(USUAL_KILLS, |text| text.parse().expect("a number of kills"));
    let folder = std::env::temp_dir().join(format!("ocpp-cp-sigkill-{}-{}", version.number(), std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let csms = Csms::start(Door::Open(version)).await;
    let client = http_client();
    for _ in 0..kills {
        let mut station = Process::start(&csms, version, &folder).await;
        let moment = Duration::from_millis(random(900));
        let _ = tokio::time::timeout(moment, drive(&station, &client, random(60))).await;
        // SIGKILL, as a power cut is for a process.
        station.child.kill().await.unwrap();
    }
    // The power stays on: whatever ran comes to its end.
    let mut station = Process::start(&csms, version, &folder).await;
    let whole = |seen: &Seen| {
        let told = transactions(version, seen);
        !told.is_empty() && told.iter().all(|told| told.ended.is_some())
    };
    station.act(&client, "stop", r#"{"reason":"Local"}"#).await;
    tokio::time::timeout(PATIENCE, async {
        loop {
            let state = station.state().await;
            let evse = &state["evses"][0];
            if state["outbox"] == 0 && evse["transaction"].is_null() && whole(&csms.seen()) {
                break;
            }
            if !evse["transaction"].is_null() {
                station.act(&client, "stop", r#"{"reason":"Local"}"#).await;
            } else if transactions(version, &csms.seen()).is_empty() {
                station.act(&client, "plug", "").await;
                station.act(&client, "tap", r#"{"token":"GOOD"}"#).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("never whole: {:#?}", transactions(version, &csms.seen())));
    let state = station.state().await;
    station.child.kill().await.unwrap();

    let told = transactions(version, &csms.seen());
    let mut meter = 0;
    for (place, transaction) in told.iter().enumerate() {
        let (began, ended) = (transaction.began.expect("it began"), transaction.ended.expect("it ended"));
        // Energy flows in transactions alone, so that each begins where the one before it ended.
        assert_eq!(began, meter, "{version}, transaction {place} of {told:?}");
        assert!(ended >= began, "{version}, transaction {place} of {told:?}");
        meter = ended;
        let mut numbers = transaction.numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        let all: Vec<i64> = (0..).take(numbers.len()).collect();
        assert_eq!(numbers, all, "{version}, transaction {place}: a message is missing");
    }
    assert_eq!(state["evses"][0]["meter_wh"].as_i64(), Some(meter), "{version}: all energy is told: {told:?}");
    println!("{version}: {kills} kills, {} transactions, {meter} Wh", told.len());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_1_6_station_that_is_killed_at_random_tells_each_transaction_once_and_whole() {
    kill_again_and_again(Version::V1_6).await;
}

#[tokio::test]
async fn a_2_1_station_that_is_killed_at_random_tells_each_transaction_once_and_whole() {
    kill_again_and_again(Version::V2_1).await;
}
