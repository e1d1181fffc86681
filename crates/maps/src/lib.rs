//! Maps: pictures of the planet for map clients, and files for other tools.
//!
//! - [`Painter`] makes pictures: tiles of the Web-Mercator pyramid ([`TileXyz`]), tiles of the cube's faces without
//!   its stretch ([`FaceTile`]), the whole world.
//!
//! It never changes the planet and keeps nothing that could not be made again.
//!
//! Read first: [`Painter`], `picture/mod.rs`.

mod address;
mod encode;
mod painter;
mod picture;

pub use address::{AddressError, FaceTile, TILE_PIXELS, TileXyz, face_level_max, zoom_max};
pub use encode::ImageFormat;
pub use painter::Painter;
pub use picture::{MapLayer, Picture, biome_color};
