//! Offers for land.

use serde_json::{Value, json};
use store::params;

use crate::world::{Answer, DAY_US, World, account, group, lot, on_each, token};

async fn offer(world: &World, number: u128, lot_number: u32, price_minor: i64) -> Answer {
    let body = json!({ "parcel": token(lot_number), "currency": "coin", "price_minor": price_minor });
    world.post(number, "offers", body).await
}

async fn decide(world: &World, number: u128, offer: &str, what: &str) -> Answer {
    world.post(number, &format!("offers/{offer}/{what}"), Value::Null).await
}

async fn state_of(world: &World, number: u128, id: &str) -> String {
    for direction in ["made", "received"] {
        let page = world.get(number, &format!("offers?direction={direction}&state=all")).await;
        let items = page.body["items"].as_array().unwrap().clone();
        if let Some(found) = items.iter().find(|it| it["offer_id"] == json!(id)) {
            return found["state"].as_str().unwrap().to_owned();
        }
    }
    panic!("{number} sees no offer {id}")
}

#[test]
fn an_accepted_offer_pays_from_what_was_held_and_frees_the_others() {
    on_each(async |world| {
        world.landed(1, 0).await;
        for number in 2..=4 {
            world.rich(number, 10_000).await;
        }
        let before = world.events().await.len();
        let first = offer(&world, 2, 0, 4_000).await;
        assert_eq!(first.status.as_u16(), 201, "{}", first.body);
        assert_eq!(world.news_since(before).await, ["market.offer_received 1", "wallet.held 2"]);
        let second = offer(&world, 3, 0, 6_000).await;
        assert_eq!((world.coins(2).await, world.coins(3).await), ((10_000, 6_000), (10_000, 4_000)));
        let received = world.get(1, "offers").await;
        assert_eq!(received.body["items"].as_array().unwrap().len(), 2);
        world.assert_sound().await;

        let before = world.events().await.len();
        let sold = decide(&world, 1, &second.id(), "accept").await;
        assert_eq!((sold.status.as_u16(), &sold.body["buyer_id"]), (200, &json!(account(3))));
        assert_eq!(world.owner(lot(0)).await, account(3));
        assert_eq!((world.coins(2).await, world.coins(3).await), ((10_000, 10_000), (4_000, 4_000)));
        // 6000 less 150 fee and 60 tax.
        assert_eq!(world.coins(1).await.0, 5_790);
        let news = world.news_since(before).await;
        for expected in
            ["market.offer_lapsed 2", "wallet.released 2", "market.offer_accepted 3", "market.sold 1"]
        {
            assert!(news.contains(&expected.to_owned()), "{expected}: {news:?}");
        }
        assert_eq!(state_of(&world, 2, &first.id()).await, "lapsed");
        assert_eq!(state_of(&world, 3, &second.id()).await, "accepted");
        assert_eq!(decide(&world, 1, &first.id(), "accept").await.outcome(), (409, "not_open"));
        let prices = world.get(1, &format!("prices/{}", token(0))).await;
        assert_eq!(
            (&prices.body["history"][0]["kind"], &prices.body["history"][0]["price_minor"]),
            (&json!("offer"), &json!(6_000))
        );
        world.assert_sound().await;
    });
}

#[test]
fn only_owner_and_buyer_know_of_an_offer_and_each_has_their_own_part() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 10_000).await;
        let made = offer(&world, 2, 0, 4_000).await.id();
        for what in ["accept", "decline", "withdraw"] {
            assert_eq!(decide(&world, 3, &made, what).await.outcome(), (404, "offer_not_found"), "{what}");
        }
        assert_eq!(decide(&world, 2, &made, "accept").await.outcome(), (403, "not_owner"));
        assert_eq!(decide(&world, 2, &made, "decline").await.outcome(), (403, "not_owner"));
        assert_eq!(decide(&world, 1, &made, "withdraw").await.outcome(), (403, "not_owner"));
        assert_eq!(world.get(3, "offers?state=all").await.body["items"], json!([]));
        assert_eq!(world.get(3, "offers?state=all&direction=made").await.body["items"], json!([]));
        let withdrawn = decide(&world, 2, &made, "withdraw").await;
        assert_eq!((withdrawn.status.as_u16(), &withdrawn.body["state"]), (200, &json!("withdrawn")));
        assert_eq!(world.coins(2).await, (10_000, 10_000));
        let made = offer(&world, 2, 0, 5_000).await.id();
        assert_eq!(decide(&world, 1, &made, "decline").await.body["state"], json!("declined"));
        assert_eq!(world.coins(2).await, (10_000, 10_000));
        world.assert_sound().await;
    });
}

#[test]
fn the_first_reason_that_applies_is_given() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 10_000).await;
        assert_eq!(offer(&world, 2, 9, 1_000).await.outcome(), (409, "not_owned"));
        assert_eq!(offer(&world, 1, 0, 1_000).await.outcome(), (422, "own_land"));
        assert_eq!(offer(&world, 2, 0, 10_001).await.outcome(), (422, "insufficient_funds"));
        for price in [0, -1, 1 << 53] {
            assert_eq!(offer(&world, 2, 0, price).await.outcome(), (422, "invalid_body"), "{price}");
        }
        for (more, code) in [
            (json!({ "currency": "gold" }), "unknown_currency"),
            (json!({ "days": 31 }), "invalid_body"),
            (json!({ "message": "a\nb" }), "invalid_body"),
            (json!({ "message": "\u{202e}ab" }), "invalid_body"),
            (json!({ "message": "x".repeat(10_000) }), "invalid_body"),
            (json!({ "hold_id": account(1) }), "invalid_body"),
            (json!({ "expires_at": 1 }), "invalid_body"),
        ] {
            let mut body = json!({ "parcel": token(0), "currency": "coin", "price_minor": 100 });
            for (name, value) in more.as_object().unwrap() {
                body[name] = value.clone();
            }
            assert_eq!(world.post(2, "offers", body).await.outcome(), (422, code), "{more}");
        }
        world.found(1, &[1]);
        world.give(group(1), 500).await;
        let body =
            json!({ "parcel": token(0), "currency": "coin", "price_minor": 100, "as_group": group(1) });
        assert_eq!(world.post(1, "offers", body.clone()).await.outcome(), (422, "own_land"));
        assert_eq!(world.post(2, "offers", body).await.outcome(), (403, "may_not_act"));
        assert_eq!(offer(&world, 2, 0, 1_000).await.status.as_u16(), 201);
        assert_eq!(offer(&world, 2, 0, 1_000).await.outcome(), (409, "offer_exists"));
        assert_eq!(world.coins(2).await, (10_000, 9_000));
        world.assert_sound().await;
    });
}

#[test]
fn an_offer_s_time_ends_and_its_money_is_free() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 10_000).await;
        let made = offer(&world, 2, 0, 4_000).await.id();
        world.clock.advance_us(7 * DAY_US);
        let late = decide(&world, 1, &made, "accept").await;
        assert_eq!((late.outcome(), &late.body["state"]), ((409, "not_open"), &json!("expired")));
        assert_eq!(world.market.run_due().await, 1);
        assert_eq!(world.market.run_due().await, 0);
        assert_eq!(world.coins(2).await, (10_000, 10_000));
        world.clock.advance_us(-DAY_US);
        assert_eq!(decide(&world, 1, &made, "accept").await.outcome(), (409, "not_open"));
        world.assert_sound().await;
    });
}

#[test]
fn accepting_takes_a_listing_back_but_not_an_auction() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.landed(1, 1).await;
        world.rich(2, 10_000).await;
        let (first, second) = (offer(&world, 2, 0, 1_000).await.id(), offer(&world, 2, 1, 2_000).await.id());
        let listing = world.list(1, 0, 9_000).await;
        let auction = world.auction(1, 1, "english", json!({})).await;
        let bound = decide(&world, 1, &second, "accept").await;
        assert_eq!((bound.outcome(), &bound.body["kind"]), ((409, "encumbered"), &json!("auction")));
        assert_eq!(decide(&world, 1, &first, "accept").await.status.as_u16(), 200);
        assert_eq!(world.get(1, &format!("listings/{listing}")).await.body["state"], json!("cancelled"));
        // The auction's buyer gets the land; the offer is over.
        world.rich(3, 10_000).await;
        world.bid(3, &auction, 5_000).await;
        world.clock.advance_us(3 * DAY_US);
        world.market.run_due().await;
        assert_eq!((world.owner(lot(0)).await, world.owner(lot(1)).await), (account(2), account(3)));
        assert_eq!(state_of(&world, 2, &second).await, "lapsed");
        assert_eq!(world.coins(2).await, (9_000, 9_000));
        world.assert_sound().await;
    });
}

#[test]
fn an_offer_lapses_when_its_land_goes_another_way() {
    on_each(async |world| {
        for number in 0..3 {
            world.landed(1, number).await;
        }
        world.rich(2, 10_000).await;
        let mut made = Vec::new();
        for number in 0..3 {
            made.push(offer(&world, 2, number, 1_000).await.id());
        }
        // Sold to somebody else: at once.
        world.rich(3, 10_000).await;
        let listing = world.list(1, 0, 500).await;
        assert_eq!(world.buy(3, &listing, 500).await.status.as_u16(), 200);
        assert_eq!(state_of(&world, 2, &made[0]).await, "lapsed");
        assert_eq!(world.coins(2).await, (10_000, 8_000));
        // Given or merged, of which the market is not told: it looks.
        let (given, merged) = (lot(1).to_sql(), lot(2).to_sql());
        world
            .store
            .locked(move |tx| {
                tx.execute("update parcels set cell_count = 2 where parcel_id = $1", params![merged])?;
                tx.execute(
                    "update parcels set owner_id = $2 where parcel_id = $1",
                    params![given, account(9)],
                )
            })
            .await
            .unwrap();
        assert_eq!(decide(&world, 1, &made[1], "accept").await.outcome(), (409, "parcel_changed"));
        assert_eq!(decide(&world, 1, &made[2], "accept").await.outcome(), (409, "parcel_changed"));
        assert_eq!(world.market.run_due().await, 2);
        for id in &made {
            assert_eq!(state_of(&world, 2, id).await, "lapsed");
        }
        assert_eq!(world.coins(2).await, (10_000, 10_000));
    });
}

#[test]
fn racing_decisions_about_an_offer_decide_it_once() {
    on_each(async |world| {
        let world = std::sync::Arc::new(world);
        for round in 0..6u32 {
            world.landed(1, round).await;
            let buyer = 10 + u128::from(round);
            world.rich(buyer, 5_000).await;
            world.rich(50, 5_000).await;
            let made = offer(&world, buyer, round, 3_000).await.id();
            let listing = world.list(1, round, 2_000).await;
            let mut tasks = Vec::new();
            for what in 0..8 {
                let (world, made, listing) = (std::sync::Arc::clone(&world), made.clone(), listing.clone());
                tasks.push(tokio::spawn(async move {
                    match what {
                        0 | 4 => decide(&world, 1, &made, "accept").await,
                        1 => decide(&world, 1, &made, "decline").await,
                        2 => decide(&world, buyer, &made, "withdraw").await,
                        3 => world.buy(50, &listing, 2_000).await,
                        _ => world.delete(1, &format!("listings/{listing}")).await,
                    }
                }));
            }
            for task in tasks {
                let answer = task.await.unwrap();
                let is_known = matches!(
                    answer.outcome(),
                    (200, "") | (409, "not_open" | "parcel_changed") | (403, "not_owner")
                );
                assert!(is_known, "{:?} {}", answer.outcome(), answer.body);
            }
            world.market.run_due().await;
            let state = state_of(&world, buyer, &made).await;
            let owner = world.owner(lot(round)).await;
            assert_eq!(state == "accepted", owner == account(buyer), "{state}");
            assert_ne!(state, "open");
            world.assert_sound().await;
        }
    });
}
