//! What stations load the CSMS with: sessions from start to bill, meter values, and a whole fleet that tells them once a minute.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use benches::machine::{percentile, say_load};
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::database::{Kind, Place};
use crate::server::{Csms, TOKEN};
use crate::station::{Station, TAG};

/// Stations that connect at the same time.
const AT_ONCE: usize = 64;

/// A new CSMS with stations that are connected and booted.
struct Team<'a> {
    csms: Csms<'a>,
    stations: Vec<Station>,
}

impl<'a> Team<'a> {
    async fn gather(place: &'a Place, count: usize) -> anyhow::Result<Self> {
        let csms = Csms::start(place, count)?;
        let token = reqwest::Client::new().put(csms.url(&format!("/api/v1/tokens/{TAG}"))).bearer_auth(TOKEN);
        let answer = token.json(&serde_json::json!({})).send().await?;
        ensure!(answer.status().is_success(), "the token was not taken: {}", answer.text().await?);
        let (address, started) = (csms.address, Instant::now());
        let stations: Vec<Station> = stream::iter(0..count)
            .map(|number| async move { tokio::spawn(Station::connect(address, number)).await? })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        eprintln!("{}: {count} stations booted in {:.1} s", place.kind().name(), started.elapsed().as_secs_f64());
        Ok(Self { csms, stations })
    }
}

/// Sessions from start to bill, all stations at the same time, as fast as they are answered.
pub(crate) async fn sessions(
    folder: &Path,
    kinds: &[Kind],
    count: usize,
    readings: usize,
    seconds: f64,
) -> anyhow::Result<()> {
    println!("{count} stations, half of them 1.6 and half 2.1; {readings} messages of 10 samples in each session.");
    say_load();
    println!(
        "| | sessions a second, start to bill | messages a second | CSMS, ms a session | PostgreSQL, ms a session | resident MiB |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    for kind in kinds {
        let place = Place::empty(folder, *kind)?;
        let Team { csms, stations } = Team::gather(&place, count).await?;
        let (before, started) = (csms.taken()?, Instant::now());
        let time = Duration::from_secs_f64(seconds);
        let tasks = stations.into_iter().map(|mut station| {
            tokio::spawn(async move {
                let mut sessions = 0_u64;
                while started.elapsed() < time {
                    station.start().await?;
                    for _ in 0..readings {
                        station.tell_readings().await?;
                    }
                    station.stop().await?;
                    sessions += 1;
                }
                anyhow::Ok((station, sessions))
            })
        });
        let (mut sessions, mut held) = (0, Vec::new());
        for outcome in try_join_all(tasks).await? {
            let (station, number) = outcome?;
            sessions += number;
            held.push(station);
        }
        let elapsed = started.elapsed().as_secs_f64();
        let taken = csms.taken()?.since(before);
        let memory = csms.memory()?;
        let mut connection = place.connect().await?;
        let billed = connection.count("bills").await?;
        connection.close().await?;
        ensure!(billed == sessions, "{sessions} sessions ended, and there are {billed} bills");
        let each = 1e3 / sessions.max(1) as f64;
        let messages = (readings + 3) as f64 * sessions as f64;
        println!(
            "| {} | {:.0} | {:.0} | {:.2} | {:.2} | {memory} |",
            kind.name(),
            sessions as f64 / elapsed,
            messages / elapsed,
            taken.csms * each,
            taken.database * each,
        );
    }
    println!("\nEvery session that ended has its bill: counted in the database afterwards.");
    Ok(())
}

/// Meter values of running sessions, as fast as they are answered.
pub(crate) async fn readings(folder: &Path, kinds: &[Kind], count: usize, seconds: f64) -> anyhow::Result<()> {
    println!("{count} stations with a running session, half of them 1.6 and half 2.1; 10 samples in each message.");
    say_load();
    println!(
        "| | messages stored a second | samples a second | CSMS, µs a message | PostgreSQL, µs a message | resident MiB |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    for kind in kinds {
        let place = Place::empty(folder, *kind)?;
        let Team { csms, mut stations } = Team::gather(&place, count).await?;
        for station in &mut stations {
            station.start().await?;
        }
        let mut connection = place.connect().await?;
        let stored = connection.count("meter_values").await?;
        let (before, started) = (csms.taken()?, Instant::now());
        let time = Duration::from_secs_f64(seconds);
        let tasks = stations.into_iter().map(|mut station| {
            tokio::spawn(async move {
                let mut messages = 0_u64;
                while started.elapsed() < time {
                    station.tell_readings().await?;
                    messages += 1;
                }
                anyhow::Ok((station, messages))
            })
        });
        let (mut messages, mut held) = (0, Vec::new());
        for outcome in try_join_all(tasks).await? {
            let (station, number) = outcome?;
            messages += number;
            held.push(station);
        }
        let elapsed = started.elapsed().as_secs_f64();
        let taken = csms.taken()?.since(before);
        let memory = csms.memory()?;
        let stored = connection.count("meter_values").await? - stored;
        connection.close().await?;
        ensure!(stored == messages, "{messages} messages were answered, and {stored} are stored");
        let each = 1e6 / messages.max(1) as f64;
        println!(
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} | {memory} |",
            kind.name(),
            messages as f64 / elapsed,
            messages as f64 * 10.0 / elapsed,
            taken.csms * each,
            taken.database * each,
        );
    }
    println!("\nEvery message that was answered is stored: counted in the database afterwards.");
    Ok(())
}

/// A fleet in which each station tells its meter values once in an interval, spread evenly over it.
pub(crate) async fn minute(
    folder: &Path,
    kinds: &[Kind],
    count: usize,
    interval: Duration,
    times: u32,
) -> anyhow::Result<()> {
    println!(
        "{count} stations with a running session, half of them 1.6 and half 2.1, that tell 10 samples every {} s, {times} times.",
        interval.as_secs()
    );
    say_load();
    println!(
        "| | answered after, ms: median | p99 | most | late by a whole interval | waiting at once, most | processor of two cores: CSMS | PostgreSQL | stations | resident MiB |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for kind in kinds {
        let place = Place::empty(folder, *kind)?;
        let Team { csms, stations } = Team::gather(&place, count).await?;
        let stations: Vec<Station> = stream::iter(stations)
            .map(|mut station| async move {
                station.start().await?;
                anyhow::Ok(station)
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let (waiting, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (before, started) = (csms.taken()?, Instant::now());
        let tasks = stations.into_iter().enumerate().map(|(number, mut station)| {
            let (waiting, most) = (Arc::clone(&waiting), Arc::clone(&most));
            let offset = interval.mul_f64(number as f64 / count as f64);
            tokio::spawn(async move {
                let (mut latencies, mut late) = (Vec::new(), 0_u32);
                for time in 0..times {
                    let due = started + offset + interval * time;
                    station.wait_until(due).await?;
                    most.fetch_max(waiting.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                    station.tell_readings().await?;
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    // From when it was due: what waits behind a late answer counts as well.
                    let took = due.elapsed();
                    late += u32::from(took > interval);
                    latencies.push(took.as_secs_f64() * 1e3);
                }
                anyhow::Ok((station, latencies, late))
            })
        });
        let tasks: Vec<_> = tasks.collect();
        eprintln!("{}: {count} stations, {:.0} s", kind.name(), (interval * times).as_secs_f64());
        let (mut latencies, mut late, mut held) = (Vec::new(), 0, Vec::new());
        for outcome in try_join_all(tasks).await? {
            let (station, of_station, late_there) = outcome?;
            latencies.extend(of_station);
            late += late_there;
            held.push(station);
        }
        let cores = started.elapsed().as_secs_f64() * 2.0 / 100.0;
        let taken = csms.taken()?.since(before);
        println!(
            "| {} | {:.1} | {:.1} | {:.0} | {late} | {} | {:.1} % | {:.1} % | {:.1} % | {} |",
            kind.name(),
            percentile(&latencies, 0.5),
            percentile(&latencies, 0.99),
            percentile(&latencies, 1.0),
            most.load(Ordering::Relaxed),
            taken.csms / cores,
            taken.database / cores,
            taken.stations / cores,
            csms.memory()?,
        );
    }
    Ok(())
}
