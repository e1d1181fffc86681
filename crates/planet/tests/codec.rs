//! Packed chunks: what goes in comes out, and nothing that strangers send does harm.

use cell::CellId;
use glam::DVec3;
use planet::codec::{CodecError, ENCODED_BYTES_MAX, VERSION, decode, encode, quantum_m};
use planet::{Biome, CHUNK_LEVEL_MAX, CHUNK_SIDE, CHUNK_VERTICES, Chunk, Planet, PlanetSpec};
use proptest::prelude::*;

/// A chunk of a valley with a river into a bay, by whole numbers alone.
fn valley(level: u8) -> Chunk {
    let cell = CellId::from_point(DVec3::new(0.3, -0.8, 0.5)).parent(level);
    let quantum_m = quantum_m(level);
    let vertices = (0..CHUNK_VERTICES).map(|index| {
        let (column, row) = ((index % CHUNK_SIDE) as i32, (index / CHUNK_SIDE) as i32);
        let rough = (column * column * 7 + row * column * 3 + row * 11) % 5 - 2;
        let from_river = (column - 30 - (row * row / 200)).abs();
        let height = 400 - row * 8 + from_river * 3 + rough;
        let river = 400 - row * 8 + 6;
        let water = if height < 0 { Some(0) } else { (from_river < 2).then_some(river) };
        let biome = match water {
            Some(0) => Biome::Shallows,
            Some(_) => Biome::River,
            None if height < 30 => Biome::Beach,
            None if from_river > 25 => Biome::TemperateForest,
            None => Biome::Grassland,
        };
        (height as f32 * quantum_m, water.map_or(f32::NAN, |water| water as f32 * quantum_m), biome)
    });
    let mut chunk = Chunk { cell, heights_m: Vec::new(), water_m: Vec::new(), biomes: Vec::new() };
    for (height_m, water_m, biome) in vertices {
        chunk.heights_m.push(height_m);
        chunk.water_m.push(water_m);
        chunk.biomes.push(biome);
    }
    chunk
}

#[test]
fn version_one_is_read_and_written_as_it_was_released() {
    let golden = include_bytes!("golden/chunk_v1.bin");
    assert_eq!(VERSION, 1);
    assert!(decode(golden) == Ok(valley(14)), "it is read as another chunk");
    assert!(encode(&valley(14)) == golden, "it is written in other bytes");
}

#[test]
fn whole_quanta_come_back_to_the_bit_at_every_level() {
    for level in 0..=CHUNK_LEVEL_MAX {
        let chunk = valley(level);
        assert!(decode(&encode(&chunk)) == Ok(chunk), "level {level}");
    }
}

#[test]
fn chunks_of_a_planet_come_back_within_half_a_quantum() {
    let planet = Planet::generate(PlanetSpec::for_test(3, 3));
    for level in [0, 3, 6, 9, 12, 14, 17, CHUNK_LEVEL_MAX] {
        check_close(&planet.chunk(CellId::from_point(DVec3::new(0.3, -0.8, 0.5)).parent(level)));
    }
}

fn check_close(chunk: &Chunk) {
    let half_m = 0.5 * quantum_m(chunk.cell.level());
    let bytes = encode(chunk);
    assert!(bytes.len() <= ENCODED_BYTES_MAX);
    let back = decode(&bytes).expect("what was packed");
    assert!(back.cell == chunk.cell && back.biomes == chunk.biomes);
    for (back, there) in [(&back.heights_m, &chunk.heights_m), (&back.water_m, &chunk.water_m)] {
        assert_eq!(back.len(), CHUNK_VERTICES);
        for (back_m, there_m) in back.iter().zip(there) {
            assert!((back_m - there_m).abs() <= half_m || (back_m.is_nan() && there_m.is_nan()));
        }
    }
    assert_eq!(encode(&back), bytes, "what was unpacked packs to the same bytes");
}

#[test]
fn water_and_the_flat_sea_cost_next_to_nothing() {
    let mut sea = valley(14);
    sea.heights_m.fill(-800.0);
    sea.water_m.fill(0.0);
    sea.biomes.fill(Biome::Ocean);
    assert!(encode(&sea).len() < 60, "{} bytes", encode(&sea).len());
}

#[test]
fn each_fault_of_the_header_has_its_error() {
    let good = encode(&valley(14));
    let check = |at: usize, byte: u8, error: CodecError| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        assert_eq!(decode(&bytes).err(), Some(error));
    };
    check(0, b'X', CodecError::NotAChunk);
    check(2, 2, CodecError::UnknownVersion(2));
    check(3, 3, CodecError::BadQuantum);
    check(11, 0xff, CodecError::BadCell);
    check(15, 0x7f, CodecError::BadVertex);
    assert_eq!(decode(&[]).err(), Some(CodecError::NotAChunk));
    assert_eq!(decode(&good[..9]).err(), Some(CodecError::Truncated));
    assert_eq!(decode(&good[..good.len() / 2]).err(), Some(CodecError::Truncated));
    let leaf = CellId::from_point(DVec3::X).raw().to_le_bytes();
    let mut bytes = good.clone();
    bytes[4..12].copy_from_slice(&leaf);
    assert_eq!(decode(&bytes).err(), Some(CodecError::BadCell), "leaves have no chunks");
    for byte in [0, 1, 255] {
        assert_eq!(decode(&[&good[..], &[byte]].concat()).err(), Some(CodecError::BadEnding));
    }
    let endless = [&good[..], &vec![0; ENCODED_BYTES_MAX]].concat();
    assert_eq!(decode(&endless).err(), Some(CodecError::BadEnding));
}

/// Whatever bytes say, a chunk is whole and has numbers for heights.
fn check_bounded(bytes: &[u8]) {
    if let Ok(chunk) = decode(bytes) {
        assert_eq!(chunk.heights_m.len(), CHUNK_VERTICES);
        assert_eq!(chunk.water_m.len(), CHUNK_VERTICES);
        assert_eq!(chunk.biomes.len(), CHUNK_VERTICES);
        assert!(chunk.heights_m.iter().all(|height_m| height_m.is_finite()));
        assert!(chunk.heights_m.capacity() < 2 * CHUNK_VERTICES);
    }
}

#[test]
fn every_bit_that_flips_gives_an_error_or_a_chunk() {
    let good = encode(&valley(14));
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        check_bounded(&bytes);
    }
}

#[test]
fn every_length_that_is_cut_gives_an_error_or_a_chunk() {
    let good = encode(&valley(14));
    for length in 0..good.len() {
        check_bounded(&good[..length]);
    }
}

/// Chunks of any ground at all: smooth, rough, absurd.
fn any_chunk() -> impl Strategy<Value = Chunk> {
    let span_m = prop_oneof![Just(0.0_f32), Just(0.4), Just(30.0), Just(4_000.0), Just(16_000.0)];
    let values = (any::<u64>(), span_m, -300.0_f32..300.0, 0_u8..=CHUNK_LEVEL_MAX, any::<u64>());
    values.prop_map(|(place, span_m, base_m, level, seed)| {
        let cell = CellId::from_face((place % 6) as u8)
            .descendants(4)
            .nth((place >> 8) as usize % 256)
            .expect("a face has 256 cells of level 4");
        let cell = CellId::from_point(cell.center()).parent(level);
        let mut state = seed | 1;
        let mut chance = move || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (state >> 40) as f32 / 16_777_216.0
        };
        let mut chunk = Chunk { cell, heights_m: Vec::new(), water_m: Vec::new(), biomes: Vec::new() };
        for _ in 0..CHUNK_VERTICES {
            chunk.heights_m.push((base_m + span_m * (chance() - 0.5)).clamp(-8_000.0, 8_000.0));
            let water_m = if chance() < 0.3 { base_m + chance() } else { f32::NAN };
            chunk.water_m.push(water_m);
            chunk.biomes.push(Biome::ALL[(chance() * chance() * Biome::ALL.len() as f32) as usize]);
        }
        chunk
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_chunk_comes_back_within_half_a_quantum(chunk in any_chunk()) {
        check_close(&chunk);
    }

    #[test]
    fn any_bytes_give_an_error_or_a_chunk(bytes in prop::collection::vec(any::<u8>(), 0..4_096)) {
        check_bounded(&bytes);
        let header = &encode(&valley(14))[..16];
        check_bounded(&[header, &bytes].concat());
    }
}
