//! How much processor time the planet takes to answer (of this thread, where the system tells; others may be busy): `cargo run --release -p planet --example speed -- [RASTER_LEVEL]`.

use std::hint::black_box;
use std::time::Instant;

use cell::{CellId, LatLng};
use glam::DVec3;
use planet::noise::InstructionSet;
use planet::{Planet, PlanetSpec, Receiver};

fn main() {
    let raster_level = std::env::args().nth(1).and_then(|level| level.parse().ok()).unwrap_or(10);
    let spec = PlanetSpec { raster_level, ..PlanetSpec::default() };
    let started = Instant::now();
    let made = Planet::generate(spec);
    println!("generate                 {:10.1} ms", started.elapsed().as_secs_f64() * 1e3);
    let fresh = || Planet::new(spec, made.raster().clone());
    let planet = fresh();
    let started = Instant::now();
    let arrival = planet.arrival();
    println!(
        "arrival                  {:10.1} ms, at {:?}",
        started.elapsed().as_secs_f64() * 1e3,
        LatLng::from_point(arrival.ground)
    );

    let land: Vec<CellId> = (0..6)
        .flat_map(|face| CellId::from_face(face).descendants(raster_level))
        .step_by(997)
        .filter(|cell| {
            let here = planet.raster().cell(raster_level, cell.face_ij());
            here.is_some_and(|here| here.receiver != Receiver::Sea)
        })
        .collect();
    let chunk_level = planet.grid_level(14);
    let near: Vec<CellId> =
        CellId::from_point(arrival.ground).parent(chunk_level - 3).descendants(chunk_level).collect();
    let chunks: Vec<CellId> =
        land.iter().take(300).map(|cell| CellId::from_point(cell.center()).parent(chunk_level)).collect();
    measure("chunk, nothing cached", &chunks, |cell| black_box(planet.chunk(cell)).heights_m[0]);
    for set in InstructionSet::available() {
        set.force();
        measure(&format!("chunk, {set:?}"), &near, |cell| black_box(planet.chunk(cell)).heights_m[0]);
    }
    for level in [0, 2, 4, 6, 8, 10] {
        let planet = fresh();
        let mut cells: Vec<CellId> =
            land.iter().take(40).map(|cell| CellId::from_point(cell.center()).parent(level)).collect();
        cells.dedup();
        measure(&format!("patch of level {level}, cold"), &cells, |cell| {
            black_box(planet.patch(cell, 64, 1)).elevations_m[0]
        });
        measure(&format!("patch of level {level}"), &cells, |cell| {
            black_box(planet.patch(cell, 64, 1)).elevations_m[0]
        });
    }
    let places: Vec<DVec3> = land.iter().take(2_000).map(|cell| cell.center()).collect();
    measure("ground, anywhere", &places, |place| planet.ground(place).elevation_m as f32);
    let here: Vec<DVec3> = (0..100_000)
        .map(|step| (arrival.ground + arrival.facing * 1e-9 * f64::from(step)).normalize())
        .collect();
    planet.ground(arrival.ground);
    measure("ground, walking", &here, |place| planet.ground(place).elevation_m as f32);
}

/// Microseconds a call.
fn measure<T: Copy>(name: &str, items: &[T], ask: impl Fn(T) -> f32) {
    let started_us = processor_us();
    for item in items {
        black_box(ask(*item));
    }
    println!("{name:24} {:10.2} µs", (processor_us() - started_us) / items.len() as f64);
}

/// Time this thread has been running.
fn processor_us() -> f64 {
    static STARTED: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let clock_us = STARTED.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e6;
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    told.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map_or(clock_us, |ns| ns / 1e3)
}
