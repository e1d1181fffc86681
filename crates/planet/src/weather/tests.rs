use std::f64::consts::{PI, TAU};

use super::*;
use crate::PlanetSpec;

fn planet() -> Planet {
    Planet::generate(PlanetSpec::for_test(7, 3))
}

/// Places spread evenly, and how much it rains there.
fn places(count: u32) -> impl Iterator<Item = DVec3> {
    let golden = PI * (3.0 - 5_f64.sqrt());
    (0..count).map(move |index| {
        let z = 1.0 - (2.0 * f64::from(index) + 1.0) / f64::from(count);
        let (ring, turn) = ((1.0 - z * z).sqrt(), golden * f64::from(index));
        DVec3::new(ring * libm::cos(turn), ring * libm::sin(turn), z)
    })
}

fn at(days: f64) -> PlanetTime {
    PlanetTime { days }
}

/// What changes of a moment's weather, each on a scale of one.
fn numbers(weather: &Weather) -> [f64; 9] {
    let Overhead { cloud_cover, precipitation, snow_share, temperature_c } = weather.overhead;
    let [x, y, z] = (weather.wind_m_s / 20.0).to_array();
    let ground = weather.wetness.max(weather.snow_lying);
    [cloud_cover, precipitation, snow_share, temperature_c / 40.0, weather.fog, ground, x, y, z]
}

fn farthest(a: &Weather, b: &Weather) -> f64 {
    numbers(a).into_iter().zip(numbers(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn everything_is_within_its_bounds() {
    let planet = planet();
    for place in places(80).chain([DVec3::Z, -DVec3::Z, DVec3::X]) {
        let site = planet.weather_site_about(place);
        for step in 0..20 {
            let weather = planet.weather(&site, at(f64::from(step) * 2.73 - 20.0));
            let Overhead { cloud_cover, precipitation, snow_share, temperature_c } = weather.overhead;
            let shares =
                [cloud_cover, precipitation, snow_share, weather.fog, weather.wetness, weather.snow_lying];
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{weather:?}");
            assert!((-80.0..60.0).contains(&temperature_c), "{weather:?}");
            assert!(weather.wind_m_s.length() < 30.0 && weather.wind_m_s.dot(place).abs() < 1e-9);
            assert!(precipitation == 0.0 || cloud_cover > 0.99, "rain falls from clouds: {weather:?}");
            assert!((80.0..70_000.0).contains(&weather.visibility_m()), "{weather:?}");
        }
    }
}

#[test]
fn it_is_smooth_in_time_and_place() {
    let planet = planet();
    // A second of the shortest day, and ten steps on the ground.
    let (moment, stride) = (1.0 / 5_400.0, 10.0 / 796_375.0);
    for place in places(40) {
        let here = planet.weather_site_about(place);
        let (side, _) = across(place);
        let there = planet.weather_site_about((place + side * stride).normalize());
        for step in 0..40 {
            let now = at(300_000.0 + f64::from(step) * 0.377);
            let weather = planet.weather(&here, now);
            assert!(farthest(&weather, &planet.weather(&here, now.before(-moment))) < 0.02);
            assert!(farthest(&weather, &planet.weather(&there, now)) < 0.01);
        }
    }
}

#[test]
fn generations_come_and_go_without_a_jump() {
    let planet = planet();
    for place in places(30) {
        let site = planet.weather_site_about(place);
        // Halves and whole lives begin and end at multiples of these.
        for turn in 0..8 {
            let change = at(0.75 * f64::from(turn));
            let [before, after] = [1e-7, -1e-7].map(|days| planet.weather(&site, change.before(days)));
            assert!(farthest(&before, &after) < 1e-3, "{before:?} {after:?}");
        }
    }
}

#[test]
fn it_rains_more_where_the_climate_is_wet_and_about_as_much_as_it_says() {
    let planet = planet();
    let mut kinds =
        [(0.0..250.0, 0.0, 0.0, 0.0), (500.0..1_200.0, 0.0, 0.0, 0.0), (1_700.0..9e9, 0.0, 0.0, 0.0)];
    for place in places(300) {
        let site = planet.weather_site_about(place);
        let Some((_, count, told_mm, fallen_mm)) =
            kinds.iter_mut().find(|kind| kind.0.contains(&site.rain_mm))
        else {
            continue;
        };
        for step in 0..60 {
            let over = planet.overhead(&[site], at(f64::from(step) * 1.0371))[0];
            *count += 1.0;
            *told_mm += site.rain_mm;
            *fallen_mm += rules::precipitation_mm_h(over.precipitation) * 24.0 * 365.0;
        }
    }
    let mut last_mm = -1.0;
    for (rain, count, told_mm, fallen_mm) in kinds {
        assert!(count > 300.0, "{rain:?}: {count}");
        let (told_mm, fallen_mm) = (told_mm / count, fallen_mm / count);
        assert!(fallen_mm > last_mm, "{rain:?}");
        assert!(
            (told_mm * 0.4..told_mm * 2.0 + 60.0).contains(&fallen_mm),
            "{rain:?}: {told_mm} {fallen_mm}"
        );
        last_mm = fallen_mm;
    }
}

#[test]
fn winters_are_colder_than_summers_and_nights_than_afternoons() {
    let planet = planet();
    let mean = |site: &WeatherSite, from: f64, step: f64| {
        let sum: f64 = (0..16)
            .map(|index| planet.overhead(&[*site], at(from + step * f64::from(index)))[0].temperature_c)
            .sum();
        sum / 16.0
    };
    for latitude in [-1.0_f64, 1.0] {
        let site = planet.weather_site_about(DVec3::new(0.6, 0.2, 0.75 * latitude).normalize());
        // The sun is farthest north on day 15, and it is warmest some days later.
        let [northern_summer, southern_summer] = [mean(&site, 14.0, 0.77), mean(&site, 44.0, 0.77)];
        assert!((northern_summer - southern_summer) * latitude > 5.0);
    }
    let tropics = planet.weather_site_about(DVec3::new(1.0, 0.0, 0.3).normalize());
    // Noon is at whole days over longitude 0; the same hour of sixteen days.
    assert!(mean(&tropics, 0.1, 1.0) > mean(&tropics, 0.6, 1.0) + 2.0);
}

#[test]
fn systems_of_the_middle_latitudes_come_from_the_west() {
    let planet = planet();
    let ring: Vec<DVec3> = (0..360)
        .map(|degree| {
            let longitude = f64::from(degree) / 360.0 * TAU;
            let latitude = 48_f64.to_radians();
            DVec3::new(
                libm::cos(latitude) * libm::cos(longitude),
                libm::cos(latitude) * libm::sin(longitude),
                libm::sin(latitude),
            )
        })
        .collect();
    let lows = |time| Carried::new(planet.spec().seed, &ring, time).of(LOWS);
    for start in [0.4, 100.3, 331_000.9] {
        let (before, after) = (lows(at(start)), lows(at(start + 0.1)));
        let likeness = |degrees: usize| -> f64 {
            (0..360).map(|index| before[index] * after[(index + degrees) % 360]).sum()
        };
        let best = (0..360).max_by(|a, b| likeness(*a).total_cmp(&likeness(*b))).expect("some");
        assert!((2..9).contains(&best), "{best} degrees to the east in a tenth of a day");
    }
}

#[test]
fn many_places_at_once_are_the_same_bits_as_one() {
    let planet = planet();
    let sites: Vec<WeatherSite> = places(97).map(|place| planet.weather_site_about(place)).collect();
    let together = planet.overhead(&sites, at(12.34));
    for (site, over) in sites.iter().zip(together) {
        assert_eq!(planet.overhead(&[*site], at(12.34))[0], over);
        assert_eq!(planet.weather(site, at(12.34)).overhead, over);
    }
}

#[test]
fn another_seed_is_other_weather() {
    let place = DVec3::new(0.3, 0.5, 0.6);
    let moments = |seed| {
        let planet = Planet::generate(PlanetSpec::for_test(seed, 3));
        let site = WeatherSite { unit: place.normalize(), temperature_c: 12.0, rain_mm: 900.0 };
        (0..8)
            .map(|day| planet.weather(&site, at(f64::from(day))).overhead.cloud_cover.to_bits())
            .collect::<Vec<_>>()
    };
    assert_ne!(moments(1), moments(2));
    assert_eq!(moments(1), moments(1));
}
