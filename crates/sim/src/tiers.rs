//! In which tier a watcher follows each cell.
//!
//! In a sparse place everything is near. Where that would cost more than the budget, what is far off is told of less
//! often: first all is far, then what is close is raised, the closest first, as long as it fits. The cells that may hold
//! one of the nearest [`NEAREST_ALWAYS`] bodies, and those with companions, are near whatever it costs.

use wire::stream::Tier;

/// So many of the nearest bodies are told of at every send.
pub const NEAREST_ALWAYS: u32 = 32;
/// A cell that is in a tier stays in it up to so many times the distance, or the cost, at which it came.
pub const HYSTERESIS: f32 = 1.15;

/// Part of the budget up to which what is beyond the radii is raised too: the rest is for beginnings, and for peace.
const COMFORT: f32 = 0.55;
/// Part of the budget that tiers may cost, the rest being for beginnings.
const PLANNED: f32 = 0.8;

/// A cell that a watcher might follow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// From the watcher to the nearest and to the farthest point of the cell, about.
    pub(crate) near_m: f32,
    pub(crate) far_m: f32,
    pub(crate) bodies: u32,
    /// What following it costs in each tier, in bytes a second.
    pub(crate) cost: [f32; 3],
    pub(crate) current: Option<Tier>,
    pub(crate) has_companion: bool,
    pub(crate) has_speaker: bool,
}

/// What the tiers go by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) near_m: f32,
    pub(crate) mid_m: f32,
    /// For this watcher.
    pub(crate) bytes_per_s: f32,
}

/// Chooses; none for a cell that there is no room for. `order` is room for a list: their numbers, in the lower half, from
/// the nearest to the farthest.
pub(crate) fn choose(
    candidates: &[Candidate],
    rules: Rules,
    order: &mut Vec<u64>,
    chosen: &mut Vec<Option<Tier>>,
) {
    chosen.clear();
    chosen.resize(candidates.len(), None);
    order.clear();
    // Bits of numbers that are not negative are in their order.
    order.extend((0..).zip(candidates).map(|(index, it)| u64::from(it.near_m.to_bits()) << 32 | index));
    order.sort_unstable();
    let order = &*order;
    let always_m = nearest_within_m(candidates, order);
    let limit = rules.bytes_per_s * PLANNED;
    let comfort = rules.bytes_per_s * COMFORT;
    let is_always = |candidate: &Candidate| candidate.near_m < always_m || candidate.has_companion;
    let is_kept = |candidate: &Candidate| is_always(candidate) || candidate.has_speaker;

    let mut total = 0.0;
    for index in order.iter().map(|index| *index as u32 as usize) {
        let candidate = &candidates[index];
        let tier = if is_always(candidate) { Tier::Near } else { Tier::Far };
        let cost = candidate.cost[tier as usize];
        if is_kept(candidate) || total + cost <= limit {
            total += cost;
            chosen[index] = Some(tier);
        }
    }
    let mut raise = |to: Tier, up_to: f32, is_meant: &dyn Fn(&Candidate) -> bool| {
        for index in order.iter().map(|index| *index as u32 as usize) {
            let candidate = &candidates[index];
            let Some(from) = chosen[index].filter(|from| *from > to && is_meant(candidate)) else { continue };
            let more = candidate.cost[to as usize] - candidate.cost[from as usize];
            let is_there = candidate.current.is_some_and(|current| current <= to);
            let slack = if is_there { 1.0 } else { HYSTERESIS };
            if (total + more) * slack <= up_to {
                total += more;
                chosen[index] = Some(to);
            } else if more > 0.0 {
                // The closest first: what is farther off waits, so that no hole is left.
                return;
            }
        }
    };
    let within = |candidate: &Candidate, radius_m: f32, tier: Tier| {
        let is_there = candidate.current.is_some_and(|current| current <= tier);
        candidate.near_m <= if is_there { radius_m * HYSTERESIS } else { radius_m }
    };
    raise(Tier::Near, limit, &|candidate| within(candidate, rules.near_m, Tier::Near));
    raise(Tier::Mid, limit, &|candidate| candidate.has_speaker || within(candidate, rules.mid_m, Tier::Mid));
    raise(Tier::Mid, comfort, &|_| true);
    raise(Tier::Near, comfort, &|_| true);
}

/// No nearer than the last of the nearest [`NEAREST_ALWAYS`] bodies besides the watcher's own.
fn nearest_within_m(candidates: &[Candidate], order: &[u64]) -> f32 {
    // The farthest points in ascending order would give the least bound; in the order of the nearest ones it is as safe.
    let mut bodies = 0;
    let mut within_m = 0.0_f32;
    for candidate in order.iter().map(|index| &candidates[*index as u32 as usize]) {
        if bodies > NEAREST_ALWAYS {
            break;
        }
        if candidate.bodies > 0 {
            bodies += candidate.bodies;
            within_m = within_m.max(candidate.far_m);
        }
    }
    if bodies > NEAREST_ALWAYS { within_m } else { f32::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: Rules = Rules { near_m: 25.0, mid_m: 60.0, bytes_per_s: 50_000.0 };

    /// Cells 18 m wide in a grid around the watcher, with so many bodies each.
    fn grid(bodies: impl Fn(i32, i32) -> u32) -> Vec<Candidate> {
        let cells = (-9..=9_i32).flat_map(|x| (-9..=9_i32).map(move |y| (x, y)));
        cells
            .map(|(x, y)| {
                let centre_m = (x as f32 * 18.0).hypot(y as f32 * 18.0);
                let bodies = bodies(x, y);
                let moving = bodies as f32 * 0.74;
                let cost = [moving * 10.0 * 0.6, moving * 5.0 * 0.8, moving * 1.9].map(|cost| cost + 5.0);
                Candidate {
                    near_m: (centre_m - 12.7).max(0.0),
                    far_m: centre_m + 12.7,
                    bodies,
                    cost,
                    current: None,
                    has_companion: false,
                    has_speaker: false,
                }
            })
            .collect()
    }

    fn chosen(candidates: &[Candidate], rules: Rules) -> Vec<Option<Tier>> {
        let mut chosen = vec![];
        choose(candidates, rules, &mut vec![], &mut chosen);
        chosen
    }

    fn cost(candidates: &[Candidate], chosen: &[Option<Tier>]) -> f32 {
        candidates.iter().zip(chosen).filter_map(|(c, tier)| tier.map(|tier| c.cost[tier as usize])).sum()
    }

    #[test]
    fn in_a_sparse_place_everything_is_near() {
        let candidates = grid(|x, y| u32::from((x + y) % 5 == 0));
        assert!(chosen(&candidates, RULES).iter().all(|tier| *tier == Some(Tier::Near)));
    }

    #[test]
    fn in_a_crowd_the_close_are_near_the_next_mid_and_all_are_seen() {
        let candidates = grid(|x, y| if x * x + y * y < 40 { 78 } else { 0 });
        let chosen = chosen(&candidates, RULES);
        for (candidate, tier) in candidates.iter().zip(&chosen).filter(|(candidate, _)| candidate.bodies > 0)
        {
            let tier = tier.expect("all are seen");
            assert!(candidate.near_m > 25.0 || tier == Tier::Near, "{candidate:?}");
            assert!(candidate.near_m > 60.0 || tier <= Tier::Mid, "{candidate:?}");
        }
        assert!(chosen.contains(&Some(Tier::Far)));
        assert!(cost(&candidates, &chosen) <= 50_000.0 * PLANNED);
    }

    #[test]
    fn whoever_is_among_the_nearest_or_a_companion_is_near_whatever_it_costs() {
        let mut candidates = grid(|_, _| 4_000);
        candidates[3].has_companion = true;
        candidates[5].has_speaker = true;
        let chosen = chosen(&candidates, Rules { bytes_per_s: 1_000.0, ..RULES });
        assert_eq!(chosen[3], Some(Tier::Near));
        assert!(chosen[5].is_some(), "who speaks is not dropped");
        // The own cell's farthest point is 12.7 m away: whatever is nearer may hold one of the 32.
        for (candidate, tier) in candidates.iter().zip(&chosen) {
            assert!(candidate.near_m >= 12.7 || *tier == Some(Tier::Near));
        }
        assert!(chosen.contains(&None));
    }

    #[test]
    fn a_choice_made_again_after_a_small_step_stays() {
        let mut candidates = grid(|x, y| if x * x + y * y < 60 { 78 } else { 0 });
        let first = chosen(&candidates, RULES);
        for (n, (candidate, tier)) in candidates.iter_mut().zip(&first).enumerate() {
            candidate.current = *tier;
            let step = if n % 2 == 0 { 1.0 } else { -1.0 };
            candidate.near_m = (candidate.near_m + step).max(0.0);
            candidate.cost = candidate.cost.map(|cost| cost * (1.0 + 0.03 * step));
        }
        let second = chosen(&candidates, RULES);
        let changed = first.iter().zip(&second).filter(|(a, b)| a != b).count();
        assert!(changed <= 6, "{changed} of {} cells", first.len());
    }

    proptest! {
        #[test]
        fn the_budget_holds_but_for_what_must_be(
            bodies in prop::collection::vec(0..3_000_u32, 361),
            bytes_per_s in 1_000.0..50_000.0_f32,
        ) {
            let next = std::cell::Cell::new(0);
            let candidates = grid(|_, _| {
                next.set(next.get() + 1);
                bodies[next.get() - 1]
            });
            let chosen = chosen(&candidates, Rules { bytes_per_s, ..RULES });
            let mut order: Vec<u64> = (0..361).collect();
            order.sort_by(|a, b| candidates[*a as usize].near_m.total_cmp(&candidates[*b as usize].near_m));
            let always_m = nearest_within_m(&candidates, &order);
            let must: f32 = candidates.iter().filter(|c| c.near_m < always_m).map(|c| c.cost[0]).sum();
            prop_assert!(cost(&candidates, &chosen) <= must.max(bytes_per_s * PLANNED) + 1.0);
        }
    }
}
