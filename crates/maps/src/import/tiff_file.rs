//! Heights from a TIFF, with what GeoTIFF and GDAL say about them.

use std::io::ErrorKind::UnexpectedEof;
use std::io::{Read, Seek};

use tiff::decoder::ifd::Value;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{CompressionMethod, Tag};
use tiff::{ColorType, TiffError};

use super::placement::GeoTags;
use super::reduced::Reduced;
use super::{Heights, ImportError, PIXELS_MAX, check_shape};

const MODEL_TRANSFORMATION: Tag = Tag::Unknown(34_264);
const GDAL_METADATA: Tag = Tag::Unknown(42_112);

/// The longest text of metadata that is looked at.
const METADATA_BYTES_MAX: usize = 1 << 20;

impl From<TiffError> for ImportError {
    fn from(error: TiffError) -> Self {
        match error {
            TiffError::IoError(error) if error.kind() != UnexpectedEof => Self::Io(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// How the numbers of a file become metres.
struct Meaning {
    scale: f32,
    offset: f32,
    /// The number that stands for no value.
    hole: Option<f32>,
}

impl Meaning {
    fn height_m(&self, value: f32) -> f32 {
        if Some(value) == self.hole { f32::NAN } else { value * self.scale + self.offset }
    }
}

pub(super) fn read(file: impl Read + Seek) -> Result<Heights, ImportError> {
    let mut limits = Limits::default();
    // A file may be one great strip.
    limits.decoding_buffer_size = PIXELS_MAX as usize * size_of::<f32>();
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    let mut decoder = Decoder::new(file)?.with_limits(limits);
    let (columns, rows) = decoder.dimensions()?;
    let color = decoder.colortype()?;
    if !matches!(color, ColorType::Gray(16 | 32)) {
        return Err(ImportError::NotHeights { found: format!("{color:?}") });
    }
    check_shape(columns, rows)?;
    let turn = geo_tags(&mut decoder)?.turn(columns, rows)?;
    let meaning = meaning(&mut decoder)?;

    let is_lzw = decoder.find_tag_unsigned(Tag::Compression)? == Some(CompressionMethod::LZW.to_u16());
    let mut heights = Reduced::new(columns, rows);
    let (chunk_width, chunk_height) = decoder.chunk_dimensions();
    let across = columns.div_ceil(chunk_width);
    for chunk in 0..across * rows.div_ceil(chunk_height) {
        let (left, top) = (chunk % across * chunk_width, chunk / across * chunk_height);
        let (width, _) = decoder.chunk_data_dimensions(chunk);
        let values = decoder.read_chunk(chunk).map_err(|error| match error {
            // Tiles that stand over the edge are read a row at a time, and with LZW the decoder may then miss the end
            // of a good tile (image-tiff issue 395).
            TiffError::IoError(error) if is_lzw && error.kind() == UnexpectedEof => ImportError::Lzw,
            other => other.into(),
        })?;
        put(&mut heights, (left, top), width, &values, &meaning)?;
    }
    heights.finish(turn)
}

/// Adds the pixels of a strip or tile.
fn put(
    heights: &mut Reduced,
    (left, top): (u32, u32),
    width: u32,
    values: &DecodingResult,
    meaning: &Meaning,
) -> Result<(), ImportError> {
    let mut put_all = |values: &mut dyn Iterator<Item = f32>| {
        let mut values = values.map(|value| meaning.height_m(value)).peekable();
        let mut row = top;
        while values.peek().is_some() {
            heights.put(row, left, values.by_ref().take(width as usize));
            row += 1;
        }
    };
    match values {
        DecodingResult::I16(values) => put_all(&mut values.iter().map(|value| f32::from(*value))),
        DecodingResult::U16(values) => put_all(&mut values.iter().map(|value| f32::from(*value))),
        DecodingResult::F32(values) => put_all(&mut values.iter().copied()),
        _ => return Err(ImportError::NotHeights { found: "32-bit integers".to_owned() }),
    }
    Ok(())
}

fn geo_tags<R: Read + Seek>(decoder: &mut Decoder<R>) -> Result<GeoTags, ImportError> {
    let mut doubles = |tag| -> Result<Vec<f64>, ImportError> {
        Ok(decoder.find_tag(tag)?.map(Value::into_f64_vec).transpose()?.unwrap_or_default())
    };
    let (pixel_scale, tie_point, transformation) =
        (doubles(Tag::ModelPixelScaleTag)?, doubles(Tag::ModelTiepointTag)?, doubles(MODEL_TRANSFORMATION)?);
    let keys = decoder.find_tag_unsigned_vec(Tag::GeoKeyDirectoryTag)?.unwrap_or_default();
    Ok(GeoTags { pixel_scale, tie_point, transformation, keys })
}

fn meaning<R: Read + Seek>(decoder: &mut Decoder<R>) -> Result<Meaning, ImportError> {
    let mut text = |tag| -> Result<Option<String>, ImportError> {
        Ok(decoder.find_tag(tag)?.map(Value::into_string).transpose()?)
    };
    let hole = text(Tag::GdalNodata)?.and_then(|text| text.trim_end_matches('\0').trim().parse().ok());
    let metadata = text(GDAL_METADATA)?.filter(|text| text.len() <= METADATA_BYTES_MAX).unwrap_or_default();
    let number = |role| item(&metadata, role).and_then(|text| text.parse().ok());
    Ok(Meaning { scale: number("scale").unwrap_or(1.0), offset: number("offset").unwrap_or(0.0), hole })
}

/// The text of the item with a role, in GDAL's own little XML: `<Item name="SCALE" sample="0" role="scale">0.1</Item>`.
fn item<'m>(metadata: &'m str, role: &str) -> Option<&'m str> {
    let start = metadata.find(&format!("role=\"{role}\""))?;
    let (_, rest) = metadata[start..].split_once('>')?;
    rest.split_once('<').map(|(text, _)| text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gdals_scale_and_offset_are_found() {
        let metadata = "<GDALMetadata>\n <Item name=\"OFFSET\" sample=\"0\" role=\"offset\">-5</Item>\
                        <Item name=\"SCALE\" sample=\"0\" role=\"scale\"> 0.1 </Item></GDALMetadata>";
        assert_eq!((item(metadata, "scale"), item(metadata, "offset")), (Some("0.1"), Some("-5")));
        assert_eq!((item(metadata, "unittype"), item("role=\"scale\"", "scale")), (None, None));
    }

    #[test]
    fn holes_become_no_number() {
        let meaning = Meaning { scale: 0.5, offset: 10.0, hole: Some(-32_768.0) };
        assert_eq!(meaning.height_m(100.0), 60.0);
        assert!(meaning.height_m(-32_768.0).is_nan() && meaning.height_m(f32::NAN).is_nan());
    }
}
