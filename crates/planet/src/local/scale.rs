//! The measures of one planet: what the raster's Earth-equivalent numbers are on the ground.

use cell::FaceIj;
use glam::DVec3;

use crate::PlanetSpec;
use crate::local::hash;

/// Nodes of the finest level are about this far apart, or less.
const FINEST_SPACING_MAX_M: f64 = 75.0;

/// Lines are not halved more often than this.
const HALVINGS_MAX: u32 = 5;

/// Levels between nodes and the nodes of the next refinement.
pub(crate) const REFINEMENT_STEP: u8 = 2;

/// Mean edge of a cell of level 0 over the radius (S2 cell statistics, quadratic projection).
pub(crate) const MEAN_EDGE: f64 = 1.459;

/// A place in whole units of [`Scale::fixed_per_m`] from the centre: differences are exact, whoever takes them.
pub(crate) type Fixed = [i64; 3];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) seed: u64,
    pub(crate) radius_m: f64,
    /// Heights here over those of the raster.
    pub(crate) relief: f64,
    /// Discharge here over that of the raster.
    pub(crate) discharge: f64,
    pub(crate) raster_level: u8,
    /// How often the raster's cells are refined.
    pub(crate) refinements: u8,
    /// Units of [`Fixed`] in a metre, a power of two: 65 536 unless raster cells are larger than a kilometre or so.
    pub(crate) fixed_per_m: f64,
}

impl Scale {
    pub(crate) fn new(spec: PlanetSpec, radius_m: f64) -> Self {
        let length = 1.0 / f64::from(1_u32 << spec.shift);
        let mut scale = Self {
            seed: spec.seed,
            radius_m,
            relief: libm::cbrt(length * length),
            discharge: length * length,
            raster_level: spec.raster_level,
            refinements: 0,
            fixed_per_m: 65_536.0,
        };
        while scale.node_spacing_m(scale.refinements) > FINEST_SPACING_MAX_M {
            scale.refinements += 1;
        }
        // Differences within a sheet of nodes and its surroundings must fit 32 bits.
        while 24.0 * scale.node_spacing_m(0) * scale.fixed_per_m > f64::from(i32::MAX) {
            scale.fixed_per_m *= 0.5;
        }
        scale
    }

    /// Mean edge of the cells of a level.
    pub(crate) fn edge_m(&self, level: u8) -> f64 {
        self.radius_m * MEAN_EDGE / (1_u64 << level) as f64
    }

    /// The level of cells that have one node each.
    pub(crate) fn node_level(&self, refinement: u8) -> u8 {
        self.raster_level + REFINEMENT_STEP * refinement
    }

    pub(crate) fn node_spacing_m(&self, refinement: u8) -> f64 {
        self.edge_m(self.node_level(refinement))
    }

    pub(crate) fn fixed(&self, unit: DVec3) -> Fixed {
        (unit * (self.radius_m * self.fixed_per_m)).to_array().map(rounded)
    }

    /// One coordinate of many unit vectors, from an origin, modulo 2^32: what [`fixed`](Self::fixed) says.
    pub(crate) fn fixed_from(&self, unit: &[f64], origin: i64) -> Vec<i32> {
        let scale = self.radius_m * self.fixed_per_m;
        // The last bits of the sum are those of the whole number.
        let fixed = |unit: &f64| ((unit * scale + ROUNDER).to_bits() as i32).wrapping_sub(origin as i32);
        unit.iter().map(fixed).collect()
    }

    pub(crate) fn m_per_fixed(&self) -> f32 {
        (1.0 / self.fixed_per_m) as f32
    }

    /// How often the lines of a refinement are halved, the finest bends left out: to pieces of half the finest spacing.
    pub(crate) fn halvings(&self, refinement: u8, straightened: u8) -> u32 {
        let whole = (1 + 2 * u32::from(self.refinements - refinement)).min(HALVINGS_MAX);
        whole.min((1 + 2 * u32::from(self.refinements - refinement)).saturating_sub(u32::from(straightened)))
    }

    /// So many bends left out leave straight lines.
    pub(crate) fn straightened_max(&self) -> u8 {
        1 + 2 * self.refinements
    }

    /// How many of the finest bends are left out where places are so far apart: pieces are not shorter than that.
    pub(crate) fn straightened(&self, spacing_m: f64) -> u8 {
        let piece_m = 0.5 * self.node_spacing_m(self.refinements);
        let is_short = |bends: &u8| piece_m * f64::from(2_u32 << *bends) <= 1.01 * spacing_m;
        (0..self.straightened_max()).take_while(is_short).count() as u8
    }

    /// The node of a refinement's cell: a unit vector somewhere in its middle.
    pub(crate) fn node(&self, refinement: u8, at: FaceIj) -> DVec3 {
        self.node_of(self.node_level(refinement), at)
    }

    /// The node of a cell of a level.
    pub(crate) fn node_of(&self, level: u8, at: FaceIj) -> DVec3 {
        /// Nodes stay this share of the cell's edge off its border.
        const MARGIN: f64 = 0.2;
        let bits = hash::of_cell(self.seed, hash::Salt::Node, level, at);
        let cells = (1_u64 << level) as f64;
        let within = |bits: u64| MARGIN + (1.0 - 2.0 * MARGIN) * hash::unit(bits);
        let uv = |index: u32, bits: u64| cell::st_to_uv((f64::from(index) + within(bits)) / cells);
        cell::face_uv_to_point(at.face, uv(at.i, bits), uv(at.j, bits << 32)).normalize()
    }
}

/// 1.5 · 2^52: numbers about it have no room for a fraction.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// To the nearest whole number, by adding what leaves no room for a fraction.
fn rounded(value: f64) -> i64 {
    ((value + ROUNDER) - ROUNDER) as i64
}
