//! Threads that move bodies and make frames. Which of them does what decides nothing.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sim::Spread;

/// As many threads as were asked for; none besides the caller's if that is one.
pub(crate) struct Threads(Option<ThreadPool>);

impl Threads {
    pub(crate) fn start(count: usize) -> Self {
        let pool = || {
            let name = |n| format!("zone-{n}");
            let pool = ThreadPoolBuilder::new().num_threads(count).thread_name(name).build();
            pool.expect("the system can start threads")
        };
        Self((count > 1).then(pool))
    }
}

impl Spread for Threads {
    fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        match &self.0 {
            Some(pool) if items.len() > 1 => {
                pool.install(|| items.par_iter_mut().for_each(&work));
            }
            _ => items.iter_mut().for_each(work),
        }
    }
}
