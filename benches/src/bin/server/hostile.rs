//! What a well-behaved station notices of attacks on the reference CSMS.

use std::time::{Duration, Instant};

use benches::machine::say_load;
use clap::ValueEnum as _;

use crate::attack::Attack;
use crate::process::{Process, attack};
use crate::serve::Subject;
use crate::station::{Call, Station, Way};

/// Well-behaved stations, with one call every twentieth of a second.
const WITNESSES: usize = 10;
const PACE: Duration = Duration::from_millis(50);

/// Milliseconds from each call to its answer, sorted.
async fn latencies(witnesses: &mut Vec<Station>, time: Duration) -> anyhow::Result<Vec<f64>> {
    let started = Instant::now();
    let tasks: Vec<_> = witnesses
        .drain(..)
        .map(|mut station| {
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while started.elapsed() < time {
                    let sent = Instant::now();
                    station.call(Call::Heartbeat).await?;
                    latencies.push(sent.elapsed().as_secs_f64() * 1e3);
                    tokio::time::sleep(PACE).await;
                }
                anyhow::Ok((station, latencies))
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        let (station, latencies) = task.await??;
        witnesses.push(station);
        all.extend(latencies);
    }
    all.sort_by(f64::total_cmp);
    Ok(all)
}

fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let index = ((sorted.len() as f64 - 1.0) * quantile).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// Prints a table with a row for each attack.
pub(crate) async fn run(seconds: f64) -> anyhow::Result<()> {
    let time = Duration::from_secs_f64(seconds);
    println!("{WITNESSES} stations with a Heartbeat every {} ms; milliseconds to the answer.", PACE.as_millis());
    say_load();
    println!("| attack | median before | during | p99 before | during | server's MiB before | during |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for kind in Attack::value_variants() {
        let server = Process::serve(Subject::Csms, 1000)?;
        let mut witnesses = Vec::new();
        for number in 0..WITNESSES {
            let mut station = Station::connect(Subject::Csms, server.address, number, Way::Plain).await?;
            station.boot(Subject::Csms).await?;
            witnesses.push(station);
        }
        let before = latencies(&mut witnesses, time).await?;
        let resident = server.resident()?;
        let attackers = attack(*kind, server.address)?;
        // They need a moment to get going.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let during = latencies(&mut witnesses, time).await?;
        println!(
            "| {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} |",
            kind.title(),
            quantile(&before, 0.5),
            quantile(&during, 0.5),
            quantile(&before, 0.99),
            quantile(&during, 0.99),
            resident as f64 / 1_048_576.0,
            server.resident()? as f64 / 1_048_576.0,
        );
        drop(attackers);
    }
    Ok(())
}
