//! The shape of the ground and its water: continuous, in proportion, and without walls of water.

use std::sync::Arc;

use cell::{CellId, TangentFrame};
use glam::DVec3;
use planet::{Biome, Patch, Planet, PlanetSpec, Raster, Receiver};

const SPECS: [PlanetSpec; 3] =
    [PlanetSpec::for_test(1, 3), PlanetSpec::for_test(3, 6), PlanetSpec::for_test(4, 9)];

fn cells(level: u8) -> impl Iterator<Item = CellId> {
    (0..6).flat_map(move |face| CellId::from_face(face).descendants(level))
}

fn moved(planet: &Planet, from: DVec3, towards: DVec3, distance_m: f64) -> DVec3 {
    (from + towards * (distance_m / planet.radius_m())).normalize()
}

/// Middles of raster cells of a kind, spread over the planet.
fn raster_cells(
    planet: &Planet,
    count: usize,
    is_wanted: impl Fn(&planet::RasterCell) -> bool,
) -> Vec<DVec3> {
    let level = planet.raster().level();
    let wanted: Vec<DVec3> = cells(level)
        .filter(|cell| planet.raster().cell(level, cell.face_ij()).is_some_and(|cell| is_wanted(&cell)))
        .map(CellId::center)
        .collect();
    let step = (wanted.len() / count).max(1);
    wanted.into_iter().step_by(step).take(count).collect()
}

#[test]
fn the_ground_does_not_jump_at_poles_edges_and_corners_of_the_cube_or_anywhere() {
    for spec in SPECS {
        let planet = Planet::generate(spec);
        let poles = [DVec3::Z, DVec3::NEG_Z];
        let special = cells(0).flat_map(CellId::corners).chain(poles).chain(cells(2).map(CellId::center));
        for place in special {
            let height_m = planet.elevation_m(place);
            let TangentFrame { east, north, .. } = TangentFrame::at(place);
            for towards in [east, north, -east, -north, (east + north).normalize()] {
                for step_m in [1e-6, 1e-3, 0.1] {
                    let change_m =
                        (planet.elevation_m(moved(&planet, place, towards, step_m)) - height_m).abs();
                    // Rounding of the place itself is 10^-10 m; only cliffs are steeper than 4.
                    assert!(
                        change_m < 8.0 * step_m + 1e-8,
                        "{spec:?}: {change_m} m over {step_m} m at {place}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_length_of_a_direction_does_not_matter() {
    let planet = Planet::generate(SPECS[0]);
    for cell in cells(1) {
        // Powers of two leave the unit vector the same to the bit.
        assert_eq!(planet.elevation_m(cell.center() * 1024.0), planet.elevation_m(cell.center()));
        assert_eq!(planet.biome(cell.center() * 0.25), planet.biome(cell.center()));
    }
}

#[test]
fn directions_that_are_none_are_answered_without_a_panic() {
    let planet = Planet::generate(SPECS[0]);
    for direction in [DVec3::ZERO, DVec3::NAN, DVec3::INFINITY, DVec3::splat(1e300), DVec3::splat(1e-300)] {
        assert!(planet.elevation_m(direction).is_finite());
        assert!(planet.elevation_coarse_m(direction, f64::NAN).is_finite());
        assert!(planet.climate(direction).temperature_c.is_finite());
        planet.biome(direction);
    }
}

#[test]
fn the_ground_is_where_the_raster_says_land_and_sea_are() {
    for seed in 0..2 {
        let planet = Planet::generate(PlanetSpec::for_test(seed, 3));
        let (mut land_sr, mut all_sr) = (0.0, 0.0);
        for cell in cells(5) {
            let area_sr = cell.area_sr();
            all_sr += area_sr;
            land_sr += if planet.elevation_coarse_m(cell.center(), 9_000.0) > 0.0 { area_sr } else { 0.0 };
        }
        let share = land_sr / all_sr;
        assert!((0.26..0.34).contains(&share), "seed {seed}: {share}");
    }
}

#[test]
fn neighbouring_water_has_one_level_but_for_the_fall_of_a_river() {
    for spec in SPECS {
        let planet = Planet::generate(spec);
        let lakes = raster_cells(&planet, 12, |cell| cell.lake_surface_m.is_some());
        let rivers =
            raster_cells(&planet, 12, |cell| cell.receiver != Receiver::Sea && cell.discharge_m3_s > 3_000.0);
        let (mut wet, mut walls) = (0, 0);
        for place in lakes.into_iter().chain(rivers) {
            let level = planet.grid_level(12);
            let patch = planet.patch(CellId::from_point(place).parent(level), 96, 0);
            let spacing_m = planet.spacing_m(level, 96) as f32;
            let side = patch.side();
            for index in 0..side * (side - 1) {
                for other in [index + 1, index + side] {
                    let (a_m, b_m) = (patch.water_m[index], patch.water_m[other]);
                    if other % side == 0 || a_m.is_nan() || b_m.is_nan() {
                        continue;
                    }
                    wet += 1;
                    // A waterfall is as steep as the ground under it.
                    let fall_m =
                        (patch.elevations_m[index] - patch.elevations_m[other]).abs() + 0.3 + 0.2 * spacing_m;
                    walls += usize::from((a_m - b_m).abs() > fall_m);
                }
            }
        }
        assert!(wet > 1_000, "{spec:?}: only {wet} wet pairs");
        assert_eq!(walls, 0, "{spec:?}: walls of water among {wet} pairs");
    }
}

#[test]
fn lakes_are_level_and_water_is_over_its_ground() {
    let planet = Planet::generate(SPECS[0]);
    for place in raster_cells(&planet, 4, |cell| cell.lake_surface_m.is_some()) {
        let level = planet.raster().level();
        let cell = planet.raster().cell(level, CellId::from_point(place).parent(level).face_ij());
        let surface_m = cell.and_then(|cell| cell.lake_surface_m).expect("a lake") * 0.25;
        let patch = planet.patch(CellId::from_point(place).parent(10), 64, 0);
        let mut lake = 0;
        for index in 0..patch.water_m.len() {
            let water_m = patch.water_m[index];
            assert!(water_m.is_nan() || water_m > patch.elevations_m[index], "water under the ground");
            if patch.biomes[index] == Biome::Lake {
                assert!((water_m - surface_m).abs() < 1e-3, "{water_m} m in a lake of {surface_m} m");
                lake += 1;
            }
        }
        assert!(lake > 0, "no lake in the middle of one");
    }
}

#[test]
fn rivers_fall_to_the_sea_or_a_sink_and_have_one_id_at_every_level() {
    for spec in SPECS {
        let planet = Planet::generate(spec);
        let mut ends = std::collections::HashMap::new();
        let whole: Vec<_> =
            (0..6).flat_map(|face| planet.reaches(CellId::from_face(face), 0.0, 0.0)).collect();
        // On the smallest planet only the greatest rivers are wide enough to be seen.
        assert!(whole.len() > 10, "{spec:?}: {} reaches", whole.len());
        for reach in &whole {
            assert!(reach.surface_b_m <= reach.surface_a_m, "{reach:?} rises");
            assert!(reach.width_a_m > 0.0 && reach.width_b_m > 0.0, "{reach:?}");
            let bits = |place: DVec3| place.to_array().map(f64::to_bits);
            ends.insert((bits(reach.a), bits(reach.b)), reach.river);
        }
        for place in raster_cells(&planet, 8, |cell| cell.discharge_m3_s > 3_000.0) {
            for level in [3, 6, 9, 12, 15] {
                let cell = CellId::from_point(place).parent(level);
                for reach in planet.reaches(cell, 0.0, 0.0) {
                    let bits = |place: DVec3| place.to_array().map(f64::to_bits);
                    let known = ends.get(&(bits(reach.a), bits(reach.b)));
                    assert_eq!(known, Some(&reach.river), "{spec:?}: {reach:?} at level {level}");
                }
            }
        }
    }
}

#[test]
fn a_river_has_one_id_at_all_levels_of_one_layer_of_the_raster() {
    // Two layers: levels 8 and 6.
    let spec = PlanetSpec { raster_level: 8, ..PlanetSpec::for_test(1, 3) };
    let planet = Planet::generate(spec);
    let bits = |place: DVec3| place.to_array().map(f64::to_bits);
    let mut layers = std::collections::BTreeSet::new();
    for place in raster_cells(&planet, 12, |cell| cell.discharge_m3_s > 3_000.0) {
        // What was said of a reach, by the layer of the raster that its river's id names.
        let mut known = std::collections::HashMap::new();
        let mut before: Option<u8> = None;
        for level in (0..=16).rev() {
            let reaches = planet.reaches(CellId::from_point(place).parent(level), 0.0, 0.0);
            let layer = reaches
                .iter()
                .map(|reach| CellId::try_from_raw(reach.river.0).expect("a cell").level())
                .max();
            let Some(layer) = layer else { continue };
            layers.insert(layer);
            assert!(before.is_none_or(|before| layer <= before), "a coarser cell shows a finer layer");
            before = Some(layer);
            for reach in reaches {
                let of_layer = CellId::try_from_raw(reach.river.0).expect("a cell").level();
                assert_eq!(of_layer, layer, "{reach:?} at level {level}");
                let river = *known.entry((layer, bits(reach.a), bits(reach.b))).or_insert(reach.river);
                assert_eq!(river, reach.river, "{reach:?} at level {level}");
            }
        }
    }
    assert_eq!(layers.into_iter().collect::<Vec<_>>(), [6, 8]);
}

#[test]
fn a_planet_without_tiles_is_a_sea_and_becomes_exact_as_they_come() {
    let spec = PlanetSpec::for_test(1, 3);
    let whole = Planet::generate(spec);
    let partial = Planet::new(spec, Arc::new(Raster::empty(spec.raster_level)));
    let place = whole.arrival().ground;
    let cell = CellId::from_point(place).parent(14);
    let spacing_m = whole.spacing_m(14, 64);
    assert!(whole.missing(cell, spacing_m).is_empty());
    assert!(partial.elevation_m(place) < 0.0);
    assert_eq!(partial.water_m(place), Some(0.0));
    let missing = partial.missing(cell, spacing_m);
    assert!((1..=3).contains(&missing.len()), "{missing:?}");
    for id in missing {
        partial.raster().insert(id, whole.raster().tile(id).expect("it has all"));
    }
    assert!(partial.missing(cell, spacing_m).is_empty());
    let [a, b] = [&whole, &partial].map(|planet| planet.patch(cell, 64, 2));
    assert_eq!(a.elevations_m, b.elevations_m);
    assert_eq!(partial.ground(place), whole.ground(place));
    assert_eq!(Patch::directions(cell, 64, 2).count(), a.elevations_m.len());
}

#[test]
fn it_is_cold_at_the_poles_and_up_high() {
    for seed in 0..2 {
        let planet = Planet::generate(PlanetSpec::for_test(seed, 3));
        for place in cells(5).map(CellId::center) {
            let climate = planet.climate_at_elevation(place, 0.0);
            let above = planet.climate_at_elevation(place, 1_000.0);
            assert!((-70.0..40.0).contains(&climate.temperature_c), "{} °C", climate.temperature_c);
            assert!(above.temperature_c < climate.temperature_c - 20.0, "no colder a kilometre up");
            assert!(place.z.abs() < 0.97 || climate.temperature_c < 0.0, "{} °C", climate.temperature_c);
            assert!(climate.rain_mm >= 0.0);
        }
    }
}

#[test]
fn levels_keep_their_size_on_other_planets() {
    let level = |shift, level_at_default| {
        let spec = PlanetSpec::for_test(1, shift);
        Planet::new(spec, Arc::new(Raster::empty(spec.raster_level))).grid_level(level_at_default)
    };
    assert_eq!((level(3, 14), level(0, 14), level(6, 14), level(9, 14)), (14, 17, 11, 8));
    assert_eq!((level(0, 29), level(9, 2)), (30, 0));
}
