//! Coverings hold their region, and waste little.
#![allow(clippy::unwrap_used)] // Helpers of tests, too.

use std::f64::consts::PI;

use cell::{
    COVER_CELLS_MAX, Cap, CellId, Coverer, LatLng, LatLngRect, Region, TangentFrame, TooManyCells,
    cover_at_level, cover_cap, cover_rect,
};
use glam::DVec3;

#[path = "../src/test_points.rs"]
mod test_points;
use test_points::random_points;

fn rect(south: f64, west: f64, north: f64, east: f64) -> LatLngRect {
    let corner = |lat_deg, lng_deg| LatLng::from_degrees(lat_deg, lng_deg).unwrap();
    LatLngRect::try_from_corners(corner(south, west), corner(north, east)).unwrap()
}

/// The slow obvious version: a cell meets the region if some point of a fine grid in it does.
fn check_against_points(region: &impl Region, contains: impl Fn(DVec3) -> bool, level: u8) {
    let cells = cover_at_level(region, level).unwrap();
    assert!(cells.is_sorted_by(|a, b| a < b));
    for point in random_points(u64::from(level)).take(40_000).filter(|point| contains(*point)) {
        assert!(
            cells.binary_search(&CellId::from_point(point).parent(level)).is_ok(),
            "{point} is uncovered"
        );
    }
    for cell in cells {
        let is_inside = cell.descendants(level + 5).any(|part| contains(part.center()));
        let is_near = cell.corners().into_iter().chain([cell.center()]).any(&contains);
        // A sliver can slip between the points of the grid, but not far.
        let is_touched = cell
            .all_neighbors()
            .iter()
            .any(|near| near.descendants(level + 4).any(|part| contains(part.center())));
        assert!(is_inside || is_near || is_touched, "{cell:?} is far from the region");
    }
}

#[test]
fn caps_are_covered() {
    let places = [
        DVec3::Z,
        DVec3::NEG_Z,
        DVec3::ONE,
        DVec3::new(-1.0, 1.0, -1.0),
        DVec3::X,
        DVec3::new(1.0, 1.0, 0.2),
    ];
    for center in places {
        for radius_rad in [0.02, 0.4, 1.3, 2.2, PI] {
            let cap = Cap::new(center, radius_rad);
            check_against_points(&cap, |point| cap.contains_point(point), 3);
        }
    }
}

#[test]
fn rectangles_are_covered_over_poles_and_the_antimeridian_too() {
    let rects = [
        rect(-10.0, -10.0, 10.0, 10.0),
        rect(80.0, -180.0, 90.0, 180.0),
        rect(-90.0, -180.0, -89.0, 180.0),
        rect(20.0, 170.0, 40.0, -150.0),
        rect(60.0, 10.0, 90.0, 80.0),
        rect(-5.0, -180.0, 5.0, 180.0),
        rect(-90.0, -180.0, 90.0, 180.0),
        rect(34.0, 44.0, 36.0, 46.0),
        rect(-80.0, 100.0, 80.0, 99.0),
    ];
    for rect in rects {
        check_against_points(&rect, |point| rect.contains_point(point), 3);
    }
}

#[test]
fn a_region_of_one_point_has_a_cell_at_every_level() {
    for point in random_points(5).take(200).chain([DVec3::Z, DVec3::NEG_Z, DVec3::ONE]) {
        let place = LatLng::from_point(point);
        for level in [0, 1, 7, 14, 30] {
            let home = CellId::from_point(point).parent(level);
            assert!(cover_cap(point, 0.0, level).unwrap().contains(&home));
            let spot = LatLngRect::try_from_corners(place, place).unwrap();
            let cells = cover_rect(spot, level).unwrap();
            assert!(cells.contains(&CellId::from_lat_lng(place).parent(level)), "{place:?} at {level}");
            assert!(cells.len() <= 4);
        }
    }
}

#[test]
fn the_interest_of_a_body_is_a_few_dozen_cells() {
    let radius_rad = 160.0 / 796_375.0;
    for point in random_points(6).take(2_000).chain([DVec3::Z, DVec3::ONE]) {
        let cells = cover_cap(point, radius_rad, 14).unwrap();
        assert!((16..=64).contains(&cells.len()), "{} cells at {point}", cells.len());
        // Points of the rim are covered.
        let frame = TangentFrame::at(point);
        for step in 0..32 {
            let (sin, cos) = libm::sincos(f64::from(step) * PI / 16.0);
            let rim = frame.to_world(DVec3::new(sin, cos, 0.0) * (0.999_999 * radius_rad)) + frame.up;
            assert!(cells.contains(&CellId::from_point(rim).parent(14)));
        }
    }
}

#[test]
fn mixed_coverings_hold_the_region_within_their_limits() {
    for (index, center) in random_points(7).take(300).enumerate() {
        let coverer =
            Coverer { min_level: (index % 2) as u8, max_level: 9, max_cells: [8, 40, 200][index % 3] };
        let cap = Cap::new(center, 0.02 + 0.001 * index as f64);
        let cells = coverer.cover(&cap).unwrap();
        assert!(cells.iter().all(|cell| (coverer.min_level..=9).contains(&cell.level())));
        assert!(cells.len() <= coverer.max_cells, "{} cells", cells.len());
        assert!(cells.windows(2).all(|pair| pair[0].range_max() < pair[1].range_min()), "not disjoint");
        for point in random_points(index as u64).take(2_000).filter(|point| cap.contains_point(*point)) {
            assert!(cells.iter().any(|cell| cell.contains_point(point)));
        }
    }
}

#[test]
fn a_whole_sphere_is_six_cells() {
    let coverer = Coverer { min_level: 0, max_level: 30, max_cells: 100 };
    let faces: Vec<CellId> = (0..6).map(CellId::from_face).collect();
    assert_eq!(coverer.cover(&Cap::new(DVec3::X, PI)).unwrap(), faces);
    assert_eq!(coverer.cover(&rect(-90.0, -180.0, 90.0, 180.0)).unwrap(), faces);
}

#[test]
fn coverings_of_too_many_cells_are_refused() {
    assert_eq!(cover_cap(DVec3::X, 1.0, 14), Err(TooManyCells));
    assert_eq!(cover_rect(rect(0.0, 0.0, 10.0, 10.0), 30), Err(TooManyCells));
    let coverer = Coverer { min_level: 20, max_level: 20, max_cells: 10 };
    assert_eq!(coverer.cover(&Cap::new(DVec3::X, 1.0)), Err(TooManyCells));
    assert!(cover_cap(DVec3::X, PI, 6).unwrap().len() <= COVER_CELLS_MAX);
}

#[test]
fn a_rectangle_upside_down_is_refused() {
    let corner = |lat_deg| LatLng::from_degrees(lat_deg, 0.0).unwrap();
    assert!(LatLngRect::try_from_corners(corner(1.0), corner(0.0)).is_none());
}
