//! What a run of bots is about: where each of them arrives and what it wants there.

use crate::mind::{Want, disc_point, toward};
use cell::{CellId, LatLng, TangentFrame};
use glam::DVec3;
use planet::{Planet, Receiver};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::f64::consts::TAU;

/// Ground that each in a crowd has to itself by default, m²: ten thousand fill a disc of 226 m.
const CROWD_M2: f64 = 4.0;
/// The most towns.
const TOWNS_MAX: usize = 400;
const TOWN_RADIUS_M: f64 = 80.0;
const PEOPLE_PER_TOWN: usize = 25;
/// Half the way of those who cross borders.
const CROSSING_M: f64 = 75.0;
/// Points looked at for each town before there are said to be fewer.
const TRIES_PER_TOWN: usize = 400;

/// What bots do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// Arrive where newcomers do and go wherever chance leads.
    #[default]
    Stroll,
    /// Everybody in one disc.
    Crowd,
    /// Towns all over the planet, some people in each.
    Cities,
    /// Everybody runs straight on, from towns all over the planet.
    Travel,
    /// Everybody runs to and fro through one place, so that whatever border lies there is crossed all the time.
    Border,
    /// People in towns claim, list and buy land while they walk.
    Market,
    /// Everybody comes and goes: leaves, loses the connection and resumes, or vanishes.
    Churn,
    /// Connected, and doing nothing, in towns all over the planet.
    Idle,
}

impl Scenario {
    /// Every scenario with its name.
    pub const ALL: [(&'static str, Self); 8] = [
        ("stroll", Self::Stroll),
        ("crowd", Self::Crowd),
        ("cities", Self::Cities),
        ("travel", Self::Travel),
        ("border", Self::Border),
        ("market", Self::Market),
        ("churn", Self::Churn),
        ("idle", Self::Idle),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, it)| *it == self).map(|(name, _)| *name).expect("ALL lists every one")
    }

    /// The scenario of this name.
    pub fn try_from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(it, _)| *it == name).map(|(_, scenario)| *scenario)
    }
}

/// Who arrives where and wants what.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    scenario: Scenario,
    /// Middles of the places, directions from the planet's centre.
    places: Vec<DVec3>,
    disc_radius_m: f64,
    planet_radius_m: f64,
}

impl Plan {
    /// Looks for the places on the planet; the same seed finds the same. `disc_radius_m` is that of the crowd or of a
    /// town.
    pub(crate) fn new(
        scenario: Scenario,
        planet: &Planet,
        count: usize,
        seed: u64,
        disc_radius_m: Option<f64>,
    ) -> Self {
        let places = match scenario {
            Scenario::Stroll => vec![],
            Scenario::Crowd | Scenario::Border | Scenario::Churn => vec![planet.arrival().ground],
            Scenario::Cities | Scenario::Travel | Scenario::Market | Scenario::Idle => {
                towns(planet, count.div_ceil(PEOPLE_PER_TOWN).min(TOWNS_MAX), seed)
            }
        };
        let usual_m = match scenario {
            Scenario::Crowd | Scenario::Churn => {
                (count as f64 * CROWD_M2 / std::f64::consts::PI).sqrt().max(10.0)
            }
            Scenario::Border => CROSSING_M,
            _ => TOWN_RADIUS_M,
        };
        let disc_radius_m = disc_radius_m.unwrap_or(usual_m);
        Self { scenario, places, disc_radius_m, planet_radius_m: planet.radius_m() }
    }

    /// Where bot `number` arrives, if not where newcomers do, and what it wants.
    pub(crate) fn of(&self, number: usize, seed: u64) -> (Option<LatLng>, Want) {
        if self.places.is_empty() {
            return (None, Want::Stroll);
        }
        let mut random = StdRng::seed_from_u64(seed ^ 0x706c_616e);
        let (radius_m, planet_m) = (self.disc_radius_m, self.planet_radius_m);
        let centre = self.places[number % self.places.len()];
        let near = disc_point(&mut random, centre, radius_m, planet_m);
        let (place, want) = match self.scenario {
            Scenario::Border => {
                let ways = TangentFrame::at(centre);
                let aside = toward(ways, random.random_range(0.0..TAU)) * (radius_m / planet_m);
                let (from, to) = ((centre + aside).normalize(), (centre - aside).normalize());
                (from, Want::Cross { from, to })
            }
            Scenario::Travel => (near, Want::Travel),
            Scenario::Idle => (near, Want::Stand),
            _ => (near, Want::StayNear { centre, radius_m }),
        };
        (Some(LatLng::from_point(place)), want)
    }
}

/// Dry, not too high places away from the poles, evenly by area.
fn towns(planet: &Planet, count: usize, seed: u64) -> Vec<DVec3> {
    const GROUND_M: std::ops::Range<f32> = 1.0..1_500.0;
    const SIN_LATITUDE_MAX: f64 = 0.85;
    let mut random = StdRng::seed_from_u64(seed ^ 0x746f_776e);
    let level = planet.raster().level();
    let is_dry = |point: DVec3| {
        let at = CellId::from_point(point).parent(level).face_ij();
        planet.raster().cell(level, at).is_some_and(|cell| {
            cell.receiver != Receiver::Sea
                && cell.lake_surface_m.is_none()
                && GROUND_M.contains(&cell.ground_m)
        })
    };
    let mut places = Vec::with_capacity(count);
    for _ in 0..count * TRIES_PER_TOWN {
        if places.len() == count {
            break;
        }
        let z: f64 = random.random_range(-SIN_LATITUDE_MAX..SIN_LATITUDE_MAX);
        let (sin, cos) = libm::sincos(random.random_range(0.0..TAU));
        let ring = (1.0 - z * z).sqrt();
        let point = DVec3::new(ring * cos, ring * sin, z);
        if is_dry(point) {
            places.push(point);
        }
    }
    if places.is_empty() {
        // A planet of water alone: everybody meets where newcomers arrive.
        places.push(planet.arrival().ground);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use planet::PlanetSpec;
    use std::collections::BTreeSet;

    fn planet() -> Planet {
        Planet::generate(PlanetSpec::for_test(1, 3))
    }

    #[test]
    fn the_same_seed_plans_the_same_and_towns_are_dry_and_apart() {
        let planet = planet();
        let plan = |seed| Plan::new(Scenario::Cities, &planet, 1_000, seed, None);
        assert_eq!(plan(4).places, plan(4).places);
        assert_ne!(plan(4).places, plan(5).places);
        let plan = plan(4);
        assert_eq!(plan.places.len(), 40);
        let dry = plan.places.iter().filter(|place| planet.ground(**place).water_m.is_none()).count();
        assert!(dry >= 36, "{dry} of 40 towns are on land");
        let cells: BTreeSet<_> =
            plan.places.iter().map(|place| cell::CellId::from_point(*place).parent(8)).collect();
        assert!(cells.len() >= 38, "{} different neighbourhoods", cells.len());
    }

    #[test]
    fn everybody_of_a_crowd_arrives_in_its_disc_and_wants_to_stay() {
        let planet = planet();
        let plan = Plan::new(Scenario::Crowd, &planet, 10_000, 1, None);
        let centre = planet.arrival().ground;
        let mut far_m: f64 = 0.0;
        for number in 0..500 {
            let (at, want) = plan.of(number, number as u64);
            far_m = far_m.max(at.unwrap().to_point().distance(centre) * planet.radius_m());
            assert!(matches!(want, Want::StayNear { .. }));
        }
        assert!((100.0..114.0).contains(&far_m), "{far_m} m");
    }

    #[test]
    fn names_of_scenarios_are_read_back() {
        for (name, scenario) in Scenario::ALL {
            assert_eq!(Scenario::try_from_name(name), Some(scenario));
            assert_eq!(scenario.name(), name);
        }
        assert_eq!(Scenario::try_from_name("party"), None);
    }
}
