//! Who may draw how much of what there is: pure arithmetic, in tenths of an ampere on each phase.
//!
//! 1. Higher priorities are served first, with all that they can use (2.1 part 2, K03.FR.04).
//! 2. Among the same priority, in their order, each place is given the least that its vehicle can charge with, as long as there is
//!    enough on every phase that it uses. Who gets less than that gets nothing: a vehicle cannot charge with it.
//! 3. What is left is shared: everybody's share grows at the same pace, by weight, until the place has all that it can use
//!    or one of its phases is used up.
//!
//! What there is, is in pools: the connection to the grid, the fuse of a group, a station. A place draws from several of them at once.
//! No phase of a pool is ever above its limit, and nothing is left that anybody could use.

/// Phases of a site.
pub(crate) const PHASES: usize = 3;

/// A current on each phase of a site, in tenths of an ampere.
pub(crate) type Load = [u32; PHASES];

/// A place that charges, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Demand {
    /// From which pools it draws.
    pub(crate) pools: Vec<usize>,
    /// Which phases it uses.
    pub(crate) phases: [bool; PHASES],
    /// The least that its vehicle can charge with: tenths of an ampere, mostly 60.
    pub(crate) least: u32,
    /// The most that it can use: of vehicle, cable and station the smallest.
    pub(crate) most: u32,
    /// Higher ones are served first.
    pub(crate) priority: u8,
    /// How fast its share grows beside others'; at least 1.
    pub(crate) weight: u32,
}

/// What everybody gets, in the order of the demands: tenths of an ampere on each phase that it uses. It is taken out of the pools.
/// Demands of the same priority are given their least in their order, so that who has waited longest comes first.
#[must_use]
pub(crate) fn shares(pools: &mut [Load], demands: &[Demand]) -> Vec<u32> {
    let mut shares = vec![0; demands.len()];
    let mut priorities: Vec<u8> = demands.iter().map(|demand| demand.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    for priority in priorities.into_iter().rev() {
        let mut growing: Vec<usize> = Vec::new();
        for (index, demand) in demands.iter().enumerate().filter(|(_, demand)| demand.priority == priority) {
            let least = demand.least.max(1);
            if demand.most >= least && room(pools, demand) >= least {
                take(pools, demand, least);
                shares[index] = least;
                growing.push(index);
            }
        }
        grow(pools, demands, &mut shares, growing);
    }
    shares
}

/// Lets shares grow until nothing more can.
fn grow(pools: &mut [Load], demands: &[Demand], shares: &mut [u32], mut growing: Vec<usize>) {
    loop {
        growing.retain(|index| shares[*index] < demands[*index].most && room(pools, &demands[*index]) > 0);
        let weight = |index: &usize| demands[*index].weight.max(1);
        // How many rounds everybody can take a step of their weight.
        let of_pools = pools.iter().enumerate().flat_map(|(pool, left)| {
            let growing = &growing;
            left.iter().enumerate().filter_map(move |(phase, left)| {
                let uses = |demand: &Demand| demand.phases[phase] && demand.pools.contains(&pool);
                let together: u32 = growing.iter().filter(|index| uses(&demands[**index])).map(weight).sum();
                (together > 0).then(|| left / together)
            })
        });
        let of_demand = growing.iter().map(|index| (demands[*index].most - shares[*index]) / weight(index));
        let Some(rounds) = of_pools.chain(of_demand).min() else { return };
        let mut anything = false;
        for index in &growing {
            // Where not even a round is left, whoever comes first takes what there is.
            let step = rounds.max(1).saturating_mul(weight(index));
            let demand = &demands[*index];
            let step = step.min(room(pools, demand)).min(demand.most - shares[*index]);
            take(pools, demand, step);
            shares[*index] += step;
            anything |= step > 0;
        }
        if !anything {
            return;
        }
    }
}

/// What is left for a place on each of its phases; nothing where it has none.
fn room(pools: &[Load], demand: &Demand) -> u32 {
    let of_pools = demand.pools.iter().filter_map(|pool| pools.get(*pool));
    let left =
        of_pools.flat_map(|left| left.iter().zip(demand.phases).filter(|(_, used)| *used).map(|(left, _)| *left));
    left.min().unwrap_or(0)
}

fn take(pools: &mut [Load], demand: &Demand, amount: u32) {
    for pool in &demand.pools {
        let Some(left) = pools.get_mut(*pool) else { continue };
        for (left, _) in left.iter_mut().zip(demand.phases).filter(|(_, used)| *used) {
            *left = left.saturating_sub(amount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn three_phase(most: u32) -> Demand {
        Demand { pools: vec![0], phases: [true; 3], least: 60, most, priority: 0, weight: 1 }
    }

    fn single(phase: usize, most: u32) -> Demand {
        let mut phases = [false; 3];
        phases[phase] = true;
        Demand { phases, ..three_phase(most) }
    }

    fn of(capacity: u32, demands: &[Demand]) -> Vec<u32> {
        shares(&mut [[capacity; 3]], demands)
    }

    #[test]
    fn what_there_is_is_shared_evenly() {
        assert_eq!(of(320, &[three_phase(320), three_phase(320)]), [160, 160]);
        assert_eq!(of(320, &[three_phase(100), three_phase(320)]), [100, 220]);
        assert_eq!(of(1_000, &[three_phase(160), three_phase(320)]), [160, 320]);
    }

    #[test]
    fn a_phase_that_is_used_up_leaves_the_others_to_those_who_use_them() {
        let demands = [single(0, 320), single(0, 320), single(1, 320)];
        assert_eq!(of(320, &demands), [160, 160, 320]);
    }

    #[test]
    fn who_cannot_have_the_least_waits() {
        let demands = [three_phase(320), three_phase(320), three_phase(320)];
        assert_eq!(of(150, &demands), [75, 75, 0]);
        assert_eq!(of(50, &demands), [0, 0, 0]);
    }

    #[test]
    fn a_higher_priority_has_all_that_it_can_use_and_weight_makes_a_share_larger() {
        // K03.FR.04
        let urgent = Demand { priority: 9, ..three_phase(320) };
        assert_eq!(of(100, &[three_phase(320), urgent.clone()]), [0, 100]);
        assert_eq!(of(400, &[three_phase(320), urgent]), [80, 320]);
        let heavy = Demand { weight: 3, ..three_phase(320) };
        assert_eq!(of(320, &[three_phase(320), heavy]), [110, 210]);
    }

    #[test]
    fn a_group_keeps_to_its_fuse_and_others_have_the_rest() {
        let in_group = Demand { pools: vec![0, 1], ..three_phase(320) };
        let mut pools = [[600; 3], [160; 3]];
        assert_eq!(shares(&mut pools, &[in_group.clone(), in_group, three_phase(400)]), [80, 80, 400]);
        assert_eq!(pools, [[40; 3], [0; 3]]);
    }

    fn demand() -> impl Strategy<Value = Demand> {
        let phases = prop_oneof![Just([true; 3]), (0..3_usize).prop_map(|phase| single(phase, 0).phases)];
        let pools = prop_oneof![Just(vec![0]), Just(vec![0, 1]), Just(vec![0, 2])];
        (pools, phases, 0..100_u32, 0..400_u32, 0..3_u8, 0..4_u32).prop_map(
            |(pools, phases, least, most, priority, weight)| Demand { pools, phases, least, most, priority, weight },
        )
    }

    proptest! {
        #[test]
        fn no_phase_is_ever_above_its_limit_and_nothing_usable_is_left(
            capacity in prop::array::uniform3(prop::array::uniform3(0..2_000_u32)),
            demands in prop::collection::vec(demand(), 0..20),
        ) {
            let mut left = capacity;
            let shares = shares(&mut left, &demands);
            for (pool, capacity) in capacity.iter().enumerate() {
                for phase in 0..PHASES {
                    let uses = |demand: &Demand| demand.pools.contains(&pool) && demand.phases[phase];
                    let drawn: u32 = demands.iter().zip(&shares).filter(|(demand, _)| uses(demand)).map(|(_, share)| share).sum();
                    prop_assert_eq!(drawn + left[pool][phase], capacity[phase]);
                }
            }
            for (demand, share) in demands.iter().zip(&shares) {
                prop_assert!(*share == 0 || (*share >= demand.least && *share <= demand.most));
                let missing = if *share == 0 { demand.least.max(1) } else { 1 };
                if share + missing <= demand.most {
                    prop_assert!(room(&left, demand) < missing, "{demand:?} has {share} and could have {missing} more");
                }
            }
        }

        #[test]
        fn who_wants_the_same_gets_the_same(count in 1..12_usize, capacity in 0..4_000_u32, most in 60..320_u32) {
            let shares = of(capacity, &vec![three_phase(most); count]);
            let served: Vec<u32> = shares.into_iter().filter(|share| *share > 0).collect();
            if let (Some(least), Some(most)) = (served.iter().min(), served.iter().max()) {
                prop_assert!(most - least <= 1);
            }
        }
    }
}
