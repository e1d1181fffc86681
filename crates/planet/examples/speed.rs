//! How long the planet takes to answer: `cargo run --release -p planet --example speed`.

use std::hint::black_box;
use std::time::Instant;

use cell::CellId;
use glam::DVec3;
use planet::{Planet, PlanetSpec};

fn main() {
    let spec = PlanetSpec::default();
    let started = Instant::now();
    let planet = Planet::generate(spec);
    println!("new              {:8.2} ms", started.elapsed().as_secs_f64() * 1e3);
    let started = Instant::now();
    let arrival = planet.arrival();
    println!("arrival          {:8.2} ms", started.elapsed().as_secs_f64() * 1e3);

    // Cells along the curve, a prime number of them apart: all over the planet, sea and land.
    let directions: Vec<DVec3> = (0..6)
        .flat_map(|face| CellId::from_face(face).descendants(9))
        .step_by(7)
        .map(CellId::center)
        .collect();
    let land: Vec<DVec3> =
        directions.iter().copied().filter(|direction| planet.elevation_m(*direction) > 0.0).collect();
    println!("land             {:8.1} %", 100.0 * land.len() as f64 / directions.len() as f64);

    measure("elevation, all", &directions, |direction| planet.elevation_m(direction));
    measure("elevation, land", &land, |direction| planet.elevation_m(direction));
    measure("  at 100 m", &land, |direction| planet.elevation_coarse_m(direction, 100.0));
    measure("  at 10 km", &land, |direction| planet.elevation_coarse_m(direction, 10_000.0));
    measure("climate", &land, |direction| planet.climate(direction).rain_mm);
    measure("leaf of a point", &directions, |direction| CellId::from_point(direction).raw() as f64);

    let started = Instant::now();
    let chunk = planet.chunk(CellId::from_point(arrival.ground).parent(14));
    println!("chunk            {:8.2} ms", started.elapsed().as_secs_f64() * 1e3);
    black_box(chunk);
}

/// Best of five, in nanoseconds a call.
fn measure(name: &str, directions: &[DVec3], ask: impl Fn(DVec3) -> f64) {
    let once = || {
        let started = Instant::now();
        for direction in directions {
            black_box(ask(black_box(*direction)));
        }
        started.elapsed().as_secs_f64() * 1e9 / directions.len() as f64
    };
    let best = (0..5).map(|_| once()).fold(f64::INFINITY, f64::min);
    println!("{name:16} {best:8.1} ns");
}
