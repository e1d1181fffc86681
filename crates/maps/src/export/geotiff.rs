//! GeoTIFF (OGC 19-008r4): a TIFF that says where on which sphere it is.

use std::io::{self, Seek, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use planet::{Biome, Planet};
use tiff::TiffResult;
use tiff::encoder::{DirectoryEncoder, TiffEncoder, TiffKindStandard};
use tiff::tags::{CompressionMethod, PhotometricInterpretation, Predictor, SampleFormat, Tag};

use super::rows::{Rows, STRIP_ROWS, relief};
use super::{ExportError, WorldSize};
use crate::painter::WorldStrip;
use crate::picture::biome_color;

/// Text in GDAL's own form of metadata.
const GDAL_METADATA: Tag = Tag::Unknown(42_112);

type Directory<'a, W> = DirectoryEncoder<'a, W, TiffKindStandard>;

pub(super) fn write_elevation<W: Write + Seek, F: Fn(WorldStrip) -> Vec<i16> + Sync>(
    planet: &Planet,
    size: WorldSize,
    out: W,
    rows: Rows<'_, F>,
) -> Result<(), ExportError> {
    let mut file = TiffEncoder::new(out)?;
    let mut image = file.image_directory()?;
    place(&mut image, planet, size)?;
    let scale = relief(planet.spec().shift);
    describe(
        &mut image,
        &[
            ("DESCRIPTION", "height of the ground on a planet of Earth's size".to_owned()),
            ("UNITTYPE", "metre".to_owned()),
            ("HEIGHT_SCALE", format!("{scale}")),
        ],
    )?;
    image.write_tag(Tag::BitsPerSample, 16_u16)?;
    image.write_tag(Tag::SampleFormat, SampleFormat::Int.to_u16())?;
    image.write_tag(Tag::PhotometricInterpretation, PhotometricInterpretation::BlackIsZero.to_u16())?;
    image.write_tag(Tag::Predictor, Predictor::Horizontal.to_u16())?;
    // Differences to the neighbour in the west pack better than heights.
    write_strips(image, size, rows, |heights, bytes| {
        for row in heights.chunks_exact(size.width() as usize) {
            let west = [0].iter().chain(row);
            let differences = row.iter().zip(west).map(|(height, west)| height.wrapping_sub(*west));
            bytes.extend(differences.flat_map(i16::to_ne_bytes));
        }
    })
}

pub(super) fn write_biomes<W: Write + Seek, F: Fn(WorldStrip) -> Vec<u8> + Sync>(
    planet: &Planet,
    size: WorldSize,
    out: W,
    rows: Rows<'_, F>,
) -> Result<(), ExportError> {
    let mut file = TiffEncoder::new(out)?;
    let mut image = file.image_directory()?;
    place(&mut image, planet, size)?;
    let numbers = Biome::ALL.map(|biome| ("BIOME", format!("{} {}", biome as u8, biome.name())));
    describe(&mut image, &numbers)?;
    image.write_tag(Tag::BitsPerSample, 8_u16)?;
    image.write_tag(Tag::SampleFormat, SampleFormat::Uint.to_u16())?;
    image.write_tag(Tag::PhotometricInterpretation, PhotometricInterpretation::RGBPalette.to_u16())?;
    image.write_tag(Tag::ColorMap, &color_map()[..])?;
    write_strips(image, size, rows, |numbers, bytes| bytes.extend_from_slice(numbers))
}

/// Writes the pixels, packed strip by strip as they come. The crate's own image encoder packs only images that are
/// whole in memory.
fn write_strips<W: Write + Seek, T: Send, F: Fn(WorldStrip) -> Vec<T> + Sync>(
    mut image: Directory<'_, W>,
    size: WorldSize,
    rows: Rows<'_, F>,
    to_bytes: impl Fn(&[T], &mut Vec<u8>),
) -> Result<(), ExportError> {
    let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
    rows.write(|values| -> TiffResult<()> {
        let mut bytes = Vec::with_capacity(size_of_val(values));
        to_bytes(values, &mut bytes);
        let packed = pack(&bytes)?;
        lengths.push(packed.len() as u32);
        // Offsets of the standard kind of TIFF have 32 bits; the largest raster is far below.
        offsets.push(image.write_data(&packed[..])? as u32);
        Ok(())
    })?;
    image.write_tag(Tag::ImageWidth, size.width())?;
    image.write_tag(Tag::ImageLength, size.height())?;
    image.write_tag(Tag::SamplesPerPixel, 1_u16)?;
    image.write_tag(Tag::Compression, CompressionMethod::Deflate.to_u16())?;
    image.write_tag(Tag::RowsPerStrip, STRIP_ROWS)?;
    image.write_tag(Tag::StripOffsets, &offsets[..])?;
    image.write_tag(Tag::StripByteCounts, &lengths[..])?;
    Ok(image.finish()?)
}

fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// All reds, greens and blues of 256 colours, 16 bits each.
fn color_map() -> Vec<u16> {
    let channel = |index: usize| {
        (0..=u8::MAX).map(move |number| {
            let color = Biome::from_number(number).map_or([0; 3], biome_color);
            u16::from(color[index]) * 257
        })
    };
    (0..3).flat_map(channel).collect()
}

/// Degrees on a sphere of the planet's radius.
fn place<W: Write + Seek>(image: &mut Directory<'_, W>, planet: &Planet, size: WorldSize) -> TiffResult<()> {
    /// "Defined here", where a code of a known thing could stand.
    const USER_DEFINED: u16 = 32_767;
    const DOUBLES: u16 = Tag::GeoDoubleParamsTag.to_u16();
    const TEXTS: u16 = Tag::GeoAsciiParamsTag.to_u16();

    let spec = planet.spec();
    let name = format!("Terrane planet, seed {}, shift {}|", spec.seed, spec.shift);
    let parts = "GCS Name = Terrane|Datum = Terrane|Ellipsoid = Terrane sphere|Primem = Reference meridian||";
    let (name_length, parts_length) = (name.len() as u16, parts.len() as u16);
    let keys: [[u16; 4]; 13] = [
        // Version 1, revision 1.1, how many keys follow.
        [1, 1, 1, 12],
        // GTModelType: geographic. GTRasterType: a pixel is an area. GTCitation.
        [1_024, 0, 1, 2],
        [1_025, 0, 1, 1],
        [1_026, TEXTS, name_length, 0],
        // GeographicType, GeogCitation, GeogGeodeticDatum.
        [2_048, 0, 1, USER_DEFINED],
        [2_049, TEXTS, parts_length, name_length],
        [2_050, 0, 1, USER_DEFINED],
        // GeogPrimeMeridian, GeogAngularUnits: degrees. GeogEllipsoid.
        [2_051, 0, 1, USER_DEFINED],
        [2_054, 0, 1, 9_102],
        [2_056, 0, 1, USER_DEFINED],
        // GeogSemiMajorAxis, GeogSemiMinorAxis, GeogPrimeMeridianLong.
        [2_057, DOUBLES, 1, 0],
        [2_058, DOUBLES, 1, 1],
        [2_061, DOUBLES, 1, 2],
    ];
    let step = 180.0 / f64::from(size.height());
    image.write_tag(Tag::ModelPixelScaleTag, &[step, step, 0.0][..])?;
    image.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, -180.0, 90.0, 0.0][..])?;
    image.write_tag(Tag::GeoKeyDirectoryTag, keys.as_flattened())?;
    image.write_tag(Tag::GeoDoubleParamsTag, &[planet.radius_m(), planet.radius_m(), 0.0][..])?;
    image.write_tag(Tag::GeoAsciiParamsTag, format!("{name}{parts}").as_str())
}

/// Facts in the form that GDAL shows. Names that repeat are numbered.
fn describe<W: Write + Seek>(image: &mut Directory<'_, W>, facts: &[(&str, String)]) -> TiffResult<()> {
    let items: String = facts
        .iter()
        .map(|(name, value)| match *name {
            "DESCRIPTION" | "UNITTYPE" => {
                let role = name.to_lowercase();
                format!(r#"<Item name="{name}" sample="0" role="{role}">{value}</Item>"#)
            }
            "BIOME" => {
                let (number, name) = value.split_once(' ').unwrap_or((value, ""));
                format!(r#"<Item name="BIOME_{number}">{name}</Item>"#)
            }
            name => format!(r#"<Item name="{name}">{value}</Item>"#),
        })
        .collect();
    image.write_tag(GDAL_METADATA, format!("<GDALMetadata>{items}</GDALMetadata>").as_str())
}
