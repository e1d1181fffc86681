//! A tile as bytes: raw for its hash, compressed for files and wires.
//!
//! ```text
//! raw, 45 056 bytes       planes of 64 × 64 cells, numbers little-endian
//!      0   8192  ground, i16
//!   8192   8192  lake depth, u16
//!  16384   4096  drainage
//!  20480   4096  discharge
//!  24576   4096  temperature
//!  28672   4096  rain
//!  32768   4096  biome
//!  36864   4096  geology
//!  40960   4096  uplift
//!
//! compressed              raw DEFLATE (RFC 1951) of the same planes, filtered, each in blocks of its own:
//!  ground                 residuals; the low bytes of all cells, then the high bytes
//!  lake depth             low bytes, then high bytes
//!  drainage, biome, geology   as they are: their numbers are names
//!  the others             residuals
//! ```
//!
//! A residual is the difference from what the cells to the left (a), above (b) and between them (c) let expect, by the
//! predictor of LOCO-I (Weinberger, Seroussi, Sapiro 2000), folded so that small ones of either sign are small
//! numbers: 0, −1, 1, −2, 2 …

use miniz_oxide::MZFlush;
use miniz_oxide::deflate::core::{CompressionStrategy, CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::inflate::decompress_slice_iter_to_slice;

use super::Digest;
use crate::{RasterTile, TILE_CELLS, TILE_SIDE};

/// Bytes of a tile that is not compressed.
pub const TILE_BYTES: usize = 11 * TILE_CELLS;

/// No compressed tile is longer: DEFLATE stores what it cannot shorten, with some bytes a plane.
pub const ENCODED_TILE_BYTES_MAX: usize = TILE_BYTES + 256;

/// Effort of the compressor, 0 to 10. More than this costs twice the time and saves half a percent.
const COMPRESSION_LEVEL: i32 = 6;

/// What a tile's hash is of.
pub fn tile_bytes(tile: &RasterTile) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(TILE_BYTES);
    bytes.extend(tile.ground_half_m.iter().flat_map(|ground| ground.to_le_bytes()));
    bytes.extend(tile.lake_depth_half_m.iter().flat_map(|depth| depth.to_le_bytes()));
    for plane in [
        &tile.drainage,
        &tile.discharge,
        &tile.temperature,
        &tile.rain,
        &tile.biome,
        &tile.geology,
        &tile.uplift,
    ] {
        bytes.extend_from_slice(plane);
    }
    bytes
}

/// The leaf of a tile in the planet hash; does not depend on the compressor.
pub fn tile_hash(tile: &RasterTile) -> Digest {
    Digest::of(&tile_bytes(tile))
}

/// Compresses a tile.
pub fn encode_tile(tile: &RasterTile) -> Vec<u8> {
    let mut filtered = vec![0; TILE_BYTES];
    let mut planes = Planes(&mut filtered);
    split_words(planes.next(), planes.next(), |index| {
        fold_word(tile.ground_half_m[index].wrapping_sub(expected(&tile.ground_half_m, index)))
    });
    split_words(planes.next(), planes.next(), |index| tile.lake_depth_half_m[index]);
    planes.next().copy_from_slice(&tile.drainage);
    for numbers in [&tile.discharge, &tile.temperature, &tile.rain] {
        residuals(numbers, planes.next());
    }
    planes.next().copy_from_slice(&tile.biome);
    planes.next().copy_from_slice(&tile.geology);
    residuals(&tile.uplift, planes.next());
    compressed(&filtered)
}

/// A block for each plane: their numbers have nothing in common, so that codes of their own save a twelfth.
fn compressed(filtered: &[u8]) -> Vec<u8> {
    let without_header = 0;
    let strategy = CompressionStrategy::Default as i32;
    let flags = create_comp_flags_from_zip_params(COMPRESSION_LEVEL, without_header, strategy);
    let mut compressor = CompressorOxide::new(flags);
    let mut packed = vec![0; ENCODED_TILE_BYTES_MAX];
    let mut length = 0;
    let mut planes = filtered.chunks(TILE_CELLS).peekable();
    while let Some(plane) = planes.next() {
        let flush = if planes.peek().is_some() { MZFlush::Sync } else { MZFlush::Finish };
        let outcome = deflate(&mut compressor, plane, &mut packed[length..], flush);
        assert!(
            outcome.status.is_ok() && outcome.bytes_consumed == plane.len(),
            "there is room for everything"
        );
        length += outcome.bytes_written;
    }
    packed.truncate(length);
    packed
}

/// Inverse of [`encode_tile`]; `None` if the bytes are none of its. Whether it is the right tile, its hash tells.
pub fn decode_tile(compressed: &[u8]) -> Option<RasterTile> {
    let mut filtered = vec![0; TILE_BYTES];
    let length =
        decompress_slice_iter_to_slice(&mut filtered, std::iter::once(compressed), false, true).ok()?;
    if length != TILE_BYTES {
        return None;
    }
    let mut planes = Planes(&mut filtered);
    let mut tile = RasterTile::default();
    let (low, high) = (planes.next(), planes.next());
    for index in 0..TILE_CELLS {
        let residual = unfold_word(u16::from_le_bytes([low[index], high[index]]));
        tile.ground_half_m[index] = expected(&tile.ground_half_m, index).wrapping_add(residual);
    }
    let (low, high) = (planes.next(), planes.next());
    for index in 0..TILE_CELLS {
        tile.lake_depth_half_m[index] = u16::from_le_bytes([low[index], high[index]]);
    }
    tile.drainage.copy_from_slice(planes.next());
    for numbers in [&mut tile.discharge, &mut tile.temperature, &mut tile.rain] {
        undo_residuals(planes.next(), numbers);
    }
    tile.biome.copy_from_slice(planes.next());
    tile.geology.copy_from_slice(planes.next());
    undo_residuals(planes.next(), &mut tile.uplift);
    Some(tile)
}

/// Hands out one plane of bytes after the other.
struct Planes<'b>(&'b mut [u8]);

impl<'b> Planes<'b> {
    fn next(&mut self) -> &'b mut [u8] {
        let (plane, rest) = std::mem::take(&mut self.0).split_at_mut(TILE_CELLS);
        self.0 = rest;
        plane
    }
}

fn split_words(low: &mut [u8], high: &mut [u8], word: impl Fn(usize) -> u16) {
    for index in 0..TILE_CELLS {
        [low[index], high[index]] = word(index).to_le_bytes();
    }
}

fn residuals(numbers: &[u8; TILE_CELLS], plane: &mut [u8]) {
    for (index, folded) in plane.iter_mut().enumerate() {
        *folded = fold_byte(numbers[index].wrapping_sub(expected(numbers, index)));
    }
}

fn undo_residuals(plane: &[u8], numbers: &mut [u8; TILE_CELLS]) {
    for (index, folded) in plane.iter().enumerate() {
        numbers[index] = expected(numbers, index).wrapping_add(unfold_byte(*folded));
    }
}

/// What the cells before this one let expect.
fn expected<T>(numbers: &[T; TILE_CELLS], index: usize) -> T
where
    T: Copy + Default + Into<i32> + TryFrom<i32>,
{
    let at = |back: usize| numbers[index - back];
    match (index % TILE_SIDE, index / TILE_SIDE) {
        (0, 0) => T::default(),
        (_, 0) => at(1),
        (0, _) => at(TILE_SIDE),
        _ => {
            let (a, b, c) = (at(1).into(), at(TILE_SIDE).into(), at(TILE_SIDE + 1).into());
            // Between the smaller and the larger of a and b, so it fits.
            let expected = (a + b - c).clamp(a.min(b), a.max(b));
            T::try_from(expected).unwrap_or_default()
        }
    }
}

fn fold_word(residual: i16) -> u16 {
    ((residual << 1) ^ (residual >> 15)) as u16
}

fn unfold_word(folded: u16) -> i16 {
    (folded >> 1) as i16 ^ -((folded & 1) as i16)
}

fn fold_byte(residual: u8) -> u8 {
    let residual = residual as i8;
    ((residual << 1) ^ (residual >> 7)) as u8
}

fn unfold_byte(folded: u8) -> u8 {
    (folded >> 1) ^ (folded & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residuals_of_every_size_fold_and_come_back() {
        for number in 0..=u16::MAX {
            assert_eq!(fold_word(unfold_word(number)), number);
        }
        for number in 0..=u8::MAX {
            assert_eq!(fold_byte(unfold_byte(number)), number);
        }
        assert_eq!([0, 1, 2, 3].map(unfold_word), [0, -1, 1, -2]);
    }

    #[test]
    fn slopes_are_expected_to_go_on_and_edges_to_stay() {
        let mut numbers = [0_i16; TILE_CELLS];
        (numbers[0], numbers[1], numbers[TILE_SIDE]) = (10, 14, 20);
        assert_eq!(expected(&numbers, TILE_SIDE + 1), 20, "24 is more than any neighbour");
        numbers[0] = 16;
        assert_eq!(expected(&numbers, TILE_SIDE + 1), 18);
        assert_eq!(expected(&numbers, 0), 0);
        assert_eq!(expected(&numbers, 1), 16);
        assert_eq!(expected(&numbers, TILE_SIDE), 16);
    }
}
