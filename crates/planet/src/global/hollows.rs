//! Hollows that rivers alone would never make: what ice scoured out, rifts where a continent parts, slow sags of its
//! middle. They hold the lakes.

use super::EARTH_RADIUS_M;
use super::crust::{fading, smooth};
use super::lattice::Lattice;
use super::parallel::for_chunks;
use super::rows::{noise_along, row};
use crate::noise::Fbm;

/// Ice lay where it is now colder than this, at sea level.
const ICE_AGE_C: f32 = 5.0;

/// Deepest that ice scours, a rift sinks, the middle of a continent sags.
const SCOUR_MAX_M: f32 = 220.0;
const RIFT_MAX_M: f32 = 900.0;
const SAG_MAX_M: f32 = 350.0;

/// Half the width of a rift.
const RIFT_M: f32 = 6.0e4;

/// Nothing is dug below this.
const LOWEST_M: f32 = 2.0;

/// What decides how deep the ground is dug, one value a cell each.
pub(crate) struct Hollows<'a> {
    pub(crate) sea_level_c: &'a [f32],
    /// Distance to the nearest place where plates part.
    pub(crate) ridge_m: &'a [f32],
    pub(crate) uplift_m_yr: &'a [f32],
    pub(crate) seed: u64,
    pub(crate) threads: usize,
}

impl Hollows<'_> {
    /// Digs them into the land.
    pub(crate) fn dig(&self, lattice: &Lattice, land: &[bool], height: &mut [f32]) {
        // Ice scours in spots of some 50 km, rifts break into lakes of some 500 km, sags are as broad as Chad's.
        let wave = |kilometres: f64| EARTH_RADIUS_M / (kilometres * 1_000.0);
        let scour = Fbm::new(self.seed, 51, wave(70.0), 0.6, 3);
        let rift = Fbm::new(self.seed, 52, wave(700.0), 0.5, 2);
        let sag = Fbm::new(self.seed, 53, wave(1_400.0), 0.45, 5);
        for_chunks(self.threads, height, lattice.side(), |number, values| {
            let first = number * lattice.side();
            let row = row(lattice, number);
            let [scour, rift, sag] = [&scour, &rift, &sag].map(|noise| noise_along(noise, &row));
            for (i, value) in values.iter_mut().enumerate().filter(|(i, _)| land[first + i]) {
                let index = first + i;
                let cold = smooth((ICE_AGE_C - self.sea_level_c[index]) / 8.0);
                let quiet = smooth(1.5 - self.uplift_m_yr[index] / 1.0e-4);
                let depth_m = SCOUR_MAX_M * cold * ((scour[i] - 0.15) / 0.5).max(0.0)
                    + RIFT_MAX_M
                        * fading(self.ridge_m[index], RIFT_M)
                        * ((rift[i] - 0.05) / 0.4).clamp(0.0, 1.0)
                    + SAG_MAX_M * quiet * ((sag[i] - 0.22) / 0.4).max(0.0);
                *value = (*value - depth_m).max(value.min(LOWEST_M));
            }
        });
    }
}
