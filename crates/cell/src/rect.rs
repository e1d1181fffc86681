//! Rectangles of latitude and longitude.

use std::f64::consts::{FRAC_PI_2, PI};

use glam::DVec3;

use crate::{CellId, LatLng, Region, TooManyCells, cover_at_level};

/// The places between two parallels and two meridians, borders included.
///
/// It runs east from its west side, so it may cross the antimeridian; a rectangle from -180° to 180° goes all
/// the way round and, up to 90°, holds the pole inside.
#[derive(Clone, Copy, Debug)]
pub struct LatLngRect {
    south_west: LatLng,
    north_east: LatLng,
}

impl LatLngRect {
    /// The rectangle between two corners, or `None` where the first lies north of the second.
    pub fn try_from_corners(south_west: LatLng, north_east: LatLng) -> Option<Self> {
        (south_west.lat_rad() <= north_east.lat_rad()).then_some(Self { south_west, north_east })
    }

    /// Is the point inside?
    pub fn contains_point(&self, point: DVec3) -> bool {
        let place = LatLng::from_point(point);
        (self.south_west.lat_rad()..=self.north_east.lat_rad()).contains(&place.lat_rad())
            && self.contains_longitude(place.lng_rad())
    }

    fn contains_longitude(&self, lng_rad: f64) -> bool {
        let (west, east) = (self.south_west.lng_rad(), self.north_east.lng_rad());
        if west <= east { west <= lng_rad && lng_rad <= east } else { lng_rad >= west || lng_rad <= east }
    }

    fn is_all_round(&self) -> bool {
        self.south_west.lng_rad() <= -PI && self.north_east.lng_rad() >= PI
    }

    /// Corners, and for a rectangle all round one point on each parallel that is a border.
    fn border_points(&self) -> impl Iterator<Item = DVec3> {
        let lat_of = [self.south_west.lat_rad(), self.north_east.lat_rad()];
        let lng_of = [self.south_west.lng_rad(), self.north_east.lng_rad()];
        let has_pole_inside = self.is_all_round();
        lat_of.into_iter().filter(move |lat| !has_pole_inside || lat.abs() < FRAC_PI_2).flat_map(move |lat| {
            lng_of.into_iter().map(move |lng| LatLng::from_radians_unchecked(lat, lng).to_point())
        })
    }

    /// Does the side of a cell cross the border?
    fn border_crosses(&self, from: DVec3, to: DVec3) -> bool {
        let (south, north) = (self.south_west.lat_rad(), self.north_east.lat_rad());
        let on_a_meridian = !self.is_all_round()
            && [self.south_west.lng_rad(), self.north_east.lng_rad()].into_iter().any(|lng_rad| {
                meridian_crossing(from, to, lng_rad).is_some_and(|point| {
                    let lat_rad = LatLng::from_point(point).lat_rad();
                    south <= lat_rad && lat_rad <= north
                })
            });
        on_a_meridian
            || [south, north].into_iter().filter(|lat_rad| lat_rad.abs() < FRAC_PI_2).any(|lat_rad| {
                parallel_crossings(from, to, lat_rad)
                    .into_iter()
                    .flatten()
                    .any(|point| self.contains_longitude(LatLng::from_point(point).lng_rad()))
            })
    }

    fn border_crosses_any_side(&self, corners: &[DVec3; 4]) -> bool {
        (0..4).any(|k| self.border_crosses(corners[k], corners[(k + 1) % 4]))
    }
}

impl Region for LatLngRect {
    fn intersects(&self, cell: CellId) -> bool {
        // Two shapes meet if one holds a point of the other's border or if the borders cross.
        let corners = cell.corners();
        corners.iter().any(|corner| self.contains_point(*corner))
            || self.border_points().any(|point| cell.contains_point(point))
            || self.border_crosses_any_side(&corners)
    }

    fn contains(&self, cell: CellId) -> bool {
        let corners = cell.corners();
        corners.iter().all(|corner| self.contains_point(*corner))
            && !self.border_points().any(|point| cell.contains_point(point))
            && !self.border_crosses_any_side(&corners)
    }
}

/// Where the shorter arc between two unit vectors meets the half circle of a longitude.
fn meridian_crossing(from: DVec3, to: DVec3, lng_rad: f64) -> Option<DVec3> {
    let (sin, cos) = libm::sincos(lng_rad);
    let east_of = |point: DVec3| point.y * cos - point.x * sin;
    let (east_from, east_to) = (east_of(from), east_of(to));
    if (east_from > 0.0) == (east_to > 0.0) {
        return None;
    }
    let point = from * east_to.abs() + to * east_from.abs();
    (point.x * cos + point.y * sin > 0.0).then_some(point)
}

/// Where the shorter arc between two unit vectors meets a parallel: nowhere, once or twice.
fn parallel_crossings(from: DVec3, to: DVec3, lat_rad: f64) -> [Option<DVec3>; 2] {
    let normal = (from + to).cross(to - from).normalize();
    // The great circle is `top cos a + side sin a`, and its height over the equator `highest cos a`.
    let highest = (1.0 - normal.z * normal.z).max(0.0).sqrt();
    let cos = libm::sin(lat_rad) / highest;
    if !(-1.0..=1.0).contains(&cos) {
        return [None; 2];
    }
    let top = (DVec3::Z - normal * normal.z) / highest;
    let side = normal.cross(top);
    let sin = (1.0 - cos * cos).sqrt();
    [sin, -sin].map(|sin| {
        let point = top * cos + side * sin;
        (from.cross(point).dot(normal) >= 0.0 && point.cross(to).dot(normal) >= 0.0).then_some(point)
    })
}

/// All cells of a level that intersect a rectangle, in curve order.
pub fn cover_rect(rect: LatLngRect, level: u8) -> Result<Vec<CellId>, TooManyCells> {
    cover_at_level(&rect, level)
}
