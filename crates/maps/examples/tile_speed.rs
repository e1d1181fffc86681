//! How long tiles take and how large they are, zoom by zoom: CPU time of this thread, means over all tiles.
//!
//! The system tells that time in steps of some milliseconds, so each kind of work is timed over many tiles at once.
//!
//! `cargo run --release -p maps --example tile_speed -- [SEED [ZOOM…]]`

use std::fs;
use std::sync::Arc;

use cell::LatLng;
use glam::DVec3;
use maps::{ImageFormat, MapLayer, Painter, Picture, TileXyz, zoom_max};
use planet::{Planet, PlanetSpec};

/// Tiles of each zoom that are measured.
const TILES: usize = 16;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|it| it.parse().expect("a number")).collect();
    let (seed, zooms) = numbers.split_first().unwrap_or((&1, &[]));
    let seed = *seed;
    let planet = Planet::generate(PlanetSpec { seed, ..PlanetSpec::default() });
    println!("zoom   cold ms  beside ms  again ms   png ms  png KB  webp ms  webp KB   dem ms  dem KB");
    let all = 0..=zoom_max(&planet);
    let zooms: Vec<u8> =
        if zooms.is_empty() { all.collect() } else { zooms.iter().map(|it| *it as u8).collect() };
    for zoom in zooms {
        let [cold, beside, again, png, png_kb, webp, webp_kb, dem, dem_kb] = measure(&planet, zoom);
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

/// Means over the tiles of a zoom. Nobody has asked for anything near the first ones.
fn measure(planet: &Planet, zoom: u8) -> [f64; 9] {
    let last = (1 << zoom) - 1;
    let tile = |painter: &Painter, x: u32, y: u32| {
        TileXyz::try_new(painter.planet(), zoom, x.min(last), y.min(last)).expect("on the map")
    };
    let tiles: Vec<(Painter, u32, u32)> = places(planet)
        .map(|place| {
            let fresh = Planet::new(planet.spec(), Arc::clone(planet.raster()));
            let place = LatLng::from_point(place);
            let world = f64::from(1_u32 << zoom);
            let x = ((place.lng_deg() / 360.0 + 0.5) * world) as u32;
            let northing = libm::atanh(libm::sin(place.lat_rad())) / std::f64::consts::TAU;
            let y = ((0.5 - northing) * world) as u32;
            (Painter::new(Arc::new(fresh), 64 << 20), x, y)
        })
        .collect();
    let count = tiles.len() as f64;
    let paint = |aside: u32| -> Vec<Picture> {
        let pictures = tiles.iter().map(|(it, x, y)| it.tile(MapLayer::Biome, tile(it, x + aside, *y)));
        pictures.collect()
    };
    let (_, cold) = timed(|| paint(0));
    let (_, beside) = timed(|| paint(1));
    let (pictures, again) = timed(|| paint(0));
    let encoded = |format: ImageFormat| {
        timed(|| pictures.iter().map(|picture| format.encode(picture).len()).sum::<usize>())
    };
    let (png_bytes, png) = encoded(ImageFormat::Png);
    let (webp_bytes, webp) = encoded(ImageFormat::Webp);
    let (dem_bytes, dem) = timed(|| {
        let files = tiles.iter().map(|(it, x, y)| ImageFormat::Png.encode(&it.terrarium(tile(it, *x, *y))));
        files.map(|file| file.len()).sum::<usize>()
    });
    let kb = |bytes: usize| bytes as f64 / 1_024.0;
    [cold, beside, again, png, kb(png_bytes), webp, kb(webp_bytes), dem, kb(dem_bytes)].map(|sum| sum / count)
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
