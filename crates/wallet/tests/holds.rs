//! Money that is held cannot be spent, and is let go exactly once, on both engines.

mod support;

use std::sync::Arc;

use api::ManualClock;
use ledger::{AccountRef, AssetId, Posting, PostingKind};
use store::Store;
use store::testing::for_each_engine;
use support::{NOW_US, assert_sound, available, balance, bid, coins, id, minor, post, report, wallet_of};
use tokio::sync::watch;
use wallet::{HoldError, HoldRequest, HoldState, MIGRATIONS, PostError, Posted};

async fn hold(store: &Store, request: HoldRequest) -> Result<(), HoldError> {
    store.locked(move |tx| wallet::hold(tx, &request, NOW_US)).await
}

async fn void(store: &Store, hold: u128) -> Result<(), HoldError> {
    store.locked(move |tx| wallet::void_hold(tx, id(hold), NOW_US)).await
}

async fn change(store: &Store, hold: u128, amount: i64) -> Result<(), HoldError> {
    store.locked(move |tx| wallet::change_hold(tx, id(hold), minor(amount), NOW_US)).await
}

async fn post_hold(store: &Store, hold: u128, posting: Posting, now_us: i64) -> Result<Posted, HoldError> {
    store.locked(move |tx| wallet::post_hold(tx, id(hold), &posting, now_us)).await
}

async fn state(store: &Store, hold: u128) -> HoldState {
    store
        .read(move |tx| wallet::find_hold(tx, id(hold)))
        .await
        .expect("it can be read")
        .expect("it is there")
        .state
}

/// Two players with 100 coins each.
async fn furnish(store: &Store) {
    for n in 1..=2 {
        post(store, &coins(&format!("start {n}"), AccountRef::Mint, wallet_of(n), 100))
            .await
            .expect("booked");
    }
}

fn short(available: i64, needed: i64) -> HoldError {
    HoldError::InsufficientFunds { available: minor(available), needed: minor(needed) }
}

#[test]
fn what_is_held_cannot_be_spent_or_held_again() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        hold(&store, bid(1, 1, 60, None)).await.unwrap();
        assert_eq!((balance(&store, wallet_of(1)).await, available(&store, wallet_of(1)).await), (100, 40));
        let refused = store
            .locked(|tx| Ok::<_, store::Error>(wallet::hold(tx, &bid(2, 1, 41, None), NOW_US)))
            .await
            .unwrap();
        assert_eq!(refused, Err(short(40, 41)));
        assert_sound(&store).await;
        let refused = post(&store, &coins("b", wallet_of(1), wallet_of(2), 41)).await;
        assert!(
            matches!(refused, Err(PostError::InsufficientFunds { available, .. }) if available == minor(40))
        );
        post(&store, &coins("c", wallet_of(1), wallet_of(2), 40)).await.unwrap();
        hold(&store, bid(3, 2, 140, None)).await.unwrap();
        assert_eq!(hold(&store, bid(4, 9, 1, None)).await, Err(short(0, 1)), "nobody's empty wallet");
        assert_eq!(hold(&store, bid(5, 1, 0, None)).await, Err(HoldError::NotPositive));
        let long = HoldRequest { reference: "x".repeat(101), ..bid(5, 1, 1, None) };
        assert_eq!(hold(&store, long).await, Err(HoldError::Reference));
        assert_sound(&store).await;
    });
}

#[test]
fn a_hold_is_made_once_and_released_once() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        for _ in 0..2 {
            hold(&store, bid(1, 1, 60, None)).await.unwrap();
        }
        assert_eq!(available(&store, wallet_of(1)).await, 40);
        assert_eq!(hold(&store, bid(1, 1, 61, None)).await, Err(HoldError::IdTaken));
        assert_eq!(hold(&store, bid(1, 2, 60, None)).await, Err(HoldError::IdTaken));
        change(&store, 1, 100).await.unwrap();
        assert_eq!(change(&store, 1, 101).await, Err(short(0, 1)));
        assert_eq!(change(&store, 1, 0).await, Err(HoldError::NotPositive));
        change(&store, 1, 30).await.unwrap();
        assert_eq!(available(&store, wallet_of(1)).await, 70);
        for _ in 0..2 {
            void(&store, 1).await.unwrap();
        }
        assert_eq!(available(&store, wallet_of(1)).await, 100);
        let voided = HoldError::Settled { state: HoldState::Voided };
        assert_eq!(change(&store, 1, 5).await, Err(voided.clone()));
        assert_eq!(
            hold(&store, bid(1, 1, 30, None)).await,
            Err(voided.clone()),
            "a late repeat holds nothing"
        );
        let spent = post_hold(&store, 1, coins("b", wallet_of(1), wallet_of(2), 30), NOW_US).await;
        assert_eq!(spent, Err(voided));
        assert_eq!(void(&store, 7).await, Err(HoldError::NotFound));
        assert_sound(&store).await;
    });
}

#[test]
fn a_hold_is_spent_whole_or_in_part_and_the_rest_is_free() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        hold(&store, bid(1, 1, 100, None)).await.unwrap();
        let sale = coins("sale", wallet_of(1), wallet_of(2), 70);
        let first = post_hold(&store, 1, sale.clone(), NOW_US).await.unwrap();
        assert!(first.is_new);
        let again = post_hold(&store, 1, sale, NOW_US).await.unwrap();
        assert_eq!(again, Posted { is_new: false, ..first });
        let other = post_hold(&store, 1, coins("other", wallet_of(1), wallet_of(2), 5), NOW_US).await;
        assert_eq!(other, Err(HoldError::Settled { state: HoldState::Posted }));
        assert_eq!(void(&store, 1).await, Err(HoldError::Settled { state: HoldState::Posted }));
        assert_eq!((balance(&store, wallet_of(1)).await, available(&store, wallet_of(1)).await), (30, 30));
        // One that is refused leaves the hold as it is, even if the transaction is kept.
        hold(&store, bid(2, 1, 30, None)).await.unwrap();
        let too_much = coins("too much", wallet_of(1), wallet_of(2), 31);
        let refused = store
            .locked(move |tx| Ok::<_, store::Error>(wallet::post_hold(tx, id(2), &too_much, NOW_US)))
            .await
            .unwrap();
        assert!(matches!(refused, Err(HoldError::Post(PostError::InsufficientFunds { .. }))), "{refused:?}");
        assert_eq!((state(&store, 2).await, available(&store, wallet_of(1)).await), (HoldState::Pending, 0));
        // What was paid without the hold is not paid with it.
        let paid = coins("paid", wallet_of(2), wallet_of(1), 5);
        post(&store, &paid).await.unwrap();
        let refused = post_hold(&store, 2, paid, NOW_US).await;
        assert_eq!(refused, Err(HoldError::Post(PostError::ClientIdTaken)));
        assert_eq!(state(&store, 2).await, HoldState::Pending);
        assert_sound(&store).await;
    });
}

/// Deed and money in one posting, out of a hold.
#[test]
fn a_sale_out_of_a_hold_moves_the_deed_with_the_money() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        let deed = AssetId::try_deed("4b").unwrap();
        let claim = Posting::of(PostingKind::LandClaim, "claim", "lot:4b")
            .transfer(AccountRef::LandOffice, wallet_of(2), &deed, minor(1))
            .finish()
            .unwrap();
        post(&store, &claim).await.unwrap();
        hold(&store, bid(1, 1, 90, None)).await.unwrap();
        let sale = Posting::of(PostingKind::AuctionSale, "auction:1:settle", "auction:1")
            .leg(wallet_of(1), AssetId::coin(), minor(-80))
            .leg(wallet_of(2), AssetId::coin(), minor(77))
            .leg(AccountRef::Fees, AssetId::coin(), minor(2))
            .leg(AccountRef::Tax, AssetId::coin(), minor(1))
            .transfer(wallet_of(2), wallet_of(1), &deed, minor(1))
            .finish()
            .unwrap();
        post_hold(&store, 1, sale, NOW_US).await.unwrap();
        let holder = store.read(wallet::deed_holders).await.unwrap();
        assert_eq!(holder, [(deed, id(1))]);
        let all = [wallet_of(1), wallet_of(2), AccountRef::Fees, AccountRef::Tax];
        let mut found = Vec::new();
        for account in all {
            found.push(available(&store, account).await);
        }
        assert_eq!(found, [20, 177, 2, 1]);
        assert_sound(&store).await;
    });
}

#[test]
fn a_hold_ends_at_its_time_and_stays_ended_when_the_clock_goes_back() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        for (n, expires_at_us) in [(1, Some(NOW_US + 10)), (2, Some(NOW_US + 20)), (3, None)] {
            hold(&store, bid(n, 1, 10, expires_at_us)).await.unwrap();
        }
        let expire =
            async |now_us| store.locked(move |tx| wallet::expire_holds(tx, now_us, 10)).await.unwrap();
        assert!(expire(NOW_US + 9).await.is_empty());
        // At its time it is over, released or not.
        let late = post_hold(&store, 1, coins("late", wallet_of(1), wallet_of(2), 1), NOW_US + 10).await;
        assert_eq!(late, Err(HoldError::Settled { state: HoldState::Expired }));
        let ended = expire(NOW_US + 10).await;
        assert_eq!(ended.iter().map(|it| (it.hold_id, it.amount)).collect::<Vec<_>>(), [(id(1), minor(10))]);
        assert_eq!((state(&store, 1).await, available(&store, wallet_of(1)).await), (HoldState::Expired, 80));
        let back =
            post_hold(&store, 1, coins("back", wallet_of(1), wallet_of(2), 1), NOW_US - 3_600_000_000).await;
        assert_eq!(back, Err(HoldError::Settled { state: HoldState::Expired }));
        void(&store, 1).await.unwrap();
        assert_eq!(expire(NOW_US + 1000).await.len(), 1);
        assert!(expire(NOW_US + 1000).await.is_empty());
        assert_eq!(available(&store, wallet_of(1)).await, 90);
        assert_sound(&store).await;
    });
}

/// Releasing, spending and expiring one hold at the same instant: one of them happens.
#[test]
fn of_many_who_settle_one_hold_one_does() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        for round in 0..10u128 {
            hold(&store, bid(round, 1, 10, Some(NOW_US + 10))).await.unwrap();
            let tasks: Vec<_> = (0..12)
                .map(|n| {
                    let store = store.clone();
                    let pay = coins(&format!("pay {round}"), wallet_of(1), wallet_of(2), 5);
                    tokio::spawn(async move {
                        match n % 3 {
                            0 => void(&store, round).await.is_ok(),
                            1 => post_hold(&store, round, pay, NOW_US).await.is_ok(),
                            _ => store
                                .locked(|tx| wallet::expire_holds(tx, NOW_US + 10, 10))
                                .await
                                .is_ok_and(|it| !it.is_empty()),
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_ne!(state(&store, round).await, HoldState::Pending);
            assert_sound(&store).await;
        }
        let report = report(&store).await;
        let spent = report.postings - 2;
        assert_eq!(available(&store, wallet_of(1)).await, 100 - 5 * spent);
    });
}

/// Two who outbid each other in two auctions touch the same two balances in opposite order.
#[test]
fn who_takes_the_balances_first_waits_for_nobody_in_a_circle() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        hold(&store, bid(1001, 1, 1, None)).await.unwrap();
        hold(&store, bid(1002, 2, 1, None)).await.unwrap();
        let outbid = async |store: &Store, auction: u128, from: u128, to: u128, n: u128| {
            store
                .locked(move |tx| {
                    let coin = AssetId::coin();
                    wallet::take_balances(
                        tx,
                        &[(wallet_of(from), coin.clone()), (wallet_of(to), coin)],
                        NOW_US,
                    )?;
                    wallet::void_hold(tx, id(auction * 1000 + n), NOW_US)?;
                    wallet::hold(tx, &bid(auction * 1000 + n + 2, to, 1, None), NOW_US)
                })
                .await
        };
        for n in 0..20u128 {
            let (first, second) = (store.clone(), store.clone());
            let (a, b) = if n % 2 == 0 { (1, 2) } else { (2, 1) };
            let one = tokio::spawn(async move { outbid(&first, 1, a, b, 1 + 2 * n).await });
            let two = tokio::spawn(async move { outbid(&second, 1, b, a, 2 + 2 * n).await });
            assert_eq!((one.await.unwrap(), two.await.unwrap()), (Ok(()), Ok(())), "{n}");
        }
        assert_sound(&store).await;
    });
}

#[test]
fn the_keeper_seals_ends_holds_and_stops() {
    let migrations = [MIGRATIONS, events::MIGRATIONS].concat();
    for_each_engine(&migrations, async |store| {
        furnish(&store).await;
        hold(&store, bid(1, 1, 10, Some(NOW_US + 10))).await.unwrap();
        let clock = Arc::new(ManualClock::at(NOW_US));
        let stop = watch::Sender::new(false);
        let keeping = tokio::spawn(wallet::keep(store.clone(), clock.clone(), stop.subscribe()));
        clock.advance_us(10);
        while state(&store, 1).await == HoldState::Pending || report(&store).await.unsealed > 0 {
            tokio::task::yield_now().await;
        }
        stop.send_replace(true);
        keeping.await.unwrap();
        assert_eq!(report(&store).await.chain_head.0, 2);
        assert_sound(&store).await;
    });
}
