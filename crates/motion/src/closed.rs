//! Land that is closed to a body, and how a step ends at its border.
//!
//! Land is cells of one level, each of a parcel. A step may end in a closed cell only if it began in the same parcel: a
//! body that stands there when the fence closes walks on and out, and not in again. Any other step stops
//! [`BORDER_M`] before the border, or goes on along it. What decides is the cell under the body, never a distance, so
//! that no rounding lets anybody in.

use crate::body::along_ground;
use crate::{BORDER_M, Ground};
use cell::CellId;
use glam::DVec3;

/// Borders that one step is turned away from; a step that would cross more ends where it began.
const BORDERS_MAX: usize = 3;

/// The lots around a body that it may not enter. All of one level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClosedLand {
    /// With the parcels they are of, in the order of cells.
    lots: Vec<(CellId, u64)>,
}

impl ClosedLand {
    /// Closes a cell of the parcel with this id; what the cell was part of before is forgotten. False, and nothing
    /// changes, if the cells there are of another level.
    pub fn close(&mut self, lot: CellId, parcel: u64) -> bool {
        if self.level().is_some_and(|level| level != lot.level()) {
            return false;
        }
        match self.index(lot) {
            Ok(index) => self.lots[index].1 = parcel,
            Err(index) => self.lots.insert(index, (lot, parcel)),
        }
        true
    }

    /// Opens a cell.
    pub fn open(&mut self, lot: CellId) {
        if let Ok(index) = self.index(lot) {
            self.lots.remove(index);
        }
    }

    /// Opens everything.
    pub fn clear(&mut self) {
        self.lots.clear();
    }

    /// Whether all is open.
    pub fn is_empty(&self) -> bool {
        self.lots.is_empty()
    }

    /// The closed cells and their parcels, in the order of cells.
    pub fn lots(&self) -> &[(CellId, u64)] {
        &self.lots
    }

    /// The closed parcel in a direction (of any length), none where it is open.
    pub fn parcel_at(&self, direction: DVec3) -> Option<u64> {
        self.closed_at(direction).map(|(_, parcel)| parcel)
    }

    /// Whether a step may not lead from one direction to another.
    pub fn bars(&self, from: DVec3, to: DVec3) -> bool {
        self.barring(from, to).is_some()
    }

    /// The cell that a step from one direction to another may not end in.
    fn barring(&self, from: DVec3, to: DVec3) -> Option<CellId> {
        let (lot, parcel) = self.closed_at(to)?;
        (self.parcel_at(from) != Some(parcel)).then_some(lot)
    }

    fn closed_at(&self, direction: DVec3) -> Option<(CellId, u64)> {
        let lot = CellId::from_point(direction).parent(self.level()?);
        self.index(lot).ok().map(|index| self.lots[index])
    }

    fn level(&self) -> Option<u8> {
        self.lots.first().map(|(lot, _)| lot.level())
    }

    fn index(&self, lot: CellId) -> Result<usize, usize> {
        self.lots.binary_search_by_key(&lot, |(lot, _)| *lot)
    }

    /// What is left of a way of `way_m` along the ground from `place_m`, both in metres from the planet's centre, if it
    /// would end in closed land; none if it does not.
    pub(crate) fn turn_away(&self, place_m: DVec3, way_m: DVec3) -> Option<DVec3> {
        let mut left_m = way_m;
        for turns in 0..=BORDERS_MAX {
            let Some(lot) = self.barring(place_m, place_m + left_m) else {
                return (turns > 0).then_some(left_m);
            };
            left_m = along_border(lot, place_m, left_m);
        }
        Some(DVec3::ZERO)
    }
}

/// The way without what leads over the border of `lot`.
fn along_border(lot: CellId, place_m: DVec3, way_m: DVec3) -> DVec3 {
    let outward = border_crossed(lot, place_m, place_m + way_m);
    let room_m = (place_m.dot(outward) - BORDER_M).max(0.0);
    let surplus_m = -way_m.dot(outward) - room_m;
    let away = along_ground(outward, place_m / place_m.length()).unwrap_or(outward);
    way_m + away * (surplus_m.max(0.0) / away.dot(outward))
}

/// Away from the cell at that of its four borders which is crossed last on the way in: a unit vector.
///
/// Borders of cells are parts of great circles, so a plane through the centre tells on which side a place is.
fn border_crossed(lot: CellId, from_m: DVec3, to_m: DVec3) -> DVec3 {
    let corners = lot.corners();
    let borders = [0, 1, 2, 3].map(|k| {
        let across = corners[(k + 1) % 4].cross(corners[k]);
        across / across.length()
    });
    let crossed_at = |outward: DVec3| {
        let (before_m, after_m) = (from_m.dot(outward), to_m.dot(outward));
        // Of borders that are not crossed at all, the nearest: rounding has put the start on one.
        if before_m > 0.0 { before_m / (before_m - after_m.min(0.0)) } else { before_m }
    };
    let mut last = borders[0];
    for border in borders {
        if crossed_at(border) > crossed_at(last) {
            last = border;
        }
    }
    last
}

/// A ground on which some land is closed to a body.
#[derive(Clone, Copy, Debug)]
pub struct Fenced<'a, G> {
    /// What the body stands on.
    pub ground: &'a G,
    /// Where it may not go.
    pub closed: &'a ClosedLand,
}

impl<G: Ground> Ground for Fenced<'_, G> {
    fn surface(&self, dir: DVec3) -> crate::Surface {
        self.ground.surface(dir)
    }

    fn radius_m(&self) -> f64 {
        self.ground.radius_m()
    }

    fn closed_land(&self) -> Option<&ClosedLand> {
        (!self.closed.is_empty()).then_some(self.closed)
    }
}
