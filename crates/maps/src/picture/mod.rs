//! Pictures of the ground: colours by what grows or by height, relief in the light, seas by depth, rivers and lakes.
//!
//! Pure computation on the calling thread: a view says where the pixels are, samples what lies under them, and the
//! painter gives them colours.

mod ground;
mod paint;
mod palette;
mod rivers;
mod sample;
mod terrarium;
mod view;

pub(crate) use ground::Pieces;
pub(crate) use paint::paint;
pub use palette::biome_color;
pub(crate) use palette::height_colors;
pub(crate) use rivers::Rivers;
pub(crate) use sample::{Samples, biome_numbers};
pub(crate) use terrarium::terrarium;
pub(crate) use view::View;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MapLayer {
    /// What grows there: natural colours.
    Biome,
    /// How high it is: tints by height.
    Elevation,
}

impl MapLayer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Biome, Self::Elevation];

    /// The name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Biome => "biome",
            Self::Elevation => "elevation",
        }
    }

    /// Inverse of [`name`](Self::name).
    pub fn parse_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.name() == name)
    }
}

/// A picture, row by row from the top, three bytes a pixel: red, green, blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels to a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `3 * width * height` bytes.
    pub rgb: Vec<u8>,
}
