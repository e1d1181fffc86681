//! Climate of the year over a coarse lattice: warmth, winds of three cells a hemisphere, and the rain they carry.
//!
//! A caricature with few constants, each named: what must come out right is the pattern (rain forests about the
//! equator, deserts under the descending air of the subtropics and behind mountains, wet west coasts in the westerlies),
//! because that is what makes a map believable. Two seasons are computed and averaged, so that between the rain
//! forests and the deserts there is land that has rain for half of the year.
//!
//! Steps are scaled by the size of the cells, so that lattices of other levels give the same climate, only coarser.

mod moisture;
mod warmth;
mod wind;

use super::lattice::{Lattice, NOWHERE};
use super::resample::{coarsened, refined};
use super::rows::field_by_rows;
use crate::noise::Fbm;

/// Degrees lost per metre of height.
pub(crate) const LAPSE_C_PER_M: f32 = 0.0065;

/// Mean rain on warm land, mm a year, and from which mean temperature at sea level land is warm. On Earth that is the
/// land within 33° of the equator, with about 1 000 mm (Global Precipitation Climatology Centre). Cold land is left out,
/// because it has little rain: a planet with much of it would get wet deserts.
const WARM_LAND_RAIN_MM: f64 = 980.0;
const WARM_FROM_C: f32 = 18.0;

/// Salts of the noise fields.
const SALT_WARMTH: u64 = 70;
const SALT_SWAY: u64 = 71;
const SALT_SHOWERS: u64 = 72;

/// Level whose cells the constants are made for: 78 km on Earth.
const REFERENCE_LEVEL: u8 = 7;

/// The year's means, one value a cell of the climate lattice.
#[derive(Debug)]
pub(crate) struct Climate {
    /// Temperature as it would be at sea level.
    pub(crate) sea_level_c: Vec<f32>,
    /// Rain of a year.
    pub(crate) rain_mm: Vec<f32>,
}

/// Half a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Season {
    NorthernSummer,
    SouthernSummer,
}

impl Season {
    /// 1 when the sun stands in the north, −1 when in the south.
    fn sign(self) -> f32 {
        match self {
            Self::NorthernSummer => 1.0,
            Self::SouthernSummer => -1.0,
        }
    }
}

/// What both seasons share.
struct Globe<'a> {
    lattice: &'a Lattice,
    latitude_deg: Vec<f32>,
    /// Mean height of the land in the cell, the sea counted as 0.
    height_m: Vec<f32>,
    /// Share of land in the cell, 0..=1.
    land: &'a [f32],
    /// Share of land within some thousand kilometres.
    continent: Vec<f32>,
    /// Cells of the reference level along one of these.
    step: f32,
}

/// The climate of land of a shape. `elevation_m` is the mean of each cell (the sea's floor is negative), `land` the share
/// of land in it. The result does not depend on `threads`.
pub(crate) fn climate(
    lattice: &Lattice,
    elevation_m: &[f32],
    land: &[f32],
    seed: u64,
    threads: usize,
) -> Climate {
    let field = |salt, frequency, octaves| {
        let noise = Fbm::new(seed, salt, frequency, 0.5, octaves);
        field_by_rows(lattice, threads, |row, _, values| noise.sum(row, octaves, values))
    };
    let globe = Globe::new(lattice, elevation_m, land, threads);
    let sway = field(SALT_SWAY, 2.0, 3);
    let winds = [Season::NorthernSummer, Season::SouthernSummer].map(|season| globe.winds(season, &sway));
    let sea_level_c = globe.sea_level_c(&winds, &field(SALT_WARMTH, 1.6, 5));
    let mut rain_mm = vec![0.0; lattice.count()];
    for wind in &winds {
        for (sum, rain) in rain_mm.iter_mut().zip(globe.rain(wind, &sea_level_c)) {
            *sum += rain;
        }
    }
    let mut rain_mm = smoothed(lattice, &smoothed(lattice, &rain_mm));
    for (rain, showers) in rain_mm.iter_mut().zip(field(SALT_SHOWERS, 7.0, 4)) {
        *rain *= (1.0 + 0.35 * showers).max(0.3);
    }
    globe.scale_to_warm_land(&sea_level_c, &mut rain_mm);
    Climate { sea_level_c, rain_mm }
}

impl<'a> Globe<'a> {
    fn new(lattice: &'a Lattice, elevation_m: &[f32], land: &'a [f32], threads: usize) -> Self {
        let height_m: Vec<f32> = elevation_m.iter().map(|height| height.max(0.0)).collect();
        let latitude_deg = |cell| libm::asin(lattice.direction(cell).z).to_degrees() as f32;
        Self {
            lattice,
            latitude_deg: (0..lattice.count()).map(latitude_deg).collect(),
            // Air does not follow every single peak.
            height_m: smoothed(lattice, &height_m),
            land,
            continent: widely_smoothed(lattice, land, threads),
            step: f32::from(1_u16 << REFERENCE_LEVEL) / lattice.side() as f32,
        }
    }

    /// Multiplies the rain so that its mean on warm land is Earth's. A planet without warm land keeps what it has.
    fn scale_to_warm_land(&self, sea_level_c: &[f32], rain_mm: &mut [f32]) {
        let (mut sum, mut area) = (0.0, 0.0);
        for (cell, rain) in rain_mm.iter().enumerate().filter(|(cell, _)| sea_level_c[*cell] >= WARM_FROM_C) {
            let land_sr = f64::from(self.land[cell]) * f64::from(self.lattice.area_sr(cell));
            sum += f64::from(*rain) * land_sr;
            area += land_sr;
        }
        if sum > 0.0 {
            let scale = (WARM_LAND_RAIN_MM * area / sum) as f32;
            for rain in rain_mm.iter_mut() {
                *rain *= scale;
            }
        }
    }
}

/// 1 at the middle, 1/e a width away from it.
fn bell(value: f32, middle: f32, width: f32) -> f32 {
    let offset = (value - middle) / width;
    libm::expf(-offset * offset)
}

/// Each cell's mean with its neighbours.
fn smoothed(lattice: &Lattice, field: &[f32]) -> Vec<f32> {
    let mean = |cell: usize| {
        let neighbors = lattice.neighbors(cell).into_iter().filter(|neighbor| *neighbor != NOWHERE);
        let (sum, weight) = neighbors.fold((2.0 * field[cell], 2.0), |(sum, weight), neighbor| {
            (sum + field[neighbor as usize], weight + 1.0)
        });
        sum / weight
    };
    (0..lattice.count()).map(mean).collect()
}

/// Means over some thousand kilometres, made on a lattice eight times coarser.
fn widely_smoothed(lattice: &Lattice, field: &[f32], threads: usize) -> Vec<f32> {
    let coarse = Lattice::new((lattice.level() - 3).min(4));
    let mut means = coarsened(lattice, field, &coarse);
    for _ in 0..2 {
        means = smoothed(&coarse, &means);
    }
    refined(&coarse, &means, lattice, threads)
}

#[cfg(test)]
mod tests;
