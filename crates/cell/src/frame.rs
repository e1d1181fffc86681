//! Directions on the ground at a place.

use glam::DVec3;

use crate::CellId;
use crate::projection::face_axes;

/// East, north and up at a place: a right-handed orthonormal basis.
///
/// At a pole, where every direction is south or north, the frame is the one reached along longitude 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TangentFrame {
    /// Towards growing longitude.
    pub east: DVec3,
    /// Towards the north pole.
    pub north: DVec3,
    /// Away from the centre of the planet.
    pub up: DVec3,
}

impl TangentFrame {
    /// The frame under a direction.
    pub fn at(point: DVec3) -> Self {
        let up = point.normalize();
        let across = DVec3::Z.cross(up);
        // Nearer than this (a micrometre on any planet of ours) the longitude is rounding noise.
        let east = if across.length_squared() > 1e-24 { across.normalize() } else { DVec3::Y };
        Self { east, north: up.cross(east), up }
    }

    /// A vector of the world in the frame: x east, y north, z up.
    pub fn to_local(self, world: DVec3) -> DVec3 {
        DVec3::new(world.dot(self.east), world.dot(self.north), world.dot(self.up))
    }

    /// A vector of the frame in the world.
    pub fn to_world(self, local: DVec3) -> DVec3 {
        self.east * local.x + self.north * local.y + self.up * local.z
    }
}

/// Unit vectors along the ground at a point in which i and j grow on a face. They are smooth over the whole
/// face, poles included, and about square to each other (60° at the corners of the cube).
///
/// The face is any that sees the point (in front of its plane), so that a frame can be carried a little over the
/// edge of its face.
pub fn ij_axes(face: u8, point: DVec3) -> (DVec3, DVec3) {
    let up = point.normalize();
    let along_ground = |axis: DVec3| (axis - up * up.dot(axis)).normalize();
    let (u_axis, v_axis) = face_axes(face);
    (along_ground(u_axis), along_ground(v_axis))
}

impl CellId {
    /// [`ij_axes`] of the cell's face.
    pub fn ij_axes(self, point: DVec3) -> (DVec3, DVec3) {
        ij_axes(self.face(), point)
    }
}
