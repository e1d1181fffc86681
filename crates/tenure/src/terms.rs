//! Times and limits.

const SECOND_US: i64 = 1_000_000;
pub(crate) const DAY_US: i64 = 86_400 * SECOND_US;

/// How long an offer of a lease stands: a week.
pub const OFFER_TIME_US: i64 = 7 * DAY_US;
/// Offers that may wait for one tenant.
pub const OFFERS_WAITING_MAX: i64 = 100;
/// The longest that a tenant has to find the rent: three days, or one period if that is shorter.
pub const GRACE_US_MAX: i64 = 3 * DAY_US;
/// How often it is tried again in that time.
pub(crate) const RETRIES_IN_GRACE: i64 = 20;
/// The longest between telling that rent is due and taking it: a day, or a tenth of a period if that is shorter.
const REMIND_US_MAX: i64 = DAY_US;
/// Periods of a lease, or rounds of upkeep, that are caught up with at once after a long rest.
pub const CATCH_UP_MAX: usize = 12;
/// Periods of upkeep that may be missed in a row; then the owner is told that the land will go back.
pub const UNPAID_PERIODS_MAX: i64 = 2;

/// The shortest and the longest period.
pub(crate) const PERIOD_S_MIN: i64 = 3_600;
pub(crate) const PERIOD_S_MAX: i64 = 366 * 86_400;
/// The most periods of a lease.
pub(crate) const PERIODS_MAX: u32 = 1_000;

/// How long before the end of a period of this length its tenant is reminded.
pub(crate) fn reminder_us(period_us: i64) -> i64 {
    (period_us / 10).min(REMIND_US_MAX)
}

/// How long a tenant of such periods has to find the rent.
pub(crate) fn grace_us(period_us: i64) -> i64 {
    period_us.min(GRACE_US_MAX)
}
