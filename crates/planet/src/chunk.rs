//! The ground of one cell as a grid of vertices.

use cell::{CellId, FaceIj, face_uv_to_point, st_to_uv};
use glam::DVec3;

use crate::{Biome, Planet};

/// Vertices along the side of a chunk: 64 quads.
pub const CHUNK_SIDE: usize = 65;

/// Vertices of a chunk.
pub const CHUNK_VERTICES: usize = CHUNK_SIDE * CHUNK_SIDE;

/// Deepest level a chunk can have: its vertices are corners of cells six levels below, and leaves are the last.
pub const CHUNK_LEVEL_MAX: u8 = 24;

/// Heights and biomes at the corners of the 64 × 64 cells six levels below a cell.
///
/// Row by row: vertex (column, row) is at index `row * CHUNK_SIDE + column`, columns along i, rows along j.
/// A vertex depends on its place alone, so chunks that share one agree on it to the bit, on other faces and
/// levels too.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The cell.
    pub cell: CellId,
    /// Metres above the sea, [`CHUNK_VERTICES`] of them.
    pub heights_m: Vec<f32>,
    /// Metres of the water's surface above the sea where it covers the ground, NaN where it is dry;
    /// [`CHUNK_VERTICES`] of them.
    pub water_m: Vec<f32>,
    /// What grows at each vertex, [`CHUNK_VERTICES`] of them.
    pub biomes: Vec<Biome>,
}

/// Equal to the bit, so that dry vertices are equal to dry ones.
impl PartialEq for Chunk {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &[f32], b: &[f32]| {
            a.iter().map(|value| value.to_bits()).eq(b.iter().map(|value| value.to_bits()))
        };
        self.cell == other.cell
            && same(&self.heights_m, &other.heights_m)
            && same(&self.water_m, &other.water_m)
            && self.biomes == other.biomes
    }
}

impl Planet {
    /// The chunk of a cell.
    ///
    /// # Panics
    /// If the cell is deeper than [`CHUNK_LEVEL_MAX`].
    pub fn chunk(&self, cell: CellId) -> Chunk {
        assert!(cell.level() <= CHUNK_LEVEL_MAX, "chunks are not deeper than level {CHUNK_LEVEL_MAX}");
        let surface = self.surface(cell, CHUNK_SIDE as u32 - 1, 0);
        let biomes = self.biomes_of(&surface);
        Chunk { cell, heights_m: surface.elevation_m, water_m: surface.water_m, biomes }
    }
}

impl Chunk {
    /// The unit vectors of a cell's vertices, in order.
    ///
    /// # Panics
    /// If the cell is deeper than [`CHUNK_LEVEL_MAX`].
    pub fn directions(cell: CellId) -> impl Iterator<Item = DVec3> {
        assert!(cell.level() <= CHUNK_LEVEL_MAX, "chunks are not deeper than level {CHUNK_LEVEL_MAX}");
        let quads = CHUNK_SIDE as u32 - 1;
        let FaceIj { face, i, j } = cell.face_ij();
        let corners = f64::from(1_u32 << cell.level()) * f64::from(quads);
        let uv = move |index: u32| st_to_uv(f64::from(index) / corners);
        (0..=quads).flat_map(move |row| {
            let v = uv(j * quads + row);
            // Adding zero turns -0 into 0: the two faces of an edge then agree to the sign.
            (0..=quads).map(move |column| {
                face_uv_to_point(face, uv(i * quads + column), v).normalize() + DVec3::ZERO
            })
        })
    }
}
