//! Sun, moon and weather for the page: one place exactly, and the whole planet as the six pictures of a cube map.

use std::cell::RefCell;

use glam::DVec3;
use planet::{Heaven, Planet, PlanetTime, WeatherSite};

use crate::planet::{planet_ref, write_tile_ids};
use crate::write_values;

/// Numbers that [`weather_at`] writes.
pub const WEATHER_NUMBERS: usize = 10;
/// Numbers that [`heaven_at`] writes.
pub const HEAVEN_NUMBERS: usize = 6;
/// Largest side of a picture of [`weather_map`].
const MAP_SIDE_MAX: u32 = 128;

thread_local! {
    /// Of the last planet: the sites of a cube map's faces. Their climate never changes.
    static MAP: RefCell<Map> = RefCell::default();
}

#[derive(Default)]
struct Map {
    planet: usize,
    side: u32,
    faces: [Vec<WeatherSite>; 6],
}

/// Writes where sun and moon are at a time of the planet: two unit vectors, [`HEAVEN_NUMBERS`].
///
/// # Safety
/// `out` has room for [`HEAVEN_NUMBERS`] `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heaven_at(days: f64, out: *mut f64) {
    let Heaven { sun, moon } = Heaven::at(PlanetTime { days });
    // SAFETY: the caller's promise above.
    unsafe { write_values(out, &[sun.x, sun.y, sun.z, moon.x, moon.y, moon.z]) };
}

/// Writes the raster tiles that are missing for the weather to be exact: at most `capacity` ids. Returns how many are
/// missing, which may be more.
///
/// # Safety
/// `planet` is a handle of `planet_new`, not 0; `out` has room for `capacity` ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weather_missing(planet: usize, out: *mut u64, capacity: u32) -> u32 {
    // SAFETY: the caller's promise above.
    unsafe { write_tile_ids(planet_ref(planet).weather_missing(), out, capacity) }
}

/// Writes the weather at a direction and a height over the sea: cloud cover, precipitation, the share of snow in it,
/// temperature in °C, fog, the wind's three components in m/s, wetness of the ground and new snow on it.
///
/// # Safety
/// `planet` is a handle of `planet_new`, not 0; `out` has room for [`WEATHER_NUMBERS`] `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weather_at(
    planet: usize,
    x: f64,
    y: f64,
    z: f64,
    elevation_m: f64,
    days: f64,
    out: *mut f64,
) {
    // SAFETY: the caller's promise above.
    let planet = unsafe { planet_ref(planet) };
    let site = planet.weather_site(DVec3::new(x, y, z), elevation_m);
    // SAFETY: the caller's promise above.
    unsafe { write_values(out, &numbers(planet, &site, days)) };
}

fn numbers(planet: &Planet, site: &WeatherSite, days: f64) -> [f64; WEATHER_NUMBERS] {
    let weather = planet.weather(site, PlanetTime { days });
    let over = weather.overhead;
    let [east, north, up] = weather.wind_m_s.to_array();
    let sky = [over.cloud_cover, over.precipitation, over.snow_share, over.temperature_c];
    let ground = [weather.fog, east, north, up, weather.wetness, weather.snow_lying];
    std::array::from_fn(|index| if index < sky.len() { sky[index] } else { ground[index - sky.len()] })
}

/// Writes one of the six pictures of a cube map (in the order and orientation of OpenGL) as it is at a time: two bytes a
/// texel, cloud cover and precipitation. Returns 0 if there is no such face or the side is too large.
///
/// # Safety
/// `planet` is a handle of `planet_new`, not 0; `out` has room for `2 * side * side` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weather_map(planet: usize, face: u32, side: u32, days: f64, out: *mut u8) -> u32 {
    if face >= 6 || !(1..=MAP_SIDE_MAX).contains(&side) {
        return 0;
    }
    // SAFETY: the caller's promise above.
    let ground = unsafe { planet_ref(planet) };
    let texels = MAP.with_borrow_mut(|map| {
        if (map.planet, map.side) != (planet, side) || !ground.weather_missing().is_empty() {
            *map = Map { planet, side, faces: Default::default() };
        }
        let sites = &mut map.faces[face as usize];
        if sites.is_empty() {
            sites.extend(directions(face, side).map(|direction| ground.weather_site_about(direction)));
        }
        texels(ground, sites, days)
    });
    // SAFETY: the caller's promise above.
    unsafe { write_values(out, &texels) };
    1
}

fn texels(planet: &Planet, sites: &[WeatherSite], days: f64) -> Vec<u8> {
    let byte = |share: f64| (share * 255.0 + 0.5) as u8;
    let overhead = planet.overhead(sites, PlanetTime { days });
    overhead.iter().flat_map(|over| [byte(over.cloud_cover), byte(over.precipitation)]).collect()
}

/// The directions of a face's texels, row by row (OpenGL 4.6, table 8.19).
fn directions(face: u32, side: u32) -> impl Iterator<Item = DVec3> {
    let share = move |index: u32| (2.0 * f64::from(index) + 1.0) / f64::from(side) - 1.0;
    (0..side * side).map(move |index| {
        let (s, t) = (share(index % side), share(index / side));
        match face {
            0 => DVec3::new(1.0, -t, -s),
            1 => DVec3::new(-1.0, -t, s),
            2 => DVec3::new(s, 1.0, t),
            3 => DVec3::new(s, -1.0, -t),
            4 => DVec3::new(s, -t, 1.0),
            _ => DVec3::new(-s, -t, -1.0),
        }
    })
}

/// A hash over sun, moon and weather all over a planet and over some years, equal to the server's.
///
/// # Safety
/// `planet` is a handle of `planet_generate`, not 0.
#[cfg(any(test, feature = "checks"))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weather_golden(planet: usize) -> u64 {
    // SAFETY: the caller's promise above.
    let ground = unsafe { planet_ref(planet) };
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bits: u64| hash = (hash ^ bits).wrapping_mul(0x0000_0100_0000_01b3);
    for (step, days) in [-3.7, 0.0, 0.4, 17.25, 331_481.25].into_iter().enumerate() {
        let mut heaven = [0.0; HEAVEN_NUMBERS];
        // SAFETY: there is room.
        unsafe { heaven_at(days, heaven.as_mut_ptr()) };
        for number in heaven {
            add(number.to_bits());
        }
        for face in 0..6 {
            let sites: Vec<_> = directions(face, 8).map(|place| ground.weather_site_about(place)).collect();
            for byte in texels(ground, &sites, days) {
                add(u64::from(byte));
            }
            for number in numbers(ground, &sites[step * 7], days) {
                add(number.to_bits());
            }
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planet::planet_generate;

    #[test]
    fn the_weather_is_that_of_the_golden_file() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden_weather.txt");
        let golden = std::fs::read_to_string(path).unwrap();
        let mut lines = Vec::new();
        for line in golden.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let [seed, shift] = [(); 2].map(|()| words.next().unwrap().parse::<u64>().unwrap());
            let planet = planet_generate(seed, shift as u32);
            // SAFETY: the handle has just been made.
            lines.push(format!("{seed} {shift} {:016x}", unsafe { weather_golden(planet) }));
        }
        let actual: Vec<&str> = golden.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines, actual, "if the weather was meant to change, write these lines");
    }

    #[test]
    fn a_map_holds_what_is_overhead_at_its_texels() {
        let handle = planet_generate(3, 3);
        // SAFETY: the handle has just been made.
        let planet = unsafe { planet_ref(handle) };
        for face in 0..6 {
            let mut bytes = vec![0; 2 * 16 * 16];
            // SAFETY: there is room.
            assert_eq!(unsafe { weather_map(handle, face, 16, 5.5, bytes.as_mut_ptr()) }, 1);
            let place = directions(face, 16).nth(37).unwrap();
            let over = planet.overhead(&[planet.weather_site_about(place)], PlanetTime { days: 5.5 })[0];
            assert_eq!(f64::from(bytes[74]), (over.cloud_cover * 255.0).round());
            assert_eq!(f64::from(bytes[75]), (over.precipitation * 255.0).round());
        }
        // SAFETY: nothing is written.
        assert_eq!(unsafe { weather_map(handle, 6, 16, 0.0, std::ptr::null_mut()) }, 0);
    }
}
