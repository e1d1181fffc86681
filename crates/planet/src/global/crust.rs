//! The crust before rivers shape it: continents and their shelves, sea floor by its age, trenches, arcs, uplift.

use super::inland::enclosed;
use super::lattice::Lattice;
use super::parallel::for_chunks;
use super::plates::{Boundary, Meeting, Plates, quantile};
use super::resample::refined;
use super::rows::{field_by_rows, noise_along, row};
use crate::noise::Fbm;

/// Share of the sphere above the sea.
pub(crate) const LAND_SHARE: f64 = 0.29;

/// Share of the sphere above the edge of the shelf (Harris et al. 2014: shelves are 9 % of Earth's sea).
const SHELF_SHARE: f64 = 0.35;

/// Share of the sphere above the foot of the continental slope.
const SLOPE_SHARE: f64 = 0.405;

/// Depth of the edge of the shelf.
const SHELF_M: f32 = 160.0;

/// Height that low ground without a way to the ocean gets: it becomes land, and perhaps a lake.
const ENCLOSED_M: f32 = 30.0;

/// How fast the land rises on average, metres a year. The plates decide where mountains grow, and this how much of them
/// there is: without it, the mean height of the land would differ by half from planet to planet.
const MEAN_UPLIFT_M_YR: f64 = 1.22e-4;

/// How much likelier sea is at the poles than at the equator, in units of the field that continents are cut from. Without
/// it, planets whose land gathered at a pole would be ice for a fifth, and have next to no savanna.
const POLAR_SEA: f32 = 0.15;

/// Half of the speed at which plates part, metres a year: sea floor ages by a million years in so many kilometres.
const SPREADING_M_YR: f32 = 0.03;

/// Uplift of the plains, and of the highlands between them, away from all borders.
const PLAIN_UPLIFT_M_YR: f32 = 0.28e-4;
const HIGHLAND_UPLIFT_M_YR: f32 = 0.6e-4;

/// What the full raster starts from.
#[derive(Debug)]
pub(crate) struct Crust {
    /// Ground before erosion, over the sea.
    pub(crate) elevation_m: Vec<f32>,
    /// How fast the crust rises.
    pub(crate) uplift_m_yr: Vec<f32>,
}

/// Fields of the lattice of the plates that belong to their borders.
pub(crate) struct Belts {
    pub(crate) relief_m: Vec<f32>,
    pub(crate) uplift_m_yr: Vec<f32>,
    pub(crate) sea_floor_m: Vec<f32>,
}

impl Belts {
    /// What grows along the borders of plates, and how deep the sea floor lies between them.
    pub(crate) fn new(lattice: &Lattice, plates: &Plates, seed: u64, threads: usize) -> Self {
        let uneven = Fbm::new(seed, 31, 6.0, 0.55, 4);
        let islands = Fbm::new(seed, 32, 24.0, 0.6, 3);
        let quiet = Fbm::new(seed, 33, 5.0, 0.6, 5);
        let relief_m = field_by_rows(lattice, threads, |row, first, values| {
            let (uneven, islands) = (noise_along(&uneven, row), noise_along(&islands, row));
            for (i, value) in values.iter_mut().enumerate() {
                let boundary = plates.boundary[first + i];
                *value = relief_m(boundary, strength(boundary, uneven[i]), islands[i]);
            }
        });
        let uplift_m_yr = field_by_rows(lattice, threads, |row, first, values| {
            let (uneven, quiet) = (noise_along(&uneven, row), noise_along(&quiet, row));
            for (i, value) in values.iter_mut().enumerate() {
                let boundary = plates.boundary[first + i];
                let highland = smooth((quiet[i] - 0.05) / 0.5);
                let background = PLAIN_UPLIFT_M_YR + HIGHLAND_UPLIFT_M_YR * highland;
                *value = background + uplift_m_yr(boundary, strength(boundary, uneven[i]));
            }
        });
        let sea_floor_m = plates
            .ridge_m
            .iter()
            .map(|distance_m| sea_floor_m(distance_m / (SPREADING_M_YR * 1e6)))
            .collect();
        Self { relief_m, uplift_m_yr, sea_floor_m }
    }
}

/// How much a collision counts here: its speed, less in some places than in others.
fn strength(boundary: Boundary, uneven: f32) -> f32 {
    (1.4 * boundary.closing).min(1.15) * (1.0 + 0.8 * uneven).max(0.1)
}

/// 1 at the border, 0 beyond `width_m`.
pub(crate) fn fading(distance_m: f32, width_m: f32) -> f32 {
    smooth(1.0 - distance_m / width_m)
}

/// 1 at `middle_m` from the border, 0 beyond `half_width_m` from there.
fn ridge(distance_m: f32, middle_m: f32, half_width_m: f32) -> f32 {
    let x = (distance_m - middle_m) / half_width_m;
    (1.0 - x * x).max(0.0)
}

/// 0 up to 0, 1 from 1, smooth between.
pub(crate) fn smooth(x: f32) -> f32 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// How far the mountains of a collision reach: over a plateau on the continent that rides up.
fn collision_m(boundary: Boundary) -> f32 {
    if boundary.meeting == Meeting::Collision { 9.0e5 } else { 3.5e5 }
}

fn relief_m(boundary: Boundary, strength: f32, islands: f32) -> f32 {
    let distance_m = boundary.distance_m;
    match boundary.meeting {
        Meeting::None => 0.0,
        Meeting::Collision | Meeting::Foreland => {
            let width = fading(distance_m, collision_m(boundary));
            2_200.0 * strength * width * width
        }
        Meeting::ContinentalArc => {
            let width = ridge(distance_m, 1.6e5, 4.2e5);
            1_500.0 * strength * width * width
        }
        Meeting::Trench => -3_800.0 * strength * fading(distance_m, 1.2e5),
        Meeting::IslandArc => {
            let width = ridge(distance_m, 2.0e5, 1.2e5);
            let arc = 4_600.0 * width * width * (0.55 + 0.9 * islands);
            (arc - 2_500.0 * fading(distance_m, 0.9e5)) * strength
        }
    }
}

fn uplift_m_yr(boundary: Boundary, strength: f32) -> f32 {
    let distance_m = boundary.distance_m;
    match boundary.meeting {
        Meeting::None | Meeting::Trench => 0.0,
        Meeting::Collision | Meeting::Foreland => {
            let width = fading(distance_m, collision_m(boundary));
            4.2e-4 * strength * width * width
        }
        Meeting::ContinentalArc => {
            let width = ridge(distance_m, 1.6e5, 4.2e5);
            3.6e-4 * strength * width * width
        }
        Meeting::IslandArc => 2.5e-4 * strength * ridge(distance_m, 2.0e5, 1.2e5),
    }
}

/// How fast crust rises whose height is all that is known of it.
pub(crate) fn guessed_uplift_m_yr(height_m: f32) -> f32 {
    PLAIN_UPLIFT_M_YR + 2.5e-4 * smooth(height_m / 4_500.0)
}

/// Height of the sea floor of an age in million years, negative (Parsons and Sclater 1977, with sediment on old floor).
fn sea_floor_m(age_myr: f32) -> f32 {
    const FLATTENED_MYR: f32 = 70.0;
    -(2_500.0 + 365.0 * age_myr.min(FLATTENED_MYR).sqrt())
}

impl Crust {
    /// Everything at the finest level.
    pub(crate) fn new(
        coarse: &Lattice,
        plates: &Plates,
        belts: &Belts,
        fine: &Lattice,
        seed: u64,
        threads: usize,
    ) -> Self {
        let rough = Fbm::new(seed, 41, 3.5, 0.73, 9);
        let shield = Fbm::new(seed, 42, 2.2, 0.5, 5);
        let hills = Fbm::new(seed, 43, 11.0, 0.61, 4);
        let floor = Fbm::new(seed, 44, 30.0, 0.6, 4);

        let mut continent = refined(coarse, &plates.continent, fine, threads);
        for_chunks(threads, &mut continent, fine.side(), |number, values| {
            let rough = noise_along(&rough, &row(fine, number));
            for (i, (value, rough)) in values.iter_mut().zip(rough).enumerate() {
                let polar = fine.direction(number * fine.side() + i).z as f32;
                *value += 0.6 * rough - POLAR_SEA * polar * polar * polar * polar;
            }
        });
        let [shore, shelf, foot] =
            [LAND_SHARE, SHELF_SHARE, SLOPE_SHARE].map(|share| quantile(&continent, 1.0 - share));

        let relief_m = refined(coarse, &belts.relief_m, fine, threads);
        let sea_floor_m = refined(coarse, &belts.sea_floor_m, fine, threads);
        let uplift_m_yr = refined(coarse, &belts.uplift_m_yr, fine, threads);
        let mut elevation_m = field_by_rows(fine, threads, |row, first, values| {
            let (shield, hills, floor) =
                (noise_along(&shield, row), noise_along(&hills, row), noise_along(&floor, row));
            for (i, value) in values.iter_mut().enumerate() {
                let index = first + i;
                let continent = continent[index];
                let abyss = sea_floor_m[index] + 250.0 * floor[i];
                let base = if continent > shore {
                    let inland = smooth((continent - shore) / 0.25);
                    // A steady rise too: where much land lay at one height, the sea would take all of it or none.
                    400.0 * (continent - shore)
                        + inland * (350.0 + 500.0 * shield[i] + 420.0 * hills[i]).max(20.0)
                } else if continent > shelf {
                    -SHELF_M * (shore - continent) / (shore - shelf)
                } else {
                    let down = smooth((shelf - continent) / (shelf - foot));
                    -SHELF_M + (abyss + SHELF_M) * down
                };
                *value = base + relief_m[index];
            }
        });
        fill_sea(fine, &mut elevation_m);
        let mut uplift_m_yr = uplift_m_yr;
        balance_uplift(fine, &elevation_m, &mut uplift_m_yr);
        Self { elevation_m, uplift_m_yr }
    }
}

/// Scales uplift to [`MEAN_UPLIFT_M_YR`] on land.
fn balance_uplift(lattice: &Lattice, elevation_m: &[f32], uplift_m_yr: &mut [f32]) {
    let (mut sum, mut area) = (0.0, 0.0);
    for (index, uplift) in uplift_m_yr.iter().enumerate().filter(|(index, _)| elevation_m[*index] > 0.0) {
        let cell_sr = f64::from(lattice.area_sr(index));
        sum += f64::from(*uplift) * cell_sr;
        area += cell_sr;
    }
    let scale = (MEAN_UPLIFT_M_YR * area / sum) as f32;
    for uplift in uplift_m_yr {
        *uplift *= scale;
    }
}

/// Moves heights so that the sea is at 0, and raises above it what it cannot reach.
fn fill_sea(lattice: &Lattice, elevation_m: &mut [f32]) {
    /// Share of the sphere that need not be exact.
    const TOLERANCE: f64 = 0.0004;
    const ROUNDS: usize = 6;
    // What is raised takes the place of land that the sea floods now, and a little of that is enclosed again.
    for _ in 0..ROUNDS {
        let sea_m = sea_level_m(lattice, elevation_m);
        let enclosed = enclosed(lattice, elevation_m, sea_m);
        let mut raised_sr = 0.0;
        for (index, value) in elevation_m.iter_mut().enumerate() {
            if enclosed[index] {
                raised_sr += f64::from(lattice.area_sr(index));
                *value = f32::MAX;
            } else {
                *value -= sea_m;
            }
        }
        if raised_sr < TOLERANCE * 4.0 * std::f64::consts::PI {
            break;
        }
    }
    elevation_m.iter_mut().filter(|value| **value == f32::MAX).for_each(|value| *value = ENCLOSED_M);
}

/// The height above which [`LAND_SHARE`] of the sphere lies.
fn sea_level_m(lattice: &Lattice, elevation_m: &[f32]) -> f32 {
    const BINS_PER_M: f32 = 8.0;
    const LOWEST_M: f32 = -16_000.0;
    let mut areas = vec![0.0_f64; 1 << 18];
    for (index, elevation_m) in elevation_m.iter().enumerate() {
        let bin = ((elevation_m - LOWEST_M) * BINS_PER_M) as usize;
        areas[bin.min((1 << 18) - 1)] += f64::from(lattice.area_sr(index));
    }
    let mut left = LAND_SHARE * areas.iter().sum::<f64>();
    let mut bin = areas.len();
    while left > 0.0 {
        bin -= 1;
        left -= areas[bin];
    }
    bin as f32 / BINS_PER_M + LOWEST_M
}
