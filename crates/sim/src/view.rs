//! What a zone shows of itself when a tick is done.

use crate::bodies::Bodies;
use crate::zone::EntityId;
use cell::CellId;
use motion::Body;
use wire::stream::Placed;

/// The bodies of a zone after a tick, as those who watch need them. Cheap to copy.
#[derive(Clone, Copy)]
pub struct ZoneView<'a> {
    bodies: &'a Bodies,
    /// In the order of bodies.
    placements: &'a [Placed],
}

impl<'a> ZoneView<'a> {
    pub(crate) fn new(bodies: &'a Bodies, placements: &'a [Placed]) -> Self {
        assert_eq!(bodies.len(), placements.len(), "a zone is published after the last change of its bodies");
        Self { bodies, placements }
    }

    /// Each cell with bodies, in ascending order, and its bodies in ascending order of their numbers.
    pub fn runs(&self) -> impl Iterator<Item = (CellId, &'a [Placed])> + use<'a> {
        let placements = self.placements;
        self.bodies.runs().map(move |(cell, run)| (cell, &placements[run]))
    }

    /// A body's exact state and the number of the last input applied to it.
    pub fn body(&self, id: EntityId) -> Option<(&'a Body, u32)> {
        let index = self.bodies.index(id)?;
        Some((&self.bodies.states[index], self.bodies.controls[index].applied_seq()))
    }

    /// The cell a body is in.
    pub fn cell(&self, id: EntityId) -> Option<CellId> {
        self.bodies.index(id).map(|index| self.bodies.cells[index])
    }

    /// How many bodies there are.
    pub fn body_count(&self) -> usize {
        self.bodies.len()
    }
}
