//! The routes, tried on the real router without a network.

mod support;

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use maps::MapLimits;
use planet::artifact::{Manifest, tiles_of};
use support::{LIMITS, Site};

#[tokio::test]
async fn whatever_lies_below_the_hash_may_be_kept_for_ever_and_shown_by_anybody() {
    let site = Site::new(LIMITS);
    for (path, media_type) in [
        ("map/biome/1/0/1.png", "image/png"),
        ("map/elevation/1/0/1.webp", "image/webp"),
        ("face/biome/2/1/0/1.webp", "image/webp"),
        ("dem/1/1/0.png", "image/png"),
        ("chunks/4c?format=json", "application/json"),
        ("manifest", "application/vnd.terrane.planet"),
        ("artifact", "application/vnd.terrane.planet"),
        ("legend/elevation", "application/json"),
    ] {
        let path = site.below(path);
        let answer = site.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), media_type);
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
        let etag = answer.header("etag");
        assert!(etag.starts_with('"') && etag.len() > 30, "a strong tag: {etag}");

        let again = site.ask(Method::GET, &path, &[("if-none-match", etag)]).await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(
            (again.header("etag"), again.header("cache-control")),
            (etag, answer.header("cache-control"))
        );

        let head = site.ask(Method::HEAD, &path, &[]).await;
        assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0), "{path}");
        assert_eq!(head.header("content-length"), answer.bytes.len().to_string());
        assert_eq!(head.header("etag"), etag);
    }
}

#[tokio::test]
async fn parts_are_sent_and_parts_beyond_the_end_refused() {
    let site = Site::new(LIMITS);
    let paths = ["artifact", "manifest", "tiles/6/1", "map/biome/0/0/0.png"].map(|path| site.below(path));
    for path in paths {
        let whole = site.get(&path).await;
        assert_eq!(whole.header("accept-ranges"), "bytes", "{path}");
        let length = whole.bytes.len();
        let part = site.ask(Method::GET, &path, &[("range", "bytes=10-19")]).await;
        assert_eq!((part.status, &part.bytes[..]), (StatusCode::PARTIAL_CONTENT, &whole.bytes[10..20]));
        assert_eq!(part.header("content-range"), format!("bytes 10-19/{length}"));
        assert_eq!(part.header("etag"), whole.header("etag"));

        let beyond = format!("bytes={length}-");
        let refused = site.ask(Method::GET, &path, &[("range", &beyond)]).await;
        assert_eq!(refused.status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(refused.header("content-range"), format!("bytes */{length}"));
        assert_eq!(refused.header("cache-control"), "no-store");
        assert_eq!(refused.json()["code"], "range_not_satisfiable");
    }
}

#[tokio::test]
async fn a_client_can_put_the_planet_together_from_its_parts() {
    let site = Site::new(LIMITS);
    let manifest = Manifest::decode(&site.get(&site.below("manifest")).await.bytes).unwrap();
    assert_eq!(manifest.planet_hash().to_string(), site.maps.planet_hash());
    for id in tiles_of(manifest.identity().spec.raster_level) {
        let tile = site.get(&site.below(&format!("tiles/{}/{}", id.level, id.cell.token()))).await;
        assert_eq!(tile.status, 200);
        let tile = manifest.open_tile(id, &tile.bytes).expect("the tile that the manifest means");
        assert_eq!(Some(tile), site.maps.planet().raster().tile(id).map(Arc::unwrap_or_clone));
    }
}

#[tokio::test]
async fn what_does_not_exist_is_refused_with_its_reason() {
    let site = Site::new(LIMITS);
    let check = async |path: &str, status: u16, code: &str| {
        let path = if path.starts_with('/') { path.to_owned() } else { site.below(path) };
        let answer = site.get(&path).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (status, &code.into()), "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    };
    check("map/biome/15/0/0.png", 404, "tile_unknown").await;
    check("map/biome/3/8/0.png", 404, "tile_unknown").await;
    check("map/biome/3/0/8.png", 404, "tile_unknown").await;
    check("map/biome/3/0/4294967295.png", 404, "tile_unknown").await;
    for not_a_number in [
        "map/biome/x/0/0.png",
        "map/biome/NaN/0/0.png",
        "map/biome/300/0/0.png",
        "map/biome/3/-1/0.png",
        "map/biome/3/1.5/0.png",
        "map/biome/3/1/NaN.png",
        "map/biome/3/1/inf.png",
        "map/biome/3/1/.png",
        "map/biome/3/1/0x1.png",
        "map/biome/3/1/4294967296.png",
        "dem/3/1/one.png",
        "face/biome/a/1/0/0.png",
        "tiles/x/1",
    ] {
        check(not_a_number, 400, "invalid_path").await;
    }
    check("map/biome/3/1/2", 404, "format_unknown").await;
    check("map/biome/3/1/2.gif", 404, "format_unknown").await;
    check("dem/3/1/2.webp", 404, "format_unknown").await;
    check("map/rain/3/1/2.png", 404, "layer_unknown").await;
    check("legend/rain", 404, "layer_unknown").await;
    check("tilejson/rain.json", 404, "layer_unknown").await;
    check("tilejson/biome", 404, "layer_unknown").await;
    check("face/biome/6/0/0/0.png", 404, "tile_unknown").await;
    check("face/biome/0/13/0/0.png", 404, "tile_unknown").await;
    check("face/biome/0/2/4/0.png", 404, "tile_unknown").await;
    check("tiles/6/zz", 400, "invalid_path").await;
    check("tiles/6/4c", 404, "tile_unknown").await;
    check("tiles/255/1", 404, "tile_unknown").await;
    check("chunks/zz", 400, "invalid_path").await;
    check("chunks/0", 400, "invalid_path").await;
    check("chunks/%C3%A9", 400, "invalid_path").await;
    check("chunks/1000000000000001", 404, "chunk_unknown").await;
    check("chunks/1?format=xml", 400, "invalid_query").await;
    check("/api/v1/chunks/zz", 400, "invalid_path").await;
    check("/api/v1/planet/00/map/biome/0/0/0.png", 404, "planet_unknown").await;

    let elsewhere = site.get("/api/v1/planet/00/manifest").await;
    assert_eq!(elsewhere.json()["planet_hash"], site.maps.planet_hash());
}

#[tokio::test]
async fn a_chunk_in_json_is_what_the_planet_says() {
    let site = Site::new(LIMITS);
    let chunk = site.maps.planet().chunk(cell::CellId::parse_token("4be64c").unwrap());
    let answer = site.ask(Method::GET, "/api/v1/chunks/4be64c", &[("accept", "application/json")]).await;
    assert_eq!(
        (answer.header("cache-control"), answer.header("vary")),
        ("no-cache", "accept, accept-encoding")
    );
    let json = answer.json();
    assert_eq!((&json["token"], &json["side"]), (&"4be64c".into(), &65.into()));
    for name in ["elevation_m", "water_m", "temperature_c", "rain_mm", "biome"] {
        assert_eq!(json[name].as_array().map(Vec::len), Some(planet::CHUNK_VERTICES), "{name}");
    }
    for (index, height_m) in chunk.heights_m.iter().enumerate() {
        assert!((json["elevation_m"][index].as_f64().unwrap() - f64::from(*height_m)).abs() < 1e-3);
        assert_eq!(json["water_m"][index].is_null(), chunk.water_m[index].is_nan());
        assert_eq!(json["biome"][index], chunk.biomes[index] as u8);
    }

    let packed = [("accept", "application/json"), ("accept-encoding", "gzip")];
    let packed = site.ask(Method::GET, "/api/v1/chunks/4be64c", &packed).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_ne!(packed.header("etag"), answer.header("etag"), "other bytes, another strong tag");
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed.bytes[..]), &mut unpacked).unwrap();
    assert_eq!(unpacked, answer.bytes);
}

#[tokio::test]
async fn a_packed_chunk_is_what_the_planet_says_and_small() {
    let site = Site::new(LIMITS);
    let cell = cell::CellId::parse_token("4be64c2d").unwrap().parent(14);
    let answer = site.get(&site.below(&format!("chunks/{}", cell.token()))).await;
    assert_eq!(answer.header("content-type"), "application/vnd.terrane.chunk");
    assert!(answer.bytes.len() < 4_000, "{} bytes", answer.bytes.len());
    let (packed, chunk) = (planet::codec::decode(&answer.bytes).unwrap(), site.maps.planet().chunk(cell));
    assert_eq!((packed.cell, &packed.biomes), (chunk.cell, &chunk.biomes));
    for (packed_m, height_m) in packed.heights_m.iter().zip(&chunk.heights_m) {
        assert!((packed_m - height_m).abs() <= planet::codec::quantum_m(14));
    }
}

#[tokio::test]
async fn every_level_has_chunks() {
    let site = Site::new(LIMITS);
    for level in [0, 3, 17, planet::CHUNK_LEVEL_MAX] {
        let token = cell::CellId::parse_token("4be64c").unwrap().range_min().parent(level).token();
        let answer = site.get(&format!("/api/v1/chunks/{token}?format=json")).await;
        assert_eq!((answer.status, &answer.json()["level"]), (StatusCode::OK, &level.into()));
    }
}

#[tokio::test]
async fn a_layer_describes_itself_by_addresses_that_work() {
    let site = Site::new(LIMITS);
    for layer in ["biome", "elevation", "dem"] {
        let path = site.below(&format!("tilejson/{layer}.json"));
        let json = site.ask(Method::GET, &path, &[("x-forwarded-proto", "https")]).await.json();
        assert_eq!((&json["tilejson"], &json["scheme"]), (&"3.0.0".into(), &"xyz".into()));
        assert_eq!(
            (&json["minzoom"], &json["maxzoom"], &json["tileSize"]),
            (&0.into(), &14.into(), &256.into())
        );
        assert_eq!(json["planet_radius_m"], 796_375.0);
        assert_eq!(json.get("encoding").is_some(), layer == "dem");
        let url = json["tiles"][0].as_str().unwrap();
        let path = url.strip_prefix("https://maps.test:7380").expect("an absolute address").to_owned();
        let path = path.replace("{z}", "2").replace("{x}", "3").replace("{y}", "1");
        assert_eq!(site.get(&path).await.status, 200, "{path}");
    }
    let nowhere = site.ask(Method::GET, &site.below("tilejson/dem.json"), &[("host", "a b")]).await;
    assert_eq!(nowhere.json()["code"], "host_invalid");
}

/// Tiles that nobody has asked for yet.
fn fresh_tiles(site: &Site, count: u32) -> Vec<String> {
    (0..count).map(|x| site.below(&format!("map/biome/9/{x}/200.webp"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn too_much_at_once_is_refused_until_there_is_room() {
    let limits = MapLimits { workers_max: 1, waiting_max: 2, ..LIMITS };
    let site = Arc::new(Site::new(limits));
    let asked = fresh_tiles(&site, 24).into_iter().map(|path| {
        let site = Arc::clone(&site);
        tokio::spawn(async move { (site.get(&path).await, path) })
    });
    let asked: Vec<_> = asked.collect();
    let (mut drawn, mut refused) = (0, Vec::new());
    for answer in asked {
        let (answer, path) = answer.await.unwrap();
        if answer.status == 200 {
            drawn += 1;
        } else {
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (503, &"maps_busy".into()));
            assert_eq!(answer.header("retry-after"), "1");
            refused.push(path);
        }
    }
    assert!(drawn >= 3 && !refused.is_empty(), "{drawn} drawn, {} refused", refused.len());
    for path in refused {
        assert_eq!(site.get(&path).await.status, 200, "there is room again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_tile_wanted_by_many_is_drawn_once() {
    let limits = MapLimits { workers_max: 1, waiting_max: 0, ..LIMITS };
    let site = Arc::new(Site::new(limits));
    let path = site.below("map/biome/8/3/100.webp");
    let asked = (0..64).map(|_| {
        let (site, path) = (Arc::clone(&site), path.clone());
        tokio::spawn(async move { site.get(&path).await })
    });
    for answer in asked.collect::<Vec<_>>() {
        // With room for a single job, a second one would have been refused.
        assert_eq!(answer.await.unwrap().status, 200);
    }
}
