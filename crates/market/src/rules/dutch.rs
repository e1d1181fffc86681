//! The Dutch auction: the price falls in steps to a floor; the first who takes it has it.

use super::is_open_at;

/// How the price falls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// The price at the beginning.
    pub start_minor: i64,
    /// It falls no lower.
    pub floor_minor: i64,
    /// By how much it falls at once; at least 1.
    pub step_minor: i64,
    /// How long each price stands; at least 1.
    pub step_us: i64,
    /// When it begins.
    pub starts_at_us: i64,
    /// When it is over; nobody can take it then.
    pub ends_at_us: i64,
}

/// Why nobody gets it. If several reasons apply, the first in this order is the one given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AcceptRefusal {
    /// It came at the end or after it.
    #[error("the auction has ended")]
    Ended,
    /// The price is higher than the one agreed to, as after a clock was set back.
    #[error("the price is {price_minor}")]
    PriceHigher {
        /// What it costs now.
        price_minor: i64,
    },
}

impl Schedule {
    /// What it costs at an instant; before the beginning what it costs at the beginning.
    pub fn price_minor(&self, now_us: i64) -> i64 {
        let fallen = i128::from(self.steps_fallen(now_us)) * i128::from(self.step_minor);
        let price = (i128::from(self.start_minor) - fallen).max(i128::from(self.floor_minor));
        // Between floor and start, which both fit.
        i64::try_from(price).unwrap_or(self.start_minor)
    }

    /// When the price falls next; `None` at the floor.
    pub fn falls_at_us(&self, now_us: i64) -> Option<i64> {
        if self.price_minor(now_us) == self.floor_minor {
            return None;
        }
        let steps = self.steps_fallen(now_us) + 1;
        Some(self.starts_at_us.saturating_add(steps.saturating_mul(self.step_us)))
    }

    /// Takes it for at most `agreed_minor`: the price paid, which may have fallen below that in the meantime.
    pub fn accept(&self, agreed_minor: i64, now_us: i64) -> Result<i64, AcceptRefusal> {
        if !is_open_at(self.ends_at_us, now_us) {
            return Err(AcceptRefusal::Ended);
        }
        let price_minor = self.price_minor(now_us);
        if price_minor > agreed_minor {
            return Err(AcceptRefusal::PriceHigher { price_minor });
        }
        Ok(price_minor)
    }

    fn steps_fallen(&self, now_us: i64) -> i64 {
        now_us.saturating_sub(self.starts_at_us).max(0) / self.step_us.max(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCHEDULE: Schedule = Schedule {
        start_minor: 100,
        floor_minor: 35,
        step_minor: 30,
        step_us: 10,
        starts_at_us: 1_000,
        ends_at_us: 1_050,
    };

    #[test]
    fn the_price_falls_on_the_instant_and_stops_at_the_floor() {
        for (at, price, falls_at) in [
            (0, 100, Some(1_010)),
            (1_000, 100, Some(1_010)),
            (1_009, 100, Some(1_010)),
            (1_010, 70, Some(1_020)),
            (1_020, 40, Some(1_030)),
            (1_030, 35, None),
            (i64::MAX, 35, None),
        ] {
            assert_eq!((SCHEDULE.price_minor(at), SCHEDULE.falls_at_us(at)), (price, falls_at), "at {at}");
        }
    }

    #[test]
    fn one_pays_the_price_of_the_instant_and_never_more_than_agreed() {
        assert_eq!(SCHEDULE.accept(100, 1_009), Ok(100));
        assert_eq!(SCHEDULE.accept(100, 1_010), Ok(70), "fell since it was seen");
        assert_eq!(SCHEDULE.accept(70, 1_009), Err(AcceptRefusal::PriceHigher { price_minor: 100 }));
        assert_eq!(SCHEDULE.accept(70, 999), Err(AcceptRefusal::PriceHigher { price_minor: 100 }));
        assert_eq!(SCHEDULE.accept(35, 1_049), Ok(35));
        assert_eq!(SCHEDULE.accept(35, 1_050), Err(AcceptRefusal::Ended));
        assert_eq!(SCHEDULE.accept(1, 1_050), Err(AcceptRefusal::Ended));
    }

    proptest! {
        /// Against counting the steps one by one.
        #[test]
        fn the_price_is_what_counting_gives(
            start in 1i64..500, fall in 0i64..500, step_minor in 1i64..100, step_us in 1i64..20, at in -50i64..500,
        ) {
            let schedule = Schedule {
                start_minor: start, floor_minor: (start - fall).max(1), step_minor, step_us, starts_at_us: 0, ends_at_us: 400,
            };
            let (mut price, mut next) = (start, step_us);
            while next <= at {
                price = (price - step_minor).max(schedule.floor_minor);
                next += step_us;
            }
            prop_assert_eq!(schedule.price_minor(at), price);
            prop_assert_eq!(schedule.falls_at_us(at).is_none(), price == schedule.floor_minor);
            if let Some(falls_at) = schedule.falls_at_us(at) {
                prop_assert!(schedule.price_minor(falls_at - 1) == price && schedule.price_minor(falls_at) < price);
            }
        }
    }
}
