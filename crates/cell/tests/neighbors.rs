//! Who touches whom, starting at the corners of the cube.

use std::collections::HashSet;

use cell::{CellId, FaceIj, MAX_LEVEL};

/// Do two cells of a level have a corner in common? Corners are computed equal by all cells that have them.
fn touch(a: CellId, b: CellId) -> bool {
    a.corners().iter().any(|corner| b.corners().contains(corner))
}

/// The 24 cells of a level at the 8 corners of the cube.
fn cube_corner_cells(level: u8) -> impl Iterator<Item = CellId> {
    let last = (1_u32 << level) - 1;
    (0..6).flat_map(move |face| {
        [(0, 0), (0, last), (last, 0), (last, last)]
            .map(|(i, j)| CellId::from_face_ij(FaceIj { face, i, j }, level))
    })
}

fn check_neighbors(cell: CellId, expected_count: usize) {
    let neighbors = cell.all_neighbors();
    assert_eq!(neighbors.len(), expected_count, "{cell:?}");
    let distinct: HashSet<CellId> = neighbors.into_iter().collect();
    assert_eq!(distinct.len(), expected_count, "{cell:?}");
    for neighbor in neighbors {
        assert_eq!(neighbor.level(), cell.level());
        assert_ne!(neighbor, cell);
        assert!(touch(cell, neighbor), "{cell:?} {neighbor:?}");
        assert!(neighbor.all_neighbors().contains(&cell), "{neighbor:?} does not know {cell:?}");
    }
    for neighbor in cell.edge_neighbors() {
        assert!(neighbors.contains(&neighbor), "{cell:?} {neighbor:?}");
        let shared = cell.corners().iter().filter(|corner| neighbor.corners().contains(corner)).count();
        assert_eq!(shared, 2, "{cell:?} and {neighbor:?} share an edge");
    }
}

#[test]
fn a_cell_at_a_corner_of_the_cube_has_seven_neighbors() {
    for level in 1..=MAX_LEVEL {
        cube_corner_cells(level).for_each(|cell| check_neighbors(cell, 7));
    }
}

#[test]
fn a_whole_face_has_four_neighbors() {
    for face in 0..6 {
        let neighbors = CellId::from_face(face).all_neighbors();
        assert_eq!(neighbors.len(), 4);
        assert!(
            neighbors.iter().all(|neighbor| neighbor.face() != face && neighbor.face() != (face + 3) % 6)
        );
    }
}

#[test]
fn all_cells_of_the_coarse_levels_know_exactly_those_they_touch() {
    for level in 1..=5 {
        let cells: Vec<CellId> = (0..6).flat_map(|face| CellId::from_face(face).descendants(level)).collect();
        let corner_cells: HashSet<CellId> = cube_corner_cells(level).collect();
        for &cell in &cells {
            check_neighbors(cell, if corner_cells.contains(&cell) { 7 } else { 8 });
        }
        if level <= 3 {
            for &cell in &cells {
                let touching = cells.iter().filter(|other| **other != cell && touch(cell, **other)).count();
                assert_eq!(touching, cell.all_neighbors().len(), "{cell:?}");
            }
        }
    }
}
