//! Winds of a season, and what they carry.

use glam::DVec3;

use super::{Globe, Season, bell};
use crate::global::lattice::{Lattice, NOWHERE};

/// How far the belts of wind follow the sun, degrees of latitude: over the sea, and more over large land, whose summers
/// are hot. That makes the monsoons.
const SHIFT_SEA_DEG: f32 = 4.0;
const SHIFT_LAND_DEG: f32 = 8.0;

/// Where the trade winds end and the polar easterlies begin.
const WESTERLIES_FROM_DEG: f32 = 33.0;
const WESTERLIES_TO_DEG: f32 = 63.0;

/// Wind along the meridians against that along the parallels.
const MERIDIONAL: f32 = 0.45;

/// Share of the winds that follows neither, and makes planets differ.
const SWAY: f32 = 0.5;

/// Neighbours that a cell takes its air from.
const SOURCES: usize = 3;

/// Passes over the lattice until a field carried by wind has settled; each goes through it in another of the four
/// diagonal orders, so that whatever way the wind blows, some pass goes with it (fast sweeping, Zhao 2005).
const PASSES: usize = 40;

/// The winds of a season.
pub(super) struct Wind {
    pub(super) season: Season,
    /// Latitude as the winds count it: from the thermal equator, degrees.
    pub(super) belt_deg: Vec<f32>,
    pub(super) upwind: Upwind,
}

/// Of each cell, where its air comes from.
pub(super) struct Upwind {
    /// Neighbours and weights; the weights of a cell sum to 1.
    sources: Vec<[(u32, f32); SOURCES]>,
}

impl Globe<'_> {
    pub(super) fn winds(&self, season: Season, sway: &[f32]) -> Wind {
        let belt_deg: Vec<f32> = self
            .latitude_deg
            .iter()
            .zip(&self.continent)
            .map(|(latitude, continent)| {
                let polar = latitude / 90.0;
                let shift = SHIFT_SEA_DEG + (SHIFT_LAND_DEG - SHIFT_SEA_DEG) * continent;
                latitude - season.sign() * shift * (1.0 - polar * polar)
            })
            .collect();
        let upwind = Upwind::new(self.lattice, |cell, place| {
            let (east, north) = compass(place);
            let (eastwards, northwards) = prevailing(belt_deg[cell]);
            // A field of noise and the same elsewhere: two that have little to do with each other.
            let other = sway[sway.len() - 1 - cell];
            east * f64::from(eastwards + 0.5 * SWAY * other)
                + north * f64::from(northwards + SWAY * sway[cell])
        });
        Wind { season, belt_deg, upwind }
    }
}

/// Trade winds, westerlies and polar easterlies: speed towards east and north, about 1, for a latitude counted from the
/// thermal equator.
fn prevailing(belt_deg: f32) -> (f32, f32) {
    let from_equator_deg = belt_deg.abs();
    let half_turns = if from_equator_deg < WESTERLIES_FROM_DEG {
        from_equator_deg / WESTERLIES_FROM_DEG
    } else if from_equator_deg < WESTERLIES_TO_DEG {
        1.0 + (from_equator_deg - WESTERLIES_FROM_DEG) / (WESTERLIES_TO_DEG - WESTERLIES_FROM_DEG)
    } else {
        2.0 + (from_equator_deg - WESTERLIES_TO_DEG) / (90.0 - WESTERLIES_TO_DEG)
    };
    let cells = -libm::sinf(half_turns * std::f32::consts::PI);
    let doldrums = bell(belt_deg, 0.0, 8.0);
    let polewards = if belt_deg < 0.0 { -1.0 } else { 1.0 };
    (cells - 0.4 * doldrums, MERIDIONAL * cells * polewards)
}

/// East and north at a place, which is not quite a pole.
fn compass(place: DVec3) -> (DVec3, DVec3) {
    let east = DVec3::new(-place.y, place.x, 0.0).normalize();
    (east, place.cross(east))
}

impl Upwind {
    /// Where air comes from under a wind, given by cell and place.
    fn new(lattice: &Lattice, wind: impl Fn(usize, DVec3) -> DVec3) -> Self {
        let places: Vec<DVec3> = (0..lattice.count()).map(|cell| lattice.direction(cell)).collect();
        let sources = places.iter().enumerate().map(|(cell, place)| {
            let wind = wind(cell, *place);
            let wind = wind / wind.length().max(1e-9);
            let mut sources = [(cell as u32, 0.0); SOURCES];
            for neighbor in lattice.neighbors(cell).into_iter().filter(|neighbor| *neighbor != NOWHERE) {
                let towards = places[neighbor as usize] - *place;
                let against = (-towards.dot(wind) / towards.length()).max(0.0);
                insert(&mut sources, (neighbor, (against * against * against) as f32));
            }
            let sum: f32 = sources.iter().map(|(_, weight)| weight).sum();
            // Some neighbour is within 45° of the wind's origin, at the corners of the cube within 60°.
            sources.map(|(source, weight)| (source, weight / sum))
        });
        Self { sources: sources.collect() }
    }

    /// Winds from the east (1) or from the west (−1) everywhere.
    pub(super) fn zonal(lattice: &Lattice, from_east: f64) -> Self {
        Self::new(lattice, |_, place| compass(place).0 * -from_east)
    }

    /// What the wind brings to a cell of a field.
    pub(super) fn coming(&self, field: &[f32], cell: usize) -> f32 {
        self.sources[cell].iter().map(|(source, weight)| weight * field[*source as usize]).sum()
    }

    /// Carries a field along until it changes no more. `left(cell, coming)` is what a cell makes of what comes.
    pub(super) fn settle(&self, lattice: &Lattice, field: &mut [f32], left: impl Fn(usize, f32) -> f32) {
        self.settle_in(PASSES, lattice, field, left);
    }

    pub(super) fn settle_in(
        &self,
        passes: usize,
        lattice: &Lattice,
        field: &mut [f32],
        left: impl Fn(usize, f32) -> f32,
    ) {
        let side = lattice.side();
        for pass in 0..passes {
            let (flip_i, flip_j) = (pass & 1 == 1, pass & 2 == 2);
            for row in 0..6 * side {
                let row = if flip_j { 6 * side - 1 - row } else { row };
                for column in 0..side {
                    let cell = row * side + if flip_i { side - 1 - column } else { column };
                    field[cell] = left(cell, self.coming(field, cell));
                }
            }
        }
    }
}

/// Puts a source among the strongest.
fn insert(sources: &mut [(u32, f32); SOURCES], mut source: (u32, f32)) {
    for place in sources {
        if source.1 > place.1 {
            std::mem::swap(place, &mut source);
        }
    }
}
