//! Prices and owners are in the audit log, each with whom decided it.

use audit::{Filter, Logged};
use serde_json::{Value, json};

use crate::world::{DAY_US, World, account, on_each, token};

/// What is on record of a subject, the oldest first.
async fn recorded(world: &World, subject: &str) -> Vec<(String, Option<uuid::Uuid>, Value)> {
    let filter = Filter { subject: Some(subject.to_owned()), ..Filter::default() };
    let sealed = world.store.locked(|tx| audit::seal(tx, 1_000)).await;
    sealed.expect("it is sealed");
    let mut found: Vec<Logged> =
        world.store.read(move |tx| audit::list(tx, &filter, 100)).await.expect("it can be read");
    found.reverse();
    let shown = |it: Logged| {
        let details = serde_json::from_str(&it.details).expect("details are JSON");
        (it.action, it.actor_account_id, details)
    };
    found.into_iter().map(shown).collect()
}

#[test]
fn each_price_and_each_owner_is_on_record() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 20_000).await;
        let listing = world.list(1, 0, 10_000).await;
        let path = format!("listings/{listing}");
        for price_minor in [9_000, 9_000] {
            // Entries of one moment have no order.
            world.clock.advance_us(1_000_000);
            let changed = world.patch(1, &path, json!({ "price_minor": price_minor })).await;
            assert_eq!(changed.status.as_u16(), 200, "{}", changed.body);
        }
        assert_eq!(world.buy(2, &listing, 8_000).await.outcome(), (409, "price_changed"));
        assert_eq!(world.buy(2, &listing, 9_000).await.status.as_u16(), 200);

        let prices = recorded(&world, &listing).await;
        let prices: Vec<_> = prices
            .iter()
            .map(|(action, by, details)| (action.as_str(), *by, &details["from_minor"], &details["to_minor"]))
            .collect();
        let seller = Some(account(1));
        assert_eq!(
            prices,
            [
                ("listing.price_changed", seller, &Value::Null, &json!(10_000)),
                ("listing.price_changed", seller, &json!(10_000), &json!(9_000)),
            ]
        );
        let owners = recorded(&world, &token(0)).await;
        let (action, by, details) = owners.last().expect("the sale is on record");
        assert_eq!((action.as_str(), *by), ("land.ownership_changed", Some(account(2))));
        assert_eq!((&details["why"], &details["price_minor"]), (&json!("sale"), &json!(9_000)));
        assert_eq!((&details["from_id"], &details["to_id"]), (&json!(account(1)), &json!(account(2))));
        let report = world.store.read(audit::verify).await.expect("it can be read");
        assert!(report.is_sound(), "{:?}", report.faults);
    });
}

#[test]
fn an_auction_is_on_record_with_its_terms_without_its_reserve_and_ends_by_itself() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 20_000).await;
        let more = json!({ "start_minor": 100, "reserve_minor": 4_321 });
        let auction = world.auction(1, 0, "english", more).await;
        assert_eq!(world.bid(2, &auction, 5_000).await.status.as_u16(), 201);
        world.clock.advance_us(30 * DAY_US);
        world.market.run_due().await;
        let (action, by, details) = recorded(&world, &auction).await.remove(0);
        assert_eq!((action.as_str(), by), ("auction.terms_set", Some(account(1))));
        assert_eq!((&details["start_minor"], &details["has_reserve"]), (&json!(100), &json!(true)));
        assert!(!details.to_string().contains("4321"), "a reserve is a secret: {details}");
        let owners = recorded(&world, &token(0)).await;
        let (_, by, details) = owners.last().expect("the sale is on record");
        assert_eq!((by, &details["why"]), (&None, &json!("auction_sale")));
    });
}

#[test]
fn who_accepts_an_offer_is_on_record() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 20_000).await;
        let body = json!({ "parcel": token(0), "currency": "coin", "price_minor": 500 });
        let offer = world.post(2, "offers", body).await;
        assert_eq!(offer.status.as_u16(), 201, "{}", offer.body);
        let accepted = world.post(1, &format!("offers/{}/accept", offer.id()), Value::Null).await;
        assert_eq!(accepted.status.as_u16(), 200, "{}", accepted.body);
        let owners = recorded(&world, &token(0)).await;
        let (_, by, details) = owners.last().expect("the sale is on record");
        assert_eq!((*by, &details["why"]), (Some(account(1)), &json!("offer_sale")));
    });
}
