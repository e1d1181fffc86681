//! Water in the hollows of the land: which of them overflow, which dry out, how high they stand.
//!
//! Every hollow is filled to its rim first. Then the rivers are added up from their sources: a lake whose inflow and rain
//! exceed what evaporates from it overflows and keeps its level; any other becomes a closed basin, whose lake shrinks
//! around its lowest cell, the sink, until it loses just what flows in. Shallow hollows are silted up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::lattice::{Lattice, NOWHERE};
use super::routing::{Routing, Way, sortable};
use super::water::Supply;

/// Hollows that are nowhere deeper are silted up.
const SILTED_M: f32 = 3.0;

/// Number of all cells without a lake.
const DRY: u32 = u32::MAX;

/// Standing water, and the rivers between.
#[derive(Debug)]
pub(crate) struct Waters {
    /// Ways of the land cells; a sink is its own receiver.
    pub(crate) routing: Routing,
    /// Depth of the lake over each cell, 0 for none.
    pub(crate) lake_depth_m: Vec<f32>,
    /// Mean discharge out of each cell; into a sink, its inflow.
    pub(crate) discharge_m3_s: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
struct Lake {
    /// The cell through which all its water leaves.
    exit: u32,
    level_m: f32,
    deepest_m: f32,
    /// What its cells would add under water beyond what they add as land.
    gain_m3_s: f32,
    is_closed: bool,
    inflow_m3_s: f32,
}

/// What happens where a hollow overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlets {
    /// The rim stands and dams up a lake.
    Kept,
    /// The rim is cut down to the floor of the hollow: there is no lake.
    CutDown,
}

/// Lets the rain of a year run off. Heights of land must be above 0; silted hollows are raised, rims perhaps cut down.
pub(crate) fn settle(
    lattice: &Lattice,
    land: &[bool],
    height: &mut [f32],
    supplies: &[Supply],
    outlets: Outlets,
    threads: usize,
) -> Waters {
    let mut routing = Routing::new(lattice);
    routing.route(lattice, land, height, threads);
    let (mut lakes, mut lake_of) = find_lakes(land, height, &routing, supplies);
    if outlets == Outlets::Kept {
        silt_up(height, &mut lake_of, &lakes);
    }
    balance(land, &routing, supplies, &lake_of, &mut lakes);

    let mut lake_depth_m = vec![0.0; lattice.count()];
    let mut closed = Vec::new();
    for &index in &routing.order {
        let index = index as usize;
        match lake_of[index] {
            DRY => {}
            number if lakes[number as usize].is_closed => closed.push((number, index as u32)),
            number if outlets == Outlets::Kept => {
                lake_depth_m[index] = lakes[number as usize].level_m - height[index];
            }
            _ => {}
        }
    }
    closed.sort_unstable();
    for cells in closed.chunk_by(|a, b| a.0 == b.0) {
        let inflow_m3_s = lakes[cells[0].0 as usize].inflow_m3_s;
        close(
            lattice,
            (cells, inflow_m3_s),
            &lake_of,
            height,
            &mut routing.ways,
            supplies,
            &mut lake_depth_m,
        );
    }
    routing.sort(land);
    if outlets == Outlets::CutDown {
        for way in routing.order.iter().map(|index| (*index, routing.ways[*index as usize].receiver)) {
            let (index, receiver) = (way.0 as usize, way.1 as usize);
            if land[receiver] {
                height[receiver] = height[receiver].min(height[index] + lake_depth_m[index]);
            }
        }
    }
    let discharge_m3_s = discharges(land, &routing, supplies, &lake_depth_m);
    Waters { routing, lake_depth_m, discharge_m3_s }
}

/// All hollows filled to their rims.
fn find_lakes(
    land: &[bool],
    height: &[f32],
    routing: &Routing,
    supplies: &[Supply],
) -> (Vec<Lake>, Vec<u32>) {
    let mut lakes: Vec<Lake> = Vec::new();
    let mut lake_of = vec![DRY; land.len()];
    let mut levels = vec![0.0_f32; land.len()];
    for &cell in routing.order.iter().rev() {
        let index = cell as usize;
        let receiver = routing.ways[index].receiver as usize;
        let level_m = levels[receiver].max(height[index]);
        levels[index] = level_m;
        if level_m == height[index] {
            continue;
        }
        let number = match lake_of[receiver] {
            DRY => {
                lakes.push(Lake {
                    exit: cell,
                    level_m,
                    deepest_m: 0.0,
                    gain_m3_s: 0.0,
                    is_closed: false,
                    inflow_m3_s: 0.0,
                });
                lakes.len() as u32 - 1
            }
            number => number,
        };
        lake_of[index] = number;
        let lake = &mut lakes[number as usize];
        lake.deepest_m = lake.deepest_m.max(level_m - height[index]);
        lake.gain_m3_s += supplies[index].lake_m3_s - supplies[index].land_m3_s;
    }
    (lakes, lake_of)
}

/// Raises the ground of shallow hollows to their rims.
fn silt_up(height: &mut [f32], lake_of: &mut [u32], lakes: &[Lake]) {
    for (height, number) in height.iter_mut().zip(lake_of) {
        if *number != DRY && lakes[*number as usize].deepest_m < SILTED_M {
            *height = lakes[*number as usize].level_m;
            *number = DRY;
        }
    }
}

/// Adds up the rivers and decides which lakes overflow.
fn balance(land: &[bool], routing: &Routing, supplies: &[Supply], lake_of: &[u32], lakes: &mut [Lake]) {
    let mut flow = vec![0.0_f32; land.len()];
    for &cell in &routing.order {
        let index = cell as usize;
        let mut leaving = flow[index] + supplies[index].land_m3_s;
        if lake_of[index] != DRY && lakes[lake_of[index] as usize].exit == cell {
            let lake = &mut lakes[lake_of[index] as usize];
            lake.inflow_m3_s = leaving;
            leaving += lake.gain_m3_s;
            lake.is_closed = leaving < 0.0;
            leaving = leaving.max(0.0);
        }
        flow[routing.ways[index].receiver as usize] += leaving;
    }
}

/// Makes a hollow a closed basin: all its cells drain to the lowest, around which a lake stands if there is water for it.
fn close(
    lattice: &Lattice,
    (cells, inflow_m3_s): (&[(u32, u32)], f32),
    lake_of: &[u32],
    height: &mut [f32],
    ways: &mut [Way],
    supplies: &[Supply],
    lake_depth_m: &mut [f32],
) {
    let number = cells[0].0;
    let lowest =
        cells.iter().map(|(_, cell)| *cell).min_by_key(|cell| (sortable(height[*cell as usize]), *cell));
    let sink = lowest.expect("a hollow has cells");
    ways[sink as usize] = Way { receiver: sink, inverse_distance: 0.0 };

    // Cells from the sink upwards, hollows within the hollow silted up.
    let mut queue = BinaryHeap::from([Reverse((sortable(height[sink as usize]), sink))]);
    let mut is_found: std::collections::BTreeSet<u32> = [sink].into();
    let mut upwards: Vec<u32> = Vec::with_capacity(cells.len());
    while let Some(Reverse((_, cell))) = queue.pop() {
        upwards.push(cell);
        let index = cell as usize;
        let inverse = lattice.inverse_distances(index);
        for (direction, neighbor) in lattice.neighbors(index).into_iter().enumerate() {
            if neighbor == NOWHERE || lake_of[neighbor as usize] != number || !is_found.insert(neighbor) {
                continue;
            }
            ways[neighbor as usize] = Way { receiver: cell, inverse_distance: inverse[direction] };
            height[neighbor as usize] = height[neighbor as usize].max(height[index]);
            queue.push(Reverse((sortable(height[neighbor as usize]), neighbor)));
        }
    }
    let mut left_m3_s = inflow_m3_s;
    let wet = upwards.iter().take_while(|cell| {
        let supply = supplies[**cell as usize];
        left_m3_s += supply.lake_m3_s - supply.land_m3_s;
        left_m3_s >= 0.0
    });
    let wet = wet.count().min(upwards.len() - 1);
    let level_m = height[upwards[wet] as usize];
    for cell in &upwards[..wet] {
        lake_depth_m[*cell as usize] = level_m - height[*cell as usize];
    }
}

/// What leaves each cell in the end.
fn discharges(land: &[bool], routing: &Routing, supplies: &[Supply], lake_depth_m: &[f32]) -> Vec<f32> {
    let mut discharge_m3_s = vec![0.0_f32; land.len()];
    for &cell in &routing.order {
        let index = cell as usize;
        let supply = supplies[index];
        discharge_m3_s[index] += if lake_depth_m[index] > 0.0 { supply.lake_m3_s } else { supply.land_m3_s };
        let receiver = routing.ways[index].receiver as usize;
        if receiver != index && land[receiver] {
            discharge_m3_s[receiver] += discharge_m3_s[index];
        }
    }
    discharge_m3_s
}
