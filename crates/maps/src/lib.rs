//! Maps: pictures of the planet for map clients, its ground and its artifact over HTTP, and files for other tools.
//!
//! - [`Painter`] makes pictures: tiles of the Web-Mercator pyramid ([`TileXyz`]), tiles of the cube's faces without
//!   its stretch ([`FaceTile`]), the whole world.
//! - [`MapService`] keeps what was made, lets few jobs run at once and refuses what is too much; [`routes`] speaks
//!   HTTP.
//!
//! - [`export`] writes rasters of the whole planet that GDAL opens, [`import`] reads heights from such files.
//!
//! It never changes the planet and keeps nothing that could not be made again.
//!
//! Read first: [`Painter`], [`MapService`], `picture/mod.rs`.

mod address;
mod encode;
pub mod export;
mod file;
pub mod import;
mod job;
mod legend;
mod painter;
mod picture;
mod places;
mod problems;
mod range;
mod routes;
mod service;

pub use address::{AddressError, FaceTile, TILE_PIXELS, TileXyz, face_level_max, zoom_max};
pub use encode::ImageFormat;
pub use legend::LegendEntry;
pub use painter::Painter;
pub use picture::{MapLayer, Picture, biome_color};
pub use routes::routes;
pub use service::{Deps, MapLimits, MapService};

/// Grows whenever the same planet is drawn otherwise: addresses of pictures name it, because they are kept for ever.
pub const PICTURE_VERSION: u32 = 1;
