//! What is done when a tick takes longer than it may: pure, the host measures and obeys.
//!
//! The rungs of a ladder, taken one by one: smaller radii and budgets, then lower rates of what is not near, then a zone
//! should be split, and at last time itself is stretched: a tick lasts longer on the clock, and not in the world.

use crate::budget::BYTES_PER_S;
use crate::interest::INTEREST_ENTER_M;

/// A load above this for [`UP_S`] leads one rung up.
pub const HIGH_LOAD: f64 = 0.85;
/// One below this for [`DOWN_S`] leads one rung down.
pub const LOW_LOAD: f64 = 0.55;
/// Seconds of high load before more is done.
pub const UP_S: f64 = 2.0;
/// Seconds of low load before less is done.
pub const DOWN_S: f64 = 10.0;
/// Time is never slowed down to less than half.
pub const STRETCH_MAX: f64 = 2.0;

/// Rungs before time is stretched.
const RUNGS: u32 = 4;
/// From there on, each rung stretches by so much.
const STRETCH_STEP: f64 = 0.125;

/// How busy the host was.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The 95th percentile of the time that ticks took lately, as part of the time that a tick may take: the inverse of the tick rate,
    /// whatever time is stretched to.
    pub tick_p95_share: f64,
    /// Seconds since the last observation.
    pub seconds: f64,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// Cells up to here are near in a crowd.
    pub near_m: f32,
    /// Cells up to here are mid in a crowd.
    pub mid_m: f32,
    /// Nothing is told of cells beyond.
    pub far_m: f32,
    /// Blocks a second in the middle tier.
    pub mid_hz: f32,
    /// In the far one.
    pub far_hz: f32,
    /// What a watcher may cost on average.
    pub bytes_per_s: f32,
    /// A zone with much to do should become two.
    pub is_split_wanted: bool,
    /// Wall time of a tick as a multiple of the usual: 1 to [`STRETCH_MAX`].
    pub stretch: f64,
}

impl Default for Measures {
    fn default() -> Self {
        Self::of_rung(0)
    }
}

impl Measures {
    fn of_rung(rung: u32) -> Self {
        let radii = [(25.0, 60.0), (20.0, 45.0), (15.0, 35.0)][rung.min(2) as usize];
        let rates = if rung < 3 { (5.0, 1.0) } else { (2.5, 0.5) };
        let stretch = 1.0 + f64::from(rung.saturating_sub(RUNGS)) * STRETCH_STEP;
        Self {
            near_m: radii.0,
            mid_m: radii.1,
            far_m: INTEREST_ENTER_M as f32,
            mid_hz: rates.0,
            far_hz: rates.1,
            bytes_per_s: BYTES_PER_S * [1.0, 0.8, 0.6][rung.min(2) as usize],
            is_split_wanted: rung >= RUNGS,
            stretch: stretch.min(STRETCH_MAX),
        }
    }
}

/// Where on the ladder the host is.
#[derive(Clone, Debug, Default)]
pub struct Governor {
    rung: u32,
    high_s: f64,
    low_s: f64,
}

impl Governor {
    /// Takes note of a load.
    pub fn observe(&mut self, load: Load) -> Measures {
        let measures = Measures::of_rung(self.rung);
        // With more time for a tick, the same work is less of a load.
        let share = load.tick_p95_share / measures.stretch;
        if share > HIGH_LOAD {
            self.high_s += load.seconds;
            self.low_s = 0.0;
        } else if share < LOW_LOAD {
            self.low_s += load.seconds;
            self.high_s = 0.0;
        } else {
            (self.high_s, self.low_s) = (0.0, 0.0);
        }
        if self.high_s >= UP_S && measures.stretch < STRETCH_MAX {
            self.rung += 1;
            self.high_s = 0.0;
        } else if self.low_s >= DOWN_S && self.rung > 0 {
            self.rung -= 1;
            self.low_s = 0.0;
        }
        Measures::of_rung(self.rung)
    }

    /// How far up the ladder: 0 when all is well.
    pub fn rung(&self) -> u32 {
        self.rung
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(governor: &mut Governor, share: f64, seconds: u32) -> Measures {
        let mut measures = Measures::default();
        for _ in 0..seconds * 2 {
            measures = governor.observe(Load { tick_p95_share: share, seconds: 0.5 });
        }
        measures
    }

    #[test]
    fn more_is_done_rung_by_rung_and_time_is_stretched_last() {
        let mut governor = Governor::default();
        let mut steps = vec![Measures::default()];
        for _ in 0..400 {
            let measures = governor.observe(Load { tick_p95_share: 9.0, seconds: 0.5 });
            if steps.last() != Some(&measures) {
                steps.push(measures);
            }
        }
        let first = |is: fn(&Measures) -> bool| steps.iter().position(is).expect("it comes to that");
        let radii = first(|measures| measures.near_m < 25.0);
        let rates = first(|measures| measures.mid_hz < 5.0);
        let split = first(|measures| measures.is_split_wanted);
        let stretch = first(|measures| measures.stretch > 1.0);
        assert!(radii < rates && rates < split && split < stretch);
        assert_eq!(steps.last().unwrap().stretch, STRETCH_MAX);
    }

    #[test]
    fn a_short_peak_changes_nothing_and_a_calm_time_undoes_all() {
        let mut governor = Governor::default();
        for _ in 0..20 {
            after(&mut governor, 3.0, 1);
            after(&mut governor, 0.7, 1);
        }
        assert_eq!(governor.rung(), 0);
        assert!(after(&mut governor, 1.4, 60).stretch > 1.0);
        assert_eq!(after(&mut governor, 0.1, 300), Measures::default());
    }

    #[test]
    fn a_load_that_fits_stretched_time_neither_rises_nor_swings() {
        let mut governor = Governor::default();
        let measures = after(&mut governor, 1.2, 120);
        assert!(measures.stretch > 1.0 && measures.stretch < 1.6, "{measures:?}");
        let rung = governor.rung();
        after(&mut governor, 1.2, 120);
        assert!(governor.rung().abs_diff(rung) <= 1);
    }

    proptest! {
        #[test]
        fn measures_stay_within_their_bounds(shares in prop::collection::vec(0.0..5.0_f64, 200)) {
            let mut governor = Governor::default();
            for share in shares {
                let measures = governor.observe(Load { tick_p95_share: share, seconds: 1.0 });
                prop_assert!((1.0..=STRETCH_MAX).contains(&measures.stretch));
                prop_assert!(measures.near_m <= measures.mid_m && measures.mid_m <= measures.far_m);
            }
        }
    }
}
