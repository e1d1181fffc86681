//! Climate: warm at the equator, cold at the poles and up high; wet at the equator and in the temperate zones, dry
//! between them.

use glam::DVec3;

use crate::octaves::{Ladder, Octaves};

/// What plants feel over a year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Climate {
    /// Mean of the year, degrees Celsius.
    pub temperature_c: f64,
    /// Sum of the year, millimetres.
    pub rain_mm: f64,
}

/// Degrees lost per metre at shift 3: Earth's 6.5 per kilometre by the scale of relief.
const LAPSE_C_PER_M: f64 = 0.026;

/// The fields climate is made of.
#[derive(Debug)]
pub(crate) struct Weather {
    warmth: Octaves,
    moisture: Octaves,
    lapse_c_per_m: f64,
}

impl Weather {
    pub(crate) fn new(seed: u64, relief: f64) -> Self {
        // On a sphere of radius 1, so that zones are shares of it.
        let octaves = |salt, largest_m, smallest_m| {
            Octaves::new(seed, salt, 1.0, Ladder { largest_m, smallest_m, gain: 0.5 })
        };
        Self {
            warmth: octaves(10, 0.5, 0.4),
            moisture: octaves(11, 0.45, 0.004),
            lapse_c_per_m: LAPSE_C_PER_M / relief,
        }
    }

    pub(crate) fn climate(&self, unit: DVec3, elevation_m: f64) -> Climate {
        let sin_squared = unit.z * unit.z;
        let warmth = 27.5 - 27.0 * sin_squared - 24.0 * sin_squared * sin_squared * sin_squared
            + 4.0 * self.warmth.sum(unit, 0.0);
        // Rain falls where air rises: along the equator and about 50° of latitude (Hadley and Ferrel cells).
        let zones_mm = 190.0 + 1_750.0 * bump(unit.z / 0.24) + 800.0 * bump((sin_squared - 0.58) / 0.27);
        let moisture = (1.0 + 1.5 * self.moisture.sum(unit, 0.0)).max(0.15);
        Climate {
            temperature_c: warmth - self.lapse_c_per_m * elevation_m.max(0.0),
            rain_mm: zones_mm * moisture * moisture,
        }
    }
}

/// 1 at 0, near 0 beyond 2.
fn bump(x: f64) -> f64 {
    let spread = 1.0 + x * x;
    1.0 / (spread * spread)
}
