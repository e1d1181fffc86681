//! The outlines of sets of lots: their union, corner by corner.

use std::collections::{BTreeMap, BTreeSet};

use cell::{CellId, TangentFrame};
use glam::DVec3;

/// A part that hangs together: one outer ring, counter-clockwise seen from outside, and holes, clockwise. Rings do not
/// repeat their first point. A hole may touch the outer ring or another hole in single points.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Polygon {
    pub(crate) outer: Vec<DVec3>,
    pub(crate) holes: Vec<Vec<DVec3>>,
}

/// A corner of lots. Lots that share a corner compute it equal, whatever their faces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Corner([u64; 3]);

/// Whether outlines are cut where the flat map is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seam {
    /// They run on around the planet.
    None,
    /// They are cut along the antimeridian, which runs along sides of lots: points on it have longitude 180° or −180°,
    /// whichever side they are on.
    Antimeridian,
}

impl Seam {
    /// −1 west, 1 east of the antimeridian; 0 on the other half of the planet, and where nothing is cut.
    fn side(self, cell: CellId) -> f64 {
        let center = cell.center();
        if self == Self::None || center.x > 0.0 { 0.0 } else { 1.0_f64.copysign(center.y) }
    }
}

impl Corner {
    fn of(point: DVec3, side: f64) -> Self {
        // Adding zero turns -0 into 0.
        let [x, y, z] = point.to_array().map(|it| it + 0.0);
        // An angle over ±0 is half a turn to either side: the two sides of the seam have corners of their own.
        let y = if side < 0.0 && y == 0.0 && x < 0.0 { -0.0 } else { y };
        Self([x, y, z].map(f64::to_bits))
    }

    fn point(self) -> DVec3 {
        DVec3::from_array(self.0.map(f64::from_bits))
    }
}

/// The union of lots of one level.
pub(crate) fn polygons(cells: &[CellId], seam: Seam) -> Vec<Polygon> {
    parts(cells, seam).iter().filter_map(|part| polygon(part, seam)).collect()
}

/// Sets of lots that hang together by their sides, each as large as can be; not over the seam.
fn parts(cells: &[CellId], seam: Seam) -> Vec<Vec<CellId>> {
    let mut left: BTreeSet<CellId> = cells.iter().copied().collect();
    let mut parts = Vec::new();
    while let Some(first) = left.pop_first() {
        let mut part = vec![first];
        let mut next = 0;
        while let Some(cell) = part.get(next).copied() {
            let is_here = |it: &CellId| seam.side(*it) * seam.side(cell) >= 0.0;
            part.extend(cell.edge_neighbors().into_iter().filter(|it| is_here(it) && left.remove(it)));
            next += 1;
        }
        parts.push(part);
    }
    parts
}

/// Where a side leads, and of which lot it is.
type Side = (Corner, CellId);

fn polygon(part: &[CellId], seam: Seam) -> Option<Polygon> {
    let mut sides = border(part, seam);
    let mut outer = None;
    let mut holes = Vec::new();
    while let Some(start) = sides.keys().next().copied() {
        let ring = ring(&mut sides, start);
        if is_counter_clockwise(&ring) { outer = Some(ring) } else { holes.push(ring) }
    }
    outer.map(|outer| Polygon { outer, holes })
}

/// The sides that only one lot of the part has, by where they begin.
fn border(part: &[CellId], seam: Seam) -> BTreeMap<Corner, Vec<Side>> {
    let mut all: BTreeMap<(Corner, Corner), CellId> = BTreeMap::new();
    for cell in part {
        let side = seam.side(*cell);
        let corners = cell.corners().map(|it| Corner::of(it, side));
        for k in 0..4 {
            let (from, to) = (corners[k], corners[(k + 1) % 4]);
            // The neighbour runs the same side the other way.
            if all.remove(&(to, from)).is_none() {
                all.insert((from, to), *cell);
            }
        }
    }
    let mut sides: BTreeMap<Corner, Vec<Side>> = BTreeMap::new();
    for ((from, to), cell) in all {
        sides.entry(from).or_default().push((to, cell));
    }
    sides
}

/// Walks from a corner along the border until it is back there, and takes what it walked.
fn ring(sides: &mut BTreeMap<Corner, Vec<Side>>, start: Corner) -> Vec<DVec3> {
    let mut ring = Vec::new();
    let mut at = start;
    let mut cell = None;
    loop {
        let leaving = sides.get_mut(&at).expect("every corner is left as often as it is reached");
        // Where two lots of the part meet in a corner alone, they hang together on one of its other sides and close in
        // the land between. The side of the other lot leads on around that, so that no ring meets itself.
        let index = leaving.iter().position(|(_, of)| Some(*of) != cell).unwrap_or(0);
        let (to, of) = leaving.swap_remove(index);
        if leaving.is_empty() {
            sides.remove(&at);
        }
        ring.push(at.point());
        if to == start {
            return ring;
        }
        (at, cell) = (to, Some(of));
    }
}

/// By the area on a plane that touches the planet at the ring, which is small beside the planet.
fn is_counter_clockwise(ring: &[DVec3]) -> bool {
    let frame = TangentFrame::at(ring[0]);
    let flat: Vec<DVec3> = ring.iter().map(|it| frame.to_local(*it - ring[0])).collect();
    let doubled: f64 = (0..flat.len())
        .map(|index| {
            let (a, b) = (flat[index], flat[(index + 1) % flat.len()]);
            a.x * b.y - b.x * a.y
        })
        .sum();
    doubled > 0.0
}

#[cfg(test)]
mod tests {
    use cell::FaceIj;

    use super::*;

    const LEVEL: u8 = 15;

    /// Lots of a drawing: rows from the north, `#` is part of it.
    fn drawn(rows: &[&str]) -> Vec<CellId> {
        let mut cells = Vec::new();
        for (row, line) in rows.iter().rev().enumerate() {
            for (column, mark) in line.chars().enumerate() {
                if mark == '#' {
                    let position = FaceIj { face: 0, i: 9_000 + column as u32, j: 20_000 + row as u32 };
                    cells.push(CellId::from_face_ij(position, LEVEL));
                }
            }
        }
        cells
    }

    #[track_caller]
    fn check(cells: &[CellId], corners: &[(usize, &[usize])]) {
        let mut found = polygons(cells, Seam::None);
        found.sort_by_key(|it| std::cmp::Reverse(it.outer.len()));
        let counts: Vec<(usize, Vec<usize>)> =
            found.iter().map(|it| (it.outer.len(), it.holes.iter().map(Vec::len).collect())).collect();
        let expected: Vec<(usize, Vec<usize>)> =
            corners.iter().map(|(outer, holes)| (*outer, holes.to_vec())).collect();
        assert_eq!(counts, expected);
        for polygon in &found {
            for ring in std::iter::once(&polygon.outer).chain(&polygon.holes) {
                let distinct: BTreeSet<Corner> = ring.iter().map(|it| Corner::of(*it, 0.0)).collect();
                assert_eq!(distinct.len(), ring.len(), "no ring meets itself");
            }
            assert!(is_counter_clockwise(&polygon.outer));
            assert!(polygon.holes.iter().all(|hole| !is_counter_clockwise(hole)));
        }
        // The area of the outlines, over fans of flat triangles, is that of the lots.
        let doubled = |ring: &Vec<DVec3>| {
            (1..ring.len() - 1)
                .map(|k| (ring[k] - ring[0]).cross(ring[k + 1] - ring[0]).dot(ring[0]))
                .sum::<f64>()
        };
        let outlined: f64 = found
            .iter()
            .flat_map(|it| std::iter::once(&it.outer).chain(&it.holes))
            .map(|ring| 0.5 * doubled(ring))
            .sum();
        let lots: f64 = cells.iter().map(|it| it.area_sr()).sum();
        assert!((outlined / lots - 1.0).abs() < 1e-3, "{outlined} for {lots}");
    }

    #[test]
    fn lots_become_rings() {
        check(&drawn(&["#"]), &[(4, &[])]);
        check(&drawn(&["##", "#."]), &[(8, &[])]);
        check(&drawn(&["####", "####"]), &[(12, &[])]);
        check(&drawn(&["###", "#.#", "###"]), &[(12, &[4])]);
        // Two that meet in a corner are two; where they hang together elsewhere they close in a hole.
        check(&drawn(&["#.", ".#"]), &[(4, &[]), (4, &[])]);
        check(&drawn(&["##.", "#.#", "###"]), &[(12, &[4])]);
        check(&drawn(&["#.##", "####", "#..#", "#.##", "####"]), &[(20, &[8])]);
        // Two holes that touch.
        check(&drawn(&["####", "#.##", "##.#", "####"]), &[(16, &[4, 4])]);
        assert!(polygons(&[], Seam::None).is_empty());
    }

    #[test]
    fn faces_and_poles_have_no_seams() {
        // Eight lots around a corner of the cube have three at it, so that their number is odd.
        let corner = CellId::from_face(0).range_min().parent(LEVEL);
        let mut around: Vec<CellId> = corner.all_neighbors().to_vec();
        around.push(corner);
        assert_eq!(around.len(), 8);
        check(&around, &[(10, &[])]);
        // The pole is a corner of four lots.
        let pole = CellId::from_point(DVec3::Z).parent(LEVEL);
        let mut around: Vec<CellId> = pole.all_neighbors().to_vec();
        around.push(pole);
        check(&around, &[(12, &[])]);
    }

    #[test]
    fn random_shapes_have_rings_that_do_not_meet_themselves() {
        let mut state = 7_u64;
        let mut random = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..300 {
            let mut cells = vec![drawn(&["#"])[0]];
            for _ in 0..random(60) {
                let next = cells[random(cells.len())].edge_neighbors()[random(4)];
                if !cells.contains(&next) {
                    cells.push(next);
                }
            }
            let found = polygons(&cells, Seam::None);
            assert_eq!(found.len(), 1);
            let rings = found.iter().flat_map(|it| std::iter::once(&it.outer).chain(&it.holes));
            for ring in rings {
                let distinct: BTreeSet<Corner> = ring.iter().map(|it| Corner::of(*it, 0.0)).collect();
                assert_eq!(distinct.len(), ring.len());
            }
        }
    }
}
