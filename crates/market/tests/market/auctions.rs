//! Auctions: what is held, who is told what, and how they end.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;

use crate::world::{Answer, DAY_US, HOUR_US, SECOND_US, World, account, group, lot, on_each, token};

/// An English auction of lot 0 by player 100, for a day from now; players 1 to 4 have 1,000.00 each.
async fn english(world: &World, more: serde_json::Value) -> String {
    world.landed(100, 0).await;
    for number in 1..=4 {
        world.rich(number, 100_000).await;
    }
    let mut all = json!({ "duration_s": 86_400 });
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    world.auction(100, 0, "english", all).await
}

#[track_caller]
fn taken(answer: &Answer, price_minor: i64, is_leading: bool) {
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert_eq!(
        (&answer.body["price_minor"], &answer.body["is_leading"]),
        (&json!(price_minor), &json!(is_leading))
    );
}

#[test]
fn a_leader_s_maximum_is_held_in_full_and_who_is_outbid_is_free_at_once() {
    on_each(async |world| {
        let auction = english(&world, json!({})).await;
        taken(&world.bid(1, &auction, 5_000).await, 1_000, true);
        assert_eq!(world.coins(1).await, (100_000, 95_000));
        // Outbid at once: the price rises, nothing stays held.
        taken(&world.bid(2, &auction, 3_000).await, 3_100, false);
        assert_eq!(world.coins(2).await, (100_000, 100_000));
        // The own raise changes the hold and nothing that others see.
        let before = world.events().await.len();
        taken(&world.bid(1, &auction, 8_000).await, 3_100, true);
        assert_eq!(world.coins(1).await, (100_000, 92_000));
        assert_eq!(world.news_since(before).await, ["wallet.held 1"]);
        // Of equals the earlier leads.
        taken(&world.bid(3, &auction, 8_000).await, 8_000, false);
        let before = world.events().await.len();
        taken(&world.bid(4, &auction, 9_000).await, 8_100, true);
        assert_eq!((world.coins(1).await, world.coins(4).await), ((100_000, 100_000), (100_000, 91_000)));
        let news = world.news_since(before).await;
        assert_eq!(news, ["wallet.held 4", "wallet.released 1", "market.outbid 1", "market.bid_placed near"]);
        world.assert_sound().await;

        world.clock.advance_us(DAY_US);
        assert_eq!(world.bid(2, &auction, 20_000).await.outcome(), (409, "auction_ended"));
        let before = world.events().await.len();
        // The end, and its notice, which nobody came by to give in time.
        assert_eq!(world.market.run_due().await, 1);
        assert_eq!(world.market.run_due().await, 0);
        assert_eq!(world.owner(lot(0)).await, account(4));
        assert_eq!(world.coins(4).await, (91_900, 91_900));
        // 8100 less 202 fee and 81 tax.
        assert_eq!(world.coins(100).await.0, 7_817);
        let news = world.news_since(before).await;
        for expected in
            ["market.auction_closed near", "market.won 4", "land.ownership_changed near", "market.sold 100"]
        {
            assert!(news.contains(&expected.to_owned()), "{expected}: {news:?}");
        }
        let seen = world.get(4, &format!("auctions/{auction}")).await;
        assert_eq!((&seen.body["state"], &seen.body["is_leading"]), (&json!("sold"), &json!(true)));
        assert_eq!(world.get(1, &format!("auctions/{auction}")).await.body["is_leading"], json!(false));
        world.assert_sound().await;
    });
}

#[test]
fn the_first_reason_that_applies_is_given() {
    on_each(async |world| {
        let auction = english(&world, json!({})).await;
        world.found(1, &[3]);
        let nothing = uuid::Uuid::now_v7().to_string();
        assert_eq!(world.bid(1, &nothing, 5_000).await.outcome(), (404, "auction_not_found"));
        let path = format!("auctions/{auction}/bids");
        let body = json!({ "max_minor": 1, "as_group": group(1) });
        assert_eq!(world.post(1, &path, body).await.outcome(), (403, "may_not_act"));
        assert_eq!(world.bid(100, &auction, 1).await.outcome(), (422, "own_land"));
        let low = world.bid(1, &auction, 999).await;
        assert_eq!((low.outcome(), &low.body["minimum_minor"]), ((422, "bid_too_low"), &json!(1_000)));
        assert_eq!(world.bid(1, &auction, 100_001).await.outcome(), (422, "insufficient_funds"));
        assert_eq!(world.bid(1, &auction, 100_000).await.status.as_u16(), 201);
        let low = world.bid(2, &auction, 1_049).await;
        assert_eq!((low.outcome(), &low.body["minimum_minor"]), ((422, "bid_too_low"), &json!(1_050)));
        let not_higher = world.bid(1, &auction, 99_999).await;
        assert_eq!(
            (not_higher.outcome(), &not_higher.body["max_minor"]),
            ((422, "bid_not_higher"), &json!(100_000))
        );
        assert_eq!(world.bid(1, &auction, 100_001).await.outcome(), (422, "insufficient_funds"));
        // Without the money one does not even drive up the price.
        assert_eq!(world.bid(9, &auction, 50_000).await.outcome(), (422, "insufficient_funds"));
        let path = format!("auctions/{auction}/accept");
        assert_eq!(
            world.post(2, &path, json!({ "price_minor": 1_000 })).await.outcome(),
            (409, "wrong_kind")
        );
        assert_eq!(world.get(2, &format!("listings/{auction}")).await.outcome(), (404, "listing_not_found"));
        assert_eq!(world.buy(2, &auction, 1_000).await.outcome(), (404, "listing_not_found"));
        assert_eq!(world.get(2, &format!("auctions/{auction}")).await.body["price_minor"], json!(1_000));
        assert_eq!(world.bid(1, &auction, 0).await.outcome(), (422, "invalid_body"));
        assert_eq!(world.bid(1, &auction, -5).await.outcome(), (422, "invalid_body"));
        assert_eq!(world.bid(1, &auction, 1 << 53).await.outcome(), (422, "invalid_body"));
        world.assert_sound().await;
    });
}

#[test]
fn secrets_are_told_to_nobody() {
    on_each(async |world| {
        let auction = english(&world, json!({ "reserve_minor": 33_331 })).await;
        world.bid(1, &auction, 22_223).await;
        world.bid(2, &auction, 11_117).await;
        world.bid(1, &auction, 44_449).await;
        let mut seen = Vec::new();
        for number in [2, 3, 100] {
            for path in [
                format!("auctions/{auction}"),
                format!("auctions/{auction}/bids"),
                "auctions/mine".to_owned(),
                "bids/mine".to_owned(),
                "search?kind=auction".to_owned(),
                format!("prices/{}", token(0)),
            ] {
                seen.push(world.get(number, &path).await.body.to_string());
            }
        }
        // Only the leader is told of the leader's money; the reserve, once met, is the price that all see.
        let news = world.events().await;
        seen.extend(news.iter().filter(|it| it.1 != "1" && it.1 != "2").map(|it| it.2.to_string()));
        for secret in ["22223", "44449", "11117"] {
            let of_others = seen.iter().filter(|it| !it.contains("\"your_max_minor\":11117"));
            let of_others = of_others.filter(|it| !it.contains("\"max_minor\":11117"));
            assert!(of_others.into_iter().all(|it| !it.contains(secret)), "{secret}");
        }
        let own = world.get(1, &format!("auctions/{auction}")).await;
        assert_eq!(
            (&own.body["your_max_minor"], &own.body["is_reserve_met"]),
            (&json!(44_449), &json!(true))
        );
        assert_eq!(own.body["price_minor"], json!(33_331));
        let bids = world.get(3, &format!("auctions/{auction}/bids")).await;
        let bids = bids.body["items"].as_array().unwrap().clone();
        let shown: Vec<_> = bids
            .iter()
            .map(|it| (it["bidder"].as_str().unwrap(), it["price_minor"].as_i64().unwrap()))
            .collect();
        assert_eq!(shown, [("Bidder 1", 33_331), ("Bidder 2", 11_367), ("Bidder 1", 1_000)]);
        assert!(bids.iter().all(|it| it["is_yours"] == json!(false) && it.get("max_minor").is_none()));
    });
}

#[test]
fn a_reserve_that_is_not_met_sells_nothing_and_frees_everything() {
    on_each(async |world| {
        let auction = english(&world, json!({ "reserve_minor": 50_000 })).await;
        taken(&world.bid(1, &auction, 20_000).await, 1_000, true);
        let seen = world.get(2, &format!("auctions/{auction}")).await;
        assert_eq!(seen.body["is_reserve_met"], json!(false));
        assert!(!seen.body.to_string().contains("50000"));
        world.clock.advance_us(DAY_US);
        let before = world.events().await.len();
        assert_eq!(world.market.run_due().await, 1);
        assert_eq!(world.owner(lot(0)).await, account(100));
        assert_eq!(world.coins(1).await, (100_000, 100_000));
        let news = world.news_since(before).await;
        assert_eq!(news, ["wallet.released 1", "market.auction_closed near", "market.unsold 100"]);
        assert_eq!(world.get(1, &format!("auctions/{auction}")).await.body["state"], json!("unsold"));
        // The land is free for the next try.
        world.list(100, 0, 10).await;
        world.assert_sound().await;
    });
}

#[test]
fn a_late_bid_moves_the_end_and_the_cap_ends_that() {
    on_each(async |world| {
        let auction = english(&world, json!({ "extension_max_s": 150 })).await;
        world.clock.advance_us(DAY_US - 30 * SECOND_US);
        let before = world.events().await.len();
        let bid = world.bid(1, &auction, 5_000).await;
        assert_eq!(
            (&bid.body["ends_at"], &bid.body["extension_count"]),
            (&json!("2025-11-22T09:01:30Z"), &json!(1))
        );
        assert_eq!(bid.body["latest_end_at"], json!("2025-11-22T09:02:30Z"));
        assert!(world.news_since(before).await.contains(&"market.auction_extended near".to_owned()));
        world.clock.advance_us(60 * SECOND_US);
        assert_eq!(world.market.run_due().await, 1, "only the notice: it has not ended");
        let bid = world.bid(2, &auction, 3_000).await;
        assert_eq!(bid.body["ends_at"], json!("2025-11-22T09:02:30Z"));
        world.clock.advance_us(119 * SECOND_US + 999_999);
        assert_eq!(world.bid(3, &auction, 9_000).await.status.as_u16(), 201);
        world.clock.advance_us(1);
        assert_eq!(world.bid(4, &auction, 20_000).await.outcome(), (409, "auction_ended"));
        // A clock set back before it was closed: it goes on, and ends once.
        world.clock.advance_us(-HOUR_US);
        assert_eq!(world.market.run_due().await, 0);
        taken(&world.bid(4, &auction, 20_000).await, 9_100, true);
        world.clock.advance_us(HOUR_US);
        assert_eq!(world.market.run_due().await, 1);
        // A clock set back afterwards: it stays as it is.
        world.clock.advance_us(-HOUR_US);
        assert_eq!(world.bid(1, &auction, 50_000).await.outcome(), (409, "auction_ended"));
        assert_eq!(world.market.run_due().await, 0);
        world.clock.advance_us(2 * DAY_US);
        assert_eq!(world.market.run_due().await, 0);
        assert_eq!(world.owner(lot(0)).await, account(4));
        world.assert_sound().await;
    });
}

#[test]
fn an_auction_is_cancelled_by_its_seller_while_nobody_has_bid() {
    on_each(async |world| {
        let auction = english(&world, json!({})).await;
        let path = format!("auctions/{auction}/cancel");
        assert_eq!(world.post(1, &path, json!(null)).await.outcome(), (403, "not_owner"));
        world.bid(1, &auction, 5_000).await;
        assert_eq!(world.post(100, &path, json!(null)).await.outcome(), (409, "has_bids"));
        world.landed(100, 1).await;
        let other = world.auction(100, 1, "english", json!({})).await;
        let path = format!("auctions/{other}/cancel");
        assert_eq!(world.post(100, &path, json!(null)).await.body["state"], json!("cancelled"));
        assert_eq!(world.post(100, &path, json!(null)).await.outcome(), (409, "not_open"));
        assert_eq!(world.bid(1, &other, 5_000).await.outcome(), (409, "not_open"));
        world.list(100, 1, 50).await;
        world.assert_sound().await;
    });
}

#[test]
fn the_end_is_announced_once_to_bidders_and_watchers() {
    on_each(async |world| {
        let auction = english(&world, json!({})).await;
        world.bid(1, &auction, 5_000).await;
        world.bid(2, &auction, 9_000).await;
        let put = World::request(axum::http::Method::PUT, 3, &format!("watch/{}", token(0)), None, None);
        assert_eq!(world.send(put).await.status, StatusCode::NO_CONTENT);
        world.clock.advance_us(DAY_US - 15 * 60 * SECOND_US - 1);
        assert_eq!(world.market.run_due().await, 0);
        world.clock.advance_us(1);
        let before = world.events().await.len();
        assert_eq!(world.market.run_due().await, 1);
        assert_eq!(world.market.run_due().await, 0);
        world.clock.advance_us(-HOUR_US);
        assert_eq!(world.market.run_due().await, 0);
        assert_eq!(world.news_since(before).await, ["market.auction_ending 1,2,3"]);
    });
}

#[test]
fn a_dutch_price_falls_until_the_first_takes_it() {
    on_each(async |world| {
        let world = Arc::new(world);
        world.landed(100, 0).await;
        for number in 1..=16 {
            world.rich(number, 10_000).await;
        }
        let more = json!({ "start_minor": 9_000, "floor_minor": 4_000, "step_minor": 1_500, "step_s": 600, "duration_s": 7_200 });
        let auction = world.auction(100, 0, "dutch", more).await;
        let path = format!("auctions/{auction}/accept");
        assert_eq!(
            world.post(1, &path, json!({ "price_minor": 8_999 })).await.outcome(),
            (409, "price_changed")
        );
        world.clock.advance_us(600 * SECOND_US);
        let seen = world.get(1, &format!("auctions/{auction}")).await;
        assert_eq!(
            (&seen.body["price_minor"], &seen.body["falls_at"]),
            (&json!(7_500), &json!("2025-11-21T09:20:00Z"))
        );
        assert_eq!(world.market.run_due().await, 1, "the price in lists falls too");
        let found = world.get(1, "search?kind=dutch&price_max_minor=7500").await;
        assert_eq!(found.body["items"][0]["price_minor"], json!(7_500));
        assert_eq!(world.bid(1, &auction, 9_999).await.outcome(), (409, "wrong_kind"));
        assert_eq!(
            world.post(100, &path, json!({ "price_minor": 7_500 })).await.outcome(),
            (422, "own_land")
        );
        world.clock.advance_us(600 * SECOND_US);
        let tasks: Vec<_> = (1..=16)
            .map(|number| {
                let (world, path) = (Arc::clone(&world), path.clone());
                // The price they saw is higher than the one they pay.
                tokio::spawn(async move {
                    (number, world.post(number, &path, json!({ "price_minor": 7_500 })).await)
                })
            })
            .collect();
        let mut winner = None;
        for task in tasks {
            let (number, answer) = task.await.unwrap();
            match answer.outcome() {
                (200, "") => assert!(winner.replace(number).is_none()),
                outcome => assert_eq!(outcome, (409, "auction_ended"), "{number}"),
            }
        }
        let winner = winner.unwrap();
        assert_eq!(world.owner(lot(0)).await, account(winner));
        assert_eq!(world.coins(winner).await, (4_000, 4_000));
        world.assert_sound().await;
        // Nobody takes another one: unsold, at the floor.
        world.landed(100, 1).await;
        let more = json!({ "start_minor": 9_000, "floor_minor": 4_000, "step_minor": 1_500, "step_s": 600, "duration_s": 7_200 });
        let auction = world.auction(100, 1, "dutch", more).await;
        world.clock.advance_us(7_200 * SECOND_US);
        let path = format!("auctions/{auction}/accept");
        assert_eq!(
            world.post(1, &path, json!({ "price_minor": 9_000 })).await.outcome(),
            (409, "auction_ended")
        );
        world.market.run_due().await;
        assert_eq!(world.get(1, &format!("auctions/{auction}")).await.body["state"], json!("unsold"));
        world.assert_sound().await;
    });
}

#[test]
fn sealed_bids_are_secret_until_the_end_and_the_highest_pays_the_second() {
    on_each(async |world| {
        world.landed(100, 0).await;
        for number in 1..=4 {
            world.rich(number, 100_000).await;
        }
        let auction = world.auction(100, 0, "sealed", json!({ "reserve_minor": 2_000 })).await;
        let before = world.events().await.len();
        assert_eq!(world.bid(1, &auction, 31_117).await.status.as_u16(), 201);
        assert_eq!(world.bid(2, &auction, 47_771).await.status.as_u16(), 201);
        assert_eq!(world.bid(3, &auction, 22_227).await.status.as_u16(), 201);
        assert_eq!(world.bid(3, &auction, 22_227).await.outcome(), (422, "bid_not_higher"));
        let raised = world.bid(3, &auction, 33_337).await;
        assert_eq!(
            (&raised.body["your_max_minor"], &raised.body["price_minor"]),
            (&json!(33_337), &json!(1_000))
        );
        assert_eq!(world.bid(4, &auction, 999).await.outcome(), (422, "bid_too_low"));
        assert_eq!((world.coins(3).await, world.coins(2).await), ((100_000, 66_663), (100_000, 52_229)));
        assert!(world.news_since(before).await.iter().all(|it| it.starts_with("wallet.held ")));
        for number in [4, 100] {
            let seen = world.get(number, &format!("auctions/{auction}")).await.body;
            assert!(seen.get("bid_count").is_none() && seen.get("is_reserve_met").is_none(), "{seen}");
            let bids = world.get(number, &format!("auctions/{auction}/bids")).await.body;
            assert_eq!(bids["items"], json!([]));
        }
        let bids = world.get(3, &format!("auctions/{auction}/bids")).await.body;
        let own: Vec<_> = bids["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["bid_number"].as_i64(), it["max_minor"].as_i64()))
            .collect();
        assert_eq!(own, [(Some(2), Some(33_337)), (Some(1), Some(22_227))]);
        // Not even by refusing the seller is the number of bids told more exactly than that there are some.
        assert_eq!(
            world.post(100, &format!("auctions/{auction}/cancel"), json!(null)).await.outcome(),
            (409, "has_bids")
        );
        world.assert_sound().await;

        world.clock.advance_us(3 * DAY_US);
        assert_eq!(world.market.run_due().await, 1);
        assert_eq!(world.owner(lot(0)).await, account(2));
        assert_eq!(world.coins(2).await, (100_000 - 33_337, 100_000 - 33_337));
        for number in [1, 3] {
            assert_eq!(world.coins(number).await, (100_000, 100_000));
        }
        let seen = world.get(4, &format!("auctions/{auction}")).await.body;
        assert_eq!(
            (&seen["state"], &seen["price_minor"], &seen["bid_count"]),
            (&json!("sold"), &json!(33_337), &json!(4))
        );
        world.assert_sound().await;
    });
}

#[test]
fn bids_that_race_with_each_other_and_with_the_end_are_in_or_out() {
    on_each(async |world| {
        let world = Arc::new(world);
        for round in 0..5u32 {
            world.landed(100, round).await;
            let auction = world
                .auction(100, round, "english", json!({ "duration_s": 300, "extension_max_s": 0 }))
                .await;
            world.clock.advance_us(300 * SECOND_US - 5);
            let base = u128::from(round) * 20;
            let mut tasks = Vec::new();
            for number in 1..=12u128 {
                world.rich(base + number, 50_000).await;
                let (racer, auction) = (Arc::clone(&world), auction.clone());
                tasks.push(tokio::spawn(async move {
                    let world = racer;
                    world.clock.advance_us(1);
                    let answer = world.bid(base + number, &auction, 1_000 * number as i64).await;
                    (base + number, answer)
                }));
                if number % 4 == 0 {
                    let world = Arc::clone(&world);
                    tasks.push(tokio::spawn(async move {
                        world.market.run_due().await;
                        (0, world.get(100, "auctions/mine").await)
                    }));
                }
            }
            let mut highest = None;
            for task in tasks {
                let (number, answer) = task.await.unwrap();
                match answer.outcome() {
                    (201, "") => highest = highest.max(Some(number)),
                    (409, "auction_ended") | (422, "bid_too_low") | (200, "") => {}
                    other => panic!("{number}: {other:?}"),
                }
            }
            world.clock.advance_us(10);
            world.market.run_due().await;
            let seen = world.get(100, &format!("auctions/{auction}")).await.body;
            match highest {
                Some(number) => assert_eq!(seen["buyer"]["account_id"], json!(account(number)), "{seen}"),
                None => assert_eq!(seen["state"], json!("unsold")),
            }
            world.assert_sound().await;
        }
    });
}

#[test]
fn many_workers_end_an_auction_once() {
    on_each(async |world| {
        let world = Arc::new(world);
        let auction = english(&world, json!({})).await;
        world.bid(1, &auction, 5_000).await;
        world.clock.advance_us(DAY_US);
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let world = Arc::clone(&world);
                tokio::spawn(async move { world.market.run_due().await })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            done += task.await.unwrap();
        }
        assert_eq!(done, 1);
        assert_eq!(world.coins(1).await, (99_000, 99_000));
        world.assert_sound().await;
    });
}

#[test]
fn a_group_bids_with_its_own_money_and_its_members_hear_of_it() {
    on_each(async |world| {
        let auction = english(&world, json!({})).await;
        world.found(1, &[3, 4]);
        world.give(group(1), 30_000).await;
        let path = format!("auctions/{auction}/bids");
        let bid = world.post(3, &path, json!({ "max_minor": 20_000, "as_group": group(1) })).await;
        taken(&bid, 1_000, true);
        assert_eq!(world.coins_of(group(1)).await, (30_000, 10_000));
        assert_eq!(world.coins(3).await, (100_000, 100_000));
        let before = world.events().await.len();
        world.bid(1, &auction, 40_000).await;
        assert!(world.news_since(before).await.contains(&"market.outbid 3,4".to_owned()));
        let mine = world.get(4, &format!("bids/mine?as_group={}", group(1))).await;
        assert_eq!(mine.body["items"][0]["your_max_minor"], json!(20_000));
        assert_eq!(
            world.get(1, &format!("bids/mine?as_group={}", group(1))).await.outcome(),
            (403, "may_not_act")
        );
        world.assert_sound().await;
    });
}

#[test]
fn terms_of_auctions_are_checked() {
    on_each(async |world| {
        world.landed(100, 0).await;
        let base = json!({ "parcel": token(0), "kind": "english", "currency": "coin", "start_minor": 1_000 });
        for (more, pointer) in [
            (json!({ "start_minor": 0 }), "#/start_minor"),
            (json!({ "start_minor": -1 }), "#/start_minor"),
            (json!({ "reserve_minor": 999 }), "#/reserve_minor"),
            (json!({ "duration_s": 299 }), "#/duration_s"),
            (json!({ "duration_s": 2_592_001 }), "#/duration_s"),
            (json!({ "duration_s": i64::MAX }), "#/duration_s"),
            (json!({ "extension_max_s": -1 }), "#/extension_max_s"),
            (json!({ "floor_minor": 5 }), "#/floor_minor"),
            (json!({ "kind": "dutch" }), "#/floor_minor"),
            (json!({ "kind": "dutch", "floor_minor": 1_000, "step_minor": 1, "step_s": 1 }), "#/floor_minor"),
            (json!({ "kind": "dutch", "floor_minor": 5, "step_minor": 0, "step_s": 1 }), "#/step_minor"),
            (json!({ "kind": "dutch", "floor_minor": 5, "step_minor": 1, "step_s": 0 }), "#/step_s"),
            (
                json!({ "kind": "dutch", "floor_minor": 5, "step_minor": 1, "step_s": 1, "reserve_minor": 5_000 }),
                "#/reserve_minor",
            ),
            (json!({ "kind": "sealed", "extension_max_s": 1 }), "#/extension_max_s"),
            (json!({ "kind": "raffle" }), "#/kind"),
            (json!({ "soft_close_s": 1 }), "#/soft_close_s"),
        ] {
            let mut body = base.clone();
            for (name, value) in more.as_object().unwrap() {
                body[name] = value.clone();
            }
            let refused = world.post(100, "auctions", body).await;
            assert_eq!(refused.outcome(), (422, "invalid_body"), "{more}");
            assert_eq!(refused.body["errors"][0]["pointer"], json!(pointer), "{more}");
        }
        assert_eq!(world.post(100, "auctions", base).await.status.as_u16(), 201);
    });
}

#[test]
fn what_a_dead_process_left_behind_is_ended_by_the_next() {
    on_each(async |mut world| {
        let auction = english(&world, json!({})).await;
        world.bid(1, &auction, 5_000).await;
        world.landed(100, 1).await;
        let sealed = world.auction(100, 1, "sealed", json!({})).await;
        world.bid(2, &sealed, 7_000).await;
        world.restart();
        taken(&world.bid(3, &auction, 6_000).await, 5_100, true);
        world.clock.advance_us(4 * DAY_US);
        world.restart();
        assert_eq!(world.market.run_due().await, 2);
        world.restart();
        assert_eq!(world.market.run_due().await, 0);
        assert_eq!((world.owner(lot(0)).await, world.owner(lot(1)).await), (account(3), account(2)));
        world.assert_sound().await;
    });
}
