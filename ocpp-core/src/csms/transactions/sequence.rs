//! Which sequence numbers of a transaction were received.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// The greatest number of stretches that are kept apart. Past it the oldest gap is forgotten: it would take a peer that loses
/// every other message to get there.
const MAX_STRETCHES: usize = 64;

/// A set of sequence numbers, kept as stretches without gaps, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::csms) struct Sequence(Vec<(i64, i64)>);

impl Sequence {
    /// Notes a number as received.
    pub(in crate::csms) fn insert(&mut self, number: i64) {
        let stretches = &mut self.0;
        // The first stretch that ends at or after the number, or right before it.
        let at = stretches.partition_point(|(_, last)| last.saturating_add(1) < number);
        match stretches.get_mut(at) {
            Some((first, last)) if *first <= number.saturating_add(1) => {
                *first = number.min(*first);
                *last = number.max(*last);
                let last = *last;
                if let Some((next_first, next_last)) = stretches.get(at + 1).copied()
                    && next_first <= last.saturating_add(1)
                {
                    stretches.remove(at + 1);
                    if let Some(stretch) = stretches.get_mut(at) {
                        stretch.1 = next_last;
                    }
                }
            }
            _ => stretches.insert(at, (number, number)),
        }
        if stretches.len() > MAX_STRETCHES {
            let (first, _) = stretches.remove(0);
            if let Some(stretch) = stretches.first_mut() {
                stretch.0 = first;
            }
        }
    }

    /// Whether a number was received.
    pub(in crate::csms) fn contains(&self, number: i64) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// What lies between the received numbers, lowest first.
    pub(in crate::csms) fn missing(&self) -> Vec<RangeInclusive<i64>> {
        let followers = self.0.iter().skip(1);
        self.0.iter().zip(followers).map(|((_, last), (first, _))| last + 1..=first - 1).collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn sequence(numbers: impl IntoIterator<Item = i64>) -> Sequence {
        let mut sequence = Sequence::default();
        for number in numbers {
            sequence.insert(number);
        }
        sequence
    }

    #[test]
    fn what_lies_between_received_numbers_is_missing() {
        assert_eq!(sequence([0, 1, 4, 9]).missing(), [2..=3, 5..=8]);
        assert_eq!(sequence([4, 0, 1, 9, 2, 3]).missing(), [5..=8]);
        assert!(sequence([7]).missing().is_empty());
    }

    #[test]
    fn the_outermost_numbers_are_numbers_like_others() {
        let sequence = sequence([i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1]);
        assert_eq!(sequence.missing(), [i64::MIN + 2..=i64::MAX - 2]);
    }

    #[test]
    fn a_peer_that_loses_every_other_message_fills_no_memory() {
        let sequence = sequence((0..10_000).map(|number| number * 2));
        assert_eq!(sequence.0.len(), MAX_STRETCHES);
        assert_eq!(sequence.missing().last(), Some(&(19_997..=19_997)));
    }

    proptest! {
        #[test]
        fn it_is_a_set_in_any_order_and_with_any_repetition(numbers in prop::collection::vec(0_i64..60, 0..80)) {
            let set: BTreeSet<i64> = numbers.iter().copied().collect();
            let sequence = sequence(numbers);
            for number in 0..60 {
                prop_assert_eq!(sequence.contains(number), set.contains(&number));
            }
            let missing: BTreeSet<i64> = sequence.missing().into_iter().flatten().collect();
            let expected: BTreeSet<i64> = match (set.first(), set.last()) {
                (Some(first), Some(last)) => (*first..=*last).filter(|number| !set.contains(number)).collect(),
                _ => BTreeSet::new(),
            };
            prop_assert_eq!(missing, expected);
        }
    }
}
