//! How long every page and report takes to be answered, of a database that [`crate::fill`] made.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use benches::machine::{median, percentile, say_load};
use jiff::{Timestamp, ToSpan as _};
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};

use crate::database::{Connection, Kind, Place};
use crate::server::{Csms, TOKEN};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Operator,
    Driver,
}

/// What is asked for.
struct Asked {
    who: Who,
    path: String,
    /// A file to take along rather than a page to look at: it has every line of the report.
    is_export: bool,
}

/// Who is signed in as a driver.
struct Driver {
    cookie: String,
    id: String,
}

/// A driver with an account that is used like the others.
async fn driver(csms: &Csms<'_>, connection: &mut Connection) -> anyhow::Result<Driver> {
    let client = reqwest::Client::new();
    let (login, password) = ("walker@example.com", "correct horse battery");
    let registration = json!({"login": login, "name": "Walker", "password": password});
    let mut answer = client.post(csms.url("/api/v1/session/registration")).json(&registration).send().await?;
    if answer.status() == reqwest::StatusCode::CONFLICT {
        let sign_in = json!({"name": login, "password": password, "driver": true});
        answer = client.post(csms.url("/api/v1/session")).json(&sign_in).send().await?;
    }
    ensure!(answer.status().is_success(), "no driver: {}", answer.text().await?);
    let cookies = answer.headers().get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let mut cookies = cookies.filter_map(|cookie| cookie.split(';').next());
    let cookie = cookies.next_back().context("no cookie")?.to_owned();
    let body: Value = answer.json().await?;
    let id = body["id"].as_str().context("no id")?.to_owned();
    connection.run(&format!("UPDATE token_terms SET driver = '{id}', since = 0 WHERE token_key = 't000007'")).await?;
    Ok(Driver { cookie, id })
}

async fn all(connection: &mut Connection, driver: &Driver) -> anyhow::Result<Vec<Asked>> {
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (month, year) = (today.saturating_sub(29.days()), today.saturating_sub(364.days()));
    let session =
        "SELECT station || '/' || id FROM transactions WHERE stopped_at IS NOT NULL ORDER BY started_at DESC LIMIT 1";
    let session = connection.text(session).await?;
    let (station, transaction) = session.split_once('/').context("no session")?;
    // The cursor of the last page.
    let last = "SELECT CAST(started_at AS TEXT) || '~' || station || '~' || id FROM transactions ORDER BY started_at LIMIT 1 OFFSET 40";
    let last = connection.text(last).await?;
    let audit = connection.text("SELECT id FROM audit ORDER BY id LIMIT 1 OFFSET 40").await?;
    let fault =
        connection.text("SELECT CAST(opened_at AS TEXT) FROM faults ORDER BY opened_at LIMIT 1 OFFSET 40").await?;
    let payment = "SELECT CAST(created_at AS TEXT) FROM payments ORDER BY created_at LIMIT 1 OFFSET 40";
    let payment = connection.text(payment).await?;
    let mut asked = Vec::new();
    let pages = [
        "/".to_owned(),
        "/stations".to_owned(),
        "/stations?page=20".to_owned(),
        "/stations?search=S0009".to_owned(),
        "/stations?registration=pending".to_owned(),
        format!("/stations/{station}"),
        format!("/stations/{station}/sessions"),
        format!("/stations/{station}/log"),
        format!("/stations/{station}/log?search=nothing"),
        format!("/stations/{station}/reservations"),
        "/sessions".to_owned(),
        "/sessions?state=running".to_owned(),
        "/sessions?state=over".to_owned(),
        format!("/sessions?station={station}"),
        "/sessions?token=t000007".to_owned(),
        format!("/sessions?station={station}&token=t000007"),
        format!("/sessions?station={station}&state=running"),
        "/sessions?token=nobody".to_owned(),
        format!("/sessions?after={last}"),
        format!("/sessions/{session}"),
        "/reports".to_owned(),
        "/reports?by=station".to_owned(),
        "/reports?by=station_day".to_owned(),
        "/reports?by=station_day&page=200".to_owned(),
        format!("/reports?from={year}&until={today}"),
        format!("/reports?from={year}&until={today}&by=station"),
        format!("/reports?from={year}&until={today}&by=station_day"),
        format!("/reports?from={year}&until={today}&by=station&page=7"),
        format!("/reports?from={year}&until={today}&station={station}"),
        format!("/reports?from={year}&until={today}&station={station}&by=station"),
        format!("/reports?from={year}&until={today}&station={station}&by=station_day"),
        "/tariffs".to_owned(),
        "/drivers".to_owned(),
        "/drivers?search=d0099".to_owned(),
        "/drivers/D000007".to_owned(),
        "/tokens".to_owned(),
        "/tokens?search=t0099".to_owned(),
        "/payments".to_owned(),
        format!("/payments?before={payment}"),
        "/invoices".to_owned(),
        "/invoices?before=60".to_owned(),
        "/invoices/77".to_owned(),
        "/sites".to_owned(),
        "/faults".to_owned(),
        "/faults?state=open".to_owned(),
        format!("/faults?station={station}"),
        format!("/faults?before={fault}"),
        "/maintenance".to_owned(),
        "/audit".to_owned(),
        "/audit?action=tariff".to_owned(),
        "/audit?actor=operator+7".to_owned(),
        format!("/audit?object={station}"),
        "/audit?object=nothing".to_owned(),
        format!("/audit?before={audit}"),
        "/settings".to_owned(),
        "/explorer".to_owned(),
        "/qr-codes".to_owned(),
    ];
    asked.extend(pages.into_iter().map(|path| Asked { who: Who::Operator, path, is_export: false }));
    let own = ["/driver", "/driver/balance", "/api/v1/driver", "/api/v1/driver/sessions"];
    asked.extend(own.map(|path| Asked { who: Who::Driver, path: path.to_owned(), is_export: false }));
    let payer = &driver.id;
    let rest = [
        "stations".to_owned(),
        format!("stations/{station}"),
        format!("stations/{station}/transactions"),
        format!("stations/{station}/transactions/{transaction}/meter-values"),
        format!("stations/{station}/messages"),
        "tokens".to_owned(),
        "drivers".to_owned(),
        "bills".to_owned(),
        "bills?payer=driver:D000007".to_owned(),
        format!("bills?station={station}"),
        "payments".to_owned(),
        "payments?payer=driver:D000007".to_owned(),
        "invoices".to_owned(),
        "invoices?payer=driver:D000007".to_owned(),
        "ledger/accounts".to_owned(),
        "ledger/accounts/driver:D000007/entries".to_owned(),
        "ledger/accounts/revenue/entries".to_owned(),
        "faults".to_owned(),
        "faults?state=open".to_owned(),
        "audit".to_owned(),
        "operations".to_owned(),
        "security-events".to_owned(),
        "reports/days".to_owned(),
        "reports/days?group=station".to_owned(),
        format!("reports/days?from={year}&until={today}"),
        format!("reports/days?from={year}&until={today}&group=station"),
        format!("reports/utilisation?from={year}&until={today}"),
        format!("reports/trends?from={month}&until={today}"),
        format!("reports/power?from={month}&until={today}"),
        format!("reports/consumption?driver={payer}&from={year}&until={today}"),
        format!("reports/days.csv?from={year}&until={today}&group=station"),
        format!("reports/days.pdf?from={month}&until={today}"),
    ];
    asked.extend(rest.into_iter().map(|path| Asked {
        who: Who::Operator,
        path: format!("/api/v1/{path}"),
        is_export: false,
    }));
    let exports = [
        "reports/days?group=station_day".to_owned(),
        "reports/days.csv?group=station_day".to_owned(),
        format!("reports/days.pdf?from={year}&until={today}&group=station"),
        "ledger/check".to_owned(),
    ];
    asked.extend(exports.map(|path| Asked { who: Who::Operator, path: format!("/api/v1/{path}"), is_export: true }));
    Ok(asked)
}

/// Asks for each page, and prints a table.
pub(crate) async fn run(folder: &Path, kinds: &[Kind], times: usize, limit: f64) -> anyhow::Result<()> {
    for kind in kinds {
        let place = Place::open(folder, *kind)?;
        let csms = Csms::start(&place, 0)?;
        let mut connection = place.connect().await?;
        let sessions = connection.count("transactions").await?;
        ensure!(sessions > 0, "there is nothing in {}: fill it first", place.address());
        let stations = connection.count("stations").await?;
        let driver = driver(&csms, &mut connection).await?;
        let asked = all(&mut connection, &driver).await?;
        println!(
            "\n### {}: {stations} stations, {sessions} sessions; {times} requests after the first one, one at a time",
            csms.database().name()
        );
        say_load();
        println!("| page | first, ms | median, ms | most, ms | processor, ms | KiB |");
        println!("|---|--:|--:|--:|--:|--:|");
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let (mut slow, mut pages) = (Vec::new(), 0);
        for Asked { who, path, is_export } in &asked {
            let mut took = Vec::new();
            let mut size = 0;
            let mut before = csms.taken()?;
            for time in 0..=times {
                if time == 1 {
                    before = csms.taken()?;
                }
                let request = client.get(csms.url(path));
                let request = match who {
                    Who::Operator => request.bearer_auth(TOKEN),
                    Who::Driver => request.header(COOKIE, &driver.cookie),
                };
                let started = Instant::now();
                let answer = request.send().await?;
                let status = answer.status();
                let body = answer.bytes().await?;
                took.push(started.elapsed().as_secs_f64() * 1e3);
                ensure!(status.is_success(), "{path}: {status}: {}", String::from_utf8_lossy(&body));
                size = body.len();
            }
            let (first, rest) = took.split_first().context("nothing was asked for")?;
            let most = percentile(rest, 1.0);
            let taken = csms.taken()?.since(before);
            let processor = (taken.csms + taken.database) * 1e3 / times.max(1) as f64;
            let mark = if *is_export { " (export)" } else { "" };
            println!(
                "| `{path}`{mark} | {first:.1} | {:.1} | {most:.1} | {processor:.1} | {:.0} |",
                median(rest),
                size as f64 / 1024.0
            );
            if !is_export {
                pages += 1;
                if median(rest) > limit {
                    slow.push(path.clone());
                }
            }
        }
        connection.close().await?;
        println!("\n{} of {pages} pages have a median above {limit} ms: {}", slow.len(), slow.join(", "));
        println!("resident MiB of the CSMS, and of PostgreSQL: {}", csms.memory()?);
    }
    Ok(())
}
