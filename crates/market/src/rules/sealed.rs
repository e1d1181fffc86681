//! The sealed auction with the second price (Vickrey): everybody says once what it is worth to them, nobody sees what
//! the others say, the highest wins and pays what the second said, or the reserve or the starting price if that is
//! higher. Of equal bids the earlier wins and pays that amount. A bidder may raise a bid while it is open; the raise
//! counts from when it was made.

use uuid::Uuid;

use super::{BidRefusal, is_open_at};

/// What stays the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The least that is taken.
    pub start_minor: i64,
    /// Below this nothing is sold; secret.
    pub reserve_minor: Option<i64>,
    /// No bid is taken from here on.
    pub ends_at_us: i64,
}

/// The bid of one bidder as it counts now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealedBid {
    /// Whose.
    pub bidder_id: Uuid,
    /// What it is worth to them.
    pub max_minor: i64,
    /// Its place in the order in which bids were taken.
    pub number: i64,
}

/// Who wins, and what they pay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Won {
    /// The winning bid.
    pub bid: SealedBid,
    /// What is paid; at most what the winner said.
    pub price_minor: i64,
}

impl Terms {
    /// Whether a bid may be taken; `own_minor` is the bidder's bid so far.
    pub fn check(&self, own_minor: Option<i64>, max_minor: i64, now_us: i64) -> Result<(), BidRefusal> {
        if !is_open_at(self.ends_at_us, now_us) {
            return Err(BidRefusal::Ended);
        }
        match own_minor {
            Some(own_minor) if max_minor <= own_minor => Err(BidRefusal::NotHigher { max_minor: own_minor }),
            _ if max_minor < self.start_minor => {
                Err(BidRefusal::BelowMinimum { minimum_minor: self.start_minor })
            }
            _ => Ok(()),
        }
    }

    /// Opens the bids, one of each bidder; `None` if nobody bid or the reserve was not met.
    pub fn open(&self, bids: &[SealedBid]) -> Option<Won> {
        let is_before = |a: &SealedBid, b: &SealedBid| (-a.max_minor, a.number) < (-b.max_minor, b.number);
        let best = bids.iter().reduce(|best, it| if is_before(it, best) { it } else { best })?;
        let least_minor = self.reserve_minor.unwrap_or(0).max(self.start_minor);
        if best.max_minor < least_minor {
            return None;
        }
        let others = bids.iter().filter(|it| it.number != best.number).map(|it| it.max_minor);
        let price_minor = others.max().unwrap_or(0).max(least_minor);
        Some(Won { bid: *best, price_minor })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(reserve_minor: Option<i64>) -> Terms {
        Terms { start_minor: 10, reserve_minor, ends_at_us: 1_000 }
    }

    /// Bids by number; gives the winner's number and the price.
    fn open(terms: Terms, maxima: &[i64]) -> Option<(i64, i64)> {
        let bids: Vec<_> = (0..)
            .zip(maxima)
            .map(|(number, max_minor)| SealedBid {
                bidder_id: Uuid::from_u128(number as u128 + 1),
                max_minor: *max_minor,
                number,
            })
            .collect();
        terms.open(&bids).map(|it| (it.bid.number, it.price_minor))
    }

    #[test]
    fn the_highest_pays_the_second_price() {
        assert_eq!(open(terms(None), &[]), None);
        assert_eq!(open(terms(None), &[50]), Some((0, 10)), "alone it is the starting price");
        assert_eq!(open(terms(None), &[20, 50, 30]), Some((1, 30)));
        assert_eq!(open(terms(None), &[20, 50, 50]), Some((1, 50)), "the earlier of equals");
        assert_eq!(open(terms(Some(40)), &[20, 50, 30]), Some((1, 40)), "the reserve if it is higher");
        assert_eq!(open(terms(Some(40)), &[20, 39]), None);
        assert_eq!(open(terms(Some(40)), &[40]), Some((0, 40)));
        assert_eq!(open(terms(Some(5)), &[50]), Some((0, 10)));
    }

    #[test]
    fn a_bid_is_checked_without_a_word_about_the_others() {
        let terms = terms(Some(40));
        assert_eq!(terms.check(None, 10, 999), Ok(()));
        assert_eq!(terms.check(None, 9, 999), Err(BidRefusal::BelowMinimum { minimum_minor: 10 }));
        assert_eq!(terms.check(Some(20), 20, 999), Err(BidRefusal::NotHigher { max_minor: 20 }));
        assert_eq!(terms.check(Some(20), 21, 999), Ok(()));
        assert_eq!(terms.check(None, 10, 1_000), Err(BidRefusal::Ended));
        assert_eq!(terms.check(None, 1, 1_000), Err(BidRefusal::Ended));
    }

    proptest! {
        /// Against sorting, and against what makes the second price worth it: saying another amount than one's own
        /// value never pays.
        #[test]
        fn sorted_bids_say_the_same_and_honesty_pays(
            reserve in prop::option::of(1i64..60),
            maxima in prop::collection::vec(10i64..60, 1..6),
            other in 10i64..60,
        ) {
            let terms = terms(reserve);
            let mut sorted: Vec<(i64, i64)> = (0..).zip(&maxima).map(|(number, max)| (-max, number)).collect();
            sorted.sort_unstable();
            let least = reserve.unwrap_or(10).max(10);
            let second = sorted.get(1).map_or(least, |it| (-it.0).max(least));
            let expected = (-sorted[0].0 >= least).then_some((sorted[0].1, second));
            prop_assert_eq!(open(terms, &maxima), expected);

            let gain = |said: i64| {
                let mut bids = maxima.clone();
                bids[0] = said;
                open(terms, &bids).filter(|it| it.0 == 0).map_or(0, |it| maxima[0] - it.1)
            };
            prop_assert!(gain(maxima[0]) >= gain(other));
        }
    }
}
