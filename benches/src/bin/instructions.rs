//! Runs one path so many times, for `instructions.sh` to count: `instructions bare|ours|session decode|encode|serve MESSAGE TIMES`.

use benches::csms::{Call, Served};
use benches::inputs::Message;
use benches::{bare, ours};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [who, direction, message, times] = &*arguments else {
        fail("usage: instructions bare|ours|session decode|encode|serve MESSAGE TIMES")
    };
    let (message, times) = (message.parse().unwrap_or(usize::MAX), times.parse().unwrap_or(1));
    if who == "session" {
        let Some(call) = Call::ALL.get(message) else { fail("MESSAGE is a number from 0 to 2") };
        return serve(*call, times);
    }
    let Some(message) = Message::ALL.get(message) else { fail("MESSAGE is a number from 0 to 3") };
    let candidate = if who == "bare" { bare::candidate(*message) } else { ours::candidate(*message) };
    match candidate.path {
        Ok(path) if direction == "decode" => path.decode(message.frame(), u32::try_from(times).unwrap_or(u32::MAX)),
        Ok(path) => path.encode(message.frame(), u32::try_from(times).unwrap_or(u32::MAX)),
        Err(reason) => panic!("{reason}"),
    };
}

/// As many frames are made whatever is counted, so that making them falls out of the difference.
const MOST: usize = 2000;

fn serve(call: Call, times: usize) {
    let frames: Vec<String> = (0..MOST).map(|number| call.frame(number)).collect();
    let mut served = Served::new();
    for frame in frames.into_iter().take(times) {
        std::hint::black_box(served.call(frame));
    }
}

fn fail(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::exit(2)
}
