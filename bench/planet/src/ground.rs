//! Chunks: how long one takes with every instruction set, beside its noise alone, and what it packs to.

use std::hint::black_box;

use cell::CellId;
use planet::codec::{decode, encode};
use planet::noise::{Fbm, InstructionSet, Positions};
use planet::{CHUNK_VERTICES, Chunk, Planet, PlanetSpec};

use crate::rounds::{Contender, Spread, compete, thread_time_ns};

/// The level that is walked on.
const LEVEL: u8 = 14;
const CHUNKS: usize = 24;
const ROUNDS: usize = 15;

/// The default planet, made from nothing.
pub fn planet() -> Planet {
    let started = thread_time_ns();
    let planet = Planet::generate(PlanetSpec::default());
    println!(
        "\nplanet of seed {}: {:.1} s on this thread",
        planet.spec().seed,
        (thread_time_ns() - started) / 1e9
    );
    planet
}

/// Cells on dry land all over the planet.
fn land(planet: &Planet, count: usize) -> Vec<CellId> {
    // Cells along the curve, a prime number apart.
    let all = (0..6).flat_map(|face| CellId::from_face(face).descendants(8)).step_by(131).map(CellId::center);
    let dry = all.filter(|center| planet.elevation_coarse_m(*center, 1_000.0) > 2.0);
    dry.map(|center| CellId::from_point(center).parent(LEVEL)).take(count).collect()
}

pub fn measure_codec(planet: &Planet) {
    let cells = land(planet, 1_000);
    let chunks: Vec<Chunk> = cells.iter().map(|cell| planet.chunk(*cell)).collect();
    let packed: Vec<Vec<u8>> = chunks.iter().map(encode).collect();
    let sizes = Spread::of(packed.iter().map(|bytes| bytes.len() as f64).collect());
    let largest = packed.iter().map(Vec::len).max().unwrap_or(0);
    let small = packed.iter().filter(|bytes| bytes.len() <= 1_024).count();
    println!("\npacked chunks of level {LEVEL}, {} on land: bytes {sizes}, at most {largest}", chunks.len());
    println!("  {:.1} % are at most 1 KiB", 100.0 * small as f64 / chunks.len() as f64);
    let mut contenders = [
        Contender::new("pack", || {
            chunks.iter().take(CHUNKS).for_each(|chunk| drop(black_box(encode(chunk))))
        }),
        Contender::new("unpack", || {
            packed.iter().take(CHUNKS).for_each(|bytes| drop(black_box(decode(bytes))))
        }),
    ];
    compete(&mut contenders, ROUNDS, CHUNKS);
    for contender in contenders {
        println!("  {:28} {:>22} ns", contender.name, contender.time().to_string());
    }
}

/// Octaves of a chunk's noise when nothing else is done.
const OCTAVES: usize = 6;

pub fn measure_chunks(planet: &Planet) {
    let cells = land(planet, CHUNKS);
    let positions: Vec<Positions> = cells
        .iter()
        .map(|cell| Chunk::directions(*cell).map(|unit| unit * planet.radius_m()).collect())
        .collect();
    let fbm = Fbm::new(1, 1, 1.0 / 250.0, 0.5, OCTAVES);
    let mut contenders = Vec::new();
    for set in InstructionSet::available() {
        let cells = &cells;
        contenders.push(Contender::new(format!("chunk 65 x 65 {set:?}"), move || {
            set.force();
            cells.iter().for_each(|cell| drop(black_box(planet.chunk(*cell))));
        }));
    }
    for set in InstructionSet::available() {
        let (fbm, positions) = (&fbm, &positions);
        let mut out = vec![0.0; CHUNK_VERTICES];
        contenders.push(Contender::new(format!("{OCTAVES} octaves of noise {set:?}"), move || {
            for chunk in positions {
                fbm.sum_with(set, chunk, OCTAVES, &mut out);
                black_box(&out);
            }
        }));
    }
    compete(&mut contenders, ROUNDS, CHUNKS);
    println!("\nchunks of level {LEVEL} on land: ns");
    for contender in contenders {
        println!("  {:28} {:>22}", contender.name, contender.time().to_string());
    }
}
