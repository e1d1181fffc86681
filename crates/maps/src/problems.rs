//! Every reason why a map route refuses.

use api::ProblemKind;
use axum::http::StatusCode;

/// The address names another planet.
pub(crate) const PLANET_UNKNOWN: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "planet_unknown", "This node has another planet");
/// No such layer of pictures.
pub(crate) const LAYER_UNKNOWN: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "layer_unknown", "There is no such layer");
/// Not a format that this is made in.
pub(crate) const FORMAT_UNKNOWN: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "format_unknown", "There is no such format");
/// Beyond the pyramid.
pub(crate) const TILE_UNKNOWN: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "tile_unknown", "There is no such tile");
/// A cell that has no chunk.
pub(crate) const CHUNK_UNKNOWN: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "chunk_unknown", "There is no such chunk");
/// A range beyond the end.
pub(crate) const RANGE_NOT_SATISFIABLE: ProblemKind = ProblemKind::new(
    StatusCode::RANGE_NOT_SATISFIABLE,
    "range_not_satisfiable",
    "The range begins beyond the end",
);
/// More is asked for than can be drawn.
pub(crate) const MAPS_BUSY: ProblemKind =
    ProblemKind::new(StatusCode::SERVICE_UNAVAILABLE, "maps_busy", "Too many maps are being drawn");
/// The host that absolute addresses would name cannot be read.
pub(crate) const HOST_INVALID: ProblemKind =
    ProblemKind::new(StatusCode::BAD_REQUEST, "host_invalid", "The Host header is missing or malformed");
