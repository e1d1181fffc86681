//! Asking about one place: the ground, the water over it, and the rivers around.

use cell::CellId;
use glam::DVec3;

use crate::{Planet, TileId};

/// The ground under a direction and the water over it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ground {
    /// Height of the ground over the sea, below zero on the sea floor.
    pub elevation_m: f64,
    /// Height of the surface of the sea, lake or river that covers the ground; none where it is dry.
    pub water_m: Option<f64>,
}

/// Which river: the raster cell, as a raw cell id of the raster's level, where it reaches the sea, a lake without an
/// outlet or the dry bottom of a basin. All that flows together has one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RiverId(pub u64);

/// A straight stretch of a river's middle line, in the direction of flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// The river it belongs to.
    pub river: RiverId,
    /// Unit vector of the upper end.
    pub a: DVec3,
    /// Unit vector of the lower end.
    pub b: DVec3,
    /// Height of the water over the sea at `a`.
    pub surface_a_m: f64,
    /// Height of the water over the sea at `b`, never above that at `a`.
    pub surface_b_m: f64,
    /// Width at `a`.
    pub width_a_m: f64,
    /// Width at `b`.
    pub width_b_m: f64,
    /// Mean discharge on this planet.
    pub discharge_m3_s: f64,
}

impl Planet {
    /// Height of the surface of the water that covers the ground under a direction; none where it is dry.
    pub fn water_m(&self, direction: DVec3) -> Option<f64> {
        self.ground(direction).water_m
    }

    /// The ground and the water under a direction.
    pub fn ground(&self, direction: DVec3) -> Ground {
        let elevation_m = self.elevation_m(direction);
        Ground { elevation_m, water_m: (elevation_m < 0.0).then_some(0.0) }
    }

    /// The rivers of at least a discharge in a cell and `margin_m` around it: the same lines and ids whatever the cell.
    pub fn reaches(&self, _cell: CellId, _margin_m: f64, _discharge_min_m3_s: f64) -> Vec<Reach> {
        Vec::new()
    }

    /// The tiles that must be put in the raster before a patch of the cell with vertices `spacing_m` apart is exact;
    /// none on a server, which has all.
    pub fn missing(&self, _cell: CellId, _spacing_m: f64) -> Vec<TileId> {
        Vec::new()
    }

    /// Mean distance of vertices on a grid of `quads` over a cell of a level.
    pub fn spacing_m(&self, level: u8, quads: u32) -> f64 {
        /// Mean edge of a cell of level 0 over the radius (S2 cell statistics, quadratic projection).
        const MEAN_EDGE: f64 = 1.459;
        self.radius_m() * MEAN_EDGE / (f64::from(1_u32 << level) * f64::from(quads))
    }
}
