//! When to try again.

/// Seconds from one attempt to the next, as Standard Webhooks recommends: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h,
/// 20 h, 24 h.
pub const RETRIES_S: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// Attempts of one delivery; it has failed when the last one has.
pub const ATTEMPTS_MAX: u32 = RETRIES_S.len() as u32 + 1;

/// An endpoint at which nothing has succeeded for so long is disabled: 5 days.
pub(crate) const FAILING_US_MAX: i64 = 5 * 24 * 60 * 60 * 1_000_000;

/// The longest that we let an endpoint tell us to wait.
const RETRY_AFTER_S_MAX: i64 = 86_400;
/// Of the endpoint's pause after a failure, doubled by each further one.
const PAUSE_S_MIN: i64 = 5;
const PAUSE_S_MAX: i64 = 3_600;

/// When a delivery is due again after its attempt number `attempt` (from 1) failed; `None` if that was the last.
///
/// A fifth of the time is left to chance (`jitter` from 0 to 1), so that what failed together does not come back
/// together.
pub(crate) fn retry_us(attempt: u32, retry_after_s: Option<i64>, jitter: f64) -> Option<i64> {
    let index = usize::try_from(attempt.checked_sub(1)?).ok()?;
    let asked_s = retry_after_s.unwrap_or(0).clamp(0, RETRY_AFTER_S_MAX);
    RETRIES_S.get(index).map(|scheduled_s| with_jitter((*scheduled_s).max(asked_s), jitter))
}

/// How long the whole endpoint is left alone after so many failures in a row (from 1).
pub(crate) fn pause_us(failures_in_a_row: u32, retry_after_s: Option<i64>, jitter: f64) -> i64 {
    let doubled_s = PAUSE_S_MIN << failures_in_a_row.saturating_sub(1).min(16);
    let asked_s = retry_after_s.unwrap_or(0).clamp(0, RETRY_AFTER_S_MAX);
    with_jitter(doubled_s.min(PAUSE_S_MAX).max(asked_s), jitter)
}

fn with_jitter(seconds: i64, jitter: f64) -> i64 {
    (seconds as f64 * 1e6 * (1.0 + 0.2 * jitter)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    #[test]
    fn retries_come_by_the_schedule_and_up_to_a_fifth_later() {
        for (attempt, seconds) in (1..).zip(RETRIES_S) {
            assert_eq!(retry_us(attempt, None, 0.0), Some(seconds * S));
            assert_eq!(retry_us(attempt, None, 1.0), Some(seconds * S * 6 / 5));
        }
        assert_eq!(retry_us(ATTEMPTS_MAX, None, 0.0), None);
        assert_eq!(retry_us(0, None, 0.0), None);
    }

    #[test]
    fn who_asks_for_more_time_gets_it_up_to_a_day() {
        assert_eq!(retry_us(1, Some(120), 0.0), Some(120 * S));
        assert_eq!(retry_us(2, Some(120), 0.0), Some(300 * S));
        assert_eq!(retry_us(1, Some(i64::MAX), 0.0), Some(86_400 * S));
        assert_eq!(retry_us(1, Some(-5), 0.0), Some(5 * S));
    }

    #[test]
    fn an_endpoint_is_left_alone_for_twice_as_long_each_time_up_to_an_hour() {
        let pauses: Vec<i64> = (1..=12).map(|failures| pause_us(failures, None, 0.0) / S).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]);
        assert_eq!(pause_us(u32::MAX, Some(7_200), 0.0), 7_200 * S);
    }
}
