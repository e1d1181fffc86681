//! Vector tiles and GeoJSON, read by GDAL.
//!
//! Needs `ogr2ogr` (Debian: `gdal-bin`). Where it is absent the tests say so and pass, unless
//! `TERRANE_TEST_GDAL_REQUIRED=1`.

use std::path::Path;
use std::process::Command;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use cell::{CellId, LatLng};
use land::{EncumbranceKind, Shown};
use serde_json::{Value, json};
use store::testing::{TestDatabase, for_each_engine};
use uuid::Uuid;

use crate::world::{NOW_US, World, migrations};

fn on_each(test: impl AsyncFn(World)) {
    for_each_engine(&migrations(), async |store| test(World::new(store)).await);
}

/// The features of a layer as GDAL reads them, coordinates in steps of the tile or degrees; `None` where GDAL is absent
/// and may be.
#[track_caller]
fn ogr(path: &Path, options: &[&str]) -> Option<Vec<Value>> {
    let run = Command::new("ogr2ogr").args(["-f", "GeoJSON", "/vsistdout/"]).arg(path).args(options).output();
    let output = match run {
        Ok(output) => output,
        Err(error) => {
            let is_required = std::env::var("TERRANE_TEST_GDAL_REQUIRED").is_ok_and(|value| value == "1");
            assert!(!is_required, "ogr2ogr cannot be run ({error}): install gdal-bin");
            eprintln!("not tested, because ogr2ogr cannot be run: {error}");
            return None;
        }
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("ogr2ogr prints JSON");
    Some(document["features"].as_array().expect("features").clone())
}

/// Whether GDAL finds all polygons of a file valid.
fn are_valid(path: &Path, layer: &str) -> bool {
    let sql = format!("select count(*) as bad from \"{layer}\" where not coalesce(ST_IsValid(geometry), 0)");
    let output =
        Command::new("ogrinfo").arg("-q").arg(path).args(["-dialect", "sqlite", "-sql", &sql]).output();
    let text = String::from_utf8_lossy(&output.expect("ogrinfo was there before").stdout).into_owned();
    assert!(text.contains("bad (Integer)"), "{text}");
    text.contains("bad (Integer) = 0")
}

async fn bytes(world: &World, path: &str) -> Vec<u8> {
    let response = world.raw(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    to_bytes(response.into_body(), 1 << 22).await.unwrap().to_vec()
}

fn column_row(at: glam::DVec3, z: u32) -> (u32, u32) {
    let place = LatLng::from_point(at);
    let n = f64::from(1_u32 << z);
    let x = (place.lng_deg() + 180.0) / 360.0 * n;
    let y = (1.0 - libm::asinh(libm::tan(place.lat_rad())) / std::f64::consts::PI) / 2.0 * n;
    (x as u32, y as u32)
}

/// A parcel around a hole, one for sale beside it and one that is only taken.
async fn settle(world: &World, middle: CellId) -> [CellId; 3] {
    let ring: Vec<CellId> = middle.all_neighbors().to_vec();
    let far = middle.edge_neighbors()[0].edge_neighbors()[0].edge_neighbors()[0];
    let sale = Uuid::from_u128(77);
    world
        .store
        .locked(move |tx| {
            let around = land::testing::give(tx, &ring, Uuid::from_u128(1), NOW_US)?;
            let inside = land::testing::give(tx, &[middle], Uuid::from_u128(2), NOW_US)?;
            let beside = land::testing::give(tx, &[far], Uuid::from_u128(3), NOW_US)?;
            assert!(land::encumber(tx, inside, EncumbranceKind::Listing, sale)?);
            let shown =
                Shown { price_minor: Some(12_345), currency: Some("coin".to_owned()), ends_at_us: None };
            assert!(land::show(tx, inside, sale, &shown)?);
            assert!(land::encumber(tx, beside, EncumbranceKind::Auction, sale)?);
            Ok::<_, store::Error>([around, inside, beside])
        })
        .await
        .unwrap()
}

fn place(lat: f64, lng: f64, level: u8) -> CellId {
    CellId::from_lat_lng(LatLng::from_degrees(lat, lng).unwrap()).parent(level)
}

#[test]
fn gdal_reads_outlines_where_they_are() {
    on_each(async |world| {
        let folder = tempfile::tempdir().unwrap();
        // The tile around a place, as GDAL reads it: in degrees, by the place of the tile in the pyramid.
        let features_at = async |at: glam::DVec3, z: u32| {
            let (x, y) = column_row(at, z);
            let tile = bytes(&world, &format!("/api/v1/lands/tiles/{z}/{x}/{y}.mvt")).await;
            let path = folder.path().join(format!("{z}/{x}/{y}.mvt"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, tile).unwrap();
            let features = ogr(&path, &["parcels", "-t_srs", "EPSG:4326", "-oo", "CLIP=NO"])?;
            assert!(are_valid(&path, "parcels"), "{z}/{x}/{y}");
            Some(features)
        };
        for (lat, lng) in [(40.7, -74.0), (-33.9, 179.9999), (84.9, 10.0), (35.2644, 45.0)] {
            let middle = place(lat, lng, world.land.lot_level());
            let [around, inside, beside] = settle(&world, middle).await;
            for z in [12, 13, 14] {
                let Some(features) = features_at(middle.center(), z).await else { return };
                let Some(others) = features_at(beside.center(), z).await else { return };
                let of = |features: &[Value], anchor: CellId| {
                    let token = anchor.token();
                    let found = features.iter().find(|it| it["properties"]["token"] == token).cloned();
                    found.unwrap_or_else(|| panic!("{token} at zoom {z}: {features:?}"))
                };
                let (around, inside) = (of(&features, around), of(&features, inside));
                let beside = of(&others, beside);
                assert_eq!(around["properties"]["state"], "taken");
                assert_eq!(around["properties"]["owner_id"], json!(Uuid::from_u128(1)));
                assert_eq!(around["properties"]["cell_count"], middle.all_neighbors().len());
                let (sale, auction) = (&inside["properties"], &beside["properties"]);
                assert_eq!((&sale["state"], &sale["price_minor"]), (&json!("sale"), &json!(12_345)));
                assert_eq!((&sale["fence"], &sale["currency"]), (&json!("everyone"), &json!("coin")));
                assert_eq!((&auction["state"], &auction["price_minor"]), (&json!("auction"), &Value::Null));
                assert_ring_is(&inside, middle, z);
            }
            world
                .store
                .locked(|tx| {
                    for sql in ["delete from encumbrances", "delete from parcel_cells", "delete from parcels"]
                    {
                        tx.execute(sql, store::params![])?;
                    }
                    Ok::<_, store::Error>(())
                })
                .await
                .unwrap();
        }
    });
}

/// The outline of a parcel of one lot is the lot's, to a step of the tile.
#[track_caller]
fn assert_ring_is(feature: &Value, lot: CellId, z: u32) {
    let mut ring = feature["geometry"]["coordinates"].clone();
    while !ring[0][0].is_number() {
        ring = ring[0].clone();
    }
    let step_deg = 360.0 / f64::from(1_u32 << z) / 4096.0;
    for corner in lot.corners() {
        let corner = LatLng::from_point(corner);
        let is_near = ring.as_array().unwrap().iter().any(|point| {
            let (lng, lat) = (point[0].as_f64().unwrap(), point[1].as_f64().unwrap());
            let lng = (lng - corner.lng_deg() + 540.0).rem_euclid(360.0) - 180.0;
            lng.abs() <= step_deg && (lat - corner.lat_deg()).abs() <= step_deg
        });
        assert!(is_near, "{corner:?} is not on {ring}");
    }
}

#[test]
fn far_away_land_is_a_bounded_number_of_points() {
    on_each(async |world| {
        let level = world.land.lot_level();
        let parents = [place(10.0, 20.0, 8), place(-50.0, -170.0, 8), place(10.0, 22.0, 9)];
        let lots: Vec<CellId> =
            parents.iter().flat_map(|it| it.descendants(level).step_by(13).take(1_100)).collect();
        let count = lots.len();
        world
            .store
            .locked(move |tx| {
                lots.iter().try_for_each(|lot| {
                    land::testing::give(tx, &[*lot], Uuid::from_u128(1), NOW_US).map(drop)
                })
            })
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        for z in [0_u32, 1, 3, 6] {
            let mut counted = 0;
            let mut has_more = false;
            for x in 0..1 << z.min(3) {
                for y in 0..1 << z.min(3) {
                    let (x, y) = if z <= 3 {
                        (x, y)
                    } else {
                        let (a, b) = column_row(parents[0].center(), z);
                        (a - 4 + x, b - 4 + y)
                    };
                    let tile = bytes(&world, &format!("/api/v1/lands/tiles/{z}/{x}/{y}.mvt")).await;
                    if tile.is_empty() {
                        continue;
                    }
                    assert!(tile.len() < 20_000, "{z}/{x}/{y} has {} bytes", tile.len());
                    let path = folder.path().join(format!("{z}-{x}-{y}.mvt"));
                    std::fs::write(&path, tile).unwrap();
                    let Some(features) = ogr(&path, &["clusters"]) else { return };
                    assert!(features.len() <= 150);
                    for feature in features {
                        assert_eq!(feature["geometry"]["type"], "Point");
                        counted += feature["properties"]["count"].as_u64().unwrap() as usize;
                        has_more |= feature["properties"]["is_more"] == true;
                    }
                }
            }
            if z <= 3 {
                assert!(counted == count || has_more, "zoom {z}: {counted} of {count}");
            }
            assert!(counted > 0, "zoom {z}");
        }
    });
}

#[test]
fn gdal_reads_the_geojson_and_finds_it_valid() {
    on_each(async |world| {
        let level = world.land.lot_level();
        let folder = tempfile::tempdir().unwrap();
        settle(&world, place(40.7, -74.0, level)).await;
        let pole: Vec<CellId> =
            std::iter::once(place(90.0, 0.0, level)).chain(place(90.0, 0.0, level).all_neighbors()).collect();
        let line: Vec<CellId> = std::iter::once(place(5.0, 180.0, level))
            .chain(place(5.0, 180.0, level).all_neighbors())
            .collect();
        world
            .store
            .locked(move |tx| {
                land::testing::give(tx, &pole, Uuid::from_u128(1), NOW_US)?;
                land::testing::give(tx, &line, Uuid::from_u128(1), NOW_US)
            })
            .await
            .unwrap();
        let text = bytes(&world, "/api/v1/lands.geojson?bbox=-180,-90,180,90").await;
        let document: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!((&document["numberReturned"], document.get("next_cursor")), (&json!(5), None));
        let path = folder.path().join("lands.geojson");
        std::fs::write(&path, text).unwrap();
        let Some(features) = ogr(&path, &[]) else { return };
        assert_eq!(features.len(), 5);
        assert!(are_valid(&path, "lands"));
        for feature in &features {
            assert!(feature["properties"]["area_m2"].as_f64().unwrap() > 100.0);
            assert_eq!(
                feature["properties"]["owner_name"].as_str().unwrap().split(' ').next(),
                Some("player")
            );
        }
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page: Value = serde_json::from_slice(
                &bytes(&world, &format!("/api/v1/lands.geojson?bbox=-180,-90,180,90&limit=2{cursor}")).await,
            )
            .unwrap();
            found.extend(
                page["features"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 5);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn maps_are_for_everybody_and_asked_for_again_only_when_they_changed() {
    let database = TestDatabase::sqlite();
    let world = World::new(database.open(&migrations()).await);
    let lot = place(40.7, -74.0, world.land.lot_level());
    let (x, y) = column_row(lot.center(), 14);
    let paths = [
        format!("/api/v1/lands/tiles/14/{x}/{y}.mvt"),
        "/api/v1/lands.geojson?bbox=-75,40,-73,41".to_owned(),
        "/api/v1/lands/tiles.json".to_owned(),
    ];
    let ask = async |path: &str, tag: Option<&str>| {
        let request = Request::builder().method(Method::GET).uri(path);
        let request = tag.into_iter().fold(request, |it, tag| it.header(header::IF_NONE_MATCH, tag));
        world.raw(request.body(Body::empty()).unwrap()).await
    };
    let mut tags = Vec::new();
    for path in &paths {
        let first = ask(path, None).await;
        assert_eq!(
            (first.status(), &first.headers()["cache-control"]),
            (StatusCode::OK, &"no-cache".parse().unwrap())
        );
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(ask(path, Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(ask(path, Some(&format!("\"x\", W/{tag}"))).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(ask(path, Some("\"x\"")).await.status(), StatusCode::OK);
        tags.push(tag);
    }
    world.store.locked(move |tx| land::testing::give(tx, &[lot], Uuid::from_u128(1), NOW_US)).await.unwrap();
    for (path, tag) in paths.iter().zip(&tags) {
        let is_same = path.rsplit_once('.').is_some_and(|(_, it)| it == "json");
        let status = ask(path, Some(tag)).await.status();
        assert_eq!(status == StatusCode::NOT_MODIFIED, is_same, "{path}");
    }

    let source: Value = serde_json::from_slice(&bytes(&world, &paths[2]).await).unwrap();
    assert_eq!(source["tiles"], json!(["https://terrane.test/api/v1/lands/tiles/{z}/{x}/{y}.mvt"]));
    assert_eq!((&source["tilejson"], &source["maxzoom"]), (&json!("3.0.0"), &json!(14)));
    let layers = source["vector_layers"].as_array().unwrap();
    assert_eq!((&layers[0]["maxzoom"], &layers[1]["minzoom"]), (&json!(11), &json!(12)));
    assert!(layers.iter().all(|it| it["fields"].is_object()));

    for (path, outcome) in [
        ("/tiles/15/0/0.mvt", (404, "tile_unknown")),
        ("/tiles/3/8/0.mvt", (404, "tile_unknown")),
        ("/tiles/3/0/8.mvt", (404, "tile_unknown")),
        ("/tiles/3/0/4294967295.mvt", (404, "tile_unknown")),
        ("/tiles/3/0/0.png", (404, "format_unknown")),
        ("/tiles/3/0/0", (404, "format_unknown")),
        ("/tiles/3/0/x.mvt", (400, "invalid_path")),
        ("/tiles/3/-1/0.mvt", (400, "invalid_path")),
        ("/tiles/256/0/0.mvt", (400, "invalid_path")),
        (".geojson", (400, "invalid_query")),
        (".geojson?bbox=1,2,3", (400, "invalid_query")),
        (".geojson?bbox=0,0,1,1&limit=501", (400, "invalid_query")),
        (".geojson?bbox=0,0,1,1&cursor=zz", (400, "invalid_cursor")),
        (".geojson?bbox=0,0,1,1&x=1", (400, "invalid_query")),
    ] {
        let answer = world.get(1, &format!("/api/v1/lands{path}")).await;
        assert_eq!(answer.outcome(), outcome, "{path}: {}", answer.body);
    }
}
