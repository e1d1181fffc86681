use cell::{CellId, FaceIj};

use super::*;
use crate::{PlanetSpec, RasterTile, TILE_CELLS, TILE_SIDE};

/// What version 1 of the format wrote for [`raster`] and [`identity`].
const GOLDEN: &[u8] = include_bytes!("golden_v1.trp");

/// A table as it was when the golden file was made; browsers read it with the manifest.
const BIOMES: &[u8] = include_bytes!("golden_biomes.bin");

const ONE_THREAD: NonZeroUsize = NonZeroUsize::MIN;

fn identity(raster_level: u8) -> Identity {
    Identity {
        spec: PlanetSpec { seed: 0x0123_4567_89ab_cdef, shift: 3, raster_level },
        sub_seed: 2,
        import: Some(Digest::of(b"heights")),
        biome_table: BIOMES.to_vec(),
    }
}

/// Every plane holds something of its own, every tile is another.
fn tile(id: TileId) -> RasterTile {
    let FaceIj { face, i, j } = id.cell.face_ij();
    let mut tile = RasterTile::default();
    for index in 0..TILE_CELLS {
        let (column, row) = (index % TILE_SIDE, index / TILE_SIDE);
        let slope = (column * column * 11 + row * 700) as i32 - 20_000 + i32::from(face) * 900;
        tile.ground_half_m[index] = (slope + i as i32 * 64 - j as i32 * 64) as i16;
        tile.lake_depth_half_m[index] = if column < 5 { (column * 257 + 3) as u16 } else { 0 };
        tile.drainage[index] = ((column / 9) | (row / 8) << 4) as u8;
        tile.discharge[index] = (column + row) as u8;
        tile.temperature[index] = (200 - 2 * row) as u8;
        tile.rain[index] = (column * 5 + row / 2) as u8;
        tile.biome[index] = (row / 5) as u8;
        tile.geology[index] = (column / 8) as u8;
        tile.uplift[index] = (255 - column - row / 4) as u8 ^ id.level;
    }
    tile
}

fn raster(level: u8) -> Raster {
    let raster = Raster::empty(level);
    for id in tiles_of(level) {
        raster.insert(id, Arc::new(tile(id)));
    }
    raster
}

/// The golden file as this generator would have written it: the format is older than any generator.
fn golden() -> Vec<u8> {
    let mut bytes = GOLDEN.to_vec();
    let identity = 48..48 + u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    bytes[48..52].copy_from_slice(&crate::GENERATOR_VERSION.to_le_bytes());
    let hash = Digest::of(&bytes[identity]);
    bytes[16..48].copy_from_slice(&hash.0);
    bytes
}

#[test]
fn the_first_version_of_the_format_is_read_for_ever() {
    let (manifest, read) = read(&golden(), ONE_THREAD).unwrap();
    assert_eq!(manifest.identity(), &identity(6));
    for id in tiles_of(6) {
        assert_eq!(*read.tile(id).unwrap(), tile(id));
    }
    // The planet hash, by the tool that everybody has: tail -c +49 FILE | head -c I | b3sum
    let of_the_file = Digest(GOLDEN[16..48].try_into().unwrap());
    assert_eq!(of_the_file.to_string(), "db1452f140c8e7c313c4e23c76e1d555a975a113db17cbbcf317c434eafe6a69");
}

#[test]
fn the_format_is_what_is_drawn() {
    let written = write(identity(6), &raster(6), ONE_THREAD);
    if std::env::var_os("TERRANE_TEST_UPDATE").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/artifact/golden_v1.trp");
        std::fs::write(file, &written).unwrap();
    }
    let golden = golden();
    let manifest = Manifest::decode(&golden).unwrap();
    // All but the lengths of compressed tiles: they belong to the compressor.
    let drawn = 48 + 56 + BIOMES.len() + 6 * 32;
    assert_eq!(written[..drawn], golden[..drawn]);
    assert_eq!(manifest.bytes() as usize, drawn + 6 * 4);
    assert_eq!(golden[..8], *b"TERRANE\x1a");
    assert_eq!(golden[56..64], 0x0123_4567_89ab_cdef_u64.to_le_bytes());
}

#[test]
fn a_planet_comes_back_whole_with_any_number_of_threads() {
    let made = raster(8);
    let bytes = write(identity(8), &made, ONE_THREAD);
    for threads in [2, 3, 200] {
        let threads = NonZeroUsize::new(threads).unwrap();
        assert_eq!(write(identity(8), &made, threads), bytes);
        let (manifest, again) = read(&bytes, threads).unwrap();
        assert_eq!(manifest.artifact_bytes() as usize, bytes.len());
        assert!(tiles_of(8).all(|id| again.tile(id) == made.tile(id)));
    }
}

#[test]
fn each_tile_is_found_and_verified_by_itself() {
    let bytes = write(identity(8), &raster(8), ONE_THREAD);
    let manifest = Manifest::decode(&bytes).unwrap();
    let mut at = manifest.bytes();
    for id in tiles_of(8) {
        let range = manifest.tile_range(id).unwrap();
        assert_eq!(range.start, at, "tiles stand in order, without gaps");
        at = range.end;
        let compressed = &bytes[range.start as usize..range.end as usize];
        assert_eq!(manifest.open_tile(id, compressed), Ok(tile(id)));
        let FaceIj { face, i, j } = id.cell.face_ij();
        let on_the_next_face = FaceIj { face: (face + 1) % 6, i, j };
        let other = TileId { cell: CellId::from_face_ij(on_the_next_face, id.cell.level()), ..id };
        assert_eq!(manifest.open_tile(other, compressed), Err(ArtifactError::damaged_tile(other)));
        assert_eq!(encode_tile(&tile(id)), compressed);
    }
    assert_eq!(manifest.layer_end(8), Some(at));
    assert_eq!(manifest.layer_end(6), manifest.tile_range(tiles_of(8).nth(6).unwrap()).map(|it| it.start));
    // What another planet would have.
    assert_eq!(manifest.layer_end(10), None);
    let of_another_layer = tiles_of(10).last().unwrap();
    assert_eq!((manifest.tile_range(of_another_layer), manifest.tile_hash(of_another_layer)), (None, None));
    let too_deep = TileId { level: 8, cell: CellId::from_face(0) };
    assert_eq!(manifest.tile_range(too_deep), None);
}

#[test]
fn whatever_makes_another_planet_makes_another_hash() {
    let hash = |identity: Identity, raster: &Raster| {
        Manifest::decode(&write(identity, raster, ONE_THREAD)).unwrap().planet_hash()
    };
    let made = raster(6);
    let mut seen = vec![hash(identity(6), &made)];
    let spec = identity(6).spec;
    for other in [
        Identity { spec: PlanetSpec { seed: 1, ..spec }, ..identity(6) },
        Identity { spec: PlanetSpec { shift: 4, ..spec }, ..identity(6) },
        Identity { sub_seed: 3, ..identity(6) },
        Identity { import: None, ..identity(6) },
        Identity { biome_table: b"a tablE".to_vec(), ..identity(6) },
    ] {
        seen.push(hash(other, &made));
    }
    let changed = TileId { level: 6, cell: CellId::from_face(5) };
    let mut tile = tile(changed);
    tile.uplift[TILE_CELLS - 1] ^= 1;
    made.insert(changed, Arc::new(tile));
    seen.push(hash(identity(6), &made));
    for (count, hash) in seen.iter().enumerate() {
        assert!(!seen[..count].contains(hash), "case {count}");
    }
}

#[test]
fn bytes_that_are_cut_off_or_changed_are_never_taken_for_a_planet() {
    let bytes = golden();
    let manifest_end = Manifest::decode(&bytes).unwrap().bytes() as usize;
    for length in (0..manifest_end).chain((manifest_end..bytes.len()).step_by(97)) {
        let error = read(&bytes[..length], ONE_THREAD).unwrap_err();
        assert!(matches!(error, ArtifactError::CutOff { .. }), "{length}: {error}");
    }
    for at in (0..manifest_end).chain((manifest_end..bytes.len()).step_by(31)) {
        for flip in [0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            // DEFLATE can say the same in two ways; then it is the same planet still.
            let is_harmless = |raster: Raster| tiles_of(6).all(|id| *raster.tile(id).unwrap() == tile(id));
            let taken = read(&changed, ONE_THREAD);
            assert!(taken.is_err() || at >= manifest_end && is_harmless(taken.unwrap().1), "byte {at}");
        }
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(read(&longer, ONE_THREAD), Err(ArtifactError::Damaged(_))));
}

#[test]
fn foreign_files_are_told_apart() {
    let said = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = golden();
        change(&mut bytes);
        Manifest::decode(&bytes).unwrap_err()
    };
    assert_eq!(said(&|bytes| bytes[0] = b'P'), ArtifactError::NotAnArtifact);
    assert_eq!(said(&|bytes| bytes[8] = 9), ArtifactError::OtherFormat { found: 9 });
    assert_eq!(said(&|bytes| bytes[48..52].fill(0)), ArtifactError::OtherGenerator { found: 0 });
    assert_eq!(Manifest::decode(&[0x5a; 4096]), Err(ArtifactError::NotAnArtifact));
    // Lengths that would make a careless reader ask for gigabytes.
    for at in [12, 68] {
        let error = said(&|bytes| bytes[at..at + 4].fill(0xff));
        assert!(matches!(error, ArtifactError::Damaged(_)), "{error}");
    }
    let error = said(&|bytes| bytes[53] = 40);
    assert_eq!(error, ArtifactError::Damaged("there is no such planet"));
}

#[test]
fn hostile_tiles_are_refused_and_take_no_more_than_a_tile() {
    let bomb = miniz_oxide::deflate::compress_to_vec(&vec![0; 64 << 20], 9);
    assert_eq!(decode_tile(&bomb), None);
    let short = miniz_oxide::deflate::compress_to_vec(&vec![0; TILE_BYTES - 1], 9);
    assert_eq!(decode_tile(&short), None);
    assert_eq!(decode_tile(&[]), None);
    // A generator that never repeats itself soon (Knuth's MMIX constants).
    let mut state = 1_u64;
    for length in 0..2_000 {
        let garbage: Vec<u8> = (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state.to_be_bytes()[0]
            })
            .collect();
        decode_tile(&garbage);
    }
    let mut noise = RasterTile::default();
    for index in 0..TILE_CELLS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [a, b, c, d, e, f, g, h] = state.to_be_bytes();
        noise.ground_half_m[index] = i16::from_be_bytes([a, b]);
        noise.lake_depth_half_m[index] = u16::from_be_bytes([c, d]);
        (noise.drainage[index], noise.discharge[index], noise.temperature[index]) = (e, f, a ^ f);
        (noise.rain[index], noise.biome[index], noise.geology[index], noise.uplift[index]) = (b, c, d, g ^ h);
    }
    let packed = encode_tile(&noise);
    assert!(packed.len() <= ENCODED_TILE_BYTES_MAX, "{}", packed.len());
    assert_eq!(decode_tile(&packed), Some(noise));
}
