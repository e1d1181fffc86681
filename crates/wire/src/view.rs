//! What a client knows of the world around it, from the frames it was sent.

use crate::frame::Frame;
use crate::place::{LatticePlace, facing_from_u8};
use crate::stream::{CellStream, HEIGHT_STEPS_PER_M, Record, Stance, StreamError};
use cell::CellId;
use glam::DVec3;
use motion::Ground;
use std::collections::BTreeMap;

/// The cells a client watches and the bodies in them.
#[derive(Clone, Debug, Default)]
pub struct View {
    cells: BTreeMap<CellId, CellStream>,
}

/// A body somewhere in the view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Whose.
    pub entity_id: u32,
    /// Where, and in which cell.
    pub place: LatticePlace,
    /// Direction from the planet's centre, a unit vector.
    pub direction: DVec3,
    /// Unit vector along the ground.
    pub facing: DVec3,
    /// Mode.
    pub stance: Stance,
    /// Above the place of rest, in metres.
    pub height_m: f64,
}

impl Seen {
    /// Where its feet are, in metres from the planet's centre.
    pub fn position(&self, ground: &impl Ground) -> DVec3 {
        self.direction * (ground.radius_m() + rest_height_m(self.direction, ground) + self.height_m)
    }
}

/// Height above sea level at which a body rests at `direction`: on the ground, or afloat in sea, lake or river.
pub fn rest_height_m(direction: DVec3, ground: &impl Ground) -> f64 {
    ground.surface(direction).rest_m()
}

impl View {
    /// Takes in a frame. Gives the number of cells that are unknown because frames before this one are missing; they
    /// come back with their next keyframe.
    pub fn apply(&mut self, frame: &Frame<'_>) -> Result<usize, StreamError> {
        if frame.head.is_restart {
            self.cells.clear();
        }
        for cell in &frame.dropped {
            self.cells.remove(cell);
        }
        for block in &frame.blocks {
            let stream = self.cells.entry(block.cell).or_default();
            match stream.apply(block.bytes) {
                Ok(()) if stream.records().is_empty() => {
                    self.cells.remove(&block.cell);
                }
                Ok(()) | Err(StreamError::Gap) => {}
                Err(StreamError::Malformed) => return Err(StreamError::Malformed),
            }
        }
        Ok(self.cells.values().filter(|stream| !stream.is_known()).count())
    }

    /// Every body in the watched cells, the reader's own included.
    pub fn bodies(&self) -> impl Iterator<Item = Seen> {
        self.records().map(|(cell, record)| seen(cell, &record))
    }

    /// How many bodies [`View::bodies`] gives.
    pub fn body_count(&self) -> usize {
        self.cells.values().map(|stream| stream.records().len()).sum()
    }

    /// The same bodies as they stand in their cells' streams.
    pub fn records(&self) -> impl Iterator<Item = (CellId, Record)> {
        self.cells.iter().flat_map(|(cell, stream)| stream.records().iter().map(|record| (*cell, *record)))
    }
}

fn seen(cell: CellId, record: &Record) -> Seen {
    let placement = record.placement;
    let place = LatticePlace { cell, i: placement.i, j: placement.j };
    let direction = place.direction();
    Seen {
        entity_id: placement.entity_id,
        place,
        direction,
        facing: facing_from_u8(cell, direction, placement.facing),
        stance: placement.stance,
        height_m: f64::from(placement.height) / HEIGHT_STEPS_PER_M,
    }
}
