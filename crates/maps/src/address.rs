//! Which tile: addresses that exist, by construction.

use planet::Planet;
use thiserror::Error;

/// Pixels along the side of a tile.
pub const TILE_PIXELS: u32 = 256;

/// Zoom at which pixels are as fine as the ground's vertices, on a planet of shift 3.
const ZOOM_MAX_AT_DEFAULT: u8 = 14;

/// A face is about as wide as four tiles of zoom 0 would be, so its finest tiles are two levels above.
const FACE_LEVELS_ABOVE_ZOOM: u8 = 2;

/// Why there is no such tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Finer than the ground is.
    #[error("the zoom or level is above {max}")]
    TooDeep {
        /// The finest there is.
        max: u8,
    },
    /// Beyond the edge of the map or face.
    #[error("a coordinate is above {max}")]
    OffTheMap {
        /// The last column and row of that zoom or level.
        max: u32,
    },
    /// A cube has six faces.
    #[error("the face is above 5")]
    NoSuchFace,
}

/// A tile of the Web-Mercator pyramid in the XYZ scheme: row 0 is the northernmost.
///
/// The pyramid covers the latitudes up to ±85.0511°, whatever the planet's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TileXyz {
    z: u8,
    x: u32,
    y: u32,
}

/// A tile of one face of the cube: a cell of level `level`, without Mercator's stretch and with the poles.
///
/// Pictures show it from outside, columns along i to the right, rows along j upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaceTile {
    face: u8,
    level: u8,
    i: u32,
    j: u32,
}

/// The finest zoom of a planet: 14 at shift 3, one more for each shift less.
pub fn zoom_max(planet: &Planet) -> u8 {
    planet.grid_level(ZOOM_MAX_AT_DEFAULT)
}

/// The finest level of face tiles.
pub fn face_level_max(planet: &Planet) -> u8 {
    zoom_max(planet) - FACE_LEVELS_ABOVE_ZOOM
}

impl TileXyz {
    /// The tile of a planet at a place of the pyramid.
    pub fn try_new(planet: &Planet, z: u8, x: u32, y: u32) -> Result<Self, AddressError> {
        check(zoom_max(planet), z, x, y)?;
        Ok(Self { z, x, y })
    }

    /// Zoom: the map is 2^z tiles wide.
    pub fn z(self) -> u8 {
        self.z
    }

    /// Column, from longitude −180°.
    pub fn x(self) -> u32 {
        self.x
    }

    /// Row, from the north.
    pub fn y(self) -> u32 {
        self.y
    }
}

impl FaceTile {
    /// The tile of a planet at a place of a face.
    pub fn try_new(planet: &Planet, face: u8, level: u8, i: u32, j: u32) -> Result<Self, AddressError> {
        if face > 5 {
            return Err(AddressError::NoSuchFace);
        }
        check(face_level_max(planet), level, i, j)?;
        Ok(Self { face, level, i, j })
    }

    /// Face of the cube, 0..=5, as in S2.
    pub fn face(self) -> u8 {
        self.face
    }

    /// The face is 2^level tiles wide.
    pub fn level(self) -> u8 {
        self.level
    }

    /// Column, along the face's u axis.
    pub fn i(self) -> u32 {
        self.i
    }

    /// Row, along the face's v axis.
    pub fn j(self) -> u32 {
        self.j
    }
}

fn check(deepest: u8, depth: u8, column: u32, row: u32) -> Result<(), AddressError> {
    if depth > deepest {
        return Err(AddressError::TooDeep { max: deepest });
    }
    let max = (1 << depth) - 1;
    if column.max(row) > max { Err(AddressError::OffTheMap { max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use planet::PlanetSpec;

    use super::*;

    #[test]
    fn only_tiles_that_exist_have_an_address() {
        let planet = Planet::generate(PlanetSpec::for_test(1, 3));
        assert_eq!((zoom_max(&planet), face_level_max(&planet)), (14, 12));
        let check = |z, x, y, expected: Result<(), AddressError>| {
            assert_eq!(TileXyz::try_new(&planet, z, x, y).map(|_| ()), expected, "{z}/{x}/{y}");
            let level = z.min(12);
            if level == z {
                assert_eq!(FaceTile::try_new(&planet, 5, level, x, y).map(|_| ()), expected);
            }
        };
        check(0, 0, 0, Ok(()));
        check(0, 1, 0, Err(AddressError::OffTheMap { max: 0 }));
        check(3, 7, 7, Ok(()));
        check(3, 7, 8, Err(AddressError::OffTheMap { max: 7 }));
        check(3, u32::MAX, 0, Err(AddressError::OffTheMap { max: 7 }));
        check(14, 16_383, 0, Ok(()));
        check(15, 0, 0, Err(AddressError::TooDeep { max: 14 }));
        check(255, 0, 0, Err(AddressError::TooDeep { max: 14 }));
        assert_eq!(FaceTile::try_new(&planet, 6, 0, 0, 0), Err(AddressError::NoSuchFace));
        assert_eq!(FaceTile::try_new(&planet, 0, 13, 0, 0), Err(AddressError::TooDeep { max: 12 }));
    }
}
