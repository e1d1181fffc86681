//! From the fields of the finest layer to the tiles of all.
//!
//! How a coarser cell is made of its 4 × 4 finer ones:
//!
//! - It is land if at least half of them are. Height, temperature, rain and uplift are means; biome and rock are those
//!   of most of the finer cells of its own kind, land or sea.
//! - Its river is the largest that leaves it: of the finer cells whose water leaves the block, the one with most cells
//!   upstream gives order, discharge, and the receiver, the coarse cell that its water enters next. Numbers of cells
//!   upstream grow along such receivers, so they never run in a circle.
//! - Where that river meets the sea inside a coarse land cell, the receiver is a neighbouring coarse cell of the sea, or,
//!   without one, the coarse cell is a sink: a bay too small for the layer.
//! - It is lake if at least half of its finer cells are, at the level of the lake that most of them belong to.
//! - Last, land is lowered along rivers, and raised above the lakes that they enter, where a mean would make water rise;
//!   a stream takes over the order and the discharge of a larger one that joins it.

use std::sync::Arc;

use super::lattice::{Lattice, NOWHERE};
use crate::raster::{Raster, RasterTile, TILE_SIDE, TileId};

/// Number of [`crate::Receiver::Sea`] in a tile.
pub(crate) const SEA: u8 = 8;

/// Number of [`crate::Receiver::Sink`] in a tile.
pub(crate) const SINK: u8 = 9;

/// Finer cells along the side of a coarser one.
const BLOCK: usize = 4;
const BLOCK_CELLS: usize = BLOCK * BLOCK;

/// A layer as planes over its lattice, in the numbers of [`RasterTile`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Planes {
    pub(crate) ground_half_m: Vec<i16>,
    pub(crate) lake_depth_half_m: Vec<u16>,
    /// Number of the receiver: a direction, [`SEA`] or [`SINK`].
    pub(crate) receiver: Vec<u8>,
    pub(crate) stream_order: Vec<u8>,
    pub(crate) discharge: Vec<u8>,
    pub(crate) temperature: Vec<u8>,
    pub(crate) rain: Vec<u8>,
    pub(crate) biome: Vec<u8>,
    pub(crate) geology: Vec<u8>,
    pub(crate) uplift: Vec<u8>,
    /// Cells of the finest layer upstream; not in the tiles.
    pub(crate) upstream: Vec<u32>,
}

/// Fills all layers of a raster from its finest.
pub(crate) fn fill(raster: &Raster, finest: Planes) {
    let mut lattice = Lattice::new(raster.level());
    let mut planes = finest;
    for level in Raster::layers(raster.level()) {
        if level != lattice.level() {
            let coarser = Lattice::new(level);
            planes = coarser_planes(&lattice, &planes, &coarser);
            lattice = coarser;
        }
        for id in TileId::all_of(level) {
            raster.insert(id, Arc::new(tile(&lattice, &planes, id)));
        }
    }
}

fn tile(lattice: &Lattice, planes: &Planes, id: TileId) -> RasterTile {
    let mut tile = RasterTile::default();
    let corner = id.cell.face_ij();
    let first =
        ((usize::from(corner.face) << lattice.level()) + corner.j as usize * TILE_SIDE) << lattice.level();
    for row in 0..TILE_SIDE {
        let from = first + row * lattice.side() + corner.i as usize * TILE_SIDE;
        let (from, to) = (from..from + TILE_SIDE, row * TILE_SIDE..(row + 1) * TILE_SIDE);
        tile.ground_half_m[to.clone()].copy_from_slice(&planes.ground_half_m[from.clone()]);
        tile.lake_depth_half_m[to.clone()].copy_from_slice(&planes.lake_depth_half_m[from.clone()]);
        tile.discharge[to.clone()].copy_from_slice(&planes.discharge[from.clone()]);
        tile.temperature[to.clone()].copy_from_slice(&planes.temperature[from.clone()]);
        tile.rain[to.clone()].copy_from_slice(&planes.rain[from.clone()]);
        tile.biome[to.clone()].copy_from_slice(&planes.biome[from.clone()]);
        tile.geology[to.clone()].copy_from_slice(&planes.geology[from.clone()]);
        tile.uplift[to.clone()].copy_from_slice(&planes.uplift[from.clone()]);
        for (drainage, from) in tile.drainage[to].iter_mut().zip(from) {
            *drainage = planes.receiver[from] | planes.stream_order[from] << 4;
        }
    }
    tile
}

/// The cells of the finer layer under one of the coarser.
fn block(fine: &Lattice, coarse: &Lattice, index: usize) -> [usize; BLOCK_CELLS] {
    let at = coarse.position(index);
    let corner = ((usize::from(at.face) << fine.level()) + at.j as usize * BLOCK) << fine.level();
    let first = corner + at.i as usize * BLOCK;
    std::array::from_fn(|number| first + (number / BLOCK) * fine.side() + number % BLOCK)
}

fn coarser_planes(fine: &Lattice, planes: &Planes, coarse: &Lattice) -> Planes {
    let count = coarse.count();
    let blocks = || (0..count).map(|index| block(fine, coarse, index));
    let mean = |plane: &[u8]| -> Vec<u8> {
        let sums = blocks().map(|cells| cells.iter().map(|cell| u32::from(plane[*cell])).sum::<u32>());
        sums.map(|sum| ((sum + BLOCK_CELLS as u32 / 2) / BLOCK_CELLS as u32) as u8).collect()
    };
    let is_land: Vec<bool> = blocks()
        .map(|cells| cells.iter().filter(|cell| planes.receiver[**cell] != SEA).count() * 2 >= BLOCK_CELLS)
        .collect();
    let mode = |plane: &[u8]| -> Vec<u8> {
        let of_own_kind = |(cells, is_land): ([usize; BLOCK_CELLS], &bool)| {
            let own = cells.into_iter().filter(|cell| (planes.receiver[*cell] != SEA) == *is_land);
            most(own.map(|cell| plane[cell]))
        };
        blocks().zip(&is_land).map(of_own_kind).collect()
    };
    let mut coarser = Planes {
        ground_half_m: vec![0; count],
        lake_depth_half_m: vec![0; count],
        receiver: vec![SEA; count],
        stream_order: vec![0; count],
        discharge: vec![0; count],
        temperature: mean(&planes.temperature),
        rain: mean(&planes.rain),
        biome: mode(&planes.biome),
        geology: mode(&planes.geology),
        uplift: mean(&planes.uplift),
        upstream: vec![0; count],
    };
    for index in 0..count {
        let cells = block(fine, coarse, index);
        let sum: i32 = cells.iter().map(|cell| i32::from(planes.ground_half_m[*cell])).sum();
        let ground = (sum.div_euclid(BLOCK_CELLS as i32)) as i16;
        coarser.ground_half_m[index] = if is_land[index] { ground.max(1) } else { ground.min(-1) };
        if is_land[index] {
            lay_lake(planes, &cells, &mut coarser, index);
            let mouth = mouth(fine, coarse, planes, (index, &cells));
            coarser.receiver[index] = receiver(fine, coarse, planes, &is_land, (index, mouth));
            coarser.stream_order[index] = planes.stream_order[mouth];
            coarser.discharge[index] = planes.discharge[mouth];
            coarser.upstream[index] = planes.upstream[mouth];
        }
    }
    level_water(coarse, &mut coarser);
    coarser
}

/// The most frequent value, the least of those that are equally frequent.
fn most(values: impl Iterator<Item = u8>) -> u8 {
    let mut sorted = [0; BLOCK_CELLS];
    let mut count = 0;
    for value in values {
        sorted[count] = value;
        count += 1;
    }
    sorted[..count].sort_unstable();
    let runs = sorted[..count].chunk_by(|a, b| a == b);
    runs.max_by_key(|run| (run.len(), std::cmp::Reverse(run[0]))).map_or(0, |run| run[0])
}

/// Covers a coarser cell with the lake that covers most of it, if at least half is lake.
fn lay_lake(planes: &Planes, cells: &[usize; BLOCK_CELLS], coarser: &mut Planes, index: usize) {
    let mut surfaces = [0; BLOCK_CELLS];
    let mut count = 0;
    for cell in cells.iter().filter(|cell| planes.lake_depth_half_m[**cell] > 0) {
        surfaces[count] = surface(planes, *cell);
        count += 1;
    }
    if count * 2 < BLOCK_CELLS {
        return;
    }
    surfaces[..count].sort_unstable();
    let runs = surfaces[..count].chunk_by(|a, b| a == b);
    if let Some(run) = runs.max_by_key(|run| run.len()) {
        let bed = i32::from(coarser.ground_half_m[index]).min(run[0] - 1);
        coarser.ground_half_m[index] = bed as i16;
        coarser.lake_depth_half_m[index] = (run[0] - bed) as u16;
    }
}

/// Height of the water or the dry ground, half metres.
fn surface(planes: &Planes, index: usize) -> i32 {
    i32::from(planes.ground_half_m[index]) + i32::from(planes.lake_depth_half_m[index])
}

/// The finer cell through which the largest river leaves a coarser.
fn mouth(
    fine: &Lattice,
    coarse: &Lattice,
    planes: &Planes,
    (index, cells): (usize, &[usize; BLOCK_CELLS]),
) -> usize {
    let leaves = |cell: &usize| match planes.receiver[*cell] {
        SEA => false,
        SINK => true,
        direction => fine
            .neighbor(*cell, usize::from(direction))
            .is_some_and(|receiver| planes.receiver[receiver] == SEA || fine.over(receiver, coarse) != index),
    };
    let largest = cells.iter().copied().filter(leaves).max_by_key(|cell| (planes.upstream[*cell], *cell));
    largest.expect("water leaves every block with land")
}

/// Number of the receiver of a coarser cell whose river has its mouth in this finer one.
fn receiver(
    fine: &Lattice,
    coarse: &Lattice,
    planes: &Planes,
    is_land: &[bool],
    (index, mouth): (usize, usize),
) -> u8 {
    let neighbors = coarse.neighbors(index);
    let direction = planes.receiver[mouth];
    let next = (direction != SINK).then(|| fine.neighbor(mouth, usize::from(direction))).flatten();
    let Some(next) = next else { return SINK };
    let entered = fine.over(next, coarse);
    let towards = neighbors.iter().position(|neighbor| *neighbor as usize == entered);
    match towards {
        Some(direction) if planes.receiver[next] != SEA || !is_land[entered] => direction as u8,
        _ => {
            let is_sea = |neighbor: &u32| *neighbor != NOWHERE && !is_land[*neighbor as usize];
            neighbors.iter().position(is_sea).map_or(SINK, |direction| direction as u8)
        }
    }
}

/// Changes heights so that no water rises along its way and lakes stay level, and streams so that none shrinks.
fn level_water(lattice: &Lattice, planes: &mut Planes) {
    let mut downwards: Vec<u32> =
        (0..lattice.count() as u32).filter(|index| planes.receiver[*index as usize] != SEA).collect();
    downwards.sort_unstable_by_key(|index| (planes.upstream[*index as usize], *index));
    let next = |planes: &Planes, index: usize| match planes.receiver[index] {
        SINK => None,
        direction => lattice.neighbor(index, usize::from(direction)),
    };
    // Upwards: nothing lies below the lake that it drains to.
    let mut floors = vec![0; lattice.count()];
    for index in downwards.iter().rev().map(|index| *index as usize) {
        let floor = next(planes, index).map_or(1, |receiver| floors[receiver].max(1));
        let is_lake = planes.lake_depth_half_m[index] > 0;
        if is_lake && surface(planes, index) < floor {
            planes.lake_depth_half_m[index] = 0;
        }
        if planes.lake_depth_half_m[index] == 0 {
            planes.ground_half_m[index] = planes.ground_half_m[index].max(floor as i16);
            floors[index] = floor;
        } else {
            floors[index] = surface(planes, index);
        }
    }
    // Downwards: no dry ground lies above what drains to it, and no stream is smaller than one that joins it.
    for index in downwards.iter().map(|index| *index as usize) {
        let Some(receiver) = next(planes, index).filter(|receiver| planes.receiver[*receiver] != SEA) else {
            continue;
        };
        planes.stream_order[receiver] = planes.stream_order[receiver].max(planes.stream_order[index]);
        if planes.lake_depth_half_m[receiver] == 0 {
            let highest = surface(planes, index) as i16;
            planes.ground_half_m[receiver] = planes.ground_half_m[receiver].min(highest);
            planes.discharge[receiver] = planes.discharge[receiver].max(planes.discharge[index]);
        }
    }
}
