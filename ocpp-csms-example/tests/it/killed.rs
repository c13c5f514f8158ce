//! The program itself, killed with SIGKILL while money moves: whatever it was doing, it goes on where it was, and in the end everything is
//! billed once, nothing for nothing, and nobody's money is kept.
//!
//! It is killed at the steps of others: when the processor is asked or has answered, when the station sends or is told something. Which of
//! them is drawn from a seed. `OCPP_CSMS_TEST_KILLS` says how often; `OCPP_CSMS_TEST_SEED` draws others.
#![cfg(unix)]

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::card_stand_in::{KEY, Processor, WEBHOOK_SECRET};
use crate::harness::{Folder, TOKEN};
use crate::place;

/// How often it is killed, unless the environment says so.
const KILLS: u64 = 10;
/// Sessions at each of the station's EVSEs.
const SESSIONS: usize = 6;
const EVSES: i64 = 3;
/// Everything together, with a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(240);

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Numbers that look random and are always the same (SplitMix64).
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// The program, and when it is killed next.
struct Victim {
    child: Mutex<Option<Child>>,
    plan: Mutex<Plan>,
    armed: AtomicBool,
}

struct Plan {
    dice: Dice,
    steps_left: u64,
    kills_left: u64,
    kills: u64,
}

impl Victim {
    /// Something happened; it may be the last thing that this process sees.
    fn step(&self) {
        if !self.armed.load(Ordering::Relaxed) {
            return;
        }
        let mut plan = self.plan.lock().unwrap();
        plan.steps_left = plan.steps_left.saturating_sub(1);
        if plan.steps_left > 0 || plan.kills_left == 0 {
            return;
        }
        let Some(mut child) = self.child.lock().unwrap().take() else { return };
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        plan.kills += 1;
        plan.kills_left -= 1;
        plan.steps_left = 3 + plan.dice.roll(24);
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn spawn(config: &Path, log: &Path) -> Child {
    let log = std::fs::File::options().append(true).create(true).open(log).unwrap();
    Command::new(env!("CARGO_BIN_EXE_ocpp-csms"))
        .args(["serve", "--config"])
        .arg(config)
        .env("OCPP_CSMS_API_TOKEN", TOKEN)
        .env("CARD_KEY_OF_THE_TEST", KEY)
        .env("RUST_LOG", "debug,sqlx=info,hyper=info,h2=info")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Waits until the program listens; `None` where it ends before.
fn address(child: &mut Child) -> Option<SocketAddr> {
    let mut told = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    loop {
        line.clear();
        if told.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if let Some((_, rest)) = line.split_once("ws://") {
            return rest.split('/').next().unwrap().parse().ok();
        }
    }
}

/// Starts the program whenever it was killed, and now and then kills it while it starts.
async fn keep_alive(
    victim: Arc<Victim>,
    config: PathBuf,
    log: PathBuf,
    there: watch::Sender<Option<SocketAddr>>,
    mut dice: Dice,
) {
    loop {
        if victim.child.lock().unwrap().is_none() {
            there.send_replace(None);
            let mut child = spawn(&config, &log);
            if victim.armed.load(Ordering::Relaxed) && dice.roll(3) == 0 {
                sleep(Duration::from_millis(dice.roll(120))).await;
                child.kill().unwrap();
                child.wait().unwrap();
                continue;
            }
            let started = tokio::task::spawn_blocking(move || {
                let address = address(&mut child);
                (child, address)
            });
            let (child, address) = started.await.unwrap();
            let address = address.expect("the program starts again");
            *victim.child.lock().unwrap() = Some(child);
            there.send_replace(Some(address));
        }
        sleep(Duration::from_millis(5)).await;
    }
}

type There = watch::Receiver<Option<SocketAddr>>;

async fn here(there: &mut There) -> SocketAddr {
    there.wait_for(Option::is_some).await.unwrap().unwrap()
}

/// What a client gets: nothing, where the program is killed meanwhile.
async fn ask(there: &mut There, method: Method, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
    let address = here(there).await;
    let mut request = reqwest::Client::new().request(method, format!("http://{address}{path}")).bearer_auth(TOKEN);
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.timeout(Duration::from_secs(20)).send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, serde_json::from_str(&response.text().await.ok()?).unwrap_or_default()))
}

/// Asks until it is answered with success.
async fn insist(there: &mut There, method: Method, path: &str, body: Option<&Value>) -> Value {
    loop {
        match ask(there, method.clone(), path, body).await {
            Some((200..=299, answer)) => return answer,
            _ => sleep(Duration::from_millis(30)).await,
        }
    }
}

/// A session at an EVSE of the station.
struct Running {
    transaction: String,
    token: Value,
    remote_start_id: Value,
    seq: i64,
    kwh: i64,
    /// How much more it charges, unless it is stopped.
    more: i64,
}

/// A station of 2.0.1 that goes on whatever happens to the program: what was not answered is sent again.
struct Station {
    dice: Dice,
    outbox: VecDeque<Value>,
    running: BTreeMap<i64, Running>,
    sent: u64,
    begun: u64,
    /// What each transaction took, in kWh.
    metered: Arc<Mutex<BTreeMap<String, i64>>>,
}

impl Station {
    fn event(&mut self, evse: i64, kind: &str) {
        let Some(running) = self.running.get_mut(&evse) else { return };
        let at = Timestamp::now().to_string();
        let mut event = json!({"eventType": kind, "timestamp": at, "triggerReason": "MeterValuePeriodic", "seqNo": running.seq,
            "transactionInfo": {"transactionId": running.transaction, "chargingState": "Charging",
                "remoteStartId": running.remote_start_id},
            "evse": {"id": evse, "connectorId": 1},
            "meterValue": [{"timestamp": at, "sampledValue": [{"value": running.kwh, "unitOfMeasure": {"unit": "kWh"}}]}]});
        if running.seq == 0 {
            event["idToken"] = running.token.clone();
        }
        running.seq += 1;
        self.metered.lock().unwrap().insert(running.transaction.clone(), running.kwh);
        self.outbox.push_back(event);
        if kind == "Ended" {
            self.running.remove(&evse);
        }
    }

    /// Each session takes another kWh, and ends when it has enough.
    fn charge(&mut self) {
        for evse in self.running.keys().copied().collect::<Vec<_>>() {
            let Some(running) = self.running.get_mut(&evse) else { continue };
            running.kwh += 1;
            running.more -= 1;
            let kind = if running.more > 0 { "Updated" } else { "Ended" };
            self.event(evse, kind);
        }
    }

    fn obey(&mut self, action: &str, payload: &Value) -> Value {
        match action {
            "RequestStartTransaction" => {
                let evse = payload["evseId"].as_i64().unwrap();
                if self.running.contains_key(&evse) || self.dice.roll(6) == 0 {
                    return json!({"status": "Rejected"});
                }
                self.begun += 1;
                let running = Running {
                    transaction: format!("tx-{}", self.begun),
                    token: payload["idToken"].clone(),
                    remote_start_id: payload["remoteStartId"].clone(),
                    seq: 0,
                    kwh: 0,
                    more: 2 + i64::try_from(self.dice.roll(5)).unwrap(),
                };
                self.running.insert(evse, running);
                self.event(evse, "Started");
                json!({"status": "Accepted"})
            }
            "RequestStopTransaction" => {
                let of = |(_, running): &(&i64, &Running)| payload["transactionId"] == running.transaction.as_str();
                match self.running.iter().find(of).map(|(evse, _)| *evse) {
                    Some(evse) => {
                        self.event(evse, "Ended");
                        json!({"status": "Accepted"})
                    }
                    None => json!({"status": "Rejected"}),
                }
            }
            _ => json!({"status": "NotSupported"}),
        }
    }

    async fn run(mut self, mut there: There, victim: Arc<Victim>) {
        loop {
            let address = here(&mut there).await;
            // Why the conversation broke off is the same to the station: it connects again.
            let _ = self.converse(address, &victim).await;
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn converse(&mut self, address: SocketAddr, victim: &Victim) -> Option<()> {
        let mut request = format!("ws://{address}/ocpp/CS").into_client_request().ok()?;
        request.headers_mut().insert("sec-websocket-protocol", "ocpp2.0.1".parse().ok()?);
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.ok()?;
        let boot = json!([2, "boot", "BootNotification", crate::harness::boot_payload("ocpp2.0.1")]);
        socket.send(Message::text(boot.to_string())).await.ok()?;
        let mut waiting = Some("boot".to_owned());
        loop {
            if waiting.is_none() {
                if self.outbox.is_empty() {
                    self.charge();
                }
                if let Some(event) = self.outbox.front() {
                    self.sent += 1;
                    let id = format!("event-{}", self.sent);
                    socket.send(Message::text(json!([2, id, "TransactionEvent", event]).to_string())).await.ok()?;
                    waiting = Some(id);
                    victim.step();
                }
            }
            let frame = match timeout(Duration::from_millis(20), socket.next()).await {
                // Nothing to read, and maybe nothing to do.
                Err(_) => continue,
                Ok(Some(Ok(Message::Text(frame)))) => serde_json::from_str::<Value>(&frame).unwrap(),
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
                Ok(_) => return None,
            };
            match frame[0].as_i64() {
                Some(2) => {
                    victim.step();
                    let answer = self.obey(frame[2].as_str()?, &frame[3]);
                    socket.send(Message::text(json!([3, frame[1], answer]).to_string())).await.ok()?;
                    victim.step();
                }
                Some(3) if frame[1].as_str() == waiting.as_deref() => {
                    if waiting.as_deref() != Some("boot") {
                        self.outbox.pop_front();
                    }
                    waiting = None;
                    victim.step();
                }
                // It could not be kept: it is sent again.
                _ => {
                    sleep(Duration::from_millis(50)).await;
                    waiting = None;
                }
            }
        }
    }
}

/// Somebody who pays at one EVSE again and again.
async fn pay_at(evse: i64, driver: String, mut there: There, mut dice: Dice) {
    for _ in 0..SESSIONS {
        let guest = |provider: &str, method: &str, amount: i64| {
            let payment = json!({"amount": amount, "currency": "EUR", "provider": provider, "method": method});
            json!({"station": "CS", "evse": evse, "payment": payment})
        };
        let wanted = match dice.roll(8) {
            0..=2 => guest("card", "pm_card_visa", 10),
            // Used up before the vehicle is full.
            3 => guest("card", "pm_card_visa", 1),
            4 => guest("card", "pm_card_visa_chargeDeclined", 10),
            5 => guest("sandbox", "webhook_never", 10),
            6 => guest("sandbox", "webhook_twice", 10),
            _ => json!({"station": "CS", "evse": evse, "driver": driver, "token": format!("ADA-{evse}"), "amount": 5}),
        };
        // Where the answer is lost, somebody may charge there already; then it is waited for the place.
        let session = insist(&mut there, Method::POST, "/api/v1/prepaid-sessions", Some(&wanted)).await;
        let path = format!("/api/v1/prepaid-sessions/{}", session["id"].as_str().unwrap());
        let view = loop {
            let view = insist(&mut there, Method::GET, &path, None).await;
            if matches!(view["stage"].as_str(), Some("settled" | "released" | "abandoned")) {
                break view;
            }
            sleep(Duration::from_millis(40)).await;
        };
        if let (Some(transaction), 0) = (view["transaction"].as_str(), dice.roll(2)) {
            let path = format!("/api/v1/stations/CS/transactions/{transaction}/refunds");
            // Once; whether it was done is for the books to say.
            let refund = json!({"amount": 0.1, "reason": "a complaint"});
            ask(&mut there, Method::POST, &path, Some(&refund)).await;
            let payer = json!({"payer": view["payer"], "currency": "EUR", "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"});
            ask(&mut there, Method::POST, "/api/v1/invoices", Some(&payer)).await;
        }
    }
}

/// The processor tells what happened: once, twice, late or never, and not again where nobody listens.
async fn tell(processor: Processor, mut there: There, mut dice: Dice) {
    let mut told = 0;
    loop {
        let events = processor.events();
        for event in events.iter().skip(told) {
            for _ in 0..dice.roll(3) {
                let address = here(&mut there).await;
                processor.deliver(&format!("http://{address}"), event).await;
            }
        }
        told = events.len();
        sleep(Duration::from_millis(60)).await;
    }
}

/// What is not finished, of whatever kind.
const UNFINISHED: &str = "SELECT 'session ' || id || ' ' || stage FROM prepaid_sessions WHERE stage IN ('unpaid', 'held', 'running') \
     UNION ALL SELECT 'payment ' || id || ' ' || state || ' ' || capture FROM payments \
     WHERE state IN ('created', 'requested') OR capture IN ('open', 'due') \
     UNION ALL SELECT 'refund ' || id || ' ' || state FROM payment_refunds WHERE state IN ('created', 'requested')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_bills_everything_once_and_keeps_nobodys_money() {
    let done = timeout(PATIENCE, kill_and_look()).await;
    done.expect("everything comes to its end in time");
}

async fn kill_and_look() {
    // No server runs in this process that would have chosen it. An error says that another test was quicker.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    let processor = Processor::start().await;
    let (config, log) = (folder.file("csms.toml"), folder.file("csms.log"));
    std::fs::write(folder.file("webhook-secret"), format!("{WEBHOOK_SECRET}\n")).unwrap();
    let text = format!(
        "listen = \"127.0.0.1:0\"\ndatabase = {:?}\nfiles = {:?}\nprice_per_kwh = 0.40\ninventory = false\npublic_url = \"http://csms.example\"\n\
         [payments]\nsandbox = true\nstart_within = 2\n\
         [payments.card]\nurl = {:?}\nsecret_key = {{ env = \"CARD_KEY_OF_THE_TEST\" }}\nwebhook_secret = {{ file = {:?} }}\n",
        place::address(&database).await,
        folder.file("files"),
        processor.url(),
        folder.file("webhook-secret"),
    );
    std::fs::write(&config, text).unwrap();

    let dice = Dice(from_environment("OCPP_CSMS_TEST_SEED", 20_261_120));
    let wanted = from_environment("OCPP_CSMS_TEST_KILLS", KILLS);
    let plan = Plan { dice: dice.clone(), steps_left: 5, kills_left: wanted, kills: 0 };
    let victim = Arc::new(Victim { child: Mutex::default(), plan: Mutex::new(plan), armed: AtomicBool::new(false) });
    let (sender, mut there) = watch::channel(None);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(keep_alive(Arc::clone(&victim), config.clone(), log.clone(), sender, Dice(dice.0 ^ 1)));

    insist(&mut there, Method::PUT, "/api/v1/stations/CS", Some(&json!({"security_profile": 0}))).await;
    let new = json!({"login": "ada@example.org", "name": "Ada", "payment": "balance"});
    let driver = insist(&mut there, Method::POST, "/api/v1/drivers", Some(&new)).await;
    let driver = driver["id"].as_str().unwrap().to_owned();
    for evse in 1..=EVSES {
        let path = format!("/api/v1/tokens/ADA-{evse}");
        insist(&mut there, Method::PUT, &path, Some(&json!({"driver": driver}))).await;
    }
    let top_up = json!({"amount": 100, "currency": "EUR", "provider": "card", "method": "pm_card_visa"});
    insist(&mut there, Method::POST, &format!("/api/v1/drivers/{driver}/top-ups"), Some(&top_up)).await;

    let metered: Arc<Mutex<BTreeMap<String, i64>>> = Arc::default();
    let station = Station {
        dice: Dice(dice.0 ^ 2),
        outbox: VecDeque::new(),
        running: BTreeMap::new(),
        sent: 0,
        begun: 0,
        metered: Arc::clone(&metered),
    };
    tasks.spawn(station.run(there.clone(), Arc::clone(&victim)));
    tasks.spawn(tell(processor.clone(), there.clone(), Dice(dice.0 ^ 3)));
    let watched = Arc::clone(&victim);
    processor.on_request(move || watched.step());
    victim.armed.store(true, Ordering::Relaxed);
    let mut payers = tokio::task::JoinSet::new();
    for evse in 1..=EVSES {
        let dice = Dice(dice.0 ^ (16 + u64::try_from(evse).unwrap()));
        payers.spawn(pay_at(evse, driver.clone(), there.clone(), dice));
    }
    while let Some(paid) = payers.join_next().await {
        paid.unwrap();
    }
    victim.armed.store(false, Ordering::Relaxed);
    let seen = Mutex::new(String::new());
    // What the station metered is billed, each once and as it was.
    let settled = async {
        loop {
            let bills = "SELECT transaction_id || ' ' || CAST(total AS TEXT) FROM bills";
            let mut bills = place::texts(&database, bills).await;
            bills.sort();
            let metered = metered.lock().unwrap().clone();
            let expected: Vec<_> =
                metered.iter().map(|(transaction, kwh)| format!("{transaction} {}", kwh * 40)).collect();
            let unfinished = place::texts(&database, UNFINISHED).await;
            *seen.lock().unwrap() = format!("{bills:?} instead of {expected:?}; {unfinished:?}");
            if unfinished.is_empty() && bills == expected {
                return metered;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    let settled = timeout(Duration::from_secs(60), settled).await;
    let metered = settled.unwrap_or_else(|_| panic!("{}", seen.lock().unwrap()));
    assert!(!metered.is_empty());
    let kills = victim.plan.lock().unwrap().kills;
    println!("killed {kills} times");
    assert!(kills >= wanted.min(KILLS), "it was killed only {kills} times");

    // The books of the program.
    let check = insist(&mut there, Method::GET, "/api/v1/ledger/check", None).await;
    assert_eq!(check["balanced"], true, "{check}");
    let accounts = insist(&mut there, Method::GET, "/api/v1/ledger/accounts", None).await;
    let cents = |value: &Value| (value.as_f64().unwrap() * 100.0).round();
    let sum = |prefix: &str| -> f64 {
        let all = accounts.as_array().unwrap().iter();
        all.filter(|account| account["account"].as_str().unwrap().starts_with(prefix))
            .map(|account| cents(&account["balance"]))
            .sum()
    };
    assert_eq!((sum(""), sum("hold:")), (0.0, 0.0), "{accounts}");
    for account in accounts.as_array().unwrap() {
        let is_guest = account["account"].as_str().unwrap().starts_with("guest:");
        assert!(!is_guest || cents(&account["balance"]) >= 0.0, "a guest's money is kept: {account}");
    }
    // Those of the processor are the same.
    assert_eq!(processor.held(), 0);
    assert_eq!(sum("provider:card"), f64::from(i32::try_from(processor.balance()).unwrap()));
    assert_eq!(
        -sum("revenue"),
        metered.values().map(|kwh| f64::from(i32::try_from(*kwh).unwrap()) * 40.0).sum::<f64>()
    );

    // The same by the command, beside the server.
    let checked = Command::new(env!("CARGO_BIN_EXE_ocpp-csms"))
        .args(["ledger", "check", "--config"])
        .arg(&config)
        .env("CARD_KEY_OF_THE_TEST", KEY)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
    tasks.abort_all();
    // However much was logged of all that, no secret was.
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(!log.is_empty());
    for secret in [KEY, WEBHOOK_SECRET, TOKEN] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
}
