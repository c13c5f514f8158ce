//! How long it takes to connect and boot stations, and what an idle one costs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use benches::machine::{median, say_load};
use futures_util::{StreamExt as _, stream};
use ocpp_core::transport::TlsClient;

use crate::process::{Process, own_processor_seconds};
use crate::serve::Subject;
use crate::station::{Call, Station, Way};
use crate::tls;

/// Handshakes under way at the same time.
const AT_ONCE: usize = 256;
/// How long stations are idle before the memory is read.
const IDLE: Duration = Duration::from_secs(3);

struct Held {
    seconds: f64,
    refused: usize,
    processor_seconds: f64,
    /// What the stations took.
    stations_seconds: f64,
    /// Resident KiB a station, after a boot and a call.
    kibibytes: f64,
}

async fn connect(
    subject: Subject,
    address: SocketAddr,
    number: usize,
    way: Way,
    tls: Option<&TlsClient>,
) -> anyhow::Result<Station> {
    match tls {
        Some(tls) => Station::connect_by_tls(address, number, tls).await,
        None => Station::connect(subject, address, number, way).await,
    }
}

async fn hold(subject: Subject, way: Way, count: usize) -> anyhow::Result<Held> {
    let server = Process::serve(subject, count)?;
    let tls = if way == Way::Tls { Some(tls::client(server.id())?) } else { None };
    // What is allocated once is there before anything is counted.
    let mut warm = Vec::new();
    for number in 0..50 {
        let mut station = connect(subject, server.address, number, way, tls.as_ref()).await?;
        station.boot(subject).await?;
        warm.push(station);
    }
    drop(warm);
    tokio::time::sleep(IDLE).await;
    let (resident, processor) = (server.resident()?, server.processor_seconds()?);
    let address = server.address;
    let own = own_processor_seconds()?;
    let started = Instant::now();
    let outcomes: Vec<anyhow::Result<Station>> = stream::iter(0..count)
        .map(|number| (number, tls.clone()))
        .map(|(number, tls)| async move {
            let task = tokio::spawn(async move {
                let mut station = connect(subject, address, number, way, tls.as_ref()).await?;
                if subject != Subject::Echo {
                    station.boot(subject).await?;
                }
                anyhow::Ok(station)
            });
            task.await?
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let seconds = started.elapsed().as_secs_f64();
    let processor_seconds = server.processor_seconds()? - processor;
    let stations_seconds = own_processor_seconds()? - own;
    let (mut stations, mut refused) = (Vec::new(), 0);
    for outcome in outcomes {
        match outcome {
            Ok(station) => stations.push(station),
            Err(error) => {
                if refused == 0 {
                    eprintln!("{}: the first that was refused: {error:#}", subject.name());
                }
                refused += 1;
            }
        }
    }
    // One call each: buffers are what they are after some use.
    for station in &mut stations {
        station.call(Call::Readings).await?;
    }
    tokio::time::sleep(IDLE).await;
    let kibibytes = (server.resident()?.saturating_sub(resident)) as f64 / 1024.0 / stations.len().max(1) as f64;
    drop(stations);
    drop(server);
    Ok(Held { seconds, refused, processor_seconds, stations_seconds, kibibytes })
}

/// Prints a table of medians.
pub(crate) async fn run(count: usize, rounds: usize) -> anyhow::Result<()> {
    let contestants = [
        ("echo", Subject::Echo, Way::Plain),
        ("library", Subject::Library, Way::Plain),
        ("library, deflate", Subject::Library, Way::Deflate),
        ("library, TLS", Subject::LibraryTls, Way::Tls),
        ("reference CSMS", Subject::Csms, Way::Plain),
        ("reference CSMS, deflate", Subject::Csms, Way::Deflate),
    ];
    let mut held: Vec<Vec<Held>> = contestants.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for ((_, subject, way), held) in contestants.iter().zip(&mut held) {
            held.push(hold(*subject, *way, count).await?);
        }
    }
    println!("{count} stations, medians of {rounds} rounds; the echo server only accepts, the others boot as well.");
    say_load();
    println!(
        "| | seconds | × echo | refused | server's processor seconds | × echo | stations' processor seconds | resident KiB a station |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    let ratio = |held: &[Held], value: fn(&Held) -> f64, echo: &[Held]| {
        median(&held.iter().zip(echo).map(|(ours, echo)| value(ours) / value(echo)).collect::<Vec<_>>())
    };
    let Some(echo) = held.first() else { return Ok(()) };
    for ((name, ..), held) in contestants.iter().zip(&held) {
        let of = |value: fn(&Held) -> f64| median(&held.iter().map(value).collect::<Vec<_>>());
        println!(
            "| {name} | {:.2} | {:.2} | {} | {:.2} | {:.2} | {:.2} | {:.1} |",
            of(|held| held.seconds),
            ratio(held, |held| held.seconds, echo),
            held.iter().map(|held| held.refused).sum::<usize>(),
            of(|held| held.processor_seconds),
            ratio(held, |held| held.processor_seconds, echo),
            of(|held| held.stations_seconds),
            of(|held| held.kibibytes),
        );
    }
    Ok(())
}
