//! All bodies of a zone: a structure of arrays in the order of cells.
//!
//! Bodies of a cell stand together, ordered by id, so that a stream is a slice and a neighbourhood a few slices. Those
//! that came since the last sort stand at the end.

use crate::control::Control;
use crate::zone::EntityId;
use cell::CellId;
use motion::{Body, ClosedLand, Fenced, Pace};
use std::collections::HashMap;
use std::ops::Range;

#[derive(Default)]
pub(crate) struct Bodies {
    pub(crate) ids: Vec<EntityId>,
    /// The leaf under each body's feet.
    pub(crate) leaves: Vec<CellId>,
    /// The leaf's ancestor at the streams' level.
    pub(crate) cells: Vec<CellId>,
    pub(crate) states: Vec<Body>,
    pub(crate) controls: Vec<Control>,
    /// Where each body may not go.
    pub(crate) closed: Vec<ClosedLand>,
    index_of: HashMap<EntityId, usize>,
    /// How many of them are in order.
    sorted: usize,
}

impl Bodies {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn index(&self, id: EntityId) -> Option<usize> {
        self.index_of.get(&id).copied()
    }

    pub(crate) fn add(&mut self, id: EntityId, body: Body, closed: ClosedLand, cell_level: u8) {
        let leaf = CellId::from_point(body.position);
        self.index_of.insert(id, self.len());
        self.ids.push(id);
        self.leaves.push(leaf);
        self.cells.push(leaf.parent(cell_level));
        self.states.push(body);
        self.controls.push(Control::default());
        self.closed.push(closed);
    }

    pub(crate) fn remove(&mut self, id: EntityId) -> Option<Body> {
        let index = self.index_of.remove(&id)?;
        self.ids.remove(index);
        self.leaves.remove(index);
        self.cells.remove(index);
        self.controls.remove(index);
        self.closed.remove(index);
        let body = self.states.remove(index);
        self.sorted -= usize::from(index < self.sorted);
        for (at, id) in self.ids.iter().enumerate().skip(index) {
            self.index_of.insert(*id, at);
        }
        Some(body)
    }

    /// Advances every body by this tick's steps.
    pub(crate) fn tick(&mut self, cell_level: u8, ground: &impl motion::Ground, pace: Pace) {
        for (index, body) in self.states.iter_mut().enumerate() {
            let before = body.position;
            let (control, closed) = (&mut self.controls[index], &self.closed[index]);
            if closed.is_empty() {
                control.tick(|input| motion::step(body, input, ground, pace));
            } else {
                control.tick(|input| motion::step(body, input, &Fenced { ground, closed }, pace));
            }
            if body.position != before {
                self.leaves[index] = CellId::from_point(body.position);
                self.cells[index] = self.leaves[index].parent(cell_level);
            }
        }
        self.sort();
    }

    /// Brings the arrays in order; few bodies change their cell in a tick, so there is mostly nothing to do.
    pub(crate) fn sort(&mut self) {
        let key = |index: usize| (self.cells[index], self.ids[index]);
        if !(1..self.len()).all(|index| key(index - 1) < key(index)) {
            let mut order: Vec<usize> = (0..self.len()).collect();
            order.sort_unstable_by_key(|index| key(*index));
            self.ids = order.iter().map(|from| self.ids[*from]).collect();
            self.leaves = order.iter().map(|from| self.leaves[*from]).collect();
            self.cells = order.iter().map(|from| self.cells[*from]).collect();
            self.states = order.iter().map(|from| self.states[*from]).collect();
            self.controls = order.iter().map(|from| std::mem::take(&mut self.controls[*from])).collect();
            self.closed = order.iter().map(|from| std::mem::take(&mut self.closed[*from])).collect();
            self.index_of.extend(self.ids.iter().enumerate().map(|(index, id)| (*id, index)));
        }
        self.sorted = self.len();
    }

    /// The bodies that were in `cell` at the last sort.
    pub(crate) fn in_cell(&self, cell: CellId) -> Range<usize> {
        let cells = &self.cells[..self.sorted];
        let start = cells.partition_point(|other| *other < cell);
        start..start + cells[start..].partition_point(|other| *other == cell)
    }

    /// The bodies that came since the last sort.
    pub(crate) fn unsorted(&self) -> Range<usize> {
        self.sorted..self.len()
    }

    /// Each cell with bodies and which they are, in the order of cells. Needs sorted arrays.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (CellId, Range<usize>)> + use<'_> {
        debug_assert_eq!(self.sorted, self.len());
        let mut start = 0;
        std::iter::from_fn(move || {
            let cell = *self.cells.get(start)?;
            let end = start + self.cells[start..].partition_point(|other| *other == cell);
            let run = (cell, start..end);
            start = end;
            Some(run)
        })
    }
}
