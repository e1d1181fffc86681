//! How much of the rain runs off, and how much a lake loses to the air.

use super::EARTH_RADIUS_M;
use super::lattice::Lattice;

const SECONDS_PER_YEAR: f32 = 31_556_952.0;

/// What a cell adds to the rivers in a mean year, m³/s.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Supply {
    /// As land.
    pub(crate) land_m3_s: f32,
    /// Under a lake; negative where more evaporates than falls.
    pub(crate) lake_m3_s: f32,
}

/// The supply of a cell of a mean temperature and a year's rain.
pub(crate) fn supply(lattice: &Lattice, index: usize, temperature_c: f32, rain_mm: f32) -> Supply {
    let earth_m = EARTH_RADIUS_M as f32;
    let m3_s_per_mm = lattice.area_sr(index) * earth_m * earth_m / (1_000.0 * SECONDS_PER_YEAR);
    let thirst_mm = thirst_mm(temperature_c);
    Supply {
        land_m3_s: (rain_mm - transpired_mm(rain_mm, thirst_mm)) * m3_s_per_mm,
        lake_m3_s: (rain_mm - thirst_mm) * m3_s_per_mm,
    }
}

/// The most that can evaporate in a year (Turc 1954), mm.
fn thirst_mm(temperature_c: f32) -> f32 {
    // The cubic has its least value near −20 °C; below, hardly anything evaporates.
    let warmth = temperature_c.max(-9.0);
    300.0 + 25.0 * warmth + 0.05 * warmth * warmth * warmth
}

/// What land gives back to the air of a year's rain (Turc 1954), mm.
fn transpired_mm(rain_mm: f32, thirst_mm: f32) -> f32 {
    let wetness = rain_mm / thirst_mm;
    rain_mm.min(rain_mm / (0.9 + wetness * wetness).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runoff_is_that_of_known_places() {
        let check = |temperature_c, rain_mm: f32, expected: std::ops::Range<f32>| {
            let runoff_mm = rain_mm - transpired_mm(rain_mm, thirst_mm(temperature_c));
            assert!(expected.contains(&runoff_mm), "{temperature_c} °C, {rain_mm} mm: {runoff_mm} mm");
        };
        check(26.0, 2_300.0, 800.0..1_300.0); // Amazon: 1 050 mm
        check(9.0, 800.0, 250.0..450.0); // Rhine: 350 mm
        check(22.0, 100.0, 0.0..1.0); // Sahara
        check(-5.0, 400.0, 150.0..300.0); // Lena: 210 mm
    }

    #[test]
    fn lakes_lose_water_in_deserts_and_win_it_in_the_north() {
        let lattice = Lattice::new(6);
        let gain = |temperature_c, rain_mm| supply(&lattice, 0, temperature_c, rain_mm).lake_m3_s;
        assert!(gain(25.0, 200.0) < 0.0);
        assert!(gain(2.0, 600.0) > 0.0);
        assert!(gain(-40.0, 100.0) > 0.0);
    }
}
