//! Land and sales: what a freeze stops, what giving back moves, what ending a sale frees.

use axum::http::Method;
use serde_json::json;

use crate::world::{
    ADMIN, ANN, BOB, DAY_US, HOUR_US, MODERATOR, OTHER_ADMIN, World, account, on_each, token,
};

fn land(number: u64, act: &str) -> String {
    format!("/staff/lands/{}{act}", token(number))
}

async fn list(world: &World, number: u64) -> u16 {
    let body = json!({"parcel": token(number), "currency": "coin", "price_minor": 100, "days": 1});
    world.post(ANN, "/marketplace/listings", body).await.status
}

#[test]
fn frozen_land_is_not_traded_given_let_changed_or_given_up() {
    on_each(async |world: World| {
        world.own(ANN, &[0, 1]).await;
        world.own(ANN, &[2]).await;
        world.own(ANN, &[4]).await;
        world.own(ANN, &[5]).await;
        world.own(ANN, &[6]).await;
        // What is open when the freeze comes.
        let listing = json!({"parcel": token(4), "currency": "coin", "price_minor": 100, "days": 1});
        let listing = world.post(ANN, "/marketplace/listings", listing).await;
        assert_eq!(listing.status, 201, "{}", listing.body);
        let gift =
            world.post(ANN, &format!("/lands/{}/gift", token(5)), json!({"to_id": account(BOB)})).await;
        assert_eq!(gift.status, 201, "{}", gift.body);
        let lease = json!({"tenant_id": account(BOB), "currency": "coin", "rent_minor": 10, "deposit_minor": 0, "period_days": 1, "periods": 2});
        let lease = world.post(ANN, &format!("/lands/{}/lease", token(6)), lease).await;
        assert_eq!(lease.status, 201, "{}", lease.body);
        let offer = json!({"parcel": token(0), "currency": "coin", "price_minor": 50, "days": 1});
        let offer = world.post(BOB, "/marketplace/offers", offer).await;
        assert_eq!(offer.status, 201, "{}", offer.body);
        for number in [0, 4, 5, 6] {
            assert_eq!(world.act(MODERATOR, &land(number, "/freeze")).await.0, 200);
        }
        assert_eq!(world.act(MODERATOR, &land(0, "/freeze")).await, (409, "already_so".to_owned()));
        assert_eq!(world.act(MODERATOR, &land(9, "/freeze")).await, (409, "not_owned".to_owned()));
        let shown = world.get(BOB, &format!("/lands/{}", token(0))).await;
        assert_eq!(shown.body["is_frozen"], true, "{}", shown.body);

        let (own, other) = (token(0), token(2));
        let tried = [
            (
                ANN,
                "/marketplace/listings".to_owned(),
                json!({"parcel": own, "currency": "coin", "price_minor": 1, "days": 1}),
            ),
            (ANN, format!("/lands/{own}/gift"), json!({"to_id": account(BOB)})),
            (ANN, format!("/lands/{own}/merge"), json!({"with": [other]})),
            (ANN, format!("/lands/{other}/merge"), json!({"with": [own]})),
            (ANN, format!("/lands/{own}/split"), json!({"cells": [token(1)]})),
            (ANN, format!("/lands/{own}/abandon"), json!(null)),
            (
                ANN,
                format!("/lands/{own}/lease"),
                json!({"tenant_id": account(BOB), "currency": "coin", "rent_minor": 10, "deposit_minor": 0, "period_days": 1, "periods": 2}),
            ),
            (ANN, format!("/marketplace/offers/{}/accept", offer.id("offer_id")), json!(null)),
            (
                BOB,
                format!("/marketplace/listings/{}/purchase", listing.id("id")),
                json!({"price_minor": 100}),
            ),
            (BOB, format!("/lands/gifts/{}/accept", gift.id("gift_id")), json!(null)),
            (BOB, format!("/leases/{}/accept", lease.id("lease_id")), json!(null)),
            (
                BOB,
                "/marketplace/offers".to_owned(),
                json!({"parcel": token(4), "currency": "coin", "price_minor": 50, "days": 1}),
            ),
        ];
        for (who, path, body) in tried {
            let answer = world.post(who, &path, body).await;
            assert_eq!(answer.outcome(), (409, "land_frozen"), "{path}: {}", answer.body);
        }
        assert_eq!(world.owner_of(4).await, Some(ANN));
        for number in [0, 4, 5, 6] {
            assert_eq!(world.act(MODERATOR, &land(number, "/thaw")).await.0, 200);
        }
        assert_eq!(world.act(MODERATOR, &land(0, "/thaw")).await, (409, "already_so".to_owned()));
        // Everything goes on where it was.
        let bought = format!("/marketplace/listings/{}/purchase", listing.id("id"));
        assert_eq!(world.post(BOB, &bought, json!({"price_minor": 100})).await.status, 200);
        let taken = format!("/lands/gifts/{}/accept", gift.id("gift_id"));
        assert_eq!(world.ask(BOB, Method::POST, &taken, json!(null)).await.status, 200);
        assert_eq!((world.owner_of(4).await, world.owner_of(5).await), (Some(BOB), Some(BOB)));
        let told = world.told(ANN).await;
        assert!(told.contains(&"land.frozen".to_owned()) && told.contains(&"land.thawed".to_owned()));
        let mut record = world.on_record(&token(6)).await;
        record.retain(|it| it != "land.ownership_changed");
        record.sort_unstable();
        assert_eq!(record, ["land.frozen", "land.thawed"]);
        world.check_sound().await;
    });
}

#[test]
fn an_auction_of_frozen_land_takes_no_bids_and_ends_without_a_buyer() {
    on_each(async |world: World| {
        world.own(ANN, &[0]).await;
        let auction = json!({"kind": "english", "parcel": token(0), "currency": "coin", "start_minor": 100, "duration_s": 86_400});
        let auction = world.post(ANN, "/marketplace/auctions", auction).await;
        assert_eq!(auction.status, 201, "{}", auction.body);
        let bids = format!("/marketplace/auctions/{}/bids", auction.id("id"));
        let before = world.available(BOB).await;
        assert_eq!(world.post(BOB, &bids, json!({"max_minor": 500})).await.status, 201);
        assert_eq!(world.act(MODERATOR, &land(0, "/freeze")).await.0, 200);
        let bid = world.post(BOB, &bids, json!({"max_minor": 900})).await;
        assert_eq!(bid.outcome(), (409, "land_frozen"));
        world.clock.advance_us(DAY_US + HOUR_US);
        world.market.run_due().await;
        assert_eq!(world.owner_of(0).await, Some(ANN));
        assert_eq!(world.available(BOB).await, before);
        world.check_sound().await;
    });
}

#[test]
fn land_goes_back_to_an_earlier_owner_and_forth_again() {
    on_each(async |world: World| {
        world.own(ANN, &[0]).await;
        assert_eq!(list(&world, 0).await, 201);
        let listing = world.get(ANN, "/marketplace/listings/mine").await;
        let id = listing.body["items"][0]["id"].as_str().unwrap().to_owned();
        let back = |number: i64| json!({"title_number": number, "reason": "sold from a stolen account"});
        // Frozen land can be given back, but not while it is for sale.
        assert_eq!(world.act(ADMIN, &land(0, "/freeze")).await.0, 200);
        let same = world.post(ADMIN, &land(0, "/restore"), back(1)).await;
        assert_eq!(same.outcome(), (409, "already_so"));
        assert_eq!(world.act(ADMIN, &land(0, "/thaw")).await.0, 200);
        let bought = format!("/marketplace/listings/{id}/purchase");
        assert_eq!(world.post(BOB, &bought, json!({"price_minor": 100})).await.status, 200);
        assert_eq!(world.act(ADMIN, &land(0, "/freeze")).await.0, 200);
        let missing = world.post(ADMIN, &land(0, "/restore"), back(7)).await;
        assert_eq!(missing.outcome(), (422, "title_unknown"));
        let done = world.ask_as(ADMIN, "r1", Method::POST, &land(0, "/restore"), back(1)).await;
        assert_eq!((done.status, &done.body["is_frozen"]), (200, &json!(true)), "{}", done.body);
        assert_eq!(world.owner_of(0).await, Some(ANN));
        let again = world.ask_as(ADMIN, "r1", Method::POST, &land(0, "/restore"), back(1)).await;
        assert_eq!(again.body, done.body);
        assert!(world.told(BOB).await.contains(&"land.restored".to_owned()));
        // Undone by giving it to the owner before.
        assert_eq!(world.post(OTHER_ADMIN, &land(0, "/restore"), back(2)).await.status, 200);
        assert_eq!(world.owner_of(0).await, Some(BOB));
        world.check_sound().await;
    });
}

#[test]
fn land_of_another_shape_is_not_given_back() {
    on_each(async |world: World| {
        world.own(ANN, &[0]).await;
        world.own(BOB, &[1]).await;
        let gift =
            world.post(ANN, &format!("/lands/{}/gift", token(0)), json!({"to_id": account(BOB)})).await;
        let accept = format!("/lands/gifts/{}/accept", gift.id("gift_id"));
        assert_eq!(world.ask(BOB, Method::POST, &accept, json!(null)).await.status, 200);
        let merged =
            world.post(BOB, &format!("/lands/{}/merge", token(0)), json!({"with": [token(1)]})).await;
        assert_eq!(merged.status, 200, "{}", merged.body);
        let back = json!({"title_number": 1, "reason": "a test"});
        let answer = world.post(ADMIN, &land(0, "/restore"), back).await;
        assert_eq!(answer.outcome(), (409, "shape_changed"));
        assert_eq!(world.owner_of(0).await, Some(BOB));
    });
}

#[test]
fn a_sale_that_is_ended_frees_the_money_and_tells_those_concerned() {
    on_each(async |world: World| {
        world.own(ANN, &[0]).await;
        world.own(ANN, &[2]).await;
        let before = world.available(BOB).await;
        let auction = json!({"kind": "english", "parcel": token(0), "currency": "coin", "start_minor": 100, "duration_s": 86_400});
        let auction = world.post(ANN, "/marketplace/auctions", auction).await.id("id");
        let bids = format!("/marketplace/auctions/{auction}/bids");
        assert_eq!(world.post(BOB, &bids, json!({"max_minor": 500})).await.status, 201);
        let offer = json!({"parcel": token(2), "currency": "coin", "price_minor": 50, "days": 1});
        let offer = world.post(BOB, "/marketplace/offers", offer).await.id("offer_id");
        assert_eq!(world.available(BOB).await, before - 550);
        assert_eq!(list(&world, 2).await, 201);
        let listing = world.get(ANN, "/marketplace/listings/mine").await.body["items"][0]["id"].clone();
        let listing = listing.as_str().unwrap();
        for id in [auction.to_string(), offer.to_string(), listing.to_owned()] {
            let cancel = format!("/staff/market/{id}/cancel");
            assert_eq!(world.act(MODERATOR, &cancel).await.0, 200);
            assert_eq!(world.act(MODERATOR, &cancel).await, (409, "not_open".to_owned()));
            assert!(world.on_record(&id).await.contains(&"market.cancelled".to_owned()));
        }
        assert_eq!(world.available(BOB).await, before);
        for who in [ANN, BOB] {
            assert!(world.told(who).await.contains(&"market.cancelled_by_staff".to_owned()), "{who}");
        }
        let unknown = format!("/staff/market/{}/cancel", account(77));
        assert_eq!(world.act(MODERATOR, &unknown).await.0, 404);
        // The land is free again.
        assert_eq!((list(&world, 0).await, list(&world, 2).await), (201, 201));
        world.check_sound().await;
    });
}

#[test]
fn a_moderator_touches_no_land_or_sale_of_an_admin() {
    on_each(async |world: World| {
        world.own(ADMIN, &[0]).await;
        let frozen = world.act(MODERATOR, &land(0, "/freeze")).await;
        assert_eq!(frozen, (403, "rank_too_low".to_owned()));
        let shown = world.get(ANN, &format!("/lands/{}", token(0))).await;
        assert_eq!(shown.body["is_frozen"], false);
    });
}
