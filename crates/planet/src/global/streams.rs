//! Which streams join which: cells upstream and Strahler's order.

use super::routing::Routing;

/// A stream begins where so many cells drain through one.
const SOURCE_CELLS: u32 = 6;

/// The highest order there is room for.
const ORDER_MAX: u8 = 15;

/// What is upstream of each cell.
#[derive(Debug)]
pub(crate) struct Streams {
    /// Cells that drain through a cell, itself among them; 0 in the sea.
    pub(crate) upstream: Vec<u32>,
    /// Strahler's order, 0 where no stream has begun.
    pub(crate) order: Vec<u8>,
}

impl Streams {
    pub(crate) fn new(land: &[bool], routing: &Routing) -> Self {
        let mut upstream = vec![0_u32; land.len()];
        let mut order = vec![0_u8; land.len()];
        // Of the streams that have joined in a cell: whether two have its highest order.
        let mut is_doubled = vec![false; land.len()];
        for &cell in &routing.order {
            let index = cell as usize;
            upstream[index] += 1;
            if upstream[index] >= SOURCE_CELLS {
                order[index] = (order[index] + u8::from(is_doubled[index])).clamp(1, ORDER_MAX);
            }
            let receiver = routing.ways[index].receiver as usize;
            if receiver == index || !land[receiver] {
                continue;
            }
            upstream[receiver] += upstream[index];
            if order[index] > 0 {
                is_doubled[receiver] = order[index] == order[receiver]
                    || (is_doubled[receiver] && order[index] < order[receiver]);
                order[receiver] = order[receiver].max(order[index]);
            }
        }
        Self { upstream, order }
    }
}
