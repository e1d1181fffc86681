//! The ground of one cell as a grid of any size: what maps and the globe are drawn from.

use cell::{CellId, FaceIj, MAX_LEVEL, face_uv_to_point, st_to_uv};
use glam::DVec3;

use crate::{Biome, Planet};

/// The most quads a patch may have a side, border included.
pub const PATCH_QUADS_MAX: u32 = 512;

/// Ground, water and climate at the corners of the quads of a grid over a cell, and some rows around it.
///
/// Row by row: vertex (column, row) is at index `row * side + column`, columns along i, rows along j. The cell itself
/// begins at column and row `border`.
#[derive(Clone, Debug)]
pub struct Patch {
    /// The cell.
    pub cell: CellId,
    /// Quads along a side of the cell.
    pub quads: u32,
    /// Rows of quads around the cell.
    pub border: u32,
    /// Metres of the ground above the sea.
    pub elevations_m: Vec<f32>,
    /// Metres of the water's surface above the sea where it covers the ground; NaN where it is dry.
    pub water_m: Vec<f32>,
    /// Mean temperature of the year at the ground, degrees Celsius.
    pub temperatures_c: Vec<f32>,
    /// Rain of the year, millimetres.
    pub rain_mm: Vec<f32>,
    /// What grows at each vertex.
    pub biomes: Vec<Biome>,
}

impl Patch {
    /// Vertices along a side.
    pub fn side(&self) -> usize {
        (self.quads + 2 * self.border + 1) as usize
    }

    /// The unit vectors of the vertices of a patch, in order. Vertices beyond the cell's face are where the grid of
    /// the face would go on.
    ///
    /// # Panics
    /// If there are no quads, more than [`PATCH_QUADS_MAX`], or vertices closer than leaves.
    pub fn directions(cell: CellId, quads: u32, border: u32) -> impl Iterator<Item = DVec3> {
        assert!(
            quads > 0 && quads + 2 * border <= PATCH_QUADS_MAX,
            "a patch has 1 to {PATCH_QUADS_MAX} quads"
        );
        assert!(u64::from(quads) << cell.level() <= 1 << MAX_LEVEL, "vertices are not closer than leaves");
        let FaceIj { face, i, j } = cell.face_ij();
        let corners = f64::from(1_u32 << cell.level()) * f64::from(quads);
        let (first, end) = (-i64::from(border), i64::from(quads + border));
        let uv = move |cell: u32, index: i64| {
            st_to_uv((i64::from(cell) * i64::from(quads) + index) as f64 / corners)
        };
        (first..=end).flat_map(move |row| {
            let v = uv(j, row);
            // Adding zero turns -0 into 0: the two faces of an edge then agree to the sign.
            (first..=end)
                .map(move |column| face_uv_to_point(face, uv(i, column), v).normalize() + DVec3::ZERO)
        })
    }
}

impl Planet {
    /// The ground of a cell at the level of detail that a grid of `quads` can show, with `border` quads more on every
    /// side. With the spacing of a chunk it is what the chunk says.
    ///
    /// # Panics
    /// As [`Patch::directions`].
    pub fn patch(&self, cell: CellId, quads: u32, border: u32) -> Patch {
        let surface = self.surface(cell, quads, border);
        let biomes = self.biomes_of(&surface);
        Patch {
            cell,
            quads,
            border,
            elevations_m: surface.elevation_m,
            water_m: surface.water_m,
            temperatures_c: surface.temperature_c,
            rain_mm: surface.rain_mm,
            biomes,
        }
    }
}
