//! Where water runs: from each land cell to its steepest lower neighbour, and out of every hollow over its lowest rim.
//!
//! Hollows are linked to their neighbours by a graph of basins, whose minimum spanning tree leads each to the sea
//! (Cordonnier, Bovy, Braun 2019, "A versatile, linear complexity algorithm for flow routing in topographies with
//! depressions"). Nothing is sorted but the rims between basins.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::lattice::{Lattice, NOWHERE};
use super::parallel::for_chunks;

/// The way out of one cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Way {
    /// The next cell; the cell itself in the sea and in sinks.
    pub(crate) receiver: u32,
    /// 1 / radians to it.
    pub(crate) inverse_distance: f32,
}

/// The ways of all land cells.
#[derive(Debug)]
pub(crate) struct Routing {
    pub(crate) ways: Vec<Way>,
    /// Land cells, each before its receiver.
    pub(crate) order: Vec<u32>,
    /// Of each cell, how many neighbours drain to it; room to work in.
    donors: Vec<u8>,
    /// Number of the basin of each cell; room to work in.
    basins: Vec<u32>,
}

/// Number of all that reaches the sea downhill.
const SEA: u32 = 0;

/// Among the donors: has its place in the order.
const PLACED: u8 = u8::MAX;

/// The lowest way between two basins.
#[derive(Clone, Copy, Debug)]
struct Rim {
    /// The basin that would drain and the one it would drain to.
    from: u32,
    to: u32,
    height: f32,
    /// The cells on both sides.
    inner: u32,
    outer: u32,
    inverse_distance: f32,
}

impl Routing {
    pub(crate) fn new(lattice: &Lattice) -> Self {
        Self {
            ways: vec![Way::default(); lattice.count()],
            order: Vec::new(),
            donors: vec![0; lattice.count()],
            basins: Vec::new(),
        }
    }

    /// Finds the ways for a surface. Every cell that is not land counts as sea at height 0.
    pub(crate) fn route(&mut self, lattice: &Lattice, land: &[bool], height: &[f32], threads: usize) {
        self.descend(lattice, land, height, threads);
        self.sort(land);
        if self.drain_hollows(lattice, land, height) {
            self.sort(land);
        }
    }

    /// The steepest way down of every cell; to itself where there is none.
    fn descend(&mut self, lattice: &Lattice, land: &[bool], height: &[f32], threads: usize) {
        for_chunks(threads, &mut self.ways, lattice.side(), |number, ways| {
            for (i, way) in ways.iter_mut().enumerate() {
                let index = number * lattice.side() + i;
                *way = Way { receiver: index as u32, inverse_distance: 0.0 };
                if !land[index] {
                    continue;
                }
                let inverse = lattice.inverse_distances(index);
                let mut steepest = 0.0;
                for (neighbor, inverse_distance) in lattice.neighbors(index).into_iter().zip(inverse) {
                    if neighbor == NOWHERE {
                        continue;
                    }
                    let lower = if land[neighbor as usize] { height[neighbor as usize] } else { 0.0 };
                    let slope = (height[index] - lower) * inverse_distance;
                    if slope > steepest {
                        steepest = slope;
                        *way = Way { receiver: neighbor, inverse_distance };
                    }
                }
            }
        });
    }

    /// Puts land cells in order, donors first, by walking down from every source as far as all donors are placed.
    pub(crate) fn sort(&mut self, land: &[bool]) {
        self.order.clear();
        self.donors.fill(0);
        let is_land = |index: &usize| land[*index];
        for index in (0..land.len()).filter(is_land) {
            let receiver = self.ways[index].receiver as usize;
            if receiver != index && land[receiver] {
                self.donors[receiver] += 1;
            }
        }
        for source in (0..land.len()).filter(is_land) {
            let mut index = source;
            while self.donors[index] == 0 {
                self.donors[index] = PLACED;
                self.order.push(index as u32);
                let receiver = self.ways[index].receiver as usize;
                if receiver == index || !land[receiver] {
                    break;
                }
                self.donors[receiver] -= 1;
                index = receiver;
            }
        }
    }

    /// Turns the ways of hollows around, so that they drain over their rims. False if there is no hollow.
    fn drain_hollows(&mut self, lattice: &Lattice, land: &[bool], height: &[f32]) -> bool {
        let basins = self.number_basins(land);
        if basins == 0 {
            return false;
        }
        let rims = self.rims(lattice, land, height);
        let starts: Vec<usize> =
            (0..=basins + 1).map(|basin| rims.partition_point(|rim| rim.to < basin)).collect();
        let mut is_drained = vec![false; basins as usize + 1];
        let mut queue = BinaryHeap::new();
        let mut basin = SEA;
        loop {
            is_drained[basin as usize] = true;
            for (index, rim) in
                rims.iter().enumerate().take(starts[basin as usize + 1]).skip(starts[basin as usize])
            {
                if !is_drained[rim.from as usize] {
                    queue.push(Reverse((sortable(rim.height), index)));
                }
            }
            let rim = loop {
                match queue.pop() {
                    None => return true,
                    Some(Reverse((_, index))) if !is_drained[rims[index].from as usize] => {
                        break &rims[index];
                    }
                    Some(_) => {}
                }
            };
            self.turn(rim);
            basin = rim.from;
        }
    }

    /// Numbers the hollows from 1 and gives every cell the number of its own. Their count.
    fn number_basins(&mut self, land: &[bool]) -> u32 {
        self.basins.resize(land.len(), SEA);
        let mut basins = 0;
        for &index in self.order.iter().rev() {
            let receiver = self.ways[index as usize].receiver;
            self.basins[index as usize] = if receiver == index {
                basins += 1;
                basins
            } else if land[receiver as usize] {
                self.basins[receiver as usize]
            } else {
                SEA
            };
        }
        basins
    }

    /// The lowest way from each basin to each of its neighbours, sorted by where they lead.
    fn rims(&self, lattice: &Lattice, land: &[bool], height: &[f32]) -> Vec<Rim> {
        let mut rims = Vec::new();
        for &inner in &self.order {
            let from = self.basins[inner as usize];
            if from == SEA {
                continue;
            }
            let inverse = lattice.inverse_distances(inner as usize);
            for (outer, inverse_distance) in lattice.neighbors(inner as usize).into_iter().zip(inverse) {
                if outer == NOWHERE {
                    continue;
                }
                let (to, beyond) = if land[outer as usize] {
                    (self.basins[outer as usize], height[outer as usize])
                } else {
                    (SEA, 0.0)
                };
                if to != from {
                    let height = height[inner as usize].max(beyond);
                    rims.push(Rim { from, to, height, inner, outer, inverse_distance });
                }
            }
        }
        rims.sort_unstable_by_key(|rim| (rim.to, rim.from, sortable(rim.height), rim.inner, rim.outer));
        rims.dedup_by_key(|rim| (rim.to, rim.from));
        rims
    }

    /// Lets a basin drain over a rim: all ways from there down to its lowest cell are turned around.
    fn turn(&mut self, rim: &Rim) {
        let mut index = rim.inner;
        let mut way = Way { receiver: rim.outer, inverse_distance: rim.inverse_distance };
        loop {
            let old = std::mem::replace(&mut self.ways[index as usize], way);
            if old.receiver == index {
                return;
            }
            way = Way { receiver: index, inverse_distance: old.inverse_distance };
            index = old.receiver;
        }
    }
}

/// Bits that sort as the numbers do, negative ones too.
pub(crate) fn sortable(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

#[cfg(test)]
mod tests {
    use super::super::rows::field_by_rows;
    use super::*;
    use crate::noise::Fbm;

    fn rough_island(lattice: &Lattice) -> (Vec<bool>, Vec<f32>) {
        let rough = Fbm::new(3, 1, 2.0, 0.7, 9);
        let height = field_by_rows(lattice, 1, |row, _, values| rough.sum(row, rough.octaves(), values));
        (height.iter().map(|height| *height > 0.0).collect(), height)
    }

    #[test]
    fn all_land_drains_to_the_sea_over_the_lowest_rims() {
        let lattice = Lattice::new(5);
        let (land, height) = rough_island(&lattice);
        let mut routing = Routing::new(&lattice);
        routing.route(&lattice, &land, &height, 1);
        let expected = flooded(&lattice, &land, &height);
        assert_eq!(routing.order.len(), land.iter().filter(|land| **land).count());
        let mut levels = vec![0.0_f32; lattice.count()];
        for &index in routing.order.iter().rev() {
            let receiver = routing.ways[index as usize].receiver;
            assert_ne!(receiver, index, "no land cell keeps its water");
            levels[index as usize] = levels[receiver as usize].max(height[index as usize]);
        }
        for index in (0..lattice.count()).filter(|index| land[*index]) {
            assert_eq!(levels[index], expected[index], "highest point on the way of cell {index}");
        }
    }

    /// The slow obvious version: raise the water until nothing changes.
    fn flooded(lattice: &Lattice, land: &[bool], height: &[f32]) -> Vec<f32> {
        let mut levels: Vec<f32> = land.iter().map(|land| if *land { f32::MAX } else { 0.0 }).collect();
        let mut has_changed = true;
        while has_changed {
            has_changed = false;
            for index in (0..lattice.count()).filter(|index| land[*index]) {
                let around = lattice.neighbors(index).into_iter().filter(|cell| *cell != NOWHERE);
                let lowest = around.map(|cell| levels[cell as usize]).fold(f32::MAX, f32::min);
                let level = lowest.max(height[index]);
                has_changed |= level != levels[index];
                levels[index] = level;
            }
        }
        levels
    }

    #[test]
    fn bits_sort_as_numbers() {
        let values = [-1e9_f32, -2.0, -1.5, 0.0, 1e-3, 7.0, 1e9];
        assert!(values.windows(2).all(|pair| sortable(pair[0]) < sortable(pair[1])));
    }
}
