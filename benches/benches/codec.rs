//! Frame to checked message and back, everybody in one run: `cargo bench -p benches --features peers --bench codec`.

use std::time::Duration;

use allocation_counter::measure;
use benches::candidate::{Candidate, Path};
use benches::inputs::{Message, PROBES};
use benches::{candidates, ours};

/// How long one candidate is measured before the next one has its turn.
const TURN: Duration = Duration::from_micros(400);

/// How often each has its turn.
const ROUNDS: usize = 301;

/// Where bare serde and ours are among the candidates.
const BARE: usize = 0;
const OURS: usize = 1;

fn main() {
    // `cargo test` passes no `--bench`; then one round shows that everything runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    println!("Medians of {rounds} rounds; in each round everybody has a turn, and ratios are taken within it.");
    for message in Message::ALL {
        let candidates = candidates(message);
        let frame = message.frame();
        println!("\n### {}, a frame of {} bytes\n", message.title(), frame.len());
        print_times("frame → checked message", &candidates, rounds, &|path, times| path.decode(frame, times));
        print_times("message → frame", &candidates, rounds, &|path, times| path.encode(frame, times));
        for candidate in &candidates {
            if let Err(reason) = &candidate.path {
                println!("- {}: not measured, {reason}", candidate.name);
            }
        }
    }
    print_probes();
    print_sizes();
}

type Turn<'a> = &'a dyn Fn(&dyn Path, u32) -> Duration;

fn print_times(title: &str, candidates: &[Candidate], rounds: usize, turn: Turn<'_>) {
    let present: Vec<(&str, &dyn Path)> = candidates
        .iter()
        .filter_map(|candidate| candidate.path.as_ref().ok().map(|path| (candidate.name, &**path)))
        .collect();
    let times: Vec<u32> = present.iter().map(|(_, path)| calibrate(*path, turn)).collect();
    let mut nanoseconds = vec![Vec::with_capacity(rounds); present.len()];
    for round in 0..rounds {
        // A different one goes first each time, so that nobody always follows the same neighbour.
        for step in 0..present.len() {
            let at = (round + step) % present.len();
            let elapsed = turn(present[at].1, times[at]);
            nanoseconds[at].push(elapsed.as_nanos() as f64 / f64::from(times[at]));
        }
    }
    println!("| {title} | median ns | × bare | × ours | allocations | bytes |\n|---|--:|--:|--:|--:|--:|");
    for (at, (name, path)) in present.iter().enumerate() {
        let ratio = |to: usize| median(nanoseconds[at].iter().zip(&nanoseconds[to]).map(|(a, b)| a / b).collect());
        let once = measure(|| _ = turn(*path, 1));
        // What encoding allocates to have something to write is not part of writing it.
        let setup = measure(|| _ = turn(*path, 0));
        println!(
            "| {name} | {:.0} | {:.2} | {:.2} | {} | {} |",
            median(nanoseconds[at].clone()),
            ratio(BARE),
            ratio(OURS),
            once.count_total - setup.count_total,
            once.bytes_total - setup.bytes_total,
        );
    }
    println!();
}

/// How many times fill a turn.
fn calibrate(path: &dyn Path, turn: Turn<'_>) -> u32 {
    let mut times = 1;
    while turn(path, times) < TURN {
        times *= 2;
    }
    times
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What each path makes of frames that are special in one place.
fn print_probes() {
    println!("\n### What each path checks and keeps\n");
    println!("`kept` and `lost` say what an accepted frame looks like when it is written again.\n");
    for version in ["1.6", "2.1"] {
        let mut header = String::new();
        for probe in PROBES.iter().filter(|probe| probe.message.title().starts_with(version)) {
            let mut everybody = candidates(probe.message);
            everybody.insert(2, ours::lenient(probe.message));
            if header.is_empty() {
                header = format!("| {version} | schema |");
                everybody.iter().for_each(|candidate| header += &format!(" {} |", candidate.name));
                println!("{header}\n|---|---|{}", "---|".repeat(everybody.len()));
            }
            let mut row = format!("| {} | {} |", probe.title, if probe.valid { "allows" } else { "forbids" });
            for candidate in &everybody {
                let outcome = match &candidate.path {
                    Err(_) => "n/a",
                    Ok(path) => match path.round_trip(&probe.frame()) {
                        Err(_) => "refused",
                        Ok(written) if written.contains(probe.kept) => "kept",
                        Ok(_) => "lost",
                    },
                };
                row += &format!(" {outcome} |");
            }
            println!("{row}");
        }
        println!();
    }
}

/// How large messages are in memory, before what they own on the heap.
fn print_sizes() {
    use ocpp_core::types::v2_1;
    println!("\n### Bytes of the largest messages of 2.1, `size_of`\n");
    println!(
        "| | TransactionEvent request | SetChargingProfile request | NotifyEVChargingNeeds request | any request of a station | of a CSMS |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    macro_rules! sizes {
        ($name:literal: $($type:ty),*) => {{
            print!("| {} |", $name);
            $(print!(" {} |", size_of::<$type>());)*
            println!();
        }};
    }
    sizes!("ours": v2_1::TransactionEventRequest, v2_1::SetChargingProfileRequest, v2_1::NotifyEVChargingNeedsRequest, v2_1::StationRequest, v2_1::CsmsRequest);
    #[cfg(feature = "peers")]
    {
        use peer_ocpp_types::v21;
        sizes!("ocpp-kit 0.3.0": ocpp_kit::v2_1::TransactionEventRequest, ocpp_kit::v2_1::SetChargingProfileRequest, ocpp_kit::v2_1::NotifyEVChargingNeedsRequest, ocpp_kit::v2_1::CsRequest, ocpp_kit::v2_1::CsmsRequest);
        sizes!("codetics-ocpp21 0.1.0": codetics_ocpp21::TransactionEventRequest, codetics_ocpp21::SetChargingProfileRequest, codetics_ocpp21::NotifyEVChargingNeedsRequest, codetics_ocpp21::StationCall, codetics_ocpp21::CsmsCall);
        sizes!("ocpp_rs 0.4.2": ocpp_rs::v21::messages::transaction_event::TransactionEventRequest, ocpp_rs::v21::messages::set_charging_profile::SetChargingProfileRequest, ocpp_rs::v21::messages::notify_ev_charging_needs::NotifyEVChargingNeedsRequest, ocpp_rs::v21::call::Action, ocpp_rs::v21::call::Action);
        sizes!("ocpp-types 0.3.0 (has no sums)": v21::TransactionEventRequest, v21::SetChargingProfileRequest, v21::NotifyEVChargingNeedsRequest);
    }
}
