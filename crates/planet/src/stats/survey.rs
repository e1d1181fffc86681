//! The finest layer laid out flat, with the order in which water runs over it.

use crate::global::Lattice;
use crate::raster::{DIRECTIONS, TILE_CELLS, TILE_SIDE};
use crate::{Raster, RasterTile, TileId};

pub(super) const EARTH_RADIUS_M: f64 = 6_371_000.0;

/// In place of a receiver: the water has arrived, in the sea or in a sink.
pub(super) const END: u32 = u32::MAX;

/// In place of a receiver: the raster names a direction in which there is no cell.
const LOST: u32 = u32::MAX - 1;

/// All cells of a layer.
pub(super) struct Survey {
    pub(super) lattice: Lattice,
    /// The ground, or the surface of a lake; the floor of the sea. Metres.
    pub(super) surface_m: Vec<f32>,
    pub(super) is_land: Vec<bool>,
    pub(super) is_lake: Vec<bool>,
    pub(super) biome: Vec<u8>,
    pub(super) stream_order: Vec<u8>,
    /// The cell each land cell drains to, or [`END`]; [`END`] in the sea too.
    pub(super) receiver: Vec<u32>,
    /// Metres to the receiver.
    pub(super) reach_m: Vec<f32>,
    /// Land cells from the ridges down, each before its receiver. Those that drain in a circle are not among them.
    pub(super) order: Vec<u32>,
}

impl Survey {
    pub(super) fn new(raster: &Raster) -> Self {
        let lattice = Lattice::new(raster.level());
        let count = lattice.count();
        let mut survey = Self {
            surface_m: vec![0.0; count],
            is_land: vec![false; count],
            is_lake: vec![false; count],
            biome: vec![0; count],
            stream_order: vec![0; count],
            receiver: vec![END; count],
            reach_m: vec![0.0; count],
            order: Vec::new(),
            lattice,
        };
        for id in TileId::all_of(raster.level()) {
            let tile = raster.tile(id).expect("a raster that is measured is complete");
            survey.read(id, &tile);
        }
        survey.order = survey.downstream();
        survey
    }

    /// Area of a cell in steradians.
    pub(super) fn area_sr(&self, cell: usize) -> f64 {
        f64::from(self.lattice.area_sr(cell))
    }

    /// Does the cell's way end here, properly?
    pub(super) fn is_mouth(&self, cell: usize) -> bool {
        let receiver = self.receiver[cell];
        receiver == END || (receiver != LOST && !self.is_land[receiver as usize])
    }

    /// The land cell that a land cell drains to.
    pub(super) fn next(&self, cell: usize) -> Option<usize> {
        let receiver = self.receiver[cell];
        (receiver < LOST && self.is_land[receiver as usize]).then_some(receiver as usize)
    }

    /// All land cells.
    pub(super) fn land(&self) -> impl Iterator<Item = usize> {
        self.is_land.iter().enumerate().filter_map(|(cell, is_land)| is_land.then_some(cell))
    }

    fn read(&mut self, id: TileId, tile: &RasterTile) {
        let corner = id.cell.face_ij();
        let start = cell::FaceIj {
            face: corner.face,
            i: corner.i * TILE_SIDE as u32,
            j: corner.j * TILE_SIDE as u32,
        };
        let start = self.lattice.index(start);
        for index in 0..TILE_CELLS {
            let cell = start + index / TILE_SIDE * self.lattice.side() + index % TILE_SIDE;
            let depth = tile.lake_depth_half_m[index];
            self.surface_m[cell] = (f32::from(tile.ground_half_m[index]) + f32::from(depth)) * 0.5;
            self.is_lake[cell] = depth > 0;
            self.biome[cell] = tile.biome[index];
            self.stream_order[cell] = tile.drainage[index] >> 4;
            let way = usize::from(tile.drainage[index] & 15);
            self.is_land[cell] = way != 8;
            if way < DIRECTIONS.len() {
                let inverse = f64::from(self.lattice.inverse_distance(cell, way));
                self.reach_m[cell] = (EARTH_RADIUS_M / inverse) as f32;
                self.receiver[cell] =
                    self.lattice.neighbor(cell, way).map_or(LOST, |neighbor| neighbor as u32);
            }
        }
    }

    /// Kahn's order, one river course after the other.
    fn downstream(&self) -> Vec<u32> {
        let mut donors = vec![0_u8; self.lattice.count()];
        for cell in self.land() {
            if let Some(next) = self.next(cell) {
                donors[next] += 1;
            }
        }
        let sources: Vec<usize> = self.land().filter(|cell| donors[*cell] == 0).collect();
        let mut order = Vec::new();
        for source in sources {
            let mut cell = source;
            loop {
                order.push(cell as u32);
                let Some(next) = self.next(cell) else { break };
                donors[next] -= 1;
                if donors[next] > 0 {
                    break;
                }
                cell = next;
            }
        }
        order
    }
}
