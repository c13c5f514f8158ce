//! What the claims of this repository are measured with. See the `README.md` beside it.

pub mod bare;
pub mod candidate;
pub mod csms;
pub mod inputs;
#[cfg(feature = "server")]
pub mod machine;
pub mod ours;
#[cfg(feature = "peers")]
pub mod peers;
pub mod schedule;
pub mod session;

use candidate::Candidate;
use inputs::Message;

/// Everybody who can read and write a message: bare serde first, ours second, then the peers.
#[must_use]
pub fn candidates(message: Message) -> Vec<Candidate> {
    let us = [bare::candidate(message), ours::candidate(message)];
    #[cfg(feature = "peers")]
    return us.into_iter().chain(peers::candidates(message)).collect();
    #[cfg(not(feature = "peers"))]
    us.into()
}

#[cfg(test)]
mod tests {
    use super::inputs::PROBES;
    use super::{Message, bare, ours};

    #[test]
    fn our_path_accepts_exactly_what_the_schema_allows_and_loses_nothing_of_it() {
        for probe in PROBES {
            let path = ours::candidate(probe.message).path.unwrap();
            let written = path.round_trip(&probe.frame());
            assert_eq!(written.is_ok(), probe.valid, "{}: {written:?}", probe.title);
            assert!(written.is_err() || written.unwrap().contains(probe.kept), "{}", probe.title);
        }
    }

    #[test]
    fn whatever_the_lenient_path_accepts_it_writes_again() {
        for probe in PROBES {
            let path = ours::lenient(probe.message).path.unwrap();
            if let Ok(written) = path.round_trip(&probe.frame()) {
                assert!(written.contains(probe.kept), "{}: {written}", probe.title);
            }
        }
    }

    #[test]
    fn all_measured_frames_mean_the_same_when_our_path_writes_them_again() {
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        for message in Message::ALL {
            let written = ours::candidate(message).path.unwrap().round_trip(message.frame()).unwrap();
            assert_eq!(value(&written), value(message.frame()));
        }
    }

    #[test]
    fn bare_serde_takes_part_in_everything() {
        for message in Message::ALL {
            assert!(bare::candidate(message).path.is_ok(), "{}", message.title());
        }
    }
}
