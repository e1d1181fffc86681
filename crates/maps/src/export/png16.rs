//! Rasters as PNG, for tools that know no TIFF.

use std::io::Write;

use planet::{Biome, Planet};
use png::{BitDepth, ColorType, Compression, Encoder, Filter};

use super::rows::{Rows, relief};
use super::{ExportError, WorldSize};
use crate::painter::WorldStrip;
use crate::picture::biome_color;

/// What is added to a height, because PNG has no numbers below zero: 32,768 is the sea.
pub const HEIGHT_OFFSET_M: i32 = 32_768;

pub(super) fn write_elevation<F: Fn(WorldStrip) -> Vec<i16> + Sync>(
    planet: &Planet,
    size: WorldSize,
    out: impl Write,
    rows: Rows<'_, F>,
) -> Result<(), ExportError> {
    let mut encoder = Encoder::new(out, size.width(), size.height());
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Sixteen);
    let description = format!(
        "Terrane planet, seed {}, shift {}: height of the ground in metres on a planet of Earth's size, \
         {HEIGHT_OFFSET_M} added; equirectangular, -180 to 180 and 90 to -90 degrees; heights on this planet \
         are {} of it",
        planet.spec().seed,
        planet.spec().shift,
        relief(planet.spec().shift),
    );
    encoder.add_text_chunk("Description".to_owned(), description)?;
    stream(encoder, rows, |heights, bytes| {
        let above_lowest = heights.iter().map(|height| (i32::from(*height) + HEIGHT_OFFSET_M) as u16);
        bytes.extend(above_lowest.flat_map(u16::to_be_bytes));
    })
}

pub(super) fn write_biomes<F: Fn(WorldStrip) -> Vec<u8> + Sync>(
    size: WorldSize,
    out: impl Write,
    rows: Rows<'_, F>,
) -> Result<(), ExportError> {
    let mut encoder = Encoder::new(out, size.width(), size.height());
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(Biome::ALL.map(biome_color).as_flattened().to_vec());
    stream(encoder, rows, |numbers, bytes| bytes.extend_from_slice(numbers))
}

fn stream<W: Write, T: Send, F: Fn(WorldStrip) -> Vec<T> + Sync>(
    mut encoder: Encoder<'_, W>,
    rows: Rows<'_, F>,
    to_bytes: impl Fn(&[T], &mut Vec<u8>),
) -> Result<(), ExportError> {
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    let mut pixels = writer.stream_writer()?;
    let mut bytes = Vec::new();
    rows.write(|values| {
        bytes.clear();
        to_bytes(values, &mut bytes);
        pixels.write_all(&bytes)
    })?;
    pixels.finish()?;
    Ok(writer.finish()?)
}
