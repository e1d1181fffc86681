//! Worlds made of one simple continent each, where one knows what the climate must be.

use super::*;

/// Earth-like means over the cells that a condition holds for.
fn mean(lattice: &Lattice, field: &[f32], is_meant: impl Fn(f64, f64) -> bool) -> f32 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (cell, value) in field.iter().enumerate() {
        let place = cell::LatLng::from_point(lattice.direction(cell));
        if is_meant(place.lat_deg(), place.lng_deg()) {
            sum += value;
            count += 1.0;
        }
    }
    assert!(count > 0.0, "some cells are meant");
    sum / count
}

/// A continent between two longitudes and two latitudes, with a height for each longitude.
fn world(
    lattice: &Lattice,
    latitudes: std::ops::Range<f64>,
    longitudes: std::ops::Range<f64>,
    height_m: impl Fn(f64) -> f32,
) -> (Vec<f32>, Vec<f32>) {
    (0..lattice.count())
        .map(|cell| {
            let place = cell::LatLng::from_point(lattice.direction(cell));
            let is_land = latitudes.contains(&place.lat_deg()) && longitudes.contains(&place.lng_deg());
            if is_land { (height_m(place.lng_deg()), 1.0) } else { (-4_000.0, 0.0) }
        })
        .unzip()
}

fn check(level: u8, shape: impl Fn(&Lattice) -> (Vec<f32>, Vec<f32>), claim: impl Fn(&Lattice, &Climate)) {
    let lattice = Lattice::new(level);
    let (elevation_m, land) = shape(&lattice);
    claim(&lattice, &climate(&lattice, &elevation_m, &land, 1, 1));
}

#[test]
fn the_equator_is_warm_and_wet_the_subtropics_dry_and_the_poles_cold() {
    for level in [6, 7] {
        check(
            level,
            |lattice| world(lattice, -60.0..70.0, -20.0..40.0, |_| 200.0),
            |lattice, climate| {
                let rain = |low: f64, high: f64| {
                    mean(lattice, &climate.rain_mm, |lat, lng| {
                        (low..high).contains(&lat) && (0.0..20.0).contains(&lng)
                    })
                };
                let equator = rain(-4.0, 4.0);
                let desert = rain(22.0, 28.0).min(rain(-28.0, -22.0));
                let temperate = rain(48.0, 55.0);
                assert!(equator > 1_000.0, "equator {equator} mm");
                assert!(desert < 350.0, "desert {desert} mm");
                assert!(temperate > 1.5 * desert, "temperate {temperate} mm, desert {desert} mm");
                let warmth = |low: f64, high: f64| {
                    mean(lattice, &climate.sea_level_c, |lat, _| (low..high).contains(&lat.abs()))
                };
                assert!((24.0..30.0).contains(&warmth(0.0, 5.0)));
                assert!((-26.0..-16.0).contains(&warmth(80.0, 90.0)));
            },
        );
    }
}

#[test]
fn rain_falls_before_a_range_and_lacks_behind_it() {
    // Westerlies meet a range that stands in the west of a continent.
    check(
        7,
        |lattice| {
            world(
                lattice,
                40.0..60.0,
                0.0..60.0,
                |lng| if (4.0..9.0).contains(&lng) { 3_000.0 } else { 200.0 },
            )
        },
        |lattice, climate| {
            let rain = |west: f64, east: f64| {
                mean(lattice, &climate.rain_mm, |lat, lng| {
                    (44.0..56.0).contains(&lat) && (west..east).contains(&lng)
                })
            };
            let (before, behind) = (rain(2.5, 6.0), rain(10.0, 14.0));
            assert!(before > 3.0 * behind, "{before} mm before the range, {behind} mm behind");
        },
    );
}

#[test]
fn west_coasts_of_the_subtropics_are_cooler_and_drier_than_east_coasts() {
    let lattice = Lattice::new(6);
    let (elevation_m, land) = world(&lattice, 10.0..40.0, 0.0..50.0, |_| 100.0);
    // Weather differs from seed to seed: in the mean of some, what is common remains.
    let climates: Vec<Climate> =
        (1..=12).map(|seed| climate(&lattice, &elevation_m, &land, seed, 1)).collect();
    let at = |field: fn(&Climate) -> &Vec<f32>, west: f64, east: f64| {
        let means = climates.iter().map(|climate| {
            mean(&lattice, field(climate), |lat, lng| {
                (18.0..28.0).contains(&lat) && (west..east).contains(&lng)
            })
        });
        means.sum::<f32>() / climates.len() as f32
    };
    let warmth: fn(&Climate) -> &Vec<f32> = |climate| &climate.sea_level_c;
    let (west, east) = (at(warmth, 0.0, 4.0), at(warmth, 46.0, 50.0));
    assert!(west + 0.5 < east, "west {west} °C, east {east} °C");
    let rain: fn(&Climate) -> &Vec<f32> = |climate| &climate.rain_mm;
    let (west, east) = (at(rain, 0.0, 6.0), at(rain, 44.0, 50.0));
    assert!(1.5 * west < east, "west {west} mm, east {east} mm");
}

#[test]
fn the_mean_rain_on_warm_land_is_earths_and_the_bits_do_not_depend_on_threads() {
    let lattice = Lattice::new(5);
    let (elevation_m, land) = world(&lattice, -30.0..50.0, -80.0..10.0, |_| 500.0);
    let [one, two] = [1, 2].map(|threads| climate(&lattice, &elevation_m, &land, 7, threads));
    assert_eq!(one.rain_mm, two.rain_mm);
    assert_eq!(one.sea_level_c, two.sea_level_c);
    let is_warm = |cell: usize| f64::from(u8::from(one.sea_level_c[cell] >= WARM_FROM_C));
    let area = |cell: usize| is_warm(cell) * f64::from(land[cell]) * f64::from(lattice.area_sr(cell));
    let sum: f64 = one.rain_mm.iter().enumerate().map(|(cell, rain)| f64::from(*rain) * area(cell)).sum();
    let mean = sum / (0..lattice.count()).map(area).sum::<f64>();
    assert!((mean - WARM_LAND_RAIN_MM).abs() < 0.1, "{mean} mm");
}

#[test]
fn a_planet_without_land_has_a_climate() {
    check(
        5,
        |lattice| world(lattice, 0.0..0.0, 0.0..0.0, |_| 0.0),
        |_, climate| {
            assert!(climate.rain_mm.iter().chain(&climate.sea_level_c).all(|value| value.is_finite()));
        },
    );
}

#[test]
fn rain_has_settled_after_the_passes_made() {
    let lattice = Lattice::new(7);
    // A continent of a third of the planet's girth: nothing needs longer to settle than air that crosses it.
    let (elevation_m, land) = world(&lattice, -50.0..60.0, -60.0..60.0, |lng| 300.0 + 10.0 * lng as f32);
    let globe = Globe::new(&lattice, &elevation_m, &land, 1);
    let wind = globe.winds(Season::NorthernSummer, &vec![0.1; lattice.count()]);
    let left = |cell: usize, coming: f32| if land[cell] > 0.5 { 0.97 * coming } else { 0.9 * coming + 0.1 };
    let mut settled = vec![0.5; lattice.count()];
    wind.upwind.settle(&lattice, &mut settled, left);
    let mut further = settled.clone();
    wind.upwind.settle_in(200, &lattice, &mut further, left);
    let worst = settled.iter().zip(&further).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 0.02, "{worst}");
}
