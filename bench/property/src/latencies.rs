//! How long each of many took.

use std::time::Duration;

#[derive(Default)]
pub(crate) struct Latencies {
    each: Vec<Duration>,
    /// All of it, by the clock on the wall.
    pub(crate) elapsed_s: f64,
}

impl Latencies {
    pub(crate) fn add(&mut self, one: Duration) {
        self.each.push(one);
    }

    pub(crate) fn join(&mut self, others: Self) {
        self.each.extend(others.each);
    }

    pub(crate) fn count(&self) -> usize {
        self.each.len()
    }

    pub(crate) fn per_s(&self) -> f64 {
        self.count() as f64 / self.elapsed_s
    }

    /// In milliseconds; 0.5 is the median.
    pub(crate) fn quantile_ms(&mut self, quantile: f64) -> f64 {
        if self.each.is_empty() {
            return f64::NAN;
        }
        self.each.sort_unstable();
        let index = ((self.each.len() - 1) as f64 * quantile).round() as usize;
        self.each[index].as_secs_f64() * 1e3
    }
}
