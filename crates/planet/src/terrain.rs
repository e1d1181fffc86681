//! The shape of the ground.

use glam::DVec3;

use crate::PlanetSpec;
use crate::climate::Climate;
use crate::noise::Noise;

#[derive(Debug)]
pub(crate) struct Terrain {
    radius_m: f64,
    continents: Noise,
    moisture: Noise,
}

impl Terrain {
    pub(crate) fn new(spec: PlanetSpec, radius_m: f64) -> Self {
        Self { radius_m, continents: Noise::new(spec.seed, 1), moisture: Noise::new(spec.seed, 2) }
    }

    pub(crate) fn elevation_m(&self, unit: DVec3, spacing_m: f64) -> f64 {
        let (mut sum, mut frequency, mut amplitude) = (-0.1, 1.6, 0.5);
        while self.radius_m / frequency > spacing_m.max(8.0) {
            sum += amplitude * self.continents.at(unit * frequency);
            frequency *= 2.03;
            amplitude *= 0.47;
        }
        2000.0 * sum
    }

    pub(crate) fn climate(&self, unit: DVec3, elevation_m: f64) -> Climate {
        let rain = 0.5 + 0.5 * self.moisture.at(unit * 5.0);
        Climate {
            temperature_c: 28.0 - 50.0 * unit.z * unit.z - 0.0065 * 3.0 * elevation_m.max(0.0),
            rain_mm: 2000.0 * rain * rain,
        }
    }
}
