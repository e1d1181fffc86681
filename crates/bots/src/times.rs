//! How long things took, kept so that runs can be added up.

use hdrhistogram::Histogram;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// Longer times count as this.
const TIME_MAX_US: u64 = 120_000_000;
const DIGITS: u8 = 2;

/// Durations to two digits, up to two minutes.
#[derive(Clone, Debug, PartialEq)]
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new_with_max(TIME_MAX_US, DIGITS).expect("two minutes with two digits are in range"))
    }
}

impl Times {
    /// One more.
    pub fn note(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(TIME_MAX_US));
    }

    /// All of the others, too.
    pub fn add(&mut self, others: &Self) {
        self.0.add(&others.0).expect("all have the same range");
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that this share of them did not exceed, in milliseconds; 0 without any.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        if self.0.is_empty() { 0.0 } else { self.0.value_at_quantile(share) as f64 / 1e3 }
    }

    /// The longest, in milliseconds.
    pub fn max_ms(&self) -> f64 {
        self.0.max() as f64 / 1e3
    }
}

/// Pairs of microseconds and how often.
impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter_recorded().map(|it| (it.value_iterated_to(), it.count_at_value())))
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut times = Self::default();
        for (value_us, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            times.0.record_n(value_us.min(TIME_MAX_US), count).map_err(D::Error::custom)?;
        }
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_add_up_and_survive_being_written_down() {
        let (mut all, mut some) = (Times::default(), Times::default());
        for n in 1..=100 {
            let times = if n % 2 == 0 { &mut all } else { &mut some };
            times.note(Duration::from_millis(n));
        }
        let text = serde_json::to_string(&some).unwrap();
        all.add(&serde_json::from_str(&text).unwrap());
        assert_eq!(all.count(), 100);
        assert!((all.quantile_ms(0.5) - 50.0).abs() < 1.0, "{}", all.quantile_ms(0.5));
        assert!((all.quantile_ms(0.99) - 99.0).abs() < 1.0);
        assert!((all.max_ms() - 100.0).abs() < 1.0);
        all.note(Duration::from_hours(1));
        assert!((all.max_ms() - 120_000.0).abs() < 2_000.0, "what is longer counts as the longest");
        assert_eq!(Times::default().quantile_ms(0.99), 0.0);
    }
}
