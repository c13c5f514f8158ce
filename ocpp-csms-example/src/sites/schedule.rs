//! A current over time.

use serde::{Deserialize, Serialize};

/// A current over time, in tenths of an ampere: each step holds until the next, the last one for ever; before the first, the first counts.
/// Moments are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(i64, u32)>", into = "Vec<(i64, u32)>")]
pub struct Schedule {
    first: u32,
    /// In the order of time.
    later: Vec<(i64, u32)>,
    /// When the first step begins.
    from: i64,
}

impl From<Vec<(i64, u32)>> for Schedule {
    fn from(steps: Vec<(i64, u32)>) -> Self {
        Self::new(steps)
    }
}

impl From<Schedule> for Vec<(i64, u32)> {
    fn from(schedule: Schedule) -> Self {
        schedule.steps().collect()
    }
}

impl Schedule {
    /// The same for ever.
    #[must_use]
    pub fn constant(tenths: u32) -> Self {
        Self { first: tenths, later: Vec::new(), from: 0 }
    }

    /// Steps in any order; where two begin at once, the lower counts. None is 0 for ever.
    #[must_use]
    pub fn new(mut steps: Vec<(i64, u32)>) -> Self {
        steps.sort_unstable();
        let mut steps = steps.into_iter();
        let Some((from, first)) = steps.next() else { return Self::constant(0) };
        let mut schedule = Self { first, later: Vec::new(), from };
        for (at, tenths) in steps {
            let last = schedule.later.last().map_or((from, first), |last| *last);
            if at > last.0 && tenths != last.1 {
                schedule.later.push((at, tenths));
            }
        }
        schedule
    }

    /// The steps, in the order of time.
    pub fn steps(&self) -> impl Iterator<Item = (i64, u32)> {
        std::iter::once((self.from, self.first)).chain(self.later.iter().copied())
    }

    /// What holds at a moment.
    #[must_use]
    pub fn at(&self, moment: i64) -> u32 {
        self.later.iter().rev().find(|(at, _)| *at <= moment).map_or(self.first, |(_, tenths)| *tenths)
    }

    /// The moments after this one at which it changes.
    pub fn changes_after(&self, moment: i64) -> impl Iterator<Item = i64> {
        self.later.iter().map(|(at, _)| *at).filter(move |at| *at > moment)
    }

    /// Of both the higher, at each moment.
    #[must_use]
    pub fn highest(&self, other: &Self) -> Self {
        self.combine(other, u32::max)
    }

    /// Of both the lower, at each moment.
    #[must_use]
    pub fn lowest(&self, other: &Self) -> Self {
        self.combine(other, u32::min)
    }

    fn combine(&self, other: &Self, of: impl Fn(u32, u32) -> u32) -> Self {
        let from = self.from.min(other.from);
        let moments = std::iter::once(from).chain(self.changes_after(from)).chain(other.changes_after(from));
        let mut moments: Vec<i64> = moments.collect();
        moments.sort_unstable();
        moments.dedup();
        Self::new(moments.into_iter().map(|at| (at, of(self.at(at), other.at(at)))).collect())
    }

    /// The lowest from a moment on.
    #[must_use]
    pub fn lowest_from(&self, moment: i64) -> u32 {
        self.changes_after(moment).map(|at| self.at(at)).fold(self.at(moment), u32::min)
    }

    /// From this moment on, in so many steps at most: what comes after them is the lowest of it.
    #[must_use]
    pub fn within(&self, moment: i64, most: usize) -> Self {
        let mut steps = vec![(moment, self.at(moment))];
        steps.extend(self.changes_after(moment).map(|at| (at, self.at(at))));
        let most = most.max(1);
        if steps.len() > most {
            let tail = steps.split_off(most - 1);
            let lowest = tail.iter().map(|(_, tenths)| *tenths).min().unwrap_or(0);
            let at = tail.first().map_or(moment, |(at, _)| *at);
            steps.push((at, lowest));
        }
        Self::new(steps)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_step_holds_until_the_next_and_the_last_for_ever() {
        let schedule = Schedule::new(vec![(100, 60), (0, 160), (200, 60), (300, 320)]);
        let found: Vec<u32> = [-5, 0, 99, 100, 250, 300, 9_999].iter().map(|at| schedule.at(*at)).collect();
        assert_eq!(found, [160, 160, 160, 60, 60, 320, 320]);
        assert_eq!(schedule.steps().collect::<Vec<_>>(), [(0, 160), (100, 60), (300, 320)]);
        assert_eq!(schedule.lowest_from(150), 60);
        assert_eq!(schedule.lowest_from(300), 320);
    }

    #[test]
    fn what_is_stored_is_read_as_it_was() {
        let schedule = Schedule::new(vec![(10, 60), (20, 160)]);
        let text = serde_json::to_string(&schedule).unwrap();
        assert_eq!(text, "[[10,60],[20,160]]");
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
    }

    fn any() -> impl Strategy<Value = Schedule> {
        prop::collection::vec((0..100_i64, 0..300_u32), 1..8).prop_map(Schedule::new)
    }

    proptest! {
        #[test]
        fn of_two_the_higher_or_lower_is_taken_at_each_moment(one in any(), other in any(), at in 0..120_i64) {
            prop_assume!(at >= one.from.min(other.from));
            prop_assert_eq!(one.highest(&other).at(at), one.at(at).max(other.at(at)));
            prop_assert_eq!(one.lowest(&other).at(at), one.at(at).min(other.at(at)));
        }

        #[test]
        fn fewer_steps_never_allow_more(schedule in any(), from in 0..100_i64, most in 1..5_usize, at in 0..120_i64) {
            let fewer = schedule.within(from, most);
            prop_assert!(fewer.steps().count() <= most);
            if at >= from {
                prop_assert!(fewer.at(at) <= schedule.at(at));
            }
            prop_assert!(fewer.lowest_from(from) == schedule.lowest_from(from));
        }
    }
}
