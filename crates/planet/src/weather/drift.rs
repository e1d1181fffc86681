//! Air that moves: noise carried round the planet by the winds of its latitude.
//!
//! Winds that differ from latitude to latitude would draw any pattern out into threads in time. So the weather comes in
//! generations: each is carried along for [`LIFE_DAYS`] about the middle of its life, and while one fades the next one
//! grows. What one sees are systems that form, travel and die.

use std::f64::consts::{PI, TAU};

use glam::DVec3;

use crate::heaven::{PlanetTime, share};
use crate::noise::{Fbm, Positions};

/// From the birth of a system to its end.
const LIFE_DAYS: f64 = 1.5;
/// Radians a day that the strongest belt of winds carries what is in it.
const TURN_RAD: f64 = 0.85;

/// Latitudes at which the trade winds end, and the westerlies, degrees.
const WESTERLIES_FROM_DEG: f64 = 33.0;
const WESTERLIES_TO_DEG: f64 = 63.0;

/// One pattern of the air.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    pub(super) salt: u64,
    /// Waves per radius of the first octave.
    pub(super) frequency: f64,
    pub(super) octaves: usize,
}

const GAIN: f32 = 0.5;
/// The standard deviation of an octave of amplitude 1.
const OCTAVE_DEVIATION: f64 = 0.25;

/// Places at a time, as the two generations that live then had them in the middle of their lives.
pub(super) struct Carried {
    seed: u64,
    generations: [Generation; 2],
}

struct Generation {
    number: u64,
    weight: f64,
    places: Positions,
}

impl Carried {
    pub(super) fn new(seed: u64, places: &[DVec3], time: PlanetTime) -> Self {
        let generation = |half: f64| {
            let lives = time.days / LIFE_DAYS + half;
            let age = share(lives);
            let root = libm::sin(PI * age);
            let turned = |place: &DVec3| {
                let turn_rad = -TURN_RAD * eastwards(place.z) * (age - 0.5) * LIFE_DAYS;
                let (sin, cos) = (libm::sin(turn_rad), libm::cos(turn_rad));
                DVec3::new(place.x * cos - place.y * sin, place.x * sin + place.y * cos, place.z)
            };
            // Each half has generations of its own.
            let number = (libm::floor(lives) as i64 * 2 + i64::from(half > 0.0)) as u64;
            Generation { number, weight: root * root, places: places.iter().map(turned).collect() }
        };
        let mut generations = [generation(0.0), generation(0.5)];
        // Two patterns that have nothing to do with each other are as lively together as each alone.
        let [a, b] = [generations[0].weight, generations[1].weight];
        let liveliness = libm::sqrt(a * a + b * b);
        for generation in &mut generations {
            generation.weight /= liveliness;
        }
        Self { seed, generations }
    }

    /// A pattern at the places: zero on average, standard deviation one.
    pub(super) fn of(&self, pattern: Pattern) -> Vec<f64> {
        let Pattern { salt, frequency, octaves } = pattern;
        let mut square = 0.0;
        for octave in 0..octaves {
            square += f64::from(1_u32 << (2 * octave)).recip();
        }
        let unit = (OCTAVE_DEVIATION * libm::sqrt(square)).recip();
        let mut sums = vec![0.0; self.generations[0].places.len()];
        let mut values = vec![0.0; sums.len()];
        for Generation { number, weight, places } in &self.generations {
            let noise = Fbm::new(self.seed ^ number.rotate_left(20), salt, frequency, GAIN, octaves);
            noise.sum(places, octaves, &mut values);
            for (sum, value) in sums.iter_mut().zip(&values) {
                *sum += weight * unit * f64::from(*value);
            }
        }
        sums
    }
}

/// How strongly the wind of a latitude, given by its sine, blows to the east, -1 to 1: trade winds, westerlies, polar
/// easterlies; those that `global::climate` brings the rain with.
pub(super) fn eastwards(latitude_sin: f64) -> f64 {
    let latitude_deg = libm::asin(latitude_sin.abs().min(1.0)) * 360.0 / TAU;
    let half_turns = if latitude_deg < WESTERLIES_FROM_DEG {
        latitude_deg / WESTERLIES_FROM_DEG
    } else if latitude_deg < WESTERLIES_TO_DEG {
        1.0 + (latitude_deg - WESTERLIES_FROM_DEG) / (WESTERLIES_TO_DEG - WESTERLIES_FROM_DEG)
    } else {
        2.0 + (latitude_deg - WESTERLIES_TO_DEG) / (90.0 - WESTERLIES_TO_DEG)
    };
    -libm::sin(half_turns * PI)
}
