//! What binds land and money is found when it is not what it should be.

use serde_json::json;
use store::params;
use wallet::{Fault, HoldReason};

use crate::world::{World, account, on_each};

async fn held_faults(world: &World) -> Vec<Fault> {
    let read = |tx: &mut store::Tx<'_>| {
        let reasons = market::hold_reasons(tx)?;
        wallet::verify_reasons(tx, &reasons)
    };
    world.store.read(read).await.expect("it can be read")
}

async fn change(world: &World, sql: &'static str) {
    world.store.locked(move |tx| tx.execute(sql, params![]).map(drop)).await.expect("it can be changed");
}

#[test]
fn a_bid_without_its_money_and_money_without_its_bid_are_found() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 100_000).await;
        let auction = world.auction(1, 0, "english", json!({ "start_minor": 1_000 })).await;
        assert_eq!(world.bid(2, &auction, 5_000).await.status.as_u16(), 201);
        world.assert_sound().await;

        change(&world, "update bidders set max_minor = 6000").await;
        let faults = held_faults(&world).await;
        let (missing, left) = (&faults[0], &faults[1]);
        assert!(
            matches!(missing, Fault::ReasonWithoutHold { account_id, amount_minor: 6_000, .. } if *account_id == account(2)),
            "{missing:?}"
        );
        assert!(matches!(left, Fault::HoldWithoutReason { amount_minor: 5_000, .. }), "{left:?}");

        change(&world, "update bidders set max_minor = 5000").await;
        change(&world, "update auctions set leader_id = null, leader_max_minor = null").await;
        let faults = held_faults(&world).await;
        assert!(matches!(faults[..], [Fault::HoldWithoutReason { .. }]), "{faults:?}");
    });
}

#[test]
fn two_reasons_cannot_count_on_the_same_money() {
    on_each(async |world| {
        let reason = HoldReason { hold_id: account(7), account_id: account(2), amount_minor: 5 };
        let faults = world.store.read(move |tx| wallet::verify_reasons(tx, &[reason, reason])).await.unwrap();
        assert_eq!(faults.len(), 2, "both are without a hold: {faults:?}");
    });
}

#[test]
fn a_sale_that_does_not_bind_its_land_is_found() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.list(1, 0, 500).await;
        change(&world, "delete from encumbrances").await;
        let read = |tx: &mut store::Tx<'_>| {
            land::verify_with(tx, &[(land::EncumbranceKind::Listing, &market::open_listings)])
        };
        let faults = world.store.read(read).await.unwrap();
        assert!(faults.iter().any(|it| matches!(it, land::Fault::NotPromised { .. })), "{faults:?}");
    });
}
