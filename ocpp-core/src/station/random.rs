//! Every random choice of a station, grown from the seed that it was given.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// A generator whose numbers follow from its seed, in every version of this crate.
#[derive(Debug)]
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha8Rng::from_seed(seed))
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A duration below `limit`, in whole milliseconds.
    pub(super) fn below(&mut self, limit: Duration) -> Duration {
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        // The bias of the remainder is far below a millisecond a year.
        if limit == 0 { Duration::ZERO } else { Duration::from_millis(self.0.next_u64() % limit) }
    }

    /// A universally unique identifier, version 4 (RFC 9562, 5.4): 36 characters.
    pub(super) fn uuid(&mut self) -> String {
        let number = u128::from_be_bytes(self.bytes());
        let number = number & !(0xF000 << 64) | (0x4000 << 64);
        let number = number & !(0xC000 << 48) | (0x8000 << 48);
        let hex = format!("{number:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_of_version_4_and_differ() {
        let mut random = Random::new([1; 32]);
        let (first, second) = (random.uuid(), random.uuid());
        assert_ne!(first, second);
        for id in [&first, &second] {
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "4");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
        assert_eq!(first, Random::new([1; 32]).uuid());
    }

    #[test]
    fn durations_stay_below_their_limit() {
        let mut random = Random::new([2; 32]);
        assert!((0..1000).all(|_| random.below(Duration::from_millis(7)) < Duration::from_millis(7)));
        assert_eq!(random.below(Duration::ZERO), Duration::ZERO);
    }
}
