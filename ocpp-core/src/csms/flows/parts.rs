//! Reports in parts, joined by their sequence numbers.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// How many parts are kept: a station that sends without end does not fill the memory.
const MAX_PARTS: usize = 4096;

/// The parts so far. A part that comes again changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Parts<T> {
    parts: BTreeMap<i64, T>,
    /// The number of the last part, once it has come.
    last: Option<i64>,
}

/// How far the parts are.
#[derive(Debug, PartialEq)]
pub(super) enum Joined<T> {
    /// All of them, in order.
    All(Vec<T>),
    Some(usize),
    /// They contradict each other, or are too many.
    Broken,
}

impl<T: PartialEq> Parts<T> {
    pub(super) const fn new() -> Self {
        Self { parts: BTreeMap::new(), last: None }
    }

    /// Takes a part in. Numbers count from 0 (N02.FR.09).
    pub(super) fn add(&mut self, number: i64, last: bool, part: T) -> Joined<T> {
        let contradicts = self.parts.get(&number).is_some_and(|known| *known != part);
        let beyond = self.last.is_some_and(|last| number > last);
        if contradicts || beyond || number < 0 || self.parts.len() >= MAX_PARTS {
            return Joined::Broken;
        }
        self.parts.insert(number, part);
        if last {
            self.last = Some(number);
        }
        let complete = self.last.is_some_and(|last| i64::try_from(self.parts.len()) == Ok(last.saturating_add(1)));
        if complete {
            return Joined::All(core::mem::take(&mut self.parts).into_values().collect());
        }
        Joined::Some(self.parts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_in_order_however_they_come() {
        let mut parts = Parts::new();
        assert_eq!(parts.add(2, true, 'c'), Joined::Some(1));
        assert_eq!(parts.add(0, false, 'a'), Joined::Some(2));
        assert_eq!(parts.add(0, false, 'a'), Joined::Some(2), "again");
        assert_eq!(parts.add(1, false, 'b'), Joined::All(['a', 'b', 'c'].into()));
    }

    #[test]
    fn parts_that_contradict_each_other_are_no_report() {
        let mut parts = Parts::new();
        parts.add(0, false, 'a');
        assert_eq!(parts.add(0, false, 'b'), Joined::Broken);
        assert_eq!(Parts::new().add(-1, true, 'b'), Joined::Broken);
        let mut parts = Parts::new();
        parts.add(1, true, 'b');
        assert_eq!(parts.add(2, false, 'c'), Joined::Broken, "after the last");
    }

    #[test]
    fn endless_parts_come_to_an_end() {
        let mut parts = Parts::new();
        let broken = (0..10_000).find(|number| parts.add(*number, false, ()) == Joined::Broken);
        assert_eq!(broken, Some(4096));
    }
}
