//! Water in the air: taken up at sea, carried by the wind, rained out where air rises.

use super::wind::Wind;
use super::{Globe, LAPSE_C_PER_M, bell};

/// Warm air holds more: e^(0.062 per degree) (Clausius and Clapeyron).
const CAPACITY_PER_C: f32 = 0.062;

/// Half the difference between summer and winter at the poles; the tropics have none.
const SEASON_C: f32 = 9.0;

/// Of what air lacks, the sea gives this share a cell of the reference level.
const EVAPORATION: f32 = 0.085;

/// Of the rain on land, plants and soil return this share to the air at once.
const RETURNED: f32 = 0.80;

/// Share of its water that air rains a cell of the reference level: anywhere, and added where the belts make it rise
/// or sink.
const RAIN_ANYWHERE: f32 = 0.013;
const RAIN_TROPICS: f32 = 0.110;
const RAIN_STORMS: f32 = 0.014;
const RAIN_SUBTROPICS: f32 = -0.022;

/// Share of its water that air loses on land a cell of the reference level where the belts make it sink, to the dry air
/// that comes down. So east coasts, which the trade winds meet first, are wetter than what lies behind them.
const DRIED: f32 = 0.05;

/// Share rained out for each metre that the wind lifts air, and the fall that halves rain in the lee.
const RAIN_PER_RISE_M: f32 = 7.0e-5;
const LEE_HALVES_M: f32 = 450.0;

/// Least and greatest share of its water that air rains in one cell.
const RATE_MIN: f32 = 0.002;
const RATE_MAX: f32 = 0.6;

impl Globe<'_> {
    /// Rain under the winds of a season, in no particular unit.
    pub(super) fn rain(&self, wind: &Wind, sea_level_c: &[f32]) -> Vec<f32> {
        let columns: Vec<Column> =
            (0..self.lattice.count()).map(|cell| self.column(wind, cell, sea_level_c[cell])).collect();
        let mut moisture: Vec<f32> = columns.iter().map(|column| 0.5 * column.capacity).collect();
        wind.upwind.settle(self.lattice, &mut moisture, |cell, coming| columns[cell].pass(coming).left);
        columns
            .iter()
            .enumerate()
            .map(|(cell, column)| column.pass(wind.upwind.coming(&moisture, cell)).rain)
            .collect()
    }

    fn column(&self, wind: &Wind, cell: usize, sea_level_c: f32) -> Column {
        let land = self.land[cell];
        let rise_m = self.height_m[cell] - wind.upwind.coming(&self.height_m, cell);
        let season_c = SEASON_C * wind.season.sign() * self.latitude_deg[cell] / 90.0;
        let temperature_c = sea_level_c + season_c - LAPSE_C_PER_M * self.height_m[cell];
        let belt = wind.belt_deg[cell].abs();
        let rising =
            RAIN_ANYWHERE + RAIN_TROPICS * bell(belt, 0.0, 9.0) + RAIN_STORMS * bell(belt, 52.0, 15.0);
        let sinking = bell(belt, 24.0, 13.0);
        let lee = LEE_HALVES_M / (LEE_HALVES_M + (-rise_m).max(0.0));
        Column {
            capacity: libm::expf(CAPACITY_PER_C * temperature_c),
            evaporation: (1.0 - land) * (EVAPORATION * self.step).min(1.0),
            returned: land * RETURNED,
            dried: land * (DRIED * sinking * self.step).min(1.0),
            rate_rising: rising * self.step * lee,
            rate_sinking: RAIN_SUBTROPICS * sinking * self.step * lee,
            rate_of_slope: RAIN_PER_RISE_M * rise_m.max(0.0),
        }
    }
}

/// The air over a cell.
struct Column {
    /// Water that it can hold.
    capacity: f32,
    evaporation: f32,
    returned: f32,
    dried: f32,
    rate_rising: f32,
    rate_sinking: f32,
    rate_of_slope: f32,
}

/// What becomes of air that passes over a cell.
struct Passed {
    left: f32,
    rain: f32,
}

impl Column {
    fn pass(&self, coming: f32) -> Passed {
        let water = coming + (self.capacity - coming).max(0.0) * self.evaporation;
        let fullness = (water / self.capacity).min(1.0);
        let fullness = fullness * fullness;
        // Clouds need air that is nearly full, and dissolve in sinking air that is not.
        let rate = self.rate_rising * (0.3 + 1.2 * fullness)
            + self.rate_sinking * (1.0 - fullness)
            + self.rate_of_slope;
        let excess = (water - self.capacity).max(0.0);
        let showers = (water - excess) * rate.clamp(RATE_MIN, RATE_MAX);
        let left = water - excess - showers * (1.0 - self.returned);
        Passed { left: left * (1.0 - self.dried), rain: excess + showers }
    }
}
