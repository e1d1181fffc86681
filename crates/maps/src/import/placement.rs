//! Where a GeoTIFF says that it is.

use std::fmt;

use super::ImportError;

/// A part of the sphere, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Longitude of the left side.
    pub west: f64,
    /// Latitude of the lower side.
    pub south: f64,
    /// Longitude of the right side.
    pub east: f64,
    /// Latitude of the upper side.
    pub north: f64,
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { west, south, east, north } = self;
        write!(f, "longitudes {west:.2} to {east:.2} and latitudes {south:.2} to {north:.2} degrees")
    }
}

/// The tags of a file that place it; empty where it has none.
#[derive(Clone, Debug, Default)]
pub(super) struct GeoTags {
    pub(super) pixel_scale: Vec<f64>,
    pub(super) tie_point: Vec<f64>,
    pub(super) transformation: Vec<f64>,
    pub(super) keys: Vec<u16>,
}

const MODEL_TYPE: u16 = 1_024;
const MODEL_GEOGRAPHIC: u16 = 2;
const RASTER_TYPE: u16 = 1_025;
const RASTER_PIXEL_IS_POINT: u16 = 2;

impl GeoTags {
    /// How far eastwards the raster must be turned to begin at longitude −180°, as a share of the way round. A file
    /// that does not say where it is begins there.
    pub(super) fn turn(&self, columns: u32, rows: u32) -> Result<f64, ImportError> {
        if self.key(MODEL_TYPE).is_some_and(|model| model != MODEL_GEOGRAPHIC) {
            return Err(ImportError::Projected);
        }
        let Some(extent) = self.extent(columns, rows)? else { return Ok(0.0) };
        let pixel = 360.0 / f64::from(columns);
        let is_near = |a: f64, b: f64| (a - b).abs() <= 2.0 * pixel;
        let Extent { west, south, east, north } = extent;
        let is_whole = is_near(east - west, 360.0) && is_near(north, 90.0) && is_near(south, -90.0);
        if !is_whole || !(-361.0..=361.0).contains(&west) {
            return Err(ImportError::NotWholePlanet { extent });
        }
        Ok(((west + 180.0) / 360.0).rem_euclid(1.0))
    }

    fn extent(&self, columns: u32, rows: u32) -> Result<Option<Extent>, ImportError> {
        let (mut west, mut north, width, height) = match (&self.pixel_scale[..], &self.tie_point[..]) {
            ([width, height, ..], [column, row, _, lng, lat, ..]) => {
                (lng - column * width, lat + row * height, *width, *height)
            }
            _ => match self.transformation[..] {
                [width, shear, _, west, turn, height, _, north, ..] => {
                    if shear != 0.0 || turn != 0.0 {
                        return Err(ImportError::Turned);
                    }
                    (west, north, width, -height)
                }
                _ => return Ok(None),
            },
        };
        if !(width > 0.0 && height > 0.0) {
            return Err(ImportError::Turned);
        }
        if self.key(RASTER_TYPE) == Some(RASTER_PIXEL_IS_POINT) {
            west -= width / 2.0;
            north += height / 2.0;
        }
        let (east, south) = (west + width * f64::from(columns), north - height * f64::from(rows));
        Ok(Some(Extent { west, south, east, north }))
    }

    /// A short value of the key directory, which is a head of four numbers and four for each key.
    fn key(&self, id: u16) -> Option<u16> {
        let (entries, _) = self.keys.as_chunks::<4>();
        entries.iter().skip(1).find(|[key, location, ..]| *key == id && *location == 0).map(|entry| entry[3])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(west: f64, north: f64, step: f64) -> GeoTags {
        GeoTags {
            pixel_scale: vec![step, step, 0.0],
            tie_point: vec![0.0, 0.0, 0.0, west, north, 0.0],
            keys: vec![1, 1, 1, 1, 1_024, 0, 1, 2],
            ..GeoTags::default()
        }
    }

    #[test]
    fn a_whole_planet_is_turned_to_begin_in_the_far_west() {
        let turn = |tags: GeoTags| tags.turn(360, 180).unwrap();
        assert_eq!(turn(GeoTags::default()), 0.0);
        assert_eq!(turn(tags(-180.0, 90.0, 1.0)), 0.0);
        assert_eq!(turn(tags(0.0, 90.0, 1.0)), 0.5);
        let whole = vec![1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 90.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(turn(GeoTags { transformation: whole, ..GeoTags::default() }), 0.5);
    }

    #[test]
    fn what_is_not_a_whole_planet_is_refused() {
        let refused = |tags: GeoTags| tags.turn(360, 180).unwrap_err().to_string();
        assert_eq!(
            refused(tags(10.0, 50.0, 0.1)),
            "the file covers longitudes 10.00 to 46.00 and latitudes 32.00 to 50.00 degrees instead of the whole planet"
        );
        assert!(refused(tags(f64::NAN, 90.0, 1.0)).contains("instead of"));
        assert!(refused(tags(-180.0, 90.0, -1.0)).contains("north to south"));
        let projected = GeoTags { keys: vec![1, 1, 1, 1, 1_024, 0, 1, 1], ..tags(-180.0, 90.0, 1.0) };
        assert!(refused(projected).contains("projection"));
        let sheared = vec![1.0, 0.5, 0.0, -180.0, 0.0, -1.0, 0.0, 90.0];
        assert!(
            refused(GeoTags { transformation: sheared, ..GeoTags::default() }).contains("north to south")
        );
    }
}
