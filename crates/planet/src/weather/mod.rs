//! The weather: a function of the planet, the place and the planet's time, the same for everybody who looks.
//!
//! Three patterns of the air are carried round the planet by its winds ([`drift`]): lows and highs, fronts along which
//! air of two kinds meets, and clusters of clouds. Together they say how unsettled the air is at a place, as a rank
//! among all the moments there. The climate of the place says from which rank on it is overcast, and from which on it
//! rains, so that it rains a tenth of the time where plants have known it so. Nothing is remembered: even how wet the
//! ground is comes from looking at the hours before.
//!
//! Smooth in place and time, the same bits on every platform. Read first: [`Planet::weather`], [`Weather`].

mod drift;
mod rules;
#[cfg(test)]
mod tests;

use glam::DVec3;

use crate::heaven::{Heaven, PlanetTime};
use crate::local::place::Place;
use crate::{Planet, Raster, TileId};
use drift::{Carried, Pattern};
use rules::{Air, Lying};

const LOWS: Pattern = Pattern { salt: 90, frequency: 2.2, octaves: 3 };
const FRONTS: Pattern = Pattern { salt: 91, frequency: 1.5, octaves: 3 };
const CLUSTERS: Pattern = Pattern { salt: 92, frequency: 8.0, octaves: 3 };
const MISTS: Pattern = Pattern { salt: 93, frequency: 5.0, octaves: 2 };

/// Apart enough to tell the slope of the pressure, as a share of the radius.
const SLOPE_STEP: f64 = 0.01;

/// A place as the weather knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeatherSite {
    unit: DVec3,
    /// Mean of the year at the ground.
    temperature_c: f64,
    /// Sum of the year.
    rain_mm: f64,
}

/// What is overhead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overhead {
    /// Share of the sky that clouds cover, 0..=1.
    pub cloud_cover: f64,
    /// How hard it rains or snows: 0 not at all, 1 as hard as it ever does.
    pub precipitation: f64,
    /// How much of that is snow, 0..=1.
    pub snow_share: f64,
    /// At the ground, degrees Celsius.
    pub temperature_c: f64,
}

/// The weather at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// What is overhead.
    pub overhead: Overhead,
    /// How thick the fog is, 0..=1.
    pub fog: f64,
    /// Where the air at the ground goes, metres a second, along the ground.
    pub wind_m_s: DVec3,
    /// How wet the ground is from the rain of the last hours, 0..=1.
    pub wetness: f64,
    /// How much of level ground new snow covers, 0..=1.
    pub snow_lying: f64,
}

impl Weather {
    /// What falls, as water, millimetres an hour of a day of 24.
    pub fn precipitation_mm_h(&self) -> f64 {
        rules::precipitation_mm_h(self.overhead.precipitation)
    }

    /// How far one sees, metres.
    pub fn visibility_m(&self) -> f64 {
        rules::visibility_m(self.fog, &self.overhead)
    }
}

impl Planet {
    /// A place at a height over the sea, for its weather. It is exact where [`weather_missing`](Self::weather_missing)
    /// names no tile.
    pub fn weather_site(&self, direction: DVec3, elevation_m: f64) -> WeatherSite {
        let unit = direction.try_normalize().unwrap_or(DVec3::X);
        let (fields, _) = self.local.fields(&Place::of(unit), self.weather_layer());
        WeatherSite {
            unit,
            temperature_c: f64::from(self.local.temperature_c(&fields, elevation_m as f32)),
            rain_mm: f64::from(fields.rain_mm),
        }
    }

    /// The same at the mean height of the land about.
    pub fn weather_site_about(&self, direction: DVec3) -> WeatherSite {
        let unit = direction.try_normalize().unwrap_or(DVec3::X);
        let (fields, _) = self.local.fields(&Place::of(unit), self.weather_layer());
        self.weather_site(unit, f64::from(fields.level_m))
    }

    /// The weather at a site and a time.
    pub fn weather(&self, site: &WeatherSite, time: PlanetTime) -> Weather {
        let heaven = Heaven::at(time);
        let (air, wind_m_s) = self.air_and_wind(site, time);
        let overhead = rules::overhead(site, &air, &heaven, time);
        let mut lying = Lying::default();
        for step in (0..Lying::STEPS).rev() {
            let then = time.before(f64::from(step) * Lying::STEP_DAYS);
            lying.after(&if step == 0 { overhead } else { self.overhead(&[*site], then)[0] });
        }
        let mist = Carried::new(self.spec().seed, &[site.unit], time).of(MISTS)[0];
        let fog = rules::fog(site, mist, &overhead, wind_m_s, &heaven);
        Weather { overhead, fog, wind_m_s, wetness: lying.wetness(), snow_lying: lying.snow() }
    }

    /// What is overhead at many sites, the same bits as for each alone.
    pub fn overhead(&self, sites: &[WeatherSite], time: PlanetTime) -> Vec<Overhead> {
        let heaven = Heaven::at(time);
        let units: Vec<DVec3> = sites.iter().map(|site| site.unit).collect();
        let airs = airs(&Carried::new(self.spec().seed, &units, time));
        sites.iter().zip(airs).map(|(site, air)| rules::overhead(site, &air, &heaven, time)).collect()
    }

    /// The raster tiles that are missing for the weather to be exact; none on a server, which has all.
    pub fn weather_missing(&self) -> Vec<TileId> {
        let raster = self.raster();
        TileId::all_of(self.weather_layer()).filter(|tile| raster.tile(*tile).is_none()).collect()
    }

    /// Weather is a broad thing: the coarsest layer knows enough of the land.
    fn weather_layer(&self) -> u8 {
        Raster::layers(self.raster().level()).last().expect("a raster has a layer")
    }

    fn air_and_wind(&self, site: &WeatherSite, time: PlanetTime) -> (Air, DVec3) {
        let (side, ahead) = across(site.unit);
        let places = [site.unit, site.unit + side * SLOPE_STEP, site.unit + ahead * SLOPE_STEP]
            .map(|place| place.normalize());
        let carried = Carried::new(self.spec().seed, &places, time);
        let lows = carried.of(LOWS);
        let slope = (side * (lows[1] - lows[0]) + ahead * (lows[2] - lows[0])) / SLOPE_STEP;
        let air = airs(&carried)[0];
        (air, rules::wind_m_s(site.unit, slope, &air))
    }
}

fn airs(carried: &Carried) -> Vec<Air> {
    let (lows, fronts, clusters) = (carried.of(LOWS), carried.of(FRONTS), carried.of(CLUSTERS));
    let patterns = lows.into_iter().zip(fronts).zip(clusters);
    patterns.map(|((low, front), cluster)| Air { low, front, cluster }).collect()
}

/// Two directions along the ground, across each other.
fn across(unit: DVec3) -> (DVec3, DVec3) {
    let side = unit.any_orthonormal_vector();
    (side, unit.cross(side))
}
