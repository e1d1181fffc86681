//! What can be asked for that has to be computed, and how it is made into a file.

use std::io::Write as _;

use axum::body::Bytes;
use cell::CellId;
use planet::Planet;
use serde::Serialize;
use utoipa::ToSchema;

use crate::address::{FaceTile, TileXyz};
use crate::encode::ImageFormat;
use crate::file::File;
use crate::painter::Painter;
use crate::picture::MapLayer;

/// The media type of a chunk in the codec of crate `planet`.
const CHUNK_MEDIA_TYPE: &str = "application/vnd.terrane.chunk";

/// One thing to make. Equal jobs give equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    Tile {
        layer: MapLayer,
        tile: TileXyz,
        format: ImageFormat,
    },
    FaceTile {
        layer: MapLayer,
        tile: FaceTile,
        format: ImageFormat,
    },
    /// Heights in the colours of Terrarium.
    Dem(TileXyz),
    Chunk {
        cell: CellId,
        form: ChunkForm,
    },
}

/// How a chunk is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ChunkForm {
    Binary,
    Json,
    JsonGzip,
}

impl Job {
    /// For metrics.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Tile { .. } => "tile",
            Self::FaceTile { .. } => "face_tile",
            Self::Dem(_) => "dem",
            Self::Chunk { .. } => "chunk",
        }
    }

    /// Makes it: milliseconds of computation on the calling thread.
    pub(crate) fn make(self, painter: &Painter) -> File {
        match self {
            Self::Tile { layer, tile, format } => {
                File::new(format.media_type(), format.encode(&painter.tile(layer, tile)))
            }
            Self::FaceTile { layer, tile, format } => {
                File::new(format.media_type(), format.encode(&painter.face_tile(layer, tile)))
            }
            Self::Dem(tile) => {
                let png = ImageFormat::Png;
                File::new(png.media_type(), png.encode(&painter.terrarium(tile)))
            }
            Self::Chunk { cell, form } => chunk(painter.planet(), cell, form),
        }
    }
}

/// The ground of a cell as a grid of 65 × 65 vertices: the corners of the cells six levels below. Row by row, columns
/// along i, rows along j.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ChunkAnswer {
    /// The cell's S2 token.
    #[schema(example = "4be64c")]
    token: String,
    /// Its level.
    level: u8,
    /// Vertices along a side.
    #[schema(example = 65)]
    side: usize,
    /// Height of the ground above the sea at each vertex.
    elevation_m: Vec<f64>,
    /// Height of the surface of the water that covers it; null where it is dry.
    water_m: Vec<Option<f64>>,
    /// Mean temperature of the year.
    temperature_c: Vec<f64>,
    /// Rain of the year.
    rain_mm: Vec<f64>,
    /// Number of the biome, as in `legend/biome`.
    biome: Vec<u8>,
}

fn chunk(planet: &Planet, cell: CellId, form: ChunkForm) -> File {
    const JSON: &str = "application/json";
    match form {
        ChunkForm::Binary => File::new(CHUNK_MEDIA_TYPE, planet::codec::encode(&planet.chunk(cell))),
        ChunkForm::Json => File::new(JSON, chunk_json(planet, cell)),
        ChunkForm::JsonGzip => File::new(JSON, gzip(&chunk_json(planet, cell))).packed(),
    }
}

fn chunk_json(planet: &Planet, cell: CellId) -> Vec<u8> {
    let patch = planet.patch(cell, planet::CHUNK_SIDE as u32 - 1, 0);
    // Adding zero turns -0 into 0.
    let rounded = |value: &f32, steps: f64| (f64::from(*value) * steps).round() / steps + 0.0;
    let list = |values: &[f32], steps: f64| values.iter().map(|value| rounded(value, steps)).collect();
    let answer = ChunkAnswer {
        token: cell.token(),
        level: cell.level(),
        side: planet::CHUNK_SIDE,
        elevation_m: list(&patch.elevations_m, 1_000.0),
        water_m: patch
            .water_m
            .iter()
            .map(|surface| (!surface.is_nan()).then(|| rounded(surface, 1_000.0)))
            .collect(),
        temperature_c: list(&patch.temperatures_c, 10.0),
        rain_mm: list(&patch.rain_mm, 1.0),
        biome: patch.biomes.iter().map(|biome| *biome as u8).collect(),
    };
    serde_json::to_vec(&answer).expect("plain numbers")
}

fn gzip(content: &[u8]) -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(4));
    encoder.write_all(content).expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail").into()
}
