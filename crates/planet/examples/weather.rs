//! How the weather of a planet turns out: by climate, over a year; and pictures of it, six an hour apart.
//!
//!     cargo run --release -p planet --example weather [SEED] [FOLDER]

use std::fmt::Write as _;

use planet::{Planet, PlanetSpec, PlanetTime, WeatherSite};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seed = arguments.next().map_or(1, |text| text.parse().expect("a seed is a number"));
    let planet = Planet::generate(PlanetSpec { seed, shift: 3, raster_level: 7 });
    by_climate(&planet);
    if let Some(folder) = arguments.next() {
        for frame in 0..6 {
            let time = PlanetTime { days: 40.0 + f64::from(frame) / 24.0 };
            std::fs::write(format!("{folder}/weather{frame}.ppm"), picture(&planet, time)).expect("a folder");
        }
    }
}

fn by_climate(planet: &Planet) {
    let count = 600_u32;
    let golden = std::f64::consts::PI * (3.0 - 5_f64.sqrt());
    let sites: Vec<(f64, f64, WeatherSite)> = (0..count)
        .map(|index| {
            let z = 1.0 - (2.0 * f64::from(index) + 1.0) / f64::from(count);
            let (ring, turn) = ((1.0 - z * z).sqrt(), golden * f64::from(index));
            let place = glam::DVec3::new(ring * libm::cos(turn), ring * libm::sin(turn), z);
            let climate = planet.climate(place);
            (climate.rain_mm, climate.temperature_c, planet.weather_site(place, planet.elevation_m(place)))
        })
        .collect();
    println!(
        "rain mm/yr  sites  rains  mm/yr told  cover  overcast  snow share  fog   wind mean/max  temp min..max"
    );
    for (from, to) in
        [(0.0, 150.0), (150.0, 400.0), (400.0, 800.0), (800.0, 1400.0), (1400.0, 2200.0), (2200.0, 9e9)]
    {
        let mut stats = [0.0_f64; 8];
        let (mut warmest, mut coldest, mut windiest) = (f64::MIN, f64::MAX, 0.0_f64);
        let here: Vec<_> = sites.iter().filter(|(rain, _, _)| (from..to).contains(rain)).collect();
        for (rain, _, site) in &here {
            for step in 0..180 {
                let weather = planet.weather(site, PlanetTime { days: f64::from(step) * 0.3371 });
                let over = weather.overhead;
                stats[0] += f64::from(u8::from(over.precipitation > 0.0));
                stats[1] += weather.precipitation_mm_h() * 24.0 * 365.0;
                stats[2] += over.cloud_cover;
                stats[3] += f64::from(u8::from(over.cloud_cover > 0.9));
                stats[4] += over.precipitation * over.snow_share;
                stats[5] += f64::from(u8::from(weather.fog > 0.3));
                stats[6] += weather.wind_m_s.length();
                stats[7] += rain;
                windiest = windiest.max(weather.wind_m_s.length());
                warmest = warmest.max(over.temperature_c);
                coldest = coldest.min(over.temperature_c);
            }
        }
        let moments = here.len() as f64 * 180.0;
        let mean = stats.map(|sum| sum / moments);
        println!(
            "{:8.0}  {:6}  {:5.3}  {:9.0}  {:6.2}  {:7.2}  {:9.3}  {:6.3}  {:6.1} {:5.1}   {:6.1} {:6.1}",
            mean[7],
            here.len(),
            mean[0],
            mean[1],
            mean[2],
            mean[3],
            mean[4],
            mean[5],
            mean[6],
            windiest,
            coldest,
            warmest
        );
    }
}

/// The whole planet: clouds white, rain blue, land by its height.
fn picture(planet: &Planet, time: PlanetTime) -> Vec<u8> {
    let (width, height) = (720_u32, 360_u32);
    let mut text = String::new();
    writeln!(text, "P6 {width} {height} 255").expect("a string");
    let mut bytes = text.into_bytes();
    for row in 0..height {
        let places: Vec<glam::DVec3> = (0..width)
            .map(|column| {
                let latitude = (0.5 - (f64::from(row) + 0.5) / f64::from(height)) * std::f64::consts::PI;
                let longitude = f64::from(column) / f64::from(width) * std::f64::consts::TAU;
                glam::DVec3::new(
                    libm::cos(latitude) * libm::cos(longitude),
                    libm::cos(latitude) * libm::sin(longitude),
                    libm::sin(latitude),
                )
            })
            .collect();
        let sites: Vec<_> = places.iter().map(|place| planet.weather_site_about(*place)).collect();
        for (place, over) in places.iter().zip(planet.overhead(&sites, time)) {
            let ground = if planet.elevation_coarse_m(*place, 50_000.0) > 0.0 {
                [90.0, 110.0, 60.0]
            } else {
                [20.0, 40.0, 80.0]
            };
            let rain = over.precipitation.sqrt();
            let cloud = [250.0 - 200.0 * rain, 250.0 - 160.0 * rain, 255.0 - 60.0 * rain];
            for channel in 0..3 {
                bytes.push(
                    (ground[channel] * (1.0 - over.cloud_cover) + cloud[channel] * over.cloud_cover) as u8,
                );
            }
        }
    }
    bytes
}
