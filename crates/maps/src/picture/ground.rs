//! The ground in pieces that fit together: patches of 64 × 64 quads, made once and kept for neighbouring tiles.

use std::sync::Arc;

use cell::CellId;
use planet::{Biome, Patch, Planet};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::palette;

/// Levels between a piece, which is a cell itself, and the cells between its vertices.
pub(crate) const PIECE_DEPTH: u8 = 6;

/// Quads along the side of a piece.
pub(crate) const PIECE_QUADS: u32 = 1 << PIECE_DEPTH;

/// Vertices along the side of a piece.
pub(crate) const PIECE_SIDE: usize = PIECE_QUADS as usize + 1;

/// Level of the finest piece on a planet of shift 3: that of chunks, whose vertices are the ground itself.
const FINEST_AT_DEFAULT: u8 = 14;

/// Vertices of one cell, row by row as in [`Patch`].
pub(crate) struct Piece {
    /// Metres of the ground above the sea.
    pub(crate) elevations_m: Box<[f32]>,
    /// Metres of the water's surface above the sea, NaN where it is dry.
    pub(crate) water_m: Box<[f32]>,
    /// Colour of the land, were it flat and in the sun.
    pub(crate) tints: Box<[[u8; 3]]>,
    /// What grows there.
    pub(crate) biomes: Box<[Biome]>,
}

/// Makes pieces and keeps those asked for last.
pub(crate) struct Pieces {
    planet: Arc<Planet>,
    kept: Cache<CellId, Arc<Piece>, PieceBytes>,
}

#[derive(Clone)]
struct PieceBytes;

impl Weighter<CellId, Arc<Piece>> for PieceBytes {
    fn weight(&self, _: &CellId, piece: &Arc<Piece>) -> u64 {
        (piece.elevations_m.len() * VERTEX_BYTES + 128) as u64
    }
}

/// What a vertex takes in memory.
const VERTEX_BYTES: usize = 4 + 4 + 3 + 1;

const PIECE_BYTES: u64 = (PIECE_SIDE * PIECE_SIDE * VERTEX_BYTES) as u64;

impl Pieces {
    /// Keeps about `bytes_max` of pieces.
    pub(crate) fn new(planet: Arc<Planet>, bytes_max: u64) -> Self {
        let count = (bytes_max / PIECE_BYTES) as usize;
        Self { planet, kept: Cache::with_weighter(count, bytes_max, PieceBytes) }
    }

    pub(crate) fn planet(&self) -> &Planet {
        &self.planet
    }

    /// Level of the cells between the finest vertices.
    pub(crate) fn lattice_level_max(&self) -> u8 {
        self.planet.grid_level(FINEST_AT_DEFAULT) + PIECE_DEPTH
    }

    /// The piece of a cell. Two threads that ask for the same one at once may both make it: waiting would cost more.
    pub(crate) fn get(&self, cell: CellId) -> Arc<Piece> {
        if let Some(piece) = self.kept.get(&cell) {
            return piece;
        }
        let piece = Arc::new(Piece::of(self.planet.patch(cell, PIECE_QUADS, 0)));
        self.kept.insert(cell, Arc::clone(&piece));
        piece
    }
}

impl Piece {
    fn of(patch: Patch) -> Self {
        let tints = (0..patch.biomes.len())
            .map(|index| {
                palette::land_tint(patch.biomes[index], patch.temperatures_c[index], patch.rain_mm[index])
            })
            .collect();
        Self {
            elevations_m: patch.elevations_m.into_boxed_slice(),
            water_m: patch.water_m.into_boxed_slice(),
            tints,
            biomes: patch.biomes.into_boxed_slice(),
        }
    }
}
