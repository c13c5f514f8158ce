//! Calls and answers a second, in turns with the echo server.

use std::time::{Duration, Instant};

use benches::machine::{median, say_load};
use futures_util::future::try_join_all;

use crate::process::Process;
use crate::serve::Subject;
use crate::station::{Call, Station, Way};

struct Team {
    name: &'static str,
    server: Process,
    stations: Vec<Station>,
}

struct Turn {
    per_second: f64,
    /// Microseconds of the server's processor a call.
    processor: f64,
}

impl Team {
    async fn gather(name: &'static str, subject: Subject, way: Way, count: usize) -> anyhow::Result<Self> {
        let server = Process::serve(subject, count)?;
        let mut stations = Vec::new();
        for number in 0..count {
            let mut station = Station::connect(subject, server.address, number, way).await?;
            station.boot(subject).await?;
            station.start_transaction(subject).await?;
            stations.push(station);
        }
        Ok(Self { name, server, stations })
    }

    /// All stations call as fast as they are answered.
    async fn turn(&mut self, call: Call, time: Duration) -> anyhow::Result<Turn> {
        let processor = self.server.processor_seconds()?;
        let started = Instant::now();
        let tasks = std::mem::take(&mut self.stations).into_iter().map(|mut station| {
            tokio::spawn(async move {
                let mut calls = 0_u64;
                while started.elapsed() < time {
                    station.call(call).await?;
                    calls += 1;
                }
                anyhow::Ok((station, calls))
            })
        });
        let mut calls = 0;
        for outcome in try_join_all(tasks).await? {
            let (station, number) = outcome?;
            self.stations.push(station);
            calls += number;
        }
        let seconds = started.elapsed().as_secs_f64();
        let processor = self.server.processor_seconds()? - processor;
        Ok(Turn { per_second: calls as f64 / seconds, processor: processor * 1e6 / calls.max(1) as f64 })
    }
}

/// Prints a table of medians for each kind of call.
pub(crate) async fn run(count: usize, rounds: usize, seconds: f64) -> anyhow::Result<()> {
    let mut teams = [
        Team::gather("echo", Subject::Echo, Way::Plain, count).await?,
        Team::gather("library", Subject::Library, Way::Plain, count).await?,
        Team::gather("library, deflate", Subject::Library, Way::Deflate, count).await?,
        Team::gather("reference CSMS", Subject::Csms, Way::Plain, count).await?,
    ];
    println!("{count} stations, each with one call at a time; medians of {rounds} turns of {seconds} s.");
    for (call, title) in Call::MEASURED {
        let mut turns: Vec<Vec<Turn>> = teams.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (team, turns) in teams.iter_mut().zip(&mut turns) {
                turns.push(team.turn(call, Duration::from_secs_f64(seconds)).await?);
            }
        }
        println!("\n### {title}");
        say_load();
        println!("| | calls a second | ÷ echo | server's processor, µs a call | × echo |");
        println!("|---|--:|--:|--:|--:|");
        let Some(echo) = turns.first() else { return Ok(()) };
        for (team, turns) in teams.iter().zip(&turns) {
            let of = |value: fn(&Turn) -> f64| median(&turns.iter().map(value).collect::<Vec<_>>());
            let ratio = |value: fn(&Turn) -> f64| {
                median(&turns.iter().zip(echo).map(|(ours, echo)| value(ours) / value(echo)).collect::<Vec<_>>())
            };
            println!(
                "| {} | {:.0} | {:.2} | {:.1} | {:.2} |",
                team.name,
                of(|turn| turn.per_second),
                ratio(|turn| turn.per_second),
                of(|turn| turn.processor),
                ratio(|turn| turn.processor),
            );
        }
    }
    Ok(())
}
