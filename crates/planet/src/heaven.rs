//! Where sun and moon stand at a time of the planet: the same for everybody who looks.
//!
//! At the beginning of time the sun stands over longitude 0, and it goes westwards. A year has [`YEAR_DAYS`], a month
//! [`MONTH_DAYS`].

use std::f64::consts::TAU;

use glam::DVec3;

/// Days from spring to spring.
pub const YEAR_DAYS: f64 = 60.0;
/// Days from full moon to full moon.
pub const MONTH_DAYS: f64 = 8.0;
/// How far the sun wanders north and south: seasons one notices, but no month of darkness.
const TILT_RAD: f64 = 18.0 * TAU / 360.0;
/// How far the moon does, against the sun.
const MOON_TILT: f64 = -0.7;

/// The planet's own clock: days since Unix time 0, each as long as the planet's configuration says.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct PlanetTime {
    /// Whole days and the share of the one that has begun.
    pub days: f64,
}

impl PlanetTime {
    /// The planet's time at a Unix time in seconds.
    pub fn at(unix_s: f64, day_length_s: f64) -> Self {
        Self { days: unix_s / day_length_s }
    }

    /// So many days earlier.
    #[must_use]
    pub fn before(self, days: f64) -> Self {
        Self { days: self.days - days }
    }
}

/// The two lights of the sky: unit vectors from the planet's centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heaven {
    /// Where the sun is.
    pub sun: DVec3,
    /// Where the moon is.
    pub moon: DVec3,
}

impl Heaven {
    /// Sun and moon at a time.
    pub fn at(time: PlanetTime) -> Self {
        let longitude_rad = -TAU * share(time.days);
        let declination_rad = TILT_RAD * libm::sin(TAU * share(time.days / YEAR_DAYS));
        // Half a turn ahead at the start, so that the first moon is full; it falls back one turn in a month.
        let lag_rad = TAU * (share(time.days / MONTH_DAYS) + 0.5);
        Self {
            sun: over(declination_rad, longitude_rad),
            moon: over(declination_rad * MOON_TILT, longitude_rad + lag_rad),
        }
    }

    /// How much of the moon is lit as seen from the planet, 0 (new) to 1 (full).
    pub fn moon_lit(&self) -> f64 {
        0.5 - 0.5 * self.sun.dot(self.moon)
    }

    /// The time of day at a place by its sun: 0 midnight, 0.25 morning, 0.5 noon; 0.5 on the poles.
    pub fn day_share(&self, place: DVec3) -> f64 {
        let ahead = libm::atan2(place.y, place.x) - libm::atan2(self.sun.y, self.sun.x);
        share(ahead / TAU + 0.5)
    }
}

/// What is left of a number without its whole part, 0..1.
pub(crate) fn share(number: f64) -> f64 {
    number - libm::floor(number)
}

/// A unit vector over a latitude and a longitude.
fn over(latitude_rad: f64, longitude_rad: f64) -> DVec3 {
    let ring = libm::cos(latitude_rad);
    DVec3::new(ring * libm::cos(longitude_rad), ring * libm::sin(longitude_rad), libm::sin(latitude_rad))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: f64 = 5_400.0;

    fn heaven(days: f64) -> Heaven {
        Heaven::at(PlanetTime { days })
    }

    fn over_deg(place: DVec3) -> (f64, f64) {
        (libm::asin(place.z).to_degrees(), libm::atan2(place.y, place.x).to_degrees())
    }

    #[test]
    fn the_sun_begins_over_longitude_0_and_goes_west() {
        assert!(over_deg(heaven(0.0).sun).1.abs() < 1e-9);
        assert!((over_deg(heaven(0.25).sun).1 + 90.0).abs() < 1e-9);
        assert!((over_deg(heaven(7.125).sun).1 + 45.0).abs() < 1e-9);
        assert!((heaven(-0.25).sun - heaven(0.75).sun).length() < 0.05);
    }

    #[test]
    fn it_is_18_degrees_north_a_quarter_of_a_year_on() {
        assert!((over_deg(heaven(15.0).sun).0 - 18.0).abs() < 1e-9);
        assert!(over_deg(heaven(30.0).sun).0.abs() < 1e-9);
        assert!((over_deg(heaven(45.0).sun).0 + 18.0).abs() < 1e-9);
    }

    #[test]
    fn it_is_as_smooth_today_as_at_the_beginning_of_time() {
        let at = |unix_s| Heaven::at(PlanetTime::at(unix_s, DAY_S)).sun;
        let step_rad = (at(1.79e9) - at(1.79e9 + 1.0)).length();
        assert!((step_rad - TAU / DAY_S).abs() < 1e-4, "{step_rad}");
    }

    #[test]
    fn the_moon_is_full_new_and_full_again_within_a_month() {
        assert!(heaven(0.0).moon_lit() > 0.98);
        assert!(heaven(4.0).moon_lit() < 0.05);
        assert!(heaven(8.0).moon_lit() > 0.95);
    }

    #[test]
    fn the_day_begins_at_midnight_and_noon_is_under_the_sun() {
        let at = |longitude_rad: f64| DVec3::new(libm::cos(longitude_rad), libm::sin(longitude_rad), 0.4);
        let heaven = heaven(3.0);
        assert!((heaven.day_share(at(0.0)) - 0.5).abs() < 1e-9);
        // In the east the sun has been already.
        assert!((heaven.day_share(at(TAU / 4.0)) - 0.75).abs() < 1e-9);
        assert!((heaven.day_share(at(-TAU / 4.0)) - 0.25).abs() < 1e-9);
    }
}
