//! Where newcomers arrive: flat, dry, mild, a short walk from the water, with a view of it.
//!
//! A search from coarse to fine. Even points of the planet are looked up in the raster; the most promising of its cells
//! are drawn as patches, in which the best places by some water are found; the few best of those must prove themselves
//! on the very ground. The best of the first places that do is taken.

use cell::{CellId, FaceIj, TangentFrame};
use glam::DVec3;

use crate::{Biome, DIRECTIONS, Patch, Planet, RasterCell, Receiver};

/// A place to stand and what to look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Direction of the place from the centre: a unit vector.
    pub ground: DVec3,
    /// Where to look: a unit vector along the ground, towards the water.
    pub facing: DVec3,
}

/// Points looked up in the raster.
const TRIES: u32 = 24_000;
/// Raster cells that are drawn, at most.
const CELLS_EXPLORED: usize = 48;
/// Places that keep all rules before the best of them is taken.
const PLACES_COMPARED: usize = 4;
/// Places of a patch that must prove themselves on the ground, at most.
const PLACES_PROVED: usize = 5;
/// Size of the patch in which places are looked for, and of a standard lot, at shift 3.
const PATCH_LEVEL: u8 = 10;
const LOT_LEVEL: u8 = 15;
/// Quads of a patch, 18 m wide in the last one, and the border from which water is seen.
const QUADS: u32 = 64;
const BORDER: u32 = 24;
/// Farthest water that counts as near.
const VIEW_M: f64 = 380.0;
/// Directions in which a place is looked over.
const COMPASS: u32 = 24;

pub(crate) fn find(planet: &Planet) -> Arrival {
    let mut promising = promising_cells(planet);
    promising.sort_by(|(a, a_cell), (b, b_cell)| b.total_cmp(a).then(a_cell.cmp(b_cell)));
    promising.dedup_by_key(|(_, cell)| *cell);
    let places = promising.iter().take(CELLS_EXPLORED).filter_map(|(_, cell)| explore(planet, *cell));
    let best = places.take(PLACES_COMPARED).max_by(|a, b| a.merit.total_cmp(&b.merit));
    best.map_or_else(|| anywhere(planet), |place| place.arrival)
}

/// On a planet without a pleasant shore: the first dry place.
fn anywhere(planet: &Planet) -> Arrival {
    let is_dry = |point: &DVec3| planet.ground(*point).water_m.is_none();
    let land = even_points(TRIES).filter(|point| cell_at(planet, *point).1.receiver != Receiver::Sea);
    let ground = land.take(CELLS_EXPLORED).find(is_dry).unwrap_or(DVec3::X);
    Arrival { ground, facing: TangentFrame::at(ground).north }
}

fn cell_at(planet: &Planet, point: DVec3) -> (FaceIj, RasterCell) {
    let level = planet.raster().level();
    let at = CellId::from_point(point).parent(level).face_ij();
    let cell = planet.raster().cell(level, at);
    (at, cell.expect("the arrival place is looked for on whole rasters"))
}

/// Mild raster cells with water in them or beside them, and how promising they are.
fn promising_cells(planet: &Planet) -> Vec<(f64, CellId)> {
    let level = planet.raster().level();
    even_points(TRIES)
        .filter_map(|point| {
            let (at, cell) = cell_at(planet, point);
            let merit = promise(planet, at, &cell)?;
            Some((merit, CellId::from_face_ij(at, level)))
        })
        .collect()
}

/// What speaks for a raster cell; none where newcomers should not arrive.
fn promise(planet: &Planet, at: FaceIj, cell: &RasterCell) -> Option<f64> {
    /// Earth's: lowlands of a temperate or warm climate.
    const GROUND_M: std::ops::Range<f32> = 0.0..600.0;
    const TEMPERATURE_C: std::ops::Range<f32> = 9.0..26.0;
    const RAIN_MM_MIN: f32 = 350.0;
    /// A river worth looking at.
    const DISCHARGE_MIN: f32 = 300.0;
    let is_water = |cell: &RasterCell| cell.receiver == Receiver::Sea || cell.lake_surface_m.is_some();
    if is_water(cell)
        || !GROUND_M.contains(&cell.ground_m)
        || !TEMPERATURE_C.contains(&cell.temperature_c)
        || cell.rain_mm < RAIN_MM_MIN
    {
        return None;
    }
    let level = planet.raster().level();
    let around: Vec<RasterCell> = DIRECTIONS
        .into_iter()
        .filter_map(|step| planet.raster().cell(level, at.stepped(step, level)))
        .collect();
    let shores = around.iter().filter(|other| is_water(other)).count();
    if shores == 0 && cell.discharge_m3_s < DISCHARGE_MIN {
        return None;
    }
    let highest_m = around.iter().map(|other| other.ground_m).fold(cell.ground_m, f32::max);
    let hills = f64::from((highest_m - cell.ground_m).min(700.0)) / 700.0;
    let mild = 1.0 - f64::from((cell.temperature_c - 17.0).abs()) / 10.0;
    let moist = f64::from(cell.rain_mm.min(1_000.0)) / 1_000.0;
    let bay = if (2..=4).contains(&shores) { 0.5 } else { 0.0 };
    // Flat ground stands by low water.
    let low = 1.0 - f64::from(cell.ground_m) / 600.0;
    Some(mild + moist + 0.6 * hills + bay + low)
}

/// The best place in a raster cell, if one keeps all rules.
fn explore(planet: &Planet, raster_cell: CellId) -> Option<Place> {
    let patch_level = planet.grid_level(PATCH_LEVEL);
    let mut cell = raster_cell.parent(raster_cell.level().min(patch_level));
    // On coarse rasters a shore is looked for in steps, each a patch of some quads of the one before.
    while cell.level() < patch_level {
        let patch = planet.patch(cell, QUADS, 0);
        let best = Sight::of(planet, &patch).shore()?;
        cell = CellId::from_point(best).parent((cell.level() + 4).min(patch_level));
    }
    let patch = planet.patch(cell, QUADS, BORDER);
    let sight = Sight::of(planet, &patch);
    let mut places = sight.places();
    places.sort_by(|a, b| b.merit.total_cmp(&a.merit));
    places
        .into_iter()
        .take(PLACES_PROVED)
        .find_map(|place| Site { planet, ground: place.ground }.proved(&place))
}

/// A place in a patch, before anybody has stood there.
struct Spot {
    ground: DVec3,
    facing: DVec3,
    merit: f64,
}

/// A patch and what is seen in it.
struct Sight<'a> {
    patch: &'a Patch,
    directions: Vec<DVec3>,
    side: i64,
    spacing_m: f64,
}

impl<'a> Sight<'a> {
    fn of(planet: &Planet, patch: &'a Patch) -> Self {
        Self {
            patch,
            directions: Patch::directions(patch.cell, patch.quads, patch.border).collect(),
            side: patch.side() as i64,
            spacing_m: planet.spacing_m(patch.cell.level(), patch.quads),
        }
    }

    fn index(&self, column: i64, row: i64) -> Option<usize> {
        let inside = 0..self.side;
        (inside.contains(&column) && inside.contains(&row)).then_some((row * self.side + column) as usize)
    }

    fn is_wet(&self, index: usize) -> bool {
        !self.patch.water_m[index].is_nan()
    }

    /// A dry vertex beside water, in the middle of the patch rather than at its edge.
    fn shore(&self) -> Option<DVec3> {
        let middle = self.side / 2;
        let vertices = (1..self.side - 1).flat_map(|row| (1..self.side - 1).map(move |column| (column, row)));
        vertices
            .filter(|(column, row)| {
                let here = (row * self.side + column) as usize;
                let mut beside = DIRECTIONS.iter().filter_map(|(i, j)| self.index(column + i, row + j));
                !self.is_wet(here) && beside.any(|other| self.is_wet(other))
            })
            .min_by_key(|(column, row)| (column - middle).abs().max((row - middle).abs()))
            .map(|(column, row)| self.directions[(row * self.side + column) as usize])
    }

    /// All places from which water is seen near by, on ground that looks level.
    fn places(&self) -> Vec<Spot> {
        let border = i64::from(self.patch.border);
        let inside = border..self.side - border;
        inside
            .clone()
            .step_by(2)
            .flat_map(|row| inside.clone().step_by(2).filter_map(move |column| self.spot(column, row)))
            .collect()
    }

    fn spot(&self, column: i64, row: i64) -> Option<Spot> {
        const NEAREST_M: f64 = 55.0;
        const OVER_WATER_M: std::ops::Range<f32> = 1.8..14.0;
        /// Rise over run between neighbouring vertices.
        const SLOPE_MAX: f64 = 0.11;
        let here = self.index(column, row)?;
        let height_m = self.patch.elevations_m[here];
        if self.is_wet(here) {
            return None;
        }
        let mut slope = 0.0_f64;
        for (i, j) in DIRECTIONS {
            let there = self.index(column + i, row + j)?;
            let run_m = self.spacing_m * ((i * i + j * j) as f64).sqrt();
            slope = slope.max(f64::from((self.patch.elevations_m[there] - height_m).abs()) / run_m);
        }
        if slope > SLOPE_MAX {
            return None;
        }
        // Sixteen rays over the grid: how soon each meets water, and how high that stands.
        let steps_max = (VIEW_M / self.spacing_m) as i64;
        let (mut view, mut breadth, mut nearest_m, mut surface_m) = (DVec3::ZERO, 0_u32, f64::MAX, f32::MIN);
        for (ray_i, ray_j) in RAYS {
            let run_m = self.spacing_m * ((ray_i * ray_i + ray_j * ray_j) as f64).sqrt();
            let steps = (1..).take_while(|step| (*step as f64) * run_m <= self.spacing_m * steps_max as f64);
            let met = steps
                .filter_map(|step| Some((step, self.index(column + ray_i * step, row + ray_j * step)?)))
                .find(|(_, there)| self.is_wet(*there));
            if let Some((step, there)) = met {
                breadth += 1;
                view += (self.directions[there] - self.directions[here]).normalize_or_zero();
                nearest_m = nearest_m.min(step as f64 * run_m);
                surface_m = surface_m.max(self.patch.water_m[there]);
            }
        }
        let up = self.directions[here];
        let facing = (view - up * view.dot(up)).normalize_or_zero();
        if breadth == 0 || facing == DVec3::ZERO || nearest_m < NEAREST_M {
            return None;
        }
        if !OVER_WATER_M.contains(&(height_m - surface_m)) {
            return None;
        }
        // A third of the way round is a fine view; an islet is too much of it.
        let view = 1.0 - (f64::from(breadth) - 5.0).abs() / 8.0;
        let merit = green(self.patch.biomes[here]) + view - 5.0 * slope - nearest_m / 1_000.0;
        Some(Spot { ground: up, facing, merit })
    }
}

/// Steps on the grid in sixteen directions.
const RAYS: [(i64, i64); 16] = [
    (1, 0),
    (2, 1),
    (1, 1),
    (1, 2),
    (0, 1),
    (-1, 2),
    (-1, 1),
    (-2, 1),
    (-1, 0),
    (-2, -1),
    (-1, -1),
    (-1, -2),
    (0, -1),
    (1, -2),
    (1, -1),
    (2, -1),
];

fn green(biome: Biome) -> f64 {
    match biome {
        Biome::TemperateForest => 0.6,
        Biome::Grassland | Biome::Savanna | Biome::TropicalForest => 0.5,
        Biome::Shrubland => 0.3,
        _ => 0.0,
    }
}

/// A place that keeps every rule, and how good it is.
struct Place {
    arrival: Arrival,
    merit: f64,
}

/// A place being looked over on the very ground.
#[derive(Clone, Copy)]
struct Site<'a> {
    planet: &'a Planet,
    ground: DVec3,
}

impl Site<'_> {
    fn moved(self, towards: DVec3, distance_m: f64) -> DVec3 {
        (self.ground + towards * (distance_m / self.planet.radius_m())).normalize()
    }

    fn elevation_m(self, towards: DVec3, distance_m: f64) -> f64 {
        self.planet.elevation_m(self.moved(towards, distance_m))
    }

    fn is_dry(self, towards: DVec3, distance_m: f64) -> bool {
        self.planet.ground(self.moved(towards, distance_m)).water_m.is_none()
    }

    fn proved(self, spot: &Spot) -> Option<Place> {
        const HEIGHT_SPAN_MAX_M: f64 = 6.0;
        const SLOPE_MAX: f64 = 0.10;
        let height_m = self.planet.elevation_m(self.ground);
        let is_about_level = |towards| {
            [6.0, 14.0, 27.0, 42.0].into_iter().all(|distance_m| {
                let there_m = self.elevation_m(towards, distance_m);
                (there_m - height_m).abs() < HEIGHT_SPAN_MAX_M && self.is_dry(towards, distance_m)
            })
        };
        let slope = self.slope();
        if slope > SLOPE_MAX || !compass(self.ground).all(is_about_level) || !self.lot_is_dry() {
            return None;
        }
        self.water_distance_m(spot.facing)?;
        let merit = spot.merit + self.backdrop() - 3.0 * slope;
        Some(Place { arrival: Arrival { ground: self.ground, facing: spot.facing }, merit })
    }

    /// How far the water is that one looks at.
    fn water_distance_m(self, facing: DVec3) -> Option<f64> {
        (1..=40).map(|tens| f64::from(tens) * 10.0).find(|distance_m| !self.is_dry(facing, *distance_m))
    }

    /// Rise over run on the scale of a house.
    fn slope(self) -> f64 {
        let TangentFrame { east, north, .. } = TangentFrame::at(self.ground);
        let run_m = 6.0;
        let rise_m = |towards| self.elevation_m(towards, run_m) - self.elevation_m(towards, -run_m);
        let (east_m, north_m) = (rise_m(east), rise_m(north));
        (east_m * east_m + north_m * north_m).sqrt() / (2.0 * run_m)
    }

    /// The lot about the place can be owned: its centre and corners are dry.
    fn lot_is_dry(self) -> bool {
        let lot = CellId::from_point(self.ground).parent(self.planet.grid_level(LOT_LEVEL));
        lot.corners()
            .into_iter()
            .chain([lot.center()])
            .all(|point| self.planet.ground(point).water_m.is_none())
    }

    /// Hills and mountains some kilometres away, 0..=1.
    fn backdrop(self) -> f64 {
        /// Coarse enough to read the raster and little else.
        const SPACING_M: f64 = 600.0;
        let highest_m = [2_000.0, 4_500.0]
            .into_iter()
            .flat_map(|distance_m| compass(self.ground).step_by(4).map(move |towards| (towards, distance_m)))
            .map(|(towards, distance_m)| {
                self.planet.elevation_coarse_m(self.moved(towards, distance_m), SPACING_M)
            })
            .fold(0.0, f64::max);
        (highest_m / 300.0).min(1.0)
    }
}

/// Unit vectors along the ground all round a place.
fn compass(ground: DVec3) -> impl Iterator<Item = DVec3> {
    let frame = TangentFrame::at(ground);
    (0..COMPASS).map(move |index| {
        let (sin, cos) = libm::sincos(std::f64::consts::TAU * f64::from(index) / f64::from(COMPASS));
        frame.east * sin + frame.north * cos
    })
}

/// Unit vectors spread evenly over the sphere, south to north: the golden spiral.
pub(crate) fn even_points(count: u32) -> impl Iterator<Item = DVec3> {
    let turn = std::f64::consts::PI * (3.0 - 5.0_f64.sqrt());
    (0..count).map(move |index| {
        let z = (2.0 * f64::from(index) + 1.0) / f64::from(count) - 1.0;
        let (sin, cos) = libm::sincos(turn * f64::from(index));
        let from_axis = (1.0 - z * z).sqrt();
        DVec3::new(from_axis * cos, from_axis * sin, z)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PlanetSpec;

    fn check(spec: PlanetSpec) {
        let planet = Planet::generate(spec);
        let Arrival { ground, facing } = planet.arrival();
        let site = Site { planet: &planet, ground };
        assert!((ground.length() - 1.0).abs() < 1e-12 && (facing.length() - 1.0).abs() < 1e-12);
        assert!(facing.dot(ground).abs() < 1e-12, "{spec:?}: facing is along the ground");
        for towards in compass(ground) {
            for distance_m in 0..=40 {
                assert!(site.is_dry(towards, f64::from(distance_m)), "{spec:?}: wet at {distance_m} m");
            }
        }
        assert!(site.slope() < 0.12, "{spec:?}: slope {}", site.slope());
        assert!(site.lot_is_dry(), "{spec:?}: the lot cannot be owned");
        let temperature_c = planet.climate(ground).temperature_c;
        assert!((6.0..29.0).contains(&temperature_c), "{spec:?}: {temperature_c} °C");
        assert!(site.water_distance_m(facing).is_some(), "{spec:?}: no water in view");
    }

    #[test]
    fn newcomers_arrive_at_a_pleasant_place_on_sixteen_planets() {
        (0..16).for_each(|seed| check(PlanetSpec::for_test(seed, 3)));
    }

    #[test]
    fn newcomers_arrive_at_a_pleasant_place_on_planets_of_other_sizes() {
        for shift in [0, 6, 9] {
            (0..4).for_each(|seed| check(PlanetSpec::for_test(seed, shift)));
        }
    }
}
