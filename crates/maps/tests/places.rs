//! Names over HTTP, on the real router without a network.

mod support;

use support::{LIMITS, Site};

#[tokio::test]
async fn every_place_is_found_by_its_name_and_lies_where_the_list_says() {
    let site = Site::new(LIMITS);
    let answer = site.get(&site.below("places")).await;
    assert_eq!(answer.status, 200);
    // An operator may rename places: not for ever.
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    let list = answer.json();
    let places = list["items"].as_array().expect("a list");
    let kinds: Vec<&str> = places.iter().filter_map(|place| place["kind"].as_str()).collect();
    for kind in ["ocean", "continent", "range", "river"] {
        assert!(kinds.contains(&kind), "no {kind} among {kinds:?}");
    }
    for place in places.iter().filter(|place| place["kind"] == "continent") {
        let name = place["name"].as_str().expect("a name");
        let found =
            site.get(&site.below(&format!("places/search?q={}", name.replace(' ', "%20")))).await.json();
        assert_eq!(found["items"][0], *place);

        let (lat, lng) = (&place["center"]["lat_deg"], &place["center"]["lng_deg"]);
        let here = site.get(&site.below(&format!("at?lat={lat}&lng={lng}"))).await.json();
        assert_eq!(here["region"]["name"], name);
        assert_eq!(here["lot_corners"].as_array().expect("corners").len(), 4);
    }
}

#[tokio::test]
async fn at_sea_the_water_is_told_and_its_name() {
    let site = Site::new(LIMITS);
    let list = site.get(&site.below("places")).await.json();
    let ocean = &list["items"][0];
    let (lat, lng) = (&ocean["center"]["lat_deg"], &ocean["center"]["lng_deg"]);
    let here = site.get(&site.below(&format!("at?lat={lat}&lng={lng}"))).await.json();
    assert_eq!(here["region"], serde_json::json!({ "kind": "ocean", "name": ocean["name"] }));
    assert_eq!(here["water"]["surface_m"], 0.0);
    assert_eq!(
        here["water"]["depth_m"].as_f64(),
        here["elevation_m"].as_f64().map(|elevation_m| -elevation_m)
    );
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused_by_name() {
    let site = Site::new(LIMITS);
    for (path, parameter) in [
        ("at?lat=91&lng=0", "lat"),
        ("at?lat=0&lng=-180.5", "lng"),
        ("at?lat=NaN&lng=0", "lat"),
        ("places/search?q=%20", "q"),
        (&format!("places/search?q={}", "x".repeat(81)), "q"),
    ] {
        let answer = site.get(&site.below(path)).await;
        assert_eq!(answer.status, 400, "{path}");
        let problem = answer.json();
        assert_eq!(problem["code"], "invalid_query", "{path}");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{path}: {problem}");
    }
    for path in ["at?lat=1", "at", "at?lat=north&lng=1", "places/search", "places/search?q=a&limit=3"] {
        let answer = site.get(&site.below(path)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["code"]),
            (400, &"invalid_query".into()),
            "{path}"
        );
    }
    let other = site.get(&format!("/api/v1/planet/{}/places", "0".repeat(64))).await;
    assert_eq!((other.status.as_u16(), &other.json()["code"]), (404, &"planet_unknown".into()));
}
