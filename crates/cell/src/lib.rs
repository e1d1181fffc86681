//! Places on a sphere: S2 cell ids, the geometry of cells, and coverings.
//!
//! A [`CellId`] is bit-compatible with the published S2 ids, so other tools can read ours; the arithmetic is
//! our own, because it must give the same bits on every target: integers, `+ - * /` and `sqrt` only, and crate
//! `libm` where an angle is unavoidable ([`LatLng`], [`CellId::area_sr`]).
//!
//! The sphere here has radius 1. A *point* is a [`glam::DVec3`] as in S2: z through the north pole, x through
//! latitude 0 and longitude 0. Functions that take a point need a direction, not a unit vector, unless they
//! say so.
//!
//! Read first: [`CellId`], [`LatLng`], [`Coverer`].
//!
//! This crate knows no metres, no terrain and no owners.

mod area;
mod cap;
mod covering;
mod frame;
mod hilbert;
mod id;
mod lat_lng;
mod neighbors;
mod position;
mod projection;
mod rect;
mod token;

pub use cap::{Cap, cover_cap};
pub use covering::{COVER_CELLS_MAX, Coverer, Region, TooManyCells, cover_at_level};
pub use frame::{TangentFrame, ij_axes};
pub use id::{CellId, FaceIj, MAX_LEVEL};
pub use lat_lng::{LatLng, LatLngError};
pub use neighbors::Neighbors;
pub use projection::{face_uv_to_point, point_to_face_uv, st_to_uv, uv_to_st};
pub use rect::{LatLngRect, cover_rect};
pub use token::ParseTokenError;

#[cfg(test)]
mod test_points;
