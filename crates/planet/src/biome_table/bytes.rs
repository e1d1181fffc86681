//! The table as a planet's manifest holds it. Little-endian:
//!
//! ```text
//! u8 version (1) · u8 bands
//!   band:  f32 colder_than_c · u8 classes
//!     class: f32 drier_than_mm · u8 biome
//! f32 × 3 [water] · f32 × 11 [ground], in the order of their fields
//! ```
//!
//! The last limits are infinite. One table has one form, so the bytes may be hashed.

use thiserror::Error;

use super::{Band, BiomeTable, Class, GroundLimits, WaterLimits};
use crate::Biome;

/// Most bands, and most classes of a band.
pub(super) const COUNT_MAX: usize = 32;

const VERSION: u8 = 1;

/// Why bytes are no table of biomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BiomeBytesError {
    /// Written by a later version.
    #[error("the table of biomes is of another version")]
    Version,
    /// Too short, too long, or with values that no table has.
    #[error("the table of biomes is malformed")]
    Malformed,
}

impl WaterLimits {
    pub(super) fn to_array(self) -> [f32; 3] {
        [self.sea_ice_below_c, self.lake_ice_below_c, self.shallows_depth_m]
    }

    fn from_array([sea_ice_below_c, lake_ice_below_c, shallows_depth_m]: [f32; 3]) -> Self {
        Self { sea_ice_below_c, lake_ice_below_c, shallows_depth_m }
    }
}

impl GroundLimits {
    pub(super) fn to_array(self) -> [f32; 11] {
        [
            self.alpine_above_m,
            self.alpine_warmer_than_c,
            self.rock_above_m,
            self.rock_slope,
            self.beach_height_walked_m,
            self.beach_slope,
            self.wetland_height_walked_m,
            self.wetland_slope,
            self.wetland_rain_mm,
            self.bank_rain_mm,
            self.bank_height_walked_m,
        ]
    }

    fn from_array(limits: [f32; 11]) -> Self {
        Self {
            alpine_above_m: limits[0],
            alpine_warmer_than_c: limits[1],
            rock_above_m: limits[2],
            rock_slope: limits[3],
            beach_height_walked_m: limits[4],
            beach_slope: limits[5],
            wetland_height_walked_m: limits[6],
            wetland_slope: limits[7],
            wetland_rain_mm: limits[8],
            bank_rain_mm: limits[9],
            bank_height_walked_m: limits[10],
        }
    }
}

impl BiomeTable {
    /// The one byte form of this table, a few hundred bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.bands.len() as u8];
        for band in &self.bands {
            bytes.extend(band.colder_than_c.to_le_bytes());
            bytes.push(band.classes.len() as u8);
            for class in &band.classes {
                bytes.extend(class.drier_than_mm.to_le_bytes());
                bytes.push(class.biome as u8);
            }
        }
        let limits = self.water.to_array().into_iter().chain(self.ground.to_array());
        bytes.extend(limits.flat_map(f32::to_le_bytes));
        bytes
    }

    /// Inverse of [`to_bytes`](Self::to_bytes), for bytes that anybody may have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BiomeBytesError> {
        let mut cursor = Cursor { rest: bytes };
        if cursor.byte()? != VERSION {
            return Err(BiomeBytesError::Version);
        }
        let bands = cursor.rising(|cursor| {
            let colder_than_c = cursor.float()?;
            let classes = cursor.rising(|cursor| {
                let drier_than_mm = cursor.float()?;
                let biome = Biome::from_number(cursor.byte()?).filter(|biome| !biome.is_water());
                let biome = biome.ok_or(BiomeBytesError::Malformed)?;
                Ok((drier_than_mm, Class { drier_than_mm, biome }))
            })?;
            Ok((colder_than_c, Band { colder_than_c, classes }))
        })?;
        let (water, ground) =
            (WaterLimits::from_array(cursor.finite()?), GroundLimits::from_array(cursor.finite()?));
        if !cursor.rest.is_empty() || ground.bank_height_walked_m <= 0.0 {
            return Err(BiomeBytesError::Malformed);
        }
        Ok(Self { bands, water, ground })
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn byte(&mut self) -> Result<u8, BiomeBytesError> {
        let (first, rest) = self.rest.split_first().ok_or(BiomeBytesError::Malformed)?;
        self.rest = rest;
        Ok(*first)
    }

    fn float(&mut self) -> Result<f32, BiomeBytesError> {
        let (first, rest) = self.rest.split_first_chunk().ok_or(BiomeBytesError::Malformed)?;
        self.rest = rest;
        Ok(f32::from_le_bytes(*first))
    }

    fn finite<const COUNT: usize>(&mut self) -> Result<[f32; COUNT], BiomeBytesError> {
        let mut values = [0.0; COUNT];
        for value in &mut values {
            *value = self.float()?;
        }
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(BiomeBytesError::Malformed)
        }
    }

    /// A counted list whose limits rise, the last to infinity.
    fn rising<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<(f32, T), BiomeBytesError>,
    ) -> Result<Vec<T>, BiomeBytesError> {
        let count = usize::from(self.byte()?);
        if count == 0 || count > COUNT_MAX {
            return Err(BiomeBytesError::Malformed);
        }
        let mut before = f32::NEG_INFINITY;
        let mut list = Vec::with_capacity(count);
        for index in 0..count {
            let (limit, value) = one(self)?;
            let is_last = index + 1 == count;
            // Not a number is not above anything; infinity is for the last alone.
            if !(limit > before && limit.is_infinite() == is_last) {
                return Err(BiomeBytesError::Malformed);
            }
            before = limit;
            list.push(value);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_back_from_its_bytes() {
        let table = BiomeTable::default();
        let bytes = table.to_bytes();
        assert!(bytes.len() < 300, "{} bytes", bytes.len());
        assert_eq!(BiomeTable::from_bytes(&bytes), Ok(table));
    }

    #[test]
    fn hostile_bytes_are_refused_or_are_a_table() {
        let bytes = BiomeTable::default().to_bytes();
        for length in 0..bytes.len() {
            assert!(BiomeTable::from_bytes(&bytes[..length]).is_err(), "cut at {length}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(BiomeTable::from_bytes(&longer), Err(BiomeBytesError::Malformed));
        for index in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[index] = value;
                if let Ok(table) = BiomeTable::from_bytes(&changed) {
                    assert_eq!(table.to_bytes(), changed, "one table, one form");
                    table.zonal(10.0, 500.0);
                }
            }
        }
        assert_eq!(BiomeTable::from_bytes(&[2]), Err(BiomeBytesError::Version));
    }
}
