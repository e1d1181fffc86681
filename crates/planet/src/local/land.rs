//! The raster's cells in the measures of this planet.

use std::sync::Arc;

use cell::FaceIj;

use crate::local::scale::Scale;
use crate::{DIRECTIONS, Raster, RasterCell, RasterTile, Receiver, TILE_SIDE, TileId};

/// What a raster cell is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Land,
    Lake,
    Sea,
}

/// One raster cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) kind: Kind,
    /// Height of the ground at the cell's node, or of the water over it.
    pub(crate) level_m: f64,
    /// Depth of the lake or sea, 0 on land.
    pub(crate) depth_m: f64,
    pub(crate) receiver: Receiver,
    pub(crate) discharge_m3_s: f64,
    /// Temperature the place would have at the level of the sea.
    pub(crate) temperature_c: f64,
    pub(crate) rain_mm: f64,
}

/// Temperature lost per metre on a planet of Earth's size (ICAO standard atmosphere).
pub(crate) const LAPSE_C_PER_M: f64 = 0.0065;

/// Reads raster cells; remembers the tiles last read, and whether one was missing.
pub(crate) struct Reader<'a> {
    scale: &'a Scale,
    raster: &'a Raster,
    tiles: Vec<(TileAt, Option<Arc<RasterTile>>)>,
    /// Which of them was the last.
    last: usize,
    is_complete: bool,
}

/// A layer, and the place of a tile among its tiles.
type TileAt = (u8, FaceIj);

impl<'a> Reader<'a> {
    pub(crate) fn new(scale: &'a Scale, raster: &'a Raster) -> Self {
        Self { scale, raster, tiles: Vec::new(), last: 0, is_complete: true }
    }

    /// Were all cells read from the layer asked for?
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// A cell of a layer; from a coarser one if its tile is missing, from a deep sea if all are.
    pub(crate) fn cell_of(&mut self, level: u8, at: FaceIj) -> Cell {
        if let Some(cell) = self.read(level, at) {
            return self.measured(&cell);
        }
        self.is_complete = false;
        let coarser = Raster::layers(self.raster.level()).filter(|coarser| *coarser < level);
        let found = coarser.into_iter().find_map(|coarser| {
            let shift = level - coarser;
            self.read(coarser, FaceIj { i: at.i >> shift, j: at.j >> shift, ..at })
        });
        found.map_or(DEEP_SEA, |cell| {
            // Directions of a coarser layer mean nothing here.
            let receiver = if cell.receiver == Receiver::Sea { Receiver::Sea } else { Receiver::Sink };
            self.measured(&RasterCell { receiver, discharge_m3_s: 0.0, ..cell })
        })
    }

    /// The cell that takes this one's water.
    pub(crate) fn receiver(level: u8, at: FaceIj, cell: &Cell) -> Option<FaceIj> {
        match cell.receiver {
            Receiver::Neighbor(direction) => Some(at.stepped(DIRECTIONS[usize::from(direction)], level)),
            Receiver::Sea | Receiver::Sink => None,
        }
    }

    fn read(&mut self, level: u8, at: FaceIj) -> Option<RasterCell> {
        let side = TILE_SIDE as u32;
        let home = (level, FaceIj { i: at.i / side, j: at.j / side, ..at });
        if self.tiles.get(self.last).is_none_or(|(known, _)| *known != home) {
            let known = self.tiles.iter().position(|(known, _)| *known == home);
            self.last = known.unwrap_or_else(|| {
                self.tiles.push((home, self.raster.tile(TileId::holding(level, at))));
                self.tiles.len() - 1
            });
        }
        let index = (at.j % side) * side + at.i % side;
        self.tiles[self.last].1.as_ref().map(|tile| tile.cell(index as usize))
    }

    fn measured(&self, cell: &RasterCell) -> Cell {
        let ground_m = f64::from(cell.ground_m) * self.scale.relief;
        let (kind, level_m, depth_m) = match (cell.receiver, cell.lake_surface_m) {
            (Receiver::Sea, _) => (Kind::Sea, 0.0, (-ground_m).max(0.0)),
            (_, Some(surface_m)) => {
                let surface_m = f64::from(surface_m) * self.scale.relief;
                (Kind::Lake, surface_m, surface_m - ground_m)
            }
            (_, None) => (Kind::Land, ground_m, 0.0),
        };
        let warmer = LAPSE_C_PER_M * f64::from(cell.ground_m.max(0.0));
        Cell {
            kind,
            level_m,
            depth_m,
            receiver: cell.receiver,
            discharge_m3_s: f64::from(cell.discharge_m3_s) * self.scale.discharge,
            temperature_c: f64::from(cell.temperature_c) + warmer,
            rain_mm: f64::from(cell.rain_mm),
        }
    }
}

/// What is assumed where nothing is known.
const DEEP_SEA: Cell = Cell {
    kind: Kind::Sea,
    level_m: 0.0,
    depth_m: 1_000.0,
    receiver: Receiver::Sea,
    discharge_m3_s: 0.0,
    temperature_c: 10.0,
    rain_mm: 800.0,
};
