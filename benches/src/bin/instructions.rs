//! Runs one path so many times, for `instructions.sh` to count: `instructions bare|ours decode|encode MESSAGE TIMES`.

use benches::inputs::Message;
use benches::{bare, ours};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [who, direction, message, times] = &*arguments else {
        eprintln!("usage: instructions bare|ours decode|encode MESSAGE TIMES");
        std::process::exit(2)
    };
    let Some(message) = message.parse().ok().and_then(|at: usize| Message::ALL.get(at)) else {
        eprintln!("MESSAGE is a number from 0 to {}", Message::ALL.len() - 1);
        std::process::exit(2)
    };
    let candidate = if who == "bare" { bare::candidate(*message) } else { ours::candidate(*message) };
    let times = times.parse().unwrap_or(1);
    match candidate.path {
        Ok(path) if direction == "decode" => path.decode(message.frame(), times),
        Ok(path) => path.encode(message.frame(), times),
        Err(reason) => panic!("{reason}"),
    };
}
