//! Where newcomers arrive: flat, dry, mild, a short walk from the water, with a view of it.
//!
//! A search, not a formula: even points of the planet are tried in a fixed order, those near a shore are followed
//! to it, and the best of the first few dozen places that keep every rule is taken.

use cell::{CellId, TangentFrame};
use glam::DVec3;

use crate::{Biome, Planet};

/// A place to stand and what to look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Direction of the place from the centre: a unit vector.
    pub ground: DVec3,
    /// Where to look: a unit vector along the ground, towards the water.
    pub facing: DVec3,
}

/// Points tried; neighbours are some 20 km apart at shift 3.
const TRIES: u32 = 24_000;
/// Steps through the points in this stride, coprime to their number, so that no part of the planet comes first.
const STRIDE: u32 = 7_919;
/// Places that keep the rules before the best of them is taken.
const PLACES_COMPARED: usize = 40;
/// The size of a standard lot at shift 3.
const LOT_LEVEL: u8 = 15;

/// Directions in which a place is looked over.
const COMPASS: u32 = 24;

/// What the climate must be like; tried in order.
struct Wish {
    temperature_c: std::ops::Range<f64>,
    rain_mm_min: f64,
}

const WISHES: [Wish; 3] = [
    Wish { temperature_c: 14.0..23.0, rain_mm_min: 500.0 },
    Wish { temperature_c: 9.0..27.0, rain_mm_min: 250.0 },
    Wish { temperature_c: -40.0..60.0, rain_mm_min: 0.0 },
];

pub(crate) fn find(planet: &Planet) -> Arrival {
    let points: Vec<DVec3> = even_points(TRIES).collect();
    let low_land: Vec<DVec3> = (0..TRIES)
        .map(|index| points[(u64::from(index) * u64::from(STRIDE) % u64::from(TRIES)) as usize])
        .filter(|point| (0.0..40.0).contains(&planet.elevation_coarse_m(*point, 500.0)))
        .collect();
    for wish in WISHES {
        let places = low_land.iter().filter(|point| wish.is_granted(planet, **point));
        let best = places
            .filter_map(|point| Place::by_the_shore(planet, *point))
            .take(PLACES_COMPARED)
            .max_by(|a, b| a.merit.total_cmp(&b.merit));
        if let Some(place) = best {
            return place.arrival;
        }
    }
    // A planet without a shore: anywhere dry.
    let ground = points.into_iter().find(|point| planet.elevation_m(*point) > 0.0).unwrap_or(DVec3::X);
    Arrival { ground, facing: TangentFrame::at(ground).north }
}

impl Wish {
    fn is_granted(&self, planet: &Planet, point: DVec3) -> bool {
        let climate = planet.climate(point);
        self.temperature_c.contains(&climate.temperature_c) && climate.rain_mm >= self.rain_mm_min
    }
}

/// A place that keeps every rule, and how good it is.
struct Place {
    arrival: Arrival,
    merit: f64,
}

impl Place {
    /// The first good place behind the nearest shore of a point on land.
    fn by_the_shore(planet: &Planet, point: DVec3) -> Option<Self> {
        if planet.elevation_m(point) <= 0.0 {
            return None;
        }
        let site = Site { planet, ground: point };
        let (towards_sea, distance_m) = [300.0, 900.0, 2_000.0]
            .into_iter()
            .flat_map(|distance_m| compass(point).map(move |towards| (towards, distance_m)))
            .find(|(towards, distance_m)| site.elevation_m(*towards, *distance_m) < -1.0)?;
        let shore_m = site.shore_m(towards_sea, distance_m);
        [80.0, 110.0, 145.0, 180.0].into_iter().find_map(|behind_m| {
            Site { planet, ground: site.moved(towards_sea, shore_m - behind_m) }.judged()
        })
    }
}

/// A place being looked over.
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

    /// Distance to the shore between here, on land, and there, in the sea.
    fn shore_m(self, towards: DVec3, sea_m: f64) -> f64 {
        let (mut land_m, mut sea_m) = (0.0, sea_m);
        while sea_m - land_m > 1.0 {
            let middle_m = 0.5 * (land_m + sea_m);
            if self.elevation_m(towards, middle_m) > 0.0 {
                land_m = middle_m;
            } else {
                sea_m = middle_m;
            }
        }
        land_m
    }

    fn judged(self) -> Option<Place> {
        const DRY_M: f64 = 1.4;
        const HEIGHT_SPAN_MAX_M: f64 = 7.0;
        const SLOPE_MAX: f64 = 0.10;
        let height_m = self.planet.elevation_m(self.ground);
        let is_about_level = |towards| {
            [6.0, 14.0, 27.0, 42.0].into_iter().all(|distance_m| {
                let there_m = self.elevation_m(towards, distance_m);
                there_m > DRY_M && (there_m - height_m).abs() < HEIGHT_SPAN_MAX_M
            })
        };
        let slope = self.slope();
        if height_m < DRY_M
            || slope > SLOPE_MAX
            || !compass(self.ground).all(is_about_level)
            || !self.lot_is_dry()
        {
            return None;
        }
        let (facing, water_share) = self.view()?;
        let climate = self.planet.climate(self.ground);
        let green = match self.planet.biome(self.ground) {
            Biome::TemperateForest => 0.6,
            Biome::Grassland | Biome::Savanna | Biome::TropicalForest => 0.5,
            Biome::Shrubland => 0.3,
            _ => 0.0,
        };
        let merit = green + self.backdrop()
            - 3.0 * slope
            - 0.05 * (climate.temperature_c - 18.0).abs()
            - 2.0 * (water_share - 0.4).abs();
        Some(Place { arrival: Arrival { ground: self.ground, facing }, merit })
    }

    /// Rise over run on the scale of a house.
    fn slope(self) -> f64 {
        let TangentFrame { east, north, .. } = TangentFrame::at(self.ground);
        let run_m = 6.0;
        let rise_m = |towards| self.elevation_m(towards, run_m) - self.elevation_m(towards, -run_m);
        let (east_m, north_m) = (rise_m(east), rise_m(north));
        (east_m * east_m + north_m * north_m).sqrt() / (2.0 * run_m)
    }

    /// The lot about the place can be owned: its centre and corners are above the sea.
    fn lot_is_dry(self) -> bool {
        let lot = CellId::from_point(self.ground).parent(self.planet.grid_level(LOT_LEVEL));
        lot.corners().into_iter().chain([lot.center()]).all(|point| self.planet.elevation_m(point) > 0.5)
    }

    /// The direction of the widest water and the share of water around, if there is water near that way.
    fn view(self) -> Option<(DVec3, f64)> {
        const NEAR_M: [f64; 6] = [60.0, 120.0, 180.0, 240.0, 320.0, 380.0];
        const FAR_M: [f64; 3] = [500.0, 700.0, 1_000.0];
        let directions: Vec<DVec3> = compass(self.ground).collect();
        let is_water = |towards, distance_m| self.elevation_m(towards, distance_m) < -0.3;
        let counts: Vec<(usize, usize)> = directions
            .iter()
            .map(|towards| {
                let count =
                    |distances: &[f64]| distances.iter().filter(|at| is_water(*towards, **at)).count();
                (count(&NEAR_M), count(&FAR_M))
            })
            .collect();
        let around = directions.len();
        let breadth = |index: usize| -> usize {
            (0..7)
                .map(|step| counts[(index + around + step - 3) % around])
                .map(|(near, far)| near + far)
                .sum()
        };
        let best = (0..around).filter(|index| counts[*index].0 > 0).max_by_key(|index| breadth(*index))?;
        let water: usize = counts.iter().map(|(near, far)| near + far).sum();
        let share = water as f64 / (around * (NEAR_M.len() + FAR_M.len())) as f64;
        (share < 0.7).then_some((directions[best], share))
    }

    /// Hills and mountains some kilometres away, 0..=1.
    fn backdrop(self) -> f64 {
        let highest_m = [2_000.0, 4_000.0, 7_000.0]
            .into_iter()
            .flat_map(|distance_m| compass(self.ground).step_by(3).map(move |towards| (towards, distance_m)))
            .map(|(towards, distance_m)| {
                self.planet.elevation_coarse_m(self.moved(towards, distance_m), 100.0)
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
                let height_m = site.elevation_m(towards, f64::from(distance_m));
                assert!(height_m > 0.3, "{spec:?}: {height_m} m at {distance_m} m");
            }
        }
        assert!(site.slope() < 0.12, "{spec:?}: slope {}", site.slope());
        assert!(site.lot_is_dry(), "{spec:?}: the lot cannot be owned");
        let temperature_c = planet.climate(ground).temperature_c;
        assert!((8.0..28.0).contains(&temperature_c), "{spec:?}: {temperature_c} °C");
        let water_m = (0..=400).find(|distance_m| site.elevation_m(facing, f64::from(*distance_m)) < 0.0);
        assert!(water_m.is_some(), "{spec:?}: no water in view");
    }

    #[test]
    fn newcomers_arrive_at_a_pleasant_place_on_thirty_two_planets() {
        (0..32).for_each(|seed| check(PlanetSpec::for_test(seed, 3)));
    }

    #[test]
    fn newcomers_arrive_at_a_pleasant_place_on_planets_of_other_sizes() {
        for shift in [0, 6, 9] {
            (0..6).for_each(|seed| check(PlanetSpec::for_test(seed, shift)));
        }
    }
}
