//! When to charge, by price.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::plan::{HORIZON, Need, Rule, Scene};

/// How often stretches are added for those who cannot have what they need in those that were chosen.
const ROUNDS: usize = 24;

/// What a session could use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) least: u32,
    pub(super) most: u32,
    /// The watts of an ampere.
    pub(super) watts: u64,
    pub(super) need: Option<Need>,
}

/// Finds how much each session wants in each stretch: `share` says what they get if they want that, by stretch and session.
pub(super) fn settle(
    scene: &Scene,
    moments: &[i64],
    wishes: &[Wish],
    mut share: impl FnMut(&[Vec<u32>]) -> Vec<Vec<u32>>,
) {
    let prices: Vec<Option<Decimal>> = moments.iter().map(|at| price(scene, *at)).collect();
    let everything = |wish: &Wish| vec![wish.most; moments.len()];
    let mut wanted: Vec<Vec<u32>> = match scene.rule {
        None | Some(Rule::Cheapest) => wishes.iter().map(everything).collect(),
        Some(Rule::Thresholds { full_below, minimum_above }) => {
            let at = |wish: &Wish, price: &Option<Decimal>| match price {
                Some(price) if *price >= minimum_above && *price > full_below => wish.least.min(wish.most),
                Some(price) if *price > full_below => wish.most.midpoint(wish.least).min(wish.most),
                _ => wish.most,
            };
            wishes.iter().map(|wish| prices.iter().map(|price| at(wish, price)).collect()).collect()
        }
    };
    if scene.rule != Some(Rule::Cheapest) {
        share(&wanted);
        return;
    }
    let length = |stretch: usize| moments.get(stretch + 1).map_or(0, |next| next - moments[stretch]);
    // The stretches until each leaves, the cheapest first; where no price is known, last.
    let by_price: Vec<Vec<usize>> = wishes
        .iter()
        .map(|wish| {
            let until = wish.need.map_or(0, |need| need.until.min(scene.now + HORIZON));
            let mut stretches: Vec<usize> = (0..moments.len()).filter(|stretch| moments[*stretch] < until).collect();
            stretches.sort_by_key(|stretch| (prices[*stretch].is_none(), prices[*stretch], *stretch));
            stretches
        })
        .collect();
    let mut chosen: Vec<usize> = wishes
        .iter()
        .zip(&by_price)
        .map(|(wish, stretches)| {
            let need = wish.need.map_or(0, |need| need.energy_wh);
            suffices(stretches, need, |stretch| energy(wish.most, wish.watts, length(stretch)))
        })
        .collect();
    for _ in 0..ROUNDS {
        for ((wanted, wish), (stretches, chosen)) in wanted.iter_mut().zip(wishes).zip(by_price.iter().zip(&chosen)) {
            let Some(need) = wish.need else { continue };
            let yes: BTreeSet<usize> = stretches.iter().take(*chosen).copied().collect();
            for (stretch, wanted) in wanted.iter_mut().enumerate() {
                *wanted = match moments[stretch] < need.until {
                    _ if need.energy_wh == 0 => wish.least.min(wish.most),
                    true if !yes.contains(&stretch) => 0,
                    _ => wish.most,
                };
            }
        }
        let given = share(&wanted);
        let mut added = false;
        for (session, wish) in wishes.iter().enumerate() {
            let (stretches, chosen) = (&by_price[session], &mut chosen[session]);
            let need = wish.need.map_or(0, |need| need.energy_wh);
            let got: u64 =
                stretches.iter().map(|stretch| energy(given[*stretch][session], wish.watts, length(*stretch))).sum();
            if got < need && *chosen < stretches.len() {
                let rest = &stretches[*chosen..];
                *chosen += suffices(rest, need - got, |stretch| energy(wish.most, wish.watts, length(stretch))).max(1);
                added = true;
            }
        }
        if !added {
            return;
        }
    }
}

/// How many of the first stretches suffice.
fn suffices(stretches: &[usize], need: u64, energy: impl Fn(usize) -> u64) -> usize {
    let mut sum = 0;
    let mut count = 0;
    for stretch in stretches {
        if sum >= need {
            break;
        }
        sum += energy(*stretch);
        count += 1;
    }
    count
}

/// In Wh.
fn energy(tenths: u32, watts: u64, seconds: i64) -> u64 {
    u64::from(tenths) * watts * u64::try_from(seconds).unwrap_or(0) / 36_000
}

fn price(scene: &Scene, moment: i64) -> Option<Decimal> {
    let after = scene.prices.partition_point(|step| step.from <= moment);
    let step = scene.prices[..after].last()?;
    (moment < step.until).then_some(step.price)
}
