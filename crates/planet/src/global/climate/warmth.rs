//! How warm it is at the level of the sea.

use super::wind::{Upwind, Wind};
use super::{Globe, bell};

/// Degrees of the noise that makes places of one latitude differ.
const VARIETY_C: f32 = 8.0;

/// What is left of the mark of a coast a cell of the reference level further out at sea, and of the sea's warmth a
/// cell further inland: about 1,300 and 900 km to 1/e.
const OFFSHORE: f32 = 0.94;
const INLAND: f32 = 0.92;

impl Globe<'_> {
    /// Means of the year. `variety` is noise of about −0.5..0.5.
    pub(super) fn sea_level_c(&self, winds: &[Wind], variety: &[f32]) -> Vec<f32> {
        let currents = self.currents_c(winds);
        self.latitude_deg
            .iter()
            .zip(currents)
            .zip(variety)
            .map(|((latitude, current), variety)| zonal_mean_c(*latitude) + current + VARIETY_C * variety)
            .collect()
    }

    /// What the currents of the sea add. The gyres bring cold water to the east sides of the oceans in the subtropics
    /// and warm water further polewards, on the west sides the other way about; the winds carry some of it inland.
    fn currents_c(&self, winds: &[Wind]) -> Vec<f32> {
        let offshore = libm::powf(OFFSHORE, self.step);
        let coast = |from_east| {
            let upwind = Upwind::zonal(self.lattice, from_east);
            let mut mark = vec![0.0; self.lattice.count()];
            upwind.settle(self.lattice, &mut mark, |cell, coming| {
                let land = self.land[cell];
                land + (1.0 - land) * offshore * coming
            });
            mark
        };
        let (land_in_east, land_in_west) = (coast(1.0), coast(-1.0));
        let at_sea: Vec<f32> = (0..self.lattice.count())
            .map(|cell| {
                let latitude = self.latitude_deg[cell].abs();
                let east_side = 5.0 * bell(latitude, 58.0, 12.0) - 4.5 * bell(latitude, 22.0, 11.0);
                let west_side = 2.0 * bell(latitude, 33.0, 9.0) - 3.0 * bell(latitude, 54.0, 10.0);
                land_in_east[cell] * east_side + land_in_west[cell] * west_side
            })
            .collect();
        let inland = libm::powf(INLAND, self.step);
        let mut mean = vec![0.0; self.lattice.count()];
        for wind in winds {
            let mut carried = at_sea.clone();
            wind.upwind.settle(self.lattice, &mut carried, |cell, coming| {
                let land = self.land[cell];
                land * inland * coming + (1.0 - land) * at_sea[cell]
            });
            mean.iter_mut().zip(carried).for_each(|(mean, carried)| *mean += carried / winds.len() as f32);
        }
        mean
    }
}

/// Earth's mean of the year at the level of the sea: 27 °C at the equator, 20 at 30°, −2 at 60°, −22 at the poles (after
/// the zonal means of Legates and Willmott 1990, reduced by the lapse rate).
fn zonal_mean_c(latitude_deg: f32) -> f32 {
    let sine = libm::sinf(latitude_deg.to_radians());
    let squared = sine * sine;
    27.0 - 27.0 * squared - 22.0 * squared * squared * squared
}
