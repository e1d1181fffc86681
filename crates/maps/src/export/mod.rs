//! The planet as files for other tools: equirectangular rasters of height and of biomes.
//!
//! Heights are whole metres *on a planet of Earth's size*, so that figures of the Earth can be held against them and
//! [`crate::import`] reads back what was written; a height on this planet is 2^(−2/3 · shift) of it. Row 0 lies in
//! the north, column 0 at longitude −180°; a pixel has the value at its middle.

mod geotiff;
mod png16;
mod rows;

use std::fmt::Write as _;
use std::io::{self, Seek, Write};

use thiserror::Error;
use tiff::TiffError;

use crate::legend::LegendEntry;
use crate::painter::Painter;
use crate::picture::MapLayer;

pub use png16::HEIGHT_OFFSET_M;

/// The widest raster that can be written.
pub const WIDTH_MAX: u32 = 8_192;

/// Width and height of a raster of the whole planet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldSize {
    height: u32,
}

/// A width that cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0} is no width of a whole planet: it must be even, 2 to {WIDTH_MAX}")]
pub struct WorldSizeError(pub u32);

impl WorldSize {
    /// A raster `width` pixels wide and half as high.
    pub fn try_from_width(width: u32) -> Result<Self, WorldSizeError> {
        let is_fine = (2..=WIDTH_MAX).contains(&width) && width.is_multiple_of(2);
        is_fine.then_some(Self { height: width / 2 }).ok_or(WorldSizeError(width))
    }

    /// Pixels from west to east.
    pub fn width(self) -> u32 {
        2 * self.height
    }

    /// Pixels from north to south.
    pub fn height(self) -> u32 {
        self.height
    }
}

/// A file format for rasters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RasterFormat {
    /// With its place on the sphere, packed by deflate.
    GeoTiff,
    /// Heights have [`HEIGHT_OFFSET_M`] added. Its place is in a [`world_file`] beside it.
    Png,
}

/// Why a file was not written.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The file cannot be written to.
    #[error("the file cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The TIFF encoder gave up.
    #[error("the file cannot be written: {0}")]
    Tiff(#[from] TiffError),
}

impl From<png::EncodingError> for ExportError {
    fn from(error: png::EncodingError) -> Self {
        match error {
            png::EncodingError::IoError(error) => Self::Io(error),
            other => Self::Io(io::Error::other(other)),
        }
    }
}

/// Writes the heights of the ground, sea floor included: 16 bits a pixel.
///
/// `progress` hears the share that is done. The bytes do not depend on the number of cores, which are all used.
pub fn elevation(
    painter: &Painter,
    size: WorldSize,
    format: RasterFormat,
    out: impl Write + Seek,
    progress: &mut dyn FnMut(f32),
) -> Result<(), ExportError> {
    let planet = painter.planet();
    match format {
        RasterFormat::GeoTiff => geotiff::write_elevation(
            planet,
            size,
            out,
            rows::Rows::new(size, |strip| rows::earth_heights(painter, strip), progress),
        ),
        RasterFormat::Png => png16::write_elevation(
            planet,
            size,
            out,
            rows::Rows::new(size, |strip| rows::earth_heights(painter, strip), progress),
        ),
    }
}

/// Writes the numbers of the biomes with their colours: 8 bits a pixel, paletted. [`biome_legend`] says what the numbers
/// mean.
///
/// `progress` hears the share that is done.
pub fn biomes(
    painter: &Painter,
    size: WorldSize,
    format: RasterFormat,
    out: impl Write + Seek,
    progress: &mut dyn FnMut(f32),
) -> Result<(), ExportError> {
    let planet = painter.planet();
    let strips = rows::Rows::new(size, |strip| painter.biome_numbers(strip), progress);
    match format {
        RasterFormat::GeoTiff => geotiff::write_biomes(planet, size, out, strips),
        RasterFormat::Png => png16::write_biomes(size, out, strips),
    }
}

/// What the numbers of a biome raster mean: lines of number, name and colour under a heading, as CSV.
pub fn biome_legend(painter: &Painter) -> String {
    let mut text = "number,name,color\n".to_owned();
    for entry in LegendEntry::all(MapLayer::Biome, painter.planet().spec()) {
        let number = entry.biome.expect("biomes have numbers");
        writeln!(text, "{number},{},{}", entry.label, entry.color).expect("writing to memory does not fail");
    }
    text
}

/// The place of a raster on the sphere in degrees, for a file of the same name that ends in `.pgw` or `.wld`.
pub fn world_file(size: WorldSize) -> String {
    let step = 180.0 / f64::from(size.height);
    format!("{step}\n0\n0\n-{step}\n{}\n{}\n", -180.0 + step / 2.0, 90.0 - step / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_even_widths_up_to_the_largest_are_taken() {
        for width in [0, 1, 3, WIDTH_MAX + 2, u32::MAX] {
            assert_eq!(WorldSize::try_from_width(width), Err(WorldSizeError(width)));
        }
        let size = WorldSize::try_from_width(WIDTH_MAX).unwrap();
        assert_eq!((size.width(), size.height()), (8_192, 4_096));
    }

    #[test]
    fn a_world_file_names_the_middle_of_the_first_pixel() {
        assert_eq!(world_file(WorldSize { height: 90 }), "2\n0\n0\n-2\n-179\n89\n");
    }
}
