//! Pictures as files.

use std::io;

use png::{BitDepth, ColorType, Compression, Filter};

use crate::picture::Picture;

/// A file format for pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageFormat {
    /// Lossless.
    Png,
    /// Lossy, a tenth of the size.
    Webp,
}

/// Of lossy pictures, 0 to 100: above it hills look the same.
const WEBP_QUALITY: f32 = 82.0;

/// libwebp's effort, 0 to 6.
const WEBP_METHOD: i32 = 2;

impl ImageFormat {
    /// The ending of addresses and file names, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// Inverse of [`extension`](Self::extension).
    pub fn parse_extension(extension: &str) -> Option<Self> {
        [Self::Png, Self::Webp].into_iter().find(|format| format.extension() == extension)
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// The picture as a file of this format.
    ///
    /// # Panics
    /// If the picture is wider or higher than 16 383 pixels (the most that WebP can hold), or its bytes are not as
    /// many as its pixels need.
    pub fn encode(self, picture: &Picture) -> Vec<u8> {
        match self {
            Self::Png => png(picture).expect("writing a valid picture to memory does not fail"),
            Self::Webp => webp(picture),
        }
    }
}

/// Eight bits a channel, no gamma, no profile: what raster-dem readers need as well.
fn png(picture: &Picture) -> io::Result<Vec<u8>> {
    let mut file = Vec::with_capacity(picture.rgb.len() / 2);
    let mut encoder = png::Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.rgb)?;
    writer.finish()?;
    Ok(file)
}

fn webp(picture: &Picture) -> Vec<u8> {
    let mut config = webp::WebPConfig::new().expect("libwebp is of the version it was built as");
    config.quality = WEBP_QUALITY;
    config.method = WEBP_METHOD;
    let encoder = webp::Encoder::from_rgb(&picture.rgb, picture.width, picture.height);
    encoder.encode_advanced(&config).expect("a picture of valid size").to_vec()
}
