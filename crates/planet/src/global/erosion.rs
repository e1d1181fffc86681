//! Rivers cut into rising land: stream-power erosion on grids from coarse to fine.
//!
//! dh/dt = U + G Q / A − K √W S, where A is the area upstream, W the same weighed by its rain, Q the rock that rises
//! there, all of which comes down the river in the long run, and S the slope to the receiver; solved implicitly in one
//! pass from the mouths upwards (Braun and Willett 2013; Cordonnier et al. 2016 for landscapes; Yuan et al. 2019 for
//! the deposition). A coarse grid finds the large valleys in a few long steps; each finer one starts from it and adds
//! smaller ones.

use super::EARTH_RADIUS_M;
use super::climate::{Climate, climate};
use super::lattice::Lattice;
use super::parallel::for_chunks;
use super::resample::{coarsened, refined, resampled};
use super::routing::Routing;
use super::rows::field_by_rows;
use crate::noise::Fbm;

/// How easily rivers cut, 1/year. Chosen so that collisions grow mountains of 5 to 9 km.
const ERODIBILITY_PER_YR: f32 = 9.0e-7;

/// How readily rivers drop what they carry: plains below mountains are built of it (G of Davy and Lague 2009).
const DEPOSITION: f32 = 1.0;

/// Area of the hollow that feeds the head of a river, m². Slopes grow no further above it, so that a finer grid adds
/// valleys to a mountain and not height.
const HEAD_M2: f32 = 1.5e8;

/// Uplift ends at this height: crust this thick spreads sideways as fast as it is pushed together.
const COLLAPSE_M: f32 = 9_000.0;

/// Rain that gives a river's area its full weight, and the bounds of the weight.
const FULL_RAIN_MM: f32 = 1_000.0;
const RAIN_WEIGHT: std::ops::RangeInclusive<f32> = 0.25..=3.0;

/// A river falls at least so much from cell to cell, metres.
const FALL_MIN_M: f32 = 1e-3;

/// Steps of a grid and how long one is, from the coarsest grid to the finest.
const GRIDS: [(usize, f32); 3] = [(80, 2.5e6), (30, 1.5e6), (14, 8.0e5)];

/// Level of the coarsest grid, but for rasters that are coarser.
const FIRST_GRID_LEVEL: u8 = 8;

/// What erosion starts from and is told on the way.
pub(crate) struct Erosion<'a> {
    pub(crate) fine: &'a Lattice,
    pub(crate) weather: &'a Lattice,
    /// Ground at the finest level; what is above 0 is land and stays so.
    pub(crate) elevation_m: &'a [f32],
    pub(crate) uplift_m_yr: &'a [f32],
    pub(crate) seed: u64,
    pub(crate) threads: usize,
}

impl Erosion<'_> {
    /// The ground after erosion. `progress` is told which share is done.
    pub(crate) fn run(&self, progress: &mut dyn FnMut(f32)) -> Vec<f32> {
        let first = self.fine.level().min(FIRST_GRID_LEVEL);
        let mut before: Option<(Lattice, Vec<f32>)> = None;
        for level in first..=self.fine.level() {
            let number = usize::from(level - first);
            let lattice = Lattice::new(level);
            let height = self.run_grid(&lattice, before.as_ref(), GRIDS[number], &mut |share| {
                progress((number as f32 + share) / f32::from(self.fine.level() - first + 1));
            });
            before = Some((lattice, height));
        }
        before.expect("there is at least one grid").1
    }

    fn run_grid(
        &self,
        lattice: &Lattice,
        before: Option<&(Lattice, Vec<f32>)>,
        (steps, years): (usize, f32),
        progress: &mut dyn FnMut(f32),
    ) -> Vec<f32> {
        let elevation_m = coarsened(self.fine, self.elevation_m, lattice);
        let uplift_m_yr = coarsened(self.fine, self.uplift_m_yr, lattice);
        let land: Vec<bool> = elevation_m.iter().map(|elevation_m| *elevation_m > 0.0).collect();
        let mut height = self.start(lattice, before, &elevation_m, &land);
        let Climate { rain_mm, .. } = self.climate(lattice, &height);
        let rain_mm = resampled(self.weather, &rain_mm, lattice, self.threads);

        let mut routing = Routing::new(lattice);
        let mut flows = vec![Flow::default(); lattice.count()];
        for step in 0..steps {
            routing.route(lattice, &land, &height, self.threads);
            for_chunks(self.threads, &mut flows, lattice.side(), |row, flows| {
                let cells = row * lattice.side()..;
                for (index, flow) in cells.zip(flows).filter(|(index, _)| land[*index]) {
                    *flow = own_flow(lattice, index, rain_mm[index], uplift_m_yr[index], height[index]);
                }
            });
            gather(&routing, &mut flows);
            cut(&routing, &land, &flows, years, &mut height);
            progress((step + 1) as f32 / steps as f32);
        }
        height
    }

    /// Heights to begin with: the coarser grid's, or a low uneven land.
    fn start(
        &self,
        lattice: &Lattice,
        before: Option<&(Lattice, Vec<f32>)>,
        elevation_m: &[f32],
        land: &[bool],
    ) -> Vec<f32> {
        let (frequency, salt) = if before.is_some() { (700.0, 92) } else { (200.0, 91) };
        let uneven = Fbm::new(self.seed, salt, frequency, 1.0, 1);
        let uneven =
            field_by_rows(lattice, self.threads, |row, _, values| uneven.sum(row, uneven.octaves(), values));
        let coarse = before.map(|(coarse, height)| refined(coarse, height, lattice, self.threads));
        let start = |index: usize| match &coarse {
            _ if !land[index] => elevation_m[index].min(-1.0),
            Some(coarse) => coarse[index].max(0.0) + 4.0 + 12.0 * uneven[index].abs(),
            None => 0.3 * elevation_m[index] + 20.0 * uneven[index].abs(),
        };
        (0..lattice.count()).map(start).collect()
    }

    fn climate(&self, lattice: &Lattice, height: &[f32]) -> Climate {
        climate_of(self.weather, lattice, height, self.seed, self.threads)
    }
}

/// What runs through a cell.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    /// Area upstream weighed by its rain, m².
    water: f32,
    /// Area upstream, m².
    area: f32,
    /// Rock that rises upstream, m³ a year.
    rock: f32,
    /// How fast the cell itself rises, m a year.
    rise: f32,
}

/// What a cell adds itself.
fn own_flow(lattice: &Lattice, index: usize, rain_mm: f32, uplift_m_yr: f32, height_m: f32) -> Flow {
    let earth_m = EARTH_RADIUS_M as f32;
    let area = lattice.area_sr(index) * earth_m * earth_m;
    let weight = (rain_mm / FULL_RAIN_MM).clamp(*RAIN_WEIGHT.start(), *RAIN_WEIGHT.end());
    let thickness = (height_m / COLLAPSE_M).min(1.0);
    let rise = uplift_m_yr * (1.0 - thickness * thickness);
    Flow { water: area * weight, area, rock: area * rise, rise }
}

/// Adds up what runs through each cell. What reaches the sea is never asked for.
fn gather(routing: &Routing, flows: &mut [Flow]) {
    for &index in &routing.order {
        let flow = flows[index as usize];
        let next = &mut flows[routing.ways[index as usize].receiver as usize];
        next.water += flow.water;
        next.area += flow.area;
        next.rock += flow.rock;
    }
}

/// One step of so many years, from the mouths upwards.
fn cut(routing: &Routing, land: &[bool], flows: &[Flow], years: f32, height: &mut [f32]) {
    for &index in routing.order.iter().rev() {
        let index = index as usize;
        let (way, flow) = (routing.ways[index], flows[index]);
        let receiver = way.receiver as usize;
        let base = if land[receiver] { height[receiver] } else { 0.0 };
        let rise = years * (flow.rise + DEPOSITION * flow.rock / flow.area);
        let cut = ERODIBILITY_PER_YR
            * years
            * (flow.water + HEAD_M2).sqrt()
            * (way.inverse_distance / EARTH_RADIUS_M as f32);
        height[index] = ((height[index] + rise + cut * base) / (1.0 + cut)).max(base + FALL_MIN_M);
    }
}

/// The climate of a ground of any level.
pub(crate) fn climate_of(
    weather: &Lattice,
    lattice: &Lattice,
    height: &[f32],
    seed: u64,
    threads: usize,
) -> Climate {
    let land: Vec<f32> = height.iter().map(|height| f32::from(u8::from(*height > 0.0))).collect();
    let land = resampled(lattice, &land, weather, threads);
    let height = resampled(lattice, height, weather, threads);
    climate(weather, &height, &land, seed, threads)
}
