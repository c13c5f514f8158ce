//! A year of an installation, written into its database as fast as it takes it.
//!
//! Everything is made of numbers: the same in every run. Totals of sessions are counted by the CSMS itself.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ocpp_csms::reports;
use ocpp_csms::store::{Database, Store, restore};

use crate::database::{Connection, Kind, Place};
use crate::server::Csms;
use crate::station::identity;

/// Rows of a statement.
const ROWS: usize = 250;
/// Rows of a transaction.
const TOGETHER: u64 = 100_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// Days of which meter values are kept: those of a year would be tens of gigabytes.
const METERED: i64 = 14;
/// Sessions that run.
const RUNNING: u64 = 200;

/// How large the installation is.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Size {
    /// Stations, with two EVSEs each.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) stations: u64,
    /// Sessions, each with its bill; seven of ten are on a driver's account.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) sessions: u64,
    /// Days that they are spread over, up to now.
    #[arg(long, default_value_t = 365)]
    pub(crate) days: u32,
    /// Drivers, with a token, ten payments and two invoices each.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) drivers: u64,
}

/// A number that looks like none in particular, always the same for `number` (SplitMix64).
fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn below(number: u64, bound: u64) -> u64 {
    scattered(number) % bound.max(1)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Rows on their way into a table.
struct Table<'a> {
    connection: &'a mut Connection,
    into: &'static str,
    text: String,
    waiting: usize,
    written: u64,
    started: Instant,
}

impl<'a> Table<'a> {
    async fn begin(connection: &'a mut Connection, into: &'static str) -> anyhow::Result<Self> {
        connection.run("BEGIN").await?;
        Ok(Self { connection, into, text: String::new(), waiting: 0, written: 0, started: Instant::now() })
    }

    /// A row, written as SQL has it.
    async fn row(&mut self, row: std::fmt::Arguments<'_>) -> anyhow::Result<()> {
        let separator = if self.waiting == 0 { "" } else { ", " };
        write!(self.text, "{separator}({row})")?;
        self.waiting += 1;
        if self.waiting == ROWS {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        if self.waiting == 0 {
            return Ok(());
        }
        let before = self.written / TOGETHER;
        self.connection.run(&format!("INSERT INTO {} VALUES {}", self.into, self.text)).await?;
        self.written += u64::try_from(std::mem::take(&mut self.waiting))?;
        self.text.clear();
        if self.written / TOGETHER > before {
            self.connection.run("COMMIT").await?;
            self.connection.run("BEGIN").await?;
            eprintln!("  {} rows: {}", self.name(), self.written);
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        self.into.split(' ').next().unwrap_or_default()
    }

    async fn end(mut self) -> anyhow::Result<()> {
        self.flush().await?;
        self.connection.run("COMMIT").await?;
        eprintln!("{}: {} rows in {:.1} s", self.name(), self.written, self.started.elapsed().as_secs_f64());
        Ok(())
    }
}

/// A session as its number makes it.
struct Session {
    number: u64,
    station: u64,
    driver: u64,
    evse: u64,
    started_at: i64,
    stopped_at: i64,
    wh: u64,
    cost: u64,
}

impl Session {
    fn new(size: Size, now: i64, number: u64) -> Self {
        let span = i64::from(size.days) * DAY;
        let started_at = now - span + signed(number) * span / signed(size.sessions.max(1));
        let wh = 2_000 + below(number * 7 + 1, 38_000);
        Self {
            number,
            station: below(number * 7 + 2, size.stations),
            driver: below(number * 7 + 3, size.drivers),
            evse: 1 + below(number * 7 + 4, 2),
            started_at,
            stopped_at: (started_at + HOUR / 3 + signed(below(number * 7 + 5, 9_000_000))).min(now),
            wh,
            cost: wh * 39 / 1_000,
        }
    }

    fn is_of_driver(&self) -> bool {
        below(self.number * 7 + 6, 10) < 7
    }

    fn payer(&self) -> String {
        if self.is_of_driver() { format!("'driver:D{:06}'", self.driver) } else { "NULL".to_owned() }
    }
}

/// Makes the database of this kind. PostgreSQL is filled from the SQLite file, by the program's own restore.
pub(crate) async fn run(folder: &Path, kinds: &[Kind], size: Size) -> anyhow::Result<()> {
    let started = Instant::now();
    let place = Place::empty(folder, Kind::Sqlite)?;
    // Which makes the tables and the tariff of the configuration.
    drop(Csms::start(&place, 0)?);
    let mut connection = place.connect().await?;
    let now = Timestamp::now().as_millisecond();
    people(&mut connection, size, now).await?;
    stations(&mut connection, size, now).await?;
    sessions(&mut connection, size, now).await?;
    money(&mut connection, size, now).await?;
    upkeep(&mut connection, size, now).await?;
    connection.close().await?;
    let store = Store::open(place.address().parse::<Database>()?).await?;
    let counting = Instant::now();
    for number in 0..usize::try_from(size.stations)? {
        reports::rebuild(&store, &identity(number), &TimeZone::UTC).await?;
        if number % 100 == 99 {
            eprintln!("  totals of {} stations", number + 1);
        }
    }
    store.close().await;
    eprintln!("totals: {:.1} s", counting.elapsed().as_secs_f64());
    println!(
        "SQLite: {} sessions at {} stations in {:.0} s, {} MiB on the disk",
        size.sessions,
        size.stations,
        started.elapsed().as_secs_f64(),
        place.size() >> 20
    );
    if kinds.contains(&Kind::Postgres) {
        let started = Instant::now();
        let server = Place::empty(folder, Kind::Postgres)?;
        let database: Database = server.address().parse()?;
        restore(&database, Path::new(&place.address()), false).await?;
        let mut connection = server.connect().await?;
        // As autovacuum would have done it in the course of the year.
        connection.run("VACUUM ANALYZE").await?;
        connection.close().await?;
        println!(
            "PostgreSQL: restored from that in {:.0} s, {} MiB on the disk",
            started.elapsed().as_secs_f64(),
            server.size() >> 20
        );
    }
    Ok(())
}

async fn people(connection: &mut Connection, size: Size, now: i64) -> anyhow::Result<()> {
    let begun = now - 400 * DAY;
    let into = "drivers (id, login_key, login, name, disabled, payment, created_at, updated_at)";
    let mut table = Table::begin(connection, into).await?;
    for n in 0..size.drivers {
        let row = format_args!(
            "'D{n:06}', 'd{n:06}@example.com', 'd{n:06}@example.com', 'Driver {n}', 0, 'balance', {begun}, {begun}"
        );
        table.row(row).await?;
    }
    table.end().await?;
    let into = "tokens (token_key, token, type, status, created_at, updated_at)";
    let mut table = Table::begin(connection, into).await?;
    for n in 0..size.drivers {
        table.row(format_args!("'t{n:06}', 'T{n:06}', 'ISO14443', 'accepted', {begun}, {begun}")).await?;
    }
    table.end().await?;
    let mut table = Table::begin(connection, "token_terms (token_key, driver, every_station, since)").await?;
    for n in 0..size.drivers {
        table.row(format_args!("'t{n:06}', 'D{n:06}', 1, 0")).await?;
    }
    table.end().await
}

async fn stations(connection: &mut Connection, size: Size, now: i64) -> anyhow::Result<()> {
    let begun = now - 400 * DAY;
    let into = "stations (id, registration, security_profile, free_vend, provisioned, version, vendor, model, serial_number, \
         firmware_version, created_at, last_connected_at, last_booted_at)";
    let mut table = Table::begin(connection, into).await?;
    for n in 0..size.stations {
        let version = if n % 2 == 0 { "ocpp1.6" } else { "ocpp2.1" };
        let row = format_args!(
            "'S{n:06}', 'accepted', 0, 0, 1, '{version}', 'VendorX', 'DoubleSocketCharger', 'VX{n:06}', '4.11.2', {begun}, {now}, {now}"
        );
        table.row(row).await?;
    }
    table.end().await?;
    let mut table = Table::begin(connection, "connectors (station, evse, connector, status, since)").await?;
    for n in 0..size.stations * 2 {
        table.row(format_args!("'S{:06}', {}, 1, 'Available', {now}", n / 2, 1 + n % 2)).await?;
    }
    table.end().await?;
    let into = "report_state_spans (station, size, span, offline, available, occupied, unavailable, faulted, faults)";
    let mut table = Table::begin(connection, into).await?;
    for day in (now / DAY - i64::from(size.days))..(now / DAY) {
        for n in 0..size.stations {
            let number = n * 1_000 + day.unsigned_abs();
            let (offline, occupied) = (signed(below(number, 3_600)) * 1000, signed(below(number + 1, 36_000)) * 1000);
            let faulted = if below(number + 2, 30) == 0 { HOUR } else { 0 };
            let available = DAY - offline - occupied - faulted;
            let row = format_args!(
                "'S{n:06}', 1, {day}, {offline}, {available}, {occupied}, 0, {faulted}, {}",
                u8::from(faulted > 0)
            );
            table.row(row).await?;
        }
    }
    table.end().await?;
    let mut all = String::new();
    for size in [8, 64] {
        write!(
            all,
            "INSERT INTO report_state_spans SELECT station, {size}, span / {size}, SUM(offline), SUM(available), SUM(occupied), \
             SUM(unavailable), SUM(faulted), SUM(faults) FROM report_state_spans WHERE size = 1 GROUP BY station, span / {size};"
        )?;
    }
    for state in ["offline", "available", "occupied", "unavailable", "faulted"] {
        let entered = if state == "faulted" { "SUM(faults)" } else { "COUNT(*)" };
        write!(
            all,
            "INSERT INTO report_fleet_states (part, day, state, duration, entered) \
             SELECT CAST(substr(station, 2) AS BIGINT) % 4, span, '{state}', SUM({state}), {entered} \
             FROM report_state_spans WHERE size = 1 GROUP BY 1, span;"
        )?;
    }
    connection.run(&all).await?;
    let mut table = Table::begin(connection, "station_states (station, state, since)").await?;
    for n in 0..size.stations {
        table.row(format_args!("'S{n:06}', 'available', {}", now - now % DAY)).await?;
    }
    table.end().await?;
    let mut table = Table::begin(connection, "messages (number, station, at, direction, text)").await?;
    for n in 0..size.stations * 100 {
        let row = format_args!(
            "{n}, 'S{:06}', {}, 'received', '[2,\"{n}\",\"Heartbeat\",{{}}]'",
            n % size.stations,
            now - HOUR + signed(n)
        );
        table.row(row).await?;
    }
    table.end().await
}

async fn sessions(connection: &mut Connection, size: Size, now: i64) -> anyhow::Result<()> {
    let tariff = connection.text("SELECT id FROM tariffs ORDER BY is_default DESC LIMIT 1").await;
    let tariff = tariff.context("the CSMS has made no tariff")?;
    let into = "transactions (station, id, evse, connector, token, started_at, stopped_at, stop_reason, meter_start, meter_last, \
         meter_last_at, currency, cost, tariff, tariff_version, payer)";
    let mut table = Table::begin(connection, into).await?;
    for n in 0..size.sessions {
        let session = Session::new(size, now, n);
        let Session { station, driver, evse, started_at, stopped_at, wh, cost, .. } = session;
        let runs = n + RUNNING >= size.sessions;
        let (stopped, reason) =
            if runs { ("NULL".to_owned(), "NULL") } else { (stopped_at.to_string(), "'EVDisconnected'") };
        let row = format_args!(
            "'S{station:06}', '{n}', {evse}, 1, 'T{driver:06}', {started_at}, {stopped}, {reason}, '0', '{wh}', {stopped_at}, 'EUR', \
             {cost}, '{tariff}', 1, {}",
            session.payer()
        );
        table.row(row).await?;
    }
    table.end().await?;
    let into = "bills (station, transaction_id, payer, tariff, tariff_version, currency, net, tax, total, lines, energy_wh, \
         is_final, billed_at)";
    let mut table = Table::begin(connection, into).await?;
    for n in 0..size.sessions.saturating_sub(RUNNING) {
        let session = Session::new(size, now, n);
        let Session { station, stopped_at, wh, cost, .. } = session;
        let kwh = wh as f64 / 1e3;
        let row = format_args!(
            "'S{station:06}', '{n}', {}, '{tariff}', 1, 'EUR', {cost}, 0, {cost}, \
             '[{{\"item\":\"energy\",\"quantity\":\"{kwh}\",\"price\":\"0.39\",\"amount\":{cost}}}]', '{wh}', 1, {stopped_at}",
            session.payer()
        );
        table.row(row).await?;
    }
    table.end().await?;
    let into = "meter_values (station, transaction_id, taken_at, digest, sampled)";
    let mut table = Table::begin(connection, into).await?;
    for n in 0..size.sessions {
        let Session { station, started_at, stopped_at, wh, .. } = Session::new(size, now, n);
        if started_at < now - METERED * DAY {
            continue;
        }
        for reading in 0..10 {
            let at = started_at + (stopped_at - started_at) * reading / 9;
            let moment = Timestamp::from_millisecond(at)?;
            let value = signed(wh) * reading / 9;
            let row = format_args!(
                "'S{station:06}', '{n}', {at}, {reading}, '{{\"at\":\"{moment}\",\"samples\":[{{\"value\":\"{value}\",\
                 \"measurand\":\"Energy.Active.Import.Register\",\"unit\":\"Wh\",\"location\":\"Outlet\"}},{{\"value\":\"10800\",\
                 \"measurand\":\"Power.Active.Import\",\"unit\":\"W\",\"location\":\"Outlet\"}}]}}'"
            );
            table.row(row).await?;
        }
    }
    table.end().await
}

async fn money(connection: &mut Connection, size: Size, now: i64) -> anyhow::Result<()> {
    let charged = |n: u64| Some(Session::new(size, now, n)).filter(Session::is_of_driver);
    let ended = size.sessions.saturating_sub(RUNNING);
    let mut table = Table::begin(connection, "ledger_entries (reference, currency, at)").await?;
    for session in (0..ended).filter_map(charged) {
        let Session { station, number, stopped_at, .. } = session;
        table.row(format_args!("'charge:S{station:06}/{number}', 'EUR', {stopped_at}")).await?;
    }
    for n in 0..size.drivers * 10 {
        table.row(format_args!("'top-up:P{n:08}', 'EUR', {}", paid_at(size, now, n))).await?;
    }
    table.end().await?;
    let mut table = Table::begin(connection, "ledger_postings (reference, account, amount, at)").await?;
    for session in (0..ended).filter_map(charged) {
        let Session { station, number, driver, cost, stopped_at, .. } = session;
        table.row(format_args!("'charge:S{station:06}/{number}', 'driver:D{driver:06}', {cost}, {stopped_at}")).await?;
        table.row(format_args!("'charge:S{station:06}/{number}', 'revenue', -{cost}, {stopped_at}")).await?;
    }
    for n in 0..size.drivers * 10 {
        let (driver, at) = (n / 10, paid_at(size, now, n));
        table.row(format_args!("'top-up:P{n:08}', 'driver:D{driver:06}', -10000, {at}")).await?;
        table.row(format_args!("'top-up:P{n:08}', 'provider:sandbox', 10000, {at}")).await?;
    }
    table.end().await?;
    connection
        .run(
            "INSERT INTO ledger_balances (account, currency, amount) \
             SELECT account, 'EUR', SUM(amount) FROM ledger_postings GROUP BY account",
        )
        .await?;
    let into = "payments (id, provider, payer, amount, currency, state, provider_reference, created_at, updated_at)";
    let mut table = Table::begin(connection, into).await?;
    for n in 0..size.drivers * 10 {
        let at = paid_at(size, now, n);
        let row = format_args!(
            "'P{n:08}', 'sandbox', 'driver:D{:06}', 10000, 'EUR', 'confirmed', 'R{n:08}', {at}, {at}",
            n / 10
        );
        table.row(row).await?;
    }
    table.end().await?;
    let into = "invoices (number, payer, currency, from_at, to_at, net, tax, total, lines, issued_at)";
    let mut table = Table::begin(connection, into).await?;
    for n in 0..size.drivers * 2 {
        let at = paid_at(size, now, n * 5);
        let moment = Timestamp::from_millisecond(at)?;
        let line = format!(
            "{{\"kind\":\"session\",\"about\":\"S000001/{n}\",\"at\":\"{moment}\",\"energy_wh\":\"12000\",\"net\":468,\"tax\":0}}"
        );
        let lines = vec![line; 20].join(",");
        let row = format_args!(
            "{}, 'driver:D{:06}', 'EUR', 0, {at}, 9360, 0, 9360, '[{lines}]', {at}",
            n + 1,
            n % size.drivers
        );
        table.row(row).await?;
    }
    table.end().await
}

/// When a payment was made.
fn paid_at(size: Size, now: i64, number: u64) -> i64 {
    let span = i64::from(size.days) * DAY;
    now - span + signed(scattered(number) % span.unsigned_abs())
}

async fn upkeep(connection: &mut Connection, size: Size, now: i64) -> anyhow::Result<()> {
    let span = i64::from(size.days) * DAY;
    let count = size.stations * 100;
    let into = "audit (id, at, actor_kind, actor_id, actor_name, action, object, detail, address)";
    let mut table = Table::begin(connection, into).await?;
    for n in 0..count {
        let at = now - span + signed(n) * span / signed(count);
        let action = if n % 50 == 0 { "tariff.created" } else { "station.operated" };
        let row = format_args!(
            "'{at:013}-{n:08}', {at}, 'operator', 'O{:02}', 'operator {}', '{action}', 'S{:06}', 'Reset', '127.0.0.1'",
            n % 20,
            n % 20,
            n % size.stations
        );
        table.row(row).await?;
    }
    table.end().await?;
    let count = size.stations * 20;
    let into = "faults (id, station, kind, fault_key, code, severity, evse, connector, state, occurrences, opened_at, last_seen_at, closed_at)";
    let mut table = Table::begin(connection, into).await?;
    for n in 0..count {
        let at = now - span + signed(n) * span / signed(count);
        let lasts = n + 100 >= count;
        let (state, closed) = if lasts { ("open", "NULL".to_owned()) } else { ("closed", (at + HOUR).to_string()) };
        let row = format_args!(
            "'{at:013}-{n:08}', 'S{:06}', 'connector', '{n}', 'GroundFailure', 3, 1, 1, '{state}', 1, {at}, {at}, {closed}",
            n % size.stations
        );
        table.row(row).await?;
    }
    table.end().await?;
    // A year is over since the first session; the CSMS lived until now.
    let seen = Timestamp::from_millisecond(now)?.saturating_sub(SignedDuration::from_mins(1))?;
    connection
        .run(&format!(
            "INSERT INTO settings (name, value) VALUES ('reports_last_seen', '{seen}') \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        ))
        .await
}
