//! What meshes of every kind share: where a cell of the cube lies, where a mesh's origin is, how its bytes are written.

use cell::{face_uv_to_point, st_to_uv};
use glam::DVec3;
use planet::Climate;

/// Tile origins are multiples of this, so that a local position is also a noise coordinate that fits its neighbours'.
const ORIGIN_LATTICE_M: f64 = 1024.0;
/// The finest level, where a quad would be smaller than a footstep.
const LEVEL_MAX: u32 = 24;
/// Bytes before the vertex arrays of a tile, and before the plants of a patch.
pub(crate) const HEADER_BYTES: usize = 64;

/// A cell of the cube by its place on a face, in the plain (not the Hilbert) order of its level.
#[derive(Clone, Copy)]
pub(crate) struct Address {
    pub(crate) face: u8,
    pub(crate) level: u32,
    pub(crate) i: u32,
    pub(crate) j: u32,
}

impl Address {
    pub(crate) fn try_new(face: u32, level: u32, i: u32, j: u32) -> Option<Self> {
        let fits = face < 6 && level <= LEVEL_MAX && i >> level == 0 && j >> level == 0;
        fits.then_some(Self { face: face as u8, level, i, j })
    }

    /// Unit vector at (`x`, `y`) of the cell, each 0 to 1 inside it and a little beyond for borders.
    pub(crate) fn direction(self, x: f64, y: f64) -> DVec3 {
        let size = 1.0 / f64::from(1_u32 << self.level);
        let u = st_to_uv((f64::from(self.i) + x) * size);
        let v = st_to_uv((f64::from(self.j) + y) * size);
        face_uv_to_point(self.face, u, v).normalize()
    }

    /// Mean edge in metres, on a planet of radius `radius_m`.
    pub(crate) fn edge_m(self, radius_m: f64) -> f64 {
        radius_m * std::f64::consts::FRAC_PI_2 / f64::from(1_u32 << self.level)
    }
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
