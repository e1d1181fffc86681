//! How long tiles take and how large they are, zoom by zoom: CPU time of this thread, medians.
//!
//! `cargo run --release -p maps --example tile_speed -- [SEED [ZOOM…]]`

use std::fs;
use std::sync::Arc;

use cell::LatLng;
use glam::DVec3;
use maps::{ImageFormat, MapLayer, Painter, TileXyz, zoom_max};
use planet::{Planet, PlanetSpec};

/// Tiles of each zoom that are measured.
const TILES: usize = 9;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|it| it.parse().expect("a number")).collect();
    let (seed, zooms) = numbers.split_first().unwrap_or((&1, &[]));
    let seed = *seed;
    let planet = Arc::new(Planet::generate(PlanetSpec { seed, ..PlanetSpec::default() }));
    println!("zoom   cold ms  beside ms  again ms   png ms  png KB  webp ms  webp KB   dem ms  dem KB");
    let all = 0..=zoom_max(&planet);
    let zooms: Vec<u8> =
        if zooms.is_empty() { all.collect() } else { zooms.iter().map(|it| *it as u8).collect() };
    for zoom in zooms {
        let rows: Vec<_> = places(&planet).map(|place| measure(&planet, zoom, place)).collect();
        let column = |index: usize| {
            let mut values: Vec<f64> = rows.iter().map(|row| row[index]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let [cold, beside, again, png, png_kb, webp, webp_kb, dem, dem_kb] = std::array::from_fn(column);
        println!(
            "{zoom:4} {cold:9.1} {beside:10.1} {again:9.1} {png:8.1} {png_kb:7.1} {webp:8.1} {webp_kb:8.1} {dem:8.1} {dem_kb:7.1}"
        );
    }
}

/// Places on land or by the shore, spread over the planet.
fn places(planet: &Planet) -> impl Iterator<Item = DVec3> {
    let spiral = (0..400).map(|index| {
        let lat = f64::from(index) * 0.35 - 70.0;
        let lng = (f64::from(index) * 137.5) % 360.0 - 180.0;
        LatLng::from_degrees(lat, lng).expect("in range").to_point()
    });
    spiral
        .filter(|place| (1.0..900.0).contains(&planet.elevation_coarse_m(*place, 2_000.0)))
        .step_by(7)
        .take(TILES)
}

fn measure(planet: &Arc<Planet>, zoom: u8, place: DVec3) -> [f64; 9] {
    let painter = Painter::new(Arc::clone(planet), 64 << 20);
    let place = LatLng::from_point(place);
    let world = f64::from(1_u32 << zoom);
    let x = ((place.lng_deg() / 360.0 + 0.5) * world) as u32;
    let northing = libm::atanh(libm::sin(place.lat_rad())) / std::f64::consts::TAU;
    let y = ((0.5 - northing) * world) as u32;
    let last = (1 << zoom) - 1;
    let tile = |x: u32, y: u32| {
        TileXyz::try_new(painter.planet(), zoom, x.min(last), y.min(last)).expect("on the map")
    };
    let (_, cold) = timed(|| painter.tile(MapLayer::Biome, tile(x, y)));
    let (_, beside) = timed(|| painter.tile(MapLayer::Biome, tile(x + 1, y)));
    let (picture, again) = timed(|| painter.tile(MapLayer::Biome, tile(x, y)));
    let (png, png_ms) = timed(|| ImageFormat::Png.encode(&picture));
    let (webp, webp_ms) = timed(|| ImageFormat::Webp.encode(&picture));
    let (dem, dem_ms) = timed(|| ImageFormat::Png.encode(&painter.terrarium(tile(x, y))));
    let kb = |file: Vec<u8>| file.len() as f64 / 1_024.0;
    [cold, beside, again, png_ms, kb(png), webp_ms, kb(webp), dem_ms, kb(dem)]
}

/// Milliseconds that this thread was on a processor.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let now = || -> f64 {
        let schedule = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
        let nanoseconds: f64 = schedule.split(' ').next().and_then(|it| it.parse().ok()).expect("a number");
        nanoseconds / 1e6
    };
    let started = now();
    let result = work();
    (result, now() - started)
}
