//! What the air does at a place of a climate: from patterns of standard deviation one to clouds, rain, wind and fog.

use glam::DVec3;

use super::drift::eastwards;
use super::{Overhead, WeatherSite};
use crate::heaven::{Heaven, PlanetTime};

/// The patterns of the air at a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Air {
    /// High where the pressure is low.
    pub(super) low: f64,
    /// About 0 where two kinds of air meet.
    pub(super) front: f64,
    pub(super) cluster: f64,
}

/// How broad a front is, in deviations of its pattern.
const FRONT_WIDTH: f64 = 0.30;
/// A front's mean over all places.
const FRONT_MEAN: f64 = 0.21;

/// Warmest so long after the sun is highest, and after midsummer.
const WARM_LATE_DAYS: f64 = 0.07;
const SUMMER_LATE_DAYS: f64 = 5.0;

/// The hardest rain: with it a year brings about what the climate says.
const PRECIPITATION_MAX_MM_H: f64 = 2.9;

/// It snows below the first and rains above the second, at the ground.
const SNOW_C: f64 = -0.5;
const RAIN_C: f64 = 2.0;

impl Air {
    /// How near a front is, 0 to 1.
    fn frontal(&self) -> f64 {
        let offset = self.front / FRONT_WIDTH;
        libm::exp(-offset * offset)
    }
}

pub(super) fn overhead(site: &WeatherSite, air: &Air, heaven: &Heaven, time: PlanetTime) -> Overhead {
    let rank = rank(unrest(site, air, heaven));
    let dryness = libm::exp(-site.rain_mm / 700.0);
    let overcast_from = 0.90 - 0.58 * (1.0 - dryness);
    let rain_from = 1.0 - rain_share(site.rain_mm);
    // Where it rains there are clouds, in a desert too.
    let cloud_cover =
        rise(rank, overcast_from - 0.28, overcast_from + 0.26).max(rise(rank, rain_from - 0.12, rain_from));
    // Where much rain falls it falls hard, too.
    let hardest = 1.0 - 0.5 * libm::exp(-site.rain_mm / 1_500.0);
    let hard = ((rank - rain_from) / (1.0 - rain_from)).max(0.0);
    let temperature_c = temperature_c(site, cloud_cover, heaven, time) - 2.5 * air.frontal() * cloud_cover;
    Overhead {
        cloud_cover,
        precipitation: hardest * hard * hard * (3.0 - 2.0 * hard),
        snow_share: 1.0 - rise(temperature_c, SNOW_C, RAIN_C),
        temperature_c,
    }
}

/// The share of time in which it rains where so much falls in a year.
fn rain_share(rain_mm: f64) -> f64 {
    0.003 + 0.27 * (1.0 - libm::exp(-rain_mm / 1_300.0))
}

/// How unsettled the air is, in deviations.
fn unrest(site: &WeatherSite, air: &Air, heaven: &Heaven) -> f64 {
    let polar = site.unit.z.abs();
    // Fronts are made where cold and warm air meet: hardly any in the tropics.
    let storms = rise(polar, 0.25, 0.6) * (1.0 - 0.4 * rise(polar, 0.85, 1.0));
    // Where it is hot and moist, clouds tower up in the afternoon: the sun stands in the west then.
    let west = DVec3::new(site.unit.y, -site.unit.x, 0.0);
    let towers = rise(site.temperature_c, 14.0, 24.0) * (1.0 - libm::exp(-site.rain_mm / 1_200.0));
    0.78 * air.low
        + 0.50 * air.cluster
        + 1.7 * storms * (air.frontal() - FRONT_MEAN)
        + 0.8 * towers * west.dot(heaven.sun)
}

/// The share of all moments that are calmer: the normal distribution, by the logistic that is nearest to it.
fn rank(unrest: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-1.702 * unrest))
}

fn temperature_c(site: &WeatherSite, cloud_cover: f64, heaven: &Heaven, time: PlanetTime) -> f64 {
    let summer = Heaven::at(time.before(SUMMER_LATE_DAYS)).sun.z;
    let season = 26.0 * site.unit.z * summer;
    let late = Heaven::at(time.before(WARM_LATE_DAYS)).sun;
    // The sun's height without its mean over the day.
    let height = site.unit.dot(late) - site.unit.z * heaven.sun.z;
    let dryness = libm::exp(-site.rain_mm / 500.0);
    let day = (3.0 + 5.0 * dryness) * (1.0 - 0.6 * cloud_cover) * height;
    site.temperature_c + season + day
}

/// The wind at the ground from the slope of the lows, deviations per radius.
pub(super) fn wind_m_s(unit: DVec3, slope: DVec3, air: &Air) -> DVec3 {
    let east = DVec3::new(-unit.y, unit.x, 0.0);
    let belt = east * (3.0 * eastwards(unit.z));
    // Round lows to the left in the north, to the right in the south, and a little into them.
    let turning = unit.z / (unit.z.abs() + 0.15);
    let round = slope.cross(unit) * (0.75 * turning) + slope * 0.3;
    let gusts = 1.0 + 0.5 * air.frontal();
    let wind = (belt + round) * gusts;
    // Storms do not grow without end.
    wind * (1.0 / (1.0 + wind.length() / 30.0))
}

/// Fog forms before dawn, where the ground is moist, the air calm and the sky not yet full.
pub(super) fn fog(
    site: &WeatherSite,
    mist: f64,
    overhead: &Overhead,
    wind_m_s: DVec3,
    heaven: &Heaven,
) -> f64 {
    let east = DVec3::new(-site.unit.y, site.unit.x, 0.0);
    let dawn = rise(east.dot(heaven.sun), 0.1, 0.5) * (1.0 - rise(site.unit.dot(heaven.sun), 0.08, 0.42));
    let moist = 1.0 - libm::exp(-site.rain_mm / 600.0);
    let calm = 1.0 - rise(wind_m_s.length(), 3.0, 8.0);
    let cool = 1.0 - rise(overhead.temperature_c, 17.0, 26.0);
    let misty = rise(mist, -0.5, 1.0);
    let from_ground = misty * moist * calm * cool * dawn * (1.0 - 0.5 * overhead.cloud_cover);
    // And clouds that touch the ground.
    from_ground.max(0.35 * overhead.precipitation * moist)
}

pub(super) fn precipitation_mm_h(precipitation: f64) -> f64 {
    PRECIPITATION_MAX_MM_H * precipitation * precipitation.sqrt()
}

/// How far one sees: from clear air down to a hundred steps.
pub(super) fn visibility_m(fog: f64, overhead: &Overhead) -> f64 {
    let clear_per_km = 0.06;
    let fog_per_km = 38.0 * fog * fog;
    let fall_per_km = overhead.precipitation * (1.0 + 3.0 * overhead.snow_share);
    3_912.0 / (clear_per_km + fog_per_km + fall_per_km)
}

/// What lies on the ground, from the weather of the hours before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lying {
    water: f64,
    snow: f64,
}

impl Lying {
    /// So many looks back, the last of them at what is now.
    pub(super) const STEPS: u32 = 8;
    pub(super) const STEP_DAYS: f64 = 0.035;

    pub(super) fn after(&mut self, overhead: &Overhead) {
        let Overhead { precipitation, snow_share, temperature_c, .. } = *overhead;
        let warm = rise(temperature_c, -2.0, 8.0);
        let drying = 0.62 + 0.18 * (1.0 - warm);
        self.water = self.water * drying + 0.9 * precipitation * (1.0 - snow_share);
        self.snow =
            self.snow * (1.0 - 0.6 * rise(temperature_c, 0.0, 5.0)) + 0.7 * precipitation * snow_share;
    }

    pub(super) fn wetness(&self) -> f64 {
        1.0 - libm::exp(-2.2 * self.water)
    }

    pub(super) fn snow(&self) -> f64 {
        1.0 - libm::exp(-1.6 * self.snow)
    }
}

/// 0 up to `from`, 1 from `to` on, smooth between them.
fn rise(value: f64, from: f64, to: f64) -> f64 {
    let share = ((value - from) / (to - from)).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}
