//! Everything at work in one process: a CSMS and three simulated stations, one for each version, on real sockets, after a week of
//! history.

mod bill;
mod history;
mod visit;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::future::{join_all, try_join_all};
use iso_currency::Currency;
use jiff::Timestamp;
use ocpp_core::types::Version;
use ocpp_cp::Simulator;
use rust_decimal::Decimal;
use tokio::sync::broadcast;
use tokio::time::timeout;

use self::bill::Bill;
use self::visit::Visitor;
use crate::cli::{say, stop_requested};
use crate::config::ConfigFile;
use crate::server::{Csms, Server};
use crate::stations::Notice;
use crate::store::{Database, Registration, StationChange, Token, TokenStatus};

/// What the demonstration is told on the command line.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// One session of each version, checked, instead of many.
    pub once: bool,
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// The database.
    pub database: Option<Database>,
    /// The bearer token of the REST interface.
    pub api_token: Option<String>,
}

/// The price of a kWh.
fn price() -> Decimal {
    Decimal::new(395, 3)
}

/// So many seconds of charging are packed into one.
const SPEED: u32 = 120;
/// Seconds between two meter values: so that the page lives, which shows power and cost as they are reported.
const SAMPLE_SECONDS: u32 = 2;

/// A station of the demonstration, and who charges there.
struct Role {
    station: &'static str,
    version: Version,
    token: &'static str,
    /// The most that the car takes, in W.
    power: u32,
    /// What the driver wants if it has to be quick, in Wh.
    wanted: u64,
}

const ROLES: [Role; 3] = [
    Role { station: "DEMO-16", version: Version::V1_6, token: "04A1B2C3", power: 7_400, wanted: 700 },
    Role { station: "DEMO-201", version: Version::V2_0_1, token: "04D4E5F6", power: 11_000, wanted: 1_100 },
    Role { station: "DEMO-21", version: Version::V2_1, token: "04778899", power: 22_000, wanted: 2_100 },
];

/// Runs the demonstration: with `once` until the bills are checked, else until ctrl-c.
///
/// # Errors
/// When the server cannot start; with `once` also when a session does not come to its bill, or a bill does not agree with the meter
/// of its station.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let scratch = Scratch::new(&options);
    let default = SocketAddr::from(([127, 0, 0, 1], if options.once { 0 } else { 8180 }));
    let config = ConfigFile {
        listen: Some(options.listen.unwrap_or(default)),
        database: Some(scratch.database.clone()),
        price_per_kwh: Some(price()),
        currency: Some(Currency::EUR.code().to_owned()),
        ..ConfigFile::default()
    };
    let server = Server::start(config.check()?, options.api_token.as_deref()).await?;
    let begun = Instant::now();
    let sign_in = history::make(server.csms()).await?;
    introduce(&server, &scratch.database);
    if let Some(history::SignIn { login, password }) = sign_in {
        say(format_args!("Driver    http://{}/driver   {login}, password {password}", server.address()));
        say(format_args!("A week of history was made in {} ms.\n", begun.elapsed().as_millis()));
    }
    let notices = server.csms().stations().notices();
    let teller = tokio::spawn(tell(notices));
    let result = play(&server, options.once).await;
    server.shut_down().await;
    // The last notices are told before the table of the bills.
    let _ = timeout(Duration::from_secs(1), teller).await;
    if let (true, Ok(bills)) = (options.once, &result) {
        say(format_args!("\n{}", bill::table(bills).trim_end()));
        bill::check(bills)?;
        say(format_args!("Energy and price of all {} bills agree with the meters of the stations.", bills.len()));
    }
    result.map(drop)
}

/// Makes a week of history and the site, unless the database has sessions or drivers already; whether it did.
///
/// # Errors
/// When the database fails.
pub async fn make_history(csms: &Csms) -> anyhow::Result<bool> {
    let is_new = history::make(csms).await?.is_some();
    if is_new {
        history::site(csms).await?;
    }
    Ok(is_new)
}

fn introduce(server: &Server, database: &Database) {
    let address = server.address();
    say(format_args!("Page      http://{address}/"));
    if let Some(link) = server.new_set_up_link() {
        say(format_args!("Sign in   {link}   (works once)"));
    }
    say(format_args!("REST      http://{address}/api/docs"));
    if let Some(token) = server.new_api_token() {
        say(format_args!("API token {token}   (shown only this once)"));
    }
    say(format_args!("Database  {}", database));
    say(format_args!("One second of charging counts as {SPEED}. End with ctrl-c.\n"));
}

/// A line for each event.
async fn tell(mut notices: broadcast::Receiver<Notice>) {
    loop {
        match notices.recv().await {
            Ok(notice) => say(format_args!("{}  {notice}", Timestamp::now().strftime("%H:%M:%S"))),
            Err(broadcast::error::RecvError::Lagged(missed)) => say(format_args!("… {missed} events are not shown")),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Enters stations and tokens, starts the stations and lets drivers come; the bills of one round each.
async fn play(server: &Server, once: bool) -> anyhow::Result<Vec<Bill>> {
    let stop = stop_requested()?;
    let mut visitors = Vec::new();
    for role in ROLES {
        let password = enter(server, &role).await?;
        let station =
            start(server.address(), &role, password).await.with_context(|| format!("{} cannot start", role.station))?;
        // One session is over soon; whoever watches many wants to see the power for a while.
        let wanted = if once { role.wanted } else { 10 * role.wanted };
        visitors.push(Visitor::new(role, wanted, station, server.csms().store().clone()));
    }
    if !once {
        // Three cars would take more than the connection gives: who watches sees it shared.
        history::site(server.csms()).await?;
    }
    let drivers = async {
        if once {
            return try_join_all(visitors.iter().map(Visitor::visit)).await;
        }
        try_join_all(visitors.iter().map(Visitor::visit_for_ever)).await.map(|_: Vec<()>| Vec::new())
    };
    let result = tokio::select! {
        result = drivers => result,
        () = stop => if once { Err(anyhow::anyhow!("stopped before all bills were there")) } else { Ok(Vec::new()) },
    };
    join_all(visitors.iter().map(Visitor::leave)).await;
    result
}

/// Enters the station with a new password, and the token of its driver.
async fn enter(server: &Server, role: &Role) -> anyhow::Result<String> {
    let csms = server.csms();
    let password = uuid::Uuid::new_v4().simple().to_string();
    let change = StationChange {
        registration: Some(Registration::Accepted),
        security_profile: Some(1),
        password_hash: Some(csms.password_key().hash(role.station, password.as_bytes())),
        certificate_name: None,
        free_vend: Some(false),
    };
    let now = Timestamp::now();
    csms.store().put_station(role.station, &change, now).await?;
    let token = Token {
        token: role.token.to_owned(),
        kind: "ISO14443".to_owned(),
        status: TokenStatus::Accepted,
        expires_at: None,
        group: None,
        created_at: now,
        updated_at: now,
    };
    csms.store().put_token(&token).await?;
    Ok(password)
}

async fn start(address: SocketAddr, role: &Role, password: String) -> anyhow::Result<Simulator> {
    let mut config = ocpp_cp::Config::new(format!("ws://{address}/ocpp").parse()?, role.station);
    config.versions = vec![role.version];
    config.password = Some(password);
    config.speed = SPEED;
    config.model = format!("{} kW", Decimal::new(role.power.into(), 3).normalize());
    let station = Simulator::start(config)?;
    let (interval, measurands) = match role.version {
        Version::V1_6 => ("MeterValueSampleInterval", "MeterValuesSampledData"),
        _ => ("SampledDataCtrlr.TxUpdatedInterval", "SampledDataCtrlr.TxUpdatedMeasurands"),
    };
    station.set(interval, SAMPLE_SECONDS.to_string()).await?;
    station.set(measurands, "Energy.Active.Import.Register,Power.Active.Import").await?;
    Ok(station)
}

/// The database, and whether it is thrown away at the end.
struct Scratch {
    database: Database,
    temporary: bool,
}

impl Scratch {
    fn new(options: &Options) -> Self {
        match (&options.database, options.once) {
            (Some(database), _) => Self { database: database.clone(), temporary: false },
            (None, false) => Self { database: Database::File("ocpp-demo.sqlite".into()), temporary: false },
            (None, true) => {
                let name = format!("ocpp-demo-{}.sqlite", uuid::Uuid::new_v4().simple());
                Self { database: Database::File(std::env::temp_dir().join(name)), temporary: true }
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let (true, Database::File(database)) = (self.temporary, &self.database) {
            for suffix in ["", "-wal", "-shm"] {
                let mut file = database.clone().into_os_string();
                file.push(suffix);
                // What was never made cannot be removed.
                let _ = std::fs::remove_file(file);
            }
        }
    }
}
