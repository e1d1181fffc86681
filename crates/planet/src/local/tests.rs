//! What must hold of courses and ground, wherever one looks.

use std::sync::{Arc, OnceLock};

use cell::CellId;
use glam::DVec3;

use crate::global::{GlobalSpec, generate};
use crate::local::Local;
use crate::local::place::{Place, Places};
use crate::local::sheet::sheet_depth;
use crate::{BiomeTable, Patch, PlanetSpec, Raster};

fn raster(seed: u64) -> Arc<Raster> {
    static RASTERS: [OnceLock<Arc<Raster>>; 4] = [const { OnceLock::new() }; 4];
    let make = || {
        let spec = GlobalSpec { seed, raster_level: crate::RASTER_LEVEL_MIN, threads: 1 };
        Arc::new(generate(&spec, &BiomeTable::default(), &mut |_| {}))
    };
    Arc::clone(RASTERS[seed as usize].get_or_init(make))
}

pub(super) fn local(seed: u64, shift: u8) -> Local {
    let radius_m = crate::EARTH_RADIUS_M / f64::from(1_u32 << shift);
    Local::new(PlanetSpec::for_test(seed, shift), radius_m, raster(seed))
}

/// Cells of a level over the sphere, every so many of those that hold land or a shore.
fn land(local: &Local, level: u8, count: usize) -> Vec<CellId> {
    let coarse = level.min(6);
    let cells: Vec<CellId> = (0..6)
        .flat_map(|face| CellId::from_face(face).descendants(coarse))
        .filter(|cell| {
            let (fields, _) = local.fields(&Place::of(cell.center()), local.scale.raster_level);
            fields.inland_m > -0.2 * fields.reach_m
        })
        .collect();
    let step = (cells.len() / count).max(1);
    cells.iter().step_by(step).map(|cell| CellId::from_point(cell.center()).parent(level)).collect()
}

#[test]
fn a_place_is_the_same_alone_and_in_any_neighbourhood() {
    for (seed, shift) in [(1, 3), (2, 9), (0, 6), (1, 0)] {
        let local = local(seed, shift);
        for refinement in 0..=local.scale.refinements {
            // The detail at which this refinement's courses are the finest, and one finer.
            let level = local.scale.node_level(refinement);
            let spacing_m = local.scale.edge_m(level + 4);
            let detail = local.detail(spacing_m);
            for cell in land(&local, level - 1, 5) {
                let places: Vec<Place> = Patch::directions(cell, 32, 0).map(Place::of).collect();
                let together = local.surface(&Places::of(&places, 33), detail);
                for index in (0..places.len()).step_by(331) {
                    let alone = local.surface(&Places::of(&places[index..=index], 1), detail);
                    assert_eq!(
                        (alone.elevation_m[0].to_bits(), alone.water_m[0].to_bits()),
                        (together.elevation_m[index].to_bits(), together.water_m[index].to_bits()),
                        "seed {seed}, shift {shift}, {detail:?}: {} or {} m at {:?}",
                        alone.elevation_m[0],
                        together.elevation_m[index],
                        places[index].unit,
                    );
                }
            }
        }
    }
}

#[test]
fn courses_never_rise_and_end_where_others_pass_or_in_still_water() {
    for (seed, shift) in [(1, 3), (2, 9), (3, 6)] {
        let local = local(seed, shift);
        for refinement in 0..=local.scale.refinements {
            let level = local.scale.node_level(refinement) - sheet_depth(refinement, 0);
            for cell in land(&local, level, 6) {
                let (sheet, is_complete) = local.sheet(refinement, 0, cell);
                assert!(is_complete);
                for reach in &sheet.reaches {
                    let segments = &sheet.segments[reach.first as usize..][..reach.count as usize];
                    for pair in segments.windows(2) {
                        assert!(pair[0].fall_m >= 0.0 && pair[1].fall_m >= 0.0);
                        let end_m = pair[0].level_m - pair[0].fall_m;
                        assert!((end_m - pair[1].level_m).abs() < 1e-3, "a step of the water");
                    }
                }
            }
        }
    }
}

#[test]
fn sheets_bound_what_begins_in_them() {
    // `gather` does not look at sheets whose cells are farther than the range and this overhang.
    for (seed, shift) in [(1, 3), (2, 9), (3, 6), (0, 0)] {
        let local = local(seed, shift);
        for refinement in 1..=local.scale.refinements {
            let level = local.scale.node_level(refinement) - sheet_depth(refinement, 0);
            let overhang_m = super::gather::OVERHANG_SPACINGS * local.scale.node_spacing_m(refinement);
            for cell in land(&local, level, 8) {
                let (sheet, _) = local.sheet(refinement, 0, cell);
                for ball_m in &sheet.balls_m {
                    let longest_m = f64::from(ball_m[3]) * 2.0;
                    assert!(longest_m < overhang_m, "a course of {longest_m} m, refinement {refinement}");
                }
            }
        }
    }
}

#[test]
fn details_differ_by_no_more_than_the_slope_over_the_courses_left_out() {
    for (seed, shift) in [(1, 3), (2, 6), (3, 9)] {
        let local = local(seed, shift);
        for courses in 1..=local.scale.refinements {
            // Just fine enough for one refinement more, and just too coarse for it.
            let spacing_m = local.scale.node_spacing_m(courses);
            let (fine, coarse) = (local.detail(spacing_m / 2.0), local.detail(spacing_m / 1.8));
            assert_eq!((fine.courses.refinements, coarse.courses.refinements), (courses + 1, courses));
            for cell in land(&local, local.scale.node_level(courses) - 1, 20) {
                let places: Vec<Place> = Patch::directions(cell, 8, 0).map(Place::of).collect();
                let [fine, coarse] =
                    [fine, coarse].map(|detail| local.surface(&Places::of(&places, 9), detail));
                for index in 0..places.len() {
                    let difference_m = (fine.elevation_m[index] - coarse.elevation_m[index]).abs();
                    let limit_m = fine.slope[index] * (2.0 * spacing_m as f32) * 2.0 + 3.0;
                    assert!(difference_m < limit_m, "{difference_m} m, expected {limit_m} m at most");
                }
            }
        }
    }
}

#[test]
fn directions_about_the_corners_of_the_cube_have_continuous_fields() {
    let local = local(1, 3);
    let corner = DVec3::new(1.0, 1.0, 1.0).normalize();
    for signs in 0..8_u8 {
        let sign = |axis: u8| if signs & (1 << axis) == 0 { 1.0 } else { -1.0 };
        let corner = corner * DVec3::new(sign(0), sign(1), sign(2));
        let fields = |step: DVec3| local.fields(&Place::of((corner + step * 1e-9).normalize()), 6).0;
        let here = fields(DVec3::X);
        for step in [DVec3::Y, DVec3::Z, -DVec3::X, -DVec3::Y, -DVec3::Z] {
            let there = fields(step);
            assert!((here.level_m - there.level_m).abs() < 0.01, "{here:?} {there:?}");
            assert!((here.inland_m - there.inland_m).abs() < 0.1, "{here:?} {there:?}");
            assert!((here.slope - there.slope).abs() < 1e-5, "{here:?} {there:?}");
        }
    }
}
