//! The English auction: bidders name a secret maximum, the auction bids for them just enough.
//!
//! With the best maximum `m1` and the best one of somebody else `m2`, the price after a contest is
//! `min(m1, m2 + increment(m2))`. Of equal maxima the earlier leads. The first bid stands at the starting price. Once
//! the leader's maximum reaches the reserve, the price is at least the reserve. A leader who raises their own maximum
//! does not raise the price, except to the reserve.
//!
//! A bid that changes the price in the last `soft_close_us` moves the end to that long after the bid, never beyond
//! `latest_end_us`, and never to an earlier time: repeating the rule changes nothing.

use uuid::Uuid;

use super::increment::Increments;
use super::{BidRefusal, is_open_at};

/// What stays the same while the auction runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The least of the first bid.
    pub start_minor: i64,
    /// Below this nothing is sold; secret.
    pub reserve_minor: Option<i64>,
    /// How long after a bid there is time to answer it.
    pub soft_close_us: i64,
    /// No bid moves the end beyond this.
    pub latest_end_us: Option<i64>,
    /// By how much bids rise.
    pub increments: Increments,
}

/// Who is ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leader {
    /// Whose bid.
    pub bidder_id: Uuid,
    /// How far the auction bids for them; secret.
    pub max_minor: i64,
}

/// How the auction stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What everybody sees; the starting price before the first bid.
    pub price_minor: i64,
    /// Who is ahead; nobody before the first bid.
    pub leader: Option<Leader>,
    /// When it ends, if nothing more happens.
    pub ends_at_us: i64,
    /// How often the end was moved.
    pub extension_count: u32,
}

/// What a bid that was taken did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// The bidder leads now.
    Leads {
        /// Who led before and is free of their bid.
        outbid: Option<Leader>,
    },
    /// The leader's maximum is higher now.
    OwnRaise,
    /// The leader's maximum is at least as high: the bid raised the price and is over.
    OutbidAtOnce,
}

impl Standing {
    /// An auction that nobody has bid in.
    pub const fn new(terms: &Terms, ends_at_us: i64) -> Self {
        Self { price_minor: terms.start_minor, leader: None, ends_at_us, extension_count: 0 }
    }

    /// The least that somebody who does not lead must offer. May lie above every possible amount.
    pub fn minimum_minor(&self, terms: &Terms) -> i64 {
        match self.leader {
            None => terms.start_minor,
            Some(_) => terms.increments.above(self.price_minor),
        }
    }

    /// Whether the land would be sold; `None` if there is no reserve.
    pub fn is_reserve_met(&self, terms: &Terms) -> Option<bool> {
        let reserve_minor = terms.reserve_minor?;
        Some(self.leader.is_some_and(|it| it.max_minor >= reserve_minor))
    }

    /// Whom it is sold to if it ends like this, at [`Standing::price_minor`].
    pub fn winner(&self, terms: &Terms) -> Option<Leader> {
        self.leader.filter(|_| self.is_reserve_met(terms) != Some(false))
    }

    /// Takes a bid that arrived at `now_us`.
    pub fn bid(
        &self,
        terms: &Terms,
        bidder_id: Uuid,
        max_minor: i64,
        now_us: i64,
    ) -> Result<(Self, Effect), BidRefusal> {
        if !is_open_at(self.ends_at_us, now_us) {
            return Err(BidRefusal::Ended);
        }
        let new = Leader { bidder_id, max_minor };
        let (leader, price_minor, effect) = match self.leader {
            Some(leader) if leader.bidder_id == bidder_id => {
                if max_minor <= leader.max_minor {
                    return Err(BidRefusal::NotHigher { max_minor: leader.max_minor });
                }
                (new, self.price_minor, Effect::OwnRaise)
            }
            leader => {
                let minimum_minor = self.minimum_minor(terms);
                if max_minor < minimum_minor {
                    return Err(BidRefusal::BelowMinimum { minimum_minor });
                }
                match leader {
                    None => (new, terms.start_minor, Effect::Leads { outbid: None }),
                    Some(old) if max_minor <= old.max_minor => {
                        let price = old.max_minor.min(terms.increments.above(max_minor));
                        (old, price, Effect::OutbidAtOnce)
                    }
                    Some(old) => {
                        let price = max_minor.min(terms.increments.above(old.max_minor));
                        (new, price, Effect::Leads { outbid: Some(old) })
                    }
                }
            }
        };
        let price_minor = match terms.reserve_minor {
            Some(reserve_minor) if leader.max_minor >= reserve_minor => price_minor.max(reserve_minor),
            _ => price_minor,
        };
        let counts = effect != Effect::OwnRaise || price_minor != self.price_minor;
        let ends_at_us = if counts { soft_close(terms, self.ends_at_us, now_us) } else { self.ends_at_us };
        let extension_count = self.extension_count + u32::from(ends_at_us > self.ends_at_us);
        Ok((Self { price_minor, leader: Some(leader), ends_at_us, extension_count }, effect))
    }
}

fn soft_close(terms: &Terms, ends_at_us: i64, now_us: i64) -> i64 {
    let answered_until_us = now_us.saturating_add(terms.soft_close_us);
    let latest_end_us = terms.latest_end_us.unwrap_or(i64::MAX);
    ends_at_us.max(answered_until_us.min(latest_end_us))
}

#[cfg(test)]
mod tests;
