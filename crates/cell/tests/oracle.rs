//! The same answers as crate `s2`, which was ported from the Go library.
#![allow(clippy::unwrap_used)] // Helpers of tests, too.

use cell::{Cap, CellId, Coverer, LatLng, LatLngRect, Region, cover_at_level, cover_cap};
use glam::DVec3;
use s2::cap::Cap as OracleCap;
use s2::cell::Cell;
use s2::cellid::CellID;
use s2::latlng::LatLng as OracleLatLng;
use s2::point::Point;
use s2::region::RegionCoverer;
use s2::s1;

#[path = "../src/test_points.rs"]
mod test_points;
use test_points::random_points;

fn oracle_point(point: DVec3) -> Point {
    Point(s2::r3::vector::Vector { x: point.x, y: point.y, z: point.z })
}

fn from_oracle(point: Point) -> DVec3 {
    DVec3::new(point.0.x, point.0.y, point.0.z)
}

/// Cells of all levels, all over the sphere, two thirds of them along edges and at corners of the cube.
fn sample_cells(seed: u64, count: usize) -> impl Iterator<Item = CellId> {
    random_points(seed).take(count).enumerate().map(|(index, point)| {
        let point = match index % 9 {
            0 => point.signum(),
            1..6 => DVec3::new(0.999_999_9_f64.copysign(point.x), 1.0_f64.copysign(point.y), point.z),
            _ => point,
        };
        CellId::from_point(point).parent((index % 31) as u8)
    })
}

#[test]
fn a_million_random_points_are_in_the_same_leaves() {
    for point in random_points(3).take(1_000_000) {
        assert_eq!(CellId::from_point(point).raw(), CellID::from(oracle_point(point)).0, "{point:?}");
    }
}

#[test]
fn the_tree_is_the_same() {
    for cell in sample_cells(5, 31_000) {
        let oracle = CellID(cell.raw());
        assert!(oracle.is_valid());
        assert_eq!((u64::from(cell.level()), cell.face()), (oracle.level(), oracle.face()));
        assert_eq!(cell.range_min().raw(), oracle.range_min().0);
        assert_eq!(cell.range_max().raw(), oracle.range_max().0);
        assert_eq!(format!("{cell:?}"), format!("{oracle:?}"));
        for level in 0..=cell.level() {
            assert_eq!(cell.parent(level).raw(), oracle.parent(level.into()).0);
        }
        match cell.children() {
            Some(children) => assert_eq!(children.map(CellId::raw), oracle.children().map(|child| child.0)),
            None => assert!(oracle.is_leaf()),
        }
        assert!(cell.next().is_none_or(|next| next.raw() == oracle.next().0));
        assert!(cell.prev().is_none_or(|prev| prev.raw() == oracle.prev().0));
    }
}

#[test]
fn centres_and_corners_are_equal_to_the_bit() {
    for cell in sample_cells(6, 31_000) {
        let oracle = Cell::from(CellID(cell.raw()));
        assert_eq!(cell.center(), from_oracle(oracle.center()), "{cell:?}");
        assert_eq!(cell.corners(), oracle.vertices().map(from_oracle), "{cell:?}");
    }
}

#[test]
fn neighbors_are_the_same() {
    for cell in sample_cells(7, 31_000) {
        let oracle = CellID(cell.raw());
        assert_eq!(
            cell.edge_neighbors().map(CellId::raw),
            oracle.edge_neighbors().map(|cell| cell.0),
            "{cell:?}"
        );
        let mut ours: Vec<u64> = cell.all_neighbors().iter().map(|cell| cell.raw()).collect();
        let mut theirs: Vec<u64> =
            oracle.all_neighbors(cell.level().into()).iter().map(|cell| cell.0).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        theirs.dedup();
        assert_eq!(ours, theirs, "{cell:?}");
    }
}

#[test]
fn areas_agree() {
    for cell in sample_cells(8, 31_000).filter(|cell| cell.level() <= 26) {
        let oracle = Cell::from(CellID(cell.raw())).exact_area();
        // The oracle's own formula has about this error at its smallest cells.
        let tolerance = if cell.level() <= 12 { 1e-9 } else { 1e-4 };
        assert!((cell.area_sr() / oracle - 1.0).abs() < tolerance, "{cell:?}: {} {oracle}", cell.area_sr());
    }
}

#[test]
fn latitudes_and_longitudes_agree() {
    for point in random_points(9).take(100_000) {
        let ours = LatLng::from_point(point);
        let theirs = OracleLatLng::from(&oracle_point(point));
        assert!((ours.lat_rad() - theirs.lat.rad()).abs() < 1e-15);
        assert!((ours.lng_rad() - theirs.lng.rad()).abs() < 1e-15);
        assert!((ours.to_point() - point).length() < 1e-15);
    }
}

fn oracle_cover(region: &(impl s2::region::Region + 'static), level: u8) -> Vec<u64> {
    let coverer = RegionCoverer { min_level: level, max_level: level, level_mod: 1, max_cells: 1 << 20 };
    let mut cells: Vec<u64> = coverer.covering(region).0.iter().map(|cell| cell.0).collect();
    cells.sort_unstable();
    cells
}

fn raws(cells: &[CellId]) -> Vec<u64> {
    cells.iter().map(|cell| cell.raw()).collect()
}

#[test]
fn coverings_of_a_cap_are_the_same() {
    for (index, center) in random_points(10).take(600).enumerate() {
        let center = if index % 5 == 0 { center.signum().normalize() } else { center };
        let level = (index % 19) as u8;
        // From a hundredth of a cell to some ten cells, at the coarse levels more than a hemisphere.
        let radius_rad = (1.0 / f64::from(1_u32 << level)) * [0.01, 0.3, 1.0, 2.7, 8.0][index % 5];
        let region = OracleCap::from_center_angle(&oracle_point(center), &s1::Rad(radius_rad).into());
        let ours = cover_cap(center, radius_rad, level).unwrap();
        assert_eq!(raws(&ours), oracle_cover(&region, level), "{center:?} {radius_rad} {level}");
    }
}

#[test]
fn coverings_of_a_rectangle_are_the_same() {
    for (index, point) in random_points(11).take(300).enumerate() {
        let level = (index % 9) as u8;
        let middle = LatLng::from_point(point);
        let half_deg = 60.0 / f64::from(1_u32 << level) * [0.02, 0.5, 1.3][index % 3];
        let (south, north) = (middle.lat_deg() - half_deg, middle.lat_deg() + half_deg);
        let (west, east) = (middle.lng_deg() - half_deg, middle.lng_deg() + half_deg);
        if south < -90.0 || north > 90.0 || west < -180.0 || east > 180.0 {
            continue;
        }
        let rect = LatLngRect::try_from_corners(
            LatLng::from_degrees(south, west).unwrap(),
            LatLng::from_degrees(north, east).unwrap(),
        );
        let ours = cover_at_level(&rect.unwrap(), level).unwrap();
        let oracle = s2::rect::Rect::from_degrees(south, west, north, east);
        assert_eq!(raws(&ours), oracle_cover(&oracle, level), "{south} {west} {north} {east} at {level}");
    }
}

#[test]
fn mixed_coverings_need_about_as_many_cells_and_no_more_area() {
    let (mut our_area, mut oracle_area) = (0.0, 0.0);
    for center in random_points(12).take(200) {
        let (radius_rad, coverer) = (0.01, Coverer { min_level: 4, max_level: 12, max_cells: 20 });
        let ours = coverer.cover(&Cap::new(center, radius_rad)).unwrap();
        let oracle = RegionCoverer { min_level: 4, max_level: 12, level_mod: 1, max_cells: 20 };
        let cap = OracleCap::from_center_angle(&oracle_point(center), &s1::Rad(radius_rad).into());
        assert!(ours.len() <= 20, "{} cells", ours.len());
        our_area += ours.iter().map(|cell| cell.area_sr()).sum::<f64>();
        oracle_area += oracle.covering(&cap).0.iter().map(|cell| Cell::from(cell).exact_area()).sum::<f64>();
    }
    assert!(our_area < 1.05 * oracle_area, "{our_area} against {oracle_area}");
}

#[test]
fn caps_contain_the_same_cells() {
    for (index, center) in random_points(13).take(300).enumerate() {
        let radius_rad = [0.02, 0.4, 1.7, 2.9][index % 4];
        let oracle = OracleCap::from_center_angle(&oracle_point(center), &s1::Rad(radius_rad).into());
        let ours = Cap::new(center, radius_rad);
        for point in random_points(index as u64).take(50) {
            let cell = CellId::from_point(point).parent((index % 8) as u8);
            let theirs = Cell::from(CellID(cell.raw()));
            assert_eq!(ours.contains(cell), s2::region::Region::contains_cell(&oracle, &theirs), "{cell:?}");
            assert_eq!(
                ours.intersects(cell),
                s2::region::Region::intersects_cell(&oracle, &theirs),
                "{cell:?}"
            );
        }
    }
}
