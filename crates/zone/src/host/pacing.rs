//! The last rung under overload: time passes more slowly for everybody.
//!
//! A tick is always the same step of the world; what is stretched is the time between two of them.

use super::Host;
use motion::Pace;
use sim::governor::{Governor, Load};
use std::time::Duration;

/// How fast time passes, and what ticks took lately.
pub(super) struct Pacing {
    pace: Pace,
    governor: Governor,
    stretch: f64,
    shares: Vec<f64>,
    observed_at: Duration,
}

impl Pacing {
    pub(super) fn new(pace: Pace, now: Duration) -> Self {
        Self { pace, governor: Governor::default(), stretch: 1.0, shares: vec![], observed_at: now }
    }

    /// The time of one tick, as a multiple of what it should be.
    pub(super) fn stretch(&self) -> f64 {
        self.stretch
    }

    /// From one tick to the next.
    pub(super) fn period(&self) -> Duration {
        (Duration::from_secs(1) / self.pace.hz()).mul_f64(self.stretch)
    }

    /// Notes the share of its time that a tick took; after a second of them, their 95th of a hundred.
    fn note(&mut self, share: f64) -> Option<f64> {
        self.shares.push(share);
        if self.shares.len() < self.pace.hz() as usize {
            return None;
        }
        self.shares.sort_unstable_by(f64::total_cmp);
        let p95 = self.shares[self.shares.len() * 95 / 100];
        self.shares.clear();
        Some(p95)
    }
}

impl Host {
    /// From one tick to the next.
    pub(crate) fn period(&self) -> Duration {
        self.pacing.period()
    }

    /// Whether the world may go on now: not while it is unsure whether it is still ours.
    pub(crate) fn may_tick(&self) -> bool {
        self.tenancy
            .as_ref()
            .is_none_or(|tenancy| tenancy.is_valid(self.clock.elapsed()) || tenancy.is_lost())
    }

    /// Once a second: how much may be told, and how fast time may pass.
    pub(super) fn keep_pace(&mut self, share: f64) {
        let Some(tick_p95_share) = self.pacing.note(share) else { return };
        let now = self.clock.elapsed();
        let seconds = now.saturating_sub(self.pacing.observed_at).as_secs_f64();
        self.pacing.observed_at = now;
        let measures = self.pacing.governor.observe(Load { tick_p95_share, seconds });
        self.audience.set_measures(measures);
        if measures.stretch > 1.0 {
            self.excuse_haste();
        }
        self.world.want_split(measures.is_split_wanted);
        if (measures.stretch - self.pacing.stretch).abs() > 1e-9 {
            self.pacing.stretch = measures.stretch;
            self.tell_pace(measures.stretch);
        }
    }
}
