//! The shape of the ground: continuous, smooth enough to walk on and to draw, and in proportion.

use cell::{CellId, TangentFrame};
use glam::DVec3;
use planet::{Biome, Planet, PlanetSpec};

const SPECS: [PlanetSpec; 4] = [
    PlanetSpec::for_test(1, 3),
    PlanetSpec::for_test(2, 3),
    PlanetSpec::for_test(3, 6),
    PlanetSpec::for_test(4, 9),
];

fn cells(level: u8) -> impl Iterator<Item = CellId> {
    (0..6).flat_map(move |face| CellId::from_face(face).descendants(level))
}

fn moved(planet: &Planet, from: DVec3, towards: DVec3, distance_m: f64) -> DVec3 {
    (from + towards * (distance_m / planet.radius_m())).normalize()
}

/// Rise over run on the scale of a step.
fn slope(planet: &Planet, at: DVec3) -> f64 {
    let TangentFrame { east, north, .. } = TangentFrame::at(at);
    let [east_m, north_m] = [east, north].map(|towards| {
        planet.elevation_m(moved(planet, at, towards, 0.5))
            - planet.elevation_m(moved(planet, at, towards, -0.5))
    });
    (east_m * east_m + north_m * north_m).sqrt()
}

#[test]
fn the_ground_does_not_jump_at_poles_edges_and_corners_of_the_cube_or_anywhere() {
    for spec in SPECS {
        let planet = Planet::generate(spec);
        let poles = [DVec3::Z, DVec3::NEG_Z];
        let special = cells(2).flat_map(CellId::corners).chain(poles).chain(cells(4).map(CellId::center));
        for place in special {
            let height_m = planet.elevation_m(place);
            let TangentFrame { east, north, .. } = TangentFrame::at(place);
            for towards in [east, north, -east, -north, (east + north).normalize()] {
                for step_m in [1e-6, 1e-3, 0.1] {
                    let change_m =
                        (planet.elevation_m(moved(&planet, place, towards, step_m)) - height_m).abs();
                    // Rounding of the place itself is 10^-10 m; no slope is steeper than 4.
                    assert!(
                        change_m < 4.0 * step_m + 1e-8,
                        "{spec:?}: {change_m} m over {step_m} m at {place}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_way_over_a_pole_is_as_smooth_as_any() {
    let planet = Planet::generate(PlanetSpec::default());
    for pole in [DVec3::Z, DVec3::NEG_Z] {
        let heights_m: Vec<f64> = (-500..=500)
            .map(|step| {
                planet.elevation_m(moved(&planet, pole, DVec3::new(0.6, 0.8, 0.0), 0.1 * f64::from(step)))
            })
            .collect();
        for triple in heights_m.windows(3) {
            let bend_m = (triple[0] - 2.0 * triple[1] + triple[2]).abs();
            assert!(bend_m < 0.01, "a bend of {bend_m} m within 20 cm of {pole}");
        }
    }
}

#[test]
fn the_length_of_a_direction_does_not_matter() {
    let planet = Planet::generate(PlanetSpec::default());
    for cell in cells(3) {
        // Powers of two leave the unit vector the same to the bit.
        assert_eq!(planet.elevation_m(cell.center() * 1024.0), planet.elevation_m(cell.center()));
        assert_eq!(planet.biome(cell.center() * 0.25), planet.biome(cell.center()));
    }
}

#[test]
fn directions_that_are_none_are_answered_without_a_panic() {
    let planet = Planet::generate(PlanetSpec::default());
    for direction in [DVec3::ZERO, DVec3::NAN, DVec3::INFINITY, DVec3::splat(1e300), DVec3::splat(1e-300)] {
        planet.elevation_m(direction);
        planet.elevation_coarse_m(direction, f64::NAN);
        planet.climate(direction);
        planet.biome(direction);
    }
}

#[test]
fn a_third_of_the_sphere_is_land() {
    for seed in 0..8 {
        let planet = Planet::generate(PlanetSpec::for_test(seed, 3));
        let (mut land_sr, mut all_sr) = (0.0, 0.0);
        for cell in cells(6) {
            let area_sr = cell.area_sr();
            all_sr += area_sr;
            land_sr += if planet.elevation_m(cell.center()) > 0.0 { area_sr } else { 0.0 };
        }
        let share = land_sr / all_sr;
        assert!((0.27..0.33).contains(&share), "seed {seed}: {share}");
    }
}

#[test]
fn mountains_are_high_and_most_land_is_easy_to_walk() {
    for spec in SPECS {
        let planet = Planet::generate(spec);
        let land: Vec<(DVec3, f64)> = cells(7)
            .map(|cell| (cell.center(), planet.elevation_m(cell.center())))
            .filter(|(_, height_m)| *height_m > 0.0)
            .collect();
        let peak_m = land.iter().fold(0.0_f64, |peak_m, (_, height_m)| peak_m.max(*height_m));
        let relief = (planet.radius_m() / 796_375.0).cbrt() * (planet.radius_m() / 796_375.0).cbrt();
        assert!((1_500.0..2_700.0).contains(&(peak_m / relief)), "{spec:?}: {peak_m} m");
        let mut slopes: Vec<f64> = land.iter().map(|(place, _)| slope(&planet, *place)).collect();
        slopes.sort_by(f64::total_cmp);
        let quantile = |share: f64| slopes[(share * (slopes.len() - 1) as f64) as usize];
        assert!(quantile(0.5) < 0.06, "{spec:?}: half of the land is steeper than {}", quantile(0.5));
        // 50°, the steepest a body climbs, is 1.19.
        assert!(quantile(0.999) < 1.1, "{spec:?}: a thousandth is steeper than {}", quantile(0.999));
    }
}

#[test]
fn a_grid_of_vertices_a_metre_apart_stays_within_centimetres_of_the_ground() {
    for seed in 0..4 {
        let planet = Planet::generate(PlanetSpec::for_test(seed, 3));
        let mut errors_m: Vec<f64> = Vec::new();
        for place in cells(6).map(CellId::center).filter(|place| planet.elevation_m(*place) > 0.0) {
            let corners = CellId::from_point(place).parent(planet.grid_level(20)).corners();
            let heights_m = corners.map(|corner| planet.elevation_m(corner));
            for (a, b) in [(0, 2), (1, 3), (0, 1)] {
                let middle_m = planet.elevation_m((corners[a] + corners[b]) * 0.5);
                errors_m.push((middle_m - 0.5 * (heights_m[a] + heights_m[b])).abs());
            }
        }
        errors_m.sort_by(f64::total_cmp);
        let most = errors_m[errors_m.len() * 99 / 100];
        assert!(most < 0.01, "seed {seed}: {most} m for 99 % of the land");
        assert!(errors_m[errors_m.len() - 1] < 0.15, "seed {seed}: {:?} m", errors_m.last());
    }
}

#[test]
fn coarse_ground_is_near_the_fine_ground() {
    let planet = Planet::generate(PlanetSpec::default());
    for place in cells(5).map(CellId::center) {
        let fine_m = planet.elevation_m(place);
        for (spacing_m, tolerance_m) in [(0.0, 0.0), (1.0, 0.0), (10.0, 2.0), (100.0, 60.0), (1_000.0, 400.0)]
        {
            let error_m = (planet.elevation_coarse_m(place, spacing_m) - fine_m).abs();
            assert!(error_m <= tolerance_m, "{error_m} m at a spacing of {spacing_m} m");
        }
    }
}

#[test]
fn every_biome_but_the_sea_is_some_part_of_the_land() {
    let mut counts = [0; Biome::ALL.len()];
    for seed in 0..4 {
        let planet = Planet::generate(PlanetSpec::for_test(seed, 3));
        cells(7).for_each(|cell| counts[planet.biome(cell.center()) as usize] += 1);
    }
    for biome in Biome::ALL {
        assert!(counts[biome as usize] > 0, "there is no {}", biome.name());
    }
    let land: usize = Biome::ALL[3..].iter().map(|biome| counts[*biome as usize]).sum();
    let desert = counts[Biome::Desert as usize] as f64 / land as f64;
    assert!((0.08..0.25).contains(&desert), "deserts are {desert} of the land");
}

#[test]
fn it_is_cold_at_the_poles_and_up_high() {
    for seed in 0..8 {
        let planet = Planet::generate(PlanetSpec::for_test(seed, 3));
        for place in cells(5).map(CellId::center) {
            let temperature_c = planet.climate(place).temperature_c;
            assert!((-90.0..36.0).contains(&temperature_c), "{temperature_c} °C");
            assert!(place.z.abs() < 0.97 || temperature_c < -8.0, "{temperature_c} °C at a pole");
            assert!(planet.elevation_m(place) < 1_200.0 || temperature_c < 4.0, "a warm summit");
            assert!(planet.climate(place).rain_mm >= 0.0);
        }
    }
}

#[test]
fn levels_keep_their_size_on_other_planets() {
    let level = |shift, level_at_default| {
        Planet::generate(PlanetSpec::for_test(1, shift)).grid_level(level_at_default)
    };
    assert_eq!((level(3, 14), level(0, 14), level(6, 14), level(9, 14)), (14, 17, 11, 8));
    assert_eq!((level(0, 29), level(9, 2)), (30, 0));
}
