//! Finding land, watching it, and what it was sold for.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use cell::LatLng;
use serde_json::{Value, json};

use crate::world::{DAY_US, HOUR_US, World, account, lot, on_each, token};

/// Lots 0 to 11 of player 1, each with another price, area, biome and front; every third is auctioned.
async fn market(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..12u32 {
        let biome = ["grassland", "taiga"][number as usize % 2];
        let area_m2 = 1_000.0 + f64::from(number % 5) * 10.0;
        world.settle_as(lot(number * 3), account(1), biome, i64::from(number % 8), area_m2).await;
        world.clock.advance_us(1);
        let price = i64::from((number * 7) % 12 + 1) * 1_000;
        let id = if number % 3 == 0 {
            let more = json!({ "start_minor": price, "duration_s": 3_600 * (1 + i64::from(number)) });
            world.auction(1, number * 3, "english", more).await
        } else {
            world.list(1, number * 3, price).await
        };
        ids.push(id);
    }
    ids
}

/// All pages of a search, two at a time.
async fn search(world: &World, query: &str) -> Vec<Value> {
    let (mut found, mut cursor): (Vec<Value>, String) = (Vec::new(), String::new());
    loop {
        let page = world.get(2, &format!("search?limit=2{query}{cursor}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}: {}", page.body);
        found.extend(page.body["items"].as_array().unwrap().iter().cloned());
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[test]
fn every_order_lists_everything_once_and_in_order() {
    on_each(async |world| {
        let ids: BTreeSet<String> = market(&world).await.into_iter().collect();
        let place = LatLng::from_point(lot(6).center());
        let near = format!("&near={},{}&radius_m=100000", place.lat_deg(), place.lng_deg());
        let number = |it: &Value, name: &str| it[name].as_f64().unwrap();
        let text = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
        let time = |it: &Value, name: &str| text(it, name).parse::<jiff::Timestamp>().unwrap();
        for place in ["", near.as_str()] {
            for sort in [
                "newest",
                "ending",
                "price_asc",
                "price_desc",
                "price_per_m2",
                "area_asc",
                "area_desc",
                "nearest",
            ] {
                if sort == "nearest" && place.is_empty() {
                    continue;
                }
                let found = search(&world, &format!("&sort={sort}{place}")).await;
                let seen: BTreeSet<String> = found.iter().map(|it| text(it, "id")).collect();
                assert_eq!((found.len(), &seen), (12, &ids), "{sort} {place}");
                let is_sorted = match sort {
                    "newest" => found.is_sorted_by(|a, b| time(a, "created_at") >= time(b, "created_at")),
                    "ending" => found.is_sorted_by(|a, b| time(a, "ends_at") <= time(b, "ends_at")),
                    "price_asc" => {
                        found.is_sorted_by(|a, b| number(a, "price_minor") <= number(b, "price_minor"))
                    }
                    "price_desc" => {
                        found.is_sorted_by(|a, b| number(a, "price_minor") >= number(b, "price_minor"))
                    }
                    "price_per_m2" => {
                        found.is_sorted_by(|a, b| number(a, "minor_per_m2") <= number(b, "minor_per_m2"))
                    }
                    "area_asc" => found.is_sorted_by(|a, b| {
                        number(&a["parcel"], "area_m2") <= number(&b["parcel"], "area_m2")
                    }),
                    "area_desc" => found.is_sorted_by(|a, b| {
                        number(&a["parcel"], "area_m2") >= number(&b["parcel"], "area_m2")
                    }),
                    _ => found[0]["parcel"]["token"] == json!(token(6)),
                };
                assert!(is_sorted, "{sort} {place}");
            }
        }
    });
}

#[test]
fn filters_let_through_what_they_say() {
    on_each(async |world| {
        market(&world).await;
        let all = search(&world, "").await;
        let check = async |query: &str, keeps: &dyn Fn(&Value) -> bool| {
            let found: BTreeSet<String> =
                search(&world, query).await.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
            let expected: BTreeSet<String> =
                all.iter().filter(|it| keeps(it)).map(|it| it["id"].as_str().unwrap().to_owned()).collect();
            assert!(!expected.is_empty() && expected.len() < all.len(), "{query} says nothing");
            assert_eq!(found, expected, "{query}");
        };
        let price = |it: &Value| it["price_minor"].as_i64().unwrap();
        let area = |it: &Value| it["parcel"]["area_m2"].as_f64().unwrap();
        let has = |it: &Value, name: &str| it["parcel"]["front"].as_array().unwrap().contains(&json!(name));
        check("&kind=fixed", &|it| it["kind"] == json!("fixed")).await;
        check("&kind=auction", &|it| it["kind"] == json!("english")).await;
        check("&kind=english", &|it| it["kind"] == json!("english")).await;
        check("&price_min_minor=5000", &|it| price(it) >= 5_000).await;
        check("&price_max_minor=5000", &|it| price(it) <= 5_000).await;
        check("&price_min_minor=5000&price_max_minor=9000&sort=price_asc", &|it| {
            (5_000..=9_000).contains(&price(it))
        })
        .await;
        check("&area_min_m2=1010", &|it| area(it) >= 1_010.0).await;
        check("&area_max_m2=1010.5", &|it| area(it) <= 1_010.5).await;
        check("&biome=taiga", &|it| it["parcel"]["biome"] == json!("taiga")).await;
        check("&front=river", &|it| has(it, "river")).await;
        check("&front=lake,coast", &|it| has(it, "lake") && has(it, "coast")).await;
        check("&ends_within_s=14400", &|it| it["ends_at"].as_str().unwrap() <= "2025-11-21T13:00:00.1Z")
            .await;
        let place = LatLng::from_point(lot(6).center());
        let near = format!("&near={},{}", place.lat_deg(), place.lng_deg());
        // Lots stand 200 m to 300 m apart here.
        let tokens: Vec<String> = search(&world, &format!("{near}&radius_m=10&sort=nearest"))
            .await
            .iter()
            .map(|it| it["parcel"]["token"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(tokens, [token(6)]);
        assert_eq!(search(&world, &format!("{near}&radius_m=1000000")).await.len(), 12);
        assert_eq!(search(&world, "&kind=dutch").await.len(), 0);
        assert_eq!(search(&world, "&biome=desert").await.len(), 0);
        // What is over is not found.
        world.clock.advance_us(HOUR_US + 1_000);
        assert_eq!(search(&world, "").await.len(), 11);
    });
}

#[test]
fn bad_queries_are_refused() {
    on_each(async |world| {
        for query in [
            "price_min_minor=0",
            "price_min_minor=1.5",
            "price_max_minor=-1",
            "price_max_minor=9007199254740992",
            "area_min_m2=-1",
            "area_min_m2=NaN",
            "area_max_m2=inf",
            "front=sea",
            "near=1",
            "near=91,0",
            "near=x,y",
            "near=NaN,0",
            "near=0,0&radius_m=0",
            "near=0,0&radius_m=NaN",
            "radius_m=5",
            "sort=nearest",
            "sort=best",
            "kind=offer",
            "ends_within_s=0",
            "limit=101",
            "secret=1",
        ] {
            assert_eq!(
                world.get(2, &format!("search?{query}")).await.outcome(),
                (400, "invalid_query"),
                "{query}"
            );
        }
        assert_eq!(world.get(2, "search?currency=gold").await.outcome(), (422, "unknown_currency"));
        market(&world).await;
        let page = world.get(2, "search?limit=2&sort=price_asc").await;
        let cursor = page.body["next_cursor"].as_str().unwrap();
        assert_eq!(
            world.get(2, &format!("search?sort=newest&cursor={cursor}")).await.outcome(),
            (400, "invalid_cursor")
        );
        assert_eq!(world.get(2, "search?cursor=AAAA").await.outcome(), (400, "invalid_cursor"));
        for biome in ["%00", "%27%3B--", "x".repeat(2_000).as_str()] {
            let answer = world.get(2, &format!("search?biome={biome}")).await;
            assert!(
                matches!(answer.outcome(), (200, "") | (400, "invalid_query")),
                "{biome}: {:?}",
                answer.outcome()
            );
        }
    });
}

#[test]
fn watched_land_is_listed_and_its_watchers_are_told() {
    on_each(async |world| {
        world.landed(1, 0).await;
        let put = |number, token: String| {
            World::request(Method::PUT, number, &format!("watch/{token}"), None, None)
        };
        let delete = |number, token: String| {
            World::request(Method::DELETE, number, &format!("watch/{token}"), None, None)
        };
        assert_eq!(world.send(put(2, token(5))).await.outcome(), (409, "not_owned"));
        assert_eq!(world.send(put(2, "zz".to_owned())).await.outcome(), (404, "not_a_lot"));
        for _ in 0..2 {
            assert_eq!(world.send(put(2, token(0))).await.status, StatusCode::NO_CONTENT);
        }
        let listing = world.list(1, 0, 500).await;
        let watched = world.get(2, "watch").await.body;
        assert_eq!(
            (watched["items"].as_array().unwrap().len(), &watched["items"][0]["sale"]["id"]),
            (1, &json!(listing))
        );
        assert!(world.news_since(0).await.contains(&"market.watched_listed 2".to_owned()));
        let before = world.events().await.len();
        world.rich(3, 1_000).await;
        world.buy(3, &listing, 500).await;
        assert!(world.news_since(before).await.contains(&"market.sold 1,2".to_owned()));
        for _ in 0..2 {
            assert_eq!(world.send(delete(2, token(0))).await.status, StatusCode::NO_CONTENT);
        }
        assert_eq!(world.get(2, "watch").await.body["items"], json!([]));
    });
}

#[test]
fn a_hint_is_the_median_of_comparable_sales_and_they_are_shown() {
    on_each(async |world| {
        world.rich(2, 1_000_000).await;
        let sell = async |number: u32, price: i64| {
            let listing = world.list(1, number, price).await;
            assert_eq!(world.buy(2, &listing, price).await.status.as_u16(), 200);
        };
        // 10, 12 and 50 a square metre; others on other ground.
        for (number, biome, front, price) in [
            (0, "grassland", 1, 10_000),
            (1, "grassland", 1, 12_000),
            (2, "grassland", 3, 50_000),
            (3, "taiga", 1, 90_000),
            (4, "grassland", 0, 90_000),
        ] {
            world.settle_as(lot(number), account(1), biome, front, 1_000.0).await;
            if number != 2 {
                sell(number, price).await;
            }
        }
        world.settle_as(lot(9), account(1), "grassland", 1, 2_000.0).await;
        let of = async |world: &World| world.get(3, &format!("prices/{}", token(9))).await.body;
        assert_eq!(of(&world).await["hint"], Value::Null, "two are not enough");
        sell(2, 50_000).await;
        let seen = of(&world).await;
        assert_eq!(
            (&seen["hint"]["price_minor"], &seen["hint"]["minor_per_m2"]),
            (&json!(24_000), &json!(12.0))
        );
        let compared: BTreeSet<_> = seen["hint"]["comparables"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["token"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(compared, [0, 1, 2].map(token).into_iter().collect());
        assert_eq!(seen["region"].as_array().unwrap().len(), 5);
        assert_eq!(seen["history"], json!([]));
        // A parcel counts once, with its last sale; its own sales do not count for itself.
        let again = {
            let body = json!({ "parcel": token(1), "currency": "coin", "price_minor": 14_000 });
            world.post(2, "listings", body).await.id()
        };
        world.rich(4, 100_000).await;
        world.clock.advance_us(1);
        world.buy(4, &again, 14_000).await;
        assert_eq!(of(&world).await["hint"]["price_minor"], json!(28_000));
        let own = world.get(3, &format!("prices/{}", token(1))).await.body;
        assert_eq!((own["history"].as_array().unwrap().len(), &own["hint"]), (2, &Value::Null));
        assert_eq!(own["history"][0]["price_minor"], json!(14_000));
        // Half a year later all of that is too old.
        world.clock.advance_us(181 * DAY_US);
        let seen = of(&world).await;
        assert_eq!((&seen["hint"], &seen["region"]), (&Value::Null, &json!([])));
        // Land of nobody has a region and no hint.
        let free = world.get(3, &format!("prices/{}", token(20))).await;
        assert_eq!((free.status.as_u16(), &free.body["hint"]), (200, &Value::Null));
        assert_eq!(world.get(3, "prices/zz").await.outcome(), (404, "not_a_lot"));
        assert_eq!(
            world.get(3, &format!("prices/{}?currency=gold", token(1))).await.outcome(),
            (422, "unknown_currency")
        );
    });
}

#[test]
fn the_terms_are_those_of_the_economy_and_open_to_everybody() {
    on_each(async |world| {
        let request = axum::http::Request::get("/api/v1/marketplace/terms");
        let seen = world.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(seen.status, StatusCode::OK);
        assert_eq!((&seen.body["seller_fee_bps"], &seen.body["sales_tax_bps"]), (&json!(250), &json!(100)));
        assert_eq!(seen.body["currencies"][0]["code"], json!("coin"));
    });
}
