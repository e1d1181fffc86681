//! Heights from a PNG.

use std::io::{BufRead, Seek};

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};

use super::reduced::Reduced;
use super::{Heights, ImportError, check_shape};
use crate::export::HEIGHT_OFFSET_M;

/// What a decoder may take besides a row.
const DECODER_BYTES_MAX: usize = 16 << 20;

impl From<DecodingError> for ImportError {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                Self::Io(error)
            }
            other => Self::Damaged(other.to_string()),
        }
    }
}

pub(super) fn read(file: impl BufRead + Seek) -> Result<Heights, ImportError> {
    let mut decoder = Decoder::new_with_limits(file, Limits { bytes: DECODER_BYTES_MAX });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info()?;
    let info = reader.info();
    let (columns, rows) = (info.width, info.height);
    if (info.color_type, info.bit_depth) != (ColorType::Grayscale, BitDepth::Sixteen) {
        let found = format!("{:?} of {} bits", info.color_type, info.bit_depth as u8);
        return Err(ImportError::NotHeights { found });
    }
    if info.interlaced {
        return Err(ImportError::Damaged("interlaced PNG is not read: save it without".to_owned()));
    }
    check_shape(columns, rows)?;
    let mut heights = Reduced::new(columns, rows);
    for row in 0..rows {
        let Some(pixels) = reader.next_row()? else {
            return Err(ImportError::Damaged("rows are missing".to_owned()));
        };
        let (values, _) = pixels.data().as_chunks::<2>();
        let offset = HEIGHT_OFFSET_M as f32;
        heights.put(row, 0, values.iter().map(|value| f32::from(u16::from_be_bytes(*value)) - offset));
    }
    heights.finish(0.0)
}
