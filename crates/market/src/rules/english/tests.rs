use proptest::prelude::*;

use super::*;
use crate::rules::AMOUNT_MINOR_MAX;
use crate::rules::increment::Step;

const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;
const END_US: i64 = 1_000 * HOUR_US;

fn increments(steps: &[(i64, i64)]) -> Increments {
    Increments::try_new(steps.iter().map(|&(from_minor, step_minor)| Step { from_minor, step_minor }))
        .unwrap()
}

fn terms(start_minor: i64, reserve_minor: Option<i64>) -> Terms {
    Terms {
        start_minor,
        reserve_minor,
        soft_close_us: 2 * MINUTE_US,
        latest_end_us: None,
        increments: increments(&[(0, 1)]),
    }
}

fn bidder(name: char) -> Uuid {
    Uuid::from_u128(u128::from(u32::from(name)))
}

/// `A 50 -> A 10` reads: A bids up to 50, then A leads at 10. `A 50 -> below 11`, `-> not_higher 50`, `-> ended` are
/// refusals. `@t` before a bid is its time in seconds before the first end (10 minutes if none is given).
#[track_caller]
fn check(terms: &Terms, script: &str) -> Standing {
    let mut standing = Standing::new(terms, END_US);
    for line in script.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let (bid, expected) = line.split_once(" -> ").unwrap();
        let (at_s, bid) = match bid.strip_prefix('@').and_then(|it| it.split_once(' ')) {
            Some((at_s, bid)) => (at_s.parse().unwrap(), bid),
            None => (600, bid),
        };
        let (name, max) = bid.split_once(' ').unwrap();
        let name = name.chars().next().unwrap();
        let outcome = standing.bid(terms, bidder(name), max.parse().unwrap(), END_US - at_s * 1_000_000);
        let seen = match outcome {
            Ok((next, _)) => {
                standing = next;
                let leader = standing.leader.unwrap().bidder_id.as_u128() as u8;
                format!("{} {}", char::from(leader), standing.price_minor)
            }
            Err(BidRefusal::Ended) => "ended".to_owned(),
            Err(BidRefusal::NotHigher { max_minor }) => format!("not_higher {max_minor}"),
            Err(BidRefusal::BelowMinimum { minimum_minor }) => format!("below {minimum_minor}"),
        };
        assert_eq!(seen, expected, "{line}");
    }
    standing
}

#[test]
fn the_worked_example_of_the_reference() {
    check(
        &terms(10, None),
        "A 50 -> A 10
         B 30 -> A 31
         C 50 -> A 50
         D 60 -> D 51",
    );
}

#[test]
fn a_bid_reaches_the_start_and_then_a_step_above_the_price() {
    check(
        &terms(10, None),
        "A 9 -> below 10
         A 10 -> A 10
         B 10 -> below 11
         B 11 -> B 11
         A 11 -> below 12
         A 12 -> A 12",
    );
}

#[test]
fn a_maximum_less_than_a_step_above_the_second_is_honoured_as_it_is() {
    let wide = Terms { increments: increments(&[(0, 10)]), ..terms(10, None) };
    check(
        &wide,
        "A 35 -> A 10
         B 37 -> B 37
         A 46 -> below 47
         A 47 -> A 47",
    );
}

#[test]
fn raising_the_own_maximum_costs_nothing_and_lowering_is_refused() {
    check(
        &terms(10, None),
        "A 50 -> A 10
         A 50 -> not_higher 50
         A 49 -> not_higher 50
         A 5 -> not_higher 50
         A 90 -> A 10
         B 60 -> A 61",
    );
}

#[test]
fn the_reserve_is_jumped_to_by_the_first_maximum_that_reaches_it() {
    let standing = check(
        &terms(10, Some(40)),
        "A 30 -> A 10
         B 20 -> A 21
         A 39 -> A 21
         A 40 -> A 40
         B 41 -> B 41",
    );
    assert_eq!(standing.is_reserve_met(&terms(10, Some(40))), Some(true));
    check(&terms(10, Some(40)), "A 100 -> A 40");
    let short = check(&terms(10, Some(40)), "A 39 -> A 10");
    assert_eq!(short.is_reserve_met(&terms(10, Some(40))), Some(false));
    assert_eq!(short.winner(&terms(10, Some(40))), None);
    assert_eq!(short.winner(&terms(10, None)), short.leader);
    assert_eq!(short.is_reserve_met(&terms(10, None)), None);
}

#[test]
fn a_bid_at_the_end_is_late_and_one_just_before_is_not() {
    let terms = terms(10, None);
    let standing = Standing::new(&terms, END_US);
    let bid = |now_us| standing.bid(&terms, bidder('A'), 10, now_us);
    assert_eq!(bid(END_US), Err(BidRefusal::Ended));
    assert_eq!(bid(END_US + 1), Err(BidRefusal::Ended));
    assert_eq!(bid(i64::MAX), Err(BidRefusal::Ended));
    let (next, _) = bid(END_US - 1).unwrap();
    assert_eq!((next.ends_at_us, next.extension_count), (END_US - 1 + 2 * MINUTE_US, 1));
}

#[test]
fn the_end_moves_only_by_bids_of_its_last_minutes_that_change_the_price() {
    let at = |script: &str| {
        let standing = check(&terms(10, None), script);
        ((standing.ends_at_us - END_US) / 1_000_000, standing.extension_count)
    };
    assert_eq!(at("@120 A 50 -> A 10"), (0, 0));
    assert_eq!(at("@119 A 50 -> A 10"), (1, 1));
    assert_eq!(at("@300 A 50 -> A 10 \n @60 A 60 -> A 10"), (0, 0), "nobody sees a raise");
    assert_eq!(at("@300 A 50 -> A 10 \n @60 B 20 -> A 21"), (60, 1), "raised by the auction counts");
    assert_eq!(at("@1 A 50 -> A 10 \n @1 B 60 -> B 51"), (119, 1), "the same instant moves it once");
    assert_eq!(at("@1 A 50 -> A 10 \n @-118 B 60 -> B 51 \n @-200 A 90 -> A 61"), (320, 3));
}

#[test]
fn the_end_is_not_moved_beyond_the_published_cap() {
    let capped = Terms { latest_end_us: Some(END_US + MINUTE_US), ..terms(10, None) };
    let standing = check(&capped, "@30 A 50 -> A 10 \n @-59 B 60 -> B 51 \n @-60 C 90 -> ended");
    assert_eq!((standing.ends_at_us, standing.extension_count), (END_US + MINUTE_US, 1));
}

#[test]
fn a_clock_set_back_an_hour_never_shortens_nor_reopens() {
    let terms = terms(10, None);
    let (standing, _) = Standing::new(&terms, END_US).bid(&terms, bidder('A'), 50, END_US - 1).unwrap();
    let end = standing.ends_at_us;
    let (after, _) = standing.bid(&terms, bidder('B'), 20, END_US - HOUR_US).unwrap();
    assert_eq!((after.ends_at_us, after.price_minor), (end, 21));
}

#[test]
fn amounts_at_the_end_of_the_range_are_bid_without_overflow() {
    let terms = terms(AMOUNT_MINOR_MAX, Some(AMOUNT_MINOR_MAX));
    let (standing, _) = Standing::new(&terms, END_US).bid(&terms, bidder('A'), AMOUNT_MINOR_MAX, 0).unwrap();
    assert_eq!(standing.price_minor, AMOUNT_MINOR_MAX);
    let outcome = standing.bid(&terms, bidder('B'), AMOUNT_MINOR_MAX, 0);
    assert_eq!(outcome, Err(BidRefusal::BelowMinimum { minimum_minor: AMOUNT_MINOR_MAX + 1 }));
}

/// A bid that was taken.
#[derive(Clone, Copy, Debug)]
struct Taken {
    bidder_id: Uuid,
    max_minor: i64,
    at_us: i64,
}

/// The rules once more from the list of all bids, slowly: for every prefix the maxima are sorted anew.
fn reference(terms: &Terms, bids: &[Taken]) -> Standing {
    // The best maximum of each bidder and the bid that first named it.
    let ranked = |count: usize| {
        let mut best: Vec<(i64, usize, Uuid)> = Vec::new();
        for bidder_id in bids[..count].iter().map(|it| it.bidder_id) {
            let own = bids[..count].iter().enumerate().filter(|(_, it)| it.bidder_id == bidder_id);
            let (at, bid) = own.max_by_key(|(at, it)| (it.max_minor, std::cmp::Reverse(*at))).unwrap();
            best.push((bid.max_minor, at, bidder_id));
        }
        best.sort_by_key(|&(max_minor, at, _)| (-max_minor, at));
        best.dedup();
        best
    };
    let mut standing = Standing::new(terms, END_US);
    for (at, bid) in bids.iter().enumerate() {
        let (before, after) = (ranked(at), ranked(at + 1));
        let leader = after[0];
        let is_own_raise = before.first().is_some_and(|it| it.2 == bid.bidder_id);
        let mut price = match after.get(1) {
            _ if is_own_raise => standing.price_minor,
            None => terms.start_minor,
            Some(second) => leader.0.min(second.0 + terms.increments.at(second.0)),
        };
        if terms.reserve_minor.is_some_and(|it| leader.0 >= it && price < it) {
            price = terms.reserve_minor.unwrap();
        }
        if (!is_own_raise || price != standing.price_minor)
            && bid.at_us + terms.soft_close_us > standing.ends_at_us
        {
            let to = (bid.at_us + terms.soft_close_us).min(terms.latest_end_us.unwrap_or(i64::MAX));
            if to > standing.ends_at_us {
                standing.ends_at_us = to;
                standing.extension_count += 1;
            }
        }
        standing.price_minor = price;
        standing.leader = Some(Leader { bidder_id: leader.2, max_minor: leader.0 });
    }
    standing
}

prop_compose! {
    fn any_terms()(
        start_minor in 1i64..40,
        reserve_minor in prop::option::of(1i64..90),
        soft_close_us in 0i64..50,
        cap_us in prop::option::of(0i64..60),
        steps in prop::sample::select(vec![vec![(0, 1)], vec![(0, 7)], vec![(0, 1), (20, 3), (50, 11)]]),
    ) -> Terms {
        Terms {
            start_minor,
            reserve_minor,
            soft_close_us,
            latest_end_us: cap_us.map(|it| END_US + it),
            increments: increments(&steps),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Price, leader and end follow from the list of bids alone, and move one way only.
    #[test]
    fn the_standing_is_what_the_sorted_list_of_bids_says(
        terms in any_terms(),
        bids in prop::collection::vec((0u8..4, 1i64..120, -100i64..90), 0..24),
    ) {
        let mut standing = Standing::new(&terms, END_US);
        let mut taken = Vec::new();
        for (who, max_minor, at) in bids {
            let bid = Taken { bidder_id: bidder(char::from(b'A' + who)), max_minor, at_us: END_US + at };
            let before = standing;
            let is_own = before.leader.is_some_and(|it| it.bidder_id == bid.bidder_id);
            match standing.bid(&terms, bid.bidder_id, max_minor, bid.at_us) {
                Ok((next, effect)) => {
                    prop_assert!(bid.at_us < before.ends_at_us);
                    prop_assert!(next.price_minor >= before.price_minor && next.ends_at_us >= before.ends_at_us);
                    prop_assert!(next.leader.unwrap().max_minor >= next.price_minor, "nobody pays more than they said");
                    prop_assert_eq!(is_own, effect == Effect::OwnRaise);
                    if !is_own && before.leader.is_some() {
                        prop_assert!(next.price_minor > before.price_minor);
                    }
                    standing = next;
                    taken.push(bid);
                }
                Err(BidRefusal::Ended) => prop_assert!(bid.at_us >= before.ends_at_us),
                Err(BidRefusal::NotHigher { .. }) => prop_assert!(is_own),
                Err(BidRefusal::BelowMinimum { minimum_minor }) => {
                    prop_assert!(!is_own && max_minor < minimum_minor);
                    prop_assert_eq!(minimum_minor, before.minimum_minor(&terms));
                }
            }
            prop_assert_eq!(reference(&terms, &taken), standing);
        }
    }
}
