//! Lists the named places of a planet: `cargo run --release -p planet --example places -- SEED RASTER_LEVEL`.

use std::time::Instant;

use planet::places::{NameTable, PlaceKind, Places};
use planet::{Planet, PlanetSpec};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seed = arguments.next().map_or(1, |seed| seed.parse().expect("a seed"));
    let raster_level = arguments.next().map_or(10, |level| level.parse().expect("a raster level"));
    let planet = Planet::generate(PlanetSpec { seed, shift: 3, raster_level });
    let began = Instant::now();
    let places = Places::find(planet.raster(), &NameTable::default(), seed);
    let took = began.elapsed();
    for kind in PlaceKind::ALL {
        let named: Vec<_> = places.all().iter().filter(|place| place.kind == kind).collect();
        let greatest: Vec<_> = named.iter().take(8).map(|place| place.name.as_str()).collect();
        println!("{:<10} {:>4}  {}", kind.name(), named.len(), greatest.join(", "));
    }
    println!("found in {took:.1?}");
}
