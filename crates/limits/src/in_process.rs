//! Buckets in the memory of this process.
//!
//! The counting is `governor`'s (GCRA); what is ours is a store of bounded size. A bucket that is full again is like one
//! that never was, so it is dropped now and then. Memory ends at [`KEYS_MAX`] buckets a limit; when as many keys have a
//! bucket that is not full, newcomers share some, so that they can be squeezed but not locked out, and nobody's
//! bucket is refilled by an attacker who brings many keys.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::{Buckets, Level, Limit, Policies, Policy, Taking};

/// Buckets of one limit at once. 200,000 take about 8 MB.
pub const KEYS_MAX: usize = 200_000;

/// Buckets that newcomers share when there are [`KEYS_MAX`].
const SHARED_BUCKETS: u64 = 1_024;

/// How often full buckets are dropped.
const SWEEP_INTERVAL: Duration = Duration::from_secs(30);

/// The same while there is no room.
const SWEEP_INTERVAL_WHEN_CROWDED: Duration = Duration::from_secs(1);

type Counter<C> = RateLimiter<u64, Store, C, StateInformationMiddleware>;

/// Buckets that live as long as the process.
pub struct InProcess<C: Clock = MonotonicClock> {
    clock: C,
    /// Keys of the counters: hashes that nobody outside can aim at.
    hasher: RandomState,
    /// By the number of the limit.
    limits: Vec<Option<Bounded<C>>>,
}

struct Bounded<C: Clock> {
    counter: Counter<C>,
    policy: Policy,
    began_at: C::Instant,
    swept_at_ns: AtomicU64,
    is_crowded: Arc<AtomicBool>,
}

impl InProcess {
    /// Full buckets of these sizes.
    pub fn new(policies: &Policies) -> Self {
        Self::with_clock(policies, MonotonicClock, KEYS_MAX)
    }
}

impl<C: Clock + Clone> InProcess<C> {
    fn with_clock(policies: &Policies, clock: C, keys_max: usize) -> Self {
        let bounded = |policy: Policy| {
            let quota = Quota::with_period(policy.one_in()).expect("a policy's period is not zero");
            let is_crowded = Arc::<AtomicBool>::default();
            let store = Store { states: Mutex::default(), keys_max, is_crowded: Arc::clone(&is_crowded) };
            let counter = Counter::new(quota.allow_burst(policy.burst()), store, clock.clone());
            Bounded { counter, policy, began_at: clock.now(), swept_at_ns: AtomicU64::new(0), is_crowded }
        };
        let limits = Limit::ALL.map(|limit| policies.of(limit).map(bounded)).into_iter().collect();
        Self { clock, hasher: RandomState::new(), limits }
    }

    fn take_now(&self, limit: Limit, key: &str) -> Level {
        let Some(bounded) = &self.limits[limit.index()] else {
            return Level::Granted { remaining: u32::MAX, full_in: Duration::ZERO };
        };
        bounded.sweep(&self.clock);
        match bounded.counter.check_key(&self.hasher.hash_one(key)) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let missing = bounded.policy.burst().get().saturating_sub(remaining);
                Level::Granted { remaining, full_in: bounded.policy.one_in().saturating_mul(missing) }
            }
            Err(until) => Level::Refused { one_in: until.wait_time_from(self.clock.now()) },
        }
    }
}

impl<C: Clock + Clone> Buckets for InProcess<C>
where
    C: Send + Sync,
    C::Instant: Send + Sync,
{
    fn take<'a>(&'a self, limit: Limit, key: &'a str) -> Taking<'a> {
        Box::pin(std::future::ready(self.take_now(limit, key)))
    }
}

impl<C: Clock> Bounded<C> {
    /// Drops what is full, if it is time to. Whoever notices does it; the others go on.
    fn sweep(&self, clock: &C) {
        let now_ns = clock.now().duration_since(self.began_at).as_u64();
        let last_ns = self.swept_at_ns.load(Ordering::Relaxed);
        let is_crowded = self.is_crowded.load(Ordering::Relaxed);
        let interval = if is_crowded { SWEEP_INTERVAL_WHEN_CROWDED } else { SWEEP_INTERVAL };
        let is_due = u128::from(now_ns.saturating_sub(last_ns)) >= interval.as_nanos();
        let is_ours = || {
            let exchange =
                self.swept_at_ns.compare_exchange(last_ns, now_ns, Ordering::Relaxed, Ordering::Relaxed);
            exchange.is_ok()
        };
        if is_due && is_ours() {
            self.counter.retain_recent();
        }
    }
}

/// States of a bounded number of keys.
struct Store {
    states: Mutex<HashMap<u64, Nanos>>,
    keys_max: usize,
    is_crowded: Arc<AtomicBool>,
}

impl Store {
    fn states(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Nanos>> {
        // Whole values only are written: a panic elsewhere leaves nothing half done.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for Store {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut states = self.states();
        let is_new = !states.contains_key(key);
        let is_crowded = is_new && states.len() >= self.keys_max;
        if is_crowded {
            self.is_crowded.store(true, Ordering::Relaxed);
        }
        // The keys of shared buckets are small numbers, which a hash is as good as never.
        let key = if is_crowded { key % SHARED_BUCKETS } else { *key };
        let (outcome, state) = decide(states.get(&key).copied())?;
        states.insert(key, state);
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<u64> for Store {
    fn retain_recent(&self, drop_below: Nanos) {
        let mut states = self.states();
        states.retain(|_, state| *state > drop_below);
        self.is_crowded.store(states.len() >= self.keys_max, Ordering::Relaxed);
        if states.len() * 4 < states.capacity() {
            states.shrink_to_fit();
        }
    }

    fn len(&self) -> usize {
        self.states().len()
    }

    fn is_empty(&self) -> bool {
        self.states().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;
    use proptest::prelude::*;

    use super::*;

    fn buckets(policy: &str, keys_max: usize) -> (InProcess<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let policies = Policies::OFF.with(Limit::Trade, Policy::parse(policy).unwrap());
        (InProcess::with_clock(&policies, clock.clone(), keys_max), clock)
    }

    fn is_granted(buckets: &InProcess<FakeRelativeClock>, key: &str) -> bool {
        matches!(buckets.take_now(Limit::Trade, key), Level::Granted { .. })
    }

    fn buckets_count(buckets: &InProcess<FakeRelativeClock>) -> usize {
        buckets.limits[Limit::Trade.index()].as_ref().unwrap().counter.len()
    }

    #[test]
    fn a_burst_is_granted_at_once_and_then_the_sustained_rate() {
        let (buckets, clock) = buckets("5/min burst 10", 100);
        for left in (0..10).rev() {
            let Level::Granted { remaining, full_in } = buckets.take_now(Limit::Trade, "ann") else {
                panic!("refused with {left} to be left")
            };
            assert_eq!((remaining, full_in.as_secs()), (left, u64::from(10 - left) * 12));
        }
        assert_eq!(buckets.take_now(Limit::Trade, "ann"), Level::Refused { one_in: Duration::from_secs(12) });
        assert!(is_granted(&buckets, "bob"), "buckets are apart");
        clock.advance(Duration::from_millis(11_999));
        assert!(!is_granted(&buckets, "ann"));
        clock.advance(Duration::from_millis(1));
        assert!(is_granted(&buckets, "ann") && !is_granted(&buckets, "ann"));
        // Others have no part in it, and what has no policy has no end.
        assert!((0..1_000).all(|_| matches!(buckets.take_now(Limit::Mail, "ann"), Level::Granted { .. })));
    }

    #[test]
    fn memory_is_bounded_nobody_is_refilled_and_newcomers_share() {
        let (buckets, clock) = buckets("1/min burst 2", 50);
        assert!(is_granted(&buckets, "victim") && is_granted(&buckets, "victim"));
        let flood =
            |from: u32| (from..from + 10_000).filter(|key| is_granted(&buckets, &key.to_string())).count();
        let granted = flood(0);
        assert!(!is_granted(&buckets, "victim"), "a flood of keys does not refill a bucket");
        assert!(buckets_count(&buckets) <= 50 + SHARED_BUCKETS as usize);
        // Each of those with a bucket once, the others two for each shared bucket.
        let granted = granted + flood(10_000);
        assert!(granted <= 49 + 2 * SHARED_BUCKETS as usize, "{granted}");
        // When everything has filled up again there is room for all.
        clock.advance(Duration::from_secs(200));
        assert!(is_granted(&buckets, "newcomer"));
        assert_eq!(buckets_count(&buckets), 1);
    }

    proptest! {
        #[test]
        fn in_any_time_no_more_is_granted_than_the_burst_and_the_rate(
            pauses_ms in prop::collection::vec(0u64..5_000, 1..300),
        ) {
            let (buckets, clock) = buckets("60/min burst 7", 10);
            let (mut granted, mut passed_ms) = (0u64, 0u64);
            for pause_ms in pauses_ms {
                clock.advance(Duration::from_millis(pause_ms));
                passed_ms += pause_ms;
                granted += u64::from(is_granted(&buckets, "ann"));
                prop_assert!(granted <= 7 + passed_ms / 1_000);
            }
        }
    }
}
