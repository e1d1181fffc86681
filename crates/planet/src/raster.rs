//! What the global stage makes: the whole planet as a pyramid of rasters on the faces of the cube.
//!
//! The finest layer has 2^[`Raster::level`] cells a side of each face; every further layer has a quarter as many, down
//! to one tile a face. Layers are kept in tiles of 64 × 64 cells. A server holds all tiles; a browser holds those it
//! needs, and may put in and take out tiles at any time.
//!
//! Heights and discharges are those of a planet of Earth's size, so that one raster serves every shift.

use std::f32::consts::SQRT_2;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use cell::{CellId, FaceIj};

/// Raster cells along the side of a tile.
pub const TILE_SIDE: usize = 64;

/// Raster cells of a tile.
pub const TILE_CELLS: usize = TILE_SIDE * TILE_SIDE;

/// Levels between a tile, which is an S2 cell itself, and its raster cells.
const TILE_DEPTH: u8 = 6;

/// Levels between one layer of the pyramid and the next.
const LAYER_STEP: u8 = 2;

/// Coarsest raster a planet can have: one tile a face. Only tests use it.
pub const RASTER_LEVEL_MIN: u8 = TILE_DEPTH;

/// Finest raster, and the default: 1024 cells along a face, 9 km on Earth.
pub const RASTER_LEVEL_MAX: u8 = 10;

/// The steps of a receiver's eight directions, in the order of their numbers.
pub const DIRECTIONS: [(i64, i64); 8] =
    [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)];

/// Where the water of a raster cell goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// To the neighbour in this direction of [`DIRECTIONS`].
    Neighbor(u8),
    /// Nowhere: it is the sea.
    Sea,
    /// Nowhere: the lowest place of a basin without an outlet, where water evaporates.
    Sink,
}

/// Which tile: a layer by its level, and the S2 cell that the tile covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// Level of the raster cells, one of [`Raster::layers`].
    pub level: u8,
    /// The cell six levels above.
    pub cell: CellId,
}

impl TileId {
    /// The tile that holds a raster cell of a layer.
    pub fn holding(level: u8, FaceIj { face, i, j }: FaceIj) -> Self {
        let at = FaceIj { face, i: i >> TILE_DEPTH, j: j >> TILE_DEPTH };
        Self { level, cell: CellId::from_face_ij(at, level - TILE_DEPTH) }
    }

    /// Tiles of a layer in the order of their cells' ids.
    pub fn all_of(level: u8) -> impl Iterator<Item = Self> {
        (0..6)
            .flat_map(move |face| CellId::from_face(face).descendants(level - TILE_DEPTH))
            .map(move |cell| Self { level, cell })
    }
}

/// 64 × 64 raster cells, plane by plane; index `(j % 64) * 64 + i % 64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RasterTile {
    /// Ground over the sea, half metres. In a lake this is its bed.
    pub ground_half_m: [i16; TILE_CELLS],
    /// Depth of a lake over its bed, half metres; 0 elsewhere, in the sea too.
    pub lake_depth_half_m: [u16; TILE_CELLS],
    /// Low four bits: 0..=7 a direction of [`DIRECTIONS`], 8 sea, 9 sink. High four bits: Strahler order, 0 if none.
    pub drainage: [u8; TILE_CELLS],
    /// Mean discharge: 0 for none, else 2^((value − 65) / 8) m³/s, so 1/256 to about 14 million.
    pub discharge: [u8; TILE_CELLS],
    /// Mean temperature of the year at the ground: (value − 128) / 2 °C.
    pub temperature: [u8; TILE_CELLS],
    /// Rain of the year: value² / 8 mm, so 0 to 8 128.
    pub rain: [u8; TILE_CELLS],
    /// Number of the biome, [`crate::Biome`].
    pub biome: [u8; TILE_CELLS],
    /// Number of the rock and what it may hold, `Geology`.
    pub geology: [u8; TILE_CELLS],
    /// How fast the crust rises, value / 250 mm a year: high where mountains grow.
    pub uplift: [u8; TILE_CELLS],
}

impl Default for RasterTile {
    fn default() -> Self {
        Self {
            ground_half_m: [0; TILE_CELLS],
            lake_depth_half_m: [0; TILE_CELLS],
            drainage: [0; TILE_CELLS],
            discharge: [0; TILE_CELLS],
            temperature: [0; TILE_CELLS],
            rain: [0; TILE_CELLS],
            biome: [0; TILE_CELLS],
            geology: [0; TILE_CELLS],
            uplift: [0; TILE_CELLS],
        }
    }
}

/// One cell of a tile, decoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RasterCell {
    /// Ground (a lake's bed, the sea's floor) over the sea, metres on a planet of Earth's size.
    pub ground_m: f32,
    /// Surface of the lake that covers the cell.
    pub lake_surface_m: Option<f32>,
    /// Where its water goes.
    pub receiver: Receiver,
    /// Strahler order of the stream, 0 where there is none.
    pub stream_order: u8,
    /// Mean discharge on a planet of Earth's size, m³/s.
    pub discharge_m3_s: f32,
    /// Mean temperature of the year at the ground.
    pub temperature_c: f32,
    /// Rain of the year.
    pub rain_mm: f32,
    /// Number of the biome.
    pub biome: u8,
    /// Number of the rock.
    pub geology: u8,
    /// Uplift on a planet of Earth's size.
    pub uplift_mm_yr: f32,
}

/// 2^(k/8) for k in 0..8, so that discharges decode to the same bits everywhere.
const EIGHTH_POWERS: [f32; 8] =
    [1.0, 1.090_507_7, 1.189_207_1, 1.296_839_6, SQRT_2, 1.542_210_8, 1.681_792_9, 1.834_008_1];

/// The discharge of its number in a tile, m³/s.
pub fn discharge_m3_s(number: u8) -> f32 {
    if number == 0 {
        return 0.0;
    }
    let eighths = i32::from(number) - 65;
    let whole = eighths.div_euclid(8);
    let power = if whole >= 0 { (1_u32 << whole) as f32 } else { 1.0 / (1_u32 << -whole) as f32 };
    power * EIGHTH_POWERS[eighths.rem_euclid(8) as usize]
}

/// The number whose discharge is the greatest that is not above this one; 0 below 1/256 m³/s.
pub fn discharge_number(m3_s: f32) -> u8 {
    (1..=u8::MAX).rev().find(|number| discharge_m3_s(*number) <= m3_s).unwrap_or(0)
}

impl RasterTile {
    /// The cell of an index.
    pub fn cell(&self, index: usize) -> RasterCell {
        let ground_m = f32::from(self.ground_half_m[index]) * 0.5;
        let depth = self.lake_depth_half_m[index];
        let rain = f32::from(self.rain[index]);
        RasterCell {
            ground_m,
            lake_surface_m: (depth > 0).then(|| ground_m + f32::from(depth) * 0.5),
            receiver: match self.drainage[index] & 15 {
                direction @ 0..=7 => Receiver::Neighbor(direction),
                8 => Receiver::Sea,
                _ => Receiver::Sink,
            },
            stream_order: self.drainage[index] >> 4,
            discharge_m3_s: discharge_m3_s(self.discharge[index]),
            temperature_c: (f32::from(self.temperature[index]) - 128.0) * 0.5,
            rain_mm: rain * rain / 8.0,
            biome: self.biome[index],
            geology: self.geology[index],
            uplift_mm_yr: f32::from(self.uplift[index]) / 250.0,
        }
    }
}

/// The pyramid. Tiles may be put in and taken out through a shared reference.
#[derive(Debug)]
pub struct Raster {
    level: u8,
    layers: Vec<Layer>,
    insertions: AtomicU64,
}

#[derive(Debug)]
struct Layer {
    level: u8,
    /// In the order of [`Layer::slot`].
    tiles: Vec<RwLock<Option<Arc<RasterTile>>>>,
}

impl Layer {
    fn slot(level: u8, cell: CellId) -> usize {
        let side = 1_usize << (level - TILE_DEPTH);
        let FaceIj { face, i, j } = cell.face_ij();
        (usize::from(face) * side + j as usize) * side + i as usize
    }
}

impl Raster {
    /// A pyramid without any tile, its finest layer at `level`.
    ///
    /// # Panics
    /// If the level is not in [`RASTER_LEVEL_MIN`]..=[`RASTER_LEVEL_MAX`].
    pub fn empty(level: u8) -> Self {
        let layers = Self::layers(level)
            .map(|level| {
                let tiles = 6 << (2 * (level - TILE_DEPTH));
                Layer { level, tiles: (0..tiles).map(|_| RwLock::new(None)).collect() }
            })
            .collect();
        Self { level, layers, insertions: AtomicU64::new(0) }
    }

    /// The levels of the layers of a pyramid, the finest first.
    ///
    /// # Panics
    /// If the level is not in [`RASTER_LEVEL_MIN`]..=[`RASTER_LEVEL_MAX`].
    pub fn layers(level: u8) -> impl Iterator<Item = u8> {
        assert!((RASTER_LEVEL_MIN..=RASTER_LEVEL_MAX).contains(&level), "no raster has level {level}");
        (0..).map_while(move |layer| {
            level.checked_sub(layer * LAYER_STEP).filter(|level| *level >= RASTER_LEVEL_MIN)
        })
    }

    /// Level of the finest layer.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// A tile, if it is there.
    ///
    /// # Panics
    /// If the pyramid has no such layer.
    pub fn tile(&self, id: TileId) -> Option<Arc<RasterTile>> {
        self.slot(id).read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a tile in its place.
    ///
    /// # Panics
    /// If the pyramid has no such layer.
    pub fn insert(&self, id: TileId, tile: Arc<RasterTile>) {
        *self.slot(id).write().unwrap_or_else(PoisonError::into_inner) = Some(tile);
        self.insertions.fetch_add(1, Ordering::Release);
    }

    /// Grows whenever a tile is put in: what was worked out without that tile may be out of date.
    pub fn revision(&self) -> u64 {
        self.insertions.load(Ordering::Acquire)
    }

    /// Takes a tile out, to save memory.
    ///
    /// # Panics
    /// If the pyramid has no such layer.
    pub fn remove(&self, id: TileId) {
        *self.slot(id).write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// One raster cell of a layer, if its tile is there.
    ///
    /// # Panics
    /// If the pyramid has no such layer, or the position is off its lattice.
    pub fn cell(&self, level: u8, at: FaceIj) -> Option<RasterCell> {
        let side = TILE_SIDE as u32;
        let index = (at.j % side) * side + at.i % side;
        self.tile(TileId::holding(level, at)).map(|tile| tile.cell(index as usize))
    }

    fn slot(&self, id: TileId) -> &RwLock<Option<Arc<RasterTile>>> {
        let layer = self.layers.iter().find(|layer| layer.level == id.level);
        let layer = layer.expect("a layer of this pyramid");
        &layer.tiles[Layer::slot(id.level, id.cell)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pyramids_end_with_few_tiles_a_face() {
        let layers = |level| Raster::layers(level).collect::<Vec<_>>();
        assert_eq!(layers(10), [10, 8, 6]);
        assert_eq!(layers(9), [9, 7]);
        assert_eq!(layers(6), [6]);
        assert_eq!(TileId::all_of(8).count(), 6 * 16);
    }

    #[test]
    fn a_cell_is_found_in_the_tile_that_was_put_in_for_it() {
        let raster = Raster::empty(8);
        let at = FaceIj { face: 3, i: 130, j: 77 };
        assert_eq!(raster.cell(8, at), None);
        let mut tile = RasterTile::default();
        tile.ground_half_m[(77 - 64) * 64 + 2] = -301;
        let id = TileId::holding(8, at);
        assert!(id.cell.contains(CellId::from_face_ij(at, 8)));
        raster.insert(id, Arc::new(tile));
        assert_eq!(raster.cell(8, at).map(|cell| cell.ground_m), Some(-150.5));
        raster.remove(id);
        assert_eq!(raster.cell(8, at), None);
    }

    #[test]
    fn discharges_come_back_from_their_numbers() {
        assert_eq!(discharge_m3_s(65), 1.0);
        for number in 0..=u8::MAX {
            assert_eq!(discharge_number(discharge_m3_s(number)), number);
        }
    }
}
