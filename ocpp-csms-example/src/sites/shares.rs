//! Who may draw how much of what a site has: pure arithmetic, in tenths of an ampere on each phase.
//!
//! 1. What stations out of reach may draw on their own is kept in reserve.
//! 2. In the order of priority, then of waiting, each charging place is given the least that its vehicle can charge with, as long
//!    as there is enough on every phase that it uses. Who gets less than that gets nothing: a vehicle cannot charge with it.
//! 3. What is left is shared: everybody's share grows at the same pace, by weight, until the place has all that it can use
//!    or one of its phases is used up.
//!
//! No phase is ever above its limit, and nothing is left that anybody could use.

/// Phases of a site.
pub const PHASES: usize = 3;

/// What a site may draw from the grid: tenths of an ampere on each phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity(pub [u32; PHASES]);

/// A place that charges, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Which phases of the site it uses.
    pub phases: [bool; PHASES],
    /// The least that its vehicle can charge with: tenths of an ampere, mostly 60.
    pub least: u32,
    /// The most that it can use: of vehicle, cable and station the smallest.
    pub most: u32,
    /// Higher ones are served first.
    pub priority: u8,
    /// How fast its share grows beside others'; at least 1.
    pub weight: u32,
    /// Whether the station is out of reach: then it is not given anything, but `most` is what it may draw on its own.
    pub out_of_reach: bool,
}

/// What everybody gets, in the order of the demands: tenths of an ampere on each phase that it uses. For those out of reach, what
/// is kept in reserve for them. Demands of the same priority are served in their order, so that who has waited longest
/// comes first.
#[must_use]
pub fn shares(capacity: Capacity, demands: &[Demand]) -> Vec<u32> {
    let mut left = capacity.0;
    let mut shares = vec![0; demands.len()];
    for (share, demand) in shares.iter_mut().zip(demands).filter(|(_, demand)| demand.out_of_reach) {
        // It draws this whatever is left.
        *share = demand.most;
        for (left, _) in used(&mut left, demand) {
            *left = left.saturating_sub(demand.most);
        }
    }
    let mut order: Vec<usize> = (0..demands.len()).filter(|index| !demands[*index].out_of_reach).collect();
    order.sort_by_key(|index| std::cmp::Reverse(demands[*index].priority));
    let mut growing: Vec<usize> = Vec::new();
    for index in order {
        let demand = &demands[index];
        let least = demand.least.max(1);
        let fits = used(&mut left, demand).all(|(left, _)| *left >= least);
        if fits && demand.most >= least && demand.phases.contains(&true) {
            used(&mut left, demand).for_each(|(left, _)| *left -= least);
            shares[index] = least;
            growing.push(index);
        }
    }
    grow(&mut left, demands, &mut shares, growing);
    shares
}

/// Lets shares grow until nothing more can.
fn grow(left: &mut [u32; PHASES], demands: &[Demand], shares: &mut [u32], mut growing: Vec<usize>) {
    loop {
        growing.retain(|index| {
            let demand = &demands[*index];
            shares[*index] < demand.most && used(left, demand).all(|(left, _)| *left > 0)
        });
        let weight = |index: &usize| demands[*index].weight.max(1);
        // How many rounds everybody can take a step of their weight.
        let of_phase = (0..PHASES).filter_map(|phase| {
            let together: u32 = growing.iter().filter(|index| demands[**index].phases[phase]).map(weight).sum();
            (together > 0).then(|| left[phase] / together)
        });
        let of_demand = growing.iter().map(|index| (demands[*index].most - shares[*index]) / weight(index));
        let Some(rounds) = of_phase.chain(of_demand).min() else { return };
        let mut anything = false;
        for index in &growing {
            // Where not even a round is left, whoever comes first takes what there is.
            let step = if rounds > 0 { rounds * weight(index) } else { weight(index) };
            let demand = &demands[*index];
            let room = used(left, demand).map(|(left, _)| *left).min().unwrap_or(0);
            let step = step.min(room).min(demand.most - shares[*index]);
            used(left, demand).for_each(|(left, _)| *left -= step);
            shares[*index] += step;
            anything |= step > 0;
        }
        if !anything {
            return;
        }
    }
}

/// What is left of the phases that a place uses.
fn used<'a>(left: &'a mut [u32; PHASES], demand: &'a Demand) -> impl Iterator<Item = (&'a mut u32, bool)> {
    left.iter_mut().zip(demand.phases).filter(|(_, used)| *used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn three_phase(most: u32) -> Demand {
        Demand { phases: [true; 3], least: 60, most, priority: 0, weight: 1, out_of_reach: false }
    }

    fn single(phase: usize, most: u32) -> Demand {
        let mut phases = [false; 3];
        phases[phase] = true;
        Demand { phases, ..three_phase(most) }
    }

    #[test]
    fn what_there_is_is_shared_evenly() {
        assert_eq!(shares(Capacity([320; 3]), &[three_phase(320), three_phase(320)]), [160, 160]);
        assert_eq!(shares(Capacity([320; 3]), &[three_phase(100), three_phase(320)]), [100, 220]);
        assert_eq!(shares(Capacity([1_000; 3]), &[three_phase(160), three_phase(320)]), [160, 320]);
    }

    #[test]
    fn a_phase_that_is_used_up_leaves_the_others_to_those_who_use_them() {
        let demands = [single(0, 320), single(0, 320), single(1, 320)];
        assert_eq!(shares(Capacity([320; 3]), &demands), [160, 160, 320]);
    }

    #[test]
    fn who_cannot_have_the_least_waits() {
        let demands = [three_phase(320), three_phase(320), three_phase(320)];
        assert_eq!(shares(Capacity([150; 3]), &demands), [75, 75, 0]);
        assert_eq!(shares(Capacity([50; 3]), &demands), [0, 0, 0]);
    }

    #[test]
    fn priority_goes_before_waiting_and_weight_makes_a_share_larger() {
        let urgent = Demand { priority: 9, ..three_phase(320) };
        assert_eq!(shares(Capacity([100; 3]), &[three_phase(320), urgent]), [0, 100]);
        let heavy = Demand { weight: 3, ..three_phase(320) };
        assert_eq!(shares(Capacity([320; 3]), &[three_phase(320), heavy]), [110, 210]);
    }

    #[test]
    fn what_a_station_out_of_reach_may_draw_is_kept_for_it() {
        let lost = Demand { out_of_reach: true, ..three_phase(200) };
        assert_eq!(shares(Capacity([320; 3]), &[lost.clone(), three_phase(320)]), [200, 120]);
        assert_eq!(shares(Capacity([160; 3]), &[lost, three_phase(320)]), [200, 0]);
    }

    fn demand() -> impl Strategy<Value = Demand> {
        let phases = prop_oneof![Just([true; 3]), (0..3_usize).prop_map(|phase| single(phase, 0).phases)];
        (phases, 0..100_u32, 0..400_u32, 0..3_u8, 0..4_u32, prop::bool::weighted(0.1)).prop_map(
            |(phases, least, most, priority, weight, out_of_reach)| Demand {
                phases,
                least,
                most,
                priority,
                weight,
                out_of_reach,
            },
        )
    }

    proptest! {
        #[test]
        fn no_phase_is_ever_above_its_limit_and_nothing_usable_is_left(
            capacity in prop::array::uniform3(0..2_000_u32),
            demands in prop::collection::vec(demand(), 0..20),
        ) {
            let shares = shares(Capacity(capacity), &demands);
            let drawn = |phase: usize, out_of_reach: bool| -> u32 {
                let of_phase = demands.iter().zip(&shares);
                of_phase.filter(|(demand, _)| demand.phases[phase] && demand.out_of_reach == out_of_reach).map(|(_, share)| share).sum()
            };
            let left: Vec<u32> =
                (0..PHASES).map(|phase| capacity[phase].saturating_sub(drawn(phase, true))).collect();
            for (phase, left) in left.iter().enumerate() {
                prop_assert!(drawn(phase, false) <= *left);
            }
            for (demand, share) in demands.iter().zip(&shares).filter(|(demand, _)| !demand.out_of_reach) {
                prop_assert!(*share == 0 || (*share >= demand.least && *share <= demand.most));
                let room = (0..PHASES).filter(|phase| demand.phases[*phase]).map(|phase| left[phase] - drawn(phase, false)).min();
                let missing = if *share == 0 { demand.least.max(1) } else { 1 };
                if share + missing <= demand.most {
                    prop_assert!(room.unwrap_or(0) < missing, "{demand:?} has {share} and could have {missing} more");
                }
            }
        }

        #[test]
        fn who_wants_the_same_gets_the_same(count in 1..12_usize, capacity in 0..4_000_u32, most in 60..320_u32) {
            let shares = shares(Capacity([capacity; 3]), &vec![three_phase(most); count]);
            let served: Vec<u32> = shares.into_iter().filter(|share| *share > 0).collect();
            if let (Some(least), Some(most)) = (served.iter().min(), served.iter().max()) {
                prop_assert!(most - least <= 1);
            }
        }
    }
}
