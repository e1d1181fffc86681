//! Contenders in turns.

use rustix::time::{ClockId, clock_gettime};

/// Somebody who does a piece of work as often as asked.
pub struct Contender<'a> {
    pub name: String,
    work: Box<dyn FnMut() + 'a>,
    /// Nanoseconds per item, one for each round.
    pub times_ns: Vec<f64>,
}

impl<'a> Contender<'a> {
    pub fn new(name: impl Into<String>, work: impl FnMut() + 'a) -> Self {
        Self { name: name.into(), work: Box::new(work), times_ns: Vec::new() }
    }

    pub fn time(&self) -> Spread {
        Spread::of(self.times_ns.clone())
    }

    /// How many times as long as this one another takes, round by round.
    pub fn lead_over(&self, other: &Self) -> Spread {
        Spread::of(other.times_ns.iter().zip(&self.times_ns).map(|(other, own)| other / own).collect())
    }
}

/// Lets everybody work once in every round. `items` is what one piece of work consists of.
pub fn compete(contenders: &mut [Contender<'_>], rounds: usize, items: usize) {
    for contender in &mut *contenders {
        (contender.work)();
    }
    for round in 0..rounds {
        let count = contenders.len();
        for turn in 0..count {
            // Another one begins each round, so that nobody always follows the same.
            let contender = &mut contenders[(turn + round) % count];
            let started = thread_time_ns();
            (contender.work)();
            contender.times_ns.push((thread_time_ns() - started) / items as f64);
        }
    }
}

/// CPU time of this thread.
pub fn thread_time_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// A tenth of the values is below `low`, a tenth above `high`.
#[derive(Clone, Copy)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        Self { low: at(0.1), median: at(0.5), high: at(0.9) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = if self.median < 100.0 { 2 } else { 0 };
        write!(to, "{:.digits$} ({:.digits$}..{:.digits$})", self.median, self.low, self.high)
    }
}
