//! A chunk in about a kilobyte, for the wire and for caches.
//!
//! Heights are rounded to a quantum that fits the level, predicted by a plane through three neighbours, and what is
//! left over goes through an adaptive binary arithmetic coder, along with water and biomes. Byte layout, version 1:
//!
//! ```text
//! 0   2  "TC"
//! 2   1  version, 1
//! 3   1  quantum: heights are whole multiples of 2^this metres, signed
//! 4   8  cell, its S2 id, little-endian
//! 12  4  minimum: the least height, in quanta, signed, little-endian
//! 16  …  vertices, row by row, arithmetic-coded: height, water, biome of each (`model.rs`)
//! ```
//!
//! A chunk has one encoding, and anything before or behind it is an error. Bytes from strangers may be decoded: the work and the memory are those of one chunk, whatever they say. They carry
//! no checksum; addresses under the planet hash and transports have theirs.

mod arithmetic;
mod model;

use cell::CellId;

use crate::{CHUNK_LEVEL_MAX, CHUNK_VERTICES, Chunk};
use arithmetic::{Decoder, Encoder};
use model::{HEIGHT_QUANTA_MAX, Model, Vertex};

/// The version that is written, and the only one that is read.
pub const VERSION: u8 = 1;

/// Longest encoding there is.
pub const ENCODED_BYTES_MAX: usize = HEADER_BYTES + 64 * 1_024;

const MAGIC: [u8; 2] = *b"TC";
const HEADER_BYTES: usize = 16;

/// Why bytes are not a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They do not begin like a chunk.
    #[error("not a packed chunk")]
    NotAChunk,
    /// A version that this program does not read.
    #[error("packed chunks of version {0} are not known here")]
    UnknownVersion(u8),
    /// No cell has this id, or its level has no chunks.
    #[error("no chunk has this cell")]
    BadCell,
    /// The quantum is not that of the level.
    #[error("heights are in another quantum than those of the level")]
    BadQuantum,
    /// They end too early.
    #[error("a packed chunk ends too early")]
    Truncated,
    /// More bytes than a chunk has, or not those that end it.
    #[error("a packed chunk does not end like this")]
    BadEnding,
    /// A height, water surface or biome that does not exist.
    #[error("a vertex that cannot be")]
    BadVertex,
}

/// The step in which heights of a level are kept, as a power of two of metres: 1/32 m at level 14, twice as much per
/// level above, never below a millimetre.
pub fn quantum_exponent(level: u8) -> i8 {
    (9 - level as i8).max(-10)
}

/// The same in metres.
pub fn quantum_m(level: u8) -> f32 {
    power_of_two(quantum_exponent(level))
}

fn power_of_two(exponent: i8) -> f32 {
    let power = f32::from(1_u16 << exponent.unsigned_abs());
    if exponent < 0 { 1.0 / power } else { power }
}

/// Packs a chunk. Heights and water surfaces come back within half a quantum, everything else as it is.
///
/// # Panics
/// If the chunk has not [`CHUNK_VERTICES`] vertices, or a height that is not a number or further than 2^24 quanta
/// (16 km at the deepest levels, more than half a million above) from the sea.
pub fn encode(chunk: &Chunk) -> Vec<u8> {
    let Chunk { cell, heights_m, water_m, biomes } = chunk;
    for count in [heights_m.len(), water_m.len(), biomes.len()] {
        assert_eq!(count, CHUNK_VERTICES, "a chunk has {CHUNK_VERTICES} vertices");
    }
    let exponent = quantum_exponent(cell.level());
    let quantum_m = power_of_two(exponent);
    let quanta = |height_m: f32| {
        // Halves go up; `round` and its ties are not the same instruction everywhere.
        let quanta = (f64::from(height_m) / f64::from(quantum_m) + 0.5).floor();
        assert!(quanta.abs() <= f64::from(HEIGHT_QUANTA_MAX), "no ground is {height_m} m high");
        quanta as i32
    };
    let vertices: Vec<Vertex> = heights_m
        .iter()
        .zip(water_m)
        .zip(biomes)
        .map(|((height_m, water_m), biome)| Vertex {
            height: quanta(*height_m),
            water: (!water_m.is_nan()).then(|| quanta(*water_m)),
            biome: *biome,
        })
        .collect();
    let minimum = vertices.iter().map(|vertex| vertex.height).min().unwrap_or(0);

    let mut bytes = Vec::with_capacity(1_024);
    bytes.extend(MAGIC);
    bytes.extend([VERSION, exponent as u8]);
    bytes.extend(cell.raw().to_le_bytes());
    bytes.extend(minimum.to_le_bytes());
    let mut encoder = Encoder::new(bytes);
    let mut model = Model::new(minimum);
    for vertex in vertices {
        model.code(&mut encoder, vertex).expect("a vertex of a chunk is one that can be");
    }
    encoder.finish()
}

/// Unpacks a chunk.
///
/// # Errors
/// If the bytes are not what [`encode`] writes. Damaged bytes may also give another chunk, of the same cell unless
/// the damage is there.
pub fn decode(bytes: &[u8]) -> Result<Chunk, CodecError> {
    let (cell, minimum) = read_header(bytes)?;
    let quantum_m = quantum_m(cell.level());
    let mut decoder = Decoder::new(&bytes[HEADER_BYTES..]);
    let mut model = Model::new(minimum);
    let mut chunk = Chunk {
        cell,
        heights_m: Vec::with_capacity(CHUNK_VERTICES),
        water_m: Vec::with_capacity(CHUNK_VERTICES),
        biomes: Vec::with_capacity(CHUNK_VERTICES),
    };
    for _ in 0..CHUNK_VERTICES {
        let vertex = model.code(&mut decoder, Vertex::default());
        if decoder.has_starved() {
            return Err(CodecError::Truncated);
        }
        let vertex = vertex.ok_or(CodecError::BadVertex)?;
        chunk.heights_m.push(vertex.height as f32 * quantum_m);
        chunk.water_m.push(vertex.water.map_or(f32::NAN, |water| water as f32 * quantum_m));
        chunk.biomes.push(vertex.biome);
    }
    if decoder.is_at_end() { Ok(chunk) } else { Err(CodecError::BadEnding) }
}

/// Cell and minimum, checked.
fn read_header(bytes: &[u8]) -> Result<(CellId, i32), CodecError> {
    let Some(rest) = bytes.strip_prefix(&MAGIC) else { return Err(CodecError::NotAChunk) };
    let version = *rest.first().ok_or(CodecError::Truncated)?;
    if version != VERSION {
        return Err(CodecError::UnknownVersion(version));
    }
    let header = bytes.first_chunk::<HEADER_BYTES>().ok_or(CodecError::Truncated)?;
    if bytes.len() > ENCODED_BYTES_MAX {
        return Err(CodecError::BadEnding);
    }
    let [_, _, _, exponent, cell @ .., m0, m1, m2, m3] = *header;
    let cell = CellId::try_from_raw(u64::from_le_bytes(cell)).ok_or(CodecError::BadCell)?;
    if cell.level() > CHUNK_LEVEL_MAX {
        return Err(CodecError::BadCell);
    }
    if exponent as i8 != quantum_exponent(cell.level()) {
        return Err(CodecError::BadQuantum);
    }
    let minimum = i32::from_le_bytes([m0, m1, m2, m3]);
    if minimum.abs_diff(0) > HEIGHT_QUANTA_MAX as u32 {
        return Err(CodecError::BadVertex);
    }
    Ok((cell, minimum))
}
