//! Sales at a fixed price.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::{DAY_US, World, account, group, lot, on_each, token};

#[test]
fn a_sale_moves_money_deed_and_title_together_and_pays_fee_and_tax() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 20_000).await;
        let listing = world.list(1, 0, 10_000).await;
        let seen = world.get(2, &format!("listings/{listing}")).await;
        assert_eq!(seen.body["price_minor"], json!(10_000));
        assert_eq!(seen.body["minor_per_m2"], json!(10.0));
        assert_eq!((&seen.body["kind"], &seen.body["state"]), (&json!("fixed"), &json!("open")));
        assert_eq!(seen.body["seller"]["display_name"], json!("player 1"));
        assert_eq!(seen.body["parcel"]["cells"], json!([token(0)]));
        assert_eq!((&seen.body["is_yours"], &seen.body["parcel"]["name"]), (&json!(false), &json!("a lot")));
        let before = world.events().await.len();

        let bought = world.buy(2, &listing, 10_000).await;
        assert_eq!(bought.status.as_u16(), 200, "{}", bought.body);
        assert_eq!(bought.body["buyer_id"], json!(account(2)));
        assert_eq!(world.owner(lot(0)).await, account(2));
        assert_eq!(world.coins(2).await, (10_000, 10_000));
        // 2.5 % fee and 1 % tax.
        assert_eq!(world.coins(1).await, (9_650, 9_650));
        assert_eq!(world.coins_of(ledger::AccountRef::Fees.id()).await.0, 250);
        assert_eq!(world.coins_of(ledger::AccountRef::Tax.id()).await.0, 100);
        let after = world.get(1, &format!("listings/{listing}")).await;
        assert_eq!(
            (&after.body["state"], &after.body["buyer"]["display_name"]),
            (&json!("sold"), &json!("player 2"))
        );
        let news = world.news_since(before).await;
        assert!(news.contains(&"land.ownership_changed near".to_owned()), "{news:?}");
        assert!(news.contains(&"market.sold 1".to_owned()), "{news:?}");
        world.assert_sound().await;
    });
}

#[test]
fn the_first_reason_that_applies_is_given() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 100).await;
        let listing = world.list(1, 0, 10_000).await;
        let nothing = uuid::Uuid::now_v7().to_string();
        assert_eq!(world.buy(2, &nothing, 1).await.outcome(), (404, "listing_not_found"));
        assert_eq!(world.buy(1, &listing, 1).await.outcome(), (422, "own_land"));
        let refused = world.buy(2, &listing, 9_999).await;
        assert_eq!(
            (refused.outcome(), &refused.body["price_minor"]),
            ((409, "price_changed"), &json!(10_000))
        );
        let refused = world.buy(2, &listing, 10_000).await;
        assert_eq!(refused.outcome(), (422, "insufficient_funds"));
        assert_eq!(
            (&refused.body["available_minor"], &refused.body["price_minor"]),
            (&json!(100), &json!(10_000))
        );
        let path = format!("listings/{listing}/purchase");
        world.found(1, &[3]);
        let body = json!({ "price_minor": 10_000, "as_group": group(1) });
        assert_eq!(world.post(2, &path, body).await.outcome(), (403, "may_not_act"));
        world.rich(2, 9_900).await;
        world.clock.advance_us(7 * DAY_US);
        let refused = world.buy(2, &listing, 1).await;
        assert_eq!((refused.outcome(), &refused.body["state"]), ((409, "not_open"), &json!("expired")));
        world.assert_sound().await;
    });
}

#[test]
fn only_those_who_may_decide_for_the_owner_sell_and_only_what_is_free() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.found(1, &[3, 4]);
        world.settle(lot(1), group(1)).await;
        let body = |lot: u32| json!({ "parcel": token(lot), "currency": "coin", "price_minor": 100 });
        assert_eq!(world.post(2, "listings", body(0)).await.outcome(), (403, "not_owner"));
        assert_eq!(world.post(2, "listings", body(9)).await.outcome(), (409, "not_owned"));
        assert_eq!(world.post(1, "listings", body(1)).await.outcome(), (403, "not_owner"));
        let listed = world.post(3, "listings", body(1)).await;
        assert_eq!((listed.status.as_u16(), &listed.body["seller"]["kind"]), (201, &json!("group")));
        // One of the group's sees it as theirs, may take it back, and may not buy it for themselves.
        world.rich(4, 1_000).await;
        assert_eq!(world.buy(4, &listed.id(), 100).await.outcome(), (422, "own_land"));
        let mine = world.get(4, &format!("listings/mine?as_group={}", group(1))).await;
        assert_eq!(mine.body["items"].as_array().unwrap().len(), 1);
        assert_eq!(mine.body["items"][0]["is_yours"], json!(true));
        assert_eq!(
            world.get(2, &format!("listings/mine?as_group={}", group(1))).await.outcome(),
            (403, "may_not_act")
        );
        assert_eq!(world.delete(4, &format!("listings/{}", listed.id())).await.status.as_u16(), 200);

        let listing = world.list(1, 0, 100).await;
        let again = world.post(1, "listings", body(0)).await;
        assert_eq!((again.outcome(), &again.body["kind"]), ((409, "encumbered"), &json!("listing")));
        let auction = json!({ "parcel": token(0), "kind": "english", "currency": "coin", "start_minor": 5 });
        assert_eq!(world.post(1, "auctions", auction.clone()).await.outcome(), (409, "encumbered"));
        assert_eq!(world.delete(2, &format!("listings/{listing}")).await.outcome(), (403, "not_owner"));
        assert_eq!(world.delete(1, &format!("listings/{listing}")).await.body["state"], json!("cancelled"));
        assert_eq!(world.delete(1, &format!("listings/{listing}")).await.outcome(), (409, "not_open"));
        assert_eq!(world.buy(2, &listing, 100).await.outcome(), (409, "not_open"));
        assert_eq!(world.post(1, "auctions", auction).await.status.as_u16(), 201);
        let again = world.post(1, "listings", body(0)).await;
        assert_eq!((again.outcome(), &again.body["kind"]), ((409, "encumbered"), &json!("auction")));
        world.assert_sound().await;
    });
}

#[test]
fn an_owner_does_not_buy_through_a_group() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.found(1, &[1, 2]);
        world.give(group(1), 1_000).await;
        let listing = world.list(1, 0, 100).await;
        let path = format!("listings/{listing}/purchase");
        let body = json!({ "price_minor": 100, "as_group": group(1) });
        assert_eq!(world.post(2, &path, body.clone()).await.outcome(), (422, "own_land"));
        // A group that the seller has nothing to do with may.
        world.found(2, &[2]);
        world.give(group(2), 1_000).await;
        let body = json!({ "price_minor": 100, "as_group": group(2) });
        assert_eq!(world.post(2, &path, body).await.status.as_u16(), 200);
        assert_eq!(world.owner(lot(0)).await, group(2));
        assert_eq!(world.coins_of(group(2)).await.0, 900);
        world.assert_sound().await;
    });
}

#[test]
fn a_price_may_change_and_a_buyer_pays_only_what_they_saw() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 1_000).await;
        let listing = world.list(1, 0, 500).await;
        let path = format!("listings/{listing}");
        assert_eq!(world.patch(2, &path, json!({ "price_minor": 1 })).await.outcome(), (403, "not_owner"));
        assert_eq!(
            world.patch(1, &path, json!({ "price_minor": 600 })).await.body["price_minor"],
            json!(600)
        );
        assert_eq!(world.buy(2, &listing, 500).await.outcome(), (409, "price_changed"));
        assert_eq!(world.buy(2, &listing, 600).await.status.as_u16(), 200);
        assert_eq!(world.patch(1, &path, json!({ "price_minor": 1 })).await.outcome(), (409, "not_open"));
        world.assert_sound().await;
    });
}

#[test]
fn a_listing_expires_once_and_frees_the_land() {
    on_each(async |world| {
        world.landed(1, 0).await;
        let body = json!({ "parcel": token(0), "currency": "coin", "price_minor": 100, "days": 2 });
        let listing = world.post(1, "listings", body).await.id();
        world.clock.advance_us(2 * DAY_US - 1);
        assert_eq!(world.market.run_due().await, 0);
        world.clock.advance_us(1);
        let before = world.events().await.len();
        assert_eq!(world.market.run_due().await, 1);
        assert_eq!(world.market.run_due().await, 0);
        assert_eq!(world.get(1, &format!("listings/{listing}")).await.body["state"], json!("expired"));
        let news = world.news_since(before).await;
        assert_eq!(news, ["market.listing_cancelled near", "market.listing_expired 1"]);
        // A clock set back brings nothing back.
        world.clock.advance_us(-DAY_US);
        assert_eq!(world.buy(2, &listing, 100).await.outcome(), (409, "not_open"));
        world.list(1, 0, 100).await;
        world.assert_sound().await;
    });
}

#[test]
fn sixty_four_clients_who_buy_one_listing_are_one_owner_and_the_rest_keep_their_money() {
    on_each(async |world| {
        let world = Arc::new(world);
        world.landed(100, 0).await;
        for number in 1..=64 {
            // Some cannot pay: they must not stand in the way of those who can.
            world.rich(number, if number % 4 == 0 { 10 } else { 1_000 }).await;
        }
        let listing = world.list(100, 0, 600).await;
        let tasks: Vec<_> = (1..=64)
            .map(|number| {
                let (world, listing) = (Arc::clone(&world), listing.clone());
                tokio::spawn(async move { (number, world.buy(number, &listing, 600).await) })
            })
            .collect();
        let mut winners = Vec::new();
        for task in tasks {
            let (number, answer) = task.await.unwrap();
            match answer.outcome() {
                (200, "") => winners.push(number),
                (409, "not_open") => assert_eq!(answer.body["state"], json!("sold")),
                (422, "insufficient_funds") => assert_eq!(number % 4, 0),
                other => panic!("{number}: {other:?}"),
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(world.owner(lot(0)).await, account(winners[0]));
        for number in 1..=64 {
            let had = if number % 4 == 0 { 10 } else { 1_000 };
            let has = if number == winners[0] { had - 600 } else { had };
            assert_eq!(world.coins(number).await, (has, has), "{number}");
        }
        world.assert_sound().await;
    });
}

#[test]
fn neighbours_in_a_batch_do_not_share_their_fate() {
    on_each(async |world| {
        let world = Arc::new(world);
        for number in 0..20u32 {
            world.landed(100, number).await;
            world.rich(u128::from(number) + 1, if number % 3 == 0 { 10 } else { 500 }).await;
        }
        let mut listings = Vec::new();
        for number in 0..20 {
            listings.push(world.list(100, number, 500).await);
        }
        let tasks: Vec<_> = (1..=20u128)
            .zip(listings)
            .map(|(number, listing)| {
                let world = Arc::clone(&world);
                tokio::spawn(async move { (number, world.buy(number, &listing, 500).await) })
            })
            .collect();
        for task in tasks {
            let (number, answer) = task.await.unwrap();
            let expected = if number % 3 == 1 { (422, "insufficient_funds") } else { (200, "") };
            assert_eq!(answer.outcome(), expected, "{number}");
        }
        world.assert_sound().await;
    });
}

#[test]
fn a_repeated_purchase_gets_the_first_answer_and_pays_once() {
    on_each(async |world| {
        let world = Arc::new(world);
        world.landed(1, 0).await;
        world.rich(2, 1_000).await;
        let listing = world.list(1, 0, 300).await;
        let path = format!("listings/{listing}/purchase");
        let tasks: Vec<_> = (0..12)
            .map(|_| {
                let (world, path) = (Arc::clone(&world), path.clone());
                tokio::spawn(async move { world.post_as(2, &path, "k", json!({ "price_minor": 300 })).await })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        assert!(answers.iter().all(|it| it.status.as_u16() == 200 && it.body == answers[0].body));
        let replays = answers.iter().filter(|it| it.headers.contains_key("idempotency-replayed")).count();
        assert_eq!(replays, 11);
        assert_eq!(world.coins(2).await.0, 700);
        let other = world.post_as(2, &path, "k", json!({ "price_minor": 301 })).await;
        assert_eq!(other.outcome(), (422, "idempotency_key_reused"));
        let other = world
            .post_as(2, "offers", "k", json!({ "parcel": token(0), "currency": "coin", "price_minor": 1 }))
            .await;
        assert_eq!(other.outcome(), (422, "idempotency_key_reused"));

        // A refusal is kept like any other answer.
        let listing = world.list(2, 0, 5_000).await;
        let path = format!("listings/{listing}/purchase");
        let poor = world.post_as(3, &path, "p", json!({ "price_minor": 5_000 })).await;
        assert_eq!(poor.outcome(), (422, "insufficient_funds"));
        world.rich(3, 10_000).await;
        let again = world.post_as(3, &path, "p", json!({ "price_minor": 5_000 })).await;
        assert_eq!((again.outcome(), &again.body), (poor.outcome(), &poor.body));
        assert_eq!(world.post_as(3, &path, "q", json!({ "price_minor": 5_000 })).await.status.as_u16(), 200);
        world.assert_sound().await;
    });
}

#[test]
fn racing_price_changes_cancellations_and_purchases_never_sell_at_another_price() {
    on_each(async |world| {
        let world = Arc::new(world);
        for round in 0..6u32 {
            world.landed(100, round).await;
            let listing = world.list(100, round, 500).await;
            let mut tasks = Vec::new();
            for number in 1..=8u128 {
                world.rich(u128::from(round) * 10 + number, 1_000).await;
                let (world, listing) = (Arc::clone(&world), listing.clone());
                tasks.push(tokio::spawn(async move {
                    let who = u128::from(round) * 10 + number;
                    match number {
                        1 => {
                            world
                                .patch(100, &format!("listings/{listing}"), json!({ "price_minor": 700 }))
                                .await
                        }
                        2 => world.delete(100, &format!("listings/{listing}")).await,
                        _ => world.buy(who, &listing, if number % 2 == 0 { 500 } else { 700 }).await,
                    }
                }));
            }
            for task in tasks {
                let answer = task.await.unwrap();
                let is_known = matches!(answer.outcome(), (200, "") | (409, "not_open" | "price_changed"));
                assert!(is_known, "{:?} {}", answer.outcome(), answer.body);
            }
            let seen = world.get(100, &format!("listings/{listing}")).await;
            if seen.body["state"] == json!("sold") {
                let buyer: uuid::Uuid =
                    serde_json::from_value(seen.body["buyer"]["account_id"].clone()).unwrap();
                assert_eq!(world.owner(lot(round)).await, buyer);
                assert_eq!(json!(1_000 - world.coins_of(buyer).await.0), seen.body["price_minor"]);
            } else {
                assert_eq!(world.owner(lot(round)).await, account(100));
            }
        }
        world.assert_sound().await;
    });
}

#[test]
fn bad_input_is_refused_with_a_stable_code_and_changes_nothing() {
    on_each(async |world| {
        world.landed(1, 0).await;
        world.rich(2, 1_000).await;
        let good = json!({ "parcel": token(0), "currency": "coin", "price_minor": 100 });
        let with = |name: &str, value: Value| {
            let mut body = good.clone();
            body[name] = value;
            body
        };
        for value in [
            json!(0),
            json!(-1),
            json!(1.5),
            json!(1e3),
            json!("100"),
            json!(null),
            json!(9_007_199_254_740_992_i64),
            json!(i64::MIN),
            json!(u64::MAX),
            json!([1]),
        ] {
            let refused = world.post(1, "listings", with("price_minor", value.clone())).await;
            assert_eq!(refused.outcome(), (422, "invalid_body"), "{value}");
            assert_eq!(refused.body["errors"][0]["pointer"], json!("#/price_minor"), "{value}");
        }
        let huge = r#"{"parcel": "1", "currency": "coin", "price_minor": 99999999999999999999999999}"#;
        let key = Some("huge");
        let request = World::request(Method::POST, 1, "listings", key, Some(huge.to_owned()));
        assert_eq!(world.send(request).await.outcome(), (422, "invalid_body"));
        for currency in ["", "COIN", "gold", "coin ", "deed:1", "co\u{202e}in", &"c".repeat(10_000)] {
            let refused = world.post(1, "listings", with("currency", json!(currency))).await;
            assert_eq!(refused.outcome(), (422, "unknown_currency"), "{currency}");
        }
        for parcel in [
            "",
            "zz",
            "4",
            &lot(0).parent(14).token(),
            &lot(0).children().unwrap()[0].token(),
            &"4".repeat(9_999),
        ] {
            let refused = world.post(1, "listings", with("parcel", json!(parcel))).await;
            assert_eq!(refused.outcome(), (404, "not_a_lot"), "{parcel}");
        }
        for days in [0, -1, 91, i64::MAX] {
            let refused = world.post(1, "listings", with("days", json!(days))).await;
            assert_eq!(refused.outcome(), (422, "invalid_body"), "{days}");
        }
        // Nothing is set that is not named.
        for name in ["seller_id", "owner_id", "state", "sale_id", "seller_fee_bps", "as_group", "is_yours"] {
            let refused = world.post(1, "listings", with(name, json!(account(1)))).await;
            assert_eq!(refused.outcome(), (422, "invalid_body"), "{name}");
        }
        let listing = world.list(1, 0, 100).await;
        let path = format!("listings/{listing}/purchase");
        for body in [
            json!({}),
            json!({ "price_minor": 100, "buyer_id": account(3) }),
            json!({ "price_minor": 100.0 }),
            json!({ "price_minor": 0 }),
            json!({ "price_minor": 100, "as_group": "x" }),
            json!([]),
        ] {
            assert_eq!(world.post(2, &path, body.clone()).await.outcome(), (422, "invalid_body"), "{body}");
        }
        let body = || Some(json!({ "price_minor": 100 }).to_string());
        let request = World::request(Method::POST, 2, &path, None, body());
        assert_eq!(world.send(request).await.outcome(), (400, "idempotency_key_missing"));
        let request = World::request(Method::POST, 2, &path, Some("k"), Some("{".to_owned()));
        assert_eq!(world.send(request).await.outcome(), (400, "malformed_json"));
        let request = World::request(Method::POST, 2, "listings/7/purchase", Some("k"), body());
        assert_eq!(world.send(request).await.outcome(), (400, "invalid_path"));
        assert_eq!(world.get(2, "listings/mine?state=sold").await.outcome(), (400, "invalid_query"));
        assert_eq!(world.get(2, "listings/mine?cursor=x").await.outcome(), (400, "invalid_cursor"));
        assert_eq!(world.get(2, "listings/mine?limit=0").await.outcome(), (400, "invalid_query"));
        assert_eq!(world.coins(2).await, (1_000, 1_000));
        assert_eq!(world.owner(lot(0)).await, account(1));
        world.assert_sound().await;
    });
}

#[test]
fn lists_of_ones_own_come_in_pages_newest_first() {
    on_each(async |world| {
        for number in 0..5 {
            world.landed(1, number).await;
        }
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(world.list(1, number, 100).await);
        }
        world.delete(1, &format!("listings/{}", ids[2])).await;
        ids.reverse();
        let of = async |world: &World, state: &str| {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = world.get(1, &format!("listings/mine?state={state}&limit=2{cursor}")).await;
                let items = page.body["items"].as_array().unwrap();
                assert!(items.len() <= 2);
                seen.extend(items.iter().map(|it| it["id"].as_str().unwrap().to_owned()));
                match page.body["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => return seen,
                }
            }
        };
        assert_eq!(of(&world, "all").await, ids);
        ids.remove(2);
        assert_eq!(of(&world, "open").await, ids);
        assert_eq!(world.get(2, "listings/mine").await.body["items"], json!([]));
    });
}
