//! Heights of a real planet from a file: an equirectangular raster of the whole sphere, GeoTIFF or 16-bit PNG.
//!
//! Values are metres on a planet of the size of Earth, with the file's own scale and offset applied where it states
//! them. PNG has no numbers below zero: 32,768 is the sea, as [`crate::export`] writes it.
//!
//! A raster that covers only a part, lies in a projection, has holes, or is of a kind that cannot be heights is refused
//! with the reason. Files from strangers cost no more memory than [`PIXELS_MAX`] allows.

mod placement;
mod png16;
mod reduced;
mod tiff_file;

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _};
use std::path::Path;

use thiserror::Error;

pub use placement::Extent;

/// Rasters may have this many pixels: those of one arc minute have 233 million.
pub const PIXELS_MAX: u64 = 300_000_000;

/// Columns of the heights that come out at most; finer files are averaged. The finest raster of a planet has 4,096
/// cells along the equator.
pub const COLUMNS_MAX: u32 = 8_192;

/// Columns below which a file says too little of a planet.
pub const COLUMNS_MIN: u32 = 64;

/// Heights all over a sphere, equirectangular: row 0 in the north, column 0 at longitude −180°, each value the mean of
/// its pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Heights {
    /// Values to a row.
    pub columns: u32,
    /// Rows, about half as many as columns.
    pub rows: u32,
    /// Metres above the sea, row by row; all finite.
    pub heights_m: Vec<f32>,
}

/// Why a file gives no heights.
#[derive(Debug, Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Neither TIFF nor PNG.
    #[error("the file is neither TIFF nor PNG")]
    UnknownFormat,
    /// It begins like one of them and goes on otherwise.
    #[error("the file is damaged or uses a feature that is not known: {0}")]
    Damaged(String),
    /// Cut off, or packed with LZW in a way that the decoder gives up on.
    #[error(
        "the file's LZW data ends too early for its decoder; if it is whole, pack it otherwise: \
         gdal_translate -co COMPRESS=DEFLATE in.tif out.tif"
    )]
    Lzw,
    /// Colours, several bands, 8 bits.
    #[error("heights must be one band of 16-bit integers or 32-bit floats; this file has {found}")]
    NotHeights {
        /// What the file has.
        found: String,
    },
    /// Not twice as wide as high.
    #[error("a whole planet is twice as wide as high; this file has {columns} × {rows} pixels")]
    NotTwoToOne {
        /// Pixels to a row.
        columns: u32,
        /// Rows.
        rows: u32,
    },
    /// Hardly any pixels.
    #[error("{columns} columns are too few: at least {COLUMNS_MIN} are needed")]
    TooSmall {
        /// Pixels to a row.
        columns: u32,
    },
    /// More pixels than are taken.
    #[error(
        "{columns} × {rows} pixels are too many: at most {PIXELS_MAX} are taken, so make it coarser first"
    )]
    TooLarge {
        /// Pixels to a row.
        columns: u32,
        /// Rows.
        rows: u32,
    },
    /// Metres on a map instead of degrees on the sphere.
    #[error("the file is in a map projection: convert it to latitude and longitude first (gdalwarp -t_srs)")]
    Projected,
    /// Turned or mirrored pixels.
    #[error("rows must go from north to south and columns from west to east")]
    Turned,
    /// A part of the planet.
    #[error("the file covers {extent} instead of the whole planet")]
    NotWholePlanet {
        /// What it covers.
        extent: Extent,
    },
    /// Pixels without a value.
    #[error("{count} pixels have no value: fill them first (gdal_fillnodata.py)")]
    Holes {
        /// How many.
        count: u64,
    },
    /// A height that no planet has.
    #[error("{height_m} m is no height: is the file in other units?")]
    Absurd {
        /// The first such height.
        height_m: f32,
    },
}

/// Heights beyond these are of no planet; Olympus Mons has 21.9 km.
const HEIGHT_MAX_M: f32 = 32_768.0;

/// Reads the heights of a file.
pub fn read(path: &Path) -> Result<Heights, ImportError> {
    const TIFF: [&[u8]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
    let mut file = BufReader::new(File::open(path)?);
    let mut start = [0; 8];
    let length = file.read(&mut start)?;
    file.rewind()?;
    let heights = match &start[..length] {
        start if TIFF.iter().any(|magic| start.starts_with(magic)) => tiff_file::read(file)?,
        b"\x89PNG\r\n\x1a\n" => png16::read(file)?,
        _ => return Err(ImportError::UnknownFormat),
    };
    match heights.heights_m.iter().find(|height_m| height_m.abs() > HEIGHT_MAX_M) {
        Some(height_m) => Err(ImportError::Absurd { height_m: *height_m }),
        None => Ok(heights),
    }
}

/// Refuses shapes that are no whole planet, before anything is unpacked.
fn check_shape(columns: u32, rows: u32) -> Result<(), ImportError> {
    if u64::from(columns) * u64::from(rows) > PIXELS_MAX {
        return Err(ImportError::TooLarge { columns, rows });
    }
    // Rasters whose pixels lie on the degrees have a row and a column more.
    if columns.abs_diff(2 * rows) > 2 {
        return Err(ImportError::NotTwoToOne { columns, rows });
    }
    if columns < COLUMNS_MIN { Err(ImportError::TooSmall { columns }) } else { Ok(()) }
}
