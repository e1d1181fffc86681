//! The border of a range of cells, as lines for a map.

use cell::{CellId, LatLng};

/// Cells below this level do not show on a map of the planet, unless a whole zone is made of them.
const LEVEL_SHOWN: u8 = 9;
/// Lines between two corners follow the ground in so many parts, those of a whole face.
const PARTS_MAX: u32 = 16;

/// A line along the ground: longitude and latitude in degrees, as maps want them. One that crosses the antimeridian goes
/// on beyond 180°.
pub(crate) type Line = Vec<[f64; 2]>;

/// The lines around the cells from `first` to `last`, both of one level; none where they are the whole planet. Bays
/// smaller than a map shows are left out.
pub(crate) fn border(first: CellId, last: CellId) -> Vec<Line> {
    let cells = whole_cells(first, last);
    let coarsest = cells.iter().map(|cell| cell.level()).min().unwrap_or(0);
    let shown = cells.iter().filter(|cell| cell.level() <= LEVEL_SHOWN.max(coarsest + 2));
    let mut lines = Vec::new();
    for cell in shown {
        for (edge, neighbor) in cell.edge_neighbors().into_iter().enumerate() {
            let is_inside =
                neighbor.range_min() >= first.range_min() && neighbor.range_max() <= last.range_max();
            if !is_inside {
                lines.push(line(*cell, edge));
            }
        }
    }
    lines
}

/// The fewest cells that make up a range.
fn whole_cells(first: CellId, last: CellId) -> Vec<CellId> {
    let mut cells = Vec::new();
    let mut next = Some(first);
    while let Some(start) = next.filter(|cell| cell.range_min() <= last.range_max()) {
        let mut widest = start;
        while widest.level() > 0 {
            let parent = widest.parent(widest.level() - 1);
            if parent.range_min() != start.range_min() || parent.range_max() > last.range_max() {
                break;
            }
            widest = parent;
        }
        cells.push(widest);
        // The first cell of the range's level behind it.
        next =
            widest.next().map(|after| CellId::from_point(after.range_min().center()).parent(start.level()));
    }
    cells
}

/// One edge of a cell, in the order of its neighbours.
fn line(cell: CellId, edge: usize) -> Line {
    let (from, to) = (cell.vertex(edge), cell.vertex(edge + 1));
    let parts = (PARTS_MAX >> cell.level()).max(1);
    let mut before: Option<f64> = None;
    (0..=parts)
        .map(|part| {
            let share = f64::from(part) / f64::from(parts);
            let place = LatLng::from_point((from * (1.0 - share) + to * share).normalize());
            let mut longitude = place.lng_deg();
            if let Some(before) = before {
                longitude += 360.0 * ((before - longitude) / 360.0).round();
            }
            before = Some(longitude);
            [longitude, place.lat_deg()]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: u8 = 14;

    fn first_of(cell: CellId) -> CellId {
        cell.children()
            .map_or(cell, |children| if cell.level() == LEVEL { cell } else { first_of(children[0]) })
    }

    fn last_of(cell: CellId) -> CellId {
        cell.children()
            .map_or(cell, |children| if cell.level() == LEVEL { cell } else { last_of(children[3]) })
    }

    #[test]
    fn the_whole_planet_has_no_border() {
        let [first, last] = [first_of(CellId::from_face(0)), last_of(CellId::from_face(5))];
        assert_eq!(whole_cells(first, last).len(), 6);
        assert_eq!(border(first, last), Vec::<Line>::new());
    }

    #[test]
    fn a_cell_has_four_edges_that_meet_at_its_corners() {
        for cell in [CellId::from_face(2), CellId::from_face(4).descendants(5).nth(77).unwrap()] {
            let lines = border(first_of(cell), last_of(cell));
            assert_eq!(lines.len(), 4);
            for (index, line) in lines.iter().enumerate() {
                let [end, start] = [line[line.len() - 1], lines[(index + 1) % 4][0]];
                assert!((end[1] - start[1]).abs() < 1e-9, "{end:?} {start:?}");
                assert!(line.windows(2).all(|two| (two[0][0] - two[1][0]).abs() < 180.0));
            }
        }
    }

    #[test]
    fn two_halves_of_the_planet_share_their_border() {
        let [first, last] = [first_of(CellId::from_face(0)), last_of(CellId::from_face(5))];
        let middle = first_of(CellId::from_face(2).descendants(6).nth(1_234).unwrap());
        let before = middle.prev().unwrap();
        let [one, other] = [border(first, before), border(middle, last)];
        assert!(!one.is_empty() && !other.is_empty());
        // All of it is along cells that a map shows.
        assert!(one.len() + other.len() < 200, "{} {}", one.len(), other.len());
        let on_both = |line: &Line| {
            let middle = line[line.len() / 2];
            other.iter().any(|other| {
                other
                    .iter()
                    .any(|at| (at[0] - middle[0]).abs() % 360.0 < 1.0 && (at[1] - middle[1]).abs() < 1.0)
            })
        };
        let shared = one.iter().filter(|line| line.len() == 2 && on_both(line)).count();
        assert!(shared > 0);
    }

    #[test]
    fn a_zone_of_few_small_cells_is_still_shown() {
        let first = first_of(CellId::from_face(1));
        let last = (0..15).fold(first, |cell, _| cell.next().unwrap());
        assert_eq!(whole_cells(first, last).len(), 1);
        assert_eq!(border(first, last).len(), 4);
    }
}
