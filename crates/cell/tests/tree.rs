//! The tree of cells and the curve through it: exhaustively at coarse levels, by properties at fine ones.
#![allow(clippy::unwrap_used)] // Helpers of tests, too.

use cell::{CellId, FaceIj, LatLng, LatLngError, MAX_LEVEL};
use glam::DVec3;
use proptest::prelude::*;

fn all_cells(level: u8) -> impl Iterator<Item = CellId> {
    (0..6).flat_map(move |face| CellId::from_face(face).descendants(level))
}

#[test]
fn the_curve_visits_every_cell_once_and_steps_over_edges_only() {
    for level in 0..=6 {
        let cells: Vec<CellId> = all_cells(level).collect();
        assert_eq!(cells.len(), 6 << (2 * level));
        assert!(cells.is_sorted());
        for pair in cells.windows(2) {
            assert_eq!((pair[0].next(), pair[1].prev()), (Some(pair[1]), Some(pair[0])));
            assert!(pair[0].edge_neighbors().contains(&pair[1]), "{pair:?}");
        }
        assert_eq!((cells[0].prev(), cells[cells.len() - 1].next()), (None, None));
    }
}

#[test]
fn lattice_positions_come_back_and_fill_the_lattice() {
    for level in 0..=6 {
        let mut seen = vec![false; 6 << (2 * level)];
        for cell in all_cells(level) {
            let at = cell.face_ij();
            assert_eq!(CellId::from_face_ij(at, level), cell);
            let index = ((usize::from(at.face) << level | at.i as usize) << level) | at.j as usize;
            assert!(!std::mem::replace(&mut seen[index], true));
        }
        assert!(seen.into_iter().all(|is_seen| is_seen));
    }
}

#[test]
fn children_share_out_their_parent() {
    for level in 0..=5 {
        for cell in all_cells(level) {
            let children = cell.children().unwrap();
            assert_eq!(children[0].range_min(), cell.range_min());
            assert_eq!(children[3].range_max(), cell.range_max());
            for (position, child) in children.into_iter().enumerate() {
                assert_eq!((child.level(), child.parent(level)), (level + 1, cell));
                assert_eq!(usize::from(child.child_position(level + 1)), position);
                let (at, parent_at) = (child.face_ij(), cell.face_ij());
                assert_eq!((at.i / 2, at.j / 2), (parent_at.i, parent_at.j));
            }
            assert!(children.windows(2).all(|pair| pair[0].next() == Some(pair[1])));
        }
    }
}

#[test]
fn a_cell_holds_its_centre_and_no_other_does() {
    for level in 0..=5 {
        for cell in all_cells(level) {
            assert_eq!(CellId::from_point(cell.center()).parent(level), cell);
            assert!(cell.contains_point(cell.center()));
            assert!(!cell.next().is_some_and(|next| next.contains_point(cell.center())));
        }
    }
}

#[test]
fn sql_integers_keep_the_order_within_every_cell() {
    for cell in all_cells(4) {
        let (first, last) = (cell.range_min().to_sql(), cell.range_max().to_sql());
        assert!(first < cell.to_sql() && cell.to_sql() < last, "{cell:?}");
        assert_eq!(CellId::from_sql(cell.to_sql()), Some(cell));
        let inside = cell.children().unwrap().map(CellId::to_sql);
        assert!(inside.iter().all(|child| (first..=last).contains(child)));
    }
    assert_eq!(CellId::from_sql(0), None);
    assert_eq!(CellId::from_sql(-1), None);
}

#[test]
fn directions_that_are_none_give_some_cell() {
    for point in [DVec3::ZERO, DVec3::NAN, DVec3::INFINITY, DVec3::new(1.0, f64::NAN, 0.0), DVec3::MAX] {
        let leaf = CellId::from_point(point);
        assert!(leaf.is_leaf() && CellId::try_from_raw(leaf.raw()).is_some());
    }
}

#[test]
fn places_out_of_range_are_refused() {
    for lat_deg in [90.000_001, -91.0, f64::NAN, f64::INFINITY, 1e308] {
        assert_eq!(LatLng::from_degrees(lat_deg, 0.0), Err(LatLngError::Latitude));
    }
    for lng_deg in [180.000_001, -181.0, f64::NAN, f64::NEG_INFINITY] {
        assert_eq!(LatLng::from_degrees(0.0, lng_deg), Err(LatLngError::Longitude));
    }
    assert_eq!(LatLng::from_degrees(90.0, 180.0).unwrap().to_point().z, 1.0);
}

fn any_leaf() -> impl Strategy<Value = CellId> {
    (0..6_u8, 0..1_u32 << MAX_LEVEL, 0..1_u32 << MAX_LEVEL)
        .prop_map(|(face, i, j)| CellId::from_face_ij(FaceIj { face, i, j }, MAX_LEVEL))
}

proptest! {
    #[test]
    fn a_leaf_survives_the_way_through_its_centre(leaf in any_leaf()) {
        prop_assert_eq!(CellId::from_point(leaf.center()), leaf);
        prop_assert_eq!(CellId::from_face_ij(leaf.face_ij(), MAX_LEVEL), leaf);
    }

    #[test]
    fn a_leaf_survives_the_way_through_latitude_and_longitude(leaf in any_leaf()) {
        // Rounding of the angles may move a point by a few parts in 10^16; a leaf is 10^-9 wide.
        prop_assert_eq!(CellId::from_lat_lng(LatLng::from_point(leaf.center())), leaf);
    }

    #[test]
    fn ancestors_contain_and_ranges_say_so(leaf in any_leaf(), other in any_leaf(), level in 0..=MAX_LEVEL) {
        let ancestor = leaf.parent(level);
        prop_assert!(ancestor.contains(leaf) && ancestor.intersects(leaf) && leaf.intersects(ancestor));
        prop_assert_eq!(ancestor.contains(other), other.parent(level) == ancestor);
        prop_assert_eq!(ancestor.range_min().parent(level), ancestor);
        prop_assert_eq!(ancestor.range_max().parent(level), ancestor);
    }

    #[test]
    fn neighborhood_is_mutual(leaf in any_leaf(), level in 0..=MAX_LEVEL) {
        let cell = leaf.parent(level);
        for neighbor in cell.all_neighbors() {
            prop_assert!(neighbor.all_neighbors().contains(&cell));
        }
    }

    #[test]
    fn any_number_is_a_valid_cell_or_none(raw: u64) {
        match CellId::try_from_raw(raw) {
            Some(cell) => {
                prop_assert_eq!(cell.raw(), raw);
                prop_assert_eq!(CellId::from_face_ij(cell.face_ij(), cell.level()), cell);
                prop_assert_eq!(CellId::parse_token(&cell.token()), Ok(cell));
            }
            None => prop_assert!(raw >> 61 > 5 || raw.trailing_zeros() % 2 == 1 || raw == 0),
        }
    }
}
