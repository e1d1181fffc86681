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

/// Depth of a vertex that is far from any water, metres.
pub(crate) const DRY_M: f32 = -1e6;

/// Vertices of one cell, row by row as in [`Patch`].
pub(crate) struct Piece {
    /// Metres of the ground above the sea.
    pub(crate) elevations_m: Box<[f32]>,
    /// Metres of water over the ground. Dry vertices beside water have the height of the ground over that water, below
    /// zero; all other dry ones have [`DRY_M`].
    pub(crate) depths_m: Box<[f32]>,
    /// Red, green and blue of the land, were it flat and in the sun; and how much of the sea is under ice.
    pub(crate) tints: Box<[[u8; 4]]>,
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
const VERTEX_BYTES: usize = 4 + 4 + 4 + 1;

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
        let piece = Arc::new(Piece::of(&self.planet.patch(cell, PIECE_QUADS, BORDER)));
        self.kept.insert(cell, Arc::clone(&piece));
        piece
    }
}

/// Vertices around a piece that are looked at for water beside it.
const BORDER: u32 = 1;

impl Piece {
    fn of(patch: &Patch) -> Self {
        let inner = || inner_vertices(patch.side());
        let tint = |at: usize| {
            let [red, green, blue] =
                palette::land_tint(patch.biomes[at], patch.temperatures_c[at], patch.rain_mm[at]);
            [red, green, blue, if patch.biomes[at] == Biome::SeaIce { u8::MAX } else { 0 }]
        };
        Self {
            elevations_m: inner().map(|at| patch.elevations_m[at]).collect(),
            depths_m: inner().map(|at| depth_m(patch, at)).collect(),
            tints: inner().map(tint).collect(),
            biomes: inner().map(|at| patch.biomes[at]).collect(),
        }
    }
}

/// Indices of the vertices of a patch that are not in its border.
fn inner_vertices(side: usize) -> impl Iterator<Item = usize> {
    let border = BORDER as usize;
    (border..side - border)
        .flat_map(move |row| (border..side - border).map(move |column| row * side + column))
}

/// Depth of the water at a vertex. Beside water it stands where it stands on the wet neighbours, below the ground.
fn depth_m(patch: &Patch, at: usize) -> f32 {
    let (ground_m, surface_m) = (patch.elevations_m[at], patch.water_m[at]);
    if !surface_m.is_nan() {
        return surface_m - ground_m;
    }
    let side = patch.side();
    let around =
        [at - side - 1, at - side, at - side + 1, at - 1, at + 1, at + side - 1, at + side, at + side + 1];
    let surfaces_m = around.into_iter().map(|at| patch.water_m[at]).filter(|surface_m| !surface_m.is_nan());
    let (wet, sum_m) = surfaces_m.fold((0_u8, 0.0), |(wet, sum_m), surface_m| (wet + 1, sum_m + surface_m));
    if wet == 0 { DRY_M } else { (sum_m / f32::from(wet) - ground_m).min(0.0) }
}
