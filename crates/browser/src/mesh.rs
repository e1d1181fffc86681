//! What meshes of every kind share: where a cell of the cube lies, where a mesh's origin is, how its bytes are written.

use cell::{CellId, FaceIj};
use glam::DVec3;
use planet::Climate;

/// Tile origins are multiples of this, so that a local position is also a noise coordinate that fits its neighbours'.
const ORIGIN_LATTICE_M: f64 = 1024.0;
/// The finest level, where a quad would be smaller than a footstep.
const LEVEL_MAX: u32 = 24;
/// Bytes before the vertex arrays of a tile, and before the plants of a patch.
pub(crate) const HEADER_BYTES: usize = 64;

/// The cell at a place on a face, in the plain (not the Hilbert) order of its level; none outside the cube or below
/// level 24.
pub(crate) fn cell_at(face: u32, level: u32, i: u32, j: u32) -> Option<CellId> {
    let fits = face < 6 && level <= LEVEL_MAX && i >> level == 0 && j >> level == 0;
    fits.then(|| CellId::from_face_ij(FaceIj { face: face as u8, i, j }, level as u8))
}

/// Edge in metres of a cell that is as wide as the mean of its level, on a planet of radius `radius_m`.
pub(crate) fn mean_edge_m(cell: CellId, radius_m: f64) -> f64 {
    radius_m * std::f64::consts::FRAC_PI_2 / f64::from(1_u32 << cell.level())
}

pub(crate) fn origin_near(point: DVec3) -> DVec3 {
    (point / ORIGIN_LATTICE_M).round() * ORIGIN_LATTICE_M
}

/// Temperature -40..40 °C and the root of rain 0..4000 mm as shares: dry places need the finer steps.
pub(crate) fn climate_shares(climate: Climate) -> [f64; 2] {
    [
        ((climate.temperature_c + 40.0) / 80.0).clamp(0.0, 1.0),
        (climate.rain_mm / 4000.0).clamp(0.0, 1.0).sqrt(),
    ]
}

/// Fills a slice from its start.
pub(crate) struct Bytes<'a>(pub(crate) &'a mut [u8]);

impl Bytes<'_> {
    pub(crate) fn put<const N: usize>(&mut self, value: [u8; N]) {
        let (head, rest) = std::mem::take(&mut self.0).split_at_mut(N);
        head.copy_from_slice(&value);
        self.0 = rest;
    }
}
