//! Which cells a watcher is sent.
//!
//! Every cell nearer than [`INTEREST_ENTER_M`] is in the set, none farther than [`INTEREST_LEAVE_M`]; in between a cell
//! stays as it was. The set is looked at again when the watcher has moved [`LOOK_AGAIN_M`], and by that much the looks
//! are stricter than the promise.

use cell::{CellId, cover_cap};
use glam::DVec3;

/// Cells nearer than this are sent.
pub const INTEREST_ENTER_M: f64 = 160.0;
/// Cells farther than this are not.
pub const INTEREST_LEAVE_M: f64 = 184.0;

const LOOK_AGAIN_M: f64 = 8.0;

/// A cell a watcher is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(crate) cell: CellId,
    /// The watcher needs a keyframe first.
    pub(crate) is_new: bool,
}

/// One watcher's cells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interest {
    /// In the order of cells.
    pub(crate) cells: Vec<Watched>,
    /// Cells given up since the last frame.
    pub(crate) dropped: Vec<CellId>,
    /// The watcher must forget all it knows: frames to it were dropped, or it has just come.
    pub(crate) is_restart: bool,
    looked_from: Option<DVec3>,
}

impl Interest {
    /// The interest of one who has seen nothing yet.
    pub(crate) fn new() -> Self {
        Self { is_restart: true, ..Self::default() }
    }

    pub(crate) fn contains(&self, cell: CellId) -> bool {
        self.cells.binary_search_by_key(&cell, |watched| watched.cell).is_ok()
    }

    /// Everything begins again with keyframes.
    pub(crate) fn restart(&mut self) {
        self.is_restart = true;
        self.dropped.clear();
        for watched in &mut self.cells {
            watched.is_new = true;
        }
    }

    /// Looks around from `position`.
    pub(crate) fn look(&mut self, position: DVec3, radius_m: f64, cell_level: u8) {
        if self.looked_from.is_some_and(|from| from.distance_squared(position) < LOOK_AGAIN_M * LOOK_AGAIN_M)
        {
            return;
        }
        self.looked_from = Some(position);
        let cover = |within_m: f64| {
            cover_cap(position, within_m / radius_m, cell_level)
                .expect("an interest area is some fifty cells")
        };
        let near = cover(INTEREST_ENTER_M + LOOK_AGAIN_M);
        let kept = cover(INTEREST_LEAVE_M - LOOK_AGAIN_M);
        let before = std::mem::take(&mut self.cells);
        for watched in before {
            if kept.binary_search(&watched.cell).is_ok() {
                self.cells.push(watched);
            } else if !watched.is_new {
                self.dropped.push(watched.cell);
            }
        }
        let known = self.cells.len();
        for cell in near {
            if self.cells[..known].binary_search_by_key(&cell, |watched| watched.cell).is_err() {
                self.cells.push(Watched { cell, is_new: true });
            }
        }
        self.cells.sort_unstable_by_key(|watched| watched.cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RADIUS_M: f64 = 796_375.0;
    const LEVEL: u8 = 14;

    fn distance_m(position: DVec3, cell: CellId) -> f64 {
        let level = LEVEL + 4;
        cell.descendants(level)
            .map(|part| (part.center() * RADIUS_M).distance(position))
            .fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn near_cells_are_always_in_and_far_ones_never_on_a_walk_over_faces_and_a_pole() {
        for (start, ahead) in [
            (DVec3::new(1.0, 1.0, 0.3).normalize(), DVec3::new(-1.0, 1.0, 0.0).normalize()),
            (DVec3::Z, DVec3::new(0.3, 0.9, 0.0).normalize()),
            (DVec3::ONE.normalize(), DVec3::new(1.0, -1.0, 0.0).normalize()),
        ] {
            let mut interest = Interest::new();
            for step in -40..40 {
                let position = (start + ahead * (f64::from(step) * 5.0 / RADIUS_M)).normalize() * RADIUS_M;
                let before: Vec<_> = interest.cells.iter().map(|watched| watched.cell).collect();
                interest.look(position, RADIUS_M, LEVEL);
                // The sampled distance is up to half a sample's diagonal too large.
                for cell in cover_cap(position, (INTEREST_ENTER_M - 5.0) / RADIUS_M, LEVEL).unwrap() {
                    assert!(interest.contains(cell), "{cell} is near but not sent");
                }
                for watched in &interest.cells {
                    let far = distance_m(position, watched.cell);
                    assert!(far < INTEREST_LEAVE_M + 5.0, "{} is sent from {far} m", watched.cell);
                }
                let dropped = std::mem::take(&mut interest.dropped);
                let gone: Vec<_> = before.into_iter().filter(|cell| !interest.contains(*cell)).collect();
                assert!(dropped.iter().all(|cell| gone.contains(cell)));
                interest.cells.iter_mut().for_each(|watched| watched.is_new = false);
            }
            assert!((20..80).contains(&interest.cells.len()), "{}", interest.cells.len());
        }
    }

    #[test]
    fn a_step_to_and_fro_changes_nothing() {
        let mut interest = Interest::new();
        let at = |metres: f64| (DVec3::X + DVec3::Y * (metres / RADIUS_M)).normalize() * RADIUS_M;
        interest.look(at(0.0), RADIUS_M, LEVEL);
        interest.cells.iter_mut().for_each(|watched| watched.is_new = false);
        interest.look(at(9.0), RADIUS_M, LEVEL);
        let before: Vec<_> = interest.cells.iter().map(|watched| watched.cell).collect();
        interest.look(at(1.0), RADIUS_M, LEVEL);
        assert!(before.iter().all(|cell| interest.contains(*cell)), "a cell was dropped after 8 m");
    }
}
