//! The global stage's result as bytes: one file that holds a planet, and each tile of it by itself.
//!
//! ```text
//! artifact            all numbers little-endian
//!        0     8  magic: "TERRANE" and 0x1a, so that a terminal stops there
//!        8     4  version of this format, 1
//!       12     4  I: bytes of the identity
//!       16    32  planet hash: BLAKE3 of the identity
//!       48     I  identity
//!                     0     4  generator version
//!                     4     1  shift
//!                     5     1  raster level
//!                     6     2  zero
//!                     8     8  seed
//!                    16     4  sub-seed: how many worlds of this seed were rejected before this one
//!                    20     4  B: bytes of the biome table
//!                    24    32  BLAKE3 of the imported heights, zeros if there are none
//!                    56     B  biome table, as the global stage was given it
//!                  56+B  32·T  BLAKE3 of each tile's raw bytes
//!     48+I   4·T  bytes of each compressed tile
//! 48+I+4·T     …  the compressed tiles
//! ```
//!
//! T is the number of all tiles of all layers; the raster level gives it. Tiles stand in the order of [`tiles_of`]:
//! the coarsest layer first, so that what a globe needs is one piece at the beginning of the file, and within a layer
//! in the order of S2 ids. All before the compressed tiles is the [`Manifest`].
//!
//! The planet hash is the root of a Merkle tree over everything that the local stage depends on. It says nothing of
//! how tiles are compressed: the same planet keeps its hash under a better compressor. Who trusts a planet hash can
//! verify a manifest, and who trusts a manifest each tile on its own.
//!
//! Nothing here reads a file. Bytes from outside give errors, and no more memory than a planet takes.
//!
//! Read first: [`Manifest`], [`write`], [`read`], [`decode_tile`].

mod digest;
mod manifest;
mod tile;

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::{RASTER_LEVEL_MIN, Raster, TileId};

pub use digest::{Digest, ParseDigestError};
pub use manifest::{ARTIFACT_BYTES_MAX, BIOME_TABLE_BYTES_MAX, Identity, MANIFEST_BYTES_MAX, Manifest};
pub use tile::{ENCODED_TILE_BYTES_MAX, TILE_BYTES, decode_tile, encode_tile, tile_bytes, tile_hash};

/// Why bytes are not taken for a planet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactError {
    /// They do not begin like one.
    #[error("this is no planet artifact")]
    NotAnArtifact,
    /// They are of a version of the format that this code does not know.
    #[error("the planet artifact has format {found}, known is {known}", known = manifest::FORMAT_VERSION)]
    OtherFormat {
        /// The version that is written there.
        found: u32,
    },
    /// The planet is of a generator that would make other ground from the same raster.
    #[error("the planet artifact was made by generator {found}, this is generator {this}", this = crate::GENERATOR_VERSION)]
    OtherGenerator {
        /// The generator that is written there.
        found: u32,
    },
    /// They end too early.
    #[error("the planet artifact is cut off: {needed} bytes are needed, {found} are there")]
    CutOff {
        /// Bytes that should be there at least.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// A value that cannot be.
    #[error("the planet artifact is damaged: {0}")]
    Damaged(&'static str),
    /// A tile cannot be unpacked, or is another than the manifest says.
    #[error("the planet artifact is damaged in tile {} of level {level}", cell.token())]
    DamagedTile {
        /// Level of its raster cells.
        level: u8,
        /// The cell that it covers.
        cell: cell::CellId,
    },
}

impl ArtifactError {
    fn damaged_tile(TileId { level, cell }: TileId) -> Self {
        Self::DamagedTile { level, cell }
    }
}

/// All tiles of a raster, in the order of an artifact: the coarsest layer first.
///
/// # Panics
/// If no raster has this level.
pub fn tiles_of(raster_level: u8) -> impl Iterator<Item = TileId> {
    layers_of(raster_level).flat_map(TileId::all_of)
}

/// The layers of a raster, the coarsest first.
fn layers_of(raster_level: u8) -> impl Iterator<Item = u8> {
    let mut layers: Vec<u8> = Raster::layers(raster_level).collect();
    layers.reverse();
    layers.into_iter()
}

/// Tiles of one layer.
const fn tile_count_of_layer(level: u8) -> usize {
    6 << (2 * (level - RASTER_LEVEL_MIN))
}

/// A whole artifact of a whole raster. The bytes do not depend on the number of threads.
///
/// # Panics
/// If the raster is of another level than the identity says or lacks a tile, or the biome table is longer than
/// [`BIOME_TABLE_BYTES_MAX`].
pub fn write(identity: Identity, raster: &Raster, threads: NonZeroUsize) -> Vec<u8> {
    assert_eq!(identity.spec.raster_level, raster.level(), "a raster is of the level of its planet");
    let tiles: Vec<TileId> = tiles_of(raster.level()).collect();
    let packed = in_parallel(&tiles, threads, |id| {
        let tile = raster.tile(*id).expect("a raster to be written is whole");
        (tile_hash(&tile), encode_tile(&tile))
    });
    let (hashes, packed): (Vec<Digest>, Vec<Vec<u8>>) = packed.into_iter().unzip();
    let lengths: Vec<u32> = packed.iter().map(|tile| tile.len() as u32).collect();
    let manifest = Manifest::new(identity, hashes, &lengths);
    let mut bytes = Vec::with_capacity(manifest.artifact_bytes() as usize);
    manifest.encode(&mut bytes);
    for tile in &packed {
        bytes.extend_from_slice(tile);
    }
    bytes
}

/// Unpacks and verifies a whole artifact.
///
/// What comes back hangs together; whether it is the planet that is wanted, its [`Manifest::planet_hash`] says.
pub fn read(bytes: &[u8], threads: NonZeroUsize) -> Result<(Manifest, Raster), ArtifactError> {
    let manifest = Manifest::decode(bytes)?;
    let (needed, found) = (manifest.artifact_bytes(), bytes.len() as u64);
    if found < needed {
        return Err(ArtifactError::CutOff { needed, found });
    }
    if found > needed {
        return Err(ArtifactError::Damaged("there is something behind its end"));
    }
    let raster = Raster::empty(manifest.identity().spec.raster_level);
    let tiles: Vec<TileId> = tiles_of(raster.level()).collect();
    let outcomes = in_parallel(&tiles, threads, |id| {
        let range = manifest.tile_range(*id).expect("the manifest lists every tile of its level");
        let tile = manifest.open_tile(*id, &bytes[range.start as usize..range.end as usize])?;
        raster.insert(*id, Arc::new(tile));
        Ok(())
    });
    outcomes.into_iter().collect::<Result<(), ArtifactError>>()?;
    Ok((manifest, raster))
}

/// `work` of every item, in the items' order.
fn in_parallel<I: Sync, O: Send>(
    items: &[I],
    threads: NonZeroUsize,
    work: impl Fn(&I) -> O + Sync,
) -> Vec<O> {
    if threads.get() == 1 {
        return items.iter().map(work).collect();
    }
    let share = items.len().div_ceil(threads.get()).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<O>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    })
}

#[cfg(test)]
mod tests;
