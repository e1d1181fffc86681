//! GeoTIFF (OGC 19-008r4): a TIFF that says where on which sphere it is.

use std::io::{Seek, Write};

use planet::{Biome, Planet};
use tiff::TiffResult;
use tiff::encoder::colortype::{ColorType, Gray8, GrayI16};
use tiff::encoder::compression::DeflateLevel;
use tiff::encoder::{Compression, ImageEncoder, Predictor, TiffEncoder, TiffKindStandard, TiffValue};
use tiff::tags::{PhotometricInterpretation, Tag};

use super::rows::{Rows, relief};
use super::{ExportError, WorldSize};
use crate::painter::WorldStrip;
use crate::picture::biome_color;

/// Text in GDAL's own form of metadata.
const GDAL_METADATA: Tag = Tag::Unknown(42_112);

type File<W> = TiffEncoder<W, TiffKindStandard>;
type Image<'a, W, C> = ImageEncoder<'a, W, C, TiffKindStandard>;

pub(super) fn write_elevation<W: Write + Seek, F: Fn(WorldStrip) -> Vec<i16> + Sync>(
    planet: &Planet,
    size: WorldSize,
    out: W,
    rows: Rows<'_, F>,
) -> Result<(), ExportError> {
    let mut file: File<W> = packed(out, Predictor::Horizontal)?;
    let mut image = file.new_image::<GrayI16>(size.width(), size.height())?;
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
    write_rows(image, rows)
}

pub(super) fn write_biomes<W: Write + Seek, F: Fn(WorldStrip) -> Vec<u8> + Sync>(
    planet: &Planet,
    size: WorldSize,
    out: W,
    rows: Rows<'_, F>,
) -> Result<(), ExportError> {
    let mut file: File<W> = packed(out, Predictor::None)?;
    let mut image = file.new_image::<Gray8>(size.width(), size.height())?;
    place(&mut image, planet, size)?;
    let numbers = Biome::ALL.map(|biome| ("BIOME", format!("{} {}", biome as u8, biome.name())));
    describe(&mut image, &numbers)?;
    let palette = PhotometricInterpretation::RGBPalette.to_u16();
    image.encoder().write_tag(Tag::PhotometricInterpretation, palette)?;
    image.encoder().write_tag(Tag::ColorMap, &color_map()[..])?;
    write_rows(image, rows)
}

fn packed<W: Write + Seek>(out: W, predictor: Predictor) -> TiffResult<File<W>> {
    let compression = Compression::Deflate(DeflateLevel::Balanced);
    Ok(TiffEncoder::new(out)?.with_compression(compression).with_predictor(predictor))
}

/// Writes the rows in strips as high as they come.
fn write_rows<W: Write + Seek, C: ColorType, F: Fn(WorldStrip) -> Vec<C::Inner> + Sync>(
    mut image: Image<'_, W, C>,
    rows: Rows<'_, F>,
) -> Result<(), ExportError>
where
    C::Inner: Send + Copy,
    [C::Inner]: TiffValue,
{
    let mut waiting: Vec<C::Inner> = Vec::new();
    rows.write(|values| -> TiffResult<()> {
        waiting.extend_from_slice(values);
        let mut written = 0;
        loop {
            let strip = image.next_strip_sample_count() as usize;
            if strip == 0 || waiting.len() - written < strip {
                break;
            }
            image.write_strip(&waiting[written..written + strip])?;
            written += strip;
        }
        waiting.drain(..written);
        Ok(())
    })?;
    Ok(image.finish()?)
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
fn place<W: Write + Seek, C: ColorType>(
    image: &mut Image<'_, W, C>,
    planet: &Planet,
    size: WorldSize,
) -> TiffResult<()> {
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
    let tags = image.encoder();
    tags.write_tag(Tag::ModelPixelScaleTag, &[step, step, 0.0][..])?;
    tags.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, -180.0, 90.0, 0.0][..])?;
    tags.write_tag(Tag::GeoKeyDirectoryTag, keys.as_flattened())?;
    tags.write_tag(Tag::GeoDoubleParamsTag, &[planet.radius_m(), planet.radius_m(), 0.0][..])?;
    tags.write_tag(Tag::GeoAsciiParamsTag, format!("{name}{parts}").as_str())
}

/// Facts in the form that GDAL shows. Names that repeat are numbered.
fn describe<W: Write + Seek, C: ColorType>(
    image: &mut Image<'_, W, C>,
    facts: &[(&str, String)],
) -> TiffResult<()> {
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
    image.encoder().write_tag(GDAL_METADATA, format!("<GDALMetadata>{items}</GDALMetadata>").as_str())
}
