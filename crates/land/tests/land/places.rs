//! Finding land by place, and the plans by which it is found.

use std::collections::BTreeSet;

use cell::{Cap, CellId, LatLng};
use serde_json::Value;
use store::testing::for_each_engine;
use store::{Engine, params};
use uuid::Uuid;

use crate::world::{World, migrations, tokens_of};

fn on_each(test: impl AsyncFn(World)) {
    for_each_engine(&migrations(), async |store| test(World::new(store)).await);
}

/// All pages of a list.
async fn all(world: &World, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get(9, &format!("{path}{cursor}")).await;
        items
            .extend(page.body["items"].as_array().unwrap_or_else(|| panic!("{path}: {}", page.body)).clone());
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

fn tokens(items: &[Value]) -> Vec<String> {
    items.iter().map(|it| it["token"].as_str().unwrap().to_owned()).collect()
}

fn degrees(lot: CellId) -> (f64, f64) {
    let place = LatLng::from_point(lot.center());
    (place.lat_deg(), place.lng_deg())
}

/// Some parcels of several lots each, all over the world.
async fn settle(world: &World, middles: &[CellId]) -> Vec<Vec<CellId>> {
    let mut parcels = Vec::new();
    for (index, middle) in middles.iter().enumerate() {
        let mut lots = vec![*middle];
        lots.extend(middle.edge_neighbors().into_iter().take(index % 4));
        let owner = Uuid::from_u128(1 + index as u128 % 2);
        let given = lots.clone();
        let anchor = world
            .store
            .locked(move |tx| land::testing::give(tx, &given, owner, crate::world::NOW_US))
            .await
            .unwrap();
        assert!(lots.contains(&anchor));
        parcels.push(lots);
    }
    parcels
}

/// Around places where lists have seams: the antimeridian, the poles, corners of the cube, the middle of nowhere.
fn seams(level: u8) -> Vec<CellId> {
    [
        (0.0, 180.0),
        (10.0, -179.999),
        (89.999, 20.0),
        (-89.999, -100.0),
        (35.264, 45.0),
        (-35.264, -135.0),
        (0.0, 0.0),
        (51.5, -0.12),
    ]
    .map(|(lat, lng)| CellId::from_lat_lng(LatLng::from_degrees(lat, lng).unwrap()).parent(level))
    .to_vec()
}

#[test]
fn land_is_found_by_box_and_disc_over_every_seam_each_parcel_once() {
    on_each(async |world| {
        let parcels = settle(&world, &seams(world.land.lot_level())).await;
        let meets =
            |lots: &[CellId], is_inside: &dyn Fn(CellId) -> bool| lots.iter().any(|it| is_inside(*it));
        for (south, west, north, east) in [
            (-90.0, -180.0, 90.0, 180.0),
            (-5.0, 170.0, 15.0, -170.0),
            (80.0, -180.0, 90.0, 180.0),
            (-90.0, -120.0, -80.0, -80.0),
            (-1.0, -1.0, 1.0, 1.0),
            (51.4, -0.2, 51.6, 0.1),
            (35.2, 44.9, 35.3, 45.1),
            (0.0, 179.9, 0.0, 180.0),
        ] {
            let corner = |lat, lng| LatLng::from_degrees(lat, lng).unwrap();
            let rect = cell::LatLngRect::try_from_corners(corner(south, west), corner(north, east)).unwrap();
            let inside = |lot: CellId| cell::Region::intersects(&rect, lot);
            let expected: BTreeSet<CellId> =
                parcels.iter().filter(|it| meets(it, &inside)).map(|it| anchor(it)).collect();
            for limit in [1, 3, 100] {
                let path = format!("/api/v1/lands?bbox={west},{south},{east},{north}&limit={limit}");
                let found = tokens(&all(&world, &path).await);
                let distinct: BTreeSet<CellId> =
                    found.iter().map(|it| CellId::parse_token(it).unwrap()).collect();
                assert_eq!((distinct.len(), &distinct), (found.len(), &expected), "{path}");
            }
        }
        for lots in &parcels {
            let (lat, lng) = degrees(lots[0]);
            for radius_m in [1.0, 100.0, 300_000.0] {
                let path = format!("/api/v1/lands?near={lat},{lng}&radius_m={radius_m}&limit=2");
                let cap = Cap::new(lots[0].center(), radius_m / world.planet.radius_m());
                let inside = |lot: CellId| cell::Region::intersects(&cap, lot);
                let mut expected: Vec<CellId> =
                    parcels.iter().filter(|it| meets(it, &inside)).map(|it| anchor(it)).collect();
                let mut found: Vec<CellId> = tokens(&all(&world, &path).await)
                    .iter()
                    .map(|it| CellId::parse_token(it).unwrap())
                    .collect();
                expected.sort();
                found.sort();
                assert_eq!(found, expected, "{path}");
            }
        }
    });
}

fn anchor(lots: &[CellId]) -> CellId {
    *lots.iter().min().unwrap()
}

#[test]
fn a_place_that_is_none_is_refused() {
    on_each(async |world| {
        for query in [
            "",
            "?bbox=1,2,3",
            "?bbox=1,2,3,4,5",
            "?bbox=0,1,1,0",
            "?bbox=-181,0,0,1",
            "?bbox=0,-91,0,1",
            "?bbox=0,0,nan,1",
            "?bbox=a,b,c,d",
            "?near=1",
            "?near=91,0",
            "?near=0,0&radius_m=0",
            "?near=0,0&radius_m=1e7",
            "?near=0,0&radius_m=inf",
            "?bbox=0,0,1,1&near=0,0",
            "?bbox=0,0,1,1&radius_m=5",
            "?owner=me",
            "?owner=00000000-0000-0000-0000-000000000001&cell=1",
        ] {
            let answer = world.get(1, &format!("/api/v1/lands{query}")).await;
            assert_eq!(answer.outcome(), (400, "invalid_query"), "{query}: {}", answer.body);
        }
        for query in ["", "?near=0", "?near=0,0&limit=0", "?near=0,0&limit=51", "?near=0,0&radius_m=5"] {
            let answer = world.get(1, &format!("/api/v1/lands/free{query}")).await;
            assert_eq!(answer.outcome(), (400, "invalid_query"), "{query}");
        }
    });
}

#[test]
fn the_nearest_free_lots_are_dry_nobodys_and_in_order() {
    on_each(async |world| {
        let lots = world.dry_lots(6);
        world.magnate(1, lots[0]).await;
        let (lat, lng) = degrees(lots[0]);
        let path = format!("/api/v1/lands/free?near={lat},{lng}&limit=20");
        let before = world.get(1, &path).await.body;
        assert_eq!(before["items"][0]["token"], lots[0].token());
        assert_eq!(before["items"][0]["distance_m"], 0.0);
        world.own(1, &lots).await;
        let after = world.get(1, &path).await.body;
        let items = after["items"].as_array().unwrap();
        assert_eq!(items.len(), 20);
        let distances: Vec<f64> = items.iter().map(|it| it["distance_m"].as_f64().unwrap()).collect();
        assert!(distances.is_sorted());
        let taken = tokens_of(&lots);
        for token in tokens(items) {
            assert!(!taken.contains(&token));
            assert_eq!(world.get(1, &format!("/api/v1/lands/{token}")).await.body["status"], "free");
        }
        let kept: Vec<String> = tokens(before["items"].as_array().unwrap());
        let left: Vec<&String> = kept.iter().filter(|it| !taken.contains(it)).collect();
        assert_eq!(tokens(&items[..left.len()]).iter().collect::<Vec<_>>(), left);
        // In the middle of the sea there are none, and that is an answer.
        let (lat, lng) = degrees(world.sea_lot());
        let at_sea = world.get(1, &format!("/api/v1/lands/free?near={lat},{lng}")).await;
        assert_eq!(at_sea.status.as_u16(), 200);
    });
}

#[test]
fn a_wide_question_is_answered_in_bounded_pages() {
    on_each(async |world| {
        // More lots in one place than are looked at for a page, in parcels that the disc does not quite reach.
        let middle = seams(world.land.lot_level())[7];
        let parent = middle.parent(middle.level() - 6);
        let lots: Vec<CellId> = parent.descendants(middle.level()).step_by(2).take(2_000).collect();
        world
            .store
            .locked(move |tx| {
                lots.iter().try_for_each(|lot| {
                    land::testing::give(tx, &[*lot], Uuid::from_u128(1), crate::world::NOW_US).map(drop)
                })
            })
            .await
            .unwrap();
        let path = format!("/api/v1/lands?cell={}&limit=100", parent.token());
        let found = tokens(&all(&world, &path).await);
        assert_eq!(found.len(), 2_000);
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 2_000);
        let owned = all(&world, &format!("/api/v1/lands?owner={}&limit=100", Uuid::from_u128(1))).await;
        assert_eq!(owned.len(), 2_000);
    });
}

/// Every query by place or owner, with values for its parameters.
const QUERIES: &[&str] = land::PLACE_QUERIES;

#[test]
fn questions_by_place_and_owner_use_an_index_on_both_engines() {
    for_each_engine(&migrations(), async |store| {
        let is_sqlite = store.engine() == Engine::Sqlite;
        // So few rows are read faster whole; the question is whether there is another way.
        let plans: Vec<(String, String)> = store
            .locked(move |tx| {
                if !is_sqlite {
                    tx.execute("set local enable_seqscan = off", params![])?;
                }
                let mut plans = Vec::new();
                for query in QUERIES {
                    let explain = if is_sqlite { "explain query plan " } else { "explain " };
                    // Questions of a test, made once each.
                    let sql: &'static str = Box::leak(format!("{explain}{query}").into_boxed_str());
                    let column = if is_sqlite { 3 } else { 0 };
                    let rows = tx.query(sql, params![])?;
                    let lines: Vec<String> =
                        rows.iter().map(|it| it.get(column)).collect::<Result<_, _>>()?;
                    plans.push(((*query).to_owned(), lines.join("\n")));
                }
                Ok::<_, store::Error>(plans)
            })
            .await
            .unwrap();
        for (query, plan) in plans {
            let tables = ["p", "c", "e", "f", "parcels", "parcel_cells", "titles"];
            let is_scan = |line: &str| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let scans_whole = matches!(words.as_slice(), ["SCAN", table] if tables.contains(table));
                scans_whole || line.contains("Seq Scan on")
            };
            assert!(!plan.lines().any(is_scan), "{query}\n{plan}");
            assert!(plan.contains("Index") || plan.contains("SEARCH"), "{query}\n{plan}");
        }
    });
}
