//! What a station costs, in time and in memory: `cargo bench -p benches --bench station`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use benches::schedule;
use benches::session::{Recording, SAMPLES};
use jiff::tz::TimeZone;
use ocpp_core::rpc::Frame;
use ocpp_core::station::Station;
use ocpp_core::station::smart_charging::Solver;
use ocpp_core::types::Version;

const VERSIONS: [(Version, &str); 3] = [(Version::V1_6, "1.6"), (Version::V2_0_1, "2.0.1"), (Version::V2_1, "2.1")];

/// How much an idle station may hold, so that ten thousand fit into one small process.
const IDLE_GOAL: u64 = 16 * 1024;

/// How long a composite schedule of twenty profiles over a day may take.
const SCHEDULE_GOAL: Duration = Duration::from_micros(50);

fn main() {
    // `cargo test` passes no `--bench`; then one round shows that everything runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 301 } else { 1 };
    println!("Medians of {rounds} rounds; ratios are taken within a round.\n");
    sessions(rounds);
    idle_stations();
    composite_schedule(rounds);
}

fn sessions(rounds: usize) {
    println!("### A session from boot to stop with {SAMPLES} readings of the meter\n");
    println!(
        "\"Codec\" is what writing the requests from typed messages and reading the answers' frames takes alone.\n"
    );
    println!("| version | requests | median µs | codec alone, µs | × codec | allocations | bytes allocated |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for (version, name) in VERSIONS {
        let recording = Recording::new(version);
        let messages = recording.messages();
        let (mut whole, mut codec) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let inputs = recording.inputs.clone();
            whole.push(timed(|| drop(black_box(recording.play(inputs)))));
            codec.push(timed(|| {
                messages.iter().for_each(|message| drop(black_box(message.encode())));
                recording.received().for_each(|frame| drop(black_box(Frame::parse(frame, version))));
            }));
        }
        let ratios = whole.iter().zip(&codec).map(|(whole, codec)| whole / codec).collect();
        let inputs = recording.inputs.clone();
        let allocated = measure(|| drop(black_box(recording.play(inputs))));
        println!(
            "| {name} | {} | {:.0} | {:.0} | {:.1} | {} | {} |",
            recording.sent.len(),
            median(whole),
            median(codec),
            median(ratios),
            allocated.count_total,
            allocated.bytes_total,
        );
    }
}

fn idle_stations() {
    println!("\n### An idle station with two connectors\n");
    println!("Booted, connected, with nothing going on. Goal: at most {IDLE_GOAL} bytes.\n");
    println!("| version | of the structure | on the heap | together | goal |");
    println!("|---|--:|--:|--:|---|");
    for (version, name) in VERSIONS {
        let recording = Recording::new(version);
        let inputs: Vec<_> = recording.inputs[..recording.idle_after].to_vec();
        let mut kept = None;
        // What the inputs held is freed within, so it is handed over as a copy made within, too.
        let held = measure(|| kept = Some(recording.play(inputs.iter().cloned())));
        let structure = size_of::<Station>() as u64;
        let heap = u64::try_from(held.bytes_current).unwrap_or(0);
        drop(kept);
        println!("| {name} | {structure} | {heap} | {} | {} |", structure + heap, met(structure + heap <= IDLE_GOAL));
    }
}

fn composite_schedule(rounds: usize) {
    let profiles = schedule::profiles();
    let (outlet, window) = (schedule::outlet(), schedule::window());
    let solve = || Solver::new(&profiles, &TimeZone::UTC).composite(&outlet, &window);
    let times: Vec<f64> = (0..rounds).map(|_| timed(|| drop(black_box(solve())))).collect();
    let allocated = measure(|| drop(black_box(solve())));
    let median = median(times);
    println!("\n### A composite schedule of {} profiles over 24 hours\n", profiles.len());
    println!("| periods | median µs | allocations | goal: {} µs |", SCHEDULE_GOAL.as_micros());
    println!("|--:|--:|--:|---|");
    let goal = met(median <= SCHEDULE_GOAL.as_micros() as f64);
    println!("| {} | {median:.1} | {} | {goal} |", solve().periods.len(), allocated.count_total);
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

/// Microseconds.
fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64 / 1_000.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
