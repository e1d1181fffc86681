//! Sizes and times of an artifact: `cargo run --release -p planet --example artifact -- SEED LEVEL THREADS [FILE]`.

use std::num::NonZeroUsize;
use std::time::Instant;

use planet::artifact::{self, Identity, TILE_BYTES, decode_tile, encode_tile, tile_hash, tiles_of};
use planet::global::{GlobalSpec, generate};
use planet::{BiomeTable, PlanetSpec, Raster};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| arguments.get(at).map_or(Ok(default), |text| text.parse::<u64>());
    let (seed, level, threads) = (number(0, 1)?, number(1, 10)? as u8, number(2, 1)? as usize);
    let biomes = BiomeTable::default();
    let raster = generate(&GlobalSpec { seed, raster_level: level, threads }, &biomes, &mut |_| {});

    let threads = NonZeroUsize::new(threads).ok_or("at least one thread")?;
    let spec = PlanetSpec { seed, shift: 3, raster_level: level };
    let identity = Identity { spec, sub_seed: 0, import: None, biome_table: biomes.to_bytes() };
    let began_at = Instant::now();
    let bytes = artifact::write(identity, &raster, threads);
    println!("write   {:7.1} ms, {} bytes", ms(began_at), bytes.len());
    let began_at = Instant::now();
    let (manifest, _) = artifact::read(&bytes, threads)?;
    println!("read    {:7.1} ms, {}", ms(began_at), manifest.planet_hash());
    println!("manifest {} bytes", manifest.bytes());
    for layer in Raster::layers(level) {
        println!("up to layer {layer:2}: {} bytes", manifest.layer_end(layer).ok_or("a layer of its own")?);
    }

    let tiles: Vec<_> = tiles_of(level).filter_map(|id| raster.tile(id)).collect();
    let began_at = Instant::now();
    let packed: Vec<Vec<u8>> = tiles.iter().map(|tile| encode_tile(tile)).collect();
    let encoding_ms = ms(began_at);
    let began_at = Instant::now();
    let unpacked = packed.iter().filter(|bytes| decode_tile(bytes).is_some()).count();
    let decoding_ms = ms(began_at);
    let began_at = Instant::now();
    let distinct: std::collections::BTreeSet<_> = tiles.iter().map(|tile| tile_hash(tile)).collect();
    let hashing_ms = ms(began_at);
    let megabytes = (tiles.len() * TILE_BYTES) as f64 / 1e6;
    println!("{unpacked} tiles, {} distinct, {megabytes:.1} MB raw; on one thread:", distinct.len());
    for (what, ms) in [("encode", encoding_ms), ("decode", decoding_ms), ("hash", hashing_ms)] {
        println!(
            "{what:7} {:7.1} us a tile, {:6.1} MB/s",
            ms * 1e3 / tiles.len() as f64,
            megabytes / ms * 1e3
        );
    }
    if let Some(file) = arguments.get(3) {
        std::fs::write(file, bytes)?;
    }
    Ok(())
}

fn ms(began_at: Instant) -> f64 {
    began_at.elapsed().as_secs_f64() * 1e3
}
