//! How often.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::Limit;

/// Units of time that a policy may name.
const UNITS: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3_600), ("d", 86_400)];

/// No policy allows more at once, or in one unit: a bucket's level stays far below what its counter holds.
const COUNT_MAX: u32 = 10_000_000;

/// A bucket: how much it holds and how fast it fills.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    count: NonZeroU32,
    /// One of `UNITS`.
    unit_s: u64,
    burst: NonZeroU32,
}

impl Policy {
    /// `100/min`, `10/s burst 20` (without a burst: as much as in one unit); `off` is `None`.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let expected = || format!("must be like 100/min, 5/h burst 10, or off; not {text:?}");
        if text == "off" {
            return Ok(None);
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let (rate, burst) = match words[..] {
            [rate] => (rate, None),
            [rate, "burst", burst] => (rate, Some(burst)),
            _ => return Err(expected()),
        };
        let number = |digits: &str| {
            let number: Option<NonZeroU32> = digits.parse().ok();
            number.filter(|number| number.get() <= COUNT_MAX).ok_or_else(expected)
        };
        let (count, unit) = rate.split_once('/').ok_or_else(expected)?;
        let count = number(count)?;
        let unit = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?;
        let burst = burst.map_or(Ok(count), number)?;
        Ok(Some(Self { count, unit_s: unit.1, burst }))
    }

    /// Everything so many times as often.
    #[must_use]
    pub fn times(self, factor: NonZeroU32) -> Self {
        let larger = |number: NonZeroU32| number.saturating_mul(factor).min(NonZeroU32::MAX);
        Self { count: larger(self.count), burst: larger(self.burst), ..self }
    }

    /// What the bucket holds.
    pub fn burst(self) -> NonZeroU32 {
        self.burst
    }

    /// How long it takes until there is one more. At least a nanosecond.
    pub fn one_in(self) -> Duration {
        let nanos = Duration::from_secs(self.unit_s).as_nanos() / u128::from(self.count.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX).max(1))
    }

    /// How long it takes until an empty bucket is full, in whole seconds, rounded up.
    pub fn window_s(self) -> u64 {
        (self.unit_s * u64::from(self.burst.get())).div_ceil(u64::from(self.count.get())).max(1)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, seconds)| *seconds == self.unit_s).map_or("?", |(name, _)| *name);
        write!(f, "{}/{unit} burst {}", self.count, self.burst)
    }
}

/// The policy of each limit; `None` for what is not limited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policies([Option<Policy>; Limit::ALL.len()]);

impl Default for Policies {
    fn default() -> Self {
        Self(Limit::ALL.map(|limit| Policy::parse(limit.default_policy()).expect("defaults can be read")))
    }
}

impl Policies {
    /// Nothing is limited.
    pub const OFF: Self = Self([None; Limit::ALL.len()]);

    /// The policy of `limit`.
    pub fn of(&self, limit: Limit) -> Option<Policy> {
        self.0[limit.index()]
    }

    /// The same with another policy for `limit`.
    #[must_use]
    pub fn with(mut self, limit: Limit, policy: Option<Policy>) -> Self {
        self.0[limit.index()] = policy;
        self
    }

    /// All of them so many times as generous.
    #[must_use]
    pub fn times(self, factor: NonZeroU32) -> Self {
        Self(self.0.map(|policy| policy.map(|policy| policy.times(factor))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_and_written_alike_and_nonsense_is_refused() {
        for (text, written, one_in_ms, window_s) in [
            ("100/min burst 300", "100/min burst 300", 600, 180),
            ("100/min", "100/min burst 100", 600, 60),
            ("10/s", "10/s burst 10", 100, 1),
            ("20/h burst 1", "20/h burst 1", 180_000, 180),
            ("1/d", "1/d burst 1", 86_400_000, 86_400),
            ("7/s burst 8", "7/s burst 8", 142, 2),
        ] {
            let policy = Policy::parse(text).unwrap().unwrap();
            assert_eq!(policy.to_string(), written);
            assert_eq!((policy.one_in().as_millis(), policy.window_s()), (one_in_ms, window_s), "{text}");
        }
        assert_eq!(Policy::parse("off"), Ok(None));
        for nonsense in [
            "",
            "100",
            "0/min",
            "-1/min",
            "1/fortnight",
            "1/min burst 0",
            "1/min brust 2",
            "99999999/s",
            "1/min burst",
        ] {
            assert!(Policy::parse(nonsense).unwrap_err().contains("must be like"), "{nonsense}");
        }
    }

    #[test]
    fn a_factor_makes_all_of_them_more_generous_and_switches_none_on() {
        let factor = NonZeroU32::new(1_000).unwrap();
        let policies = Policies::default().with(Limit::Mail, None).times(factor);
        assert_eq!(policies.of(Limit::Trade).unwrap().to_string(), "5000/min burst 10000");
        assert_eq!(policies.of(Limit::Mail), None);
        let most = Policy::parse("10000000/s").unwrap().unwrap().times(NonZeroU32::MAX);
        assert_eq!((most.one_in(), most.window_s()), (Duration::from_nanos(1), 1));
    }
}
