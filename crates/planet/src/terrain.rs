//! The shape of the ground, from continents to tussocks.
//!
//! A sum of layers, each a function of the place alone: a warped continental field whose quantile is the sea
//! level, a profile from it to heights (deep sea, shelf, shore, plain), ridged mountains where two belts allow
//! them, and local relief that is calm on plains and along shores. Forms of the land keep their size in metres on
//! every planet; continents keep their share of the sphere.

use std::f64::consts::PI;

use glam::DVec3;

use crate::PlanetSpec;
use crate::climate::{Climate, Weather};

use crate::octaves::{Ladder, Octaves};

/// Share of the sphere above the sea, before local relief moves the shores.
const LAND_FRACTION: f64 = 0.30;

/// Points that decide the sea level: the quantile is within half a percent.
const SEA_LEVEL_SAMPLES: u32 = 8_192;

/// The planet for which heights below are given, shift 3.
const REFERENCE_RADIUS_M: f64 = 796_375.0;

/// Depth of the deep sea, and height of the highest mountains, at shift 3: Earth's by the scale of relief, a quarter.
const ABYSS_M: f64 = 1_000.0;
const MOUNTAINS_M: f64 = 1_170.0;

/// How the shore rises: steeply to about this height within a kilometre, then as the plains do.
const SHORE_RISE_M: f64 = 22.0;

/// Smallest form of the ground. Its height of a few centimetres keeps a grid of 1.1 m within a centimetre.
const DETAIL_SMALLEST_M: f64 = 6.5;

#[derive(Debug)]
pub(crate) struct Terrain {
    radius_m: f64,
    warp: [Octaves; 3],
    continents: Octaves,
    /// The value of the continental field at the shore.
    sea_level: f64,
    /// Continental field over which the shore rises.
    shore_width: f64,
    /// Heights of large forms relative to shift 3.
    relief: f64,
    bays: Octaves,
    belts: Octaves,
    mountain_warp: [Octaves; 3],
    mountains: Octaves,
    hilliness: Octaves,
    hills: Octaves,
    detail: Octaves,
    weather: Weather,
}

impl Terrain {
    pub(crate) fn new(spec: PlanetSpec, radius_m: f64) -> Self {
        let size = radius_m / REFERENCE_RADIUS_M;
        // 2^(-2s/3), relative to shift 3: smaller planets have lower mountains, narrower by as much.
        let relief = libm::cbrt(size * size);
        let octaves = |salt, largest_m, smallest_m, gain| {
            Octaves::new(spec.seed, salt, radius_m, Ladder { largest_m, smallest_m, gain })
        };
        // Large forms are shares of the sphere; they stop where the forms that have a size of their own begin.
        let large = |salt, largest_m: f64, smallest_m: f64, gain| {
            octaves(salt, largest_m * size, smallest_m * size, gain)
        };
        let mut terrain = Self {
            radius_m,
            warp: [1, 2, 3].map(|salt| large(salt, 420_000.0, 200_000.0, 0.5)),
            continents: large(4, 620_000.0, 4_000.0, 0.52),
            sea_level: 0.0,
            shore_width: (0.006 / size).min(0.3),
            relief,
            bays: octaves(12, 7_000.0, 500.0, 0.55),
            belts: large(5, 500_000.0, 60_000.0, 0.45),
            mountain_warp: [13, 14, 15].map(|salt| octaves(salt, 11_000.0 * relief, 4_000.0 * relief, 0.5)),
            mountains: octaves(6, 24_000.0 * relief, 260.0, 0.5),
            hilliness: large(7, 90_000.0, 40_000.0, 0.5),
            hills: octaves(8, 2_600.0, 60.0, 0.47),
            detail: octaves(9, 60.0, DETAIL_SMALLEST_M, 0.45),
            weather: Weather::new(spec.seed, relief),
        };
        terrain.sea_level = terrain.find_sea_level();
        terrain
    }

    /// Metres over the sea at a unit vector, without forms that a grid of `spacing_m` could not show.
    pub(crate) fn elevation_m(&self, unit: DVec3, spacing_m: f64) -> f64 {
        let inland = self.continental_field(unit) - self.sea_level;
        let shore = self.shore(unit, spacing_m, inland);
        let abyss = self.relief * ABYSS_M * smooth_step(0.015, 0.24, -inland);
        let plain = self.relief * 420.0 * inland.max(0.0) * inland.max(0.0) / (0.1 + inland.max(0.0));
        let base_m = SHORE_RISE_M * shore + plain - abyss;

        let highlands = self.mountain_mask(unit, inland);
        let mountains_m = if highlands > 0.0 {
            self.relief * MOUNTAINS_M * highlands * self.mountain_ridges(unit, spacing_m)
        } else {
            0.0
        };
        on_the_beach(base_m + mountains_m + self.local_relief_m(unit, spacing_m, base_m, highlands))
    }

    pub(crate) fn climate(&self, unit: DVec3, elevation_m: f64) -> Climate {
        self.weather.climate(unit, elevation_m)
    }

    /// Where hills end and mountains begin.
    pub(crate) fn highland_m(&self) -> f64 {
        self.relief * 350.0
    }

    /// Large smooth shapes, bent out of the regularity of the lattice.
    fn continental_field(&self, unit: DVec3) -> f64 {
        let [x, y, z] = &self.warp;
        let bend = DVec3::new(x.sum(unit, 0.0), y.sum(unit, 0.0), z.sum(unit, 0.0));
        self.continents.sum(unit + bend * 0.28, 0.0)
    }

    /// From -1 far out at sea over 0 at the shore to 1 inland, with bays and capes.
    fn shore(&self, unit: DVec3, spacing_m: f64, inland: f64) -> f64 {
        const BAYS: f64 = 1.7;
        let distance = inland / self.shore_width;
        let nearness = smooth_step(7.0, 2.0, distance.abs());
        let bays = if nearness > 0.0 { nearness * BAYS * self.bays.sum(unit, spacing_m) } else { 0.0 };
        let x = distance + bays;
        x / (1.0 + x.abs())
    }

    /// 0 outside the mountain belts, 1 in their middle. Belts follow the zero line of a field and stay off the shore.
    fn mountain_mask(&self, unit: DVec3, inland: f64) -> f64 {
        let ashore = smooth_step(0.0, 0.09, inland);
        if ashore <= 0.0 {
            return 0.0;
        }
        let field = self.belts.sum(unit, 0.0);
        ashore * smooth_step(0.13, 0.0, field.abs())
    }

    /// Ridges, bent so that none runs straight.
    fn mountain_ridges(&self, unit: DVec3, spacing_m: f64) -> f64 {
        /// How far a ridge is moved aside at shift 3.
        const BEND_M: f64 = 1_600.0;
        let [x, y, z] = &self.mountain_warp;
        let bend = DVec3::new(x.sum(unit, spacing_m), y.sum(unit, spacing_m), z.sum(unit, spacing_m));
        self.mountains.ridges(unit + bend * (self.relief * BEND_M / self.radius_m), spacing_m)
    }

    fn local_relief_m(&self, unit: DVec3, spacing_m: f64, base_m: f64, highlands: f64) -> f64 {
        // Nothing is seen of the deep floor.
        let seen = smooth_step(-60.0, -8.0, base_m);
        if seen <= 0.0 {
            return 0.0;
        }
        let off_shore = smooth_step(3.0, 20.0, base_m);
        let hilliness = smooth_step(-0.1, 0.5, self.hilliness.sum(unit, 0.0)) + 0.6 * highlands;
        let hills_m =
            (6.0 + 5.0 * off_shore + 66.0 * off_shore * hilliness) * self.hills.sum(unit, spacing_m);
        let detail_m = (0.36 + 0.5 * highlands) * self.detail.sum(unit, spacing_m);
        seen * (hills_m + detail_m)
    }

    /// The value that [`LAND_FRACTION`] of the sphere exceeds.
    fn find_sea_level(&self) -> f64 {
        let mut field: Vec<f64> =
            even_points(SEA_LEVEL_SAMPLES).map(|unit| self.continental_field(unit)).collect();
        let index = ((1.0 - LAND_FRACTION) * f64::from(SEA_LEVEL_SAMPLES)) as usize;
        *field.select_nth_unstable_by(index, f64::total_cmp).1
    }
}

/// Unit vectors spread evenly over the sphere, south to north: the golden spiral.
pub(crate) fn even_points(count: u32) -> impl Iterator<Item = DVec3> {
    let turn = PI * (3.0 - 5.0_f64.sqrt());
    (0..count).map(move |index| {
        let z = (2.0 * f64::from(index) + 1.0) / f64::from(count) - 1.0;
        let (sin, cos) = libm::sincos(turn * f64::from(index));
        let from_axis = (1.0 - z * z).sqrt();
        DVec3::new(from_axis * cos, from_axis * sin, z)
    })
}

/// Flattens the few metres about the sea level, so that land meets water on a beach.
fn on_the_beach(height_m: f64) -> f64 {
    height_m * (0.3 + 0.7 * smooth_step(0.0, 7.0, height_m.abs()))
}

/// From 0 at `from` to 1 at `to`, with level ends; `from` may be the greater.
pub(crate) fn smooth_step(from: f64, to: f64, x: f64) -> f64 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
