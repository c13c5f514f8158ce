//! The log: one line for each thing that happened, for people or for machines.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Libraries that could tell byte by byte what goes over the wire. Passwords do, so they tell no more than this, whatever is asked for.
const WIRES: [&str; 10] = [
    "tungstenite=info",
    "tokio_tungstenite=info",
    "yawc=info",
    "hyper=info",
    "hyper_util=info",
    "reqwest=info",
    "rustls=info",
    "lettre=info",
    "sqlx=info",
    "h2=info",
];

/// Starts to log to standard error. `RUST_LOG` chooses what; without it `default` does.
pub fn start(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let filter = WIRES.iter().filter_map(|wire| wire.parse().ok()).fold(filter, EnvFilter::add_directive);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| OneLine(std::io::stderr()))
        .with_ansi(std::io::stderr().is_terminal());
    // Somebody else may log already, in a test; then there is nothing to do.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Writes each event as one line: what stations and people send, and is told in it, cannot make another.
struct OneLine<W>(W);

impl<W: io::Write> io::Write for OneLine<W> {
    /// The formatter hands over one whole event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let (text, end) = match event.strip_suffix(b"\n") {
            Some(text) => (text, &b"\n"[..]),
            None => (event, &b""[..]),
        };
        let mut line = Vec::with_capacity(event.len());
        for byte in text {
            match byte {
                b'\n' => line.extend(b"\\n"),
                b'\r' => line.extend(b"\\r"),
                // Colours of the terminal; the formatter lets none of a message through.
                0x1b | b'\t' => line.push(*byte),
                0..0x20 | 0x7f => line.extend(format!("\\x{byte:02x}").bytes()),
                byte => line.push(*byte),
            }
        }
        line.extend(end);
        self.0.write_all(&line)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// How long a peer that was logged is not logged again.
const SILENCE: Duration = Duration::from_secs(60);
/// Peers that are remembered. More come in only after a while, or share what is logged for all others.
const REMEMBERED: usize = 10_000;

/// Logs what strangers do: one line a minute for each of them, however often they do it.
#[derive(Debug, Default)]
pub(crate) struct Sparingly {
    logged: Mutex<BTreeMap<Option<IpAddr>, Instant>>,
}

impl Sparingly {
    /// Whether a line may be written about what this peer did; `None` stands for no peer in particular.
    pub(crate) fn may_log(&self, peer: Option<IpAddr>) -> bool {
        self.may_log_at(peer.map(|address| address.to_canonical()), Instant::now())
    }

    fn may_log_at(&self, peer: Option<IpAddr>, now: Instant) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let is_silent = |last: &Instant| now.saturating_duration_since(*last) < SILENCE;
        let mut peer = peer;
        if logged.len() >= REMEMBERED && !logged.contains_key(&peer) {
            logged.retain(|_, last| is_silent(last));
            if logged.len() >= REMEMBERED {
                peer = None;
            }
        }
        if logged.get(&peer).is_some_and(is_silent) {
            return false;
        }
        logged.insert(peer, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_tells() {
        let mut written = OneLine(Vec::new());
        io::Write::write_all(&mut written, b"INFO booted: Maker\nINFO signed in\r\x00\x7f\tend\n").unwrap();
        assert_eq!(written.0, b"INFO booted: Maker\\nINFO signed in\\r\\x00\\x7f\tend\n");
    }

    #[test]
    fn a_peer_is_logged_once_a_minute() {
        let (log, start) = (Sparingly::default(), Instant::now());
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().ok());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(log.may_log_at(one, at(0)));
        assert!(log.may_log_at(other, at(1)));
        assert!(!log.may_log_at(one, at(59)));
        assert!(log.may_log_at(one, at(60)));
    }

    #[test]
    fn any_number_of_peers_is_logged_in_bounded_room() {
        let (log, now) = (Sparingly::default(), Instant::now());
        let lines = (0_u32..20_000).filter(|number| log.may_log_at(Some(IpAddr::from(number.to_be_bytes())), now));
        assert_eq!(lines.count(), REMEMBERED + 1);
        assert!(log.logged.lock().unwrap().len() <= REMEMBERED + 1);
        // A minute later there is room again.
        assert!(log.may_log_at("10.0.0.1".parse().ok(), now + SILENCE));
    }
}
