//! Message ids that no other message of the same sender has ever had.

use alloc::string::String;
use core::fmt::Write as _;

/// The alphabet of the prefix: 32 characters that survive any charset, case folding aside, and are told apart by eye.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Makes message ids such as `5xg0t2m9k3w8q1zc-17`: 80 bits of the caller's choice, a dash and a counter.
///
/// An id has to differ from all ids that the same sender has used on any connection with the same station identity
/// (2.1 part 4, 4.1.4; the same in 2.0.1, and in 1.6 by 1.6-J errata 3.1, 3.7). The counter takes care of the life
/// of this value, reconnections included. Whoever creates it takes care of restarts, in one of two ways: random bytes
/// for each start ([`new`](Self::new)), or fixed bytes and a counter that is kept in storage ([`resume`](Self::resume)).
/// An id has at most 36 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageIds {
    prefix: [u8; 16],
    next: u64,
}

impl MessageIds {
    /// Starts at 1 with a prefix that was never used before: ten random bytes.
    #[must_use]
    pub fn new(seed: [u8; 10]) -> Self {
        Self::resume(seed, 1)
    }

    /// Goes on with a prefix that was used before, from a number that was not.
    #[must_use]
    pub fn resume(seed: [u8; 10], next: u64) -> Self {
        let bits = seed.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let mut prefix = [0; 16];
        for (place, character) in prefix.iter_mut().rev().enumerate() {
            let digit = (bits >> (5 * place)) & 31;
            *character = ALPHABET[digit as usize];
        }
        Self { prefix, next }
    }

    /// The number that the next id will carry, to be stored by who resumes.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// The next id.
    pub(super) fn generate(&mut self) -> String {
        let mut id = String::with_capacity(24);
        id.extend(self.prefix.iter().map(|byte| char::from(*byte)));
        // 16 + 1 + at most 19 digits are 36 characters; wrapping would take longer than the hardware lasts.
        let number = self.next % 10_u64.pow(19);
        self.next = self.next.wrapping_add(1);
        let _ = write!(id, "-{number}");
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::MAX_MESSAGE_ID;

    #[test]
    fn ids_of_one_seed_never_repeat_and_fit_the_limit() {
        let mut ids = MessageIds::new([7; 10]);
        let mut seen = alloc::collections::BTreeSet::new();
        for _ in 0..1000 {
            let id = ids.generate();
            assert!(id.chars().count() <= MAX_MESSAGE_ID);
            assert!(seen.insert(id));
        }
        let mut last = MessageIds::resume([0xFF; 10], u64::MAX);
        assert!(last.generate().len() <= MAX_MESSAGE_ID);
    }

    #[test]
    fn every_bit_of_the_seed_counts() {
        let base = MessageIds::new([0; 10]).generate();
        for bit in 0..80 {
            let mut seed = [0; 10];
            seed[bit / 8] = 1 << (bit % 8);
            assert_ne!(MessageIds::new(seed).generate(), base, "bit {bit}");
        }
    }

    #[test]
    fn a_resumed_counter_goes_on_where_it_was() {
        let mut first = MessageIds::new([9; 10]);
        let used = first.generate();
        let mut second = MessageIds::resume([9; 10], first.next_number());
        assert_ne!(second.generate(), used);
    }
}
