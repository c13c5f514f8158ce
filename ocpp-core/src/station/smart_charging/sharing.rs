//! Sharing what the whole station may draw among those who charge (1.6 edition 2, 3.13.3 and 3.13.4).

use alloc::vec;
use alloc::vec::Vec;

use rust_decimal::{Decimal, RoundingStrategy};

/// What one of them can use.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wish {
    /// More than this it may not draw.
    pub(super) most: Option<Decimal>,
    /// Below this it charges inefficiently (`minChargingRate`).
    pub(super) least: Option<Decimal>,
}

/// Shares a capacity evenly; what one can't use is left to the others. Together the shares are never more than the capacity.
///
/// Where the share of somebody would be too small to charge efficiently, the last of them waits until there is more,
/// as long as somebody else charges.
pub(super) fn share(capacity: Decimal, wishes: &[Wish]) -> Vec<Decimal> {
    let mut taking: Vec<usize> = (0..wishes.len()).collect();
    loop {
        let shares = share_evenly(capacity, wishes, &taking);
        let is_too_small = |at: &&usize| wishes[**at].least.is_some_and(|least| shares[**at] < least);
        match taking.iter().rev().find(is_too_small).copied() {
            Some(waiting) if taking.len() > 1 => taking.retain(|at| *at != waiting),
            _ => return shares,
        }
    }
}

fn share_evenly(capacity: Decimal, wishes: &[Wish], taking: &[usize]) -> Vec<Decimal> {
    let mut shares = vec![Decimal::ZERO; wishes.len()];
    let mut rest = capacity;
    let mut modest_first = taking.to_vec();
    modest_first.sort_by_key(|at| wishes[*at].most.unwrap_or(Decimal::MAX));
    for (place, at) in modest_first.iter().enumerate() {
        let left = Decimal::from(modest_first.len() - place);
        let even = (rest / left).round_dp_with_strategy(1, RoundingStrategy::ToZero);
        let share = wishes[*at].most.map_or(even, |most| most.min(even));
        shares[*at] = share;
        rest -= share;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(most: Option<i64>, least: Option<i64>) -> Wish {
        Wish { most: most.map(Decimal::from), least: least.map(Decimal::from) }
    }

    fn shares(capacity: i64, wishes: &[Wish]) -> Vec<alloc::string::String> {
        share(Decimal::from(capacity), wishes).iter().map(|share| alloc::format!("{}", share.normalize())).collect()
    }

    #[test]
    fn what_one_cannot_use_is_left_to_the_others() {
        assert_eq!(shares(30, &[wish(None, None), wish(Some(6), None), wish(None, None)]), ["12", "6", "12"]);
    }

    #[test]
    fn shares_are_never_more_than_the_capacity() {
        assert_eq!(shares(10, &[wish(None, None); 3]), ["3.3", "3.3", "3.4"]);
        assert_eq!(shares(0, &[wish(None, None); 2]), ["0", "0"]);
    }

    /// 1.6 edition 2, 3.13.4
    #[test]
    fn the_last_one_waits_where_a_share_would_be_inefficient() {
        assert_eq!(shares(10, &[wish(None, Some(6)), wish(None, Some(6))]), ["10", "0"]);
        assert_eq!(shares(5, &[wish(None, Some(6))]), ["5"], "alone it takes what there is");
    }
}
