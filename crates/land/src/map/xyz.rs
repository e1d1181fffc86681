//! Tiles of Web Mercator and places in them.

use std::f64::consts::PI;

use cell::{LatLng, LatLngRect};
use glam::DVec3;

/// Steps along the side of a tile.
pub(crate) const EXTENT: u32 = 4096;
/// So many steps around a tile belong to it, so that outlines and their strokes do not end at its edge.
const BUFFER: f64 = 64.0;

/// Where Web Mercator is a square, degrees.
pub(crate) const LATITUDE_MAX: f64 = 85.051_128_779_806_59;

/// A tile of the pyramid in the XYZ scheme: row 0 is the northernmost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TileXyz {
    pub(crate) z: u8,
    x: u32,
    y: u32,
}

impl TileXyz {
    /// `None` where there is no such tile.
    pub(crate) fn try_new(z: u8, x: u32, y: u32, zoom_max: u8) -> Option<Self> {
        (z <= zoom_max && x.max(y) < 1 << z).then_some(Self { z, x, y })
    }

    fn side(self) -> f64 {
        f64::from(1_u32 << self.z)
    }

    /// All that belongs to it, the steps around it included.
    pub(crate) fn rect(self) -> LatLngRect {
        let margin = BUFFER / f64::from(EXTENT);
        let lng = |column: f64| column / self.side() * 360.0 - 180.0;
        let lat = |row: f64| {
            let mercator = PI * (1.0 - 2.0 * row / self.side());
            (2.0 * libm::atan(libm::exp(mercator)) - PI / 2.0).to_degrees()
        };
        let (column, row) = (f64::from(self.x), f64::from(self.y));
        let (south, north) = (lat(row + 1.0 + margin), lat(row - margin));
        // A tile of half the planet or more has no room for margins beside it.
        let (west, east) = if self.z <= 1 {
            (lng(column), lng(column + 1.0))
        } else {
            (around(lng(column - margin)), around(lng(column + 1.0 + margin)))
        };
        let corner = |lat: f64, lng: f64| {
            let lat = lat.clamp(-LATITUDE_MAX, LATITUDE_MAX);
            LatLng::from_degrees(lat, lng.clamp(-180.0, 180.0)).expect("both are in range")
        };
        LatLngRect::try_from_corners(corner(south, west), corner(north, east))
            .expect("the south of a tile is not above its north")
    }

    /// Steps to the right of and below the tile's north-western corner; far outside for what is on the other side of the
    /// planet.
    pub(crate) fn steps(self, point: DVec3) -> (i32, i32) {
        let place = LatLng::from_point(point);
        let column = (place.lng_deg() + 180.0) / 360.0 * self.side() - f64::from(self.x);
        // The nearer way around.
        let column = column - self.side() * ((column - 0.5) / self.side() + 0.5).floor();
        let lat = place.lat_deg().clamp(-LATITUDE_MAX, LATITUDE_MAX).to_radians();
        let mercator = libm::asinh(libm::tan(lat));
        let row = 0.5 * (1.0 - mercator / PI) * self.side() - f64::from(self.y);
        let steps = |it: f64| (it * f64::from(EXTENT)).round() as i32;
        (steps(column), steps(row))
    }

    /// Whether a place is in the tile itself: each place is in one tile of a zoom.
    pub(crate) fn holds((x, y): (i32, i32)) -> bool {
        let inside = 0..EXTENT as i32;
        inside.contains(&x) && inside.contains(&y)
    }
}

/// A longitude brought into −180° to 180°.
fn around(lng: f64) -> f64 {
    if lng < -180.0 {
        lng + 360.0
    } else if lng > 180.0 {
        lng - 360.0
    } else {
        lng
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64) -> DVec3 {
        LatLng::from_degrees(lat, lng).unwrap().to_point()
    }

    #[test]
    fn places_fall_where_web_maps_have_them() {
        let whole = TileXyz::try_new(0, 0, 0, 14).unwrap();
        assert_eq!(whole.steps(at(0.0, 0.0)), (2048, 2048));
        assert_eq!(whole.steps(at(LATITUDE_MAX, -180.0)), (0, 0));
        // New York, by the published formula.
        let n = 16_384.0;
        let lat = 40.7128_f64.to_radians();
        let row = (1.0 - libm::asinh(libm::tan(lat)) / PI) / 2.0 * n;
        let column = (-74.006 + 180.0) / 360.0 * n;
        let tile = TileXyz::try_new(14, column as u32, row as u32, 14).unwrap();
        let steps = tile.steps(at(40.7128, -74.006));
        assert!(TileXyz::holds(steps), "{steps:?}");
        assert!((f64::from(steps.0) / 4096.0 + column.floor() - column).abs() < 1e-3);
        assert!((f64::from(steps.1) / 4096.0 + row.floor() - row).abs() < 1e-3);
    }

    #[test]
    fn tiles_hold_what_is_in_their_rectangle_and_over_the_antimeridian() {
        let last = TileXyz::try_new(4, 15, 7, 14).unwrap();
        let rect = last.rect();
        assert!(rect.contains_point(at(5.0, 179.0)) && rect.contains_point(at(5.0, -179.9)));
        assert!(!rect.contains_point(at(5.0, -179.0)) && !rect.contains_point(at(5.0, 150.0)));
        let (x, _) = last.steps(at(5.0, -179.9));
        assert!((4096..4096 + 64).contains(&x), "just east of it: {x}");
        let first = TileXyz::try_new(4, 0, 7, 14).unwrap();
        assert!(first.rect().contains_point(at(5.0, 179.9)));
        assert!((-64..0).contains(&first.steps(at(5.0, 179.9)).0));
        assert!(TileXyz::try_new(0, 0, 0, 14).unwrap().rect().contains_point(at(-80.0, 180.0)));
        let half = TileXyz::try_new(1, 1, 0, 14).unwrap();
        assert!(half.rect().contains_point(at(10.0, 0.0)) && !half.rect().contains_point(at(10.0, -1.0)));
        assert_eq!(TileXyz::try_new(15, 0, 0, 14), None);
        assert_eq!(TileXyz::try_new(3, 8, 0, 14), None);
        assert_eq!(TileXyz::try_new(3, 0, 8, 14), None);
    }
}
