//! Sets of lots as shapes: what hangs together.

use std::collections::BTreeSet;

use cell::CellId;

/// Whether one can walk from each lot to each other over shared sides, over the edges of the cube too. Nothing hangs
/// together with nothing: an empty set does not.
pub(crate) fn is_connected(cells: &[CellId]) -> bool {
    let Some(first) = cells.first() else { return false };
    let mut left: BTreeSet<CellId> = cells.iter().copied().collect();
    left.remove(first);
    let mut open = vec![*first];
    while let Some(cell) = open.pop() {
        open.extend(cell.edge_neighbors().into_iter().filter(|it| left.remove(it)));
    }
    left.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lot in the middle of a face, and one at a corner of the cube.
    fn places() -> [CellId; 2] {
        let lot = CellId::from_face(0).range_min().parent(15);
        [CellId::from_point(CellId::from_face(4).center()).parent(15), lot]
    }

    #[test]
    fn sides_connect_and_corners_do_not() {
        for lot in places() {
            assert!(is_connected(&[lot]));
            for neighbor in lot.edge_neighbors() {
                assert!(is_connected(&[lot, neighbor]), "{lot:?} {neighbor:?}");
                assert!(is_connected(&[neighbor, lot, lot]), "twice is once");
            }
            let by_corner = lot.all_neighbors().iter().copied().find(|it| !lot.edge_neighbors().contains(it));
            if let Some(corner) = by_corner {
                assert!(!is_connected(&[lot, corner]), "{lot:?} {corner:?}");
            }
            let beyond = lot.edge_neighbors()[0].edge_neighbors()[0];
            assert!(!is_connected(&[lot, beyond]));
        }
        assert!(!is_connected(&[]));
    }

    #[test]
    fn a_corner_of_the_cube_is_walked_around() {
        // Three lots meet there, each on a face of its own.
        let lot = CellId::from_face(0).range_min().parent(15);
        let others: Vec<_> = lot.edge_neighbors().into_iter().filter(|it| it.face() != lot.face()).collect();
        assert_eq!(others.len(), 2);
        assert!(is_connected(&[lot, others[0], others[1]]));
        assert!(is_connected(&others), "the two touch each other too");
    }
}
