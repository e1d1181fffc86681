//! From the sphere to a face of the cube and to the square the curve runs over.
//!
//! Three coordinate pairs of a face, as in S2 (`s2geometry/src/s2/s2coords.h`): *(u, v)* in [-1, 1]² where
//! great circles are straight lines, *(s, t)* in [0, 1]² where the quadratic transform makes cells of similar
//! size, *(i, j)* the integer lattice of leaves.

use glam::DVec3;

/// Quadratic transform, from the square to the plane of the face.
pub fn st_to_uv(s: f64) -> f64 {
    if s >= 0.5 {
        (1.0 / 3.0) * (4.0 * s * s - 1.0)
    } else {
        (1.0 / 3.0) * (1.0 - 4.0 * (1.0 - s) * (1.0 - s))
    }
}

/// Inverse of [`st_to_uv`].
pub fn uv_to_st(u: f64) -> f64 {
    // One root for both signs: a branch on the sign would be mispredicted half of the time.
    let half = 0.5 * (1.0 + 3.0 * u.abs()).sqrt();
    if u >= 0.0 { half } else { 1.0 - half }
}

/// The point of a face's plane at (u, v): not a unit vector. Faces above 5 count as 5.
pub fn face_uv_to_point(face: u8, u: f64, v: f64) -> DVec3 {
    match face {
        0 => DVec3::new(1.0, u, v),
        1 => DVec3::new(-u, 1.0, v),
        2 => DVec3::new(-u, -v, 1.0),
        3 => DVec3::new(-1.0, -v, -u),
        4 => DVec3::new(v, -1.0, -u),
        _ => DVec3::new(v, u, -1.0),
    }
}

/// The face a direction points through and where. A direction on an edge of the cube belongs to the face of
/// the later axis (z before y before x), as in the C++ library.
pub fn point_to_face_uv(point: DVec3) -> (u8, f64, f64) {
    let DVec3 { x, y, z } = point;
    let size = point.abs();
    // The longest axis, and what u and v are along the others where it is positive.
    let (axis, depth, u, v) = if size.x > size.y && size.x > size.z {
        (0, x, y, z)
    } else if size.y > size.z {
        (1, y, -x, z)
    } else {
        (2, z, -x, -y)
    };
    let (u, v) = (u / depth, v / depth);
    // The opposite face runs the same two lines the other way about.
    if depth < 0.0 { (axis + 3, v, u) } else { (axis, u, v) }
}

/// The directions in which u and v grow on a face: the derivatives of [`face_uv_to_point`].
pub(crate) fn face_axes(face: u8) -> (DVec3, DVec3) {
    match face {
        0 => (DVec3::Y, DVec3::Z),
        1 => (DVec3::NEG_X, DVec3::Z),
        2 => (DVec3::NEG_X, DVec3::NEG_Y),
        3 => (DVec3::NEG_Z, DVec3::NEG_Y),
        4 => (DVec3::NEG_Z, DVec3::X),
        _ => (DVec3::Y, DVec3::X),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_points::random_points;

    #[test]
    fn st_and_uv_are_inverse_and_odd_about_the_middle() {
        for step in 0..=4096 {
            let s = f64::from(step) / 4096.0;
            assert!((uv_to_st(st_to_uv(s)) - s).abs() < 1e-15);
            assert_eq!(st_to_uv(1.0 - s), -st_to_uv(s), "the grid must look the same from both faces at {s}");
        }
        assert_eq!((st_to_uv(0.0), st_to_uv(0.5), st_to_uv(1.0)), (-1.0, 0.0, 1.0));
    }

    #[test]
    fn a_point_survives_the_way_to_its_face_and_back() {
        for point in random_points(1).take(20_000) {
            let (face, u, v) = point_to_face_uv(point);
            assert!(u.abs() <= 1.0 && v.abs() <= 1.0);
            let back = face_uv_to_point(face, u, v).normalize();
            assert!((back - point).length() < 1e-15, "{point} came back as {back}");
        }
    }

    #[test]
    fn axes_are_the_derivatives_of_the_projection() {
        for face in 0..6 {
            let (u_axis, v_axis) = face_axes(face);
            let origin = face_uv_to_point(face, 0.0, 0.0);
            assert_eq!(face_uv_to_point(face, 1.0, 0.0) - origin, u_axis);
            assert_eq!(face_uv_to_point(face, 0.0, 1.0) - origin, v_axis);
            assert_eq!(u_axis.cross(v_axis), origin, "u, v, outwards are right-handed");
        }
    }

    #[test]
    fn ties_go_to_the_later_axis_as_in_the_published_library() {
        assert_eq!(point_to_face_uv(DVec3::new(1.0, 1.0, 0.0)).0, 1);
        assert_eq!(point_to_face_uv(DVec3::new(1.0, 0.0, 1.0)).0, 2);
        assert_eq!(point_to_face_uv(DVec3::new(0.0, -1.0, -1.0)).0, 5);
        assert_eq!(point_to_face_uv(DVec3::new(-1.0, -1.0, 0.0)).0, 4);
        assert_eq!(point_to_face_uv(DVec3::ONE).0, 2);
    }
}
