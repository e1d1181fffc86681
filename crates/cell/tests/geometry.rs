//! Areas and directions on the sphere.
#![allow(clippy::unwrap_used)] // Helpers of tests, too.

use std::f64::consts::PI;

use cell::{CellId, LatLng, TangentFrame, ij_axes};
use glam::DVec3;

#[path = "../src/test_points.rs"]
mod test_points;
use test_points::random_points;

#[test]
fn cells_of_a_level_share_out_the_sphere() {
    for level in 0..=6 {
        let total: f64 =
            (0..6).flat_map(|face| CellId::from_face(face).descendants(level)).map(CellId::area_sr).sum();
        assert!((total / (4.0 * PI) - 1.0).abs() < 1e-12, "level {level}: {total}");
    }
}

#[test]
fn four_children_have_the_area_of_their_parent() {
    for (index, point) in random_points(1).take(10_000).enumerate() {
        let parent = CellId::from_point(point).parent((index % 23) as u8);
        let children: f64 = parent.children().unwrap().into_iter().map(CellId::area_sr).sum();
        assert!((children / parent.area_sr() - 1.0).abs() < 1e-7, "{parent:?}");
    }
}

#[test]
fn areas_of_lots_are_in_their_published_band() {
    // Level 15 on a planet of an eighth of Earth's radius, with S2's area metrics.
    let squared_radius = 796_375.0_f64 * 796_375.0;
    for point in random_points(2).take(10_000) {
        let area_m2 = CellId::from_point(point).parent(15).area_sr() * squared_radius;
        assert!((740.0..=1_560.0).contains(&area_m2), "{area_m2} m²");
    }
}

#[test]
fn shared_corners_are_equal_to_the_bit_on_every_face() {
    for level in [1, 2, 5] {
        for cell in (0..6).flat_map(|face| CellId::from_face(face).descendants(level)) {
            for neighbor in cell.edge_neighbors() {
                let shared = cell.corners().into_iter().filter(|corner| neighbor.corners().contains(corner));
                assert_eq!(shared.count(), 2, "{cell:?} {neighbor:?}");
            }
        }
    }
}

fn assert_orthonormal(frame: TangentFrame) {
    let TangentFrame { east, north, up } = frame;
    for axis in [east, north, up] {
        assert!((axis.length() - 1.0).abs() < 1e-15);
    }
    assert!(east.dot(north).abs() < 1e-15 && north.dot(up).abs() < 1e-15 && up.dot(east).abs() < 1e-15);
    assert!((east.cross(north) - up).length() < 1e-15, "not right-handed");
}

#[test]
fn frames_are_orthonormal_at_the_poles_too() {
    let poles = [DVec3::Z, DVec3::NEG_Z, DVec3::new(1e-14, 0.0, 1.0), DVec3::new(0.0, 1e-300, -2.0)];
    for point in random_points(3).take(20_000).chain(poles) {
        let frame = TangentFrame::at(point * 3.0);
        assert_orthonormal(frame);
        let there_and_back = frame.to_world(frame.to_local(point));
        assert!((there_and_back - point).length() < 1e-15);
        assert!(frame.to_local(frame.up).abs_diff_eq(DVec3::Z, 1e-15));
    }
}

#[test]
fn north_is_where_latitude_grows_and_east_where_longitude_does() {
    for point in random_points(4).take(5_000).filter(|point| point.z.abs() < 0.99) {
        let frame = TangentFrame::at(point);
        let (here, step) = (LatLng::from_point(point), 1e-6);
        let north = LatLng::from_point(point + frame.north * step);
        let east = LatLng::from_point(point + frame.east * step);
        assert!(((north.lat_rad() - here.lat_rad()) / step - 1.0).abs() < 1e-6);
        assert!((east.lat_rad() - here.lat_rad()).abs() < 1e-11);
        assert!((east.lng_rad() - here.lng_rad()).abs() < 1.0 && east.lng_rad() > here.lng_rad());
    }
}

#[test]
fn cell_axes_point_along_the_lattice_and_do_not_jump() {
    for point in random_points(5).take(20_000).chain([DVec3::Z, DVec3::NEG_Z]) {
        let cell = CellId::from_point(point).parent(14);
        let (i_axis, j_axis) = cell.ij_axes(point);
        assert!((i_axis.length() - 1.0).abs() < 1e-15 && i_axis.dot(point).abs() < 1e-15);
        assert!((j_axis.length() - 1.0).abs() < 1e-15 && j_axis.dot(point).abs() < 1e-15);
        // Between 60° and 120°, the angles of a cube's corner seen from inside.
        assert!(i_axis.dot(j_axis).abs() < 0.501, "{}", i_axis.dot(j_axis));
        let [corner, right, _, above] = cell.corners();
        assert!(i_axis.dot((right - corner).normalize()) > 0.999_9);
        assert!(j_axis.dot((above - corner).normalize()) > 0.999_9);
        let (near_i, _) = ij_axes(cell.face(), point + TangentFrame::at(point).east * 1e-6);
        assert!((near_i - i_axis).length() < 1e-5);
    }
}
