//! Upkeep and reclaim, where the operator wants them.

use ledger::AccountRef;
use store::testing::for_each_engine;

use crate::world::{ANN, BOB, CAT, DAY, NOW_US, S, WELCOME, World, account, migrations};

/// 1200 m² cost 12 coins a period of 30 days.
fn with_upkeep(text: &str) -> String {
    text.replace("[land.upkeep]\nenabled = false", "[land.upkeep]\nenabled = true")
}

/// A year without being seen, a month of notice.
fn with_reclaim(text: &str) -> String {
    text.replace("[land.reclaim]\nenabled = false", "[land.reclaim]\nenabled = true")
}

fn with_both(text: &str) -> String {
    with_reclaim(&with_upkeep(text))
}

#[test]
fn upkeep_is_charged_once_for_each_period_and_parcel() {
    for_each_engine(&migrations(), async |store| {
        let world = World::with(store, with_upkeep).await;
        // More than a page.
        for number in 1..130 {
            world.own(BOB, number).await;
        }
        assert_eq!(world.coins(ANN).await, WELCOME, "what had begun before is not charged");
        world.clock.advance_us(30 * DAY);
        let workers = (0..3).map(|_| {
            let tenure = std::sync::Arc::clone(&world.tenure);
            tokio::spawn(async move { tenure.round().await.expect("it is worked on") })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
        assert_eq!((world.coins(ANN).await, world.coins(BOB).await), (WELCOME - 12, WELCOME - 129 * 12));
        for back in [60 * 60 * S, 40 * DAY] {
            world.pass(-back).await;
            world.pass(back).await;
        }
        assert_eq!(world.coins(ANN).await, WELCOME - 12);
        // A rest of 50 periods costs 12 of them.
        world.pass(50 * 30 * DAY).await;
        assert_eq!(world.coins(ANN).await, WELCOME - 12 * 13);
        world.assert_books_sound().await;
    });
}

#[test]
fn who_does_not_pay_upkeep_is_told_and_then_loses_the_land() {
    for_each_engine(&migrations(), async |store| {
        let world = World::with(store, with_both).await;
        world.pay(ANN, AccountRef::Wallet(account(CAT)), WELCOME).await;
        let seen = |world: &World, at_us| world.see(ANN, at_us);
        world.pass(30 * DAY).await;
        assert_eq!(
            (world.count_told("land.upkeep_missed").await, world.count_told("land.reclaim_warned").await),
            (1, 0)
        );
        // Paying makes it good.
        world.pay(CAT, AccountRef::Wallet(account(ANN)), 12).await;
        world.pass(30 * DAY).await;
        for period in 1..=2 {
            seen(&world, NOW_US + (60 + 30 * period) * DAY);
            world.pass(30 * DAY).await;
        }
        assert_eq!(
            (world.count_told("land.upkeep_missed").await, world.count_told("land.reclaim_warned").await),
            (3, 1)
        );
        world.pass(29 * DAY).await;
        assert_eq!(world.owner_of(0).await, Some(ANN));
        world.pass(DAY).await;
        assert_eq!(world.owner_of(0).await, None);
        // Once to those near, once to the owner.
        assert_eq!(world.count_told("land.reclaimed").await, 2);
        world.assert_books_sound().await;
    });
}

#[test]
fn land_of_one_who_is_gone_goes_back_after_a_notice_unless_they_return() {
    for_each_engine(&migrations(), async |store| {
        let world = World::with(store, with_reclaim).await;
        world.own(BOB, 1).await;
        world.own(CAT, 2).await;
        world.see(ANN, NOW_US);
        world.see(BOB, NOW_US);
        // Of Cat nothing is known: nothing is taken.
        world.pass(365 * DAY).await;
        assert_eq!(world.count_told("land.reclaim_warned").await, 0);
        world.pass(DAY).await;
        assert_eq!(world.count_told("land.reclaim_warned").await, 2);
        world.see(BOB, NOW_US + 370 * DAY);
        world.pass(DAY).await;
        // A clock set back and forth changes nothing.
        world.pass(-2 * DAY).await;
        world.pass(2 * DAY).await;
        world.pass(30 * DAY).await;
        assert_eq!(
            (world.owner_of(0).await, world.owner_of(1).await, world.owner_of(2).await),
            (None, Some(BOB), Some(CAT))
        );
        assert_eq!(world.count_told("land.reclaim_warned").await, 2);
        world.assert_books_sound().await;
    });
}

#[test]
fn without_the_operators_wish_nothing_is_charged_and_nothing_taken() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        world.see(ANN, NOW_US);
        for _ in 0..5 {
            world.pass(400 * DAY).await;
        }
        assert_eq!((world.coins(ANN).await, world.owner_of(0).await), (WELCOME, Some(ANN)));
    });
}
